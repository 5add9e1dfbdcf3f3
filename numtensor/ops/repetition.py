"""Elements repeated in new memory, or along new dimensions."""

from __future__ import annotations

import numpy as np

from ..modes import current
from ..tensor import Tensor, from_array
from . import operands
from .dims import normalise_dim
from .expand import expand
from .general_kind import composite
from .join import shapes_of
from .shape import as_shape, reshape


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
        raise RuntimeError(f"meshgrid: expected 0-d or 1-d tensors, got shapes {shapes_of(arrays)}")
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
