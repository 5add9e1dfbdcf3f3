"""Gradients of ``forward/binary_loss.py``. `scale` is what a reduction multiplies each by: 1 / count for a mean."""

from .. import elementary
from ..declare import elementwise
from ..intrinsics import maximum


@elementwise
def binary_cross_entropy(grad, x, target, scale: float):
    """(x - target) / (x * (1 - x)) * grad * scale, the denominator not below 1e-12."""
    one = type(x)(1)
    return grad * scale * (x - target) / maximum((one - x) * x, type(x)(1e-12))


@elementwise
def binary_cross_entropy_target(grad, x, scale: float):
    """(log(1 - x) - log(x)) * grad * scale, the logarithms not below -100."""
    floor = type(x)(-100)
    return (maximum(elementary.log1p(-x), floor) - maximum(elementary.log(x), floor)) * (grad * scale)


@elementwise
def binary_cross_entropy_with_logits(grad, x, target, scale: float):
    """(sigmoid(x) - target) * grad * scale."""
    return (elementary.sigmoid(x) - target) * (grad * scale)


@elementwise
def binary_cross_entropy_with_logits_target(grad, x, scale: float):
    """-x * grad * scale."""
    return -x * (grad * scale)
