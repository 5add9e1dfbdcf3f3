"""Positions along one dimension: from users' indices to the kernels that take and add there."""

import numpy as np

from ..graph import NO_VERSION
from ..kernels.checked import CHECKED_BUILD, raise_on_violation
from ..kernels.forward import indexing as forward
from ..kernels.forward import scatter
from ..modes import current
from ..tensor import Tensor
from . import operands
from .declaration import refuse_saving

# ---------------------------------------------------------------------------------------------------------------------
# Positions: what users' indices become


def as_positions(op, index, extent, dim, negative=True, error=IndexError):
    """Return an index array as int64 positions counted from the front, in memory of their own.

    Args:
        op: name of the op, for the message.
        index: an array of integers, of any shape.
        extent, dim: of the indexed dimension.
        negative: whether negative indices count from the end; otherwise they are out of range.
        error: the exception for an index out of range.

    Raises:
        IndexError: one is out of range.
    """
    flat = index.astype(np.int64, copy=False)
    if index.ndim != 1:
        flat = flat.reshape(-1)
    positions, wrong = forward.wrap_index.loops[flat.dtype](flat, extent, -extent if negative else 0)
    if wrong >= 0:
        raise error(f"{op}: index {flat[wrong]} is out of bounds for dimension {dim} with size {extent}")
    return positions if index.ndim == 1 else positions.reshape(index.shape)


def index_array(op, name, index, recording=False):
    """Return the array of an index argument.

    Raises:
        TypeError: it is no tensor.
        RuntimeError: its dtype is neither int64 nor int32, or it is an inference tensor and would be saved.
    """
    array = operands.unwrap(op, name, index)
    if array.dtype != np.int64 and array.dtype != np.int32:
        raise RuntimeError(f"{op}: expected dtype int32 or int64 for {name}, got {array.dtype}; convert with .to(...)")
    if recording:
        refuse_inference_index(op, name, index)
    return array


class _Named:
    """Stands for a declaration where an error only needs its name."""

    def __init__(self, name):
        self.name = name


def refuse_inference_index(op, name, index):
    """Raise if an index or mask that a recorded op needs for backward is an inference tensor."""
    if isinstance(index, Tensor) and (index._meta is None or index._meta.counter is NO_VERSION):
        refuse_saving(_Named(op), name, index)


def is_recorded(*tensors):
    """Whether an op of these is recorded."""
    if current.mode.path != "tracked":
        return False
    for one in tensors:
        meta = getattr(one, "_meta", None)
        if meta is not None and meta.requires_grad:
            return True
    return False


def broadcast_positions(op, arrays):
    """Return index arrays of one shape.

    Raises:
        IndexError: their shapes do not broadcast.
    """
    try:
        return np.broadcast_arrays(*arrays)
    except ValueError:
        shapes = ", ".join(str(a.shape) for a in arrays)
        raise IndexError(
            f"{op}: shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
        ) from None


# ---------------------------------------------------------------------------------------------------------------------
# Kernels along one dimension


def check_status(op, status):
    if CHECKED_BUILD:
        raise_on_violation(op, status)


def _cores(first, second, dim):
    """Return two arrays that differ in dimension `dim` as the core arrays of a row kernel, and whether it is one."""
    ndim = first.ndim
    if dim == ndim - 1:
        return first, second, False
    if first.flags.c_contiguous and second.flags.c_contiguous and first.size and second.size:
        # Rows as long as possible.
        shape = first.shape[:dim]
        return first.reshape(*shape, first.shape[dim], -1), second.reshape(*shape, second.shape[dim], -1), True
    return first.swapaxes(dim, -2), second.swapaxes(dim, -2), True


def take_at(op, array, dim, positions):
    """Return the elements of `array` at positions (1-d) of a dimension: whole rows by NumPy, else by the kernel."""
    if dim < array.ndim - 1 and array.flags.c_contiguous:
        return array.take(positions, dim)
    shape = array.shape
    result = np.empty((*shape[:dim], positions.size, *shape[dim + 1 :]), array.dtype)
    x, out, rows = _cores(array, result, dim)
    table = forward.take_rows if rows else forward.take_along
    check_status(op, table.loops[array.dtype](x, positions, out=(out, None))[1])
    return result


def add_at(op, whole, dim, positions, values):
    """Add `values` to `whole`, in place, at positions (1-d) of a dimension, by the kernel."""
    x, out, rows = _cores(values, whole, dim)
    table = scatter.add_rows if rows else scatter.add_along
    check_status(op, table.loops[whole.dtype](x, positions, out=(out, None))[1])


# ---------------------------------------------------------------------------------------------------------------------
# x[...]

FULL = slice(None)
