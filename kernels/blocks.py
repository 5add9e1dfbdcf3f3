"""What kernels that reduce share: blocks, whose elements are added in any order, and the sums of blocks.

Only the function that sums one block, a `block`, lets LLVM reorder, which vectorises it. Blocks are added in order, in
float64, so the error is that of one block whatever the length.
"""

import functools

import numpy as np

from . import memory
from .scalar import block, scalar

# Unsigned, because a signed index costs the wraparound of negative ones.
ZERO = np.uintp(0)
ONE = np.uintp(1)
TWO, THREE, FOUR, FIVE, SIX, SEVEN, EIGHT = (np.uintp(k) for k in range(2, 9))

# Elements per block. A block's sum keeps some 32 partial sums, so each is a chain of 16 additions.
BLOCK = np.uintp(512)

# Columns that are reduced at a time: two arrays of so many float64 numbers stay in the first-level cache, and what is
# read of a row is long enough for the processor to fetch ahead.
STRIP = np.uintp(1024)
strip_of_float64 = memory.StackArray("float64", 1024)
strip = memory.StackArray("T", 1024)


def strip_by_strip(function=None, *, most=STRIP):
    """Make a kernel's function of arrays (o, r, i), and others after the first, that does columns strip by strip.

    Args:
        function: ``function(k, start, width, *operands)``, which does [k, :, start:start + width] of the first operand.
        most: the most columns of a strip.
    """
    if function is None:
        return functools.partial(strip_by_strip, most=most)
    of_strip = scalar(function)

    @functools.wraps(function)
    def of_columns(*operands):
        cols = np.uintp(operands[0].shape[2])
        for k in range(np.uintp(operands[0].shape[0])):
            start = ZERO
            while start < cols:
                width = min(most, cols - start)
                of_strip(k, start, width, *operands)
                start += width

    return of_columns


def blockwise(add_block):
    """Make a function of arrays, and numbers after them: the sum over the blocks of the first array, as a float64.

    Args:
        add_block: a `block`, ``add_block(start, stop, *operands)``, which sums one.
    """

    @scalar
    def total_of_blocks(*operands):
        n = np.uintp(operands[0].shape[0])
        total = 0.0
        start = ZERO
        while start < n:
            stop = min(start + BLOCK, n)
            total += np.float64(add_block(start, stop, *operands))
            start = stop
        return total

    return total_of_blocks


@scalar
def add_exactly(total, lost, partial):
    """total + partial, and `lost` with the rounding error of that addition (Knuth's TwoSum)."""
    moved = total + partial
    part = moved - total
    return moved, lost + ((total - (moved - part)) + (partial - part))


@scalar
def with_lost(total, lost):
    """The total and what was lost of it. Once an infinity was met, that is NaN and the total is right."""
    return total + lost if lost == lost else total


@block
def add_block(start, stop, x):
    """The sum of x[start:stop]."""
    total = x.dtype.type(0)
    for i in range(start, stop):
        total += x[i]
    return total


# Of a row, as a float64; 0 for no element.
row_sum = blockwise(add_block)


@scalar
def total_of(x):
    """The sum as a float64; 0 for no element. Blocks of float64 are added with compensation."""
    if x.itemsize == 4:
        # A float64 has digits to spare for blocks of float32.
        return row_sum(x)
    n = np.uintp(x.shape[0])
    total = 0.0
    lost = 0.0
    start = ZERO
    while start < n:
        stop = min(start + BLOCK, n)
        total, lost = add_exactly(total, lost, np.float64(add_block(start, stop, x)))
        start = stop
    return with_lost(total, lost)
