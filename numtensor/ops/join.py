"""Ops that copy whole tensors to other places: joining, repeating, flipping, rolling."""

from __future__ import annotations

import numpy as np

from ..modes import current
from ..tensor import Tensor, from_array
from . import operands
from .conversion import to_dtype
from .dims import normalise_dim, normalise_dims
from .expand import expand
from .general_kind import composite, library
from .shape import as_shape, reshape, unsqueeze
from .slicing import narrow


def _common_dtype(op, tensors):
    """Return the tensors of a sequence, converted to their common dtype.

    Raises:
        TypeError: it is no sequence of tensors.
    """
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(f"{op}: argument 'tensors' must be a tuple of Tensors, not {type(tensors).__name__}")
    tensors = [operands.as_operand(op, "tensors", one) if isinstance(one, np.ndarray) else one for one in tensors]
    for position, one in enumerate(tensors):
        if not isinstance(one, Tensor):
            raise TypeError(f"{op}: expected Tensor as element {position} of 'tensors', but got {type(one).__name__}")
    if not tensors:
        return tensors
    first = tensors[0]._array.dtype
    if all(one._array.dtype is first for one in tensors):
        return tensors
    kind = operands.result_dtype(op, tensors)
    return [one if one._array.dtype == kind.numpy else to_dtype(one, kind) for one in tensors]


def _shapes(tensors):
    return ", ".join(str(one.shape) for one in tensors)


@library(
    "one memory copy per tensor", namespace="ops", method=False, tensors="tensors", sequence="tensors", linear=True
)
def cat_same(tensors, dim):
    """Join tensors of one dtype along a dimension: what `cat` computes after promotion.

    Args:
        tensors: a list of tensors.
        dim: the dimension.

    Returns:
        A tensor.

    Example:
        >>> import numtensor as nt
        >>> nt.ops.cat_same([nt.tensor([1, 2]), nt.tensor([3])], 0)
        tensor([1, 2, 3])
    """


@cat_same.forward
def _(tensors, dim):
    # PyTorch lets an empty vector stand for nothing, whatever the others' shape.
    parts = [one for one in tensors if one.ndim != 1 or one.size] or tensors[:1]
    first = parts[0]
    for position, one in enumerate(tensors):
        if not one.ndim:
            raise RuntimeError(f"cat: zero-dimensional tensor (at position {position}) cannot be concatenated")
    dim = normalise_dim("cat", dim, first.ndim)
    try:
        return np.concatenate(parts, dim)
    except ValueError:
        pass
    raise RuntimeError(
        f"cat: sizes of tensors must match except in dimension {dim}, and all must have the same number of dimensions; "
        f"got shapes {_shapes(tensors)}"
    )


def _pieces(shapes, dim, ndim):
    """Return for each tensor its range along the joined dimension, None for one that stands for nothing."""
    dim = normalise_dim("cat", dim, ndim)
    ranges, start = [], 0
    for shape in shapes:
        if len(shape) != ndim or (len(shape) == 1 and shape[0] == 0):
            ranges.append(None)
        else:
            ranges.append((start, shape[dim]))
            start += shape[dim]
    return dim, ranges


@cat_same.backward
def _(grad, needs, tensors, dim):
    dim, ranges = _pieces(tensors, dim, grad.ndim)
    lead = (slice(None),) * dim
    return [
        None
        if not need
        else np.zeros(shape, grad.dtype)
        if place is None
        else grad[(*lead, slice(place[0], sum(place)))]
        for need, shape, place in zip(needs, tensors, ranges, strict=True)
    ]


@cat_same.vjp
def _(grad, needs, tensors, dim):
    dim, ranges = _pieces(tensors, dim, grad._array.ndim)
    return [
        None
        if not need
        else from_array(np.zeros(shape, grad._array.dtype))
        if place is None
        else narrow(grad, dim, *place)
        for need, shape, place in zip(needs, tensors, ranges, strict=True)
    ]


@composite(tensors="tensors", method=False, aliases=("concat", "concatenate"))
def cat(tensors, dim=0):
    """Join tensors along a dimension.

    Args:
        tensors: a list or tuple of tensors of one shape, but for `dim`; their dtypes are promoted.
        dim: the dimension.

    Returns:
        A tensor with its own memory.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: the shapes do not fit, or one tensor has no dimensions.
        TypeError: `tensors` is no sequence of tensors.
        ValueError: there are no tensors.

    Reference: ``torch.cat``.

    Example:
        >>> import numtensor as nt
        >>> nt.cat([nt.tensor([[1, 2]]), nt.tensor([[3, 4]])])
        tensor([[1, 2],
                [3, 4]])
    """
    tensors = _common_dtype("cat", tensors)
    if not tensors:
        raise ValueError("cat: expected a non-empty list of Tensors")
    return current.mode.cat_same(tensors, dim)


@composite(tensors="tensors", method=False)
def stack(tensors, dim=0):
    """Join tensors along a new dimension.

    Args:
        tensors: a list or tuple of tensors of one shape; their dtypes are promoted.
        dim: the position of the new dimension in the result.

    Returns:
        A tensor with its own memory.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: there are no tensors, or their shapes differ.
        TypeError: `tensors` is no sequence of tensors.

    Reference: ``torch.stack``.

    Example:
        >>> import numtensor as nt
        >>> nt.stack([nt.tensor([1, 2]), nt.tensor([3, 4])], 1)
        tensor([[1, 3],
                [2, 4]])
    """
    tensors = _common_dtype("stack", tensors)
    if not tensors:
        raise RuntimeError("stack: expects a non-empty list of tensors")
    shape = tensors[0]._array.shape
    for position, one in enumerate(tensors):
        if one._array.shape != shape:
            raise RuntimeError(
                f"stack: expects each tensor to be equal size, but got {shape} at entry 0 and {one._array.shape} at "
                f"entry {position}"
            )
    dim = normalise_dim("stack", dim, len(shape) + 1)
    return current.mode.cat_same([unsqueeze(one, dim) for one in tensors], dim)


def _at_least(op, tensors, ndim):
    tensors = _common_dtype(op, tensors)
    if not tensors:
        raise RuntimeError(f"{op}: expects a non-empty list of tensors")
    missing = [ndim - one._array.ndim for one in tensors]
    return [
        one if count <= 0 else reshape(one, (1,) * count + one._array.shape)
        for one, count in zip(tensors, missing, strict=True)
    ]


@composite(tensors="tensors", method=False)
def hstack(tensors):
    """Join tensors side by side: along dimension 1, or 0 for vectors.

    Args:
        tensors: a list or tuple of tensors; 0-d ones count as vectors of one element.

    Returns:
        A tensor with its own memory.

    Raises:
        RuntimeError: there are no tensors, or their shapes do not fit.

    Reference: ``torch.hstack``.

    Example:
        >>> import numtensor as nt
        >>> nt.hstack([nt.tensor([1, 2]), nt.tensor([3])])
        tensor([1, 2, 3])
    """
    tensors = _at_least("hstack", tensors, 1)
    return cat(tensors, 0 if tensors[0]._array.ndim == 1 else 1)


@composite(tensors="tensors", method=False, aliases=("row_stack",))
def vstack(tensors):
    """Join tensors on top of each other, along dimension 0; vectors count as rows.

    Args:
        tensors: a list or tuple of tensors.

    Returns:
        A tensor with its own memory.

    Raises:
        RuntimeError: there are no tensors, or their shapes do not fit.

    Reference: ``torch.vstack``.

    Example:
        >>> import numtensor as nt
        >>> nt.vstack([nt.tensor([1, 2]), nt.tensor([3, 4])])
        tensor([[1, 2],
                [3, 4]])
    """
    return cat(_at_least("vstack", tensors, 2), 0)


@composite(tensors=(), method=False)
def meshgrid(*tensors, indexing="ij") -> tuple[Tensor, ...]:
    """Make the coordinate arrays of a grid from its axes.

    Args:
        tensors: vectors (or numbers as 0-d tensors) of one dtype: the positions on each axis.
        indexing: ``"ij"``: the first axis is dimension 0 of the results; ``"xy"``: it is dimension 1.

    Returns:
        A tuple of views, one per axis, of the grid's shape.

    Raises:
        RuntimeError: a tensor has several dimensions, the dtypes differ, or `indexing` is something else.

    Reference: ``torch.meshgrid``.

    Example:
        >>> import numtensor as nt
        >>> x, y = nt.meshgrid(nt.tensor([1, 2]), nt.tensor([3, 4, 5]))
        >>> x
        tensor([[1, 1, 1],
                [2, 2, 2]])
    """
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    if not tensors:
        raise RuntimeError("meshgrid: expects a non-empty list of tensors")
    arrays = [operands.unwrap("meshgrid", "tensors", one) for one in tensors]
    if any(array.ndim > 1 for array in arrays):
        raise RuntimeError(f"meshgrid: expected 0-d or 1-d tensors, got shapes {_shapes(arrays)}")
    if any(array.dtype != arrays[0].dtype for array in arrays):
        raise RuntimeError(
            f"meshgrid: expects all tensors to have the same dtype, got {', '.join(str(a.dtype) for a in arrays)}"
        )
    places = list(range(len(tensors)))
    if indexing == "xy" and len(places) > 1:
        places[:2] = 1, 0
    shape = [0] * len(tensors)
    for place, array in zip(places, arrays, strict=True):
        shape[place] = array.size
    grids = []
    for place, one in zip(places, tensors, strict=True):
        column = [1] * len(shape)
        column[place] = shape[place]
        grids.append(expand(reshape(one, tuple(column)), tuple(shape)))
    return tuple(grids)


# ---------------------------------------------------------------------------------------------------------------------
# Repeating


@composite(varargs="repeats")
def tile(input, repeats):
    """Repeat the tensor along each dimension; missing repeats count as 1 in front.

    Args:
        input: a tensor.
        repeats: how often, per dimension.

    Returns:
        A tensor.

    Raises:
        RuntimeError: a number is negative.

    Reference: ``torch.tile``.

    Example:
        >>> import numtensor as nt
        >>> nt.tile(nt.tensor([1, 2]), (2, 2))
        tensor([[1, 2, 1, 2],
                [1, 2, 1, 2]])
    """
    repeats = as_shape("tile", repeats)
    ndim = operands.unwrap("tile", "input", input).ndim
    return repeat(input, (1,) * (ndim - len(repeats)) + repeats)


@composite(varargs="repeats", namespace="Tensor")
def repeat(input, repeats):
    """Repeat the tensor along each dimension.

    Args:
        input: a tensor.
        repeats: how often, per dimension of the result; there may be more than the tensor has, but not fewer.

    Returns:
        A tensor.

    Raises:
        RuntimeError: there are fewer numbers than dimensions, or one is negative.

    Reference: ``torch.Tensor.repeat``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([1, 2]).repeat(2, 2)
        tensor([[1, 2, 1, 2],
                [1, 2, 1, 2]])
    """
    repeats = as_shape("repeat", repeats)
    shape = operands.unwrap("repeat", "input", input).shape
    lead = len(repeats) - len(shape)
    if lead < 0:
        raise RuntimeError(
            f"repeat: number of dimensions of repeat dims {repeats} can not be smaller than number of dimensions of "
            f"tensor of shape {shape}"
        )
    if any(count < 0 for count in repeats):
        raise RuntimeError(f"repeat: repeats must not be negative, got {repeats}")
    shape = (1,) * lead + shape
    # One broadcast copy: every dimension gets its repeats as a new dimension in front of it.
    apart = [extent for one in shape for extent in (1, one)]
    wide = [extent for count, one in zip(repeats, shape, strict=True) for extent in (count, one)]
    result = tuple([count * one for count, one in zip(repeats, shape, strict=True)])
    return reshape(expand(reshape(input, tuple(apart)), tuple(wide)).clone(), result)


@composite(tensors=("input",))
def repeat_interleave(
    input, repeats: int | Tensor | None = None, dim: int | None = None, output_size: int | None = None
):
    """Repeat each element in place: [1, 2] twice gives [1, 1, 2, 2].

    Args:
        input: a tensor. If it is the only argument, it holds how often each position occurs.
        repeats: how often; a number, or an integer tensor with one number per position of `dim`.
        dim: the dimension; None flattens first.
        output_size: the extent of the result in `dim`, which PyTorch uses to save time; it must be right.

    Returns:
        A tensor.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: the repeats have another size, or are negative.

    Reference: ``torch.repeat_interleave``.

    Example:
        >>> import numtensor as nt
        >>> nt.repeat_interleave(nt.tensor([1, 2]), 2)
        tensor([1, 1, 2, 2])
    """
    name = "repeat_interleave"
    array = operands.unwrap(name, "input", input)
    if repeats is None:
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise RuntimeError(f"{name}: repeats must be 1-d and integer, got {array.dtype} of shape {array.shape}")
        repeats, input, dim = input, from_array(np.arange(array.size)), 0
        array = input._array
    if dim is None:
        input, dim = reshape(input, (array.size,)), 0
        array = input._array
    dim = normalise_dim(name, dim, array.ndim)
    extent = array.shape[dim] if array.ndim else 1
    counts = repeats._array if isinstance(repeats, Tensor) else np.asarray(repeats)
    if counts.dtype.kind not in "iu" or counts.ndim > 1:
        raise RuntimeError(
            f"{name}: repeats must be a number or a 1-d integer tensor, got {counts.dtype} of shape {counts.shape}"
        )
    if counts.size != 1 and counts.size != extent:
        raise RuntimeError(
            f"{name}: repeats must have the same size as input along dim, but got repeats of size {counts.size} and "
            f"input of size {extent} in dimension {dim}"
        )
    if (counts < 0).any():
        raise RuntimeError(f"{name}: repeats can not be negative, got {counts.tolist()}")
    positions = np.repeat(np.arange(extent), counts.reshape(-1) if counts.size != 1 else int(counts.item()))
    if output_size is not None and output_size != positions.size:
        raise RuntimeError(f"{name}: output_size is {output_size}, but the repeats give {positions.size}")
    if not array.ndim:
        input = reshape(input, (1,))
    return current.mode.index(input, (None,) * dim + (positions,))


# ---------------------------------------------------------------------------------------------------------------------
# Other places


def _flip_dims(input, dims):
    dims = normalise_dims("flip", dims, input.ndim)
    return dims if input.ndim else ()


@library("one memory copy", varargs="dims", linear=True)
def flip(input, dims):
    """Reverse the order of elements along dimensions.

    Args:
        input: a tensor.
        dims: the dimensions.

    Returns:
        A tensor with its own memory.

    Raises:
        IndexError: a dimension is out of range.
        RuntimeError: one appears twice.

    Reference: ``torch.flip``.

    Example:
        >>> import numtensor as nt
        >>> nt.flip(nt.tensor([1, 2, 3]), (0,))
        tensor([3, 2, 1])
    """


@flip.forward
def _(input, dims):
    return np.flip(input, _flip_dims(input, dims)).copy()


@flip.backward
def _(grad, needs, input, dims):
    return np.flip(grad, _flip_dims(grad, dims))


@flip.vjp
def _(grad, needs, input, dims):
    return flip(grad, dims)


@composite()
def fliplr(input):
    """Reverse the order of columns.

    Args:
        input: a tensor of at least two dimensions.

    Returns:
        A tensor with its own memory.

    Raises:
        RuntimeError: it has fewer dimensions.

    Reference: ``torch.fliplr``.

    Example:
        >>> import numtensor as nt
        >>> nt.fliplr(nt.tensor([[1, 2]]))
        tensor([[2, 1]])
    """
    if operands.unwrap("fliplr", "input", input).ndim < 2:
        raise RuntimeError(f"fliplr: input must be >= 2-d, got shape {input._array.shape}")
    return flip(input, (1,))


@composite()
def flipud(input):
    """Reverse the order of rows.

    Args:
        input: a tensor of at least one dimension.

    Returns:
        A tensor with its own memory.

    Raises:
        RuntimeError: it has none.

    Reference: ``torch.flipud``.

    Example:
        >>> import numtensor as nt
        >>> nt.flipud(nt.tensor([[1], [2]]))
        tensor([[2],
                [1]])
    """
    if not operands.unwrap("flipud", "input", input).ndim:
        raise RuntimeError("flipud: input must be >= 1-d, got shape ()")
    return flip(input, (0,))


def _roll_arguments(input, shifts, dims):
    """Return shifts and dims of a roll, of the flattened array where no dims are given.

    Raises:
        RuntimeError: their numbers differ.
    """
    shifts = as_shape("roll", shifts)
    if dims is None or dims == ():
        if len(shifts) != 1:
            raise RuntimeError(f"roll: shifts and dimensions must align. shifts: {len(shifts)}, dims: 0")
        return shifts, None
    dims = as_shape("roll", dims)
    if len(dims) != len(shifts):
        raise RuntimeError(f"roll: shifts and dimensions must align. shifts: {len(shifts)}, dims: {len(dims)}")
    if not input.ndim:
        raise IndexError(f"roll: Dimension specified as {dims[0]} but tensor has no dimensions")
    return shifts, tuple([normalise_dim("roll", dim, input.ndim) for dim in dims])


def _rolled(input, shifts, dims, sign):
    shifts, dims = _roll_arguments(input, shifts, dims)
    shifts = tuple([sign * shift for shift in shifts])
    return np.roll(input, shifts[0]) if dims is None else np.roll(input, shifts, dims)


@library("two memory copies", linear=True)
def roll(input, shifts, dims=None):
    """Shift elements along dimensions; those that leave at one end come back at the other.

    Args:
        input: a tensor.
        shifts: how far, an int or one per dimension.
        dims: the dimension or dimensions; None shifts the elements in row-major order.

    Returns:
        A tensor with its own memory.

    Raises:
        IndexError: a dimension is out of range.
        RuntimeError: the numbers of shifts and dimensions differ.

    Reference: ``torch.roll``.

    Example:
        >>> import numtensor as nt
        >>> nt.roll(nt.tensor([1, 2, 3]), 1)
        tensor([3, 1, 2])
    """


@roll.forward
def _(input, shifts, dims):
    return _rolled(input, shifts, dims, 1)


@roll.backward
def _(grad, needs, input, shifts, dims):
    return _rolled(grad, shifts, dims, -1)


@roll.vjp
def _(grad, needs, input, shifts, dims):
    return roll(grad, tuple([-shift for shift in as_shape("roll", shifts)]), dims)
