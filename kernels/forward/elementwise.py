"""Formulas of elementwise ops. ``backward/elementwise.py`` mirrors this file."""

from .. import elementary, intrinsics
from ..declare import elementwise
from ..scalar import scalar

_NAN, _INF = float("nan"), float("inf")

# ---------------------------------------------------------------------------------------------------------------------
# Arithmetic


@elementwise
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


# The commonest powers need no logarithm. Each is the same number wherever it comes from: a formula chooses by selects,
# since a branch would keep the loop scalar, and a loop of its own serves one power for all elements.
COMMON_POWERS = (2, 3, 0.5, -1)


@elementwise(uniform=("y", COMMON_POWERS))
def pow(x, y):
    """x to the power y, with C99's special cases, but sqrt(x) for y = 1/2, as in PyTorch: nan at -inf."""
    value = elementary.pow(x, y)
    value = x * x if y == type(x)(2) else value
    value = x * x * x if y == type(x)(3) else value
    value = elementary.sqrt(x) if y == type(x)(0.5) else value
    return type(x)(1) / x if y == type(x)(-1) else value


@elementwise
def pow_integral(x, y):
    """x to the power y of integers by repeated squaring, wrapping around; 1 / x**-y without its fraction for y < 0."""
    one = type(x)(1)
    if y < type(x)(0):
        if x == one:
            return one
        if x == type(x)(-1):
            return type(x)(-1) if y & one else one
        return type(x)(0)
    result = one
    while y > type(x)(0):
        if y & one:
            result = type(x)(result * x)
        x = type(x)(x * x)
        y = type(x)(y >> one)
    return result


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
def square(x):
    """x * x."""
    return x * x


@elementwise
def reciprocal(x):
    """1 / x."""
    return type(x)(1) / x


@elementwise
def sqrt(x):
    """The square root, correctly rounded; nan below zero."""
    return elementary.sqrt(x)


@elementwise
def rsqrt(x):
    """1 / sqrt(x)."""
    return elementary.rsqrt(x)


# ---------------------------------------------------------------------------------------------------------------------
# Exponentials and logarithms


@elementwise
def exp(x):
    """e**x."""
    return elementary.exp(x)


@elementwise
def exp2(x):
    """2**x."""
    return elementary.exp2(x)


@elementwise
def expm1(x):
    """e**x - 1, accurate near 0."""
    return elementary.expm1(x)


@elementwise
def log(x):
    """The natural logarithm; -inf at 0, nan below."""
    return elementary.log(x)


@elementwise
def log1p(x):
    """log(1 + x), accurate near 0."""
    return elementary.log1p(x)


@elementwise
def log2(x):
    """The logarithm to base 2."""
    return elementary.log2(x)


@elementwise
def log10(x):
    """The logarithm to base 10."""
    return elementary.log10(x)


# ---------------------------------------------------------------------------------------------------------------------
# Trigonometric and hyperbolic functions


@elementwise
def sin(x):
    """The sine of radians."""
    return elementary.sin(x)


@elementwise
def cos(x):
    """The cosine of radians."""
    return elementary.cos(x)


@elementwise
def tan(x):
    """The tangent of radians."""
    return elementary.tan(x)


@elementwise
def asin(x):
    """The arc sine in radians; nan outside [-1, 1]."""
    return elementary.asin(x)


@elementwise
def acos(x):
    """The arc cosine in radians; nan outside [-1, 1]."""
    return elementary.acos(x)


@elementwise
def atan(x):
    """The arc tangent in radians."""
    return elementary.atan(x)


@elementwise
def sinh(x):
    """The hyperbolic sine."""
    return elementary.sinh(x)


@elementwise
def cosh(x):
    """The hyperbolic cosine."""
    return elementary.cosh(x)


@elementwise
def tanh(x):
    """The hyperbolic tangent."""
    return elementary.tanh(x)


@elementwise
def erf(x):
    """The error function."""
    return elementary.erf(x)


@elementwise
def erfc(x):
    """1 - erf(x), accurate where erf(x) is near 1."""
    return elementary.erfc(x)


# ---------------------------------------------------------------------------------------------------------------------
# Rounding


@elementwise
def floor(x):
    """The largest integer not above x."""
    return intrinsics.floor(x)


@elementwise
def ceil(x):
    """The smallest integer not below x."""
    return intrinsics.ceil(x)


@elementwise
def round(x):
    """The nearest integer, ties to even."""
    return intrinsics.rint(x)


@elementwise
def trunc(x):
    """x without its fraction."""
    return intrinsics.trunc(x)


# ---------------------------------------------------------------------------------------------------------------------
# Choice


@elementwise
def maximum(x, y):
    """The larger one; nan if either is nan."""
    return x if x >= y or x != x else y


@elementwise
def minimum(x, y):
    """The smaller one; nan if either is nan."""
    return x if x <= y or x != x else y


@elementwise
def clamp(x, low, high):
    """x limited to [low, high]; high where low > high; nan if any is nan."""
    x = x if x >= low or x != x else low
    return x if x <= high or x != x else high


@elementwise
def where(condition: bool, x, y):
    """x where the condition holds, y elsewhere."""
    return x if condition else y
