"""Hyperbolic functions: sinh, cosh, tanh. Built on the exponential far from zero and on polynomials near it.

Coefficients are minimax fits of this project (Remez exchange in 50 digits, then rounded).
"""

import numpy as np

from ..intrinsics import copysign, fabs
from ..scalar import elementary
from .exponential import half_exp, small_expm1_32

_ONE_32, _TWO_32 = np.float32(1), np.float32(2)
_ONE_64, _HALF_64 = np.float64(1), np.float64(0.5)

_TANH_LIMIT_64 = np.float64(0.55)
_TANH_ONE_32, _TANH_ONE_64 = np.float32(10), np.float64(22)
# (tanh(x) - x) / x^3 in x^2 for |x| <= 0.56: error 2^-56.6 of tanh(x).
_TANH_64 = (
    -0.33333333333333287, 0.13333333333324252, -0.053968253962354946, 0.021869488344821136, -0.008863231917001843,
    0.0035920850038507323, -0.0014554969291467683, 0.0005882530196971044, -0.0002328884192560022,
    8.260175430938917e-05, -1.9049032038399735e-05,
)  # fmt: skip


def _tanh_f32(x):
    """tanh(x) = e / (e + 2) with e = exp(2 |x|) - 1: one polynomial for all x. NaN propagates, -0 stays -0.

    A unit in the last place less accurate than the float64 version's two, and a quarter faster.
    """
    z = fabs(x)
    e = small_expm1_32((_TANH_ONE_32 if z > _TANH_ONE_32 else z) * _TWO_32)
    return copysign(e / (e + _TWO_32), x)


def _tanh_f64(x):
    """tanh(x): an odd polynomial to 0.55, 1 - 1 / (exp(2 |x|) / 2 + 1/2) above. NaN propagates, -0 stays -0."""
    z = fabs(x)
    z = _TANH_ONE_64 if z > _TANH_ONE_64 else z
    far = _ONE_64 - _ONE_64 / (half_exp(z + z) + _HALF_64)
    square = z * z
    c = _TANH_64
    p = c[6] + square * (c[7] + square * (c[8] + square * (c[9] + square * c[10])))
    p = c[0] + square * (c[1] + square * (c[2] + square * (c[3] + square * (c[4] + square * (c[5] + square * p)))))
    near = z + z * (square * p)
    return copysign(near if z < _TANH_LIMIT_64 else far, x)


tanh = elementary("tanh", float32=_tanh_f32, float64=_tanh_f64)

# (sinh(x) - x) / x^3 in x^2 for |x| <= 1: error 2^-25.2 of sinh(x).
_SINH_32 = tuple(map(np.float32, (0.16666667, 0.008333311, 0.00019842635, 2.7839258e-06)))
# 2^-56.
_SINH_64 = (
    0.16666666666666669, 0.008333333333333139, 0.0001984126984143768, 2.7557319155337e-06, 2.505212339855279e-08,
    1.6057240340884456e-10, 7.759312217547371e-13,
)  # fmt: skip
# Beyond these sinh and cosh overflow; half_exp wants no larger argument.
_TOP_32, _TOP_64 = np.float32(89.5), np.float64(710.5)
_QUARTER_32, _QUARTER_64 = np.float32(0.25), np.float64(0.25)


def _sinh_f32(x):
    """sinh(x). See the float64 version."""
    z = fabs(x)
    z = _TOP_32 if z > _TOP_32 else z
    half = half_exp(z)
    far = half - _QUARTER_32 / half
    square = z * z
    c = _SINH_32
    near = z + z * (square * (c[0] + square * (c[1] + square * (c[2] + square * c[3]))))
    return copysign(near if z < _ONE_32 else far, x)


def _sinh_f64(x):
    """sinh(x): an odd polynomial to 1, h - 1 / (4 h) with h = exp(|x|) / 2 above. NaN propagates, -0 stays -0."""
    z = fabs(x)
    z = _TOP_64 if z > _TOP_64 else z
    half = half_exp(z)
    far = half - _QUARTER_64 / half
    square = z * z
    c = _SINH_64
    p = c[3] + square * (c[4] + square * (c[5] + square * c[6]))
    near = z + z * (square * (c[0] + square * (c[1] + square * (c[2] + square * p))))
    return copysign(near if z < _ONE_64 else far, x)


sinh = elementary("sinh", float32=_sinh_f32, float64=_sinh_f64)


def _cosh_f32(x):
    """cosh(x). See the float64 version."""
    z = fabs(x)
    half = half_exp(_TOP_32 if z > _TOP_32 else z)
    return half + _QUARTER_32 / half


def _cosh_f64(x):
    """cosh(x) = h + 1 / (4 h) with h = exp(|x|) / 2. NaN propagates."""
    z = fabs(x)
    half = half_exp(_TOP_64 if z > _TOP_64 else z)
    return half + _QUARTER_64 / half


cosh = elementary("cosh", float32=_cosh_f32, float64=_cosh_f64)
