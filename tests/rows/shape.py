"""Rows of numtensor/ops/shape.py."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..op_table import ALL, Bad, Row, S, T


def every_other(array):
    return array[::2]


def windows(array):
    return sliding_window_view(array, 2)


def embedded(array, shape, replay):
    whole = np.zeros(shape, array.dtype)
    positions = replay(np.arange(whole.size).reshape(shape))
    np.add.at(whole.reshape(-1), positions.ravel(), array.ravel())
    return whole


def squeezed(array, dim=None):
    dims = range(array.ndim) if dim is None else dim if isinstance(dim, tuple) else (dim,)
    dims = [dim % max(array.ndim, 1) for dim in dims]
    return array.reshape([n for k, n in enumerate(array.shape) if k not in dims or n != 1])


def expanded(array, size):
    lead = len(size) - array.ndim
    return np.broadcast_to(array, [array.shape[k - lead] if n == -1 else n for k, n in enumerate(size)])


def summed(array, size):
    lead = array.ndim - len(size)
    axes = (*range(lead), *(lead + k for k, n in enumerate(size) if n == 1 != array.shape[lead + k]))
    return array.sum(axis=axes, keepdims=True).reshape(size)


def unfolded(array, dimension, size, step):
    windowed = sliding_window_view(array.reshape(array.shape or (1,)), size, dimension)
    result = windowed[tuple([slice(None)] * (dimension % max(array.ndim, 1)) + [slice(None, None, step)])]
    return result if array.ndim else result.reshape(size)


def pieces(array, sizes, dim=0):
    return tuple(np.split(array, np.cumsum(sizes)[:-1], dim))


def split(array, size, dim=0):
    n = array.shape[dim]
    if isinstance(size, int):
        size = [min(size, n - start) for start in range(0, n, size)] or [0]
    return pieces(array, list(size), dim)


def chunk(array, chunks, dim=0):
    n = array.shape[dim]
    return split(array, -(-n // chunks), dim) if n else pieces(array, [0] * chunks, dim)


def tensor_split(array, sections, dim=0):
    return tuple(np.array_split(array, sections, dim))


DIM = r"Dimension out of range"

ROWS = [
    Row(
        "ops.embed",
        [S(T(2), (4,), every_other), S(T(3, 2), (4,), windows), S(T(0, 2), (0, 2), every_other)],
        embedded,
    ),
    Row(
        "ops.extract",
        [S(T(4), every_other), S(T(4, 2), every_other), S(T(4), windows)],
        lambda array, replay: replay(array),
        dtypes=ALL,
    ),
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
    Row(
        "transpose",
        [S(T(2, 3, 4), 0, 1), S(T(2, 3, 4), -1, 0), S(T(), 0, -1), S(T(0, 2), 0, 1), S(T(3), 0, 0)],
        lambda array, a, b: np.swapaxes(array, a, b) if array.ndim else array,
        dtypes=ALL,
        bad=[Bad(S(T(2, 3), 0, 2), IndexError, DIM), Bad(S(T(2, 3), 0, "a"), TypeError, "dim")],
    ),
    Row(
        "t",
        [S(T(2, 3)), S(T(3)), S(T())],
        np.transpose,
        dtypes=ALL,
        bad=[Bad(S(T(2, 3, 4)), RuntimeError, "<= 2 dimensions")],
    ),
    Row(
        "permute",
        [S(T(2, 3, 4), (2, 0, 1)), S(T(2, 3), (-1, 0)), S(T(), ()), S(T(0, 2), (1, 0))],
        np.transpose,
        dtypes=ALL,
        bad=[
            Bad(S(T(2, 3), (0,)), RuntimeError, "does not match the length"),
            Bad(S(T(2, 3), (0, 0)), RuntimeError, "duplicate"),
            Bad(S(T(2, 3), (0, 2)), IndexError, DIM),
        ],
    ),
    Row(
        "movedim",
        [S(T(2, 3, 4), 0, 2), S(T(2, 3, 4), (0, 1), (-1, 0)), S(T(3), 0, 0)],
        np.moveaxis,
        bad=[
            Bad(S(T(2, 3), (0, 1), (0,)), RuntimeError, "same number"),
            Bad(S(T(2, 3), (0, 0), (0, 1)), RuntimeError, "repeated"),
            Bad(S(T(2, 3), 0, 2), IndexError, DIM),
        ],
    ),
    Row(
        "Tensor.expand",
        [S(T(3, 1), (3, 4)), S(T(3, 1), (2, -1, 4)), S(T(), (2,)), S(T(1), (0,)), S(T(2), (2,)), S(T(1, 3), (-1, -1))],
        expanded,
        dtypes=ALL,
        bad=[
            Bad(S(T(3, 2), (3, 4)), RuntimeError, "expanded size"),
            Bad(S(T(3, 2), (2,)), RuntimeError, "number of sizes"),
            Bad(S(T(3), (-1, 3)), RuntimeError, "leading"),
        ],
    ),
    Row(
        "Tensor.expand_as",
        [S(T(3, 1), T(2, 3, 4, grad=False))],
        lambda array, other: np.broadcast_to(array, other.shape),
        bad=[Bad(S(T(3), T(4)), RuntimeError, "expanded size")],
    ),
    Row(
        "broadcast_to",
        [S(T(3, 1), (3, 4)), S(T(), (2, 2))],
        np.broadcast_to,
        bad=[Bad(S(T(3, 2), (3, 4)), RuntimeError, "expanded size")],
    ),
    Row(
        "broadcast_tensors",
        [S(T(3, 1), T(4)), S(T(), T(2, 1), T(3)), S(T(2))],
        lambda *arrays: tuple(np.broadcast_arrays(*arrays)),
        bad=[Bad(S(T(3), T(4)), RuntimeError, "do not match")],
    ),
    Row(
        "Tensor.sum_to_size",
        [S(T(2, 3), (1, 3)), S(T(2, 3), (3,)), S(T(2, 3), ()), S(T(2, 3), (2, 3)), S(T(0, 3), (1, 3))],
        summed,
        bad=[Bad(S(T(2, 3), (5, 3)), RuntimeError, "not expandable")],
    ),
    Row(
        "diagonal",
        [
            S(T(3, 4)),
            S(T(3, 4), 1),
            S(T(3, 4), -2),
            S(T(2, 3, 4), 0, 1, 2),
            S(T(2, 3, 4), 1, -1, 0),
            S(T(2, 2), 7),
            S(T(0, 3)),
        ],
        lambda array, offset=0, dim1=0, dim2=1: np.diagonal(array, offset, dim1, dim2)
        if abs(offset) < 5
        else np.zeros((0,), array.dtype),
        dtypes=ALL,
        bad=[Bad(S(T(3)), IndexError, DIM), Bad(S(T(3, 3), 0, 1, 1), RuntimeError, "identical")],
    ),
    Row(
        "select",
        [S(T(2, 3), 0, 1), S(T(2, 3), -1, -1), S(T(3), 0, 0)],
        lambda array, dim, index: np.take(array, index, dim),
        dtypes=ALL,
        bad=[Bad(S(T(2, 3), 0, 5), IndexError, "index 5 out of range"), Bad(S(T(), 0, 0), IndexError, "no dimensions")],
    ),
    Row(
        "narrow",
        [S(T(2, 5), 1, 1, 3), S(T(5), 0, -2, 2), S(T(5), 0, 5, 0)],
        lambda array, dim, start, length: np.take(array, np.arange(start, start + length) % 5, dim),
        dtypes=ALL,
        bad=[
            Bad(S(T(5), 0, 3, 3), RuntimeError, "exceeds dimension size"),
            Bad(S(T(5), 0, 6, 0), IndexError, "start 6 out of range"),
            Bad(S(T(5), 0, 0, -1), RuntimeError, "non-negative"),
        ],
    ),
    Row(
        "unfold",
        [S(T(5), 0, 2, 1), S(T(2, 5), 1, 3, 2), S(T(5, 2), -2, 2, 2), S(T(), 0, 1, 1)],
        unfolded,
        bad=[
            Bad(S(T(5), 0, 6, 1), RuntimeError, "maximum size"),
            Bad(S(T(5), 0, 2, 0), RuntimeError, "step is 0"),
            Bad(S(T(5), 1, 2, 1), IndexError, DIM),
        ],
    ),
    Row(
        "unbind",
        [S(T(2, 3)), S(T(2, 3), -1), S(T(3)), S(T(0, 2))],
        lambda array, dim=0: tuple(np.moveaxis(array, dim, 0)[k, ...] for k in range(array.shape[dim])),
        dtypes=ALL,
        bad=[Bad(S(T()), IndexError, "no dimensions"), Bad(S(T(2), 1), IndexError, DIM)],
    ),
    Row(
        "split_with_sizes",
        [S(T(5, 2), (1, 4)), S(T(2, 5), (2, 0, 3), -1)],
        pieces,
        bad=[Bad(S(T(5), (1, 1)), RuntimeError, "sum exactly"), Bad(S(T(5), (6, -1)), RuntimeError, "non-negative")],
    ),
    Row(
        "split",
        [S(T(5, 2), 2), S(T(2, 5), 3, 1), S(T(5), [1, 4]), S(T(0, 2), 3), S(T(4), 9)],
        split,
        dtypes=ALL,
        bad=[
            Bad(S(T(5), 0), RuntimeError, "split_size can only be 0"),
            Bad(S(T(5), -1), RuntimeError, "non-negative"),
            Bad(S(T(), 1), RuntimeError, "1-dimensional"),
        ],
    ),
    Row(
        "chunk",
        [S(T(5, 2), 2), S(T(2, 5), 4, -1), S(T(0, 2), 3)],
        chunk,
        bad=[Bad(S(T(5), 0), RuntimeError, "greater than 0")],
    ),
    Row(
        "tensor_split",
        [S(T(5, 2), 3), S(T(2, 5), (1, 3), 1), S(T(3), 5)],
        tensor_split,
        bad=[Bad(S(T(5), 0), RuntimeError, "larger than 0")],
    ),
]
