"""Losses of class scores, mirrored by ``backward/classification_loss.py``. Softmax stands in ``normalization.py``.

Each target is compared with the classes as it is read: see ``bounds.py``.
"""

import numpy as np

from .. import elementary
from ..bounds import in_bounds
from ..declare import gufunc
from ..rows import row_exp_sum, row_max, row_products, row_sum


@gufunc("(b,c),(b),(),(),(three,b)->(),()", "T,int64,int64,bool,T->T,int64")
def cross_entropy(x, target, ignored, mean, parts, reduced, used):
    """Each row's log(sum exp(x)) - x[target], 0 for an ignored target, and their sum or mean.

    Args:
        mean: whether to divide the sum by the number of targets that are not ignored.
        parts: written to: max x, log(sum exp(x - max)) and the losses. The parts of the logarithm stay apart for
            backward: their sum would lose bits where the maximum is large.
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


@gufunc("(g,c,n),(g,n),(w),(),(),(two)->(g,n),()", "T,int64,T,int64,bool,T->T,bool")
def nll_loss(x, target, weight, ignored, mean, totals, losses, outside):
    """Each -weight[target] * x[target], 0 for an ignored target.

    Args:
        weight: one per class, or one for all.
        mean: whether to divide the sum by that of the weights.
        totals: written to: the sum or mean of the losses, and the sum of the weights.
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
    totals[np.uintp(0)] = total / weights if mean else total
    totals[np.uintp(1)] = weights
