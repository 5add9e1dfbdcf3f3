"""Rows of numtensor/ops/trigonometric.py."""

import numpy as np

from ..elementwise_samples import INF, MISMATCH, NAN, NOT_A_NUMBER, PAIRS, SHAPES, TWO_SHAPES, special, unary
from ..op_table import Bad, Row, S, T

MODERATE = [0.0, -0.0, 1.0, -1.0, 100.0, -1e4, 1e-30, INF, -INF, NAN]


ROWS = [
    # The sine of 1e30 depends on every digit of it
    unary("sin", np.sin, values=MODERATE),
    unary("cos", np.cos, values=MODERATE),
    unary("tan", np.tan, (-1.2, 1.2), values=MODERATE),
    unary("asin", np.arcsin, (-0.9, 0.9)),
    unary("acos", np.arccos, (-0.9, 0.9)),
    unary("atan", np.arctan),
    Row(
        "deg2rad",
        [*SHAPES, *special(), S(T(dtype="int64", values=[0, 90, -180]))],
        lambda x: np.deg2rad(np.asarray(x, float)),
        bad=[Bad(S("x"), TypeError, "input")],
    ),
    Row(
        "rad2deg",
        [*SHAPES, *special(), S(T(dtype="int64", values=[0, 1, -2]))],
        lambda x: np.rad2deg(np.asarray(x, float)),
        bad=[Bad(S("x"), TypeError, "input")],
    ),
    Row(
        "atan2",
        [*TWO_SHAPES, *PAIRS, S(T(3, dtype="int64"), T(3, dtype="int64", domain=(1, 3)))],
        lambda y, x: np.arctan2(np.asarray(y, float), x),
        domain=(0.2, 3.0),
        bad=[MISMATCH, NOT_A_NUMBER],
    ),
]
