"""Gradients of the losses in ``forward/loss.py``.

`scale` is what the reduction multiplies each element's gradient by: 1 / count for a mean.
"""

import numpy as np

from .. import elementary
from ..checked import in_bounds
from ..declare import elementwise, gufunc
from ..intrinsics import copysign, maximum
from ..rows import row_sum


@gufunc("(),(c),(),(),(),()->(c),()", "T,T,int64,int64,T,T->T,int64")
def cross_entropy(grad, x, target, ignored, top, log_sum, out, status):
    """grad * (softmax(x) - onehot(target)); 0 for an ignored target."""
    zero = x.dtype.type(0)
    status[0] = 0
    if target == ignored:
        for i in range(x.shape[0]):
            out[i] = zero
    else:
        for i in range(x.shape[0]):
            out[i] = grad * elementary.exp((x[i] - top) - log_sum)
        if in_bounds(target, x.shape[0]):
            # Subtracting grad from the large product would cancel; expm1 of a small logarithm does not.
            t = np.uintp(target)
            out[t] = grad * elementary.expm1((x[t] - top) - log_sum)
        else:
            status[0] = 1


@gufunc("(),(c),(c),(),()->(c)", "T,T,T,T,T->T")
def cross_entropy_probabilities(grad, x, target, top, log_sum, out):
    """grad * (softmax(x) * sum(target) - target)."""
    whole = type(grad)(row_sum(target))
    for i in range(x.shape[0]):
        out[i] = grad * (elementary.exp((x[i] - top) - log_sum) * whole - target[i])


@gufunc("(),(c),(),()->(c)", "T,T,T,T->T")
def cross_entropy_target(grad, x, top, log_sum, out):
    """-grad * log_softmax(x)."""
    for i in range(x.shape[0]):
        out[i] = -grad * ((x[i] - top) - log_sum)


@gufunc("(n),(n),(c),()->(c,n),()", "T,int64,T,int64->T,int64")
def nll_loss(grad, target, weight, ignored, out, status):
    """-weight[target] * grad at the target; the rest of `out`, which comes zeroed, stays."""
    status[0] = 0
    for i in range(target.shape[0]):
        t = target[i]
        if t != ignored:
            if in_bounds(t, weight.shape[0]):
                out[np.uintp(t), i] = -weight[np.uintp(t)] * grad[i]
            else:
                status[0] = 1


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
