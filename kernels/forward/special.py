"""Special functions: the error function. ``backward/special.py`` mirrors this file."""

from .. import elementary
from ..declare import elementwise

_PI = 3.141592653589793


@elementwise
def erf(x):
    """The error function."""
    return elementary.erf(x)


@elementwise
def erfc(x):
    """1 - erf(x), accurate where erf(x) is near 1."""
    return elementary.erfc(x)


@elementwise
def xlogy(x, y):
    """x * log(y); 0 at x = 0, unless y is nan."""
    return type(x)(0) if x == type(x)(0) and y == y else x * elementary.log(y)


@elementwise
def sinc(x):
    """sin(pi x) / (pi x); 1 at 0."""
    angle = x * type(x)(_PI)
    return type(x)(1) if x == type(x)(0) else elementary.sin(angle) / angle
