"""Gradients of ``forward/regression_loss.py``. `scale` is what a reduction multiplies each by: 1 / count for a mean."""

from ..declare import elementwise
from ..intrinsics import copysign


@elementwise
def mse_loss(grad, x, y, scale: float):
    """2 * (x - y) * grad * scale."""
    d = x - y
    return (d + d) * (grad * scale)


@elementwise
def l1_loss(grad, x, y, scale: float):
    """sign(x - y) * grad * scale; the sign is 0 where they are equal and of NaN, as PyTorch has it."""
    d = x - y
    zero = type(x)(0)
    sign = copysign(type(x)(1), d) if d > zero or d < zero else zero
    return sign * (grad * scale)


@elementwise
def smooth_l1_loss(grad, x, y, beta: float, scale: float):
    """(x - y) / beta, not beyond -1 and 1, * grad * scale; with beta 0 that of `l1_loss`."""
    d = x - y
    zero = type(x)(0)
    g = grad * scale
    if d <= -beta:
        return -g if d < zero else zero * g
    if d >= beta:
        return g if d > zero else zero * g
    return g * d / beta if beta > zero else zero


@elementwise
def huber_loss(grad, x, y, delta: float, scale: float):
    """(x - y), not beyond -delta and delta, * grad * scale."""
    d = x - y
    d = -delta if d < -delta else d
    d = delta if d > delta else d
    return d * (grad * scale)
