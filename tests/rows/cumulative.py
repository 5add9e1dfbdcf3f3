"""Rows of numtensor/ops/cumulative.py."""

import numpy as np

import numtensor as nt

from ..op_table import ALL, NUMERIC, Bad, Row, S, T
from ..reduction_samples import NO_INT, OUT_OF_RANGE


def _running(function):
    def reference(x, dim, dtype=None):
        wide = x.astype(dtype) if dtype is not None else x if x.dtype.kind == "f" else x.astype(np.int64)
        return function(wide, axis=dim, dtype=wide.dtype)

    return reference


def _differences(x, n=1, dim=-1, prepend=None, append=None):
    x = np.concatenate([part for part in (prepend, x, append) if part is not None], dim)
    return np.diff(x, min(n, x.shape[dim]), dim)


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
    Row(
        "diff",
        [
            S(T(5)),
            S(T(3, 4)),
            S(T(3, 4), 1, 0),
            S(T(2, 5), 2),
            S(T(2, 3, 4), n=1, dim=1),
            S(T(3), 0),
            S(T(3), 5),
            S(T(3, 4), 1, -1, T(3, 1), T(3, 2)),
            S(T(4), append=T(1)),
            S(T(0)),
            S(T(4, dtype="bool")),
            S(T(3, 4, dtype="bool"), 2, 0),
        ],
        _differences,
        dtypes=NUMERIC,
        bad=[
            Bad(S(T()), RuntimeError, "one-dimensional"),
            Bad(S(T(3), -1), RuntimeError, "non-negative"),
            Bad(S(T(3), 1, 0, T()), RuntimeError, "dimensions"),
            Bad(S(T(3), 1, 1), IndexError, "range"),
            Bad(S("x"), TypeError, "input"),
        ],
    ),
]
