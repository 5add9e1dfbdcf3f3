"""Rows of numtensor/ops/slicing.py."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..index_samples import DIM
from ..op_table import ALL, Bad, Row, S, T


def unfolded(array, dimension, size, step):
    windowed = sliding_window_view(array.reshape(array.shape or (1,)), size, dimension)
    result = windowed[tuple([slice(None)] * (dimension % max(array.ndim, 1)) + [slice(None, None, step)])]
    return result if array.ndim else result.reshape(size)


ROWS = [
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
        lambda array, offset=0, dim1=0, dim2=1: (
            np.diagonal(array, offset, dim1, dim2) if abs(offset) < 5 else np.zeros((0,), array.dtype)
        ),
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
]
