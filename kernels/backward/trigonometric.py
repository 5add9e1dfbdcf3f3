"""Gradients of the formulas in ``forward/trigonometric.py``: one result per differentiable input."""

from .. import elementary
from ..declare import elementwise
from ..elementary.trigonometric import REDUCTION_LIMIT


@elementwise(limit=("x", REDUCTION_LIMIT))
def sin(grad, x):
    """grad * cos(x)."""
    return grad * elementary.cos(x)


@elementwise(limit=("x", REDUCTION_LIMIT))
def cos(grad, x):
    """-grad * sin(x)."""
    return -grad * elementary.sin(x)


@elementwise
def tan(grad, output):
    """grad * (1 + tan(x)**2)."""
    return grad * (type(grad)(1) + output * output)


@elementwise
def asin(grad, x):
    """grad / sqrt(1 - x**2)."""
    return grad * elementary.rsqrt(type(x)(1) - x * x)


@elementwise
def acos(grad, x):
    """-grad / sqrt(1 - x**2)."""
    return -grad * elementary.rsqrt(type(x)(1) - x * x)


@elementwise
def atan(grad, x):
    """grad / (1 + x**2)."""
    return grad / (type(x)(1) + x * x)


@elementwise(results=("T", "T"))
def atan2(grad, y, x):
    """grad * x / (x**2 + y**2), -grad * y / (x**2 + y**2)."""
    scale = grad / (x * x + y * y)
    return scale * x, -scale * y
