"""Sums, products, quotients, remainders and signs. ``backward/arithmetic.py`` mirrors this file."""

from .. import intrinsics
from ..declare import elementwise
from ..scalar import scalar

_NAN = float("nan")
_INF = float("inf")


@elementwise(repeated=())
def add(x, y):
    """x + y."""
    return x + y


@elementwise
def sub(x, y):
    """x - y."""
    return x - y


@elementwise
def mul(x, y):
    """x * y."""
    return x * y


@elementwise
def div(x, y):
    """x / y, as IEEE divides: inf and nan at y = 0."""
    return x / y


@scalar
def exact_fmod(x, y):
    """x - y trunc(x / y) without rounding, with the sign of x; nan at y = 0 and for infinite x.

    The C library's does the same several times slower, and raises flags of the x87 unit that NumPy turns into warnings.
    A quotient below 2**24 is one step; a larger one takes a step for every 23 bits.
    """
    left, divisor = intrinsics.fabs(x), intrinsics.fabs(y)
    if y == type(x)(0) or left == type(x)(_INF) or y != y:
        return type(x)(_NAN)
    while left >= divisor:
        step = divisor
        while left / step >= type(x)(16777216):
            step = step * type(x)(8388608)
        # The quotient may have been rounded up to the next integer, but the difference is exact all the same.
        rest = intrinsics.fma(-intrinsics.trunc(left / step), step, left)
        left = rest + step if rest < type(x)(0) else rest
    return intrinsics.copysign(left, x)


@scalar
def wraps(y):
    """Whether y is -1: the least integer divided by it overflows, on which the division instruction traps."""
    return y == type(y)(-1) and type(y)(-1) < type(y)(0)


@scalar
def floor_of_quotient(x, y):
    """The floor of the exact x / y: from the remainder, because x / y may round up to the next integer.

    x / y itself at y = 0; a zero has the sign of x / y.
    """
    rest = exact_fmod(x, y)
    quotient = (x - rest) / y
    quotient = quotient - type(x)(1) if rest != type(x)(0) and (y < type(x)(0)) != (rest < type(x)(0)) else quotient
    # An integer but for the division's rounding: to the nearest one, and down from the middle.
    whole = intrinsics.floor(quotient)
    whole = whole + type(x)(1) if quotient - whole > type(x)(0.5) else whole
    whole = intrinsics.copysign(type(x)(0), x / y) if quotient == type(x)(0) else whole
    return x / y if y == type(x)(0) else whole


@elementwise
def floor_divide(x, y):
    """floor(x / y) of floating numbers."""
    return floor_of_quotient(x, y)


@elementwise
def floor_divide_integral(x, y):
    """floor(x / y) of integers, y not 0; the least integer divided by -1 wraps around (the instruction would trap)."""
    return type(x)(0) - x if wraps(y) else x // y


@elementwise
def trunc_divide(x, y):
    """x / y of floating numbers without its fraction."""
    return intrinsics.trunc(x / y)


@elementwise
def trunc_divide_integral(x, y):
    """x / y of integers without its fraction, y not 0."""
    if wraps(y):
        return type(x)(0) - x
    quotient = x // y
    return quotient + type(x)(1) if quotient * y != x and (x < type(x)(0)) != (y < type(x)(0)) else quotient


@elementwise
def remainder(x, y):
    """x - y floor(x / y) of floating numbers: has the sign of y; nan at y = 0."""
    rest = exact_fmod(x, y)
    return rest + y if rest != type(x)(0) and (y < type(x)(0)) != (rest < type(x)(0)) else rest


@elementwise
def remainder_integral(x, y):
    """x - y floor(x / y) of integers, y not 0: has the sign of y."""
    return type(x)(0) if wraps(y) else x % y


@elementwise
def fmod(x, y):
    """x - y trunc(x / y) of floating numbers: has the sign of x; nan at y = 0."""
    return exact_fmod(x, y)


@elementwise
def fmod_integral(x, y):
    """x - y trunc(x / y) of integers, y not 0: has the sign of x."""
    if wraps(y):
        return type(x)(0)
    rest = x % y
    return rest - y if rest != type(x)(0) and (x < type(x)(0)) != (y < type(x)(0)) else rest


@elementwise
def neg(x):
    """-x."""
    return -x


@elementwise
def abs(x):
    """|x|."""
    return intrinsics.fabs(x)


@elementwise
def abs_integral(x):
    """|x| of integers; the least one wraps around to itself."""
    return type(x)(0) - x if x < type(x)(0) else x


@elementwise
def sign(x):
    """-1, 0 or 1; 0 for nan."""
    return type(x)(x > type(x)(0)) - type(x)(x < type(x)(0))


@elementwise
def lerp(x, y, weight):
    """x + weight (y - x), from the nearer end: exactly x at 0 and y at 1."""
    distance = y - x
    rest = type(x)(1) - weight
    return x + weight * distance if intrinsics.fabs(weight) < type(x)(0.5) else y - distance * rest


@elementwise
def addcmul(x, y, z, value: float):
    """x + value y z."""
    return x + value * y * z


@elementwise
def addcdiv(x, y, z, value: float):
    """x + value y / z."""
    return x + value * y / z
