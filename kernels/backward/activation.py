"""Gradients of the formulas in ``forward/activation.py``."""

from .. import elementary
from ..declare import elementwise

_SQRT_HALF = 0.7071067811865476
_SQRT_2_OVER_PI = 0.7978845608028654
_INVERSE_SQRT_2_PI = 0.3989422804014327
_CUBIC = 0.044715


@elementwise
def relu(grad, output):
    """grad where the output is positive, 0 elsewhere, at 0 too; grad beside nan."""
    return type(grad)(0) if output <= type(grad)(0) else grad


@elementwise
def leaky_relu(grad, x, negative_slope: float):
    """grad where x is positive, negative_slope * grad elsewhere."""
    return grad if x > type(x)(0) else grad * negative_slope


@elementwise
def sigmoid(grad, output):
    """grad * sigmoid(x) * (1 - sigmoid(x))."""
    return grad * ((type(grad)(1) - output) * output)


@elementwise
def silu(grad, x):
    """grad * sigmoid(x) * (1 + x * (1 - sigmoid(x)))."""
    one = type(x)(1)
    s = elementary.sigmoid(x)
    return grad * s * (one + x * (one - s))


@elementwise
def gelu(grad, x):
    """grad * (Phi(x) + x * phi(x)), Phi and phi the normal distribution and its density."""
    half = type(x)(0.5)
    distribution = half * (type(x)(1) + elementary.erf(x * type(x)(_SQRT_HALF)))
    density = elementary.exp(x * x * -half) * type(x)(_INVERSE_SQRT_2_PI)
    return grad * (distribution + x * density)


@elementwise
def gelu_tanh(grad, x):
    """grad times the derivative of x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x**3)))."""
    one, half = type(x)(1), type(x)(0.5)
    scale, cubic = type(x)(_SQRT_2_OVER_PI), type(x)(_CUBIC)
    t = elementary.tanh(scale * (x + cubic * (x * x * x)))
    inner = scale * (one + type(x)(3) * cubic * (x * x))
    return grad * (half * (one + t) + half * x * ((one - t * t) * inner))


@elementwise
def softplus(grad, x, beta: float, threshold: float):
    """grad * sigmoid(beta x), and grad where beta x > threshold."""
    scaled = x * beta
    return grad if scaled > threshold else grad * elementary.sigmoid(scaled)
