"""Gradients of the kernels in ``forward/normalization.py``."""

import numpy as np

from .. import elementary
from ..blocks import strip_by_strip
from ..declare import elementwise, gufunc
from ..forward.normalization import STRIP, strip_of_float64
from ..rows import row_dot, row_products, row_sum, row_weighted_products


@gufunc("(n),(n)->(n)", "T,T->T")
def softmax(grad, output, out):
    """(grad - sum(grad * output)) * output."""
    inner = type(grad[0])(row_dot(grad, output))
    for i in range(grad.shape[0]):
        out[i] = (grad[i] - inner) * output[i]


@gufunc("(n),(n)->(n)", "T,T->T")
def log_softmax(grad, output, out):
    """grad - exp(output) * sum(grad)."""
    whole = type(grad[0])(row_sum(grad))
    for i in range(grad.shape[0]):
        out[i] = grad[i] - elementary.exp(output[i]) * whole


@gufunc("(o,r,i),(o,r,i)->(o,r,i)", "T,T->T")
@strip_by_strip(most=STRIP)
def softmax_columns(k, start, width, grad, output, out):
    """The gradient of softmax along the middle dimension; sums in float64."""
    rows = np.uintp(grad.shape[1])
    inners = strip_of_float64()
    for j in range(width):
        inners[j] = 0.0
    for row in range(rows):
        for j in range(width):
            inners[j] += np.float64(grad[k, row, start + j] * output[k, row, start + j])
    for row in range(rows):
        for j in range(width):
            inner = grad.dtype.type(inners[j])
            out[k, row, start + j] = (grad[k, row, start + j] - inner) * output[k, row, start + j]


@gufunc("(o,r,i),(o,r,i)->(o,r,i)", "T,T->T")
@strip_by_strip(most=STRIP)
def log_softmax_columns(k, start, width, grad, output, out):
    """The gradient of log_softmax along the middle dimension; sums in float64."""
    rows = np.uintp(grad.shape[1])
    wholes = strip_of_float64()
    for j in range(width):
        wholes[j] = 0.0
    for row in range(rows):
        for j in range(width):
            wholes[j] += np.float64(grad[k, row, start + j])
    for row in range(rows):
        for j in range(width):
            whole = grad.dtype.type(wholes[j])
            e = elementary.exp(output[k, row, start + j])
            out[k, row, start + j] = grad[k, row, start + j] - e * whole


@gufunc("(n),(n),(),()->(n)", "T,T,T,T->T")
def normalize(grad, x, mean, rstd, out):
    """rstd * (grad - mean(grad) - normalized * mean(grad * normalized))."""
    n = x.shape[0]
    if n > 0:
        level = x.dtype.type(row_sum(grad) / n)
        slope = x.dtype.type(row_products(grad, x, mean) * rstd * rstd / n)
        for i in range(n):
            out[i] = rstd * (grad[i] - level - (x[i] - mean) * slope)


@gufunc("(n),(n),(n),(),()->(n)", "T,T,T,T,T->T")
def layer_norm(grad, x, weight, mean, rstd, out):
    """The same for grad * weight."""
    n = x.shape[0]
    if n > 0:
        level = x.dtype.type(row_dot(grad, weight) / n)
        slope = x.dtype.type(row_weighted_products(grad, weight, x, mean) * rstd * rstd / n)
        for i in range(n):
            out[i] = rstd * (grad[i] * weight[i] - level - (x[i] - mean) * slope)


@gufunc("(m,n),(m,n),(m),(m)->(n)", "T,T,T,T->float64")
def layer_norm_weight(grad, x, mean, rstd, out):
    """The sum over the rows of grad * (x - mean) * rstd, in float64."""
    for j in range(x.shape[1]):
        out[j] = 0.0
    for i in range(x.shape[0]):
        center = mean[i]
        scale = rstd[i]
        for j in range(x.shape[1]):
            out[j] += grad[i, j] * (x[i, j] - center) * scale


@gufunc("(n),(n),()->()", "T,T,T->T")
def sum_product_rows(grad, x, mean, out):
    """The sum of grad * (x - mean) of each row."""
    out[0] = row_products(grad, x, mean)


@gufunc("(m,n),(m,n),(n)->(n)", "T,T,T->float64")
def sum_product_columns(grad, x, mean, out):
    """The sum of grad * (x - mean) of each column, in float64."""
    for j in range(x.shape[1]):
        out[j] = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[j] += grad[i, j] * (x[i, j] - mean[j])


@gufunc("(n),(n),(),(),(),()->(n)", "T,T,T,T,T,T->T")
def standardize_rows(grad, x, mean, level, slope, scale, out):
    """scale * (grad - level - (x - mean) * slope) with one of each number per row."""
    for i in range(x.shape[0]):
        out[i] = scale * (grad[i] - level - (x[i] - mean) * slope)


@elementwise
def standardize(grad, x, mean, level, slope, scale):
    """scale * (grad - level - (x - mean) * slope)."""
    return scale * (grad - level - (x - mean) * slope)
