"""Losses. ``backward/loss.py`` mirrors this file; softmax itself stands in ``normalization.py``."""

import numpy as np

from .. import elementary
from ..checked import in_bounds
from ..declare import elementwise, gufunc
from ..intrinsics import fabs, maximum
from ..rows import row_difference_squares, row_exp_sum, row_max, row_products, row_sum


@gufunc("(n),()->()", "T,float64->T")
def total(losses, divisor, out):
    """The sum of the losses / divisor; NaN where nothing is divided by 0."""
    out[0] = row_sum(losses) / divisor


@gufunc("(n),(n)->()", "T,T->T")
def weighted_mean(losses, weights, out):
    """The sum of the losses / the sum of their weights; NaN where all weights are 0."""
    out[0] = row_sum(losses) / row_sum(weights)


@gufunc("(n),(),()->(),()", "int64,int64,int64->int64,int64")
def find_bad_target(target, classes, ignored, position, count):
    """The position of the first target that is neither a class nor `ignored`, -1 if there is none; how many count."""
    bad = np.int64(-1)
    used = np.int64(0)
    for i in range(target.shape[0]):
        t = target[i]
        if t != ignored:
            used += np.int64(1)
            if bad < 0 and (t < 0 or t >= classes):
                bad = np.int64(i)
    position[0] = bad
    count[0] = used


@gufunc("(c),(),()->(),(),(),()", "T,int64,int64->T,T,T,int64")
def cross_entropy(x, target, ignored, loss, top, log_sum, status):
    """log(sum exp(x)) - x[target], 0 for an ignored target; also max x and log(sum exp(x - max)) for backward.

    The two parts of the logarithm stay apart: their sum would lose bits where the maximum is large.
    """
    high = row_max(x)
    rest = elementary.log(type(high)(row_exp_sum(x, high)))
    top[0] = high
    log_sum[0] = rest
    loss[0] = type(high)(0)
    status[0] = 0
    if target != ignored:
        if in_bounds(target, x.shape[0]):
            loss[0] = rest - (x[np.uintp(target)] - high)
        else:
            status[0] = 1


@gufunc("(c),(c)->(),(),()", "T,T->T,T,T")
def cross_entropy_probabilities(x, target, loss, top, log_sum):
    """-sum(target * log_softmax(x)), and the same two for backward."""
    high = row_max(x)
    rest = elementary.log(type(high)(row_exp_sum(x, high)))
    top[0] = high
    log_sum[0] = rest
    loss[0] = rest * row_sum(target) - row_products(target, x, high)


@gufunc("(c,n),(n),(c),()->(n),(n),()", "T,int64,T,int64->T,T,int64")
def nll_loss(x, target, weight, ignored, loss, used, status):
    """-weight[target] * x[target] and weight[target]; both 0 for an ignored target."""
    zero = x.dtype.type(0)
    status[0] = 0
    for i in range(target.shape[0]):
        t = target[i]
        loss[i] = zero
        used[i] = zero
        if t != ignored:
            if in_bounds(t, x.shape[0]):
                w = weight[np.uintp(t)]
                loss[i] = -w * x[np.uintp(t), i]
                used[i] = w
            else:
                status[0] = 1


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
