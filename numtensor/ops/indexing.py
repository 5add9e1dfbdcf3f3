"""``x[...]``: parsing an index, views for basic ones, and copies for lists, index tensors and masks.

Functions that read by position stand in ``gather.py``, those that write in ``scatter.py``.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from .. import lean
from ..kernels import boxed_views
from ..modes import current
from ..tensor import Tensor, from_array
from . import operands
from .general_kind import kernel
from .general_kind import view as view_op
from .positions import (
    FULL,
    INT64,
    add_at,
    as_positions,
    broadcast_positions,
    is_recorded,
    refuse_inference_index,
    take_at,
)
from .view_transpose import embed


def region(shape, indices):
    """Return (shape of the indexed part, first of its dimensions that the indices give, how many they give)."""
    dims = [dim for dim, index in enumerate(indices) if index is not None]
    given = indices[dims[0]].shape
    rest = [extent for dim, extent in enumerate(shape) if dim >= len(indices) or indices[dim] is None]
    # Neighbouring indices stay in place, separated ones come first.
    first = dims[0] if dims[-1] - dims[0] == len(dims) - 1 else 0
    return (*rest[:first], *given, *rest[first:]), first, len(given)


def as_key(indices):
    return tuple([slice(None) if index is None else index for index in indices])


def _take_region(op, array, indices):
    dims = [dim for dim, index in enumerate(indices) if index is not None]
    if len(dims) == 1:
        (dim,) = dims
        return take_at(op, array, dim, indices[dim], negative=True)
    result = array[as_key(indices)]
    return result if result.flags.c_contiguous else result.copy()


def _add_region(op, whole, indices, values):
    """Add `values` of the region's shape to the contiguous array `whole`, in place; duplicates add up."""
    dims = [dim for dim, index in enumerate(indices) if index is not None]
    shape = whole.shape
    if len(dims) == 1:
        (dim,) = dims
        index = indices[dim]
        if index.ndim != 1:
            values, index = values.reshape(*shape[:dim], index.size, *shape[dim + 1 :]), index.reshape(-1)
        add_at(op, whole, dim, index, values)
        return
    positions = indices[dims[0]]
    for dim in dims[1:]:
        positions = positions * shape[dim] + indices[dim]
    extent = math.prod([shape[dim] for dim in dims])
    if dims == list(range(len(dims))):
        # The indexed dimensions come first: one dimension of the same memory.
        rest = shape[len(dims) :]
        work = whole.reshape(extent, *rest)
        add_at(op, work, 0, positions.reshape(-1), values.reshape(positions.size, *rest))
        return
    _, first, count = region(shape, indices)
    order = dims + [dim for dim in range(len(shape)) if dim not in dims]
    rows = np.moveaxis(values, range(first, first + count), range(count))
    moved = whole.transpose(order)
    work = np.ascontiguousarray(moved).reshape(extent, math.prod(rows.shape[count:]))
    rows = np.ascontiguousarray(rows).reshape(positions.size, work.shape[1])
    add_at(op, work, 0, positions.reshape(-1), rows)
    np.copyto(moved, work.reshape(moved.shape))


@kernel(method=False, namespace="ops", differentiable="input", linear=True)
def index(input, indices):
    """Copy the elements at positions: what ``x[...]`` computes for index lists, index tensors and masks.

    Args:
        input: a tensor.
        indices: for each leading dimension None, or an int64 array of positions counted from the front; all of one
            shape.

    Returns:
        A tensor with its own memory. The positions' dimensions stand where the indexed ones were if those are
        neighbours, else first.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([1, 2, 3])[[2, 0]]
        tensor([3, 1])
    """


@index.forward
def _(input, indices):
    return _take_region("getitem", input, indices)


@index.backward
def _(grad, needs, input, indices):
    whole = np.zeros(input, grad.dtype)
    _add_region("index", whole, indices, grad)
    return whole


@index.vjp
def _(grad, needs, input, indices):
    return put(from_array(np.zeros(input, grad._array.dtype)), indices, grad, True)


@kernel(method=False, namespace="ops", tensors=("input", "values"), linear=True)
def put(input, indices, values, accumulate=False):
    """Copy the input with other values at positions: what ``x[...] = values`` computes.

    Args:
        input: a tensor.
        indices: as `index`.
        values: a tensor of the input's dtype that broadcasts to the indexed part.
        accumulate: add to what is there; positions that come several times add up. Otherwise the last value stays.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import numtensor as nt
        >>> nt.index_put(nt.tensor([1, 2, 3]), (nt.tensor([0, 0]),), nt.tensor([4, 5]), accumulate=True)
        tensor([10,  2,  3])
    """


@put.forward
def _(input, indices, values, accumulate):
    result = input.copy()
    if accumulate:
        shape, _, _ = region(input.shape, indices)
        _add_region("index_put", result, indices, values if values.shape == shape else np.broadcast_to(values, shape))
    else:
        # NumPy's assignment is one pass like a kernel's.
        result[as_key(indices)] = values
    return result


@put.backward
def _(grad, needs, input, indices, values, accumulate):
    grad_input = grad
    if needs[0] and not accumulate:
        grad_input = grad.copy()
        grad_input[as_key(indices)] = 0
    grad_values = operands.sum_to_shape(_take_region("index_put", grad, indices), values) if needs[1] else None
    return grad_input if needs[0] else None, grad_values


@put.vjp
def _(grad, needs, input, indices, values, accumulate):
    grad_input = grad
    if needs[0] and not accumulate:
        grad_input = put(grad, indices, from_array(np.zeros((), grad._array.dtype)), False)
    grad_values = index(grad, indices).sum_to_size(*values) if needs[1] else None
    return grad_input if needs[0] else None, grad_values


@view_op(method=False, namespace="ops")
def basic_index(input, index):
    """View the part that integers, slices, None and Ellipsis choose: what ``x[...]`` computes for those.

    Args:
        input: a tensor.
        index: an int, a slice, or a tuple of ints, slices, None and one Ellipsis.

    Returns:
        A view.

    Raises:
        IndexError: an integer is out of range, or there are too many.
        ValueError: a slice has a step that is not positive.

    Reference: ``torch.Tensor.__getitem__``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([[1, 2], [3, 4]])[:, 1]
        tensor([2, 4])
    """


@basic_index.forward
def _(input, index):
    kind = type(index)
    try:
        if kind is int:
            return input[index, ...]
        if kind is slice:
            if index.step is not None:
                _check_step(index)
            return input[index]
        return input[index]
    except IndexError:
        raise _basic_error(input.shape, index) from None


@basic_index.backward
def _(grad, needs, input, index):
    whole = np.zeros(input, grad.dtype)
    whole[index] = grad
    return whole


@basic_index.vjp
def _(grad, needs, input, index):
    return embed(grad, input, lambda array: basic_index._forward(array, index))


def _check_step(part):
    step = operator.index(part.step)
    if step <= 0:
        raise ValueError(f"getitem: step must be greater than zero, got {step}; flip() reverses")


def _basic_error(shape, index):
    """Return the exception for a basic index that NumPy refused."""
    items = index if type(index) is tuple else (index,)
    used = sum(1 for item in items if item is not None and item is not Ellipsis)
    if used > len(shape):
        if not shape:
            return IndexError(
                "getitem: invalid index of a 0-dim tensor (shape ()). Use `tensor.item()` to convert it to a number"
            )
        return IndexError(f"getitem: too many indices ({used}) for tensor of dimension {len(shape)} (shape {shape})")
    dim = 0
    for item in items:
        if item is Ellipsis:
            dim += len(shape) - used
        elif item is not None:
            if not isinstance(item, slice) and not -shape[dim] <= item < shape[dim]:
                return IndexError(
                    f"getitem: index {item} is out of bounds for dimension {dim} with size {shape[dim]} (shape {shape})"
                )
            dim += 1
    return IndexError(f"getitem: invalid index {index} for a tensor of shape {shape}")


def _as_basic(index):
    """Return a tuple of ints, slices, None and Ellipsis as a NumPy index that always gives a view, else None."""
    ellipsis = False
    for item in index:
        kind = type(item)
        if kind is slice:
            if item.step is not None:
                _check_step(item)
        elif item is Ellipsis:
            if ellipsis:
                return None
            ellipsis = True
        elif kind is not int and item is not None:
            return None
    return index if ellipsis else (*index, ...)


def _is_sequence_of_indices(value):
    """Whether a list stands for a tuple of indices: PyTorch's rule for lists that hold more than numbers."""
    if len(value) >= 32:
        return False
    kinds = (slice, list, tuple, range, Tensor)
    return any(item is None or item is Ellipsis or isinstance(item, kinds) for item in value)


def parse_index(op, shape, index, recording):
    """Split an index into a basic part and an advanced part, as PyTorch does.

    Args:
        op: for the messages: getitem or setitem.
        shape: of the indexed tensor.
        index: what stands between the brackets.
        recording: whether backward will need the indices.

    Returns:
        (basic, advanced): a NumPy index that gives a view, and for each of the view's dimensions None or positions;
        None if there are no advanced indices.

    Raises:
        IndexError, TypeError, ValueError: as `getitem`.
    """
    if isinstance(index, (list, range)) and _is_sequence_of_indices(index):
        index = tuple(index)
    elif type(index) is not tuple:
        index = (index,)
    items = [_as_item(op, item, recording) for item in index]
    used = sum(_consumed(item) for item in items)
    if used > len(shape):
        if not shape:
            raise IndexError(f"{op}: invalid index of a 0-dim tensor (shape ()). Use `tensor.item()` to get its number")
        raise IndexError(f"{op}: too many indices ({used}) for tensor of dimension {len(shape)} (shape {shape})")
    basic, advanced, dim, filled = [], [], 0, False
    for item in items:
        if item is None:
            basic.append(None)
            advanced.append(None)
        elif item is Ellipsis:
            if not filled:
                filled = True
                count = len(shape) - used
                basic += [FULL] * count
                advanced += [None] * count
                dim += count
        elif type(item) is bool:
            # True and False index a dimension of extent 1 that they insert.
            basic.append(None)
            advanced.append(np.zeros(int(item), np.int64))
        elif type(item) is int:
            if not -shape[dim] <= item < shape[dim]:
                raise IndexError(
                    f"{op}: index {item} is out of bounds for dimension {dim} with size {shape[dim]} (shape {shape})"
                )
            basic.append(item)
            dim += 1
        elif type(item) is slice:
            if item.step is not None:
                _check_step(item)
            basic.append(item)
            advanced.append(None)
            dim += 1
        elif item.dtype.kind == "b":
            extents = shape[dim : dim + item.ndim]
            if item.shape != extents:
                raise IndexError(
                    f"{op}: the shape of the mask {item.shape} does not match the shape {extents} that it indexes, "
                    f"from dimension {dim} of the tensor of shape {shape}"
                )
            advanced += item.nonzero()
            basic += [FULL] * item.ndim
            dim += item.ndim
        else:
            advanced.append(as_positions(op, item, shape[dim], dim))
            basic.append(FULL)
            dim += 1
    basic = (*basic, ...)
    if all(item is None for item in advanced):
        return basic, None
    dims = [k for k, item in enumerate(advanced) if item is not None]
    if len(dims) > 1:
        same = broadcast_positions(op, [advanced[k] for k in dims])
        for k, positions in zip(dims, same, strict=True):
            advanced[k] = positions
    return basic, tuple(advanced[: dims[-1] + 1])


def _as_item(op, item, recording):
    """Return one item of an index as int, bool, slice, None, Ellipsis, or an array of int64, int32 or bool."""
    kind = type(item)
    if kind in (int, bool, slice) or item is None or item is Ellipsis:
        return item
    if isinstance(item, Tensor):
        array = item._array
        if array.ndim == 0 and array.dtype.kind == "i":
            return array.item()
        if recording:
            refuse_inference_index(op, "index", item)
    elif isinstance(item, (np.ndarray, np.bool_)):
        array = np.asarray(item)
        if array.ndim == 0 and array.dtype.kind in "iu":
            return array.item()
    elif isinstance(item, (list, tuple, range)):
        try:
            array = np.asarray([_plain(one) for one in item])
        except ValueError:
            raise IndexError(f"{op}: a list index must be a rectangle of integers or bools, got {item!r}") from None
        if not array.size:
            array = array.astype(np.int64)
    else:
        try:
            return operator.index(item)
        except TypeError:
            raise IndexError(
                f"{op}: only integers, slices (`:`), ellipsis (`...`), None and integer or bool tensors are valid "
                f"indices (got {kind.__name__})"
            ) from None
    if array.ndim == 0 and array.dtype.kind == "b":
        return array.item()
    if array.dtype.kind != "b" and array.dtype != np.int64 and array.dtype != np.int32:
        advice = "; for a mask, convert it with .bool()" if array.dtype == np.uint8 else ""
        raise IndexError(f"{op}: tensors used as indices must be int64, int32 or bool, got {array.dtype}{advice}")
    return array


def _plain(item):
    if isinstance(item, Tensor):
        return item._array
    return [_plain(one) for one in item] if isinstance(item, (list, tuple)) else item


def _consumed(item):
    """Return how many dimensions an item of an index uses up."""
    if item is None or item is Ellipsis or type(item) is bool:
        return 0
    return item.ndim if isinstance(item, np.ndarray) and item.dtype.kind == "b" else 1


_DIRECT = frozenset({int, slice, type(None), type(Ellipsis)})


def plain_index(index):
    """Return an index of ints, slices, None and Ellipsis as `basic_index` takes it; None if it has anything else."""
    kind = type(index)
    if kind in _DIRECT:
        return index
    return _as_basic(index) if kind is tuple else None


def positions_of(index):
    """Return the arrays of a tuple of int64 tensors with dimensions; None if there is anything else."""
    arrays = []
    for item in index:
        if type(item) is not Tensor:
            return None
        array = item._array
        if array.dtype is not INT64 or not array.ndim:
            return None
        arrays.append(array)
    return tuple(arrays)


def is_mask(array, shape):
    """Whether an index array is a mask of the leading dimensions of a tensor of some shape."""
    return array.dtype.kind == "b" and array.ndim and array.shape == shape[: array.ndim]


def _masked(self, mask, recording):
    """Return the parts of a tensor where a mask of its leading dimensions holds."""
    if recording:
        refuse_inference_index("getitem", "index", mask)
    chosen = mask._array
    if chosen.ndim > 1:
        self = current.mode.reshape(self, (chosen.size, *self._array.shape[chosen.ndim :]))
        chosen = chosen.reshape(-1)
    return current.mode.index(self, (chosen.nonzero()[0],))


_parts = lean.Function(lambda layout: boxed_views.make_part(layout, basic_index._forward))


def getitem(self, index: Any) -> Tensor:
    """Index the tensor.

    Integers, slices with a positive step, None and Ellipsis give a view. Lists, integer tensors and masks among them
    give a copy, in which elements that come several times each get their gradient.

    Raises:
        IndexError: an index is out of range, a mask has another shape, or something is no index.
        ValueError: a slice has a step that is not positive.
    """
    part = _parts.call(self, index)
    if part is not None:
        return part
    kind = type(index)
    if kind in _DIRECT:
        return current.mode.basic_index(self, index)
    if kind is tuple:
        basic = _as_basic(index)
        if basic is not None:
            return current.mode.basic_index(self, basic)
    recording = is_recorded(self)
    if kind is Tensor:
        index = (index,)
    if type(index) is tuple:
        positions = None if recording else positions_of(index)
        if positions is not None and 0 < len(positions) <= self._array.ndim:
            try:
                return current.mode.index(self, positions)
            except IndexError:
                # What follows says which one it was.
                pass
        if len(index) == 1 and type(index[0]) is Tensor and is_mask(index[0]._array, self._array.shape):
            return _masked(self, index[0], recording)
    basic, advanced = parse_index("getitem", self._array.shape, index, recording)
    if advanced is None:
        return current.mode.basic_index(self, basic)
    if any(item is None or item is not FULL for item in basic[:-1]):
        self = current.mode.basic_index(self, basic)
    return current.mode.index(self, advanced)


Tensor.__getitem__ = getitem
