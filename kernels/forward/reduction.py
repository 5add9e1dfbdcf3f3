"""Sums, means, products, counts and logic. ``backward/reduction.py`` mirrors this file.

Each reduction has two kernels: ``(n)->()`` reduces one run of elements, ``(o,r,i)->(o,i)`` reduces the middle
dimension while it walks memory in order, vectorised over the inner one. ``ops/reduce_layout.py`` chooses.
"""

import numpy as np

from ..blocks import (
    BLOCK,
    EIGHT,
    FIVE,
    FOUR,
    ONE,
    SEVEN,
    SIX,
    THREE,
    TWO,
    ZERO,
    add_exactly,
    strip,
    strip_by_strip,
    strip_of_float64,
    total_of,
    with_lost,
)
from ..declare import gufunc
from ..scalar import block, scalar

# Rows that are added before their sum meets those of other rows: a chain of some 15 additions, as in a block.
ROWS = np.uintp(64)

# Elements that are looked at before it is known whether to go on.
GLANCE = np.uintp(4096)


@gufunc("(n)->()", "T->T")
def sum(x, out):
    """x[0] + ... + x[n - 1]; 0 for no element."""
    out[0] = total_of(x)


@gufunc("(n)->()", "T->T")
def mean(x, out):
    """The sum over n; NaN for no element."""
    out[0] = total_of(x) / x.shape[0]


@scalar
def add_rows(x, k, row, stop, start, width, partials):
    """Write the sums of rows [row, stop) of x[k, :, start:start + width] to `partials`, eight rows at a time."""
    for j in range(width):
        partials[j] = x.dtype.type(0)
    while row + EIGHT <= stop:
        for j in range(width):
            c = start + j
            first = (x[k, row, c] + x[k, row + ONE, c]) + (x[k, row + TWO, c] + x[k, row + THREE, c])
            second = (x[k, row + FOUR, c] + x[k, row + FIVE, c]) + (x[k, row + SIX, c] + x[k, row + SEVEN, c])
            partials[j] += first + second
        row += EIGHT
    while row < stop:
        for j in range(width):
            partials[j] += x[k, row, start + j]
        row += ONE


@scalar
def sum_strip(k, start, width, x, divisor, out):
    """Sum over the middle dimension of a strip of columns: blocks of rows, added as blocks are in `total_of`."""
    rows = np.uintp(x.shape[1])
    totals = strip_of_float64()
    losts = strip_of_float64()
    partials = strip()
    for j in range(width):
        totals[j] = 0.0
        losts[j] = 0.0
    row = ZERO
    while row < rows:
        stop = min(row + ROWS, rows)
        add_rows(x, k, row, stop, start, width, partials)
        if x.itemsize == 4:
            # A float64 has digits to spare for blocks of float32.
            for j in range(width):
                totals[j] += np.float64(partials[j])
        else:
            for j in range(width):
                totals[j], losts[j] = add_exactly(totals[j], losts[j], np.float64(partials[j]))
        row = stop
    for j in range(width):
        total = totals[j] if x.itemsize == 4 else with_lost(totals[j], losts[j])
        out[k, start + j] = total / divisor


@gufunc("(o,r,i)->(o,i)", "T->T", contiguous=True)
@strip_by_strip
def sum_columns(k, start, width, x, out):
    """The sum over the middle dimension; 0 where it is empty."""
    sum_strip(k, start, width, x, 1.0, out)


@gufunc("(o,r,i)->(o,i)", "T->T", contiguous=True)
@strip_by_strip
def mean_columns(k, start, width, x, out):
    """The mean over the middle dimension; NaN where it is empty."""
    sum_strip(k, start, width, x, np.float64(x.shape[1]), out)


@gufunc("(n)->()", "T->int64")
def sum_integers(x, out):
    """The sum in int64, which wraps around; 0 for no element."""
    total = np.int64(0)
    for i in range(x.shape[0]):
        total += np.int64(x[i])
    out[0] = total


@gufunc("(o,r,i)->(o,i)", "T->int64", contiguous=True)
def sum_integers_columns(x, out):
    """The sum over the middle dimension in int64, four rows at a time."""
    rows = np.uintp(x.shape[1])
    cols = np.uintp(x.shape[2])
    for k in range(np.uintp(x.shape[0])):
        for j in range(cols):
            out[k, j] = np.int64(0)
        row = ZERO
        while row + FOUR <= rows:
            for j in range(cols):
                first = np.int64(x[k, row, j]) + np.int64(x[k, row + ONE, j])
                out[k, j] += first + (np.int64(x[k, row + TWO, j]) + np.int64(x[k, row + THREE, j]))
            row += FOUR
        while row < rows:
            for j in range(cols):
                out[k, j] += np.int64(x[k, row, j])
            row += ONE


# ---------------------------------------------------------------------------------------------------------------------
# Products


@block
def product_block(start, stop, x):
    """The product of x[start:stop]."""
    result = x.dtype.type(1)
    for i in range(start, stop):
        result *= x[i]
    return result


@gufunc("(n)->()", "T->T")
def prod(x, out):
    """x[0] * ... * x[n - 1], blocks multiplied in float64; 1 for no element."""
    n = np.uintp(x.shape[0])
    result = 1.0
    start = ZERO
    while start < n:
        stop = min(start + BLOCK, n)
        result *= np.float64(product_block(start, stop, x))
        start = stop
    out[0] = result


@gufunc("(o,r,i)->(o,i)", "T->T", contiguous=True)
@strip_by_strip
def prod_columns(k, start, width, x, out):
    """The product over the middle dimension, multiplied in float64; 1 where it is empty."""
    totals = strip_of_float64()
    for j in range(width):
        totals[j] = 1.0
    for row in range(np.uintp(x.shape[1])):
        for j in range(width):
            totals[j] *= np.float64(x[k, row, start + j])
    for j in range(width):
        out[k, start + j] = totals[j]


@gufunc("(n)->()", "T->int64")
def prod_integers(x, out):
    """The product in int64, which wraps around; 1 for no element."""
    result = np.int64(1)
    for i in range(x.shape[0]):
        result *= np.int64(x[i])
    out[0] = result


# ---------------------------------------------------------------------------------------------------------------------
# Logic: NaN counts as true


@gufunc("(n)->()", "T->bool")
def any(x, out):
    """Whether an element is not zero; stops soon after the first that is not."""
    n = np.uintp(x.shape[0])
    found = False
    start = ZERO
    while start < n and not found:
        stop = min(start + GLANCE, n)
        for i in range(start, stop):
            found |= x[i] != x.dtype.type(0)
        start = stop
    out[0] = found


@gufunc("(n)->()", "T->bool")
def all(x, out):
    """Whether no element is zero; stops soon after the first that is."""
    n = np.uintp(x.shape[0])
    zero = False
    start = ZERO
    while start < n and not zero:
        stop = min(start + GLANCE, n)
        for i in range(start, stop):
            zero |= x[i] == x.dtype.type(0)
        start = stop
    out[0] = not zero


@gufunc("(o,r,i)->(o,i)", "T->bool", contiguous=True)
def any_columns(x, out):
    """Whether an element of the middle dimension is not zero."""
    cols = np.uintp(x.shape[2])
    for k in range(np.uintp(x.shape[0])):
        for j in range(cols):
            out[k, j] = False
        for row in range(np.uintp(x.shape[1])):
            for j in range(cols):
                out[k, j] = out[k, j] | (x[k, row, j] != x.dtype.type(0))


@gufunc("(o,r,i)->(o,i)", "T->bool", contiguous=True)
def all_columns(x, out):
    """Whether no element of the middle dimension is zero."""
    cols = np.uintp(x.shape[2])
    for k in range(np.uintp(x.shape[0])):
        for j in range(cols):
            out[k, j] = True
        for row in range(np.uintp(x.shape[1])):
            for j in range(cols):
                out[k, j] = out[k, j] & (x[k, row, j] != x.dtype.type(0))


@gufunc("(n)->()", "T->int64")
def count_nonzero(x, out):
    """How many elements are not zero, counted in int32 and then in int64."""
    n = np.uintp(x.shape[0])
    total = np.int64(0)
    start = ZERO
    while start < n:
        stop = min(start + GLANCE, n)
        found = np.int32(0)
        for i in range(start, stop):
            found = np.int32(found + np.int32(x[i] != x.dtype.type(0)))
        total += np.int64(found)
        start = stop
    out[0] = total


@gufunc("(o,r,i)->(o,i)", "T->int64", contiguous=True)
def count_nonzero_columns(x, out):
    """How many elements of the middle dimension are not zero."""
    cols = np.uintp(x.shape[2])
    for k in range(np.uintp(x.shape[0])):
        for j in range(cols):
            out[k, j] = np.int64(0)
        for row in range(np.uintp(x.shape[1])):
            for j in range(cols):
                out[k, j] += np.int64(x[k, row, j] != x.dtype.type(0))
