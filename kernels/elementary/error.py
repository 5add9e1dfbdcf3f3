"""The error function and its complement.

Coefficients are minimax fits of this project (Remez exchange in 50 digits, then rounded).
"""

import numpy as np

from ..intrinsics import copysign, fabs, fma
from ..scalar import elementary, scalar
from .exponential import exp, half_exp

_ZERO_32, _HALF_32, _ONE_32, _TWO_32, _THREE_32 = map(np.float32, (0, 0.5, 1, 2, 3))
_ZERO_64, _HALF_64, _ONE_64, _TWO_64, _FOUR_64 = map(np.float64, (0, 0.5, 1, 2, 4))
_NEAR_LIMIT_32, _NEAR_LIMIT_64 = np.float32(0.921875), np.float64(1)
_ERF_LIMIT_32 = np.float32(1.09375)
_FAR_LIMIT_32, _FAR_LIMIT_64 = np.float32(3.9375), np.float64(6)
# erf(x)/x - 1 in x^2 for |x| <= 1.1: error 2^-27.7 of erf(x).
_ERF_NEAR_32 = tuple(
    map(np.float32, (0.12837917, -0.376126, 0.11283268, -0.02684054, 0.0051633036, -0.00077934423, 7.151527e-05))
)
# erfc(x)^(1/8) on [1.09, 3.95]: error 2^-26.7 of erf(x).
_ERF_FAR_32 = tuple(
    map(np.float32, (1.0010465, -0.14585023, -0.06022376, -0.012330499, 0.01334515, -0.002565577, 0.00015877411))
)
# erf(x)/x - 1 in x^2 for |x| <= 1: error 2^-55.
_ERF_NEAR_64 = (
    0.12837916709551256, -0.3761263890318355, 0.11283791670945251, -0.02686617064327583, 0.005223977607421005,
    -0.0008548325989605951, 0.0001205529531844254, -1.4924744634483228e-05, 1.6447517431149422e-06,
    -1.620917473082619e-07, 1.372297377435481e-08, -7.801188421923621e-10,
)  # fmt: skip
# log(erfc(x)) on [0.99, 6]: error 2^-56.
_ERF_FAR_64 = (
    -1.6456844739585262e-07, -1.1283774761347403, -0.6366278209032774, -0.10274913354011413, 0.0190818311852911,
    0.00027519857293673597, -0.0017631890697239667, 0.0006361905262938351, -4.144409611649278e-05,
    -7.219199309958675e-05, 4.582503880558657e-05, -1.6784732451864745e-05, 4.400663268031814e-06,
    -8.661879143684516e-07, 1.2823125924657745e-07, -1.3927615402064217e-08, 1.0505480059495959e-09,
    -4.922966944872055e-11, 1.0798129082962775e-12,
)  # fmt: skip


def _erf_f32(x):
    """erf(x): an odd polynomial near zero, 1 - P(|x|)^8 beyond; 1 from 3.9375 on. NaN propagates, -0 stays -0."""
    z = fabs(x)
    square = z * z
    c = _ERF_NEAR_32
    p = c[3] + square * (c[4] + square * (c[5] + square * c[6]))
    near = z + z * (c[0] + square * (c[1] + square * (c[2] + square * p)))
    z = _FAR_LIMIT_32 if z > _FAR_LIMIT_32 else z
    c = _ERF_FAR_32
    p = c[0] + z * (c[1] + z * (c[2] + z * (c[3] + z * (c[4] + z * (c[5] + z * c[6])))))
    p *= p
    p *= p
    return copysign(near if z < _ERF_LIMIT_32 else _ONE_32 - p * p, x)


def _erf_f64(x):
    """erf(x): an odd polynomial near zero, 1 - exp(P(|x|)) with P = log(erfc) beyond; 1 from 6 on.

    NaN propagates, -0 stays -0.
    """
    z = fabs(x)
    square = z * z
    c = _ERF_NEAR_64
    p = c[6] + square * (c[7] + square * (c[8] + square * (c[9] + square * (c[10] + square * c[11]))))
    p = c[1] + square * (c[2] + square * (c[3] + square * (c[4] + square * (c[5] + square * p))))
    near = z + z * (c[0] + square * p)
    z = _FAR_LIMIT_64 if z > _FAR_LIMIT_64 else z
    c = _ERF_FAR_64
    p = c[13] + z * (c[14] + z * (c[15] + z * (c[16] + z * (c[17] + z * c[18]))))
    p = c[7] + z * (c[8] + z * (c[9] + z * (c[10] + z * (c[11] + z * (c[12] + z * p)))))
    far = _ONE_64 - _TWO_64 * half_exp(
        c[0] + z * (c[1] + z * (c[2] + z * (c[3] + z * (c[4] + z * (c[5] + z * (c[6] + z * p))))))
    )
    return copysign(near if z < _NEAR_LIMIT_64 else far, x)


erf = elementary("erf", float32=_erf_f32, float64=_erf_f64)

_ERFC_LIMIT_64 = np.float64(0.9)
# Beyond these erfc rounds to 0; the square must not overflow.
_ERFC_TOP_32, _ERFC_TOP_64 = np.float32(10.1), np.float64(27.3)
# (x + 3) exp(x^2) erfc(x) in (x - 3) / (x + 3) for x in [0.91, 10.2]: error 2^-26.8.
_ERFC_32 = tuple(
    map(
        np.float32,
        (
            1.0740069, -0.8833945, 0.59022826, -0.31046736, 0.11952937, -0.026823983, -0.0012294574, 0.0030161466,
            -0.00047754453, -0.00023589807,
        ),
    )
)  # fmt: skip
# (x + 4) exp(x^2) erfc(x) in (x - 4) / (x + 4) for x in [0.89, 27.4]: error 2^-53.8, most of it
# from the rounding of the coefficients.
_ERFC_64 = (
    1.095995661000491, -0.9765487290808816, 0.7732087022652391, -0.5408538313132839, 0.33085158787789454,
    -0.1740109372378261, 0.07638151491173036, -0.026370053381690465, 0.00611205563598416, -0.0002809584257782683,
    -0.0004550526645154877, 0.00017681007096751592, -3.6344474640436304e-06, -1.8850502487299624e-05,
    4.689249966868849e-06, 1.400855923867707e-06, -8.301997960885732e-07, -4.6857330649365004e-08,
    9.973595547778038e-08, -1.38811535523705e-08,
)  # fmt: skip


@scalar
def _quotient_32(z):
    """See the float64 version, with 3 for 4."""
    numerator = z - _THREE_32
    denominator = z + _THREE_32
    inverse = _ONE_32 / denominator
    q = numerator * inverse
    lost = z - (denominator - _THREE_32)
    rest = fma(-q, denominator, numerator) + (z - (numerator + _THREE_32)) - q * lost
    return fma(rest, inverse, q), inverse, lost * inverse - fma(-inverse, denominator, _ONE_32)


@scalar
def _quotient_64(z):
    """(z - 4) / (z + 4) rounded once, 1 / (z + 4), and the relative error of the latter."""
    numerator = z - _FOUR_64
    denominator = z + _FOUR_64
    inverse = _ONE_64 / denominator
    q = numerator * inverse
    lost = z - (denominator - _FOUR_64)
    rest = fma(-q, denominator, numerator) + (z - (numerator + _FOUR_64)) - q * lost
    return fma(rest, inverse, q), inverse, lost * inverse - fma(-inverse, denominator, _ONE_64)


def _erfc_f32(x):
    """1 - erf(x). See the float64 version."""
    z = fabs(x)
    square = z * z
    c = _ERF_NEAR_32
    p = c[3] + square * (c[4] + square * (c[5] + square * c[6]))
    near = _HALF_32 - (x - _HALF_32 + x * (c[0] + square * (c[1] + square * (c[2] + square * p))))
    z = _ERFC_TOP_32 if z > _ERFC_TOP_32 else z
    square = z * z
    q, inverse, lost = _quotient_32(z)
    c = _ERFC_32
    p = c[5] + q * (c[6] + q * (c[7] + q * (c[8] + q * c[9])))
    p = q * (c[1] + q * (c[2] + q * (c[3] + q * (c[4] + q * p))))
    p = c[0] + (p - (c[0] + p) * (fma(z, z, -square) + lost))
    far = exp(-square) * (p * inverse)
    return near if fabs(x) < _NEAR_LIMIT_32 else (_TWO_32 - far if x < _ZERO_32 else far)


def _erfc_f64(x):
    """1 - erf(x) to full relative accuracy, down to the denormals: exp(-x^2) P(q) / (|x| + 4) beyond 0.9.

    The rounding error of x^2 is put back as a factor. Below -0.9 it is 2 - erfc(-x). NaN propagates.
    """
    z = fabs(x)
    square = z * z
    c = _ERF_NEAR_64
    p = c[6] + square * (c[7] + square * (c[8] + square * (c[9] + square * (c[10] + square * c[11]))))
    p = c[1] + square * (c[2] + square * (c[3] + square * (c[4] + square * (c[5] + square * p))))
    near = _HALF_64 - (x - _HALF_64 + x * (c[0] + square * p))
    z = _ERFC_TOP_64 if z > _ERFC_TOP_64 else z
    square = z * z
    q, inverse, lost = _quotient_64(z)
    c = _ERFC_64
    p = c[16] + q * (c[17] + q * (c[18] + q * c[19]))
    p = c[11] + q * (c[12] + q * (c[13] + q * (c[14] + q * (c[15] + q * p))))
    p = c[6] + q * (c[7] + q * (c[8] + q * (c[9] + q * (c[10] + q * p))))
    p = q * (c[1] + q * (c[2] + q * (c[3] + q * (c[4] + q * (c[5] + q * p)))))
    p = c[0] + (p - (c[0] + p) * (fma(z, z, -square) + lost))
    far = exp(-square) * (p * inverse)
    return near if fabs(x) < _ERFC_LIMIT_64 else (_TWO_64 - far if x < _ZERO_64 else far)


erfc = elementary("erfc", float32=_erfc_f32, float64=_erfc_f64)
