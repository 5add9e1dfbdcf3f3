"""Formulas of activations. ``backward/activation.py`` mirrors this file."""

from .. import elementary
from ..declare import elementwise

_SQRT_HALF = 0.7071067811865476
_SQRT_2_OVER_PI = 0.7978845608028654
_CUBIC = 0.044715


@elementwise
def relu(x):
    """x where it is positive, 0 elsewhere; nan propagates."""
    return type(x)(0) if x < type(x)(0) else x


@elementwise
def leaky_relu(x, negative_slope: float):
    """x where it is positive, negative_slope * x elsewhere."""
    return x if x > type(x)(0) else x * negative_slope


@elementwise
def sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    return elementary.sigmoid(x)


@elementwise
def silu(x):
    """x * sigmoid(x); nan at -inf, as PyTorch."""
    return x / (type(x)(1) + elementary.exp(-x))


@elementwise
def gelu(x):
    """x * Phi(x), Phi the normal distribution: x / 2 * (1 + erf(x / sqrt(2)))."""
    return x * type(x)(0.5) * (type(x)(1) + elementary.erf(x * type(x)(_SQRT_HALF)))


@elementwise
def gelu_tanh(x):
    """x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x**3)))."""
    inner = type(x)(_SQRT_2_OVER_PI) * (x + type(x)(_CUBIC) * (x * x * x))
    return type(x)(0.5) * x * (type(x)(1) + elementary.tanh(inner))


@elementwise
def softplus(x, beta: float, threshold: float):
    """log(1 + exp(beta x)) / beta, and x itself where beta x > threshold."""
    scaled = x * beta
    return x if scaled > threshold else elementary.log1p(elementary.exp(scaled)) / beta
