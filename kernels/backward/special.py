"""Gradients of the formulas in ``forward/special.py``: one result per differentiable input."""

from .. import elementary
from ..declare import elementwise

_TWO_OVER_SQRT_PI = 1.1283791670955126


@elementwise
def erf(grad, x):
    """grad * 2 / sqrt(pi) * exp(-x**2)."""
    return grad * (type(x)(_TWO_OVER_SQRT_PI) * elementary.exp(-(x * x)))


@elementwise
def erfc(grad, x):
    """-grad * 2 / sqrt(pi) * exp(-x**2)."""
    return -grad * (type(x)(_TWO_OVER_SQRT_PI) * elementary.exp(-(x * x)))
