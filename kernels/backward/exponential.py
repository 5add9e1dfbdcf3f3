"""Gradients of the formulas in ``forward/exponential.py``: one result per differentiable input."""

from .. import elementary
from ..declare import elementwise

_LN_2 = 0.6931471805599453
_LN_10 = 2.302585092994046


@elementwise
def exp(grad, output):
    """grad * exp(x)."""
    return grad * output


@elementwise
def exp2(grad, output):
    """grad * 2**x * ln 2."""
    return grad * (output * type(grad)(_LN_2))


@elementwise
def expm1(grad, output):
    """grad * exp(x)."""
    return grad * (output + type(grad)(1))


@elementwise
def log(grad, x):
    """grad / x."""
    return grad / x


@elementwise
def log1p(grad, x):
    """grad / (1 + x)."""
    return grad / (x + type(x)(1))


@elementwise
def log2(grad, x):
    """grad / (x ln 2)."""
    return grad / (x * type(x)(_LN_2))


@elementwise
def log10(grad, x):
    """grad / (x ln 10)."""
    return grad / (x * type(x)(_LN_10))


@elementwise(results=("T", "T"))
def logaddexp(grad, x, y):
    """grad * e**x / (e**x + e**y), grad * e**y / (e**x + e**y)."""
    return grad * elementary.sigmoid(x - y), grad * elementary.sigmoid(y - x)
