"""Trigonometric functions and their inverses, in radians.

The reduction x = n pi/2 + r is right for every finite x. To `REDUCTION_LIMIT` it is Cody and Waite's, which subtracts
n times the parts of pi/2; beyond it is Payne and Hanek's, which multiplies x by the bits of 2/pi that matter at its
exponent: float32 works in float64 and chooses among four windows of bits by selects; float64 reads its window from a
table (a gather) and adds in pairs of numbers. There is no branch: a kernel whose loop has made sure that no element is
beyond the limit pays for the first alone, see `kernels.declare.Elementwise.limit`. Coefficients are minimax fits of
this project (Remez exchange in 50 digits, then rounded).
"""

import math

import numpy as np

from ..intrinsics import copysign, fabs, fma, from_bits, rint, sqrt, to_bits, within
from ..scalar import ScalarFunction, elementary, scalar
from .tables import table

REDUCTION_LIMIT = 2.0**17
"""To here n has few enough bits for Cody and Waite's reduction, and is the nearest integer but for 1/200."""

_TWO_OVER_PI_DIGITS = 1216
_TWO_OVER_PI = int(
    "a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561"
    "b7246e3a424dd2e006492eea09d1921cfe1deb1cb129a73ee88235f52ebb4484"
    "e99c7026b45f7e413991d639835339f49c845f8bbdf9283b1ff897ffde05980f"
    "ef2f118b5a0a6d1f6d367ecf27cb09b74f463f669e5fea2d7527bac7ebe5f17b"
    "3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b6bab",
    16,
)


def _bits_of_two_over_pi(top, width, scale=0):
    """The bits of 2^scale 2/pi from weight 2^top downwards, as a float; 53 bits at most."""
    lowest = top - width + 1 - scale + _TWO_OVER_PI_DIGITS
    return math.ldexp((_TWO_OVER_PI >> lowest) % (1 << width), top - width + 1)


def _windows_32(group):
    """Three floats of consecutive bits of 1/(2 pi), for numbers below 2^(51 + 26 group).

    What lies above the first bit contributes whole turns. The first two have 29 bits, so that their product with a
    float32 is exact in float64; the first product is below 2^50, the second below 2^21.
    """
    top = -1 - 26 * group
    return (
        np.float64(_bits_of_two_over_pi(top, 29)) / 4,
        np.float64(_bits_of_two_over_pi(top - 29, 29)) / 4,
        np.float64(_bits_of_two_over_pi(top - 58, 53)) / 4,
    )


_A0, _B0, _C0 = _windows_32(0)
_A1, _B1, _C1 = _windows_32(1)
_A2, _B2, _C2 = _windows_32(2)
_A3, _B3, _C3 = _windows_32(3)
_LIMIT_0, _LIMIT_1, _LIMIT_2 = np.float32(2.0**51), np.float32(2.0**77), np.float32(2.0**103)

# Row i serves numbers from 2^(52 + 16 i) on, divided by 2^(16 i): 2^(16 i) 2/pi without multiples of 4, in four pieces.
_ROWS = 61
_window_0, _window_1, _window_2, _window_3 = (
    table(_bits_of_two_over_pi(1 - 53 * piece, 53, scale=16 * row) for row in range(_ROWS)) for piece in range(4)
)

_ZERO_32, _HALF_32, _ONE_32, _TWO_32 = map(np.float32, (0, 0.5, 1, 2))
_INF_64, _NAN_64, _ZERO_64, _HALF_64, _ONE_64, _TWO_64 = map(np.float64, (np.inf, np.nan, 0, 0.5, 1, 2))
_QUARTER, _FOUR = np.float64(0.25), np.float64(4)
# Added to an integer, puts it into the low bits.
_MAGIC_64 = np.float64(1.5 * 2**52)
_HALF_PI_HIGH, _HALF_PI_LOW = np.float64(1.5707963267948966), np.float64(6.123233995736766e-17)
_TWO_PI = np.float64(6.283185307179586)
_PI_HIGH, _PI_LOW = np.float64(3.141592653589793), np.float64(1.2246467991473532e-16)
_LIMIT_32, _LIMIT_64 = np.float32(REDUCTION_LIMIT), np.float64(REDUCTION_LIMIT)
_TWO_OVER_PI_32, _TWO_OVER_PI_64 = np.float32(2 / math.pi), np.float64(2 / math.pi)
_MAGIC_32 = np.float32(1.5 * 2**23)
# pi/2 in three parts, each of full length: multiplications are fused.
_HALF_PI_32 = tuple(map(np.float32, (1.5707964, -4.371139e-08, -1.7151245e-15)))
_HALF_PI_64 = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33)
# Below these sin(x), tan(x) and x round alike; it keeps the sign of zero and spares the reduction denormals.
_IDENTITY_32, _IDENTITY_64 = np.float32(2.0**-13), np.float64(2.0**-27)

# (sin(r) - r) / r^3 and (cos(r) - 1 + r^2/2) / r^4 in r^2 for |r| <= 0.793: errors 2^-27.9 and 2^-33.1.
_SIN_32 = tuple(map(np.float32, (-0.16666654, 0.008332102, -0.00019506847)))
_COS_32 = tuple(map(np.float32, (0.041666646, -0.0013887301, 2.4430668e-05)))
# (tan(r) - r) / r^3 in r^2 on the same interval: error 2^-29.3 of tan(r).
_TAN_32 = tuple(
    map(
        np.float32,
        (0.33333352, 0.13332562, 0.0540716, 0.021220403, 0.010999449, -0.000122015816, 0.0044825193),
    )
)
# 2^-56.7 and 2^-59.5.
_SIN_64 = (
    -0.16666666666666627, 0.008333333333321286, -0.00019841269828870477, 2.7557313356123472e-06,
    -2.505070405505348e-08, 1.589358472064867e-10,
)  # fmt: skip
_COS_64 = (
    0.04166666666666659, -0.0013888888888872598, 2.480158728849195e-05, -2.75573140565389e-07,
    2.0875681874743236e-09, -1.1357448421332278e-11,
)  # fmt: skip


@scalar
def _without_turns(quarters):
    """`quarters` less the nearest multiple of 4; exact."""
    return fma(rint(quarters * _QUARTER), -_FOUR, quarters)


@scalar
def _two_sum(x, y):
    """The rounded sum and its error (Knuth)."""
    total = x + y
    part = total - x
    return total, (x - (total - part)) + (y - part)


@scalar
def _reduce_moderate_32(x):
    """n (in the low bits of an int32) and r of x = n pi/2 + r for a float32 up to the limit.

    The first step is exact: x and n times the first part are multiples of the place of the result's last digit.
    """
    shifted = fma(x, _TWO_OVER_PI_32, _MAGIC_32)
    n = shifted - _MAGIC_32
    c = _HALF_PI_32
    return to_bits(shifted), fma(n, -c[2], fma(n, -c[1], fma(n, -c[0], x)))


def _moderate_reduction(two_over_pi, magic, half_pi):
    """Make a function that returns n (in the low bits of an integer) and the two parts of r of x = n pi/2 + r.

    For numbers up to the limit. The first step is exact, as in `_reduce_moderate_32`. The rounding error of the second
    is found by Dekker's sum: the rest is a multiple of the last place of what is subtracted.

    Args:
        two_over_pi, magic, half_pi: the constants of x's dtype.
    """

    @scalar
    def reduce_moderate(x):
        shifted = fma(x, two_over_pi, magic)
        n = shifted - magic
        c = half_pi
        rest = fma(n, -c[0], x)
        second = n * c[1]
        r = rest - second
        low = ((rest - r) - second) - fma(n, c[1], -second)
        return to_bits(shifted), r, fma(n, -c[2], low)

    return reduce_moderate


_reduce_moderate_pair_32 = _moderate_reduction(_TWO_OVER_PI_32, _MAGIC_32, _HALF_PI_32)
_reduce_moderate_pair_64 = _moderate_reduction(_TWO_OVER_PI_64, _MAGIC_64, _HALF_PI_64)


@scalar
def _reduce_32(x):
    """n (in the low bits of an int64) and r of x = n pi/2 + r for a float32, up to whole turns; NaN for infinity."""
    size = fabs(x)
    wide = np.float64(x)
    a = _A1 if size >= _LIMIT_0 else _A0
    b = _B1 if size >= _LIMIT_0 else _B0
    c = _C1 if size >= _LIMIT_0 else _C0
    a = _A2 if size >= _LIMIT_1 else a
    b = _B2 if size >= _LIMIT_1 else b
    c = _C2 if size >= _LIMIT_1 else c
    a = _A3 if size >= _LIMIT_2 else a
    b = _B3 if size >= _LIMIT_2 else b
    c = _C3 if size >= _LIMIT_2 else c
    a = wide * a
    a -= rint(a)
    b = wide * b
    shifted = fma(a + b, _FOUR, _MAGIC_64)
    rest = fma(shifted - _MAGIC_64, -_QUARTER, a) + b
    return to_bits(shifted), fma(wide, c, rest) * _TWO_PI


@scalar
def _reduce_64(x):
    """n (in the low bits of an int64) and the two parts of r of x = n pi/2 + r for a finite float64, up to turns."""
    bits = to_bits(x)
    exponent = np.int64((bits >> np.int64(52)) & np.int64(2047)) - np.int64(1023 + 52)
    row = (exponent if exponent > np.int64(0) else np.int64(0)) >> np.int64(4)
    x = from_bits(bits - (row << np.int64(56)))
    w0, w1, w2, w3 = _window_0(row), _window_1(row), _window_2(row), _window_3(row)
    a = x * w0
    b = fma(x, w0, -a)
    c = x * w1
    d = fma(x, w1, -c)
    e = x * w2
    f = fma(x, w2, -e) + x * w3
    # a to c have whole turns; d to f are below 2^-35.
    b, b_low = _two_sum(_without_turns(b), _without_turns(c))
    a, a_low = _two_sum(_without_turns(a), b)
    n = rint(a)
    d, d_low = _two_sum(d, e)
    d, e = _two_sum(a_low + b_low, d)
    a, a_low = _two_sum(a - n, d)
    a_low += e + (d_low + f)
    r = a * _HALF_PI_HIGH
    return to_bits(n + _MAGIC_64), r, fma(a, _HALF_PI_HIGH, -r) + fma(a, _HALF_PI_LOW, a_low * _HALF_PI_HIGH)


@scalar
def _reduce_any_64(x):
    """`_reduce_64`, or what gives the same for less where that does."""
    moderate = within(x, _LIMIT_64)
    near_n, near_r, near_low = _reduce_moderate_pair_64(x)
    n, r, low = _reduce_64(x)
    return near_n if moderate else n, near_r if moderate else r, near_low if moderate else low


def _contracted(function):
    return ScalarFunction(function, contract=True)


@_contracted
def _sin_kernel_32(r):
    z = r * r
    c = _SIN_32
    return r + r * (z * (c[0] + z * (c[1] + z * c[2])))


@_contracted
def _cos_kernel_32(r):
    z = r * r
    c = _COS_32
    return _ONE_32 + z * (z * (c[0] + z * (c[1] + z * c[2])) - _HALF_32)


@_contracted
def _sin_kernel_64(r, low):
    z = r * r
    c = _SIN_64
    p = c[0] + z * (c[1] + z * (c[2] + z * (c[3] + z * (c[4] + z * c[5]))))
    return r + (low * (_ONE_64 - _HALF_64 * z) + r * (z * p))


@_contracted
def _cos_kernel_64(r, low):
    z = r * r
    c = _COS_64
    p = c[0] + z * (c[1] + z * (c[2] + z * (c[3] + z * (c[4] + z * c[5]))))
    half = _HALF_64 * z
    rough = _ONE_64 - half
    return rough + ((_ONE_64 - rough - half) + (z * (z * p) - r * low))


@_contracted
def _quadrant_32(x, shift):
    """sin(x + shift pi/2) for shift 0 or 1; NaN at infinity."""
    moderate = within(x, _LIMIT_32)
    near_n, near_r = _reduce_moderate_32(x)
    n, r = _reduce_32(x)
    r = near_r if moderate else np.float32(r)
    quadrant = np.int32((near_n if moderate else np.int32(n)) + shift)
    odd = np.int32(quadrant & np.int32(1)) == np.int32(1)
    value = _cos_kernel_32(r) if odd else _sin_kernel_32(r)
    return from_bits(np.int32(to_bits(value) ^ np.int32(np.int32(quadrant & np.int32(2)) << np.int32(30))))


@_contracted
def _quadrant_64(x, shift):
    """sin(x + shift pi/2) for shift 0 or 1; NaN at infinity."""
    n, r, low = _reduce_any_64(x)
    quadrant = n + shift
    value = _cos_kernel_64(r, low) if (quadrant & np.int64(1)) == np.int64(1) else _sin_kernel_64(r, low)
    value = from_bits(to_bits(value) ^ ((quadrant & np.int64(2)) << np.int64(62)))
    return value if fabs(x) < _INF_64 else _NAN_64


def _sin_f32(x):
    """sin(x). See the float64 version."""
    value = _quadrant_32(x, np.int32(0))
    return x if fabs(x) < _IDENTITY_32 else value


def _sin_f64(x):
    """sin(x) for every finite x. NaN propagates, infinity gives NaN, -0 stays -0."""
    # Not inside the select: the table would be read under a mask, which costs more and on AVX2 is not vectorised.
    value = _quadrant_64(x, np.int64(0))
    return x if fabs(x) < _IDENTITY_64 else value


sin = elementary("sin", float32=_sin_f32, float64=_sin_f64)


def _cos_f32(x):
    """cos(x). See the float64 version."""
    return _quadrant_32(x, np.int32(1))


def _cos_f64(x):
    """cos(x) for every finite x. NaN propagates, infinity gives NaN."""
    return _quadrant_64(x, np.int64(1))


cos = elementary("cos", float32=_cos_f32, float64=_cos_f64)


def _tan_f32(x):
    """tan(x), as tan(r) or -1 / tan(r). NaN propagates, infinity gives NaN, -0 stays -0."""
    moderate = within(x, _LIMIT_32)
    near_n, near_r, near_low = _reduce_moderate_pair_32(x)
    n, wide = _reduce_32(x)
    r = np.float32(wide)
    low = near_low if moderate else np.float32(wide - np.float64(r))
    r = near_r if moderate else r
    odd = np.int32((near_n if moderate else np.int32(n)) & np.int32(1)) == np.int32(1)
    z = r * r
    c = _TAN_32
    p = c[2] + z * (c[3] + z * (c[4] + z * (c[5] + z * c[6])))
    tangent = r + (r * (z * (c[0] + z * (c[1] + z * p))) + (low + low * z))
    value = (-_ONE_32 if odd else tangent) / (tangent if odd else _ONE_32)
    return x if fabs(x) < _IDENTITY_32 else value


def _tan_f64(x):
    """tan(x) for every finite x, as sine over cosine. NaN propagates, infinity gives NaN, -0 stays -0."""
    n, r, low = _reduce_any_64(x)
    sine = _sin_kernel_64(r, low)
    cosine = _cos_kernel_64(r, low)
    odd = (n & np.int64(1)) == np.int64(1)
    value = (-cosine if odd else sine) / (sine if odd else cosine)
    value = value if fabs(x) < _INF_64 else _NAN_64
    return x if fabs(x) < _IDENTITY_64 else value


tan = elementary("tan", float32=_tan_f32, float64=_tan_f64)

# (asin(s) - s) / s^3 in s^2 for |s| <= 1/2: error 2^-27.6 of asin(s).
_ASIN_32 = tuple(map(np.float32, (0.16666754, 0.07495252, 0.04547604, 0.02415209, 0.04221181)))
# 2^-55.7.
_ASIN_64 = (
    0.16666666666665383, 0.07500000000343043, 0.044642856823482506, 0.030381959331227015, 0.02237175352537472,
    0.01735977105052916, 0.013884599256314524, 0.012173272899566294, 0.006510885568065377, 0.01957380743636334,
    -0.01629390437084138, 0.03195884110519975,
)  # fmt: skip
_HALF_PI_HIGH_32, _HALF_PI_LOW_32 = np.float32(1.5707964), np.float32(-4.371139e-08)
_PI_HIGH_32, _PI_LOW_32 = np.float32(3.1415927), np.float32(-8.742278e-08)


@_contracted
def _asin_tail_32(s, z):
    """asin(s) - s, where z = s^2 <= 1/4."""
    c = _ASIN_32
    return s * (z * (c[0] + z * (c[1] + z * (c[2] + z * (c[3] + z * c[4])))))


@_contracted
def _asin_tail_64(s, z):
    """asin(s) - s, where z = s^2 <= 1/4."""
    c = _ASIN_64
    p = c[6] + z * (c[7] + z * (c[8] + z * (c[9] + z * (c[10] + z * c[11]))))
    p = c[0] + z * (c[1] + z * (c[2] + z * (c[3] + z * (c[4] + z * (c[5] + z * p)))))
    return s * (z * p)


def _asin_f32(x):
    """asin(x). See the float64 version."""
    size = fabs(x)
    far = size > _HALF_32
    z = _HALF_32 * (_ONE_32 - size) if far else x * x
    s = sqrt(z) if far else size
    tail = _asin_tail_32(s, z)
    rough = _HALF_PI_HIGH_32 - _TWO_32 * s
    error = (_HALF_PI_HIGH_32 - rough) - _TWO_32 * s
    value = rough + (error + (_HALF_PI_LOW_32 - _TWO_32 * tail)) if far else s + tail
    return copysign(value, x)


def _asin_f64(x):
    """asin(x); beyond 1/2 as pi/2 - 2 asin(sqrt((1 - |x|) / 2)). NaN outside [-1, 1], -0 stays -0."""
    size = fabs(x)
    far = size > _HALF_64
    z = _HALF_64 * (_ONE_64 - size) if far else x * x
    s = sqrt(z) if far else size
    tail = _asin_tail_64(s, z)
    rough = _HALF_PI_HIGH - _TWO_64 * s
    error = (_HALF_PI_HIGH - rough) - _TWO_64 * s
    value = rough + (error + (_HALF_PI_LOW - _TWO_64 * tail)) if far else s + tail
    return copysign(value, x)


asin = elementary("asin", float32=_asin_f32, float64=_asin_f64)


def _acos_f32(x):
    """acos(x). See the float64 version."""
    size = fabs(x)
    far = size > _HALF_32
    z = _HALF_32 * (_ONE_32 - size) if far else x * x
    s = sqrt(z) if far else size
    tail = _asin_tail_32(s, z)
    near = _HALF_PI_HIGH_32 - (copysign(s, x) - (_HALF_PI_LOW_32 - copysign(tail, x)))
    double = _TWO_32 * (s + tail)
    return (_PI_HIGH_32 - (double - _PI_LOW_32) if x < _ZERO_32 else double) if far else near


def _acos_f64(x):
    """acos(x) = pi/2 - asin(x), and 2 asin(sqrt((1 - |x|) / 2)) or pi less it beyond 1/2. NaN outside [-1, 1]."""
    size = fabs(x)
    far = size > _HALF_64
    z = _HALF_64 * (_ONE_64 - size) if far else x * x
    s = sqrt(z) if far else size
    tail = _asin_tail_64(s, z)
    near = _HALF_PI_HIGH - (copysign(s, x) - (_HALF_PI_LOW - copysign(tail, x)))
    double = _TWO_64 * (s + tail)
    return (_PI_HIGH - (double - _PI_LOW) if x < _ZERO_64 else double) if far else near


acos = elementary("acos", float32=_acos_f32, float64=_acos_f64)

# (atan(t) - t) / t^3 in t^2 for |t| <= 1: error 2^-26.0 of atan(t).
_ATAN_32 = tuple(
    map(
        np.float32,
        (-0.33333167, 0.19994146, -0.14214265, 0.10679126, -0.07580912, 0.043556865, -0.016582895, 0.0029749428),
    )
)
# The same for |t| <= tan(pi/8): 2^-57.6.
_ATAN_64 = (
    -0.33333333333333187, 0.19999999999949736, -0.1428571427978916, 0.11111110762251354, -0.09090897126474631,
    0.07692048644771415, -0.06662969010780317, 0.058468833148784524, -0.050346749405740326, 0.03794466236959401,
    -0.017773609878865265,
)  # fmt: skip
_TAN_EIGHTH, _TAN_THREE_EIGHTHS = np.float64(0.41421356237309503), np.float64(2.414213562373095)


def _atan_f32(x):
    """atan(x): an odd polynomial to 1, pi/2 - atan(1/x) above. NaN propagates, -0 stays -0."""
    size = fabs(x)
    far = size > _ONE_32
    t = _ONE_32 / size if far else size
    z = t * t
    c = _ATAN_32
    p = c[4] + z * (c[5] + z * (c[6] + z * c[7]))
    tail = t * (z * (c[0] + z * (c[1] + z * (c[2] + z * (c[3] + z * p)))))
    value = _HALF_PI_HIGH_32 - (t - (_HALF_PI_LOW_32 - tail)) if far else t + tail
    return copysign(value, x)


def _atan_f64(x):
    """atan(x) = offset + atan(t): t is x to tan(pi/8), (x - 1) / (x + 1) to tan(3 pi/8), -1/x above.

    NaN propagates, -0 stays -0, infinities give pi/2 of their sign.
    """
    size = fabs(x)
    middle = size > _TAN_EIGHTH
    far = size > _TAN_THREE_EIGHTHS
    numerator = -_ONE_64 if far else (size - _ONE_64 if middle else size)
    denominator = size if far else (size + _ONE_64 if middle else _ONE_64)
    t = numerator / denominator
    z = t * t
    c = _ATAN_64
    p = c[5] + z * (c[6] + z * (c[7] + z * (c[8] + z * (c[9] + z * c[10]))))
    tail = t * (z * (c[0] + z * (c[1] + z * (c[2] + z * (c[3] + z * (c[4] + z * p))))))
    high = _HALF_PI_HIGH if far else (_HALF_64 * _HALF_PI_HIGH if middle else _ZERO_64)
    low = _HALF_PI_LOW if far else (_HALF_64 * _HALF_PI_LOW if middle else _ZERO_64)
    return copysign(high + (t + (low + tail)), x)


atan = elementary("atan", float32=_atan_f32, float64=_atan_f64)


def _atan2_f32(y, x):
    """The angle of the point (x, y). See the float64 version."""
    a, b = fabs(y), fabs(x)
    steep = a > b
    low, high = (b, a) if steep else (a, b)
    # 0 / 0 is the angle of the positive axis, inf / inf that of the diagonal, as C99 wants.
    t = _ZERO_32 if high == _ZERO_32 else (_ONE_32 if low == high else low / high)
    angle = atan(t)
    angle = _HALF_PI_HIGH_32 - (angle - _HALF_PI_LOW_32) if steep else angle
    angle = _PI_HIGH_32 - (angle - _PI_LOW_32) if copysign(_ONE_32, x) < _ZERO_32 else angle
    return x + y if x != x or y != y else copysign(angle, y)


def _atan2_f64(y, x):
    """The angle of the point (x, y), from -pi to pi: atan of the quotient that is at most 1, moved to the quadrant.

    NaN propagates; zeros and infinities have C99's angles, by their signs.
    """
    a, b = fabs(y), fabs(x)
    steep = a > b
    low, high = (b, a) if steep else (a, b)
    t = _ZERO_64 if high == _ZERO_64 else (_ONE_64 if low == high else low / high)
    angle = atan(t)
    angle = _HALF_PI_HIGH - (angle - _HALF_PI_LOW) if steep else angle
    angle = _PI_HIGH - (angle - _PI_LOW) if copysign(_ONE_64, x) < _ZERO_64 else angle
    return x + y if x != x or y != y else copysign(angle, y)


atan2 = elementary("atan2", float32=_atan2_f32, float64=_atan2_f64)
