"""Variance: two passes in float64, so a large mean costs no digits. ``backward/variance.py`` mirrors this file."""

import math

import numpy as np

from ..blocks import BLOCK, ZERO, add_exactly, strip_by_strip, strip_of_float64, total_of, with_lost
from ..declare import gufunc
from ..scalar import block, scalar


@block
def moments_block(start, stop, x, mean):
    """The sums of (x - mean)**2 and of x - mean over x[start:stop]."""
    squares = 0.0
    rest = 0.0
    for i in range(start, stop):
        deviation = np.float64(x[i]) - mean
        squares += deviation * deviation
        rest += deviation
    return squares, rest


@scalar
def corrected(squares, rest, count):
    """The sum of squared deviations less what the rounded mean put into it; not below 0, where rounding may take it."""
    left = squares - rest * rest / count
    return 0.0 if left < 0.0 else left


@scalar
def variance_of(x, correction):
    """(variance, mean) as float64.

    The deviations do not sum to zero exactly, because the mean is rounded: their sum corrects the squares' (Chan,
    Golub and LeVeque 1983, "corrected two-pass algorithm").
    """
    n = np.uintp(x.shape[0])
    count = np.float64(x.shape[0])
    mean = total_of(x) / count
    squares = 0.0
    lost = 0.0
    rest = 0.0
    start = ZERO
    while start < n:
        stop = min(start + BLOCK, n)
        partial, deviations = moments_block(start, stop, x, mean)
        squares, lost = add_exactly(squares, lost, partial)
        rest += deviations
        start = stop
    return corrected(with_lost(squares, lost), rest, count) / max(count - np.float64(correction), 0.0), mean


@gufunc("(n),()->(),()", "T,T->T,T")
def var(x, correction, out, mean):
    """The sum of squared deviations over n - correction (NaN or inf where that is not positive), and the mean."""
    variance, average = variance_of(x, correction)
    out[0] = variance
    mean[0] = average


@gufunc("(n),()->(),()", "T,T->T,T")
def std(x, correction, out, mean):
    """The square root of the variance, and the mean."""
    variance, average = variance_of(x, correction)
    out[0] = math.sqrt(variance)
    mean[0] = average


@scalar
def variance_strip(k, start, width, x, correction, root, out, mean):
    """Variance, or its root, over the middle dimension of a strip of columns."""
    rows = np.uintp(x.shape[1])
    count = np.float64(x.shape[1])
    divisor = max(count - np.float64(correction), 0.0)
    means = strip_of_float64()
    squares = strip_of_float64()
    rests = strip_of_float64()
    for j in range(width):
        means[j] = 0.0
        squares[j] = 0.0
        rests[j] = 0.0
    for row in range(rows):
        for j in range(width):
            means[j] += np.float64(x[k, row, start + j])
    for j in range(width):
        means[j] /= count
    for row in range(rows):
        for j in range(width):
            deviation = np.float64(x[k, row, start + j]) - means[j]
            squares[j] += deviation * deviation
            rests[j] += deviation
    for j in range(width):
        variance = corrected(squares[j], rests[j], count) / divisor
        out[k, start + j] = math.sqrt(variance) if root else variance
        mean[k, start + j] = means[j]


@gufunc("(o,r,i),()->(o,i),(o,i)", "T,T->T,T", contiguous=True)
@strip_by_strip
def var_columns(k, start, width, x, correction, out, mean):
    """The variance over the middle dimension, and the mean."""
    variance_strip(k, start, width, x, correction, False, out, mean)


@gufunc("(o,r,i),()->(o,i),(o,i)", "T,T->T,T", contiguous=True)
@strip_by_strip
def std_columns(k, start, width, x, correction, out, mean):
    """The standard deviation over the middle dimension, and the mean."""
    variance_strip(k, start, width, x, correction, True, out, mean)
