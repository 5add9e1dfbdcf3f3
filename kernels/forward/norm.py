"""Norms, and log(sum(exp(x))). ``backward/norm.py`` mirrors this file."""

import math

import numpy as np

from .. import elementary
from ..blocks import ZERO, blockwise, strip_by_strip, strip_of_float64
from ..declare import gufunc
from ..extremes import largest
from ..intrinsics import fabs, maximum, minimum
from ..rows import row_exp_sum
from ..scalar import block, scalar


@gufunc("(n)->()", "T->T")
def logsumexp(x, out):
    """log(exp(x[0]) + ... + exp(x[n - 1])), shifted by the largest: -inf for no element, or where all are."""
    n = np.uintp(x.shape[0])
    if n == ZERO:
        out[0] = -np.inf
        return
    shift = largest(x, ZERO, n)
    if shift - shift != shift - shift:
        # Infinite or NaN: inf - inf is no shift.
        out[0] = shift
        return
    out[0] = shift + elementary.log(x.dtype.type(row_exp_sum(x, shift)))


@gufunc("(o,r,i)->(o,i)", "T->T", contiguous=True)
@strip_by_strip
def logsumexp_columns(k, start, width, x, out):
    """log(sum(exp(x))) over the middle dimension."""
    rows = np.uintp(x.shape[1])
    totals = strip_of_float64()
    for j in range(width):
        out[k, start + j] = -np.inf
        totals[j] = 0.0
    for row in range(rows):
        for j in range(width):
            out[k, start + j] = maximum(out[k, start + j], x[k, row, start + j])
    for row in range(rows):
        for j in range(width):
            totals[j] += np.float64(elementary.exp(x[k, row, start + j] - out[k, start + j]))
    for j in range(width):
        shift = out[k, start + j]
        value = shift + elementary.log(x.dtype.type(totals[j]))
        # Where the largest is infinite or NaN, the sum is NaN and the largest is the result.
        out[k, start + j] = value if shift - shift == shift - shift else shift


@block
def squares_block(start, stop, x):
    """The sum of x**2 over x[start:stop]."""
    total = x.dtype.type(0)
    for i in range(start, stop):
        total += x[i] * x[i]
    return total


@block
def scaled_squares_block(start, stop, x, scale):
    """The sum of (scale x)**2 over x[start:stop], in float64."""
    total = 0.0
    for i in range(start, stop):
        value = np.float64(x[i]) * scale
        total += value * value
    return total


@block
def magnitudes_block(start, stop, x):
    """The sum of abs(x) over x[start:stop], in float64."""
    total = 0.0
    for i in range(start, stop):
        total += np.float64(fabs(x[i]))
    return total


@block
def powers_block(start, stop, x, p):
    """The sum of abs(x)**p over x[start:stop]."""
    total = x.dtype.type(0)
    for i in range(start, stop):
        total += elementary.pow(fabs(x[i]), p)
    return total


# Blocks of squares may have overflown or underflown.
sum_of_squares = blockwise(squares_block)
scaled_sum_of_squares = blockwise(scaled_squares_block)
sum_of_magnitudes = blockwise(magnitudes_block)
sum_of_powers = blockwise(powers_block)


@scalar
def largest_magnitude(x):
    """The largest abs(x), NaN if there is one; 0 for no element."""
    best = x.dtype.type(0)
    for i in range(np.uintp(x.shape[0])):
        best = maximum(best, fabs(x[i]))
    return best


@gufunc("(n)->()", "T->T")
def norm_2(x, out):
    """sqrt(sum(x**2)); once more, scaled by the largest element, where a square may have overflown or underflown."""
    total = sum_of_squares(x)
    if not (total > 1e-24 and total < 1e38):
        largest = np.float64(largest_magnitude(x))
        if largest > 0.0 and largest < np.inf:
            # The largest float64 has no reciprocal but a denormal; the least has none at all.
            scale = 1.0 / min(max(largest, 1e-300), 1e300)
            total = scaled_sum_of_squares(x, scale)
            out[0] = math.sqrt(total) / scale
            return
    out[0] = math.sqrt(total)


@gufunc("(n)->()", "T->T")
def norm_1(x, out):
    """sum(abs(x))."""
    out[0] = sum_of_magnitudes(x)


@gufunc("(n)->()", "T->T")
def norm_largest(x, out):
    """max(abs(x)), the norm of order inf; NaN if there is one."""
    out[0] = largest_magnitude(x)


@gufunc("(n)->()", "T->T")
def norm_smallest(x, out):
    """min(abs(x)), the norm of order -inf."""
    best = fabs(x[0])
    for i in range(np.uintp(x.shape[0])):
        best = minimum(best, fabs(x[i]))
    out[0] = best


@gufunc("(n)->()", "T->T")
def norm_0(x, out):
    """How many elements are not zero."""
    total = np.int64(0)
    for i in range(x.shape[0]):
        total += np.int64(x[i] != x.dtype.type(0))
    out[0] = total


@gufunc("(n),()->()", "T,T->T")
def norm_p(x, p, out):
    """sum(abs(x)**p)**(1 / p)."""
    out[0] = elementary.pow(x.dtype.type(sum_of_powers(x, p)), x.dtype.type(1) / p)
