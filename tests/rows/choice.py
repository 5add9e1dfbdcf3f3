"""Rows of numtensor/ops/choice.py."""

import numpy as np

from ..elementwise_samples import INF, MISMATCH, NAN, NOT_A_NUMBER, SPECIAL, TWO_SHAPES, special
from ..op_table import ALL, NUMERIC, Bad, Row, S, T

# NumPy is as free as PyTorch to choose either zero.
ONE_ZERO = [v for v in SPECIAL if str(v) != "-0.0"]
ONE_ZERO_PAIRS = [
    S(T(dtype=dtype, values=[[v] for v in ONE_ZERO]), T(dtype=dtype, values=ONE_ZERO))
    for dtype in ("float32", "float64")
]


def clamp(x, min=None, max=None):
    if min is not None:
        x = np.maximum(x, min)
    return x if max is None else np.minimum(x, max)


def nan_to_num(x, nan=None, posinf=None, neginf=None):
    if x.dtype.kind != "f":
        return x
    # The limits are those of float64, so what has infinities in the samples is float64 or has other limits.
    return np.nan_to_num(x, nan=0.0 if nan is None else nan, posinf=posinf, neginf=neginf)


ROWS = [
    Row(
        "maximum",
        [*TWO_SHAPES, S(T(3, dtype="bool"), T(3, dtype="bool")), *ONE_ZERO_PAIRS],
        np.maximum,
        dtypes=NUMERIC,
        bad=[MISMATCH, NOT_A_NUMBER],
    ),
    Row(
        "minimum",
        [*TWO_SHAPES, S(T(3, dtype="bool"), T(3, dtype="bool")), *ONE_ZERO_PAIRS],
        np.minimum,
        dtypes=NUMERIC,
        bad=[MISMATCH, NOT_A_NUMBER],
    ),
    Row(
        "clamp",
        [
            S(T(3, 4), 0, 1),
            S(T(3, 4), 1, None),
            S(T(3, 4), max=1),
            S(T(3, 4), 2, 1),
            S(T(3, 4), T(4), T(3, 1)),
            S(T(), 0, 1),
            S(T(0, 3), 0, 1),
            *(S(one.args[0], -1.5, 2.0) for one in special()),
            *(S(one.args[0], 0.5, NAN) for one in special()),
            S(T(3, dtype="int64"), 0.5, 1.5),
        ],
        clamp,
        dtypes=NUMERIC,
        bad=[
            Bad(S(T(3)), RuntimeError, "None"),
            Bad(S(T(3), T(4), T(3)), RuntimeError, "shapes"),
            Bad(S(T(3), "x", 1), TypeError, "min"),
        ],
    ),
    Row(
        "ops.clamp_both",
        [S(T(3, 4), 0, 1), S(T(3, 4), T(4), T(3, 1)), S(T(), 0, 1), S(T(0, 3), 0, 1), S(T(5), T(5), 1)],
        clamp,
        dtypes=NUMERIC,
        bad=[Bad(S(T(3), T(4), T(3)), RuntimeError, "shapes")],
    ),
    Row(
        "clamp_min",
        [*TWO_SHAPES, *ONE_ZERO_PAIRS],
        np.maximum,
        dtypes=NUMERIC,
        bad=[MISMATCH, Bad(S(T(3), "x"), TypeError, "min")],
    ),
    Row(
        "clamp_max",
        [*TWO_SHAPES, *ONE_ZERO_PAIRS],
        np.minimum,
        dtypes=NUMERIC,
        bad=[MISMATCH, Bad(S(T(3), "x"), TypeError, "max")],
    ),
    Row(
        "where",
        [
            S(T(3, 4, dtype="bool"), T(3, 4), T(3, 4)),
            S(T(3, 1, dtype="bool"), T(1, 4), T(2, 1, 4)),
            S(T(4, dtype="bool"), T(4), 2),
            S(T(4, dtype="bool"), 2, T(4)),
            S(T(3, dtype="bool"), 1, 2),
            S(T(dtype="bool"), T(), T()),
            S(T(0, 3, dtype="bool"), T(3), T(0, 3)),
            S(T(4, 3, dtype="bool"), T(4, 1), T()),
        ],
        np.where,
        dtypes=ALL,
        bad=[
            Bad(S(T(3, dtype="int64"), T(3), T(3)), RuntimeError, "boolean"),
            Bad(S(T(3, dtype="bool"), T(4), T(3)), RuntimeError, "shapes"),
            Bad(S(T(3, dtype="bool"), "x", T(3)), TypeError, "input"),
        ],
    ),
    Row(
        "Tensor.where",
        [S(T(3, 4), T(3, 4, dtype="bool"), T(4)), S(T(4), T(4, dtype="bool"), 2)],
        lambda x, condition, y: np.where(condition, x, y),
        dtypes=NUMERIC,
        bad=[Bad(S(T(3), T(3, dtype="int64"), 1), RuntimeError, "boolean")],
    ),
    Row(
        "ops.replace_nonfinite",
        [S(one.args[0], 1.0, 2.0, -2.0) for one in (*special(), S(T(3, 4)), S(T()), S(T(0)))],
        lambda x, nan, posinf, neginf: np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf),
        bad=[Bad(S(T(3), "x", 0, 0), TypeError, "nan")],
    ),
    Row(
        "nan_to_num",
        [
            S(T(3, 4)),
            S(T()),
            S(T(0)),
            S(special()[1].args[0]),
            *(S(one.args[0], 1.5, 2.5, -2.5) for one in special()),
            S(T(3, 4, dtype="float64", values=[NAN, INF, -INF, 1.0]), posinf=7.0),
            S(T(3, dtype="int64")),
        ],
        nan_to_num,
        bad=[Bad(S("x"), TypeError, "input")],
    ),
]
