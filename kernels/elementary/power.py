"""Powers and roots: pow, sqrt, rsqrt.

pow(x, y) is 2^(y log2|x|) with a logarithm of more digits than the result has, in pairs of numbers. Coefficients are
minimax fits of this project (Remez exchange in 50 digits, then rounded).
"""

import numpy as np

from ..intrinsics import fabs, fma, from_bits, rint, to_bits
from ..intrinsics import sqrt as square_root
from ..scalar import elementary, scalar
from .exponential import two_to_the_32, two_to_the_64
from .logarithm import split_32, split_64

_ZERO_32, _HALF_32, _ONE_32, _TWO_32, _INF_32, _NAN_32 = map(np.float32, (0, 0.5, 1, 2, np.inf, np.nan))
_LARGEST_32, _LARGEST_64 = np.finfo(np.float32).max, np.finfo(np.float64).max
_ZERO_64, _HALF_64, _ONE_64, _INF_64, _NAN_64 = map(np.float64, (0, 0.5, 1, np.inf, np.nan))
# With s = f / (2 + f), log2(1 + f) = s (C + z P(z)) in z = s^2 <= 0.0295, where C = 2 / ln 2 is in two parts; P has an
# error of 2^-36.4 of log2(1 + f).
_C_HIGH_32, _C_LOW_32 = np.float32(2.88539), np.float32(3.851926e-08)
_LOG2_FOR_32 = tuple(map(np.float32, (0.9617967, 0.5770789, 0.4119212, 0.33663595)))
# In float64 it is s (C + z (C/3 + z Q(z))) in z = s^2 <= 0.0295, where C = 2 / ln 2 and C/3 are in
# two parts; Q has an error of 2^-65.8 of log2(1 + f).
_C_HIGH, _C_LOW = np.float64(2.8853900817779268), np.float64(4.0710547481862066e-17)
_THIRD_HIGH, _THIRD_LOW = np.float64(0.9617966939259756), np.float64(5.0577616648125907e-17)
_LOG2_FOR_64 = (
    0.5770780163556185, 0.41219858309165175, 0.3205989023275653, 0.26230769619358324, 0.22198423375707416,
    0.19124947514215412, 0.19043984471795708,
)  # fmt: skip
_TOP_32, _BOTTOM_32 = np.float32(129), np.float32(-151)
_SIGN_32, _NO_SIGN_32 = np.int32(-(2**31)), np.int32(0)
_SIGN_64, _NO_SIGN_64 = np.int64(-(2**63)), np.int64(0)
_TOP_64, _BOTTOM_64 = np.float64(1025), np.float64(-1076)


@scalar
def _log2_for_32(x):
    """log2(x) for x in [0, inf] as the sum of two floats, to some 30 bits; NaN propagates."""
    k, f = split_32(x)
    k = k if x < _INF_32 else x
    k = -_INF_32 if x == _ZERO_32 else k
    denominator = _TWO_32 + f
    rest = f - (denominator - _TWO_32)
    s = f / denominator
    # 1 / (2 + f) is (1 - s) / 2.
    s_low = fma(-s, rest, fma(-s, denominator, f)) * fma(s, -_HALF_32, _HALF_32)
    z = s * s
    c = _LOG2_FOR_32
    tail = z * fma(z * z, fma(z, c[3], c[2]), fma(z, c[1], c[0]))
    factor = _C_HIGH_32 + tail
    factor_low = (tail - (factor - _C_HIGH_32)) + _C_LOW_32
    fraction = s * factor
    # The derivative of log2(1 + f) to s is about C (1 + z).
    fraction_low = fma(s, factor, -fraction) + fma(s, factor_low, s_low * fma(z, _C_HIGH_32, _C_HIGH_32))
    high = k + fraction
    return high, (fraction - (high - k)) + fraction_low


@scalar
def _log2_for_64(x):
    """log2(x) for x in [0, inf] as the sum of two floats, to some 64 bits; NaN propagates."""
    k, f = split_64(x)
    k = k if x < _INF_64 else x
    k = -_INF_64 if x == _ZERO_64 else k
    denominator = np.float64(2) + f
    rest = f - (denominator - np.float64(2))
    inverse = _ONE_64 / denominator
    s = f * inverse
    s_low = (fma(-s, denominator, f) - s * rest) * inverse
    z = s * s
    z_low = fma(s, s, -z) + (s + s) * s_low
    c = _LOG2_FOR_64
    q = fma(z, fma(z, fma(z, fma(z, fma(z, fma(z, c[6], c[5]), c[4]), c[3]), c[2]), c[1]), c[0])
    third = z * _THIRD_HIGH
    third_low = fma(z, _THIRD_HIGH, -third) + fma(z, _THIRD_LOW, z_low * _THIRD_HIGH)
    product = z * q
    rest = z * product
    third_low += fma(z, product, -rest) + fma(z, fma(z, q, -product), (z_low + z_low) * product)
    tail = third + rest
    third_low += rest - (tail - third)
    factor = _C_HIGH + tail
    factor_low = (tail - (factor - _C_HIGH)) + (third_low + _C_LOW)
    fraction = s * factor
    fraction_low = fma(s, factor, -fraction) + fma(s, factor_low, s_low * factor)
    high = k + fraction
    return high, (fraction - (high - k)) + fraction_low


def _pow_f32(x, y):
    """x to the power y. See the float64 version."""
    size = fabs(x)
    high, low = _log2_for_32(size)
    bounded = _LARGEST_32 if y > _LARGEST_32 else y
    bounded = -_LARGEST_32 if bounded < -_LARGEST_32 else bounded
    exact = high * bounded
    t = _TOP_32 if exact > _TOP_32 else exact
    t = _BOTTOM_32 if t < _BOTTOM_32 else t
    t_low = fma(low, bounded, fma(high, bounded, -exact)) if t == exact else _ZERO_32
    n = rint(t)
    value = two_to_the_32(n, (t - n) + t_low)
    half = y * _HALF_32
    whole = rint(y) == y
    odd = whole and rint(half) != half
    value = from_bits(np.int32(to_bits(value) | np.int32(to_bits(x) & (_SIGN_32 if odd else _NO_SIGN_32))))
    least = -_INF_32 if whole else _ZERO_32
    value = _NAN_32 if x < least and size < _INF_32 else value
    return _ONE_32 if x == _ONE_32 or y == _ZERO_32 else value


def _pow_f64(x, y):
    """x to the power y.

    C99's special cases: 1 for x = 1 or y = 0 even beside NaN, and for x = -1 with infinite y; NaN for negative finite
    x and fractional y; zeros and infinities with their signs for odd whole y. Underflow is gradual.

    What depends on y alone is kept apart: where y is one number for all x, it is computed once.
    """
    size = fabs(x)
    high, low = _log2_for_64(size)
    # The largest number does as infinity does, but that 0 times it is 0; it is whole, and even.
    bounded = _LARGEST_64 if y > _LARGEST_64 else y
    bounded = -_LARGEST_64 if bounded < -_LARGEST_64 else bounded
    exact = high * bounded
    t = _TOP_64 if exact > _TOP_64 else exact
    t = _BOTTOM_64 if t < _BOTTOM_64 else t
    # Beyond the ends nothing is left to correct, and infinity has no error to speak of.
    t_low = fma(low, bounded, fma(high, bounded, -exact)) if t == exact else _ZERO_64
    n = rint(t)
    t -= n
    r = t + t_low
    value = two_to_the_64(n, r, t_low - (r - t))
    half = y * _HALF_64
    whole = rint(y) == y
    odd = whole and rint(half) != half
    value = from_bits(to_bits(value) | (to_bits(x) & (_SIGN_64 if odd else _NO_SIGN_64)))
    least = -_INF_64 if whole else _ZERO_64
    value = _NAN_64 if x < least and size < _INF_64 else value
    return _ONE_64 if x == _ONE_64 or y == _ZERO_64 else value


pow = elementary("pow", float32=_pow_f32, float64=_pow_f64)


def _sqrt_f32(x):
    """The square root, correctly rounded."""
    return square_root(x)


def _sqrt_f64(x):
    """The square root, correctly rounded: one instruction. NaN below zero, -0 stays -0."""
    return square_root(x)


sqrt = elementary("sqrt", float32=_sqrt_f32, float64=_sqrt_f64)


def _rsqrt_f32(x):
    """1 / sqrt(x). See the float64 version."""
    return _ONE_32 / square_root(x)


def _rsqrt_f64(x):
    """1 / sqrt(x), two correctly rounded operations. inf at 0 with its sign, NaN below, 0 at inf."""
    return _ONE_64 / square_root(x)


rsqrt = elementary("rsqrt", float32=_rsqrt_f32, float64=_rsqrt_f64)
