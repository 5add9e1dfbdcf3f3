"""The largest and the smallest of a run of elements."""

import numpy as np

from . import passes
from .blocks import ZERO
from .ordering import order_key
from .scalar import by_family, scalar


@scalar
def _has_key(x, start, stop, key):
    """Whether an element of x[start:stop] has this order."""
    found = False
    for i in range(start, stop):
        found |= order_key(x[i]) == key
    return found


def _with_zeros_told_apart(extreme, favoured):
    """Make a function of a run from a pass that makes no difference between zeros: of both signs it is the favoured."""

    @scalar
    def of_floats(x, start, stop):
        best = extreme(x, start, stop)
        zero = x.dtype.type(favoured)
        if best != zero:
            return best
        return zero if _has_key(x, start, stop, order_key(zero)) else -zero

    @scalar
    def of_integers(x, start, stop):
        return extreme(x, start, stop)

    return by_family(floating=of_floats, integral=of_integers)


# ``largest(x, start, stop)`` of x[start:stop], NaN if there is one; 0. is larger than -0.
largest = _with_zeros_told_apart(passes.highest, 0.0)
smallest = _with_zeros_told_apart(passes.lowest, -0.0)


@scalar
def row_max(x):
    """The largest element, of zeros of both signs either; NaN if there is one, -inf if there is no element."""
    n = np.uintp(x.shape[0])
    return passes.highest(x, ZERO, n) if n > ZERO else x.dtype.type(-np.inf)
