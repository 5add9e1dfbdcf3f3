"""Rows of numtensor/ops/power.py."""

import numpy as np

from ..elementwise_samples import MISMATCH, NOT_A_NUMBER, PAIRS, SHAPES, TWO_SHAPES, special, unary
from ..op_table import NUMERIC, Bad, Row, S, T


def power(x, exponent):
    """x**exponent; NumPy refuses every negative exponent of integers, PyTorch only numbers."""
    if np.asarray(x).dtype.kind in "iu" and np.asarray(exponent).dtype.kind in "iu" and np.any(np.less(exponent, 0)):
        return np.trunc(np.power(np.asarray(x, float), exponent)).astype(np.int64)
    return np.power(x, exponent)


ROWS = [
    Row(
        "pow",
        [
            *TWO_SHAPES,
            *(S(T(3, domain=(-2, 2)), n) for n in (0, 1, 2, 3, -1, -2)),
            S(T(4), 0.5),
            S(T(4), -1.5),
            S(2.0, T(4, domain=(-2, 2))),
            S(T(dtype="int64", values=[0, 1, -1, 2, -3]), 5),
            S(T(dtype="int64", values=[1, -1, 2, -3]), T(dtype="int64", values=[-1, -3, -2, -1])),
            S(T(dtype="int32", values=[3, 2]), 0.5),
            S(2, T(dtype="int64", values=[0, 1, 10])),
            *PAIRS,
        ],
        power,
        domain=(0.5, 3.0),
        bad=[
            MISMATCH,
            Bad(S(T(3), "x"), TypeError, "exponent"),
            Bad(S(T(dtype="int64", values=[2]), -1), RuntimeError, "negative integer powers"),
            Bad(S(T(dtype="uint8", values=[2]), -1), RuntimeError, "overflow"),
        ],
    ),
    Row("square", [*SHAPES, *special()], np.square, dtypes=NUMERIC),
    unary("reciprocal", np.reciprocal, (0.5, 3.0)),
    unary("sqrt", np.sqrt, (0.5, 3.0)),
    unary("rsqrt", lambda x: 1 / np.sqrt(x), (0.5, 3.0)),
    Row(
        "hypot",
        [*TWO_SHAPES, *PAIRS],
        np.hypot,
        domain=(0.2, 3.0),
        bad=[MISMATCH, NOT_A_NUMBER],
    ),
]
