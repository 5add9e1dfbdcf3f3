"""Rows of numtensor/ops/indexing.py. ``x[...]`` itself is tested in ``tests/test_indexing.py``."""

import numpy as np

from ..index_samples import put
from ..op_table import ALL, Row, S, T


def indexed(array, indices):
    return array[tuple([slice(None) if one is None else one for one in indices])]


ROWS = [
    Row(
        "ops.index",
        [
            S(T(4, 3), (np.array([0, 3, 0]),)),
            S(T(2, 4), (None, np.array([[1, 1], [3, 0]]))),
            S(T(2, 3, 4), (np.array([0, 1, 0]), np.array([2, 2, 2]))),
            S(T(2, 3, 4), (np.array([0, 0]), None, np.array([3, 3]))),
            S(T(2, 3, 4), (None, np.array([0, 0]))),
            S(T(3), (np.array([], np.int64),)),
        ],
        indexed,
        dtypes=ALL,
    ),
    Row(
        "ops.put",
        [
            S(T(4, 3), (np.array([0, 3]),), T(2, 3)),
            S(T(4, 3), (np.array([0, 0]),), T(3), True),
            S(T(2, 3, 4), (np.array([0, 0]), None, np.array([3, 3])), T(2, 3), True),
            S(T(2, 3, 4), (None, np.array([0, 0]), np.array([3, 3])), T(2, 1), True),
            S(T(2, 3, 4), (np.array([0, 1]), None, np.array([3, 3])), T(), False),
        ],
        put,
    ),
    Row(
        "ops.basic_index",
        [
            S(T(3, 4), 1),
            S(T(3, 4), slice(1, None)),
            S(T(3, 4), (slice(None, None, 2), 0, ...)),
            S(T(3), (None, -1, ...)),
            S(T(), (None, ...)),
        ],
        lambda array, index: array[index],
        dtypes=ALL,
    ),
]
