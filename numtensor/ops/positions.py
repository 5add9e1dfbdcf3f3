"""Positions along one dimension: from users' indices to the kernels and NumPy functions that take and add there.

No index is followed unseen: the kernels compare each one as they read it, and NumPy's functions do. Both only tell
that one was out of range; which one is looked up for the message.
"""

import math

import numpy as np

from ..graph import NO_VERSION
from ..kernels import boxed_take
from ..kernels.declare import KernelTable
from ..kernels.forward import indexing as forward
from ..kernels.forward import scatter
from ..modes import current
from ..tensor import Tensor
from . import operands
from .declaration import refuse_saving
from .operands import CONSTANTS

INT32, INT64 = np.dtype(np.int32), np.dtype(np.int64)

FULL = slice(None)

# From so many elements on, the kernel picks single ones from each row sooner than NumPy, which takes less to call.
MANY = 4096

# No row is left out.
NONE_SKIPPED = CONSTANTS[INT64][-1]

# ---------------------------------------------------------------------------------------------------------------------
# Positions: what users' indices become


def first_outside(index, extent, lowest=0):
    """Return (where, value) of the first index that is not in [lowest, extent), (None, text) if there is none.

    There may be none any more: memory that is shared with NumPy may change at any time.
    """
    flat = index.reshape(-1)
    found = np.flatnonzero((flat < lowest) | (flat >= extent))
    return (int(found[0]), flat[found[0]]) if found.size else (None, "that was changed meanwhile")


def out_of_bounds(op, index, extent, dim, lowest=0, error=IndexError):
    """Return the exception for an index array of which one was found out of range."""
    _, value = first_outside(index, extent, lowest)
    return error(f"{op}: index {value} is out of bounds for dimension {dim} with size {extent}")


def says_yes(outside):
    """Whether the `outside` output of an index-taking kernel, an array or a number, is anywhere True."""
    # A tenth of the time of any(), which is a Python function below; reductions of a few elements take nearly as long.
    return 1 in outside.tobytes()


def has_negative(index):
    """Whether an array of integers has a negative one."""
    # Half the time of min(): no reduction is set up.
    return index.size and index.item(index.argmin()) < 0


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
    flat = index if index.ndim == 1 else index.reshape(-1)
    constants = CONSTANTS[INT64]
    lowest = -extent if negative else 0
    positions, outside = np.empty(flat.shape, INT64), np.empty((), bool)
    forward.wrap_index.run(INT64, flat, constants[extent], constants[lowest], positions, outside)
    if outside:
        raise out_of_bounds(op, flat, extent, dim, lowest, error)
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
    shape = arrays[0].shape
    if all(array.shape == shape for array in arrays):
        return arrays
    try:
        return np.broadcast_arrays(*arrays)
    except ValueError:
        shapes = ", ".join(str(a.shape) for a in arrays)
        raise IndexError(
            f"{op}: shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
        ) from None


# ---------------------------------------------------------------------------------------------------------------------
# Along one dimension


def take_at(op, array, dim, index, negative=False):
    """Return the elements of `array` at an index array (of any shape) for a dimension.

    Where the array lies in order by the kernels, which compare each index with the extent; else by NumPy.

    Raises:
        IndexError: an index is out of range.
    """
    if dim and dim == array.ndim - 1 and index.ndim == 1 and array.size >= MANY:
        result, outside = forward.take_along.loops[array.dtype](array, index)
        if not says_yes(outside):
            return result
    elif not negative and array.flags.c_contiguous and index.dtype is INT64:
        result = _take_rows(array, dim, index)
        if result is not None:
            return result
    # What has_negative does, without a frame.
    if not negative and index.size and index.item(index.argmin()) < 0:
        raise out_of_bounds(op, index, array.shape[dim], dim)
    try:
        if array.flags.c_contiguous:
            return array.take(index, dim)
        # take() would copy the whole array first.
        result = array[(FULL,) * dim + (index,)]
    except IndexError:
        extent = array.shape[dim]
        raise out_of_bounds(op, index, extent, dim, -extent if negative else 0) from None
    return result if result.flags.c_contiguous else result.copy()


def _make_take_rows(dtype):
    made = forward.take_rows.builtin(dtype)
    TAKEN.enter(dtype, made)
    return made


TAKEN = boxed_take.TakeTable()
"""What machine code takes from small tensors itself: the dtypes met."""

_TAKE_ROWS = KernelTable(_make_take_rows)


def _take_rows(array, dim, index):
    """Return the same of arrays in order; None if an index is out of range, or they do not lie so."""
    shape = array.shape
    inner = shape[dim + 1 :]
    result = np.empty((*shape[:dim], *index.shape, *inner), array.dtype)
    outer, extent, width = math.prod(shape[:dim]), shape[dim], math.prod(inner)
    outside = np.empty((), bool)
    rows = array.reshape(outer, extent, width), index.reshape(-1), result.reshape(outer, index.size, width), outside
    return result if _TAKE_ROWS[array.dtype](*rows) and not outside else None


def add_at(op, whole, dim, index, values, skipped=NONE_SKIPPED):
    """Add `values` to the fresh array `whole`, in place, at an index array of one dimension for a dimension.

    Args:
        op: name of the op, for the message.
        skipped: an index, as a 0-d array, at which nothing is added.

    Raises:
        IndexError: an index is out of range; the others were added.
    """
    if dim == whole.ndim - 1:
        outside = np.empty(whole.shape[:-1], bool)
        scatter.add_along.run(whole.dtype, values, index, whole, outside)
    else:
        values, out = _as_matrices(dim, values, whole)
        outside = np.empty(out.shape[:-2], bool)
        scatter.add_rows.run(whole.dtype, values, index, skipped, out, outside)
    if says_yes(outside):
        raise out_of_bounds(op, index, whole.shape[dim], dim)


def _as_matrices(dim, *arrays):
    """Return arrays of the same shape but for `dim`, which is not the last, with `dim` as the last dimension but one.

    What follows it becomes one dimension if the memory allows: kernels then walk rows that are as long as possible.
    """
    if dim == arrays[0].ndim - 2:
        return arrays
    if all(array.flags.c_contiguous for array in arrays):
        rest = math.prod(arrays[0].shape[dim + 1 :])
        return [array.reshape(*array.shape[: dim + 1], rest) for array in arrays]
    return [array.swapaxes(dim, -2) for array in arrays]


# ---------------------------------------------------------------------------------------------------------------------
# Along one dimension, with an index for each element


def reachable(array, index, dim):
    """Return the part of `array` that an index array of as many dimensions, no larger but in `dim`, can reach."""
    extents = array.shape
    if extents == index.shape:
        return array
    for k, extent in enumerate(index.shape):
        if k != dim and extent < extents[k]:
            return array[tuple([FULL if k == dim else slice(e) for k, e in enumerate(index.shape)])]
    return array


def take_along(array, dim, index):
    """Return ``array[..., index[..., j, ...], ...]``, and whether an index was out of range: those gave garbage."""
    array = reachable(array, index, dim)
    result = np.empty(index.shape, array.dtype)
    if dim == array.ndim - 1:
        outside = np.empty(index.shape[:-1], bool)
        forward.take_along.run(array.dtype, array, index, result, outside)
    else:
        x, index, out = _as_matrices(dim, array, index, result)
        outside = np.empty(out.shape[:-2], bool)
        forward.take_between.run(array.dtype, x, index, out, outside)
    return result, says_yes(outside)


def write_along(last, between, whole, dim, index, values):
    """Write `values` to `whole`, in place, at an index for each of them; return whether one was out of range.

    Args:
        last, between: the kernels where `dim` is the last dimension, and where it is not.
        whole: a fresh array: the values whose index is in range are written in any case.
        dim: a dimension.
        index: no larger than `whole` but in `dim`.
        values: of the index's shape.
    """
    out = reachable(whole, index, dim)
    if dim == out.ndim - 1:
        outside = np.empty(out.shape[:-1], bool)
        last.run(whole.dtype, values, index, out, outside)
    else:
        values, index, out = _as_matrices(dim, values, index, out)
        outside = np.empty(out.shape[:-2], bool)
        between.run(whole.dtype, values, index, out, outside)
    return says_yes(outside)


def add_along(whole, dim, index, values):
    """Add `values` to `whole`, as `write_along`; positions that come several times add up, in order."""
    return write_along(scatter.add_along, scatter.add_between, whole, dim, index, values)


def put_along(whole, dim, index, values):
    """Write `values` to `whole`, as `write_along`; of positions that come several times the last stays."""
    return write_along(scatter.put_along, scatter.put_between, whole, dim, index, values)
