"""Reading elements by position: ``x[...]``, gather, index_select, masks. ``scatter.py`` writes by position.

Every index is validated here, before a kernel sees it.
"""

import operator

import numpy as np

from ..graph import NO_VERSION
from ..kernels.checked import CHECKED_BUILD, raise_on_violation
from ..kernels.forward import indexing as forward
from ..kernels.forward import scatter
from ..modes import current
from ..tensor import Tensor, from_array
from . import operands
from .declaration import refuse_saving
from .dims import normalise_dim
from .general_kind import composite, kernel, library
from .general_kind import view as view_op
from .shape import diagonal as view_diagonal
from .shape import embed, expand, reshape

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
    flat = index.astype(np.int64, copy=False).reshape(-1)
    positions, wrong = forward.wrap_index.loops[flat.dtype](flat, extent, -extent if negative else 0)
    if wrong >= 0:
        raise error(f"{op}: index {flat[wrong]} is out of bounds for dimension {dim} with size {extent}")
    return positions.reshape(index.shape)


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


def _check(op, status):
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
    """Return the elements of `array` at positions (1-d) of a dimension, by the kernel."""
    shape = array.shape
    result = np.empty((*shape[:dim], positions.size, *shape[dim + 1 :]), array.dtype)
    x, out, rows = _cores(array, result, dim)
    table = forward.take_rows if rows else forward.take_along
    _check(op, table.loops[array.dtype](x, positions, out=(out, None))[1])
    return result


def add_at(op, whole, dim, positions, values):
    """Add `values` to `whole`, in place, at positions (1-d) of a dimension, by the kernel."""
    x, out, rows = _cores(values, whole, dim)
    table = scatter.add_rows if rows else scatter.add_along
    _check(op, table.loops[whole.dtype](x, positions, out=(out, None))[1])


# ---------------------------------------------------------------------------------------------------------------------
# Advanced indices: a tuple with None, or int64 positions, for each leading dimension


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
        index = indices[dim]
        result = take_at(op, array, dim, index.reshape(-1))
        return result if index.ndim == 1 else result.reshape(*array.shape[:dim], *index.shape, *array.shape[dim + 1 :])
    result = array[as_key(indices)]
    return result if result.flags.c_contiguous else result.copy()


def _add_region(op, whole, indices, values):
    """Add `values` of the region's shape to the contiguous array `whole`, in place; duplicates add up."""
    dims = [dim for dim, index in enumerate(indices) if index is not None]
    shape = whole.shape
    if len(dims) == 1:
        (dim,) = dims
        index = indices[dim]
        values = values.reshape(*shape[:dim], index.size, *shape[dim + 1 :])
        add_at(op, whole, dim, index.reshape(-1), values)
        return
    _, first, count = region(shape, indices)
    order = dims + [dim for dim in range(len(shape)) if dim not in dims]
    extents = tuple([shape[dim] for dim in dims])
    positions = np.zeros(indices[dims[0]].shape, np.int64)
    for dim in dims:
        positions = positions * shape[dim] + indices[dim]
    rows = np.moveaxis(values, range(first, first + count), range(count))
    inner = rows.shape[count:]
    moved = whole.transpose(order)
    work = np.ascontiguousarray(moved).reshape(int(np.prod(extents)), -1 if moved.size else int(np.prod(inner)))
    rows = np.ascontiguousarray(rows).reshape(positions.size, work.shape[1])
    add_at(op, work, 0, positions.reshape(-1), rows)
    np.copyto(moved, work.reshape(moved.shape))


@kernel(method=False, namespace="ops", differentiable="input")
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
    return _take_region("index", input, indices)


@index.backward
def _(grad, needs, input, indices):
    whole = np.zeros(input, grad.dtype)
    _add_region("index", whole, indices, grad)
    return whole


@index.vjp
def _(grad, needs, input, indices):
    return put(from_array(np.zeros(input, grad._array.dtype)), indices, grad, True)


@kernel(method=False, namespace="ops", tensors=("input", "values"))
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
        _add_region("index_put", result, indices, np.broadcast_to(values, shape))
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


# ---------------------------------------------------------------------------------------------------------------------
# x[...]

_FULL = slice(None)


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
                basic += [_FULL] * count
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
            basic += [_FULL] * item.ndim
            dim += item.ndim
        else:
            advanced.append(as_positions(op, item, shape[dim], dim))
            basic.append(_FULL)
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


_DIRECT = frozenset({int, slice})


def plain_index(index):
    """Return an index of ints, slices, None and Ellipsis as `basic_index` takes it; None if it has anything else."""
    kind = type(index)
    if kind in _DIRECT:
        return index
    return _as_basic(index) if kind is tuple else None


def getitem(self, index):
    """Index the tensor.

    Integers, slices with a positive step, None and Ellipsis give a view. Lists, integer tensors and masks among them
    give a copy, in which elements that come several times each get their gradient.

    Raises:
        IndexError: an index is out of range, a mask has another shape, or something is no index.
        ValueError: a slice has a step that is not positive.
    """
    kind = type(index)
    if kind in _DIRECT:
        return current.mode.basic_index(self, index)
    if kind is tuple:
        basic = _as_basic(index)
        if basic is not None:
            return current.mode.basic_index(self, basic)
    basic, advanced = parse_index("getitem", self._array.shape, index, is_recorded(self))
    if advanced is None:
        return current.mode.basic_index(self, basic)
    if any(item is None or item is not _FULL for item in basic[:-1]):
        self = current.mode.basic_index(self, basic)
    return current.mode.index(self, advanced)


Tensor.__getitem__ = getitem


# ---------------------------------------------------------------------------------------------------------------------
# Functions that read by position


def gather_parts(array, index, dim):
    """Return the part of `array` that an index of this shape can reach, with `dim` last."""
    ndim = array.ndim
    for k, extent in enumerate(index.shape):
        if k != dim and extent < array.shape[k]:
            array = array[tuple([_FULL if k == dim else slice(e) for k, e in enumerate(index.shape)])]
            break
    return array.swapaxes(dim, -1) if ndim else array


@kernel(tensors=("input", "index"), differentiable="input", saves="index")
def gather(input, dim, index):
    """Read along a dimension: out[i][j][k] = input[index[i][j][k]][j][k] for ``dim=0``, and so on.

    Args:
        input: a tensor.
        dim: the dimension.
        index: an int64 or int32 tensor of as many dimensions, no larger than the input but in `dim`.

    Returns:
        A tensor of the index's shape.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: an index is out of range or negative, or the shapes do not fit.

    Reference: ``torch.gather``.

    Example:
        >>> import numtensor as nt
        >>> nt.gather(nt.tensor([[1, 2], [3, 4]]), 1, nt.tensor([[0, 0], [1, 0]]))
        tensor([[1, 1],
                [4, 3]])
    """


def check_along(op, input, dim, index, src=None):
    """Validate the operands of gather and scatter; return (dim, positions, input and index of at least 1 dimension).

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: the shapes do not fit, the index has another dtype, or an index is out of range.
    """
    dim = normalise_dim(op, dim, input.ndim)
    if index.dtype != np.int64 and index.dtype != np.int32:
        raise RuntimeError(f"{op}: expected dtype int32 or int64 for index, got {index.dtype}; convert with .to(...)")
    shape, whole = index.shape or (1,), input.shape or (1,)
    if index.size == 0:
        return dim, None
    if len(shape) != len(whole):
        raise RuntimeError(
            f"{op}: Index tensor must have the same number of dimensions as input tensor, got index of shape "
            f"{index.shape} and input of shape {input.shape}"
        )
    too_large = any(k != dim and shape[k] > whole[k] for k in range(len(shape)))
    if src is not None:
        if len(src.shape or (1,)) != len(shape):
            raise RuntimeError(
                f"{op}: Index tensor must have the same number of dimensions as src tensor, got index of shape "
                f"{index.shape} and src of shape {src.shape}"
            )
        too_large = too_large or any(n > m for n, m in zip(shape, src.shape or (1,), strict=True))
    if too_large:
        raise RuntimeError(
            f"{op}: Size does not match: expected index {index.shape} to be no larger than self {input.shape} apart "
            f"from dimension {dim}" + ("" if src is None else f" and no larger than src {src.shape}")
        )
    return dim, as_positions(op, index, whole[dim], dim, negative=False, error=RuntimeError).reshape(shape)


@gather.forward
def _(input, dim, index):
    dim, positions = check_along("gather", input, dim, index)
    result = np.empty(index.shape, input.dtype)
    if positions is not None:
        x = gather_parts(input.reshape(input.shape or (1,)), positions, dim)
        out = result.reshape(positions.shape).swapaxes(dim, -1)
        _check("gather", forward.take_along.loops[input.dtype](x, positions.swapaxes(dim, -1), out=(out, None))[1])
    return result


def add_along_array(op, whole, dim, positions, values):
    """Add `values` to `whole`, in place, along a dimension; all have as many dimensions."""
    out = gather_parts(whole.reshape(whole.shape or (1,)), positions, dim)
    values, positions = values.reshape(positions.shape).swapaxes(dim, -1), positions.swapaxes(dim, -1)
    _check(op, scatter.add_along.loops[whole.dtype](values, positions, out=(out, None))[1])


@gather.backward
def _(grad, needs, input, dim, index):
    whole = np.zeros(input, grad.dtype)
    dim, positions = check_along("gather", whole, dim, index)
    if positions is not None:
        add_along_array("gather", whole, dim, positions, grad)
    return whole


@gather.vjp
def _(grad, needs, input, dim, index):
    return current.mode.scatter_along(from_array(np.zeros(input, grad._array.dtype)), dim, index, grad, True)


@composite(tensors=("input", "index"))
def index_select(input, dim, index):
    """Copy positions of a dimension.

    Args:
        input: a tensor.
        dim: the dimension.
        index: a 1-d (or 0-d) int64 or int32 tensor; negative indices are out of range.

    Returns:
        A tensor that has the index's extent in `dim`.

    Raises:
        IndexError: `dim` or an index is out of range, or the index has several dimensions.

    Reference: ``torch.index_select``.

    Example:
        >>> import numtensor as nt
        >>> nt.index_select(nt.tensor([[1, 2], [3, 4]]), 1, nt.tensor([1]))
        tensor([[2],
                [4]])
    """
    array = operands.unwrap("index_select", "input", input)
    positions = index_array("index_select", "index", index, is_recorded(input))
    dim = normalise_dim("index_select", dim, array.ndim)
    if positions.ndim > 1:
        raise IndexError(f"index_select: index is supposed to be a vector, got shape {positions.shape}")
    positions = positions.reshape(-1)
    if not array.ndim:
        if positions.size != 1:
            raise RuntimeError(f"index_select: index to scalar can have only 1 value, got {positions.size} values")
        as_positions("index_select", positions, 1, 0, negative=False)
        return input.clone()
    positions = as_positions("index_select", positions, array.shape[dim], dim, negative=False)
    return current.mode.index(input, (None,) * dim + (positions,))


@composite(tensors=("input", "indices"))
def take_along_dim(input, indices, dim=None):
    """Read along a dimension, with the other dimensions broadcast: what ``argsort`` gives puts in order.

    Args:
        input: a tensor.
        indices: an int64 or int32 tensor; negative indices count from the end.
        dim: the dimension; None reads from the flattened input.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        IndexError: `dim` or an index is out of range.
        RuntimeError: the shapes do not fit.

    Reference: ``torch.take_along_dim``.

    Example:
        >>> import numtensor as nt
        >>> nt.take_along_dim(nt.tensor([[1, 2], [3, 4]]), nt.tensor([[0], [-1]]), 1)
        tensor([[1],
                [4]])
    """
    name = "take_along_dim"
    array, where = operands.unwrap(name, "input", input), index_array(name, "indices", indices, is_recorded(input))
    if dim is None:
        positions = as_positions(name, where.reshape(-1), array.size, 0)
        return current.mode.index(reshape(input, (array.size,)), (positions,))
    dim = normalise_dim(name, dim, array.ndim)
    if array.ndim != where.ndim:
        raise RuntimeError(
            f"{name}: input and indices should have the same number of dimensions, but got shapes {array.shape} and "
            f"{where.shape}"
        )
    if not array.ndim:
        as_positions(name, where, 1, 0)
        return input.clone()
    shapes = [(*a.shape[:dim], *a.shape[dim + 1 :]) for a in (array, where)]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise RuntimeError(
            f"{name}: the shapes {array.shape} and {where.shape} do not match apart from dimension {dim}"
        ) from None
    positions = as_positions(name, where, array.shape[dim], dim)
    positions = np.broadcast_to(positions, (*shape[:dim], where.shape[dim], *shape[dim:]))
    input = expand(input, (*shape[:dim], array.shape[dim], *shape[dim:]))
    return gather(input, dim, from_array(positions))


@composite(tensors=("input", "index"))
def take(input, index):
    """Read from the flattened input.

    Args:
        input: a tensor.
        index: an int64 or int32 tensor; negative indices count from the end.

    Returns:
        A tensor of the index's shape.

    Raises:
        IndexError: an index is out of range.

    Reference: ``torch.take``.

    Example:
        >>> import numtensor as nt
        >>> nt.take(nt.tensor([[1, 2], [3, 4]]), nt.tensor([3, 0]))
        tensor([4, 1])
    """
    array, where = operands.unwrap("take", "input", input), index_array("take", "index", index, is_recorded(input))
    flat = as_positions("take", where.reshape(-1), array.size, 0)
    return reshape(current.mode.index(reshape(input, (array.size,)), (flat,)), where.shape)


@composite(tensors=("input", "mask"))
def masked_select(input, mask):
    """Copy the elements where a mask holds, in row-major order.

    Args:
        input: a tensor.
        mask: a bool tensor; the shapes broadcast.

    Returns:
        A 1-d tensor.

    Raises:
        RuntimeError: the mask is not bool, or the shapes do not broadcast.

    Reference: ``torch.masked_select``.

    Example:
        >>> import numtensor as nt
        >>> x = nt.tensor([1, 2, 3])
        >>> nt.masked_select(x, x > 1)
        tensor([2, 3])
    """
    array, chosen = operands.unwrap("masked_select", "input", input), operands.unwrap("masked_select", "mask", mask)
    if chosen.dtype.kind != "b":
        raise RuntimeError(f"masked_select: expected a bool mask, got {chosen.dtype}; convert with .bool()")
    if is_recorded(input):
        refuse_inference_index("masked_select", "mask", mask)
    try:
        shape = np.broadcast_shapes(array.shape, chosen.shape)
    except ValueError:
        raise operands.broadcast_error("masked_select", None, array, chosen) from None
    positions = np.flatnonzero(np.broadcast_to(chosen, shape))
    whole = reshape(expand(input, shape), (int(np.prod(shape)),))
    return current.mode.index(whole, (positions,))


@library("NumPy counts and then fills, as a kernel would", differentiable=())
def argwhere(input):
    """Return the positions of the elements that are not zero.

    Args:
        input: a tensor.

    Returns:
        An int64 tensor of one row per such element, in row-major order, with one column per dimension.

    Reference: ``torch.argwhere``.

    Example:
        >>> import numtensor as nt
        >>> nt.argwhere(nt.tensor([[0, 1], [1, 0]]))
        tensor([[0, 1],
                [1, 0]])
    """


@argwhere.forward
def _(input):
    if not input.ndim:
        return np.empty((int(bool(input)), 0), np.int64)
    return np.ascontiguousarray(np.stack(input.nonzero(), 1))


@composite()
def nonzero(input, as_tuple=False):
    """Return the positions of the elements that are not zero.

    Args:
        input: a tensor.
        as_tuple: give one 1-d tensor per dimension, which together index the input.

    Returns:
        An int64 tensor as `argwhere`, or a tuple.

    Reference: ``torch.nonzero``.

    Example:
        >>> import numtensor as nt
        >>> nt.nonzero(nt.tensor([3, 0, 4]))
        tensor([[0],
                [2]])
        >>> nt.nonzero(nt.tensor([3, 0, 4]), as_tuple=True)
        (tensor([0, 2]),)
    """
    if not as_tuple:
        return argwhere(input)
    array = operands.unwrap("nonzero", "input", input)
    found = argwhere(input if array.ndim else reshape(input, (1,)))
    return tuple([found[:, k].clone() for k in range(max(array.ndim, 1))])


# ---------------------------------------------------------------------------------------------------------------------
# Diagonals and triangles


def _check_matrix(op, array):
    if array.ndim < 2:
        raise RuntimeError(f"{op}: input tensor must have at least 2 dimensions, got shape {array.shape}")
    return array.dtype


@kernel(linear=True, inplace=True)
def tril(input, diagonal=0):
    """Keep the lower triangle: zero where column - row > diagonal.

    Args:
        input: a tensor of at least two dimensions; the last two are the matrix.
        diagonal: the last diagonal that is kept.

    Returns:
        A tensor of the same shape.

    Raises:
        RuntimeError: the tensor has fewer than two dimensions.

    Reference: ``torch.tril``.

    Example:
        >>> import numtensor as nt
        >>> nt.tril(nt.ones(2, 2))
        tensor([[1., 0.],
                [1., 1.]])
    """


@tril.forward
def _(input, diagonal):
    return forward.tril.loops[_check_matrix("tril", input)](input, operator.index(diagonal))


@tril.backward
def _(grad, needs, input, diagonal):
    return forward.tril.loops[grad.dtype](grad, diagonal)


@tril.vjp
def _(grad, needs, input, diagonal):
    return tril(grad, diagonal)


@kernel(linear=True, inplace=True)
def triu(input, diagonal=0):
    """Keep the upper triangle: zero where column - row < diagonal.

    Args:
        input: a tensor of at least two dimensions; the last two are the matrix.
        diagonal: the first diagonal that is kept.

    Returns:
        A tensor of the same shape.

    Raises:
        RuntimeError: the tensor has fewer than two dimensions.

    Reference: ``torch.triu``.

    Example:
        >>> import numtensor as nt
        >>> nt.triu(nt.ones(2, 2))
        tensor([[1., 1.],
                [0., 1.]])
    """


@triu.forward
def _(input, diagonal):
    return forward.triu.loops[_check_matrix("triu", input)](input, operator.index(diagonal))


@triu.backward
def _(grad, needs, input, diagonal):
    return forward.triu.loops[grad.dtype](grad, diagonal)


@triu.vjp
def _(grad, needs, input, diagonal):
    return triu(grad, diagonal)


@composite()
def diag(input, diagonal=0):
    """Copy the diagonal of a matrix, or make the matrix that has a vector on its diagonal.

    Args:
        input: a tensor of one or two dimensions.
        diagonal: which diagonal: above the main one if positive, below it if negative.

    Returns:
        A vector, or a square matrix.

    Raises:
        RuntimeError: the tensor has another number of dimensions.

    Reference: ``torch.diag``.

    Example:
        >>> import numtensor as nt
        >>> nt.diag(nt.tensor([1, 2]))
        tensor([[1, 0],
                [0, 2]])
    """
    array = operands.unwrap("diag", "input", input)
    if array.ndim == 2:
        return view_diagonal(input, diagonal).clone()
    if array.ndim != 1:
        raise RuntimeError(f"diag: supports 1-d or 2-d tensors, got shape {array.shape}")
    n = array.size + abs(diagonal)
    return embed(input, (n, n), lambda whole: view_diagonal._forward(whole, diagonal, 0, 1))
