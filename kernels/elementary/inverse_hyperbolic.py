"""Inverse hyperbolic functions: asinh, acosh, atanh, by the logarithm of 1 + something that loses no digits near 0."""

import numpy as np

from ..intrinsics import copysign, fabs, sqrt
from ..scalar import elementary
from .logarithm import log, log1p

_ONE_32, _TWO_32, _HALF_32, _NAN_32 = map(np.float32, (1, 2, 0.5, np.nan))
_ONE_64, _TWO_64, _HALF_64, _NAN_64 = map(np.float64, (1, 2, 0.5, np.nan))
_LN2_32, _LN2_64 = np.float32(0.6931472), np.float64(0.6931471805599453)
# From here on 1 does not change the square, which overflows later: log(2 |x|) is the result.
_LARGE_32, _LARGE_64 = np.float32(2.0**14), np.float64(2.0**30)


def _asinh_f32(x):
    """asinh(x). See the float64 version."""
    z = fabs(x)
    large = z > _LARGE_32
    square = _ONE_32 if large else z * z
    near = log1p(z + square / (_ONE_32 + sqrt(_ONE_32 + square)))
    return copysign(log(z) + _LN2_32 if large else near, x)


def _asinh_f64(x):
    """asinh(x) = log1p(|x| + x^2 / (1 + sqrt(1 + x^2))), log(2 |x|) for large ones. NaN propagates, -0 stays -0."""
    z = fabs(x)
    large = z > _LARGE_64
    square = _ONE_64 if large else z * z
    near = log1p(z + square / (_ONE_64 + sqrt(_ONE_64 + square)))
    return copysign(log(z) + _LN2_64 if large else near, x)


asinh = elementary("asinh", float32=_asinh_f32, float64=_asinh_f64)


def _acosh_f32(x):
    """acosh(x). See the float64 version."""
    large = x > _LARGE_32
    t = _ONE_32 if large else x - _ONE_32
    near = log1p(t + sqrt(t * (t + _TWO_32)))
    return _NAN_32 if x < _ONE_32 else (log(x) + _LN2_32 if large else near)


def _acosh_f64(x):
    """acosh(x) = log1p(t + sqrt(t (t + 2))) with t = x - 1, log(2 x) for large ones. NaN below 1."""
    large = x > _LARGE_64
    t = _ONE_64 if large else x - _ONE_64
    near = log1p(t + sqrt(t * (t + _TWO_64)))
    return _NAN_64 if x < _ONE_64 else (log(x) + _LN2_64 if large else near)


acosh = elementary("acosh", float32=_acosh_f32, float64=_acosh_f64)


def _atanh_f32(x):
    """atanh(x). See the float64 version."""
    z = fabs(x)
    return copysign(_HALF_32 * log1p((z + z) / (_ONE_32 - z)), x)


def _atanh_f64(x):
    """atanh(x) = log1p(2 |x| / (1 - |x|)) / 2: infinite at 1, NaN beyond. -0 stays -0."""
    z = fabs(x)
    return copysign(_HALF_64 * log1p((z + z) / (_ONE_64 - z)), x)


atanh = elementary("atanh", float32=_atanh_f32, float64=_atanh_f64)
