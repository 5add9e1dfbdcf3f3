"""Functions that read elements by position or by mask. Those that write stand in ``scatter.py``."""

from __future__ import annotations

import math

import numpy as np

from ..kernels import boxed_take
from ..kernels.forward import indexing as forward
from ..modes import current
from ..tensor import from_array
from . import operands
from .dims import normalise_dim
from .expand import expand
from .general_kind import composite, kernel, library
from .positions import (
    INT32,
    INT64,
    TAKEN,
    add_along,
    add_at,
    as_positions,
    is_recorded,
    out_of_bounds,
    refuse_inference_index,
    take_along,
    take_at,
)
from .shape import reshape


@kernel(tensors=("input", "index"), differentiable="input", saves="index", linear=True)
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
    """Validate the operands of gather and scatter, but for the indices' values; return the dim counted from the front.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: the shapes do not fit, or the index has another dtype.
    """
    shape, whole = index.shape, input.shape
    if (
        type(dim) is int
        and 0 <= dim < len(shape) == len(whole)
        and index.dtype is INT64
        and shape[:dim] == whole[:dim]
        and shape[dim + 1 :] == whole[dim + 1 :]
        and (src is None or src.shape == shape)
    ):
        return dim
    dim = normalise_dim(op, dim, input.ndim)
    require_index_dtype(op, "index", index)
    shape, whole = shape or (1,), whole or (1,)
    if index.size == 0:
        return dim
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
    return dim


def require_index_dtype(op, name, index):
    """Raise RuntimeError unless an index array is of int64 or int32."""
    if index.dtype != INT64 and index.dtype != INT32:
        raise RuntimeError(f"{op}: expected dtype int32 or int64 for {name}, got {index.dtype}; convert with .to(...)")


@gather.forward
def _(input, dim, index):
    shape, last = index.shape, input.ndim - 1
    if dim == -1:
        dim = last
    if dim == last and type(dim) is int and index.dtype is INT64 and last >= 0 and shape[:-1] == input.shape[:-1]:
        # The commonest case of what follows, in a third of the time.
        result, outside = np.empty(shape, input.dtype), np.empty(shape[:-1], bool)
        forward.take_along.run(input.dtype, input, index, result, outside)
        if 1 not in outside.tobytes():
            return result
    else:
        dim = check_along("gather", input, dim, index)
        if not index.size:
            return np.empty(shape, input.dtype)
        result, outside = take_along(input.reshape(input.shape or (1,)), dim, index.reshape(shape or (1,)))
    if outside is not False:
        raise out_of_bounds("gather", index, input.shape[dim] if input.ndim else 1, dim, error=RuntimeError)
    return result if shape else result.reshape(())


@gather.backward
def _(grad, needs, input, dim, index):
    whole = np.zeros(input, grad.dtype)
    # Memory that is shared with NumPy may have changed since, unseen: the kernel compares again.
    dim = dim if dim >= 0 else dim + (len(input) or 1)
    shape = index.shape or (1,)
    if index.size and add_along(whole.reshape(input or (1,)), dim, index.reshape(shape), grad.reshape(shape)):
        raise out_of_bounds("gather", index, input[dim] if input else 1, dim, error=RuntimeError)
    return whole


@gather.vjp
def _(grad, needs, input, dim, index):
    return current.mode.scatter_along(from_array(np.zeros(input, grad._array.dtype)), dim, index, grad, True)


@kernel(tensors=("input", "index"), differentiable="input", saves="index", linear=True)
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


@index_select.forward
def _(input, dim, index):
    if index.dtype is INT64 and index.ndim == 1 and type(dim) is int and 0 <= dim < input.ndim:
        # The commonest case.
        return take_at("index_select", input, dim, index)
    require_index_dtype("index_select", "index", index)
    dim = normalise_dim("index_select", dim, input.ndim)
    if index.ndim > 1:
        raise IndexError(f"index_select: index is supposed to be a vector, got shape {index.shape}")
    if not input.ndim and index.size != 1:
        raise RuntimeError(f"index_select: index to scalar can have only 1 value, got {index.size} values")
    result = take_at("index_select", input.reshape(input.shape or (1,)), dim, index.reshape(-1))
    return result if input.ndim else result.reshape(())


@index_select.on_tensors
def _(op, layout):
    names = {"input": "input", "index": "index", "dim": "dim", "ndims": (0, 1)}
    return boxed_take.make_take(op.name, layout, op.records(), TAKEN, op.parameters, **names)


@index_select.backward
def _(grad, needs, input, dim, index):
    whole = np.zeros(input, grad.dtype)
    dim = normalise_dim("index_select", dim, len(input))
    add_at("index_select", whole.reshape(input or (1,)), dim, index.reshape(-1), grad.reshape(grad.shape or (1,)))
    return whole


@index_select.vjp
def _(grad, needs, input, dim, index):
    return from_array(np.zeros(input, grad._array.dtype)).index_add(dim, index, grad)


@kernel(tensors=("input", "indices"), differentiable="input", saves="indices", linear=True)
def take_along_dim(input, indices, dim: int | None = None):
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


def _check_along_dim(input, indices, dim):
    """Validate a call with a dim; return it counted from the front, and the extents to which the others broadcast.

    Args:
        input, indices: shapes.
        dim: the dimension.
    """
    dim = normalise_dim("take_along_dim", dim, len(input))
    if len(input) != len(indices):
        raise RuntimeError(
            "take_along_dim: input and indices should have the same number of dimensions, but got shapes "
            f"{input} and {indices}"
        )
    try:
        return dim, np.broadcast_shapes((*input[:dim], 1, *input[dim + 1 :]), (*indices[:dim], 1, *indices[dim + 1 :]))
    except ValueError:
        raise RuntimeError(
            f"take_along_dim: the shapes {input} and {indices} do not match apart from dimension {dim}"
        ) from None


def _broadcast(array, dim, shape):
    """Broadcast all dimensions of an array but `dim` to those of `shape`."""
    return np.broadcast_to(array, (*shape[:dim], array.shape[dim], *shape[dim + 1 :]))


@take_along_dim.forward
def _(input, indices, dim):
    require_index_dtype("take_along_dim", "indices", indices)
    if dim is None:
        return take_at("take_along_dim", input.reshape(-1), 0, indices.reshape(-1), negative=True)
    whole, index = input, indices
    if not (type(dim) is int and dim == input.ndim - 1 >= 0 and indices.shape[:-1] == input.shape[:-1]):
        dim, shape = _check_along_dim(input.shape, indices.shape, dim)
        if not input.ndim:
            whole, index, shape = input.reshape(1), indices.reshape(1), (1,)
        whole, index = _broadcast(whole, dim, shape), _broadcast(index, dim, shape)
    result, outside = take_along(whole, dim, index)
    if outside:
        # Negative ones count from the end.
        result, outside = take_along(whole, dim, as_positions("take_along_dim", index, whole.shape[dim], dim))
    return result if input.ndim else result.reshape(())


@take_along_dim.backward
def _(grad, needs, input, indices, dim):
    if dim is None:
        whole = np.zeros(math.prod(input), grad.dtype)
        add_at("take_along_dim", whole, 0, as_positions("take_along_dim", indices.reshape(-1), whole.size, 0), grad)
        return whole.reshape(input)
    dim, shape = _check_along_dim(input, indices.shape, dim)
    if not input:
        return grad
    whole = np.zeros((*shape[:dim], input[dim], *shape[dim + 1 :]), grad.dtype)
    positions = _broadcast(as_positions("take_along_dim", indices, input[dim], dim), dim, shape)
    add_along(whole, dim, positions, grad)
    return operands.sum_to_shape(whole, input)


@take_along_dim.vjp
def _(grad, needs, input, indices, dim):
    if dim is None:
        return _add_flat("take_along_dim", grad, input, indices._array)
    dim, shape = _check_along_dim(input, indices.shape, dim)
    if not input:
        return grad
    whole = np.zeros((*shape[:dim], input[dim], *shape[dim + 1 :]), grad._array.dtype)
    positions = _broadcast(as_positions("take_along_dim", indices._array, input[dim], dim), dim, shape)
    return current.mode.scatter_along(from_array(whole), dim, from_array(positions), grad, True).sum_to_size(*input)


def _add_flat(op, grad, shape, index):
    """Return zeros of a shape to which the tensor `grad` is added where an index array points, differentiable."""
    whole = from_array(np.zeros(math.prod(shape), grad._array.dtype))
    positions = as_positions(op, index.reshape(-1), whole._array.size, 0)
    return reshape(current.mode.put(whole, (positions,), reshape(grad, (-1,)), True), shape)


@kernel(tensors=("input", "index"), differentiable="input", saves="index", linear=True)
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


@take.forward
def _(input, index):
    require_index_dtype("take", "index", index)
    return take_at("take", input.reshape(-1), 0, index, negative=True)


@take.backward
def _(grad, needs, input, index):
    whole = np.zeros(math.prod(input), grad.dtype)
    add_at("take", whole, 0, as_positions("take", index.reshape(-1), whole.size, 0), grad.reshape(-1))
    return whole.reshape(input)


@take.vjp
def _(grad, needs, input, index):
    return _add_flat("take", grad, input, index._array)


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
    if array.shape != chosen.shape:
        try:
            shape = np.broadcast_shapes(array.shape, chosen.shape)
        except ValueError:
            raise operands.broadcast_error("masked_select", None, array, chosen) from None
        chosen = np.broadcast_to(chosen, shape)
        input = expand(input, shape)
    return current.mode.index(reshape(input, (chosen.size,)), (chosen.reshape(-1).nonzero()[0],))


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
    found = input.nonzero()
    # NumPy fills one array of a row per element, and gives its columns.
    rows = found[0].base
    if type(rows) is np.ndarray and rows.shape == (found[0].size, input.ndim) and rows.flags.c_contiguous:
        return rows
    return np.ascontiguousarray(np.stack(found, 1))


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


nonzero.call_forms = (
    ("as_tuple: Literal[False] = False", "Tensor"),
    ("as_tuple: Literal[True]", "tuple[Tensor, ...]"),
)
