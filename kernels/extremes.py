"""The largest and the smallest of a run of elements, in one pass that vectorises."""

import numpy as np

from .blocks import ZERO
from .ordering import of_order_key, order_key
from .scalar import by_family, scalar


@scalar
def extremes(x, start, stop):
    """The keys of the smallest and the largest of x[start:stop]: one pass that vectorises."""
    low = high = order_key(x[start])
    for i in range(start, stop):
        key = order_key(x[i])
        low = key if key < low else low
        high = key if key > high else high
    return low, high


@scalar
def has_nan_float(x, low, high):
    """Whether NaN is among elements with these extreme keys: with a sign it is below -inf, without above inf."""
    infinity = x.dtype.type(np.inf)
    return low < order_key(-infinity) or high > order_key(infinity)


@scalar
def has_nan_integer(x, low, high):
    """An integer is a number."""
    return False


has_nan = by_family(floating=has_nan_float, integral=has_nan_integer)


@scalar
def largest(x, start, stop):
    """The largest of x[start:stop]; NaN if there is one."""
    low, high = extremes(x, start, stop)
    return x.dtype.type(np.nan) if has_nan(x, low, high) else of_order_key(high)


@scalar
def smallest(x, start, stop):
    """The smallest of x[start:stop]; NaN if there is one."""
    low, high = extremes(x, start, stop)
    return x.dtype.type(np.nan) if has_nan(x, low, high) else of_order_key(low)


@scalar
def row_max(x):
    """The largest element; NaN if any is, -inf if there is none."""
    n = np.uintp(x.shape[0])
    return largest(x, ZERO, n) if n > ZERO else x.dtype.type(-np.inf)
