"""Elementary functions against float64 (for float32) and mpmath (for float64), in units in the last place.

One row per function: where it is interesting, how large its error may be in float32 and float64. Every row is also
swept over all exponents, and its special values must be those of NumPy or SciPy, signs of zero included.
"""

import functools
import platform
from collections.abc import Callable
from typing import NamedTuple

import llvmlite.binding
import mpmath
import numba
import numpy as np
import pytest
import scipy.special

from numtensor.kernels import compiler, elementary
from numtensor.kernels.elementary.trigonometric import REDUCTION_LIMIT

DTYPES = ("float32", "float64")
# The rows' bounds are for processors with fused multiply-add; without it log2 and log10 lose most of another ULP.
FUSED = platform.machine() in ("aarch64", "arm64") or llvmlite.binding.get_host_cpu_features().get("fma", False)
SLACK = 1.0 if FUSED else 1.9


class Row(NamedTuple):
    name: str
    low: float
    high: float
    bound32: float
    bound64: float
    reference: Callable
    exact: Callable


def _rsqrt(x):
    return 1 / np.sqrt(x)


def _sigmoid(x):
    """SciPy's expit is 0 where the result is a denormal."""
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, np.ones_like(x)) / (1 + e)


ROWS = [
    Row("exp", -110, 90, 1.05, 1.0, np.exp, mpmath.exp),
    Row("exp2", -152, 129, 1.0, 0.9, np.exp2, lambda x: mpmath.power(2, x)),
    Row("expm1", -20, 90, 1.5, 1.2, np.expm1, mpmath.expm1),
    Row("sigmoid", -105, 20, 2.3, 1.8, _sigmoid, lambda x: 1 / (1 + mpmath.exp(-x))),
    Row("log", 0, 4, 0.9, 0.8, np.log, mpmath.log),
    Row("log2", 0, 4, 1.1, 0.9, np.log2, lambda x: mpmath.log(x, 2)),
    Row("log10", 0, 4, 1.05, 0.9, np.log10, mpmath.log10),
    Row("log1p", -1, 4, 1.5, 1.2, np.log1p, mpmath.log1p),
    Row("sin", -10, 10, 1.55, 0.8, np.sin, mpmath.sin),
    Row("cos", -10, 10, 1.55, 0.8, np.cos, mpmath.cos),
    Row("tan", -10, 10, 2.05, 1.9, np.tan, mpmath.tan),
    Row("asin", -1, 1, 1.2, 1.2, np.arcsin, mpmath.asin),
    Row("acos", -1, 1, 1.2, 1.2, np.arccos, mpmath.acos),
    Row("atan", -4, 4, 1.3, 1.7, np.arctan, mpmath.atan),
    Row("sinh", -90, 90, 1.7, 1.4, np.sinh, mpmath.sinh),
    Row("cosh", -90, 90, 1.5, 1.4, np.cosh, mpmath.cosh),
    Row("tanh", -10, 10, 2.4, 1.4, np.tanh, mpmath.tanh),
    Row("asinh", -20, 20, 1.8, 1.9, np.arcsinh, mpmath.asinh),
    Row("acosh", 1, 20, 2.6, 2.8, np.arccosh, mpmath.acosh),
    Row("atanh", -1, 1, 2.2, 2.0, np.arctanh, mpmath.atanh),
    Row("erf", -6, 6, 1.9, 1.15, scipy.special.erf, mpmath.erf),
    Row("erfc", -6, 11, 3.6, 3.0, scipy.special.erfc, lambda x: mpmath.erfc(max(min(x, 99), -99))),
    Row("sqrt", 0, 10, 0.5, 0.5, np.sqrt, mpmath.sqrt),
    Row("rsqrt", 0, 10, 1.5, 1.5, _rsqrt, lambda x: 1 / mpmath.sqrt(x)),
]
ROW_IDS = [row.name for row in ROWS]


@functools.cache
def compiled(name, dtype):
    """Return a function of arrays that applies the elementary function in a compiled loop."""
    function = compiler.jit(getattr(elementary, name), dtype)

    if name in ("atan2", "pow"):

        @numba.njit(error_model="numpy")
        def loop(x, y, out):
            for i in range(out.shape[0]):
                out[i] = function(x[i], y[i])

    else:

        @numba.njit(error_model="numpy")
        def loop(x, out):
            for i in range(out.shape[0]):
                out[i] = function(x[i])

    def apply(*args):
        out = np.empty_like(args[0])
        loop(*args, out)
        return out

    return apply


def special_values(dtype):
    info = np.finfo(dtype)
    positive = [0, info.smallest_subnormal, info.tiny, info.eps, 0.5, 1, 2, 2.5, 3, info.max, np.inf]
    return np.array([*positive, *(-value for value in map(dtype, positive)), np.nan], dtype)


def sweep(row, dtype, size):
    """Values of every exponent, of the interesting interval, and around one and zero."""
    generator = np.random.default_rng(0)
    kind = np.dtype(dtype).type
    unsigned = {4: np.uint32, 8: np.uint64}[np.dtype(dtype).itemsize]
    bits = generator.integers(0, np.iinfo(unsigned).max, size, dtype=unsigned, endpoint=True)
    near_zero = 2.0 ** generator.uniform(-30, 2, size) * generator.choice([-1, 1], size)
    parts = [
        special_values(kind),
        bits.view(dtype),
        np.geomspace(np.finfo(dtype).smallest_subnormal, np.finfo(dtype).tiny, 50),
        np.linspace(row.low, row.high, size),
        near_zero,
        1 + near_zero / 4,
    ]
    return np.concatenate([part.astype(dtype) for part in parts])


def errors_in_ulp(got, expected):
    """Return |got - expected| (a float64) in units of the last place of `got`'s dtype; equal infinities count 0."""
    rounded = expected.astype(got.dtype)
    same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
    finite = np.isfinite(got) & np.isfinite(rounded)
    unit = np.spacing(np.abs(np.where(finite, rounded, 1)))
    errors = np.abs(np.where(finite, got, 0).astype(np.float64) - np.where(finite, expected, 0)) / unit
    return np.where(finite, errors, np.where(same, 0, np.inf))


def worst(errors, *args):
    at = int(np.argmax(errors))
    return f"{errors[at]:.3f} ULP at {', '.join(repr(arg[at]) for arg in args)}"


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
def test_float32_against_float64(row):
    x = sweep(row, np.float32, 150_000)
    with np.errstate(all="ignore"):
        expected = row.reference(x.astype(np.float64))
        errors = errors_in_ulp(compiled(row.name, "float32")(x), expected)
    assert errors.max() <= row.bound32 * SLACK, worst(errors, x)


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_float32_reduction_where_it_cancels(name):
    """Next to multiples of pi/2, on both sides of where the method of the reduction changes."""
    quarters = np.arange(1, 1.5 * REDUCTION_LIMIT)
    x = (quarters * (np.pi / 2)).astype(np.float32)
    x = np.concatenate([x, np.nextafter(x, np.float32(0)), np.nextafter(x, np.float32(np.inf))])
    (row,) = (row for row in ROWS if row.name == name)
    errors = errors_in_ulp(compiled(name, "float32")(x), row.reference(x.astype(np.float64)))
    assert errors.max() <= row.bound32 * SLACK, worst(errors, x)


def exact_errors(got, exact):
    """Errors in units of the last place of float64 results against mpmath numbers."""
    return np.array([_exact_error(float(value), number) for value, number in zip(got, exact, strict=True)])


def _exact_error(value, number):
    expected = float(number) if abs(number) < mpmath.mpf(2) ** 1024 * (1 - mpmath.mpf(2) ** -54) else np.inf
    if not np.isfinite(expected) or not np.isfinite(value):
        return 0.0 if value == (expected if number > 0 else -expected) else np.inf
    return float(abs(mpmath.mpf(value) - number) / mpmath.mpf(float(np.spacing(abs(expected)))))


# Close to multiples of pi/2, where the reduction loses most (the last: Kahan's, within 2^-61), and huge.
WORST_REDUCTIONS = np.array(
    [np.pi, 2 * np.pi, 11 * np.pi, 1e6 * np.pi, 1e15 * np.pi, 1e22, 1.7e308, 2.0**1023, 6381956970095103 * 2.0**797]
    + [quarters * (np.pi / 2) for quarters in range(1, 83_443, 593)]
)


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
def test_float64_against_mpmath(row):
    x = np.concatenate([sweep(row, np.float64, 1500), WORST_REDUCTIONS])
    with np.errstate(all="ignore"):
        x = x[np.isfinite(x) & np.isfinite(row.reference(x))]
    with mpmath.workprec(160):
        exact = [row.exact(mpmath.mpf(float(value))) for value in x]
        errors = exact_errors(compiled(row.name, "float64")(x), exact)
    assert errors.max() <= row.bound64 * SLACK, worst(errors, x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
def test_special_values(row, dtype):
    """Zeros (with their sign), infinities and NaN come out where NumPy and SciPy have them, and only there."""
    x = np.concatenate([special_values(np.dtype(dtype).type), THRESHOLDS.astype(dtype)])
    with np.errstate(all="ignore"):
        expected = row.reference(x)
    assert_same_special(compiled(row.name, dtype)(x), expected, x)


# On both sides of where some function overflows or underflows.
THRESHOLDS = np.array([-746, -745, -110, -104, -103, -89, -88, 10.1, 27.3, 88.8, 89, 128, 129, 709.7, 709.8, 711, 1024])


def assert_same_special(got, expected, *args):
    special = (expected == 0) | ~np.isfinite(expected) | (got == 0) | ~np.isfinite(got)
    same = (got == expected) & (np.signbit(got) == np.signbit(expected)) | np.isnan(got) & np.isnan(expected)
    wrong = special & ~same
    assert not wrong.any(), list(zip(*(arg[wrong] for arg in args), got[wrong], expected[wrong], strict=True))


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values_of_pow(dtype):
    """C99's table: every pair of special values, whole exponents, odd ones, and ones too large to be odd."""
    kind = np.dtype(dtype).type
    last_odd = 2.0 ** np.finfo(dtype).nmant
    whole = np.array([4, 5, -3, last_odd - 1, last_odd + 1, 2 * last_odd, 2 * last_odd + 2, 1e30], kind)
    values = np.concatenate([special_values(kind), whole, -whole])
    x, y = (grid.ravel() for grid in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        expected = np.power(x, y)
    assert_same_special(compiled("pow", dtype)(x, y), expected, x, y)


def pairs_of_pow(dtype, size):
    """Bases of all exponents, and near one, with exponents that spread the results over the whole range."""
    generator = np.random.default_rng(0)
    largest = np.log(np.finfo(dtype).max)
    x = np.exp(np.concatenate([generator.uniform(-largest, largest, size), generator.uniform(-0.7, 0.7, size)]))
    x = x.astype(dtype)
    y = (generator.uniform(-1.15 * largest, largest, 2 * size) / np.log(x.astype(np.float64))).astype(dtype)
    whole = generator.random(2 * size) < 0.2
    return np.where(whole, -x, x), np.where(whole, np.rint(y), y)


def test_pow_float32_against_float64():
    x, y = pairs_of_pow(np.float32, 100_000)
    with np.errstate(all="ignore"):
        expected = np.power(x.astype(np.float64), y.astype(np.float64))
        errors = errors_in_ulp(compiled("pow", "float32")(x, y), expected)
    assert errors.max() <= 2.1 * SLACK, worst(errors, x, y)


def test_pow_float64_against_mpmath():
    x, y = pairs_of_pow(np.float64, 1500)
    with mpmath.workprec(160):
        exact = [mpmath.power(mpmath.mpf(float(a)), mpmath.mpf(float(b))) for a, b in zip(x, y, strict=True)]
        errors = exact_errors(compiled("pow", "float64")(x, y), exact)
    assert errors.max() <= 1.2 * SLACK, worst(errors, x, y)


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values_of_atan2(dtype):
    """C99's table: every pair of special values."""
    y, x = (grid.ravel() for grid in np.meshgrid(*[special_values(np.dtype(dtype).type)] * 2))
    with np.errstate(all="ignore"):
        expected = np.arctan2(y, x)
    assert_same_special(compiled("atan2", dtype)(y, x), expected, y, x)


def test_atan2_float32_against_float64():
    generator = np.random.default_rng(0)
    y, x = ((2.0 ** generator.uniform(-20, 20, 100_000) * generator.choice([-1, 1], 100_000)) for _ in range(2))
    y, x = y.astype(np.float32), x.astype(np.float32)
    expected = np.arctan2(y.astype(np.float64), x.astype(np.float64))
    errors = errors_in_ulp(compiled("atan2", "float32")(y, x), expected)
    assert errors.max() <= 1.6 * SLACK, worst(errors, y, x)


def test_atan2_float64_against_mpmath():
    generator = np.random.default_rng(0)
    y, x = ((2.0 ** generator.uniform(-20, 20, 1500) * generator.choice([-1, 1], 1500)) for _ in range(2))
    with mpmath.workprec(160):
        exact = [mpmath.atan2(float(a), float(b)) for a, b in zip(y, x, strict=True)]
        errors = exact_errors(compiled("atan2", "float64")(y, x), exact)
    assert errors.max() <= 2.2 * SLACK, worst(errors, y, x)


def test_every_elementary_function_has_a_row():
    assert {*ROW_IDS, "atan2", "pow"} == set(elementary.__all__)


def test_exact_errors_sees_errors():
    with mpmath.workprec(160):
        exact = [mpmath.mpf(1), mpmath.mpf(2) ** 2000, mpmath.mpf(3)]
        errors = exact_errors(np.array([1 + 2.0**-51, np.inf, np.nan]), exact)
    assert errors.tolist() == [2, 0, np.inf]
    assert errors_in_ulp(np.float32([1, np.inf]), np.array([1 + 2.0**-22, 1])).tolist() == [2, np.inf]
