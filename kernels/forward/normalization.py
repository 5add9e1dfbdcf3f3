"""Softmax, layer and batch normalisation. ``backward/normalization.py`` mirrors this file."""

import numpy as np

from .. import elementary, memory
from ..blocks import strip_by_strip
from ..declare import elementwise, gufunc
from ..intrinsics import maximum, sqrt
from ..rows import row_exp, row_exp_sum, row_max, row_squares, row_sum
from ..scalar import scalar

# Columns that are scaled at a time, so that some thousand rows of them stay in the second-level cache.
STRIP = np.uintp(128)
strip = memory.StackArray("T", 128)
strip_of_float64 = memory.StackArray("float64", 128)


@gufunc("(n)->(n)", "T->T")
def softmax(x, out):
    """exp(x - max x) / its sum. NaN throughout if x has a NaN or an inf, or is -inf throughout."""
    top = row_max(x)
    divisor = type(top)(row_exp(x, top, out))
    for i in range(x.shape[0]):
        out[i] = out[i] / divisor


@gufunc("(n)->(n)", "T->T")
def log_softmax(x, out):
    """x - max x - log(sum exp(x - max x))."""
    top = row_max(x)
    rest = elementary.log(type(top)(row_exp_sum(x, top)))
    for i in range(x.shape[0]):
        out[i] = (x[i] - top) - rest


@scalar
def column_maxima(x, k, start, width, tops):
    """Write the largest elements of x[k, :, start:start + width] to `tops`."""
    for j in range(width):
        tops[j] = x.dtype.type(-np.inf)
    for row in range(np.uintp(x.shape[1])):
        for j in range(width):
            tops[j] = maximum(tops[j], x[k, row, start + j])


@gufunc("(o,r,i)->(o,r,i)", "T->T")
@strip_by_strip(most=STRIP)
def softmax_columns(k, start, width, x, out):
    """softmax along the middle dimension, strip by strip of columns; sums in float64."""
    rows = np.uintp(x.shape[1])
    tops = strip()
    totals = strip_of_float64()
    column_maxima(x, k, start, width, tops)
    for j in range(width):
        totals[j] = 0.0
    for row in range(rows):
        for j in range(width):
            e = elementary.exp(x[k, row, start + j] - tops[j])
            out[k, row, start + j] = e
            totals[j] += np.float64(e)
    for j in range(width):
        tops[j] = totals[j]
    for row in range(rows):
        for j in range(width):
            out[k, row, start + j] /= tops[j]


@gufunc("(o,r,i)->(o,r,i)", "T->T")
@strip_by_strip(most=STRIP)
def log_softmax_columns(k, start, width, x, out):
    """log_softmax along the middle dimension, strip by strip of columns; sums in float64."""
    rows = np.uintp(x.shape[1])
    tops = strip()
    rests = strip()
    totals = strip_of_float64()
    column_maxima(x, k, start, width, tops)
    for j in range(width):
        totals[j] = 0.0
    for row in range(rows):
        for j in range(width):
            totals[j] += np.float64(elementary.exp(x[k, row, start + j] - tops[j]))
    for j in range(width):
        rests[j] = elementary.log(x.dtype.type(totals[j]))
    for row in range(rows):
        for j in range(width):
            out[k, row, start + j] = (x[k, row, start + j] - tops[j]) - rests[j]


@gufunc("(n),()->(n),(),()", "T,float64->T,T,T")
def normalize(x, eps, out, mean, rstd):
    """(x - mean) / sqrt(variance + eps), the mean and the reciprocal root; the variance is that of the population."""
    n = x.shape[0]
    center = x.dtype.type(row_sum(x) / n)
    scale = x.dtype.type(1.0 / sqrt(row_squares(x, center) / n + eps))
    mean[0] = center
    rstd[0] = scale
    for i in range(n):
        out[i] = (x[i] - center) * scale


@gufunc("(n),(n),(n),()->(n),(),()", "T,T,T,float64->T,T,T")
def layer_norm(x, weight, bias, eps, out, mean, rstd):
    """The same times weight plus bias, element by element of the row."""
    n = x.shape[0]
    center = x.dtype.type(row_sum(x) / n)
    scale = x.dtype.type(1.0 / sqrt(row_squares(x, center) / n + eps))
    mean[0] = center
    rstd[0] = scale
    for i in range(n):
        out[i] = (x[i] - center) * scale * weight[i] + bias[i]


@gufunc("(n)->()", "T->T")
def sum_rows(x, out):
    """The sum of each row."""
    out[0] = row_sum(x)


@gufunc("(n),()->()", "T,T->T")
def sum_square_rows(x, center, out):
    """The sum of (x - center)^2 of each row."""
    out[0] = row_squares(x, center)


@gufunc("(m,n)->(n)", "T->float64")
def sum_columns(x, out):
    """The sum of each column, in float64."""
    for j in range(x.shape[1]):
        out[j] = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[j] += x[i, j]


@gufunc("(m,n),(n)->(n)", "T,T->float64")
def sum_square_columns(x, center, out):
    """The sum of (x - center)^2 of each column, in float64."""
    for j in range(x.shape[1]):
        out[j] = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            d = x[i, j] - center[j]
            out[j] += d * d


@gufunc("(n),(),(),(),()->(n)", "T,T,T,T,T->T")
def standardize_rows(x, mean, rstd, weight, bias, out):
    """(x - mean) * rstd * weight + bias with one of each per row."""
    scale = rstd * weight
    for i in range(x.shape[0]):
        out[i] = (x[i] - mean) * scale + bias


@elementwise
def standardize(x, mean, rstd, weight, bias):
    """(x - mean) * rstd * weight + bias."""
    return (x - mean) * (rstd * weight) + bias
