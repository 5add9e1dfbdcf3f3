"""Reductions. ``backward/reduction.py`` mirrors this file.

Each reduction has two kernels: ``(n)->()`` reduces one run of elements, ``(o,r,i)->(o,i)`` reduces the middle
dimension while it walks memory in order, vectorised over the inner one. ``ops/reduce_layout.py`` chooses.

Sums are blocked: at most 512 elements are added in any order (`block`), and the blocks' sums are added in float64
with the rounding error carried along, so the error is that of one block whatever the length.
"""

import math

import numpy as np

from .. import elementary, memory
from ..declare import gufunc
from ..intrinsics import fabs, maximum, minimum
from ..ordering import of_order_key, order_key
from ..scalar import block, by_family, scalar

ZERO = np.uintp(0)
ONE = np.uintp(1)
TWO, THREE, FOUR, FIVE, SIX, SEVEN, EIGHT = (np.uintp(k) for k in range(2, 9))

# Elements per block. A block's sum keeps some 32 partial sums, so each is a chain of 16 additions.
BLOCK = np.uintp(512)

# More than a position in a block can be.
NOWHERE = np.int32(2**30)

# Columns that are summed at a time: two arrays of so many float64 numbers stay in the first-level cache.
STRIP = np.uintp(512)
strip_of_float64 = memory.StackArray("float64", 512)
strip = memory.StackArray("T", 512)

# Rows that are added before their sum meets those of other rows: a chain of some 15 additions, as in a block.
ROWS = np.uintp(64)


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
def sum_middle(x, divisor, out):
    """Sum over the middle dimension: blocks of rows, which are then added as blocks are in `total_of`."""
    rows = np.uintp(x.shape[1])
    cols = np.uintp(x.shape[2])
    totals = strip_of_float64()
    losts = strip_of_float64()
    partials = strip()
    for k in range(np.uintp(x.shape[0])):
        start = ZERO
        while start < cols:
            width = min(STRIP, cols - start)
            for j in range(width):
                totals[j] = 0.0
                losts[j] = 0.0
            row = ZERO
            while row < rows:
                stop = min(row + ROWS, rows)
                add_rows(x, k, row, stop, start, width, partials)
                for j in range(width):
                    partial = np.float64(partials[j])
                    total = totals[j]
                    moved = total + partial
                    part = moved - total
                    losts[j] += (total - (moved - part)) + (partial - part)
                    totals[j] = moved
                row = stop
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
    """The first index in the block, of at most `BLOCK` elements, that holds `value`, the extreme one or NaN.

    The least of the positions that match: a loop that stops at the first would go element by element. Where `value`
    is a number no element is NaN.
    """
    first = NOWHERE
    for i in range(start, stop):
        here = np.int32(i - start)
        match = x[i] == value or x[i] != x[i]
        here = here if match else NOWHERE
        first = here if here < first else first
    return start + np.uintp(first)


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


# ---------------------------------------------------------------------------------------------------------------------
# Products


@block
def product_block(x, start, stop):
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
        result *= np.float64(product_block(x, start, stop))
        start = stop
    out[0] = result


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
    """Whether an element is not zero; stops at the first block that has one."""
    n = np.uintp(x.shape[0])
    found = False
    start = ZERO
    while start < n and not found:
        stop = min(start + BLOCK, n)
        for i in range(start, stop):
            found |= x[i] != x.dtype.type(0)
        start = stop
    out[0] = found


@gufunc("(n)->()", "T->bool")
def all(x, out):
    """Whether no element is zero; stops at the first block that has one."""
    n = np.uintp(x.shape[0])
    zero = False
    start = ZERO
    while start < n and not zero:
        stop = min(start + BLOCK, n)
        for i in range(start, stop):
            zero |= x[i] == x.dtype.type(0)
        start = stop
    out[0] = not zero


@gufunc("(o,r,i)->(o,i)", "T->bool")
def any_columns(x, out):
    """Whether an element of the middle dimension is not zero."""
    cols = np.uintp(x.shape[2])
    for k in range(np.uintp(x.shape[0])):
        for j in range(cols):
            out[k, j] = False
        for row in range(np.uintp(x.shape[1])):
            for j in range(cols):
                out[k, j] = out[k, j] | (x[k, row, j] != x.dtype.type(0))


@gufunc("(o,r,i)->(o,i)", "T->bool")
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
    """How many elements are not zero."""
    total = np.int64(0)
    for i in range(x.shape[0]):
        total += np.int64(x[i] != x.dtype.type(0))
    out[0] = total


@gufunc("(o,r,i)->(o,i)", "T->int64")
def count_nonzero_columns(x, out):
    """How many elements of the middle dimension are not zero."""
    cols = np.uintp(x.shape[2])
    for k in range(np.uintp(x.shape[0])):
        for j in range(cols):
            out[k, j] = np.int64(0)
        for row in range(np.uintp(x.shape[1])):
            for j in range(cols):
                out[k, j] += np.int64(x[k, row, j] != x.dtype.type(0))


# ---------------------------------------------------------------------------------------------------------------------
# Variance: two passes in float64, so a large mean costs no digits


@block
def moments_block(x, mean, start, stop):
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
        partial, deviations = moments_block(x, mean, start, stop)
        moved = squares + partial
        part = moved - squares
        lost += (squares - (moved - part)) + (partial - part)
        squares = moved
        rest += deviations
        start = stop
    if lost == lost:
        squares += lost
    return corrected(squares, rest, count) / max(count - np.float64(correction), 0.0), mean


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
def variance_middle(x, correction, root, out, mean):
    """Variance, or its root, over the middle dimension, strip by strip of columns."""
    rows = np.uintp(x.shape[1])
    cols = np.uintp(x.shape[2])
    count = np.float64(x.shape[1])
    divisor = max(count - np.float64(correction), 0.0)
    means = strip_of_float64()
    squares = strip_of_float64()
    rests = strip_of_float64()
    for k in range(np.uintp(x.shape[0])):
        start = ZERO
        while start < cols:
            width = min(STRIP, cols - start)
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
            start += width


@gufunc("(o,r,i),()->(o,i),(o,i)", "T,T->T,T")
def var_columns(x, correction, out, mean):
    """The variance over the middle dimension, and the mean."""
    variance_middle(x, correction, False, out, mean)


@gufunc("(o,r,i),()->(o,i),(o,i)", "T,T->T,T")
def std_columns(x, correction, out, mean):
    """The standard deviation over the middle dimension, and the mean."""
    variance_middle(x, correction, True, out, mean)


# ---------------------------------------------------------------------------------------------------------------------
# log(sum(exp(x)))


@block
def exp_block(x, shift, start, stop):
    """The sum of exp(x - shift) over x[start:stop]."""
    total = x.dtype.type(0)
    for i in range(start, stop):
        total += elementary.exp(x[i] - shift)
    return total


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
    total = 0.0
    start = ZERO
    while start < n:
        stop = min(start + BLOCK, n)
        total += np.float64(exp_block(x, shift, start, stop))
        start = stop
    out[0] = shift + elementary.log(x.dtype.type(total))


@gufunc("(o,r,i)->(o,i)", "T->T")
def logsumexp_columns(x, out):
    """log(sum(exp(x))) over the middle dimension."""
    rows = np.uintp(x.shape[1])
    cols = np.uintp(x.shape[2])
    totals = strip_of_float64()
    for k in range(np.uintp(x.shape[0])):
        start = ZERO
        while start < cols:
            width = min(STRIP, cols - start)
            for j in range(width):
                out[k, start + j] = -np.inf
                totals[j] = 0.0
            for row in range(rows):
                for j in range(width):
                    out[k, start + j] = larger(out[k, start + j], x[k, row, start + j])
            for row in range(rows):
                for j in range(width):
                    totals[j] += np.float64(elementary.exp(x[k, row, start + j] - out[k, start + j]))
            for j in range(width):
                shift = out[k, start + j]
                value = shift + elementary.log(x.dtype.type(totals[j]))
                # Where the largest is infinite or NaN, the sum is NaN and the largest is the result.
                out[k, start + j] = value if shift - shift == shift - shift else shift
            start += width


# ---------------------------------------------------------------------------------------------------------------------
# Norms


@block
def squares_block(x, start, stop):
    """The sum of x**2 over x[start:stop]."""
    total = x.dtype.type(0)
    for i in range(start, stop):
        total += x[i] * x[i]
    return total


@block
def scaled_squares_block(x, scale, start, stop):
    """The sum of (scale x)**2 over x[start:stop], in float64."""
    total = 0.0
    for i in range(start, stop):
        value = np.float64(x[i]) * scale
        total += value * value
    return total


@block
def magnitudes_block(x, start, stop):
    """The sum of abs(x) over x[start:stop], in float64."""
    total = 0.0
    for i in range(start, stop):
        total += np.float64(fabs(x[i]))
    return total


@scalar
def sum_of_squares(x):
    """The sum of x**2, in which blocks may have overflown or underflown."""
    n = np.uintp(x.shape[0])
    total = 0.0
    start = ZERO
    while start < n:
        stop = min(start + BLOCK, n)
        total += np.float64(squares_block(x, start, stop))
        start = stop
    return total


@scalar
def scaled_sum_of_squares(x, scale):
    """The sum of (scale x)**2."""
    n = np.uintp(x.shape[0])
    total = 0.0
    start = ZERO
    while start < n:
        stop = min(start + BLOCK, n)
        total += scaled_squares_block(x, scale, start, stop)
        start = stop
    return total


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
    n = np.uintp(x.shape[0])
    total = 0.0
    start = ZERO
    while start < n:
        stop = min(start + BLOCK, n)
        total += magnitudes_block(x, start, stop)
        start = stop
    out[0] = total


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


@block
def powers_block(x, p, start, stop):
    """The sum of abs(x)**p over x[start:stop]."""
    total = x.dtype.type(0)
    for i in range(start, stop):
        total += elementary.pow(fabs(x[i]), p)
    return total


@gufunc("(n),()->()", "T,T->T")
def norm_p(x, p, out):
    """sum(abs(x)**p)**(1 / p)."""
    n = np.uintp(x.shape[0])
    total = 0.0
    start = ZERO
    while start < n:
        stop = min(start + BLOCK, n)
        total += np.float64(powers_block(x, p, start, stop))
        start = stop
    out[0] = elementary.pow(x.dtype.type(total), x.dtype.type(1) / p)


# ---------------------------------------------------------------------------------------------------------------------
# Running sums and products


@gufunc("(n)->(n)", "T->T", whole=True)
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


@gufunc("(o,r,i)->(o,r,i)", "T->T")
def cumsum_columns(x, out):
    """Running sums along the middle dimension."""
    cols = np.uintp(x.shape[2])
    totals = strip_of_float64()
    for k in range(np.uintp(x.shape[0])):
        start = ZERO
        while start < cols:
            width = min(STRIP, cols - start)
            for j in range(width):
                totals[j] = 0.0
            for row in range(np.uintp(x.shape[1])):
                for j in range(width):
                    total = totals[j] + np.float64(x[k, row, start + j])
                    totals[j] = total
                    out[k, row, start + j] = total
            start += width


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
