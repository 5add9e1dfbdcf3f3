"""A tensor cut into several views."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from ..tensor import Tensor
from . import operands
from .general_kind import composite
from .general_kind import view as view_op
from .shape import as_shape
from .slicing import extent_of, index_along, narrow
from .view_transpose import embeds_gradients

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@view_op(results=0)
def unbind(input, dim=0):
    """View every position of a dimension as a tensor of its own.

    Args:
        input: a tensor of at least one dimension.
        dim: the dimension.

    Returns:
        A tuple of views, which may not be changed in place where gradients are recorded.

    Raises:
        IndexError: `dim` is out of range.

    Reference: ``torch.unbind``.

    Example:
        >>> import numtensor as nt
        >>> nt.unbind(nt.tensor([[1, 2], [3, 4]]))
        (tensor([1, 2]), tensor([3, 4]))
    """


@unbind.forward
def _(input, dim):
    dim, extent = extent_of("unbind", input, dim)
    lead = (slice(None),) * dim
    return [input[(*lead, position, ...)] for position in range(extent)]


embeds_gradients(unbind)


@view_op(results=0)
def split_with_sizes(input, split_size_or_sections, dim=0):
    """Cut a dimension into pieces of given sizes.

    Args:
        input: a tensor of at least one dimension.
        split_size_or_sections: the size of each piece.
        dim: the dimension.

    Returns:
        A tuple of views, which may not be changed in place where gradients are recorded.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: the sizes do not sum to the extent, or one is negative.

    Reference: ``torch.split_with_sizes``.

    Example:
        >>> import numtensor as nt
        >>> nt.split_with_sizes(nt.tensor([1, 2, 3]), [1, 2])
        (tensor([1]), tensor([2, 3]))
    """


@split_with_sizes.forward
def _(input, split_size_or_sections, dim):
    name = "split_with_sizes"
    if not input.ndim:
        raise RuntimeError(f"{name}: expects at least a 1-dimensional tensor")
    dim, extent = extent_of(name, input, dim)
    sizes = as_shape(name, split_size_or_sections)
    if sum(sizes) != extent or any(size < 0 for size in sizes):
        raise RuntimeError(
            f"{name}: expects non-negative sizes that sum exactly to {extent} (the input's size at dimension {dim}, "
            f"shape {input.shape}), but got {list(sizes)}"
        )
    parts, start = [], 0
    for size in sizes:
        parts.append(input[index_along(dim, slice(start, start + size))])
        start += size
    return parts


embeds_gradients(split_with_sizes)


@composite()
def split(input, split_size_or_sections, dim=0) -> tuple[Tensor, ...]:
    """Cut a dimension into pieces.

    Args:
        input: a tensor of at least one dimension.
        split_size_or_sections: the size of the pieces (the last may be smaller), or a list of sizes.
        dim: the dimension.

    Returns:
        A tuple of views, which may not be changed in place where gradients are recorded.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: the size is not positive, or the sizes do not sum to the extent.

    Reference: ``torch.split``.

    Example:
        >>> import numtensor as nt
        >>> nt.split(nt.tensor([1, 2, 3]), 2)
        (tensor([1, 2]), tensor([3]))
    """
    array = operands.unwrap("split", "input", input)
    if not array.ndim:
        raise RuntimeError("split: expects at least a 1-dimensional tensor")
    dim, extent = extent_of("split", array, dim)
    size = split_size_or_sections
    if isinstance(size, (int, np.integer)):
        if size < 0:
            raise RuntimeError(f"split: expects split_size be non-negative, but got split_size={size}")
        if size == 0 and extent:
            raise RuntimeError(f"split: split_size can only be 0 if dimension {dim} has size 0, but it has {extent}")
        full = extent // size if size else 0
        rest = extent - full * size
        size = [size] * full + ([rest] if rest or not full else [])
    return split_with_sizes(input, tuple(size), dim)


@composite()
def chunk(input, chunks, dim=0) -> tuple[Tensor, ...]:
    """Cut a dimension into at most `chunks` pieces of equal size, but for the last.

    Args:
        input: a tensor of at least one dimension.
        chunks: a positive number.
        dim: the dimension.

    Returns:
        A tuple of views, which may not be changed in place where gradients are recorded.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: `chunks` is not positive.

    Reference: ``torch.chunk``.

    Example:
        >>> import numtensor as nt
        >>> nt.chunk(nt.tensor([1, 2, 3]), 2)
        (tensor([1, 2]), tensor([3]))
    """
    array = operands.unwrap("chunk", "input", input)
    if not array.ndim:
        raise RuntimeError("chunk: expects at least a 1-dimensional tensor")
    dim, extent = extent_of("chunk", array, dim)
    if chunks <= 0:
        raise RuntimeError(f"chunk: expects chunks to be greater than 0, got {chunks}")
    if not extent:
        return split_with_sizes(input, (0,) * chunks, dim)
    return split(input, -(-extent // chunks), dim)


@composite()
def tensor_split(input, indices_or_sections: int | Sequence[int] | Tensor, dim=0) -> tuple[Tensor, ...]:
    """Cut a dimension into a number of nearly equal pieces, or at given positions.

    Args:
        input: a tensor of at least one dimension.
        indices_or_sections: how many pieces (the first ones are longer by one), or where to cut.
        dim: the dimension.

    Returns:
        A tuple of views, which may not be changed in place where gradients are recorded.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: the number of pieces is not positive.

    Reference: ``torch.tensor_split``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor_split(nt.tensor([1, 2, 3, 4]), (1, 3))
        (tensor([1]), tensor([2, 3]), tensor([4]))
    """
    array = operands.unwrap("tensor_split", "input", input)
    if not array.ndim:
        raise RuntimeError("tensor_split: expects at least a 1-dimensional tensor")
    dim, extent = extent_of("tensor_split", array, dim)
    if isinstance(indices_or_sections, int):
        if indices_or_sections <= 0:
            raise RuntimeError(f"tensor_split: number of sections must be larger than 0, got {indices_or_sections}")
        size, longer = divmod(extent, indices_or_sections)
        cuts = [position * size + min(position, longer) for position in range(indices_or_sections + 1)]
    else:
        cuts = [slice(None, cut).indices(extent)[1] for cut in as_shape("tensor_split", indices_or_sections)]
        cuts = [0, *cuts, extent]
    return tuple([narrow(input, dim, start, max(stop - start, 0)) for start, stop in itertools.pairwise(cuts)])


def _iterate(self) -> Iterator[Tensor]:
    if not self._array.ndim:
        raise TypeError("iteration over a 0-d tensor")
    return iter(unbind(self, 0))


Tensor.__iter__ = _iterate
