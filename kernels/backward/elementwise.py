"""Gradients of the formulas in ``forward/elementwise.py``: one result per differentiable input.

A gradient that is the incoming one, or zero, needs no kernel: those are plain functions of an array.
"""

import numpy as np

from .. import elementary, intrinsics
from ..declare import elementwise
from ..forward.elementwise import COMMON_POWERS, floor_of_quotient

_LN_2 = 0.6931471805599453
_LN_10 = 2.302585092994046
_TWO_OVER_SQRT_PI = 1.1283791670955126

# ---------------------------------------------------------------------------------------------------------------------
# Arithmetic


def add(grad):
    """The gradient itself for both inputs: the same array, so no kernel."""
    return grad, grad


@elementwise(results=("T", "T"))
def sub(grad):
    """grad, -grad."""
    return grad, -grad


@elementwise(results=("T", "T"))
def mul(grad, x, y):
    """grad * y, grad * x."""
    return grad * y, grad * x


@elementwise(results=("T", "T"))
def div(grad, x, y):
    """grad / y, -grad * (x / y) / y."""
    return grad / y, -grad * ((x / y) / y)


@elementwise(results=("T", "T"))
def remainder(grad, x, y):
    """grad, -grad * floor(x / y)."""
    return grad, -grad * floor_of_quotient(x, y)


@elementwise(results=("T", "T"))
def fmod(grad, x, y):
    """grad, -grad * trunc(x / y)."""
    return grad, -grad * intrinsics.trunc(x / y)


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
def neg(grad):
    """-grad."""
    return -grad


@elementwise
def abs(grad, x):
    """grad * sign(x), 0 at x = 0."""
    return grad * (type(x)(x > type(x)(0)) - type(x)(x < type(x)(0)))


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


def constant(grad):
    """Zero: of functions that are constant between their steps."""
    return (np.zeros_like(grad),)


def constant_2(grad):
    """Zero for both inputs."""
    return np.zeros_like(grad), np.zeros_like(grad)


# ---------------------------------------------------------------------------------------------------------------------
# Exponentials and logarithms


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


# ---------------------------------------------------------------------------------------------------------------------
# Trigonometric and hyperbolic functions


@elementwise
def sin(grad, x):
    """grad * cos(x)."""
    return grad * elementary.cos(x)


@elementwise
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
def erf(grad, x):
    """grad * 2 / sqrt(pi) * exp(-x**2)."""
    return grad * (type(x)(_TWO_OVER_SQRT_PI) * elementary.exp(-(x * x)))


@elementwise
def erfc(grad, x):
    """-grad * 2 / sqrt(pi) * exp(-x**2)."""
    return -grad * (type(x)(_TWO_OVER_SQRT_PI) * elementary.exp(-(x * x)))


# ---------------------------------------------------------------------------------------------------------------------
# Choice


@elementwise(results=("T", "T"))
def maximum(grad, x, y):
    """grad for the larger one, half of it for each at a tie."""
    tied = grad * type(grad)(0.5)
    zero = type(grad)(0)
    return tied if x == y else (zero if x < y else grad), tied if x == y else (zero if x > y else grad)


@elementwise(results=("T", "T"))
def minimum(grad, x, y):
    """grad for the smaller one, half of it for each at a tie."""
    tied = grad * type(grad)(0.5)
    zero = type(grad)(0)
    return tied if x == y else (zero if x > y else grad), tied if x == y else (zero if x < y else grad)


@elementwise(results=("T", "T", "T"))
def clamp(grad, x, low, high):
    """grad for x inside the limits and on them; for a limit where it is the result."""
    zero = type(grad)(0)
    return (
        grad if x >= low and x <= high else zero,
        grad if x < low and low < high else zero,
        grad if x > high or high < low else zero,
    )


@elementwise(results=("T", "T"))
def clamp_min(grad, x, low):
    """grad for x where it is not below the limit, for the limit elsewhere."""
    zero = type(grad)(0)
    return grad if x >= low else zero, grad if x < low else zero


@elementwise(results=("T", "T"))
def clamp_max(grad, x, high):
    """grad for x where it is not above the limit, for the limit elsewhere."""
    zero = type(grad)(0)
    return grad if x <= high else zero, grad if x > high else zero


@elementwise(results=("T", "T"))
def where(grad, condition: bool):
    """grad where each is chosen, 0 elsewhere: nothing of the branch that is not chosen enters."""
    zero = type(grad)(0)
    return grad if condition else zero, zero if condition else grad
