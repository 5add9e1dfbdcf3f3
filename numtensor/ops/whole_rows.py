"""Row-wise kernels on C-contiguous arrays as ufuncs of elements: the call costs a third of a gufunc's.

NumPy prepares an iterator over core dimensions for each call of a gufunc, about half a microsecond. C-contiguous
operands of an elementwise ufunc it hands over as they lie, all elements in one call of the loop; the loop then
finds the rows itself (`GUfunc.whole`). It is the gufunc's own loop, so the bits are the same. That all elements come in
one call NumPy promises nowhere: it is looked at once, and without it everything runs as gufuncs.
"""

import ctypes
import functools

import numpy as np

from ..kernels import ufunc
from .operands import CONSTANTS

LENGTHS = CONSTANTS[np.dtype(np.int64)]
"""Row lengths as 0-d arrays."""


@functools.cache
def in_one_call():
    """Tell whether NumPy gives a ufunc's loop all elements of C-contiguous operands at once."""
    counts = []
    loop = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_ssize_t), ctypes.c_void_p, ctypes.c_void_p)(
        lambda args, dims, steps, data: counts.append(dims[0])
    )
    # The loop lives as long as this call, in which alone the ufunc is used.
    probe = ufunc.make_ufunc(ctypes.cast(loop, ctypes.c_void_p).value, "probe", ["float32", "int64"], ["float32"])
    # Several times NumPy's buffer.
    shape = (3, 2 * np.getbufsize())
    probe(np.empty(shape, np.float32), LENGTHS[shape[1]])
    return counts == [shape[0] * shape[1]]


class WholeRows(dict):
    """The ufuncs ``f(*arrays, length)`` of a kernel by floating dtype, each made when first asked for.

    Args:
        kernel: declared with ``whole``.

    Attributes:
        rows: the kernel's gufuncs by dtype.
    """

    __slots__ = ("kernel", "rows")

    def __init__(self, kernel):
        self.kernel = kernel
        self.rows = kernel.loops

    def __missing__(self, dtype):
        made = self[dtype] = self.kernel.whole[dtype] if in_one_call() else None
        return made

    def first(self, rule):
        """Make a forward rule of one that knows all cases: where the array lies well, its last dimension is done here.

        Args:
            rule: a function of an array, a dimension, and what else the op has.
        """

        def forward(input, dim, *rest):
            shape = input.shape
            if type(dim) is int and (dim == len(shape) - 1 or dim == -1) and shape and input.flags.carray:
                whole = self.get(input.dtype)
                if whole is not None:
                    return whole(input, LENGTHS[shape[-1]])
            return rule(input, dim, *rest)

        return forward

    def run(self, *arrays):
        """Return the kernel's result for arrays of one shape and dtype, along the last dimension."""
        dtype = arrays[0].dtype
        for array in arrays:
            if not array.flags.carray:
                return self.rows[dtype](*arrays)
        whole = self[dtype]
        return self.rows[dtype](*arrays) if whole is None else whole(*arrays, LENGTHS[array.shape[-1]])
