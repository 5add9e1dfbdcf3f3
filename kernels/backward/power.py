"""Gradients of the formulas in ``forward/power.py``: one result per differentiable input."""

from .. import elementary
from ..declare import elementwise
from ..forward.power import COMMON_POWERS


@elementwise(results=("T", "T"), uniform=("y", COMMON_POWERS))
def pow(grad, x, y, output):
    """grad * y * x**(y - 1), which is 0 at y = 0, and grad * x**y * log(x), which is 0 at x = 0 <= y."""
    zero = type(x)(0)
    # The same choice as forward makes: without it x**2 would go backward at the price of a logarithm.
    factor = elementary.pow(x, y - type(x)(1))
    factor = x if y == type(x)(2) else factor
    factor = x * x if y == type(x)(3) else factor
    factor = elementary.rsqrt(x) if y == type(x)(0.5) else factor
    factor = type(x)(1) / (x * x) if y == type(x)(-1) else factor
    grad_x = zero if y == zero else grad * (y * factor)
    grad_y = zero if x == zero and y >= zero else grad * (output * elementary.log(x))
    return grad_x, grad_y


@elementwise
def square(grad, x):
    """grad * 2x."""
    return grad * (x + x)


@elementwise
def reciprocal(grad, output):
    """-grad / x**2."""
    return -grad * (output * output)


@elementwise
def sqrt(grad, output):
    """grad / (2 sqrt(x)): inf at 0."""
    return grad / (output + output)


@elementwise
def rsqrt(grad, output):
    """-grad / (2 x sqrt(x))."""
    return type(grad)(-0.5) * grad * (output * output * output)


@elementwise(results=("T", "T"))
def hypot(grad, x, y, output):
    """grad * x / sqrt(x**2 + y**2), grad * y / sqrt(x**2 + y**2)."""
    return grad * (x / output), grad * (y / output)
