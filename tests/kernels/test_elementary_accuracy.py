"""Elementary functions against float64 (for float32) and mpmath (for float64), in units in the last place.

One row per function: where it is interesting, how large its error may be in float32 and float64. Every row is also
swept over all exponents, and its special values must be those of NumPy or SciPy, signs of zero included.
"""

import functools
from typing import Callable, NamedTuple

import mpmath
import numba
import numpy as np
import pytest
import scipy.special

from numtensor.kernels import compiler, elementary

DTYPES = ("float32", "float64")


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


ROWS = [
    Row("exp", -110, 90, 1.0, 1.0, np.exp, mpmath.exp),
    Row("exp2", -152, 129, 1.0, 1.0, np.exp2, lambda x: mpmath.power(2, x)),
    Row("expm1", -20, 90, 1.5, 1.5, np.expm1, mpmath.expm1),
    Row("sigmoid", -105, 20, 1.5, 1.5, scipy.special.expit, lambda x: 1 / (1 + mpmath.exp(-x))),
    Row("log", 0, 4, 1.0, 1.0, np.log, mpmath.log),
    Row("log2", 0, 4, 1.5, 1.5, np.log2, lambda x: mpmath.log(x, 2)),
    Row("log10", 0, 4, 1.5, 1.5, np.log10, mpmath.log10),
    Row("log1p", -1, 4, 1.5, 1.5, np.log1p, mpmath.log1p),
    Row("sin", -10, 10, 1.5, 1.0, np.sin, mpmath.sin),
    Row("cos", -10, 10, 1.5, 1.0, np.cos, mpmath.cos),
    Row("tan", -10, 10, 1.0, 1.5, np.tan, mpmath.tan),
    Row("asin", -1, 1, 1.5, 1.5, np.arcsin, mpmath.asin),
    Row("acos", -1, 1, 1.5, 1.5, np.arccos, mpmath.acos),
    Row("atan", -4, 4, 1.5, 1.5, np.arctan, mpmath.atan),
    Row("sinh", -90, 90, 1.5, 1.5, np.sinh, mpmath.sinh),
    Row("cosh", -90, 90, 1.5, 1.5, np.cosh, mpmath.cosh),
    Row("tanh", -10, 10, 1.5, 1.5, np.tanh, mpmath.tanh),
    Row("erf", -6, 6, 1.5, 1.5, scipy.special.erf, mpmath.erf),
    Row("erfc", -6, 11, 2.0, 2.0, scipy.special.erfc, lambda x: mpmath.erfc(max(min(x, 99), -99))),
    Row("sqrt", 0, 10, 0.5, 0.5, np.sqrt, mpmath.sqrt),
    Row("rsqrt", 0, 10, 1.5, 1.5, _rsqrt, lambda x: 1 / mpmath.sqrt(x)),
]
ROW_IDS = [row.name for row in ROWS]


@functools.cache
def compiled(name, dtype):
    """Return a function of arrays that applies the elementary function in a compiled loop."""
    function = compiler.jit(getattr(elementary, name), dtype)

    if name == "pow":

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
    """Return |got - expected| in units of the last place of `got`'s dtype at `expected`, a float64; equal non-finite values count 0."""
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
    x = sweep(row, np.float32, 50_000)
    with np.errstate(all="ignore"):
        expected = row.reference(x.astype(np.float64))
        errors = errors_in_ulp(compiled(row.name, "float32")(x), expected)
    assert errors.max() <= row.bound32, worst(errors, x)


def exact_errors(got, exact):
    """Errors in units of the last place of float64 results against mpmath numbers."""
    return np.array([_exact_error(float(value), number) for value, number in zip(got, exact, strict=True)])


def _exact_error(value, number):
    expected = float(number) if abs(number) < mpmath.mpf(2) ** 1024 * (1 - mpmath.mpf(2) ** -54) else np.inf
    if not np.isfinite(expected) or not np.isfinite(value):
        return 0.0 if value == (expected if number > 0 else -expected) else np.inf
    return float(abs(mpmath.mpf(value) - number) / mpmath.mpf(float(np.spacing(abs(expected)))))


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
def test_float64_against_mpmath(row):
    x = sweep(row, np.float64, 500)
    x = np.concatenate([x, WORST_REDUCTIONS]) if row.name in ("sin", "cos", "tan") else x
    with np.errstate(all="ignore"):
        x = x[np.isfinite(x) & np.isfinite(row.reference(x)) | (np.abs(x) < 2000) & (row.reference(x) == np.inf) & (x != 0)]
    with mpmath.workprec(160):
        exact = [row.exact(mpmath.mpf(float(value))) for value in x]
        errors = exact_errors(compiled(row.name, "float64")(x), exact)
    assert errors.max() <= row.bound64, worst(errors, x)


# Close to multiples of pi/2, where the reduction loses most (the last: Kahan's, within 2^-61), and huge.
WORST_REDUCTIONS = np.array(
    [np.pi, 2 * np.pi, 11 * np.pi, 1e6 * np.pi, 1e15 * np.pi, 1e22, 1.7e308, 2.0**1023, 6381956970095103 * 2.0**797]
)
