"""The largest and the smallest elements, and where they are. ``backward/extremes.py`` mirrors this file.

NaN wins over every number. There is at least one element. As in ``reduction.py``, ``(n)->()`` reduces one run and
``(o,r,i)->(o,i)`` the middle dimension.
"""

import numpy as np

from ..blocks import ONE, ZERO
from ..declare import gufunc
from ..extremes import largest, smallest
from ..intrinsics import maximum, minimum
from ..scalar import by_family, scalar

# Elements per block of which one is searched again, and as many of them as are looked at together then.
SEARCHED = np.uintp(512)
GLANCE = np.uintp(64)


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
    rows = np.uintp(x.shape[1])
    cols = np.uintp(x.shape[2])
    for k in range(np.uintp(x.shape[0])):
        for j in range(cols):
            out[k, j] = x[k, ZERO, j]
        for row in range(ONE, rows):
            for j in range(cols):
                out[k, j] = larger(out[k, j], x[k, row, j])


@gufunc("(o,r,i)->(o,i)", "T->T", contiguous=True)
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
def holds(x, start, stop, value):
    """Whether x[start:stop] has `value` or NaN: a glance at all of it, which vectorises."""
    found = False
    for i in range(start, stop):
        found |= x[i] == value or x[i] != x[i]
    return found


@scalar
def first_of(x, start, stop, value):
    """The first index in x[start:stop] that holds `value`, the extreme one or NaN; one does.

    Where `value` is a number no element is NaN.
    """
    while start + GLANCE < stop and not holds(x, start, start + GLANCE, value):
        start += GLANCE
    while not (x[start] == value or x[start] != x[start]):
        start += ONE
    return start


@gufunc("(n)->(),()", "T->T,int64")
def argmax(x, value, index):
    """The largest element and its first index: the best block is found, vectorised, and then searched."""
    n = np.uintp(x.shape[0])
    best = x[0]
    at = start = ZERO
    length = ONE
    while start < n:
        stop = min(start + SEARCHED, n)
        found = largest(x, start, stop)
        if found > best or (found != found and best == best):
            best = found
            at = start
            length = stop - start
        start = stop
    at = first_of(x, at, at + length, best)
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
        stop = min(start + SEARCHED, n)
        found = smallest(x, start, stop)
        if found < best or (found != found and best == best):
            best = found
            at = start
            length = stop - start
        start = stop
    at = first_of(x, at, at + length, best)
    value[0] = x[at]
    index[0] = np.int64(at)


@gufunc("(o,r,i)->(o,i),(o,i)", "T->T,int64", contiguous=True)
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


@gufunc("(o,r,i)->(o,i),(o,i)", "T->T,int64", contiguous=True)
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
