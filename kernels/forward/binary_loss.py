"""Losses of probabilities of two classes. ``backward/binary_loss.py`` mirrors this file."""

import numpy as np

from .. import elementary
from ..declare import elementwise, gufunc
from ..intrinsics import fabs, maximum


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
