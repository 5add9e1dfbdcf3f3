"""Rows of numtensor/ops/search.py."""

import numpy as np

from ..op_table import ALL, NUMERIC, Bad, Row, S, T

SORTED = T(5, values=[1, 3, 3, 5, 9])
WANTED = T(2, 3, values=[[0, 1, 3], [4, 9, 10]])


def _searchsorted(sequence, values, out_int32=False, right=False, side=None, sorter=None):
    """Count the elements below each value, or not above it."""
    if sorter is not None:
        sequence = np.take_along_axis(sequence, sorter, -1)
    if sequence.ndim > 1:
        values = values[..., None]
        sequence = sequence[..., None, :]
    else:
        values = np.asarray(values)[..., None]
    before = sequence <= values if right or side == "right" else sequence < values
    return before.sum(-1).astype(np.int32 if out_int32 else np.int64)


def _unique(x, sorted=True, return_inverse=False, return_counts=False, dim=None):
    found = np.unique(x, return_inverse=return_inverse, return_counts=return_counts, axis=dim, equal_nan=False)
    if not isinstance(found, tuple):
        return found
    inverse = (found[1].reshape(x.shape if dim is None else -1),) if return_inverse else ()
    return (found[0], *inverse, *found[1 + return_inverse :])


def _runs(x, return_inverse=False, return_counts=False, dim=None):
    """Walk through the slices one by one."""
    parts = list(x.reshape(-1) if dim is None else np.moveaxis(x, dim, 0))
    values, run, counts = [], [], []
    for part in parts:
        if not values or (part != values[-1]).any():
            values.append(part)
            counts.append(0)
        counts[-1] += 1
        run.append(len(values) - 1)
    if dim is None:
        values, run = np.array(values, x.dtype), np.array(run, np.int64).reshape(x.shape)
    else:
        values, run = np.moveaxis(np.array(values, x.dtype), 0, dim), np.array(run, np.int64)
    counts = np.array(counts, np.int64)
    if not (return_inverse or return_counts):
        return values
    return (values, *([run] if return_inverse else []), *([counts] if return_counts else []))


def _bincount(x, weights=None, minlength=0):
    found = np.zeros(max([minlength, *(int(n) + 1 for n in x)]), np.int64 if weights is None else np.float64)
    for position, number in enumerate(x):
        found[number] += 1 if weights is None else weights[position]
    return found


FEW = {"domain": (0, 2)}
TABLE = T(3, 4, values=[[1, 2, 1, 2], [0, 0, 0, 0], [1, 2, 1, 2]])
RUNS = T(2, 4, values=[[1, 1, 2, 2], [2, 1, 1, 3]])

ROWS = [
    Row(
        "searchsorted",
        [
            S(SORTED, WANTED),
            S(SORTED, WANTED, right=True),
            S(SORTED, WANTED, side="right"),
            S(SORTED, WANTED, side="left", out_int32=True),
            S(SORTED, 3),
            S(SORTED, T(3, dtype="float64")),
            S(SORTED, T(values=4)),
            S(T(0), T(2)),
            S(SORTED, T(0)),
            S(T(2, 3, values=[[1, 2, 3], [4, 5, 6]]), T(2, 4, values=[[0, 2, 3, 9], [0, 4, 5, 9]])),
            S(T(3, values=[9, 1, 5]), T(2, values=[2, 6]), sorter=T(3, dtype="int64", values=[1, 2, 0])),
        ],
        _searchsorted,
        dtypes=NUMERIC,
        grad=False,
        bad=[
            Bad(S(T(2, 3), T(3)), RuntimeError, "shapes"),
            Bad(S(T(), T(3)), RuntimeError, "0-d"),
            Bad(S(SORTED, WANTED, side="middle"), RuntimeError, "side"),
            Bad(S(SORTED, WANTED, side="left", right=True), RuntimeError, "opposites"),
            Bad(S(SORTED, WANTED, sorter=T(2, dtype="int64")), RuntimeError, "sorter"),
            Bad(S(T(1), T(1), sorter=T(dtype="int64", values=[7])), RuntimeError, "out of range"),
            Bad(S(SORTED, "x"), TypeError, "input"),
        ],
    ),
    Row(
        "bucketize",
        [S(WANTED, SORTED), S(WANTED, SORTED, right=True), S(T(values=4), SORTED, out_int32=True), S(T(0), SORTED)],
        lambda x, edges, **options: _searchsorted(edges, x, **options),
        dtypes=NUMERIC,
        grad=False,
        bad=[
            Bad(S(T(3), T(2, 2)), RuntimeError, "1 dimension"),
        ],
    ),
    Row(
        "isin",
        [
            S(T(3, 4), T(2, 2)),
            S(T(5), 1),
            S(T(), T(3)),
            S(T(0), T(3)),
            S(T(3), T(0)),
            S(T(6), T(3), invert=True),
            S(T(3, values=[1, 2, 3]), T(2, values=[3, 4]), assume_unique=True),
        ],
        lambda x, others, assume_unique=False, invert=False: np.isin(x, others, invert=invert),
        dtypes=NUMERIC,
        domain=(0, 3),
        grad=False,
        bad=[Bad(S(T(3), "x"), TypeError, "input")],
    ),
    Row(
        "unique",
        [
            S(T(7, **FEW)),
            S(T(2, 3, **FEW)),
            S(T()),
            S(T(0)),
            S(T(2, 3, **FEW), True, True),
            S(T(2, 3, **FEW), return_counts=True),
            S(T(2, 3, **FEW), return_inverse=True, return_counts=True),
            S(TABLE, dim=0),
            S(TABLE, dim=1, return_inverse=True, return_counts=True),
            S(T(dtype="float32", values=[float("nan"), 1.0, float("nan"), 0.0])),
        ],
        _unique,
        dtypes=ALL,
        grad=False,
        bad=[Bad(S(T(3), dim=1), IndexError, "range"), Bad(S(T(0, 3), dim=1), RuntimeError, "no elements")],
    ),
    Row("_search.unique_all", [S(T(2, 3, **FEW), None)], lambda x, dim: _unique(x, True, True, True, dim), grad=False),
    Row(
        "unique_consecutive",
        [
            S(T(7, **FEW)),
            S(T()),
            S(T(0)),
            S(RUNS),
            S(RUNS, True),
            S(RUNS, False, True),
            S(RUNS, True, True),
            S(RUNS, True, True, 1),
            S(T(3, 2, values=[[1, 2], [1, 2], [0, 1]]), True, True, 0),
        ],
        _runs,
        dtypes=ALL,
        grad=False,
        bad=[Bad(S(T(3), dim=1), IndexError, "range"), Bad(S(T(0, 3), dim=1), RuntimeError, "no elements")],
    ),
    Row("_search.consecutive_all", [S(RUNS, None)], lambda x, dim: _runs(x, True, True, dim), grad=False),
    Row(
        "bincount",
        [
            S(T(6, domain=(0, 4))),
            S(T(0)),
            S(T(3, domain=(0, 4)), minlength=7),
            S(T(3, domain=(0, 4)), T(3, dtype="float64")),
            S(T(3, domain=(0, 4)), T(3, dtype="float32"), 6),
            S(T(3, domain=(0, 4)), T(3, dtype="int64")),
        ],
        _bincount,
        dtypes=("uint8", "int32", "int64"),
        result_dtype=lambda dtype: None,
        grad=False,
        bad=[
            Bad(S(T(2, 2)), RuntimeError, "1-d"),
            Bad(S(T(dtype="int64", values=[1, -1])), RuntimeError, "non-negative"),
            Bad(S(T(dtype="float32", values=[1.0])), NotImplementedError, "float32"),
            Bad(S(T(2, dtype="uint8"), T(3)), RuntimeError, "shape"),
            Bad(S(T(2, dtype="uint8"), None, -1), RuntimeError, "minlength"),
        ],
    ),
]
