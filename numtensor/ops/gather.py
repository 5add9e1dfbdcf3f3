"""Functions that read elements by position or by mask. Those that write stand in ``scatter.py``."""

from __future__ import annotations

import numpy as np

from ..kernels.forward import indexing as forward
from ..kernels.forward import scatter
from ..modes import current
from ..tensor import from_array
from . import operands
from .dims import normalise_dim
from .expand import expand
from .general_kind import composite, kernel, library
from .positions import FULL, as_positions, check_status, index_array, is_recorded, refuse_inference_index
from .shape import reshape


def gather_parts(array, index, dim):
    """Return the part of `array` that an index of this shape can reach, with `dim` last."""
    ndim = array.ndim
    for k, extent in enumerate(index.shape):
        if k != dim and extent < array.shape[k]:
            array = array[tuple([FULL if k == dim else slice(e) for k, e in enumerate(index.shape)])]
            break
    return array.swapaxes(dim, -1) if ndim else array


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
        check_status(
            "gather", forward.take_along.loops[input.dtype](x, positions.swapaxes(dim, -1), out=(out, None))[1]
        )
    return result


def add_along_array(op, whole, dim, positions, values):
    """Add `values` to `whole`, in place, along a dimension; all have as many dimensions."""
    out = gather_parts(whole.reshape(whole.shape or (1,)), positions, dim)
    values, positions = values.reshape(positions.shape).swapaxes(dim, -1), positions.swapaxes(dim, -1)
    check_status(op, scatter.add_along.loops[whole.dtype](values, positions, out=(out, None))[1])


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


nonzero.call_forms = (
    ("as_tuple: Literal[False] = False", "Tensor"),
    ("as_tuple: Literal[True]", "tuple[Tensor, ...]"),
)
