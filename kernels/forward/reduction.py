"""Reductions. ``backward/reduction.py`` mirrors this file.

Each reduction has two kernels: ``(n)->()`` reduces one run of elements, ``(o,r,i)->(o,i)`` reduces the middle
dimension while it walks memory in order, vectorised over the inner one. ``ops/reduce_layout.py`` chooses.

Sums are blocked: at most 512 elements are added in any order (`block`), and the blocks' sums are added in float64
with the rounding error carried along, so the error is that of one block whatever the length.
"""

import numpy as np

from .. import memory
from ..declare import gufunc
from ..intrinsics import maximum, minimum
from ..scalar import block, by_family, scalar

ZERO = np.uintp(0)
ONE = np.uintp(1)
TWO, THREE, FOUR, FIVE, SIX, SEVEN, EIGHT = (np.uintp(k) for k in range(2, 9))

# Elements per block. A block's sum keeps some 32 partial sums, so each is a chain of 16 additions.
BLOCK = np.uintp(512)

# Columns that are summed at a time: two arrays of so many float64 numbers stay in the first-level cache.
STRIP = np.uintp(512)
strip_of_float64 = memory.StackArray("float64", 512)


@block
def sum_block(x, start, stop):
    """The sum of x[start:stop]."""
    total = x.dtype.type(0)
    for i in range(start, stop):
        total += x[i]
    return total


@scalar
def total_of(x):
    """The sum as a float64: blocks are added with compensation (Knuth's TwoSum). 0 for no element."""
    n = np.uintp(x.shape[0])
    total = 0.0
    lost = 0.0
    start = ZERO
    while start < n:
        stop = min(start + BLOCK, n)
        partial = np.float64(sum_block(x, start, stop))
        moved = total + partial
        part = moved - total
        lost += (total - (moved - part)) + (partial - part)
        total = moved
        start = stop
    # Once an infinity was met, the compensation is NaN and the total is right.
    return total + lost if lost == lost else total


@gufunc("(n)->()", "T->T")
def sum(x, out):
    """x[0] + ... + x[n - 1]; 0 for no element."""
    out[0] = total_of(x)


@gufunc("(n)->()", "T->T")
def mean(x, out):
    """The sum over n; NaN for no element."""
    out[0] = total_of(x) / x.shape[0]


@scalar
def sum_middle(x, divisor, out):
    """Sum over the middle dimension: eight rows at a time, then added as blocks are in `total_of`."""
    rows = np.uintp(x.shape[1])
    cols = np.uintp(x.shape[2])
    totals = strip_of_float64()
    losts = strip_of_float64()
    for k in range(np.uintp(x.shape[0])):
        start = ZERO
        while start < cols:
            width = min(STRIP, cols - start)
            for j in range(width):
                totals[j] = 0.0
                losts[j] = 0.0
            row = ZERO
            while row + EIGHT <= rows:
                for j in range(width):
                    c = start + j
                    first = (x[k, row, c] + x[k, row + ONE, c]) + (x[k, row + TWO, c] + x[k, row + THREE, c])
                    second = (x[k, row + FOUR, c] + x[k, row + FIVE, c]) + (x[k, row + SIX, c] + x[k, row + SEVEN, c])
                    partial = np.float64(first + second)
                    total = totals[j]
                    moved = total + partial
                    part = moved - total
                    losts[j] += (total - (moved - part)) + (partial - part)
                    totals[j] = moved
                row += EIGHT
            while row < rows:
                for j in range(width):
                    partial = np.float64(x[k, row, start + j])
                    total = totals[j]
                    moved = total + partial
                    part = moved - total
                    losts[j] += (total - (moved - part)) + (partial - part)
                    totals[j] = moved
                row += ONE
            for j in range(width):
                lost = losts[j]
                total = totals[j]
                out[k, start + j] = (total + lost if lost == lost else total) / divisor
            start += width


@gufunc("(o,r,i)->(o,i)", "T->T")
def sum_columns(x, out):
    """The sum over the middle dimension; 0 where it is empty."""
    sum_middle(x, 1.0, out)


@gufunc("(o,r,i)->(o,i)", "T->T")
def mean_columns(x, out):
    """The mean over the middle dimension; NaN where it is empty."""
    sum_middle(x, np.float64(x.shape[1]), out)


@gufunc("(n)->()", "T->int64")
def sum_integers(x, out):
    """The sum in int64, which wraps around; 0 for no element."""
    total = np.int64(0)
    for i in range(x.shape[0]):
        total += np.int64(x[i])
    out[0] = total


@gufunc("(o,r,i)->(o,i)", "T->int64")
def sum_integers_columns(x, out):
    """The sum over the middle dimension in int64."""
    rows = np.uintp(x.shape[1])
    cols = np.uintp(x.shape[2])
    for k in range(np.uintp(x.shape[0])):
        for j in range(cols):
            out[k, j] = np.int64(0)
        for row in range(rows):
            for j in range(cols):
                out[k, j] += np.int64(x[k, row, j])


# ---------------------------------------------------------------------------------------------------------------------
# The largest and the smallest: NaN wins over every number. There is at least one element.


@scalar
def larger_float(x, y):
    """The larger one, NaN if either is."""
    return maximum(x, y)


@scalar
def larger_integer(x, y):
    """The larger one."""
    return x if x > y else y


@scalar
def smaller_float(x, y):
    """The smaller one, NaN if either is."""
    return minimum(x, y)


@scalar
def smaller_integer(x, y):
    """The smaller one."""
    return x if x < y else y


larger = by_family(floating=larger_float, integral=larger_integer)
smaller = by_family(floating=smaller_float, integral=smaller_integer)


@scalar
def largest(x, start, stop):
    """The largest of x[start:stop]."""
    best = x[start]
    for i in range(start, stop):
        best = larger(best, x[i])
    return best


@scalar
def smallest(x, start, stop):
    """The smallest of x[start:stop]."""
    best = x[start]
    for i in range(start, stop):
        best = smaller(best, x[i])
    return best


@gufunc("(n)->()", "T->T")
def amax(x, out):
    """The largest element; NaN if there is one."""
    out[0] = largest(x, ZERO, np.uintp(x.shape[0]))


@gufunc("(n)->()", "T->T")
def amin(x, out):
    """The smallest element; NaN if there is one."""
    out[0] = smallest(x, ZERO, np.uintp(x.shape[0]))


@gufunc("(o,r,i)->(o,i)", "T->T")
def amax_columns(x, out):
    """The largest element over the middle dimension."""
    rows = np.uintp(x.shape[1])
    cols = np.uintp(x.shape[2])
    for k in range(np.uintp(x.shape[0])):
        for j in range(cols):
            out[k, j] = x[k, ZERO, j]
        for row in range(ONE, rows):
            for j in range(cols):
                out[k, j] = larger(out[k, j], x[k, row, j])


@gufunc("(o,r,i)->(o,i)", "T->T")
def amin_columns(x, out):
    """The smallest element over the middle dimension."""
    rows = np.uintp(x.shape[1])
    cols = np.uintp(x.shape[2])
    for k in range(np.uintp(x.shape[0])):
        for j in range(cols):
            out[k, j] = x[k, ZERO, j]
        for row in range(ONE, rows):
            for j in range(cols):
                out[k, j] = smaller(out[k, j], x[k, row, j])


# ---------------------------------------------------------------------------------------------------------------------
# Where it is: the first of equal ones; the first NaN if there is one. There is at least one element.


@scalar
def first_in_block(x, start, stop, value):
    """The first index in the block that holds `value`, which may be NaN."""
    for i in range(start, stop):
        if x[i] == value or (value != value and x[i] != x[i]):
            return i
    return start


@gufunc("(n)->(),()", "T->T,int64")
def argmax(x, value, index):
    """The largest element and its first index: the best block is found, vectorised, and then searched."""
    n = np.uintp(x.shape[0])
    best = x[0]
    at = start = ZERO
    length = ONE
    while start < n:
        stop = min(start + BLOCK, n)
        found = largest(x, start, stop)
        if found > best or (found != found and best == best):
            best = found
            at = start
            length = stop - start
        start = stop
    at = first_in_block(x, at, at + length, best)
    # Not `best`, in which -0. and 0. may stand for each other.
    value[0] = x[at]
    index[0] = np.int64(at)


@gufunc("(n)->(),()", "T->T,int64")
def argmin(x, value, index):
    """The smallest element and its first index."""
    n = np.uintp(x.shape[0])
    best = x[0]
    at = start = ZERO
    length = ONE
    while start < n:
        stop = min(start + BLOCK, n)
        found = smallest(x, start, stop)
        if found < best or (found != found and best == best):
            best = found
            at = start
            length = stop - start
        start = stop
    at = first_in_block(x, at, at + length, best)
    value[0] = x[at]
    index[0] = np.int64(at)


@gufunc("(o,r,i)->(o,i),(o,i)", "T->T,int64")
def argmax_columns(x, value, index):
    """The largest element over the middle dimension and its first index there."""
    rows = np.uintp(x.shape[1])
    cols = np.uintp(x.shape[2])
    for k in range(np.uintp(x.shape[0])):
        for j in range(cols):
            value[k, j] = x[k, ZERO, j]
            index[k, j] = np.int64(0)
        for row in range(ONE, rows):
            for j in range(cols):
                found = x[k, row, j]
                best = value[k, j]
                wins = found > best or (found != found and best == best)
                value[k, j] = found if wins else best
                index[k, j] = np.int64(row) if wins else index[k, j]


@gufunc("(o,r,i)->(o,i),(o,i)", "T->T,int64")
def argmin_columns(x, value, index):
    """The smallest element over the middle dimension and its first index there."""
    rows = np.uintp(x.shape[1])
    cols = np.uintp(x.shape[2])
    for k in range(np.uintp(x.shape[0])):
        for j in range(cols):
            value[k, j] = x[k, ZERO, j]
            index[k, j] = np.int64(0)
        for row in range(ONE, rows):
            for j in range(cols):
                found = x[k, row, j]
                best = value[k, j]
                wins = found < best or (found != found and best == best)
                value[k, j] = found if wins else best
                index[k, j] = np.int64(row) if wins else index[k, j]
