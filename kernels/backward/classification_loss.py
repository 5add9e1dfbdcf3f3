"""Gradients of ``forward/classification_loss.py``."""

import numpy as np

from .. import elementary
from ..bounds import in_bounds
from ..declare import gufunc
from ..rows import row_sum


@gufunc("(g),(b,c),(b),(),(),(three,b)->(b,c),()", "T,T,int64,int64,T,T->T,bool")
def cross_entropy(grad, x, target, ignored, scale, parts, out, outside):
    """grad * scale * (softmax(x) - onehot(target)) for each row; 0 for an ignored target.

    Args:
        grad: one per row, or one for all.
        parts: as forward gave them.
    """
    zero = x.dtype.type(0)
    outside[0] = False
    for i in range(x.shape[0]):
        row = x[i]
        slope = out[i]
        t = target[i]
        if t == ignored:
            for j in range(row.shape[0]):
                slope[j] = zero
        elif in_bounds(t, row.shape[0]):
            g = grad[np.uintp(i) if grad.shape[0] > 1 else np.uintp(0)] * scale
            top = parts[0, i]
            log_sum = parts[1, i]
            for j in range(row.shape[0]):
                slope[j] = g * elementary.exp((row[j] - top) - log_sum)
            # Subtracting g from the large product would cancel; expm1 of a small logarithm does not.
            slope[np.uintp(t)] = g * elementary.expm1((row[np.uintp(t)] - top) - log_sum)
        else:
            outside[0] = True


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


@gufunc("(m),(g,n),(w),(),()->(g,c,n),()", "T,int64,T,int64,T->T,bool")
def nll_loss(grad, target, weight, ignored, divisor, out, outside):
    """-weight[target] * grad / divisor at each target; the rest of `out`, which comes zeroed, stays.

    Args:
        grad: one per target, or one for all.
        weight: one per class, or one for all.
        divisor: where it is 0, no target or no weight counts: nothing is written.
    """
    zero = out.dtype.type(0)
    outside[0] = False
    for i in range(target.shape[0]):
        for j in range(target.shape[1]):
            t = target[i, j]
            if t != ignored:
                if in_bounds(t, out.shape[1]):
                    w = weight[np.uintp(t) if weight.shape[0] > 1 else np.uintp(0)]
                    g = grad[np.uintp(i * target.shape[1] + j) if grad.shape[0] > 1 else np.uintp(0)]
                    if divisor != zero:
                        out[np.uintp(i), np.uintp(t), np.uintp(j)] = -w * (g / divisor)
                else:
                    outside[0] = True
