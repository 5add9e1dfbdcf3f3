"""Gradients of the formulas in ``forward/special.py``: one result per differentiable input."""

from .. import elementary
from ..declare import elementwise

_PI = 3.141592653589793
_TWO_OVER_SQRT_PI = 1.1283791670955126


@elementwise
def erf(grad, x):
    """grad * 2 / sqrt(pi) * exp(-x**2)."""
    return grad * (type(x)(_TWO_OVER_SQRT_PI) * elementary.exp(-(x * x)))


@elementwise
def erfc(grad, x):
    """-grad * 2 / sqrt(pi) * exp(-x**2)."""
    return -grad * (type(x)(_TWO_OVER_SQRT_PI) * elementary.exp(-(x * x)))


@elementwise(results=("T", "T"))
def xlogy(grad, x, y):
    """grad * log(y), 0 at x = 0 >= y, and grad * x / y."""
    constant = x == type(x)(0) and y <= type(x)(0)
    return type(x)(0) if constant else grad * elementary.log(y), grad * x / y


@elementwise
def sinc(grad, x):
    """grad * (cos(pi x) - sinc(x)) / x, 0 at 0."""
    angle = x * type(x)(_PI)
    slope = (elementary.cos(angle) - elementary.sin(angle) / angle) / x
    return type(x)(0) if x == type(x)(0) else grad * slope
