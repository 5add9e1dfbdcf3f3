"""Rows of numtensor/ops/shape.py."""

import numpy as np

from ..index_samples import DIM
from ..op_table import ALL, Bad, Row, S, T


def squeezed(array, dim=None):
    dims = range(array.ndim) if dim is None else dim if isinstance(dim, tuple) else (dim,)
    dims = [dim % max(array.ndim, 1) for dim in dims]
    return array.reshape([n for k, n in enumerate(array.shape) if k not in dims or n != 1])


def at_least(function):
    """Apply `function` to each of several arrays, or of a list of them."""

    def of_each(*arrays):
        if len(arrays) == 1 and not isinstance(arrays[0], list):
            return function(arrays[0])
        return tuple(map(function, arrays[0] if len(arrays) == 1 else arrays))

    return of_each


ROWS = [
    Row(
        "Tensor.view",
        # Shapes that every memory layout can take.
        [S(T(2, 6), (2, 3, 2)), S(T(2, 6), (1, -1, 6)), S(T(1), ()), S(T(), (1, 1)), S(T(0, 3), (3, 0)), S(T(4), 4)],
        lambda array, shape: array.reshape(shape),
        dtypes=ALL,
        bad=[
            Bad(S(T(2, 6), (5, 5)), RuntimeError, "invalid for input of size 12"),
            Bad(S(T(2, 6), (-1, -1)), RuntimeError, "only one dimension can be inferred"),
            Bad(S(T(2, 6), (-2, 6)), RuntimeError, "invalid shape dimension -2"),
            Bad(S(T(0, 3), (-1, 0)), RuntimeError, "ambiguous"),
            Bad(S(T(2, 6), (2.0, 6)), TypeError, "integers"),
        ],
    ),
    Row(
        "reshape",
        [S(T(2, 6), (3, 4)), S(T(2, 6), (-1,)), S(T(1), ()), S(T(), (1, 1)), S(T(0, 3), (3, 0)), S(T(2, 3, 2), (6, 2))],
        lambda array, shape: array.reshape(shape),
        dtypes=ALL,
        bad=[Bad(S(T(2, 6), (5, 5)), RuntimeError, "invalid for input of size 12")],
    ),
    Row(
        "Tensor.view_as",
        [S(T(2, 6), T(2, 3, 2, grad=False))],
        lambda array, other: array.reshape(other.shape),
        bad=[Bad(S(T(2, 6), 3), TypeError, "other")],
    ),
    Row("Tensor.reshape_as", [S(T(2, 6), T(3, 4, grad=False))], lambda array, other: array.reshape(other.shape)),
    Row(
        "flatten",
        [
            S(T(2, 3, 4)),
            S(T(2, 3, 4), 1),
            S(T(2, 3, 4), 0, 1),
            S(T(2, 3, 4), -2),
            S(T()),
            S(T(3), 0, 0),
            S(T(2, 0, 4), 1),
        ],
        lambda array, start=0, end=-1: array.reshape(
            [
                *array.shape[: start % max(array.ndim, 1)],
                int(np.prod(array.shape[start % max(array.ndim, 1) : end % max(array.ndim, 1) + 1])),
                *array.shape[end % max(array.ndim, 1) + 1 :],
            ]
        ),
        dtypes=ALL,
        bad=[Bad(S(T(2, 3), 1, 0), RuntimeError, "cannot come after"), Bad(S(T(2, 3), 0, 5), IndexError, DIM)],
    ),
    Row("ravel", [S(T(2, 3)), S(T()), S(T(0, 2))], np.ravel, dtypes=ALL),
    Row(
        "unflatten",
        [S(T(2, 12), 1, (3, -1)), S(T(6), -1, (2, 3)), S(T(0, 2), 0, (0, 4))],
        lambda array, dim, sizes: array.reshape(
            [*array.shape[: dim % array.ndim], *sizes, *array.shape[dim % array.ndim + 1 :]]
        ),
        bad=[Bad(S(T(2, 12), 1, (5, -1)), RuntimeError, "multiply up"), Bad(S(T(2), 3, (2,)), IndexError, DIM)],
    ),
    Row(
        "squeeze",
        [S(T(1, 3, 1)), S(T(1, 3, 1), 0), S(T(1, 3, 1), -2), S(T(1, 3, 1), (0, 2)), S(T(), 0), S(T()), S(T(1, 0))],
        squeezed,
        dtypes=ALL,
        bad=[Bad(S(T(1, 3), 5), IndexError, DIM), Bad(S(T(1, 3), (0, 0)), RuntimeError, "multiple times")],
    ),
    Row(
        "unsqueeze",
        [S(T(2, 3), 0), S(T(2, 3), -1), S(T(2, 3), 1), S(T(), 0), S(T(0), 1)],
        np.expand_dims,
        dtypes=ALL,
        bad=[Bad(S(T(2, 3), 3), IndexError, DIM), Bad(S(T(2), "a"), TypeError, "dim")],
    ),
    *(
        Row(
            f"atleast_{ndim}d",
            [S(T()), S(T(3)), S(T(2, 3)), S(T(2, 3, 4)), S(T(2, 3, 1, 2)), S(T(0)), S(T(), T(3)), S([T(2), T(2, 3)])],
            at_least(getattr(np, f"atleast_{ndim}d")),
            dtypes=ALL,
            bad=[Bad(S("x"), TypeError, "tensors")],
        )
        for ndim in (1, 2, 3)
    ),
]
