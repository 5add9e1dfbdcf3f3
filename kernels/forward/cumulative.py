"""Running sums and products. ``backward/cumulative.py`` mirrors this file."""

import numpy as np

from ..blocks import FOUR, ONE, THREE, TWO, ZERO, strip_by_strip, strip_of_float64
from ..declare import gufunc


@gufunc("(n)->(n)", "T->T")
def cumsum(x, out):
    """out[i] = x[0] + ... + x[i], added in float64.

    Float32 numbers four at a time, so that only one addition of four waits for the total; their sums cannot overflow.
    """
    n = np.uintp(x.shape[0])
    total = 0.0
    i = ZERO
    if x.itemsize == 4:
        while i + FOUR <= n:
            first = np.float64(x[i])
            second = first + np.float64(x[i + ONE])
            third = second + np.float64(x[i + TWO])
            fourth = third + np.float64(x[i + THREE])
            out[i] = total + first
            out[i + ONE] = total + second
            out[i + TWO] = total + third
            total += fourth
            out[i + THREE] = total
            i += FOUR
    while i < n:
        total += np.float64(x[i])
        out[i] = total
        i += ONE


@gufunc("(o,r,i)->(o,r,i)", "T->T", contiguous=True)
@strip_by_strip
def cumsum_columns(k, start, width, x, out):
    """Running sums along the middle dimension."""
    totals = strip_of_float64()
    for j in range(width):
        totals[j] = 0.0
    for row in range(np.uintp(x.shape[1])):
        for j in range(width):
            total = totals[j] + np.float64(x[k, row, start + j])
            totals[j] = total
            out[k, row, start + j] = total


@gufunc("(n)->(n)", "T->int64")
def cumsum_integers(x, out):
    """out[i] = x[0] + ... + x[i] in int64."""
    total = np.int64(0)
    for i in range(x.shape[0]):
        total += np.int64(x[i])
        out[i] = total


@gufunc("(n)->(n)", "T->T")
def cumprod(x, out):
    """out[i] = x[0] * ... * x[i], multiplied in float64.

    Float32 numbers four at a time, as in `cumsum`: the product of four neither overflows nor underflows.
    """
    n = np.uintp(x.shape[0])
    total = 1.0
    i = ZERO
    if x.itemsize == 4:
        while i + FOUR <= n:
            first = np.float64(x[i])
            second = first * np.float64(x[i + ONE])
            third = second * np.float64(x[i + TWO])
            fourth = third * np.float64(x[i + THREE])
            out[i] = total * first
            out[i + ONE] = total * second
            out[i + TWO] = total * third
            total *= fourth
            out[i + THREE] = total
            i += FOUR
    while i < n:
        total *= np.float64(x[i])
        out[i] = total
        i += ONE


@gufunc("(n)->(n)", "T->int64")
def cumprod_integers(x, out):
    """out[i] = x[0] * ... * x[i] in int64."""
    result = np.int64(1)
    for i in range(x.shape[0]):
        result *= np.int64(x[i])
        out[i] = result
