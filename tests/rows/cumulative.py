"""Rows of numtensor/ops/cumulative.py."""

import numpy as np

import numtensor as nt

from ..op_table import ALL, Row, S, T
from ..reduction_samples import NO_INT, OUT_OF_RANGE


def _running(function):
    def reference(x, dim, dtype=None):
        wide = x.astype(dtype) if dtype is not None else x if x.dtype.kind == "f" else x.astype(np.int64)
        return function(wide, axis=dim, dtype=wide.dtype)

    return reference


ROWS = [
    Row(
        "cumsum",
        [
            S(T(5), 0),
            S(T(3, 4), 0),
            S(T(3, 4), -1),
            S(T(2, 3, 4), 1),
            S(T(0, 3), 0),
            S(T(3, 700), 0, grad=False),
            S(T(4), 0, nt.float64),
        ],
        _running(np.cumsum),
        dtypes=ALL,
        bad=[*OUT_OF_RANGE, *NO_INT],
    ),
    Row(
        "cumprod",
        [
            S(T(5), 0),
            S(T(3, 4), 0),
            S(T(3, 4), -1),
            S(T(2, 3, 4), 1),
            S(T(0, 3), 0),
            S(T(4, values=[2.0, 0.0, 3.0, 4.0]), 0),
            S(T(4, values=[2.0, 0.0, 3.0, 0.0]), 0),
            S(T(2, 3, values=[[2.0, 0.0, 3.0], [0.0, 0.0, 1.0]]), 0),
            S(T(4), 0, nt.float64),
        ],
        _running(np.cumprod),
        dtypes=ALL,
        bad=[*OUT_OF_RANGE, *NO_INT],
    ),
]
