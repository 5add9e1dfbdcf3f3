"""Exponentials: exp, exp2, expm1 and the logistic function sigmoid. Hyperbolic functions have their own file.

All reduce x = n ln 2 + r with |r| <= ln(2)/2 and take n from the low bits of ``x / ln 2 + magic``, where the magic
number 1.5 * 2^23 (2^52 in float64) pushes the integer there: no conversion to an integer, which would be undefined
for NaN. Coefficients are minimax fits of this project (Remez exchange in 50 digits, then rounded); ln 2 in two parts
is Cody and Waite's. "Measured" errors are the largest seen by ``tests/kernels/test_elementary_accuracy.py`` and
denser sweeps.
"""

import numpy as np

from ..intrinsics import copysign, fabs, from_bits, rint, to_bits
from ..scalar import ScalarFunction, elementary

_ONE_32, _HALF_32, _TWO_32 = np.float32(1), np.float32(0.5), np.float32(2)
_LOG2E_32 = np.float32(1.44269504)
_LN2_HIGH_32, _LN2_LOW_32 = np.float32(0.693359375), np.float32(-2.12194440e-4)
# The exponent bias less one is part of the magic number, so that the low bits shifted left are 2^(n-1).
_MAGIC_32 = np.float32(1.5 * 2**23 + 126)
_EXP_TOP_32, _EXP_BOTTOM_32, _EXP_GRADUAL_32 = np.float32(89), np.float32(-104), np.float32(-86)
# The same for 2^n and for 2^(n-2).
_ONE_MAGIC_32 = np.float32(1.5 * 2**23 + 127)
_HALF_MAGIC_32, _HALF_MAGIC_64 = np.float32(1.5 * 2**23 + 125), np.float64(1.5 * 2**52 + 1021)
_GRADUAL_STEP_32, _GRADUAL_SCALE_32 = np.int32(64), np.float32(2.0**-63)
# From here down exp(x) - 1 rounds to -1.
_EXPM1_BOTTOM_32, _EXPM1_BOTTOM_64 = np.float32(-20), np.float64(-40)
_SHIFT_32 = np.int32(23)
_NO_STEP_32 = np.int32(0)

_ONE_64, _HALF_64, _TWO_64 = np.float64(1), np.float64(0.5), np.float64(2)
_LOG2E_64 = np.float64(1.4426950408889634)
_LN2_HIGH_64, _LN2_LOW_64 = np.float64(6.93147180369123816490e-01), np.float64(1.90821492927058770002e-10)
_MAGIC_64 = np.float64(1.5 * 2**52 + 1022)
_EXP_TOP_64, _EXP_BOTTOM_64, _EXP_GRADUAL_64 = np.float64(710), np.float64(-746), np.float64(-707)
_GRADUAL_STEP_64, _GRADUAL_SCALE_64 = np.int64(128), np.float64(2.0**-127)
_SHIFT_64 = np.int64(52)
_NO_STEP_64 = np.int64(0)

# (exp(r) - 1 - r) / r^2 on |r| <= 0.3535: error 2^-28.0 of exp(r).
_EXP_32 = tuple(map(np.float32, (0.49999994, 0.166665, 0.04166789, 0.008371069, 0.0013862079)))
# The same on |r| <= 0.505, the error taken relative to exp(r) - 1: 2^-26.4.
_EXPM1_32 = tuple(map(np.float32, (0.50000006, 0.16666669, 0.04166526, 0.008333061, 0.0013999634, 0.00019996233)))
# 2^-56.2 of exp(r).
_EXP_64 = (
    0.5000000000000013, 0.16666666666666358, 0.04166666666650727, 0.008333333333521802, 0.0013888888950404727,
    0.0001984126946479074, 2.4801485459476216e-05, 2.755760818914241e-06, 2.7633153711870315e-07,
    2.4997975860495965e-08,
)  # fmt: skip
# 2^-57.1.
_EXPM1_64 = (
    0.5, 0.16666666666666666, 0.04166666666666776, 0.008333333333333559, 0.0013888888888544389,
    0.00019841269840773168, 2.4801587765563002e-05, 2.7557319739555425e-06, 2.7557015730352135e-07,
    2.5051833324659465e-08, 2.0971974873954344e-09, 1.613209358914753e-10,
)  # fmt: skip


def _contracted(function):
    return ScalarFunction(function, contract=True)


def _exp_f32(x):
    """exp(x). See the float64 version."""
    bounded = _EXP_TOP_32 if x > _EXP_TOP_32 else x
    bounded = _EXP_BOTTOM_32 if bounded < _EXP_BOTTOM_32 else bounded
    shifted = bounded * _LOG2E_32 + _MAGIC_32
    n = shifted - _MAGIC_32
    r = (bounded - n * _LN2_HIGH_32) - n * _LN2_LOW_32
    c = _EXP_32
    p = c[0] + r * (c[1] + r * (c[2] + r * (c[3] + r * c[4])))
    p = _ONE_32 + (r + r * r * p)
    gradual = bounded < _EXP_GRADUAL_32
    exponent = np.int32(to_bits(shifted) + (_GRADUAL_STEP_32 if gradual else _NO_STEP_32))
    return p * from_bits(np.int32(exponent << _SHIFT_32)) * (_GRADUAL_SCALE_32 if gradual else _TWO_32)


def _exp_f64(x):
    """exp(x): 2^n times a polynomial in r.

    NaN propagates; overflow gives inf, underflow is gradual: the power of two is applied in two steps.
    """
    bounded = _EXP_TOP_64 if x > _EXP_TOP_64 else x
    bounded = _EXP_BOTTOM_64 if bounded < _EXP_BOTTOM_64 else bounded
    shifted = bounded * _LOG2E_64 + _MAGIC_64
    n = shifted - _MAGIC_64
    r = (bounded - n * _LN2_HIGH_64) - n * _LN2_LOW_64
    c = _EXP_64
    p = c[5] + r * (c[6] + r * (c[7] + r * (c[8] + r * c[9])))
    p = c[0] + r * (c[1] + r * (c[2] + r * (c[3] + r * (c[4] + r * p))))
    p = _ONE_64 + (r + r * r * p)
    gradual = bounded < _EXP_GRADUAL_64
    exponent = to_bits(shifted) + (_GRADUAL_STEP_64 if gradual else _NO_STEP_64)
    return p * from_bits(exponent << _SHIFT_64) * (_GRADUAL_SCALE_64 if gradual else _TWO_64)


exp = elementary("exp", float32=_exp_f32, float64=_exp_f64)


def _half_exp_f32(x):
    """exp(x) / 2. See the float64 version."""
    shifted = x * _LOG2E_32 + _HALF_MAGIC_32
    n = shifted - _HALF_MAGIC_32
    r = (x - n * _LN2_HIGH_32) - n * _LN2_LOW_32
    c = _EXP_32
    p = c[0] + r * (c[1] + r * (c[2] + r * (c[3] + r * c[4])))
    p = _ONE_32 + (r + r * r * p)
    return p * from_bits(np.int32(to_bits(shifted) << _SHIFT_32)) * _TWO_32


def _half_exp_f64(x):
    """exp(x) / 2 where that is normal (also where exp(x) is inf already): `exp` without what its ends need.

    NaN propagates. For functions that know the range of their argument.
    """
    shifted = x * _LOG2E_64 + _HALF_MAGIC_64
    n = shifted - _HALF_MAGIC_64
    r = (x - n * _LN2_HIGH_64) - n * _LN2_LOW_64
    c = _EXP_64
    p = c[5] + r * (c[6] + r * (c[7] + r * (c[8] + r * c[9])))
    p = c[0] + r * (c[1] + r * (c[2] + r * (c[3] + r * (c[4] + r * p))))
    p = _ONE_64 + (r + r * r * p)
    return p * from_bits(to_bits(shifted) << _SHIFT_64) * _TWO_64


half_exp = elementary("half_exp", float32=_half_exp_f32, float64=_half_exp_f64)


@_contracted
def small_expm1_32(x):
    """exp(x) - 1 where |x| is below 88: `expm1` without what its ends need, in no branch.

    NaN propagates. Where n is not 0, 2^n (exp(r) - 1) + (2^n - 1) cancels less than a bit.
    """
    shifted = x * _LOG2E_32 + _ONE_MAGIC_32
    n = shifted - _ONE_MAGIC_32
    r = (x - n * _LN2_HIGH_32) - n * _LN2_LOW_32
    c = _EXP_32
    p = r + r * r * (c[0] + r * (c[1] + r * (c[2] + r * (c[3] + r * c[4]))))
    scale = from_bits(np.int32(to_bits(shifted) << _SHIFT_32))
    return scale * p + (scale - _ONE_32)


def _expm1_f32(x):
    """exp(x) - 1. See the float64 version."""
    bounded = _EXP_TOP_32 if x > _EXP_TOP_32 else x
    bounded = _EXPM1_BOTTOM_32 if bounded < _EXPM1_BOTTOM_32 else bounded
    near = fabs(x) < _HALF_32
    shifted = _MAGIC_32 if near else bounded * _LOG2E_32 + _MAGIC_32
    n = shifted - _MAGIC_32
    r = (bounded - n * _LN2_HIGH_32) - n * _LN2_LOW_32
    c = _EXPM1_32
    p = c[0] + r * (c[1] + r * (c[2] + r * (c[3] + r * (c[4] + r * c[5]))))
    p = r + r * r * p
    scale = from_bits(np.int32(to_bits(shifted) << _SHIFT_32))
    return copysign(p if near else (scale * p + (scale - _HALF_32)) * _TWO_32, x)


def _expm1_f64(x):
    """exp(x) - 1: a polynomial to 1/2, beyond 2^n (exp(r) - 1) + (2^n - 1), where nothing cancels.

    NaN propagates, -0 stays -0, -inf gives -1, overflow gives inf.
    """
    bounded = _EXP_TOP_64 if x > _EXP_TOP_64 else x
    bounded = _EXPM1_BOTTOM_64 if bounded < _EXPM1_BOTTOM_64 else bounded
    near = fabs(x) < _HALF_64
    shifted = _MAGIC_64 if near else bounded * _LOG2E_64 + _MAGIC_64
    n = shifted - _MAGIC_64
    r = (bounded - n * _LN2_HIGH_64) - n * _LN2_LOW_64
    c = _EXPM1_64
    p = c[6] + r * (c[7] + r * (c[8] + r * (c[9] + r * (c[10] + r * c[11]))))
    p = c[0] + r * (c[1] + r * (c[2] + r * (c[3] + r * (c[4] + r * (c[5] + r * p)))))
    p = r + r * r * p
    scale = from_bits(to_bits(shifted) << _SHIFT_64)
    return copysign(p if near else (scale * p + (scale - _HALF_64)) * _TWO_64, x)


expm1 = elementary("expm1", float32=_expm1_f32, float64=_expm1_f64)


def _sigmoid_f32(x):
    """1 / (1 + exp(-x)). See the float64 version."""
    e = exp(-fabs(x))
    return (e if x < np.float32(0) else _ONE_32) / (_ONE_32 + e)


def _sigmoid_f64(x):
    """1 / (1 + exp(-x)), as exp(x) / (1 + exp(x)) below zero: never overflows, and decays through the denormals."""
    e = exp(-fabs(x))
    return (e if x < np.float64(0) else _ONE_64) / (_ONE_64 + e)


sigmoid = elementary("sigmoid", float32=_sigmoid_f32, float64=_sigmoid_f64)

# (2^r - 1) / r on |r| <= 0.505: error 2^-28.
_EXP2_32 = tuple(map(np.float32, (0.6931472, 0.2402265, 0.055503245, 0.009617999, 0.0013401612, 0.00015477744)))
# 2^-55.7.
_EXP2_64 = (
    0.6931471805599453, 0.2402265069591014, 0.05550410866482176, 0.009618129107590424, 0.0013333558146375083,
    0.0001540353046205551, 1.5252733871309155e-05, 1.3215432708018901e-06, 1.0178044910797843e-07,
    7.074241002149485e-09, 4.457617598247237e-10,
)  # fmt: skip
_EXP2_TOP_32, _EXP2_BOTTOM_32, _EXP2_GRADUAL_32 = np.float32(129), np.float32(-151), np.float32(-124)
_EXP2_TOP_64, _EXP2_BOTTOM_64, _EXP2_GRADUAL_64 = np.float64(1025), np.float64(-1076), np.float64(-1020)


@_contracted
def two_to_the_32(n, r):
    """2^(n + r) for an integer n in [-151, 129] and |r| <= 0.505."""
    c = _EXP2_32
    p = c[1] + r * (c[2] + r * (c[3] + r * (c[4] + r * c[5])))
    p = _ONE_32 + r * (c[0] + r * p)
    gradual = n < _EXP2_GRADUAL_32
    exponent = np.int32(to_bits(n + _MAGIC_32) + (_GRADUAL_STEP_32 if gradual else _NO_STEP_32))
    return p * from_bits(np.int32(exponent << _SHIFT_32)) * (_GRADUAL_SCALE_32 if gradual else _TWO_32)


@_contracted
def two_to_the_64(n, r, low):
    """2^(n + r + low) for an integer n in [-1076, 1025], |r| <= 0.505 and a correction `low` of some ulp of r."""
    c = _EXP2_64
    p = c[6] + r * (c[7] + r * (c[8] + r * (c[9] + r * c[10])))
    p = c[1] + r * (c[2] + r * (c[3] + r * (c[4] + r * (c[5] + r * p))))
    p = _ONE_64 + (r * (c[0] + r * p) + low * c[0])
    gradual = n < _EXP2_GRADUAL_64
    exponent = to_bits(n + _MAGIC_64) + (_GRADUAL_STEP_64 if gradual else _NO_STEP_64)
    return p * from_bits(exponent << _SHIFT_64) * (_GRADUAL_SCALE_64 if gradual else _TWO_64)


def _exp2_f32(x):
    """2 to the power x. See the float64 version."""
    bounded = _EXP2_TOP_32 if x > _EXP2_TOP_32 else x
    bounded = _EXP2_BOTTOM_32 if bounded < _EXP2_BOTTOM_32 else bounded
    n = rint(bounded)
    return two_to_the_32(n, bounded - n)


def _exp2_f64(x):
    """2 to the power x; exact at integers. NaN propagates, overflow gives inf, underflow is gradual."""
    bounded = _EXP2_TOP_64 if x > _EXP2_TOP_64 else x
    bounded = _EXP2_BOTTOM_64 if bounded < _EXP2_BOTTOM_64 else bounded
    n = rint(bounded)
    return two_to_the_64(n, bounded - n, np.float64(0))


exp2 = elementary("exp2", float32=_exp2_f32, float64=_exp2_f64)
