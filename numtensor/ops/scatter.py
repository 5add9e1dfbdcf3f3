"""Writing elements by position: ``x[...] = values``, scatter, index_put, masks. ``gather.py`` reads by position."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import dtypes
from ..graph import counter_of
from ..kernels.forward import choice
from ..kernels.forward import scatter as forward
from ..modes import current
from ..tensor import Tensor, from_array
from . import inplace, operands
from .choice import where
from .conversion import to_dtype
from .dims import normalise_dim
from .expand import expand
from .gather import check_along, gather
from .general_kind import composite, kernel
from .indexing import as_key, basic_index, is_mask, parse_index, plain_index, positions_of, put, region
from .operands import CONSTANTS
from .positions import (
    INT64,
    add_along,
    as_positions,
    index_array,
    is_recorded,
    out_of_bounds,
    put_along,
    refuse_inference_index,
    take_along,
)
from .shape import reshape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .._types import Operand


def _as_values(op, name, value, kind):
    """Return a tensor, array or number as a tensor of the NumPy dtype `kind`; a tensor's conversion is recorded.

    Raises:
        TypeError: it is nothing of the kind.
        RuntimeError: a number that the dtype cannot hold.
    """
    if isinstance(value, Tensor):
        return value if value._array.dtype == kind else to_dtype(value, dtypes.FROM_NUMPY[kind])
    return from_array(_as_array(op, name, value, kind))


def _as_array(op, name, value, kind):
    if isinstance(value, np.ndarray):
        dtypes.from_numpy_dtype(value.dtype, op)
        # NumPy warns of NaN and of overflow where PyTorch is silent.
        with np.errstate(invalid="ignore", over="ignore"):
            return value.astype(kind)
    if not isinstance(value, (bool, int, float, np.generic)):
        raise TypeError(f"{op}: {name} must be a tensor, an array or a number, not {type(value).__name__}")
    try:
        return CONSTANTS[kind][value if type(value) in (bool, int, float) else value.item()]
    except (ValueError, TypeError):
        raise RuntimeError(f"{op}: value {value} cannot be converted to type {kind} without overflow") from None


def _same_dtype(op, name, array, other):
    if array.dtype != other.dtype:
        raise RuntimeError(
            f"{op}: expected input and {name} to have the same dtype, got {array.dtype} and {other.dtype}; convert "
            "with .to(...)"
        )


# ---------------------------------------------------------------------------------------------------------------------
# x[...] = values


def _fit_values(op, values, shape):
    """Return a tensor or array of values broadcast to a part's shape: leading dimensions of extent 1 may be too many.

    Raises:
        RuntimeError: it does not broadcast.
    """
    own = values.shape
    lead = len(own) - len(shape)
    if lead > 0 and own[:lead] == (1,) * lead:
        values = values.reshape(own[lead:])
        own = own[lead:]
    for extent, wanted in zip(reversed(own), reversed(shape), strict=False):
        if extent not in (wanted, 1):
            break
    else:
        if len(own) <= len(shape):
            return values
    raise RuntimeError(
        f"{op}: shape mismatch: value of shape {tuple(own)} cannot be broadcast to the indexed part of shape {shape}"
    )


def setitem(self, index: Any, value: Operand) -> None:
    """Overwrite a part of the tensor: what `getitem` shows, copied from a tensor, an array or a number.

    The value is converted to the tensor's dtype and broadcast. Gradients flow into the value; what was overwritten
    gets none. A refused assignment has written nothing.

    Raises:
        IndexError, ValueError: as `getitem`.
        TypeError: the value is no tensor, array or number.
        RuntimeError: it does not broadcast, or the tensor may not be changed in place.
    """
    target = self._array
    recording = is_recorded(self, value)
    basic = plain_index(index)
    advanced = None
    if basic is None:
        if not (recording or current.mode.active) and _overwrite(self, index, value):
            return
        basic, advanced = parse_index("setitem", target.shape, index, recording)
    if recording or current.mode.active:
        # As ops, which a graph or a mode's wrapper sees.
        _write_by_ops(self, basic, advanced, value)
        return
    part = basic_index._forward(target, basic)
    values = _values_of(value, target.dtype)
    inplace.check_writable("setitem", self, part)
    if advanced is None:
        if values.ndim:
            values = _fit_values("setitem", values, part.shape)
        np.copyto(part, values)
    else:
        shape, _, _ = region(part.shape, advanced)
        part[as_key(advanced)] = _fit_values("setitem", values, shape)
    inplace.bump_version(self, "setitem")


def _values_of(value, kind):
    if type(value) is Tensor and value._array.dtype is kind:
        return value._array
    return _as_array("setitem", "value", value._array if isinstance(value, Tensor) else value, kind)


def _overwrite(self, index, value):
    """Do what `setitem` does where nothing is recorded, by int64 tensors alone or by a mask; return False for others.

    NumPy compares all indices before it writes; what it refuses is left to the general way, which says why.
    """
    target = self._array
    index = index if type(index) is tuple else (index,)
    if len(index) == 1 and type(index[0]) is Tensor and is_mask(index[0]._array, target.shape):
        mask, values = index[0]._array, _values_of(value, target.dtype)
        if values.ndim or np.may_share_memory(mask, target):
            return False
        inplace.check_writable("setitem", self, target)
        mask = mask.reshape(mask.shape + (1,) * (target.ndim - mask.ndim))
        # NumPy's copyto() branches at each element.
        choice.where.loops[target.dtype](mask, values, target, target)
    else:
        positions = positions_of(index)
        if positions is None or not 0 < len(positions) <= target.ndim:
            return False
        given = positions[0].shape
        if any(one.shape != given or np.may_share_memory(one, target) for one in positions):
            return False
        inplace.check_writable("setitem", self, target)
        values = _fit_values("setitem", _values_of(value, target.dtype), given + target.shape[len(positions) :])
        try:
            target[positions] = values
        except IndexError:
            return False
    inplace.bump_version(self, "setitem")
    return True


def _write_by_ops(self, basic, advanced, value):
    inplace.check_writable("setitem", self, basic_index._forward(self._array, basic))
    values = _as_values("setitem", "value", value, self._array.dtype)
    part = self
    if advanced is None or any(item is not slice_all for item in basic[:-1]):
        part = current.mode.basic_index(self, basic)
    if advanced is None:
        current.mode.copy_(part, _fit_values("setitem", values, part._array.shape), False)
    else:
        shape, _, _ = region(part._array.shape, advanced)
        inplace.run(put, part, advanced, _fit_values("setitem", values, shape), False)
    if not current.mode.active:
        # A wrapper may have said more.
        counter_of(self._meta).last_op = "setitem"


slice_all = slice(None)

Tensor.__setitem__ = setitem


# ---------------------------------------------------------------------------------------------------------------------
# Positions given by index tensors


@composite(tensors=("input", "values"), inplace=True)
def index_put(input, indices: Sequence[Tensor | None], values: Operand, accumulate=False):
    """Copy the input with other values at positions: ``input[indices] = values`` on a copy.

    Args:
        input: a tensor.
        indices: a tuple of integer or bool tensors (or None), one per leading dimension; a bool one stands for as many
            dimensions as it has.
        values: a tensor that broadcasts to the indexed part, or a number.
        accumulate: add to what is there; positions that come several times add up. Otherwise the last value stays.

    Returns:
        A tensor of the input's shape and dtype.

    Raises:
        IndexError: an index is out of range, or there are too many.
        RuntimeError: the values do not broadcast, or have another dtype.
        TypeError: `indices` is no sequence.

    Reference: ``torch.index_put``.

    Example:
        >>> import numtensor as nt
        >>> nt.index_put(nt.tensor([1, 2, 3]), (nt.tensor([0, 0]),), nt.tensor([4, 5]), accumulate=True)
        tensor([10,  2,  3])
    """
    array = operands.unwrap("index_put", "input", input)
    if not isinstance(indices, (tuple, list)):
        raise TypeError(f"index_put: indices must be a tuple of tensors, not {type(indices).__name__}")
    items = tuple([slice_all if item is None else _index_tensor(item) for item in indices])
    _, advanced = parse_index("index_put", array.shape, items, is_recorded(input, values))
    if isinstance(values, Tensor):
        _same_dtype("index_put", "values", array, values._array)
    values = _as_values("index_put", "values", values, array.dtype)
    if advanced is None:
        raise IndexError("index_put: indices has no tensor")
    if accumulate and array.dtype.kind == "b":
        raise RuntimeError("index_put: accumulate is not defined for bool tensors")
    shape, _, _ = region(array.shape, advanced)
    return current.mode.put(input, advanced, _fit_values("index_put", values, shape), bool(accumulate))


def _index_tensor(item):
    """Return an index tensor so that a 0-d one indexes, too, instead of choosing a view."""
    array = operands.unwrap("index_put", "indices", item)
    return item if array.ndim or array.dtype.kind == "b" else array.reshape(1)


def _along(op, input, dim, index, negative=False, error=IndexError, recording=False):
    """Validate the operands of the index_... ops; return (dim, positions)."""
    array = operands.unwrap(op, "input", input)
    dim = normalise_dim(op, dim, array.ndim)
    positions = index_array(op, "index", index, recording)
    if positions.ndim > 1:
        raise IndexError(f"{op}: index is supposed to be a vector, got shape {positions.shape}")
    extent = array.shape[dim] if array.ndim else 1
    return dim, as_positions(op, positions.reshape(-1), extent, dim, negative, error)


def _put_along(op, input, dim, positions, source, accumulate):
    array, values = input._array, source._array
    if values.ndim != array.ndim and not (values.ndim == 0 and array.ndim == 1):
        raise RuntimeError(f"{op}: source of shape {values.shape} must have as many dimensions as input {array.shape}")
    shape = (*array.shape[:dim], positions.size, *array.shape[dim + 1 :])
    if (values.shape or (1,)) != (shape or (1,)):
        raise RuntimeError(
            f"{op}: source has shape {values.shape}, but {positions.size} indices for dimension {dim} of an input of "
            f"shape {array.shape} need {shape}"
        )
    if not array.ndim:
        flat = _put_along(op, reshape(input, (1,)), 0, positions, reshape(source, (1,)), accumulate)
        return reshape(flat, ())
    if values.shape != shape:
        source = reshape(source, shape)
    return current.mode.put(input, (None,) * dim + (positions,), source, accumulate)


def _fits(input, dim, index, values):
    """Whether tensors and an array of values are as most calls of index_add have them."""
    if type(input) is not Tensor or type(index) is not Tensor or type(dim) is not int:
        return False
    whole, positions = input._array, index._array
    shape = whole.shape
    return (
        0 <= dim < len(shape)
        and positions.dtype is INT64
        and positions.ndim == 1
        and whole.dtype is values.dtype
        and whole.dtype.kind != "b"
        and values.shape == (*shape[:dim], positions.size, *shape[dim + 1 :])
    )


@composite(tensors=("input", "index", "source"), inplace=True)
def index_add(input, dim, index, source, alpha=1):
    """Copy the input with a source added at positions of a dimension; positions that come several times add up.

    Args:
        input: a tensor.
        dim: the dimension.
        index: a 1-d int64 or int32 tensor.
        source: a tensor of the input's shape and dtype, but with the index's extent in `dim`.
        alpha: a number by which the source is multiplied.

    Returns:
        A tensor of the input's shape.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: an index is out of range or negative, or the shapes or dtypes do not fit.

    Reference: ``torch.index_add``.

    Example:
        >>> import numtensor as nt
        >>> nt.index_add(nt.zeros(3), 0, nt.tensor([0, 0]), nt.tensor([1.0, 2.0]))
        tensor([3., 0., 0.])
    """
    recording = is_recorded(input, source)
    if not recording and type(source) is Tensor and alpha == 1 and _fits(input, dim, index, source._array):
        try:
            return current.mode.put(input, (None,) * dim + (index._array,), source, True)
        except IndexError:
            # What follows says which one it was.
            pass
    dim, positions = _along("index_add", input, dim, index, error=RuntimeError, recording=recording)
    _same_dtype("index_add", "source", input._array, operands.unwrap("index_add", "source", source))
    if input._array.dtype.kind == "b":
        raise RuntimeError("index_add: not defined for bool tensors; convert with .to(...)")
    return _put_along("index_add", input, dim, positions, source if alpha == 1 else source * alpha, True)


@composite(tensors=("input", "index", "source"), inplace=True)
def index_copy(input, dim, index, source):
    """Copy the input with a source put at positions of a dimension; of those that come twice the last stays.

    Args:
        input: a tensor.
        dim: the dimension.
        index: a 1-d int64 or int32 tensor.
        source: a tensor of the input's shape and dtype, but with the index's extent in `dim`.

    Returns:
        A tensor of the input's shape.

    Raises:
        IndexError: `dim` or an index is out of range or negative.
        RuntimeError: the shapes or dtypes do not fit.

    Reference: ``torch.index_copy``.

    Example:
        >>> import numtensor as nt
        >>> nt.index_copy(nt.zeros(3), 0, nt.tensor([2, 0]), nt.tensor([1.0, 2.0]))
        tensor([2., 0., 1.])
    """
    dim, positions = _along("index_copy", input, dim, index, recording=is_recorded(input, source))
    _same_dtype("index_copy", "source", input._array, operands.unwrap("index_copy", "source", source))
    return _put_along("index_copy", input, dim, positions, source, False)


@composite(tensors=("input", "index", "value"), inplace=True)
def index_fill(input, dim, index, value):
    """Copy the input with one value at positions of a dimension.

    Args:
        input: a tensor.
        dim: the dimension.
        index: a 1-d int64 or int32 tensor; negative indices count from the end.
        value: a number, or a 0-d tensor.

    Returns:
        A tensor of the input's shape and dtype.

    Raises:
        IndexError: `dim` or an index is out of range.
        RuntimeError: `value` is a tensor with dimensions.

    Reference: ``torch.index_fill``.

    Example:
        >>> import numtensor as nt
        >>> nt.index_fill(nt.zeros(3), 0, nt.tensor([0, 2]), 5.0)
        tensor([5., 0., 5.])
    """
    dim, positions = _along("index_fill", input, dim, index, negative=True, recording=is_recorded(input, value))
    array = input._array
    values = _single_value("index_fill", value, array.dtype)
    if not array.ndim:
        return expand(values, ()).clone() if positions.size else input.clone()
    return current.mode.put(input, (None,) * dim + (positions,), values, False)


def _single_value(op, value, kind):
    if isinstance(value, (Tensor, np.ndarray)) and value.ndim:
        raise RuntimeError(f"{op}: only supports a 0-dimensional value tensor, but got shape {tuple(value.shape)}")
    return _as_values(op, "value", value, kind)


# ---------------------------------------------------------------------------------------------------------------------
# Positions along a dimension


@kernel(
    method=False,
    namespace="ops",
    tensors=("input", "index", "src"),
    differentiable=("input", "src"),
    saves="index",
)
def scatter_along(input, dim, index, src, accumulate):
    """Copy the input with a source written or added along a dimension: `scatter` and `scatter_add`.

    Args:
        input, dim, index, src: as `scatter`.
        accumulate: add to what is there.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import numtensor as nt
        >>> nt.scatter(nt.zeros(3), 0, nt.tensor([2, 0]), nt.tensor([1.0, 2.0]))
        tensor([2., 0., 1.])
    """


def _op_name(accumulate):
    return "scatter_add" if accumulate else "scatter"


def _part(src, shape):
    """Return the part of `src` that an index of this shape reads."""
    return src if src.shape == shape else src.reshape(src.shape or (1,))[tuple([slice(extent) for extent in shape])]


def _refuse(op, array, dim, index):
    raise out_of_bounds(op, index, array.shape[dim] if array.ndim else 1, dim, error=RuntimeError)


@scatter_along.forward
def _(input, dim, index, src, accumulate):
    result = input.copy()
    shape = index.shape
    if (
        type(dim) is int
        and dim == input.ndim - 1 >= 0
        and index.dtype is INT64
        and src.shape == shape
        and shape[:-1] == input.shape[:-1]
    ):
        # The commonest case of what follows, in half the time.
        outside = np.empty(shape[:-1], bool)
        (forward.add_along if accumulate else forward.put_along).run(input.dtype, src, index, result, outside)
        if 1 in outside.tobytes():
            _refuse(_op_name(accumulate), input, dim, index)
        return result
    op = _op_name(accumulate)
    dim = check_along(op, input, dim, index, src)
    if index.size:
        whole, write = result, add_along if accumulate else put_along
        if not (input.ndim and index.ndim):
            whole, index = result.reshape(whole.shape or (1,)), index.reshape(index.shape or (1,))
        if write(whole, dim, index, _part(src, index.shape)):
            _refuse(op, input, dim, index)
    return result


@scatter_along.backward
def _(grad, needs, input, dim, index, src, accumulate):
    op = _op_name(accumulate)
    # Memory that is shared with NumPy may have changed since, unseen: the kernels compare again.
    dim = check_along(op, grad, dim, index)
    shape, extents = index.shape or (1,), grad.shape or (1,)
    positions = index.reshape(shape)
    grad_input, grad_src = grad, None
    if needs[0] and not accumulate and index.size:
        grad_input = grad.copy()
        if put_along(grad_input.reshape(extents), dim, positions, np.broadcast_to(np.zeros((), grad.dtype), shape)):
            _refuse(op, grad, dim, index)
    if needs[1]:
        grad_src = np.zeros(src, grad.dtype)
        if index.size:
            taken, outside = take_along(grad.reshape(extents), dim, positions)
            if outside:
                _refuse(op, grad, dim, index)
            if index.shape == src:
                grad_src = taken.reshape(src)
            else:
                np.copyto(_part(grad_src, shape), taken)
    return grad_input if needs[0] else None, grad_src


@scatter_along.vjp
def _(grad, needs, input, dim, index, src, accumulate):
    grad_input, grad_src = grad, None
    if needs[0] and not accumulate:
        grad_input = scatter(grad, dim, index, 0)
    if needs[1]:
        grad_src = gather(grad, dim, index)
        if index._array.shape != tuple(src):
            shape = index._array.shape
            grad_src = current.mode.embed(
                grad_src, tuple(src), lambda array: array[tuple([slice(extent) for extent in shape])]
            )
    return grad_input if needs[0] else None, grad_src


@composite(tensors=("input", "index", "src"), inplace=True)
def scatter(input, dim, index, src: Operand):
    """Copy the input with a source written along a dimension: out[index[i][j]][j] = src[i][j] for ``dim=0``, and so on.

    Args:
        input: a tensor.
        dim: the dimension.
        index: an int64 or int32 tensor of as many dimensions, no larger than the input but in `dim`. Of positions that
            come several times the last stays; the gradient of `src` is right only where none does.
        src: a tensor of the input's dtype, no smaller than the index; or a number.

    Returns:
        A tensor of the input's shape.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: an index is out of range or negative, or the shapes or dtypes do not fit.

    Reference: ``torch.scatter``.

    Example:
        >>> import numtensor as nt
        >>> nt.scatter(nt.zeros(1, 3), 1, nt.tensor([[2, 0]]), nt.tensor([[1.0, 2.0]]))
        tensor([[2., 0., 1.]])
    """
    array = operands.unwrap("scatter", "input", input)
    if isinstance(src, Tensor):
        _same_dtype("scatter", "src", array, src._array)
    else:
        src = expand(_as_values("scatter", "src", src, array.dtype), operands.unwrap("scatter", "index", index).shape)
    return current.mode.scatter_along(input, dim, index, src, False)


@composite(tensors=("input", "index", "src"), inplace=True)
def scatter_add(input, dim, index, src):
    """Copy the input with a source added along a dimension: out[index[i][j]][j] += src[i][j] for ``dim=0``, and so on.

    Args:
        input: a tensor.
        dim: the dimension.
        index: an int64 or int32 tensor of as many dimensions, no larger than the input but in `dim`. Positions that
            come several times add up.
        src: a tensor of the input's dtype, no smaller than the index.

    Returns:
        A tensor of the input's shape.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: an index is out of range or negative, or the shapes or dtypes do not fit.
        TypeError: `src` is no tensor.

    Reference: ``torch.scatter_add``.

    Example:
        >>> import numtensor as nt
        >>> nt.scatter_add(nt.zeros(1, 3), 1, nt.tensor([[0, 0]]), nt.tensor([[1.0, 2.0]]))
        tensor([[3., 0., 0.]])
    """
    array = operands.unwrap("scatter_add", "input", input)
    _same_dtype("scatter_add", "src", array, operands.unwrap("scatter_add", "src", src))
    if array.dtype.kind == "b":
        raise RuntimeError("scatter_add: not defined for bool tensors; convert with .to(...)")
    return current.mode.scatter_along(input, dim, index, src, True)


# ---------------------------------------------------------------------------------------------------------------------
# Positions given by a mask


@composite(tensors=("input", "mask", "value"), inplace=True)
def masked_fill(input, mask, value):
    """Copy the input with one value where a mask holds.

    Args:
        input: a tensor.
        mask: a bool tensor; the shapes broadcast.
        value: a number, or a 0-d tensor; converted to the input's dtype.

    Returns:
        A tensor of the broadcast shape and the input's dtype.

    Raises:
        RuntimeError: the mask is not bool, `value` has dimensions, or the shapes do not broadcast.

    Reference: ``torch.masked_fill``.

    Example:
        >>> import numtensor as nt
        >>> x = nt.tensor([1.0, 2.0, 3.0])
        >>> nt.masked_fill(x, x > 1, 0.0)
        tensor([1., 0., 0.])
    """
    array, chosen = operands.unwrap("masked_fill", "input", input), operands.unwrap("masked_fill", "mask", mask)
    if chosen.dtype.kind != "b":
        raise RuntimeError(f"masked_fill: only supports boolean masks, but got {chosen.dtype}; convert with .bool()")
    value = _single_value("masked_fill", value, array.dtype)
    if is_recorded(input, value):
        refuse_inference_index("masked_fill", "mask", mask)
    try:
        return where(mask, value, input)
    except RuntimeError as error:
        raise operands.broadcast_error("masked_fill", error, array, chosen) from None
