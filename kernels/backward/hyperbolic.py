"""Gradients of the formulas in ``forward/hyperbolic.py``: one result per differentiable input."""

from .. import elementary
from ..declare import elementwise


@elementwise
def sinh(grad, x):
    """grad * cosh(x)."""
    return grad * elementary.cosh(x)


@elementwise
def cosh(grad, x):
    """grad * sinh(x)."""
    return grad * elementary.sinh(x)


@elementwise
def tanh(grad, output):
    """grad * (1 - tanh(x)**2)."""
    return grad * (type(grad)(1) - output * output)


@elementwise
def asinh(grad, x):
    """grad / sqrt(x**2 + 1)."""
    return grad * elementary.rsqrt(x * x + type(x)(1))


@elementwise
def acosh(grad, x):
    """grad / sqrt(x**2 - 1)."""
    return grad * elementary.rsqrt(x * x - type(x)(1))


@elementwise
def atanh(grad, x):
    """grad / (1 - x**2)."""
    return grad / (type(x)(1) - x * x)
