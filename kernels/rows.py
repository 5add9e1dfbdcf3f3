"""What row-wise kernels share: the largest element, sums and products of a row.

A row is summed in blocks of at most `BLOCK` elements. Only the function that sums one block lets LLVM reorder, which
vectorises it; blocks are added in order, in float64.
"""

import numpy as np

from . import elementary
from .options import REASSOCIATE
from .ordering import of_order_key, order_key
from .scalar import scalar

# Unsigned, because a signed index costs the wraparound of negative ones.
BLOCK = np.uintp(1024)
_FIRST = np.uintp(0)


def _block(function):
    """Declare a function that sums one block: LLVM may keep several partial sums."""
    declared = scalar(function)
    declared.fastmath = REASSOCIATE
    return declared


@scalar
def row_max(x):
    """The largest element; NaN if any is, -inf if there is none."""
    top = order_key(x.dtype.type(-np.inf))
    low = top_of_all = order_key(x.dtype.type(np.inf))
    bottom = top
    for i in range(x.shape[0]):
        key = order_key(x[i])
        top = key if key > top else top
        low = key if key < low else low
    # A NaN with a sign has a key below that of -inf, one without above that of inf.
    return x.dtype.type(np.nan) if top > top_of_all or low < bottom else of_order_key(top)


@_block
def _sum_block(x, start, stop):
    total = x.dtype.type(0)
    for i in range(start, stop):
        total += x[i]
    return total


@scalar
def row_sum(x):
    """The sum, as a float64."""
    n = np.uintp(x.shape[0])
    total = np.float64(0)
    start = _FIRST
    while start < n:
        stop = min(start + BLOCK, n)
        total += _sum_block(x, start, stop)
        start = stop
    return total


@_block
def _dot_block(x, y, start, stop):
    total = x.dtype.type(0)
    for i in range(start, stop):
        total += x[i] * y[i]
    return total


@scalar
def row_dot(x, y):
    """The sum of x * y, as a float64."""
    n = np.uintp(x.shape[0])
    total = np.float64(0)
    start = _FIRST
    while start < n:
        stop = min(start + BLOCK, n)
        total += _dot_block(x, y, start, stop)
        start = stop
    return total


@_block
def _exp_block(x, top, out, start, stop):
    total = x.dtype.type(0)
    for i in range(start, stop):
        e = elementary.exp(x[i] - top)
        out[i] = e
        total += e
    return total


@scalar
def row_exp(x, top, out):
    """Write exp(x - top) to `out` and return its sum as a float64."""
    n = np.uintp(x.shape[0])
    total = np.float64(0)
    start = _FIRST
    while start < n:
        stop = min(start + BLOCK, n)
        total += _exp_block(x, top, out, start, stop)
        start = stop
    return total


@_block
def _exp_sum_block(x, top, start, stop):
    total = x.dtype.type(0)
    for i in range(start, stop):
        total += elementary.exp(x[i] - top)
    return total


@scalar
def row_exp_sum(x, top):
    """The sum of exp(x - top), as a float64."""
    n = np.uintp(x.shape[0])
    total = np.float64(0)
    start = _FIRST
    while start < n:
        stop = min(start + BLOCK, n)
        total += _exp_sum_block(x, top, start, stop)
        start = stop
    return total


@_block
def _square_block(x, center, start, stop):
    total = x.dtype.type(0)
    for i in range(start, stop):
        d = x[i] - center
        total += d * d
    return total


@scalar
def row_squares(x, center):
    """The sum of (x - center)^2, as a float64."""
    n = np.uintp(x.shape[0])
    total = np.float64(0)
    start = _FIRST
    while start < n:
        stop = min(start + BLOCK, n)
        total += _square_block(x, center, start, stop)
        start = stop
    return total


@_block
def _product_block(x, y, center, start, stop):
    total = x.dtype.type(0)
    for i in range(start, stop):
        total += x[i] * (y[i] - center)
    return total


@scalar
def row_products(x, y, center):
    """The sum of x * (y - center), as a float64."""
    n = np.uintp(x.shape[0])
    total = np.float64(0)
    start = _FIRST
    while start < n:
        stop = min(start + BLOCK, n)
        total += _product_block(x, y, center, start, stop)
        start = stop
    return total


@_block
def _weighted_products_block(x, w, y, center, start, stop):
    total = x.dtype.type(0)
    for i in range(start, stop):
        total += x[i] * w[i] * (y[i] - center)
    return total


@scalar
def row_weighted_products(x, w, y, center):
    """The sum of x * w * (y - center), as a float64."""
    n = np.uintp(x.shape[0])
    total = np.float64(0)
    start = _FIRST
    while start < n:
        stop = min(start + BLOCK, n)
        total += _weighted_products_block(x, w, y, center, start, stop)
        start = stop
    return total


@_block
def _difference_block(x, y, start, stop):
    total = x.dtype.type(0)
    for i in range(start, stop):
        d = x[i] - y[i]
        total += d * d
    return total


@scalar
def row_difference_squares(x, y):
    """The sum of (x - y)^2, as a float64."""
    n = np.uintp(x.shape[0])
    total = np.float64(0)
    start = _FIRST
    while start < n:
        stop = min(start + BLOCK, n)
        total += _difference_block(x, y, start, stop)
        start = stop
    return total
