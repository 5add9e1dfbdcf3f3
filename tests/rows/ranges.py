"""Rows of numtensor/ops/ranges.py."""

import numpy as np

from numtensor import dtypes

from ..op_table import Bad, Row, S


def arange(start, end=None, step=1, dtype=None):
    if end is None:
        start, end = 0, start
    count = max(0, int(np.ceil((end - start) / step)))
    integral = all(isinstance(v, int) for v in (start, end, step))
    return np.array([start + i * step for i in range(count)], dtype or (np.int64 if integral else np.float32))


def linspace(start, end, steps, dtype=np.float32):
    return np.array([start + (end - start) * i / max(steps - 1, 1) for i in range(steps)], np.float64).astype(dtype)


def logspace(start, end, steps, base=10.0, dtype=np.float32):
    return (base ** linspace(start, end, steps, np.float64)).astype(dtype)


ROWS = [
    Row(
        "arange",
        [
            S(5),
            S(0),
            S(1, 8, 3),
            S(5, 0, -2),
            S(2.5),
            S(0, 1, 0.125),
            S(1, 4, dtype=dtypes.float64),
            S(1, 4, dtype=dtypes.int32),
            S(end=4, start=1),
        ],
        arange,
        dtypes=("float32",),
        bad=[
            Bad(S(0, 5, 0), RuntimeError, "step must be nonzero"),
            Bad(S(0, 5, -1), RuntimeError, "inconsistent with step sign"),
            Bad(S(float("inf")), RuntimeError, "unsupported range"),
            Bad(S("x"), TypeError, "number"),
            Bad(S(2, dtype=dtypes.bool_), RuntimeError, "bool"),
        ],
    ),
    Row(
        "linspace",
        [S(0, 1, 5), S(-1.5, 3, 7), S(2, 3, 1), S(2, 3, 0), S(3, -2, 6, dtype=dtypes.float64)],
        linspace,
        dtypes=("float32",),
        bad=[Bad(S(0, 1, -1), RuntimeError, "non-negative"), Bad(S(0, 1, 2.5), TypeError, "steps")],
    ),
    Row(
        "logspace",
        [S(0, 2, 3), S(-1.5, 1, 4), S(0, 10, 11, 2), S(2, 3, 1), S(0, 1, 0), S(0, 3, 4, dtype=dtypes.float64)],
        logspace,
        dtypes=("float32",),
        bad=[Bad(S(0, 1, -1), RuntimeError, "non-negative")],
    ),
]
