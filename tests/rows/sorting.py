"""Rows of numtensor/ops/sorting.py."""

import math

import numpy as np

from ..op_table import ALL, NUMERIC, Bad, Row, S, T

NAN = [[1.0, math.nan, 3.0, math.nan, -math.inf], [math.nan, 2.0, math.inf, -1.0, 2.0]]


def _order(x, dim, descending):
    """Sort positions one by one, by value and then by position; NaN is the largest."""

    def along(row):
        def key(i):
            return (1, 0, i) if row[i] != row[i] else (0, row[i], i)

        def falling(i):
            return (0, 0, i) if row[i] != row[i] else (1, -row[i], i)

        return np.array(sorted(range(len(row)), key=falling if descending else key), np.int64)

    return np.apply_along_axis(along, dim, x.astype(np.float64)) if x.size else np.zeros(x.shape, np.int64)


def _sort(x, dim=-1, descending=False, stable=False):
    if x.ndim == 0:
        return x, np.zeros((), np.int64)
    order = _order(x, dim, descending)
    return np.take_along_axis(x, order, dim), order


def _topk(x, k, dim=-1, largest=True, sorted=True):
    if x.ndim == 0:
        return x, np.zeros((), np.int64)
    order = _order(x, dim, largest).take(range(k), axis=dim)
    return np.take_along_axis(x, order, dim), order


SAMPLES = [
    S(T(6)),
    S(T(3, 4)),
    S(T()),
    S(T(3, 4), 0),
    S(T(2, 3, 4), 1),
    S(T(2, 3, 4), -2, True),
    S(T(5), descending=True),
    S(T(5), 0, True, True),
    S(T(0)),
    S(T(0, 3), 1),
    S(T(2, 5, values=NAN, dtype="float64", grad=False), 1),
    S(T(2, 5, values=NAN, dtype="float64", grad=False), 1, True),
    S(T(300), grad=False),
]

ROWS = [
    Row("sort", SAMPLES, _sort, dtypes=ALL, gradgrad=False, bad=[Bad(S(T(3, 4), 2), IndexError, "range")]),
    Row(
        "argsort",
        SAMPLES,
        lambda *args, **kwargs: _sort(*args, **kwargs)[1],
        dtypes=ALL,
        grad=False,
        bad=[Bad(S(T(3, 4), 2), IndexError, "range")],
    ),
    Row(
        "topk",
        [
            S(T(6), 3),
            S(T(3, 4), 2, 0),
            S(T(2, 3, 4), 2, 1, False),
            S(T(3, 4), 0),
            S(T(3, 4), 4),
            S(T(), 1),
            S(T(2, 5, values=NAN, dtype="float64", grad=False), 3),
            S(T(2, 5, values=NAN, dtype="float64", grad=False), 3, 1, False),
            # Long enough to be partitioned; distinct, because which of equal elements are chosen is not specified.
            S(T(300, values=[float(k * 7 % 300) for k in range(300)], dtype="float64"), 5),
            S(T(300, values=[float(k * 7 % 300) for k in range(300)], dtype="float64"), 5, 0, False),
        ],
        _topk,
        dtypes=NUMERIC,
        gradgrad=False,
        bad=[
            Bad(S(T(3), 4), RuntimeError, "out of range"),
            Bad(S(T(3), -1), RuntimeError, "out of range"),
            Bad(S(T(3), 1.5), TypeError, "int"),
            Bad(S(T(3, dtype="bool"), 1), RuntimeError, "bool"),
            Bad(S(T(3), 1, 1), IndexError, "range"),
        ],
    ),
]
