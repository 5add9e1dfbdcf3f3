"""Writing into a tensor at once, where nothing is recorded: no copy, no second tensor.

That is what optimisers' and simulations' in-place ops do nearly always. Whatever is special (a view, a graph, another
dtype, memory that is not contiguous, a wrapper of the mode) goes the general way of ``inplace.py``, which also raises
the errors.
"""

import types

import numpy as np

from ..graph import NO_VERSION, counter_of
from ..modes import current
from ..tensor import TENSORS
from ..threads.division import call as divide
from ..threads.limits import process
from .operands import CONSTANTS, WEAK, WEAK_STRICT

KERNELS = (types.BuiltinFunctionType, np.ufunc)
"""What a kernel's function is, and an op's own function is not."""


def array_to_write(target):
    """Return the array of a tensor that may be written to without recording anything, or None."""
    if type(target) not in TENSORS:
        return None
    mode = current.mode
    if mode.active:
        return None
    meta = target._meta
    if meta is None:
        if not mode.inference:
            return None
    elif meta.base is not None or meta.counter is NO_VERSION or (mode.path == "tracked" and meta.requires_grad):
        return None
    array = target._array
    # Contiguous, aligned and writeable.
    return array if array.flags.carray else None


def count_write(target, name):
    """Count one change of a tensor that `array_to_write` gave the array of."""
    meta = target._meta
    if meta is not None:
        counter = meta.counter or counter_of(meta)
        counter.value += 1
        counter.last_op = name


def apply(op, target, arguments, name=None):
    """Run an elementwise op into its first operand, if nothing stands against it.

    Args:
        op: an `ElementwiseOp`.
        target: the tensor to change.
        arguments: the other parameters of the op.
        name: of the change; None for the op's.

    Returns:
        Whether it was done.
    """
    name = name or op.name + "_"
    array = array_to_write(target)
    if array is None or len(arguments) != len(op.parameters) - 1:
        return False
    dtype = array.dtype
    try:
        kernel = op.kernels.get(dtype) or op.table[dtype]
    except NotImplementedError:
        return False
    # What converts integers, or looks for zero divisors first, is a function.
    if type(kernel) not in KERNELS:
        return False
    operands = [array]
    try:
        for value in arguments:
            kind = type(value)
            if kind not in TENSORS:
                if len(operands) < len(op.tensors):
                    value = (WEAK if op.wraps else WEAK_STRICT)[kind][dtype][value]
                elif kind in WEAK:
                    value = CONSTANTS[dtype][value]
                else:
                    return False
                operands.append(value)
                continue
            meta = value._meta
            value = value._array
            if value.dtype is not dtype or len(operands) >= len(op.tensors):
                return False
            if meta is not None and meta.requires_grad and current.mode.path == "tracked":
                return False
            operands.append(value)
    except (KeyError, RuntimeError, TypeError, ValueError):
        return False
    try:
        # NumPy refuses shapes before it writes anything, and buffers operands that overlap with the result.
        if process.asks and array.nbytes >= op.large(op.forward):
            divide(kernel, *operands, out=(array,))
        else:
            kernel(*operands, array)
    except (TypeError, ValueError):
        return False
    except BaseException:
        # An interrupt: some of it may be written.
        count_write(target, name)
        raise
    count_write(target, name)
    return True
