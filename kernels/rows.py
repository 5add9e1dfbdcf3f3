"""What row-wise kernels share: sums over one row and its exponentials. Sums are blocked; see ``blocks.py``."""

from . import elementary
from .blocks import blockwise, row_sum
from .extremes import row_max
from .scalar import block

__all__ = [
    "row_difference_squares",
    "row_dot",
    "row_exp",
    "row_exp_sum",
    "row_max",
    "row_products",
    "row_squares",
    "row_sum",
    "row_weighted_products",
]


@block
def _dot_block(start, stop, x, y):
    total = x.dtype.type(0)
    for i in range(start, stop):
        total += x[i] * y[i]
    return total


@block
def _exp_block(start, stop, x, top, out):
    total = x.dtype.type(0)
    for i in range(start, stop):
        e = elementary.exp(x[i] - top)
        out[i] = e
        total += e
    return total


@block
def _exp_sum_block(start, stop, x, top):
    total = x.dtype.type(0)
    for i in range(start, stop):
        total += elementary.exp(x[i] - top)
    return total


@block
def _square_block(start, stop, x, center):
    total = x.dtype.type(0)
    for i in range(start, stop):
        d = x[i] - center
        total += d * d
    return total


@block
def _product_block(start, stop, x, y, center):
    total = x.dtype.type(0)
    for i in range(start, stop):
        total += x[i] * (y[i] - center)
    return total


@block
def _weighted_products_block(start, stop, x, w, y, center):
    total = x.dtype.type(0)
    for i in range(start, stop):
        total += x[i] * w[i] * (y[i] - center)
    return total


@block
def _difference_block(start, stop, x, y):
    total = x.dtype.type(0)
    for i in range(start, stop):
        d = x[i] - y[i]
        total += d * d
    return total


# The sum of x * y.
row_dot = blockwise(_dot_block)
# The sum of exp(x - top), which is also written to `out`; and without that.
row_exp = blockwise(_exp_block)
row_exp_sum = blockwise(_exp_sum_block)
# The sum of (x - center)^2.
row_squares = blockwise(_square_block)
# The sum of x * (y - center), and of x * w * (y - center).
row_products = blockwise(_product_block)
row_weighted_products = blockwise(_weighted_products_block)
# The sum of (x - y)^2.
row_difference_squares = blockwise(_difference_block)
