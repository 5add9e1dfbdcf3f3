"""Logarithms: log, log2, log10 and log1p.

All split x = 2^k m with m in [sqrt(1/2), sqrt(2)), by integer arithmetic on the bits, and evaluate log(1 + f) at
f = m - 1. Coefficients are minimax fits of this project (Remez exchange in 50 digits, then rounded); ln 2 in two
parts is Cody and Waite's, and the identity log(1 + f) = f - s (f - R) with s = f / (2 + f) is fdlibm's.
"""

import numpy as np

from ..intrinsics import copysign, from_bits, to_bits
from ..scalar import ScalarFunction, elementary

_ZERO_32, _HALF_32, _ONE_32 = np.float32(0), np.float32(0.5), np.float32(1)
_TINY_32, _TINY_SCALE_32, _TINY_EXPONENT_32 = np.float32(2.0**-126), np.float32(2.0**23), np.float32(23)
_SQRT_HALF_BITS_32 = np.float32(0.70710678).view(np.int32)
_SHIFT_32, _BIAS_BITS_32 = np.int32(23), np.float32(1).view(np.int32)
_LN2_HIGH_32, _LN2_LOW_32 = np.float32(0.693359375), np.float32(-2.12194440e-4)
_HUGE_32, _HUGE_64 = np.float32(2.0**100), np.float64(2.0**1000)
_INF_32, _NAN_32 = np.float32(np.inf), np.float32(np.nan)

_ZERO_64, _HALF_64, _ONE_64, _TWO_64 = np.float64(0), np.float64(0.5), np.float64(1), np.float64(2)
_TINY_64, _TINY_SCALE_64, _TINY_EXPONENT_64 = np.float64(2.0**-1022), np.float64(2.0**52), np.float64(52)
_SQRT_HALF_BITS_64 = np.float64(0.7071067811865476).view(np.int64)
_SHIFT_64, _BIAS_BITS_64 = np.int64(52), np.float64(1).view(np.int64)
_LN2_HIGH_64, _LN2_LOW_64 = np.float64(6.93147180369123816490e-01), np.float64(1.90821492927058770002e-10)
_INF_64, _NAN_64 = np.float64(np.inf), np.float64(np.nan)
# An integer added to the bits of 1.5 * 2^52 is that integer as a float above it: AVX2 has no conversion of int64.
_MAGIC_64 = np.float64(1.5 * 2**52)
_MAGIC_BITS_64 = _MAGIC_64.view(np.int64)

# (log(1 + f) - f + f^2/2) / f^3 on [-0.294, 0.415]: error 2^-27.3 of log(1 + f).
_LOG_32 = tuple(
    map(
        np.float32,
        (0.33333316, -0.2500083, 0.20002319, -0.16623761, 0.14180069, -0.13136095, 0.12892123, -0.07851187),
    )
)
# (2 atanh(s) - 2 s) / s^3 in s^2 for |s| <= 0.1717: error 2^-58.5 of 2 atanh(s).
_LOG_64 = (
    0.6666666666666735, 0.39999999999409386, 0.28571428743680105, 0.2222219842952646, 0.18183572330136633,
    0.15313832736260688, 0.1479825347698346,
)  # fmt: skip


def _contracted(function):
    return ScalarFunction(function, contract=True)


@_contracted
def split_32(x):
    """k and f of x = 2^k (1 + f) for positive finite x, denormals too."""
    tiny = x < _TINY_32
    bits = to_bits(x * _TINY_SCALE_32 if tiny else x)
    k = np.int32(np.int32(bits - _SQRT_HALF_BITS_32) >> _SHIFT_32)
    f = from_bits(np.int32(bits - np.int32(k << _SHIFT_32))) - _ONE_32
    return np.float32(k) - (_TINY_EXPONENT_32 if tiny else _ZERO_32), f


@_contracted
def split_64(x):
    """k and f of x = 2^k (1 + f) for positive finite x, denormals too."""
    tiny = x < _TINY_64
    bits = to_bits(x * _TINY_SCALE_64 if tiny else x)
    k = (bits - _SQRT_HALF_BITS_64) >> _SHIFT_64
    f = from_bits(bits - (k << _SHIFT_64)) - _ONE_64
    return from_bits(k + _MAGIC_BITS_64) - (_MAGIC_64 + _TINY_EXPONENT_64 if tiny else _MAGIC_64), f


@_contracted
def _tail_32(f):
    """log(1 + f) - f."""
    c = _LOG_32
    p = c[4] + f * (c[5] + f * (c[6] + f * c[7]))
    p = c[0] + f * (c[1] + f * (c[2] + f * (c[3] + f * p)))
    square = f * f
    return square * (f * p - _HALF_32)


@_contracted
def _tail_64(f):
    """log(1 + f) - f."""
    s = f / (_TWO_64 + f)
    z = s * s
    c = _LOG_64
    r = z * (c[0] + z * (c[1] + z * (c[2] + z * (c[3] + z * (c[4] + z * (c[5] + z * c[6]))))))
    half_square = _HALF_64 * f * f
    return s * (half_square + r) - half_square


@_contracted
def _edges_32(x, result):
    """The limits of a logarithm at 0 and inf; NaN below zero and for NaN."""
    result = result if x < _INF_32 else x
    below = -_INF_32 if x == _ZERO_32 else _NAN_32
    return below if x <= _ZERO_32 else result


@_contracted
def _edges_64(x, result):
    """The limits of a logarithm at 0 and inf; NaN below zero and for NaN."""
    result = result if x < _INF_64 else x
    below = -_INF_64 if x == _ZERO_64 else _NAN_64
    return below if x <= _ZERO_64 else result


def _log_f32(x):
    """log(x). See the float64 version."""
    k, f = split_32(x)
    tail = k * _LN2_LOW_32 + _tail_32(f)
    return _edges_32(x, k * _LN2_HIGH_32 + (f + tail))


def _log_f64(x):
    """log(x) = k ln 2 + log(1 + f). -inf at 0 of either sign, NaN below, inf at inf; denormals are exact inputs."""
    k, f = split_64(x)
    tail = k * _LN2_LOW_64 + _tail_64(f)
    return _edges_64(x, k * _LN2_HIGH_64 + (f + tail))


log = elementary("log", float32=_log_f32, float64=_log_f64)

_LOG2E_HIGH_32, _LOG2E_LOW_32 = np.float32(1.442695), np.float32(1.925963e-08)
_LOG2E_HIGH_64, _LOG2E_LOW_64 = np.float64(1.4426950408889634), np.float64(2.0355273740931033e-17)


def _log2_f32(x):
    """The logarithm to base 2. See the float64 version."""
    k, f = split_32(x)
    low = f * _LOG2E_LOW_32 + _tail_32(f) * _LOG2E_HIGH_32
    return _edges_32(x, k + (f * _LOG2E_HIGH_32 + low))


def _log2_f64(x):
    """The logarithm to base 2, k + log(1 + f) log2(e) with the constant in two parts; exact at powers of two."""
    k, f = split_64(x)
    low = f * _LOG2E_LOW_64 + _tail_64(f) * _LOG2E_HIGH_64
    return _edges_64(x, k + (f * _LOG2E_HIGH_64 + low))


log2 = elementary("log2", float32=_log2_f32, float64=_log2_f64)

_LOG10E_HIGH_32, _LOG10E_LOW_32 = np.float32(0.4342944919), np.float32(-1.010305e-8)
_LOG10_2_HIGH_32, _LOG10_2_LOW_32 = np.float32(0.301025390625), np.float32(4.6050390e-6)
_LOG10E_HIGH_64, _LOG10E_LOW_64 = np.float64(0.4342944819032518), np.float64(1.098319650216765e-17)
_LOG10_2_HIGH_64, _LOG10_2_LOW_64 = np.float64(3.01029995663611771306e-01), np.float64(3.69423907715893078616e-13)


def _log10_f32(x):
    """The logarithm to base 10. See the float64 version."""
    k, f = split_32(x)
    tail = _tail_32(f)
    low = k * _LOG10_2_LOW_32 + (f * _LOG10E_LOW_32 + tail * _LOG10E_HIGH_32)
    return _edges_32(x, k * _LOG10_2_HIGH_32 + (f * _LOG10E_HIGH_32 + low))


def _log10_f64(x):
    """The logarithm to base 10: k log10(2) + log(1 + f) log10(e), each constant in two parts."""
    k, f = split_64(x)
    tail = _tail_64(f)
    low = k * _LOG10_2_LOW_64 + (f * _LOG10E_LOW_64 + tail * _LOG10E_HIGH_64)
    return _edges_64(x, k * _LOG10_2_HIGH_64 + (f * _LOG10E_HIGH_64 + low))


log10 = elementary("log10", float32=_log10_f32, float64=_log10_f64)


def _log1p_f32(x):
    """log(1 + x). See the float64 version."""
    bits = to_bits(_ONE_32 + x)
    k = np.int32(np.int32(bits - _SQRT_HALF_BITS_32) >> _SHIFT_32)
    scale = from_bits(np.int32(_BIAS_BITS_32 - np.int32(k << _SHIFT_32)))
    # The scale of huge numbers would be a denormal; adding 1 does not change them.
    huge = from_bits(np.int32(bits - np.int32(k << _SHIFT_32))) - _ONE_32
    f = x * scale + (scale - _ONE_32) if x < _HUGE_32 else huge
    kf = np.float32(k)
    result = kf * _LN2_HIGH_32 + (f + (kf * _LN2_LOW_32 + _tail_32(f)))
    result = result if x < _INF_32 else x
    result = -_INF_32 if x == -_ONE_32 else result
    return copysign(_NAN_32 if x < -_ONE_32 else result, x)


def _log1p_f64(x):
    """log(1 + x) = k ln 2 + log(1 + f), where 1 + x = 2^k (1 + f) and f = 2^-k x + (2^-k - 1) is rounded once.

    -0 stays -0, -1 gives -inf, below is NaN, inf gives inf.
    """
    bits = to_bits(_ONE_64 + x)
    k = (bits - _SQRT_HALF_BITS_64) >> _SHIFT_64
    scale = from_bits(_BIAS_BITS_64 - (k << _SHIFT_64))
    huge = from_bits(bits - (k << _SHIFT_64)) - _ONE_64
    f = x * scale + (scale - _ONE_64) if x < _HUGE_64 else huge
    kf = from_bits(k + _MAGIC_BITS_64) - _MAGIC_64
    result = kf * _LN2_HIGH_64 + (f + (kf * _LN2_LOW_64 + _tail_64(f)))
    result = result if x < _INF_64 else x
    result = -_INF_64 if x == -_ONE_64 else result
    return copysign(_NAN_64 if x < -_ONE_64 else result, x)


log1p = elementary("log1p", float32=_log1p_f32, float64=_log1p_f64)
