"""The largest and the smallest elements, and where they are. ``backward/extremes.py`` mirrors this file.

NaN wins over every number. There is at least one element. As in ``reduction.py``, ``(n)->()`` reduces one run and
``(o,r,i)->(o,i)`` the middle dimension.
"""

import numpy as np

from .. import passes
from ..blocks import ONE, ZERO
from ..declare import gufunc
from ..extremes import largest, smallest
from ..intrinsics import maximum, minimum
from ..scalar import by_family, scalar

# Elements per block of which one is searched again: of fewer, finding each block's extreme takes longer than that.
SEARCHED = np.uintp(512)


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


def over_columns(better):
    """Make a function of (x, out) that writes the extreme over the middle dimension.

    Args:
        better: a scalar function, the extreme of two numbers.
    """

    @scalar
    def write_extremes(x, out):
        """Write the extremes, row by row."""
        rows = np.uintp(x.shape[1])
        cols = np.uintp(x.shape[2])
        for k in range(np.uintp(x.shape[0])):
            for j in range(cols):
                out[k, j] = x[k, ZERO, j]
            for row in range(ONE, rows):
                for j in range(cols):
                    out[k, j] = better(out[k, j], x[k, row, j])

    return write_extremes


write_largest = over_columns(larger)
write_smallest = over_columns(smaller)


@gufunc("(n)->()", "T->T")
def amax(x, out):
    """The largest element; NaN if there is one."""
    out[0] = largest(x, ZERO, np.uintp(x.shape[0]))


@gufunc("(n)->()", "T->T")
def amin(x, out):
    """The smallest element; NaN if there is one."""
    out[0] = smallest(x, ZERO, np.uintp(x.shape[0]))


@gufunc("(o,r,i)->(o,i)", "T->T", contiguous=True)
def amax_columns(x, out):
    """The largest element over the middle dimension."""
    write_largest(x, out)


@gufunc("(o,r,i)->(o,i)", "T->T", contiguous=True)
def amin_columns(x, out):
    """The smallest element over the middle dimension."""
    write_smallest(x, out)


# ---------------------------------------------------------------------------------------------------------------------
# Where it is: the first of equal ones; the first NaN if there is one. There is at least one element.


@scalar
def is_larger(x, y):
    """Whether x wins over y, which stands before it."""
    return x > y or (x != x and y == y)


@scalar
def is_smaller(x, y):
    """Whether x wins over y, which stands before it."""
    return x < y or (x != x and y == y)


def position(extreme, wins):
    """Make a function that returns the index of a row's extreme: the best block is found, and then searched.

    Args:
        extreme: one of `passes`, the extreme of a block.
        wins: a scalar function, whether a number wins over one that stands before it.
    """

    @scalar
    def find_extreme(x):
        """The index of the extreme."""
        n = np.uintp(x.shape[0])
        best = x[0]
        at, end = ZERO, ONE
        start = ZERO
        while start < n:
            stop = min(start + SEARCHED, n)
            found = extreme(x, start, stop)
            if wins(found, best):
                best = found
                at, end = start, stop
            start = stop
        return passes.first_of(x, at, end, best)

    return find_extreme


find_largest = position(passes.highest, is_larger)
find_smallest = position(passes.lowest, is_smaller)


def positions_over_columns(wins):
    """Make a function of (x, value, index) that writes the extremes over the middle dimension and where they are.

    Args:
        wins: as in `position`.
    """

    @scalar
    def write_extremes(x, value, index):
        """Write the extremes and their indices, row by row."""
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
                    better = wins(found, best)
                    value[k, j] = found if better else best
                    index[k, j] = np.int64(row) if better else index[k, j]

    return write_extremes


write_first_largest = positions_over_columns(is_larger)
write_first_smallest = positions_over_columns(is_smaller)


@gufunc("(n)->(),()", "T->T,int64")
def argmax(x, value, index):
    """The largest element and its first index."""
    at = find_largest(x)
    value[0] = x[at]
    index[0] = np.int64(at)


@gufunc("(n)->(),()", "T->T,int64")
def argmin(x, value, index):
    """The smallest element and its first index."""
    at = find_smallest(x)
    value[0] = x[at]
    index[0] = np.int64(at)


@gufunc("(o,r,i)->(o,i),(o,i)", "T->T,int64", contiguous=True)
def argmax_columns(x, value, index):
    """The largest element over the middle dimension and its first index there."""
    write_first_largest(x, value, index)


@gufunc("(o,r,i)->(o,i),(o,i)", "T->T,int64", contiguous=True)
def argmin_columns(x, value, index):
    """The smallest element over the middle dimension and its first index there."""
    write_first_smallest(x, value, index)
