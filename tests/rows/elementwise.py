"""Rows of numtensor/ops/elementwise.py."""

import numpy as np
import scipy.special

from ..op_table import ALL, NUMERIC, Bad, Row, S, T

INF, NAN = float("inf"), float("nan")
SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 1e-30, -1e30, INF, -INF, NAN]

# Each value beside each other one, in both precisions.
PAIRS = [
    S(T(dtype=dtype, values=[[v] for v in SPECIAL]), T(dtype=dtype, values=SPECIAL)) for dtype in ("float32", "float64")
]
SHAPES = [S(T(3, 4)), S(T()), S(T(0, 3)), S(T(2, 1, 5))]
TWO_SHAPES = [
    S(T(3, 4), T(3, 4)),
    S(T(3, 4), T(4)),
    S(T(3, 1), T(1, 4)),
    S(T(), T()),
    S(T(2, 3), T()),
    S(T(0, 3), T(3)),
    S(T(5), 2),
    S(2, T(5)),
]
MISMATCH = Bad(S(T(3), T(4)), RuntimeError, "shapes")
NOT_A_NUMBER = Bad(S(T(3), "x"), TypeError, "other")
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
# NumPy is as free as PyTorch to choose either zero.
ONE_ZERO = [v for v in SPECIAL if str(v) != "-0.0"]
ONE_ZERO_PAIRS = [
    S(T(dtype=dtype, values=[[v] for v in ONE_ZERO]), T(dtype=dtype, values=ONE_ZERO))
    for dtype in ("float32", "float64")
]
FINITE = [0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 1e-30, -1e15]
MODERATE = [0.0, -0.0, 1.0, -1.0, 100.0, -1e4, 1e-30, INF, -INF, NAN]


def special(values=SPECIAL):
    """Return samples of special values in both precisions, for values only."""
    return [S(T(dtype=dtype, values=values)) for dtype in ("float32", "float64")]


def unary(name, reference, domain=(-3.0, 3.0), values=SPECIAL):
    """Return the row of a function that is differentiable on its domain, and that computes integers as floats."""

    def of_floats(x):
        return reference(np.asarray(x, float))

    integral = [S(T(dtype="int64", values=[0, 1, 2])), S(T(dtype="bool", values=[True, False]))]
    samples = [*SHAPES, *special(values), *integral]
    return Row(name, samples, of_floats, domain=domain, bad=[Bad(S("x"), TypeError, "input")])


def rounding(name, reference, *more, bad=()):
    """Return the row of a function that rounds to integers."""
    samples = [*SHAPES, *special([*SPECIAL, 0.5, 1.5, -0.5, -1.5]), *more]
    bad = [Bad(S("x"), TypeError, "input"), Bad(S(T(2, dtype="bool")), NotImplementedError, "bool"), *bad]
    return Row(name, samples, reference, dtypes=NUMERIC, bad=bad)


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


def power(x, exponent):
    """x**exponent; NumPy refuses every negative exponent of integers, PyTorch only numbers."""
    if np.asarray(x).dtype.kind in "iu" and np.asarray(exponent).dtype.kind in "iu" and np.any(np.less(exponent, 0)):
        return np.trunc(np.power(np.asarray(x, float), exponent)).astype(np.int64)
    return np.power(x, exponent)


def clamp(x, min=None, max=None):
    if min is not None:
        x = np.maximum(x, min)
    return x if max is None else np.minimum(x, max)


ROWS = [
    # Arithmetic
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
    Row("square", [*SHAPES, *special()], np.square, dtypes=NUMERIC),
    unary("reciprocal", np.reciprocal, (0.5, 3.0)),
    unary("sqrt", np.sqrt, (0.5, 3.0)),
    unary("rsqrt", lambda x: 1 / np.sqrt(x), (0.5, 3.0)),
    # Exponentials and logarithms
    unary("exp", np.exp),
    unary("exp2", np.exp2),
    unary("expm1", np.expm1),
    unary("log", np.log, (0.5, 3.0)),
    unary("log1p", np.log1p, (-0.5, 3.0)),
    unary("log2", np.log2, (0.5, 3.0)),
    unary("log10", np.log10, (0.5, 3.0)),
    # Trigonometric and hyperbolic functions; the sine of 1e30 depends on every digit of it
    unary("sin", np.sin, values=MODERATE),
    unary("cos", np.cos, values=MODERATE),
    unary("tan", np.tan, (-1.2, 1.2), values=MODERATE),
    unary("asin", np.arcsin, (-0.9, 0.9)),
    unary("acos", np.arccos, (-0.9, 0.9)),
    unary("atan", np.arctan),
    unary("sinh", np.sinh),
    unary("cosh", np.cosh),
    unary("tanh", np.tanh),
    unary("erf", scipy.special.erf),
    unary("erfc", scipy.special.erfc),
    # Rounding
    rounding("floor", np.floor),
    rounding("ceil", np.ceil),
    rounding("trunc", np.trunc),
    rounding(
        "round",
        lambda x, decimals=0: np.round(x, decimals),
        S(T(dtype="float64", values=[0.125, 2.5, -12.345]), decimals=2),
        S(T(dtype="float64", values=[125.0, -375.0, 1234.5]), decimals=-1),
        bad=[Bad(S(T(2, dtype="int64"), decimals=-1), NotImplementedError, "int64")],
    ),
    # Choice
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
]
