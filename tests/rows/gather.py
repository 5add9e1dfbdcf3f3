"""Rows of numtensor/ops/gather.py."""

import numpy as np

from ..index_samples import DIM, OUT_OF_BOUNDS, index
from ..op_table import ALL, Bad, Row, S, T


def gathered(array, dim, index):
    out = np.zeros(index.shape, array.dtype)
    for place in np.ndindex(*index.shape):
        source = list(place)
        if source:
            source[dim] = index[place]
        out[place] = array[tuple(source)] if array.ndim else array
    return out


def taken_along(array, indices, dim=None):
    if dim is None:
        return array.ravel()[indices.ravel()]
    shape = list(np.broadcast_shapes(*([*a.shape[:dim], 1, *a.shape[dim:][1:]] for a in (array, indices))))
    shape[dim] = indices.shape[dim]
    indices = np.broadcast_to(indices, shape)
    shape[dim] = array.shape[dim]
    return np.take_along_axis(np.broadcast_to(array, shape), indices, dim)


ROWS = [
    Row(
        "gather",
        [
            S(T(3, 4), 1, index([0, 0], [3, 1])),
            S(T(3, 4), 0, index([2, 0, 2])),
            S(T(2, 3, 2), -2, index([[2, 2]])),
            S(T(3), 0, index(1, 1, 1)),
            S(T(), 0, T(dtype="int64", values=0)),
            S(T(3, 4), 1, T(0, 4, dtype="int64")),
        ],
        gathered,
        dtypes=ALL,
        bad=[
            Bad(S(T(3), 0, index(3)), RuntimeError, OUT_OF_BOUNDS),
            Bad(S(T(3), 0, index(-1)), RuntimeError, OUT_OF_BOUNDS),
            Bad(S(T(3, 2), 0, index(0)), RuntimeError, "same number of dimensions"),
            Bad(S(T(1, 2), 1, index([0], [0])), RuntimeError, "no larger than self"),
            Bad(S(T(3), 0, T(1, dtype="float32")), RuntimeError, "expected dtype"),
            Bad(S(T(3), 1, index(0)), IndexError, DIM),
        ],
    ),
    Row(
        "index_select",
        [
            S(T(3, 4), 0, index(2, 0, 2)),
            S(T(3, 4), -1, index(1)),
            S(T(2, 3, 2), 1, index(1, 1)),
            S(T(3), 0, T(dtype="int64", values=2)),
            S(T(3, 2), 0, T(0, dtype="int64")),
        ],
        lambda array, dim, index: np.take(array, index.reshape(-1), dim),
        dtypes=ALL,
        bad=[
            Bad(S(T(3), 0, index(3)), IndexError, OUT_OF_BOUNDS),
            Bad(S(T(3), 0, index(-1)), IndexError, OUT_OF_BOUNDS),
            Bad(S(T(3), 0, index([0])), IndexError, "vector"),
            Bad(S(T(3), 1, index(0)), IndexError, DIM),
            Bad(S(T(3), 0, T(1, dtype="float32")), RuntimeError, "expected dtype"),
        ],
    ),
    Row(
        "take_along_dim",
        [
            S(T(3, 4), index([0, -1], [3, 3], [1, 0]), 1),
            S(T(3, 4), index([2, 0, 2, 0]), 0),
            S(T(3, 1), index([2, 0, 2, 0]), 0),
            S(T(3, 4), index(11, 0, -1)),
        ],
        taken_along,
        bad=[
            Bad(S(T(3), index(3), 0), IndexError, OUT_OF_BOUNDS),
            Bad(S(T(3, 2), index(0), 0), RuntimeError, "same number of dimensions"),
            Bad(S(T(3, 2), index([0, 0, 0]), 0), RuntimeError, "do not match"),
        ],
    ),
    Row(
        "take",
        [S(T(3, 4), index([11, 0], [-1, 0])), S(T(), T(dtype="int64", values=0)), S(T(3), T(0, dtype="int64"))],
        lambda array, index: array.ravel()[index],
        bad=[Bad(S(T(2, 2), index(4)), IndexError, OUT_OF_BOUNDS)],
    ),
    Row(
        "masked_select",
        [
            S(T(2, 3), T(3, dtype="bool", values=[True, False, True])),
            S(T(3), T(2, 3, dtype="bool", values=[[True, False, True], [False, False, True]])),
            S(T(2), T(dtype="bool", values=False)),
            S(T(), T(dtype="bool", values=True)),
        ],
        lambda array, mask: np.broadcast_to(array, (shape := np.broadcast_shapes(array.shape, mask.shape)))[
            np.broadcast_to(mask, shape)
        ],
        dtypes=ALL,
        bad=[
            Bad(S(T(3), index(1, 0, 1)), RuntimeError, "bool mask"),
            Bad(S(T(3), T(2, dtype="bool")), RuntimeError, "do not match"),
        ],
    ),
    Row("argwhere", [S(T(2, 3, domain=(-1, 1))), S(T()), S(T(0, 2))], np.argwhere, dtypes=("bool", "int8", "float32")),
    Row("nonzero", [S(T(2, 3, domain=(-1, 1))), S(T()), S(T(0, 2))], np.argwhere, dtypes=("bool", "int8", "float32")),
]
