"""Rows of numtensor/ops/arithmetic.py."""

import numpy as np

from ..elementwise_samples import MISMATCH, NOT_A_NUMBER, PAIRS, SHAPES, SPECIAL, TWO_SHAPES, special
from ..op_table import NUMERIC, Bad, Row, S, T

# Integer division by zero is an error, of floating numbers inf or nan.
DIVIDE_BY_ZERO = [
    Bad(S(T(2, dtype="int64", values=[1, 2]), 0), RuntimeError, "ZeroDivisionError"),
    Bad(S(T(dtype="int32", values=[1, 2]), T(dtype="int32", values=[0, 1])), RuntimeError, "ZeroDivisionError"),
]


INTEGER_DIVISIONS = [
    S(T(dtype="int64", values=[[7], [-7], [0]]), T(dtype="int64", values=[2, -2, 1, -1])),
    S(T(dtype="int8", values=[[127], [-127], [0]]), T(dtype="int8", values=[2, -2, 1, -1])),
    S(T(dtype="uint8", values=[[255], [1], [0]]), T(dtype="uint8", values=[2, 255])),
    S(T(0, dtype="int64"), 0),
]
FINITE = [0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 1e-30, -1e15]


def integral(reference, rounded):
    """Return a reference that uses `rounded` for integers: NumPy's rounding functions know floating numbers only."""

    def either(*args, **kwargs):
        return (rounded if all(np.asarray(a).dtype.kind in "iu" for a in args) else reference)(*args, **kwargs)

    return either


def truncated_quotient(x, y):
    quotient = np.abs(x) // np.abs(y)
    return np.where((x < 0) != (y < 0), -quotient, quotient)


def divide(x, y, rounding_mode=None):
    if rounding_mode is None:
        return np.divide(x, y)
    if rounding_mode == "floor":
        return np.floor_divide(x, y)
    return integral(lambda x, y: np.trunc(np.divide(x, y)), truncated_quotient)(x, y)


ROWS = [
    Row(
        "add",
        [
            *TWO_SHAPES,
            S(T(3), T(3), alpha=2),
            S(T(3), 2, alpha=3),
            S(T(dtype="bool", values=[True, True, False]), T(dtype="bool", values=[True, False, False])),
            S(T(dtype="bool", values=[True, False]), 2),
            *PAIRS,
        ],
        lambda x, y, alpha=1: np.add(x, y) if alpha == 1 else x + alpha * y,
        dtypes=NUMERIC,
        bad=[MISMATCH, NOT_A_NUMBER, Bad(S(T(dtype="int64", values=[1]), 1, alpha=1.5), RuntimeError, "alpha")],
    ),
    Row(
        "sub",
        [*TWO_SHAPES, S(T(3), T(3), alpha=2), S(T(3), 2, alpha=3), *PAIRS],
        lambda x, y, alpha=1: np.subtract(x, y) if alpha == 1 else x - alpha * y,
        dtypes=NUMERIC,
        bad=[
            MISMATCH,
            NOT_A_NUMBER,
            Bad(S(T(3, dtype="bool"), T(3, dtype="bool")), RuntimeError, "bool"),
            Bad(S(T(dtype="int64", values=[1]), 1, alpha=1.5), RuntimeError, "alpha"),
        ],
    ),
    Row(
        "mul",
        [*TWO_SHAPES, S(T(3, dtype="bool"), T(3, dtype="bool")), S(T(3, dtype="int64"), 0.5), *PAIRS],
        np.multiply,
        dtypes=NUMERIC,
        bad=[MISMATCH, NOT_A_NUMBER],
    ),
    Row(
        "div",
        [
            *TWO_SHAPES,
            S(T(3), T(3), rounding_mode="floor", grad=False),
            S(T(3), T(3), rounding_mode="trunc", grad=False),
            S(T(dtype="int64", values=[7, -7, 7, -7]), T(dtype="int64", values=[2, 2, -2, -2]), rounding_mode="floor"),
            S(T(dtype="int64", values=[7, -7, 7, -7]), T(dtype="int64", values=[2, 2, -2, -2]), rounding_mode="trunc"),
            S(T(3, dtype="int64"), 0),
            S(T(3, dtype="bool"), 2),
            *PAIRS,
        ],
        divide,
        domain=(0.5, 3.0),
        bad=[
            MISMATCH,
            NOT_A_NUMBER,
            Bad(S(T(3), 2, rounding_mode="up"), RuntimeError, "rounding_mode"),
            Bad(S(T(2, dtype="int64"), 0, rounding_mode="trunc"), RuntimeError, "ZeroDivisionError"),
            Bad(S(T(2, dtype="int64"), 0, rounding_mode="floor"), RuntimeError, "ZeroDivisionError"),
        ],
    ),
    Row(
        "floor_divide",
        [*TWO_SHAPES, *INTEGER_DIVISIONS, S(T(dtype="float64", values=FINITE), 0.7)],
        np.floor_divide,
        domain=(0.5, 3.0),
        dtypes=NUMERIC,
        bad=[MISMATCH, NOT_A_NUMBER, *DIVIDE_BY_ZERO, Bad(S(T(2, dtype="bool"), True), NotImplementedError, "bool")],
    ),
    Row(
        "ops.trunc_divide",
        [*TWO_SHAPES, *INTEGER_DIVISIONS, *PAIRS],
        integral(lambda x, y: np.trunc(np.divide(x, y)), truncated_quotient),
        domain=(0.5, 3.0),
        bad=[MISMATCH, NOT_A_NUMBER],
    ),
    Row(
        "remainder",
        [*TWO_SHAPES, *INTEGER_DIVISIONS, *PAIRS],
        np.remainder,
        domain=(0.5, 3.0),
        dtypes=NUMERIC,
        bad=[MISMATCH, NOT_A_NUMBER, *DIVIDE_BY_ZERO],
    ),
    Row(
        "fmod",
        [*TWO_SHAPES, *INTEGER_DIVISIONS, *PAIRS],
        np.fmod,
        domain=(0.5, 3.0),
        dtypes=NUMERIC,
        bad=[MISMATCH, NOT_A_NUMBER, *DIVIDE_BY_ZERO],
    ),
    Row(
        "neg",
        [*SHAPES, *special()],
        np.negative,
        dtypes=NUMERIC,
        bad=[Bad(S(T(3, dtype="bool")), RuntimeError, "bool")],
    ),
    Row(
        "positive",
        [*SHAPES, *special()],
        np.positive,
        dtypes=NUMERIC,
        bad=[Bad(S(T(3, dtype="bool")), RuntimeError, "bool")],
    ),
    Row(
        "abs",
        [*SHAPES, *special()],
        np.abs,
        dtypes=NUMERIC,
        bad=[Bad(S(T(3, dtype="bool")), NotImplementedError, "bool")],
    ),
    Row(
        "sign",
        [*SHAPES, S(T(dtype="bool", values=[True, False])), *special([v for v in SPECIAL if v == v])],
        lambda x: x if x.dtype.kind == "b" else np.sign(x),
        dtypes=NUMERIC,
    ),
    Row(
        "lerp",
        [
            S(T(3, 4), T(3, 4), T(3, 4)),
            S(T(3, 4), T(4), T(3, 1)),
            S(T(), T(), T()),
            S(T(0, 3), T(3), T(0, 3)),
            S(T(3), T(3), 0.3),
            S(T(3), T(3), 0.8),
            S(T(4), 2.0, T(4)),
            S(
                T(values=[1e8, -3.0], grad=False),
                T(values=[1.0, 0.1], grad=False),
                T(2, 1, values=[[0.0], [1.0]], grad=False),
            ),
        ],
        lambda x, y, weight: np.where(np.asarray(weight) == 1, y, x + weight * (y - x)),
        bad=[
            Bad(S(T(3), T(4), 0.5), RuntimeError, "shapes"),
            Bad(S(T(3), T(3), "x"), TypeError, "weight"),
            Bad(S(T(3, dtype="int64"), T(3, dtype="int64"), 1), NotImplementedError, "int64"),
        ],
    ),
    Row(
        "addcmul",
        [
            S(T(3, 4), T(3, 4), T(3, 4)),
            S(T(3, 4), T(4), T(3, 1)),
            S(T(), T(), T()),
            S(T(0, 3), T(3), T(0, 3)),
            S(T(3), T(3), T(3), 0.5),
            S(T(3), T(3), T(3), value=-2),
        ],
        lambda x, y, z, value=1: x + value * y * z,
        bad=[
            Bad(S(T(3), T(4), T(3)), RuntimeError, "shapes"),
            Bad(S(T(3), T(3), "x"), TypeError, "tensor2"),
            Bad(S(T(3), T(3), T(3), "x"), TypeError, "value"),
        ],
    ),
    Row(
        "addcdiv",
        [
            S(T(3, 4), T(3, 4), T(3, 4)),
            S(T(3, 4), T(4), T(3, 1)),
            S(T(), T(), T()),
            S(T(0, 3), T(3), T(0, 3)),
            S(T(3), T(3), T(3), 0.5),
            S(T(3), T(3), T(3), value=-2),
        ],
        lambda x, y, z, value=1: x + value * y / z,
        domain=(0.5, 3.0),
        bad=[
            Bad(S(T(3), T(4), T(3)), RuntimeError, "shapes"),
            Bad(S(T(3), T(3), "x"), TypeError, "tensor2"),
        ],
    ),
]
