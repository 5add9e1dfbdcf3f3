"""Powers and roots. ``backward/power.py`` mirrors this file."""

from .. import elementary, intrinsics
from ..declare import elementwise

_INF = float("inf")


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


@elementwise
def hypot(x, y):
    """sqrt(x**2 + y**2) without overflow of the squares; inf if either is, even beside nan."""
    a, b = intrinsics.fabs(x), intrinsics.fabs(y)
    low, high = (a, b) if a < b else (b, a)
    ratio = low / high
    length = high * elementary.sqrt(type(x)(1) + ratio * ratio)
    length = high if low == type(x)(0) else length
    return type(x)(_INF) if a == type(x)(_INF) or b == type(x)(_INF) else length
