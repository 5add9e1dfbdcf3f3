"""The pairs of kernels that reductions choose from, and what their rules share."""

import numpy as np

from .. import dtypes
from ..modes import current
from ..tensor import from_array
from ..threads.division import Deferred


class Loops(dict):
    """(rows, columns) ufuncs by NumPy dtype, made when first asked for; the one for columns when first called.

    That one takes longest to compile of all kernels, and many programs never reduce but the last dimension.

    Args:
        floating: names of the kernels for floating dtypes.
        integral: names of the kernels for integral dtypes and, as uint8, for bool; None if there are none.

    Attributes:
        rows: the first of the pair for those floating dtypes that were asked for: all that a full reduction needs.
    """

    def __init__(self, floating, integral=None):
        self.floating = floating
        self.integral = integral
        self.rows = {}

    def __missing__(self, dtype):
        names = self.floating if dtype.kind == "f" else self.integral
        if dtype.kind == "b":
            dtype = np.dtype(np.uint8)
        rows, columns = names
        deferred = None if columns is None else Deferred(columns.loops, dtype)
        made = self[dtype] = (rows.loops[dtype], deferred)
        if dtype.kind == "f":
            self.rows[dtype] = made[0]
        return made


def as_numbers(array):
    """Return bools as the uint8 that they are in memory."""
    return array.view(np.uint8) if array.dtype.kind == "b" else array


def to_result(op, result, dtype):
    """Convert the int64 result of an integral reduction to the dtype that was asked for."""
    return result if dtype is None else np.asarray(result).astype(dtypes.as_dtype(dtype, op).numpy)


def quotient(x, y):
    """Return x / y, and 0 where y is 0, as a differentiable expression."""
    zero = y._array == 0
    if not zero.any():
        return x / y
    where = current.mode.where
    nothing = from_array(np.zeros((), y._array.dtype))
    mask = from_array(np.asarray(zero))
    return where(mask, nothing, x / where(mask, from_array(np.ones((), y._array.dtype)), y))
