"""Losses. ``backward/loss.py`` mirrors this file; softmax itself stands in ``normalization.py``."""

import numpy as np

from .. import elementary
from ..bounds import in_bounds
from ..declare import elementwise, gufunc
from ..intrinsics import fabs, maximum
from ..rows import row_difference_squares, row_exp_sum, row_max, row_products, row_sum


@gufunc("(n),()->()", "T,float64->T")
def total(losses, divisor, out):
    """The sum of the losses / divisor; NaN where nothing is divided by 0."""
    out[0] = row_sum(losses) / divisor


@gufunc("(b,c),(b),(),()->(),(3,b),()", "T,int64,int64,bool->T,T,int64")
def cross_entropy(x, target, ignored, mean, reduced, parts, used):
    """Each row's log(sum exp(x)) - x[target], 0 for an ignored target, and their sum or mean.

    Each target is compared with the classes as it is read: see ``bounds.py``.

    Args:
        mean: whether to divide the sum by the number of targets that are not ignored.
        parts: max x, log(sum exp(x - max)) and the losses. The parts of the logarithm stay apart for backward: their
            sum would lose bits where the maximum is large.
        used: how many targets are not ignored; -1 if one of them is no class.
    """
    total = np.float64(0)
    count = np.int64(0)
    outside = False
    for i in range(x.shape[0]):
        row = x[i]
        high = row_max(row)
        rest = elementary.log(type(high)(row_exp_sum(row, high)))
        loss = type(high)(0)
        t = target[i]
        if t != ignored:
            count += 1
            if in_bounds(t, row.shape[0]):
                loss = rest - (row[np.uintp(t)] - high)
            else:
                outside = True
        parts[0, i] = high
        parts[1, i] = rest
        parts[2, i] = loss
        total += np.float64(loss)
    reduced[0] = total / np.float64(count) if mean else total
    used[0] = -1 if outside else count


@gufunc("(c),(c)->(),(),()", "T,T->T,T,T")
def cross_entropy_probabilities(x, target, loss, top, log_sum):
    """-sum(target * log_softmax(x)), and the same two for backward."""
    high = row_max(x)
    rest = elementary.log(type(high)(row_exp_sum(x, high)))
    top[0] = high
    log_sum[0] = rest
    loss[0] = rest * row_sum(target) - row_products(target, x, high)


@gufunc("(g,c,n),(g,n),(w),(),()->(),(),(g,n),()", "T,int64,T,int64,bool->T,T,T,bool")
def nll_loss(x, target, weight, ignored, mean, reduced, used, losses, outside):
    """Each -weight[target] * x[target], 0 for an ignored target, and their sum or mean; `used`: the sum of the weights.

    Each target is compared with the classes as it is read: see ``bounds.py``.

    Args:
        weight: one per class, or one for all.
        mean: whether to divide the sum by that of the weights.
    """
    zero = x.dtype.type(0)
    total = np.float64(0)
    weights = np.float64(0)
    outside[0] = False
    for i in range(target.shape[0]):
        for j in range(target.shape[1]):
            t = target[i, j]
            loss = zero
            if t != ignored:
                if in_bounds(t, x.shape[1]):
                    w = weight[np.uintp(t) if weight.shape[0] > 1 else np.uintp(0)]
                    loss = -w * x[np.uintp(i), np.uintp(t), np.uintp(j)]
                    weights += np.float64(w)
                else:
                    outside[0] = True
            losses[i, j] = loss
            total += np.float64(loss)
    reduced[0] = total / weights if mean else total
    used[0] = weights


@gufunc("(n),(n),()->()", "T,T,float64->T")
def mse_total(x, y, divisor, out):
    """The sum of (x - y)^2 / divisor, without an array between."""
    out[0] = row_difference_squares(x, y) / divisor


@elementwise
def mse_loss(x, y):
    """(x - y)^2."""
    d = x - y
    return d * d


@elementwise
def l1_loss(x, y):
    """abs(x - y)."""
    return fabs(x - y)


@elementwise
def smooth_l1_loss(x, y, beta: float):
    """(x - y)^2 / (2 beta) where abs(x - y) < beta, else abs(x - y) - beta / 2."""
    d = fabs(x - y)
    half = type(x)(0.5)
    return half * d * d / beta if d < beta else d - half * beta


@elementwise
def huber_loss(x, y, delta: float):
    """(x - y)^2 / 2 where abs(x - y) < delta, else delta * (abs(x - y) - delta / 2)."""
    d = fabs(x - y)
    half = type(x)(0.5)
    return half * d * d if d < delta else delta * (d - half * delta)


@gufunc("(n)->()", "T->int64")
def count_outside_unit(x, count):
    """How many elements are not in [0, 1], NaN included."""
    outside = np.int64(0)
    zero = x.dtype.type(0)
    one = x.dtype.type(1)
    for i in range(x.shape[0]):
        if not (x[i] >= zero and x[i] <= one):
            outside += np.int64(1)
    count[0] = outside


@elementwise
def binary_cross_entropy(x, target):
    """-(target * log(x) + (1 - target) * log(1 - x)), the logarithms not below -100."""
    one = type(x)(1)
    floor = type(x)(-100)
    return (target - one) * maximum(elementary.log1p(-x), floor) - target * maximum(elementary.log(x), floor)


@elementwise
def binary_cross_entropy_with_logits(x, target):
    """(1 - target) * x + log(1 + exp(-x)), without overflow for any x."""
    one = type(x)(1)
    zero = type(x)(0)
    return (one - target) * x + elementary.log1p(elementary.exp(-fabs(x))) + maximum(-x, zero)
