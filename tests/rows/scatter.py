"""Rows of numtensor/ops/scatter.py."""

import numpy as np

from ..index_samples import OUT_OF_BOUNDS, index, put
from ..op_table import ALL, Bad, Row, S, T


def scattered(array, dim, index, src, accumulate=False):
    out = array.copy()
    for place in np.ndindex(*index.shape):
        target = list(place)
        if target:
            target[dim] = index[place]
        target = tuple(target)
        value = src if np.ndim(src) == 0 else src[place]
        out[target] = out[target] + value if accumulate else value
    return out


def along(function):
    """Return the reference of an index_... op: `function` of the copy, the index key and the source."""

    def reference(array, dim, index, source, alpha=1):
        out = np.moveaxis(array.copy(), dim, 0)
        function(out, index.reshape(-1), (np.moveaxis(source, dim, 0) if np.ndim(source) else source) * alpha)
        return np.moveaxis(out, 0, dim)

    return reference


def assign(out, index, source):
    out[index] = source


MASK = T(3, dtype="bool", values=[True, False, True])

ROWS = [
    Row(
        "index_put",
        [
            S(T(4, 3), (index(0, -1),), T(2, 3)),
            S(T(4, 3), (index(0, 0, 1),), T(3), True),
            S(T(4, 3), (index([0], [1]), index(0, 2)), T(2, 2)),
            S(T(4, 3), (None, index(2, 2)), T(4, 2), True),
            S(T(2, 3), (T(2, 3, dtype="bool", values=[[True, False, True], [False, True, False]]),), T()),
            S(T(4, 3), (index(1),), 2),
        ],
        put,
        bad=[
            Bad(S(T(3), (index(3),), T()), IndexError, OUT_OF_BOUNDS),
            Bad(S(T(3), (index(0, 1),), T(3)), RuntimeError, "cannot be broadcast"),
            Bad(S(T(3), (index(0), index(0)), T()), IndexError, "too many indices"),
            Bad(S(T(3), (index(0),), T(dtype="int64")), RuntimeError, "same dtype"),
            Bad(S(T(3), 0, T()), TypeError, "tuple"),
        ],
    ),
    Row(
        "index_add",
        [
            S(T(4, 3), 0, index(0, 0, 2), T(3, 3)),
            S(T(2, 3, 2), -2, index(1, 1), T(2, 2, 2)),
            S(T(3), 0, index(2, 2), T(2), 2),
            S(T(3, 2), 0, T(0, dtype="int64"), T(0, 2)),
        ],
        along(np.add.at),
        bad=[
            Bad(S(T(3), 0, index(3), T(1)), RuntimeError, OUT_OF_BOUNDS),
            Bad(S(T(3), 0, index(-1), T(1)), RuntimeError, OUT_OF_BOUNDS),
            Bad(S(T(3), 0, index(0, 1), T(3)), RuntimeError, "need"),
            Bad(S(T(3), 0, index(0), T(1, dtype="int64")), RuntimeError, "same dtype"),
        ],
    ),
    Row(
        "index_copy",
        [S(T(4, 3), 0, index(2, 0), T(2, 3)), S(T(3, 2), 1, index(1), T(3, 1))],
        along(assign),
        dtypes=ALL,
        bad=[
            Bad(S(T(3), 0, index(3), T(1)), IndexError, OUT_OF_BOUNDS),
            Bad(S(T(3, 2), 0, index(0), T(2)), RuntimeError, "as many dimensions"),
        ],
    ),
    Row(
        "index_fill",
        [S(T(4, 3), 0, index(2, -4), 5), S(T(3, 2), 1, index(1), T())],
        along(assign),
        bad=[
            Bad(S(T(3), 0, index(3), 1.0), IndexError, OUT_OF_BOUNDS),
            Bad(S(T(3), 0, index(0), T(1)), RuntimeError, "0-dimensional"),
        ],
    ),
    Row(
        "ops.scatter_along",
        [S(T(3, 4), 1, index([0, 1], [3, 2]), T(2, 2), False), S(T(3, 4), 0, index([2, 2, 2, 0]), T(2, 4), True)],
        scattered,
    ),
    Row(
        "scatter",
        [
            S(T(3, 4), 1, index([0, 1], [3, 2]), T(2, 2)),
            S(T(3, 4), 0, index([2, 0, 2]), T(2, 4)),
            S(T(3, 4), -1, index([1, 2]), 7),
            S(T(3), 0, T(0, dtype="int64"), T(2)),
            S(T(), 0, T(dtype="int64", values=0), T()),
        ],
        scattered,
        bad=[
            Bad(S(T(3), 0, index(3), T(1)), RuntimeError, OUT_OF_BOUNDS),
            Bad(S(T(3), 0, index(-1), T(1)), RuntimeError, OUT_OF_BOUNDS),
            Bad(S(T(3), 0, index(0, 1), T(1)), RuntimeError, "no larger than src"),
            Bad(S(T(3), 0, index(0), T(1, dtype="int64")), RuntimeError, "same dtype"),
            Bad(S(T(3), 0, index([0]), T(1)), RuntimeError, "same number of dimensions"),
        ],
    ),
    Row(
        "scatter_add",
        [
            S(T(3, 4), 1, index([0, 0], [3, 3]), T(2, 2)),
            S(T(3, 4), 0, index([2, 2, 2], [2, 0, 2]), T(2, 4)),
            S(T(3), 0, T(0, dtype="int64"), T(2)),
        ],
        lambda array, dim, index, src: scattered(array, dim, index, src, True),
        bad=[
            Bad(S(T(3), 0, index(3), T(1)), RuntimeError, OUT_OF_BOUNDS),
            Bad(S(T(3), 0, index(0), 1.0), TypeError, "src"),
        ],
    ),
    Row(
        "masked_fill",
        [S(T(2, 3), MASK, 5), S(T(2, 3), MASK, T()), S(T(1), MASK, 0.5), S(T(), T(dtype="bool", values=True), 1)],
        lambda array, mask, value: np.where(mask, np.asarray(value).astype(array.dtype), array),
        bad=[
            Bad(S(T(3), index(1, 0, 1), 0), RuntimeError, "boolean masks"),
            Bad(S(T(3), MASK, T(1)), RuntimeError, "0-dimensional"),
            Bad(S(T(2), MASK, 0.0), RuntimeError, "do not match"),
        ],
    ),
]
