"""Views of a part of a tensor: one index, a range, a diagonal, windows."""

from __future__ import annotations

import operator

from numpy.lib.stride_tricks import as_strided

from .dims import normalise_dim
from .general_kind import view as view_op
from .view_transpose import embeds_gradient


def extent_of(op, array, dim):
    """Return (dim counted from the front, its extent); a 0-d tensor has none."""
    dim = normalise_dim(op, dim, array.ndim)
    if not array.ndim:
        raise IndexError(f"{op}: Dimension specified as {dim} but tensor has no dimensions")
    return dim, array.shape[dim]


def index_along(dim, part):
    return (slice(None),) * dim + (part, ...)


@view_op()
def diagonal(input, offset=0, dim1=0, dim2=1):
    """View the diagonal of two dimensions as a new last dimension.

    Args:
        input: a tensor of at least two dimensions.
        offset: which diagonal: above the main one if positive, below it if negative.
        dim1, dim2: the dimensions, which the result lacks.

    Returns:
        A view.

    Raises:
        IndexError: a dimension is out of range.
        RuntimeError: the dimensions are the same.

    Reference: ``torch.diagonal``.

    Example:
        >>> import numtensor as nt
        >>> nt.diagonal(nt.tensor([[1, 2], [3, 4]]))
        tensor([1, 4])
    """


@diagonal.forward
def _(input, offset, dim1, dim2):
    first, second = normalise_dim("diagonal", dim1, input.ndim), normalise_dim("diagonal", dim2, input.ndim)
    if first == second:
        raise RuntimeError(f"diagonal: diagonal dimensions cannot be identical {dim1}, {dim2} (shape {input.shape})")
    # ndarray.diagonal gives a read-only view.
    down, right = max(-offset, 0), max(offset, 0)
    count = max(min(input.shape[first] - down, input.shape[second] - right), 0)
    part = input[tuple([slice(down if k == first else right if k == second else 0, None) for k in range(input.ndim)])]
    rest = [k for k in range(input.ndim) if k not in (first, second)]
    return as_strided(
        part,
        (*[part.shape[k] for k in rest], count),
        (*[part.strides[k] for k in rest], part.strides[first] + part.strides[second]),
        writeable=input.flags.writeable,
    )


embeds_gradient(diagonal)


@view_op(method="select")
def select(input, dim, index: int):
    """View one position of a dimension, which the result lacks.

    Args:
        input: a tensor.
        dim: the dimension.
        index: an int; negative ones count from the end.

    Returns:
        A view.

    Raises:
        IndexError: `dim` or `index` is out of range.

    Reference: ``torch.select``.

    Example:
        >>> import numtensor as nt
        >>> nt.select(nt.tensor([[1, 2], [3, 4]]), 1, 0)
        tensor([1, 3])
    """


@select.forward
def _(input, dim, index):
    dim, extent = extent_of("select", input, dim)
    index = operator.index(index)
    if not -extent <= index < extent:
        raise IndexError(
            f"select: index {index} out of range for dimension {dim} of extent {extent} (shape {input.shape})"
        )
    return input[index_along(dim, index)]


embeds_gradient(select)


@view_op()
def narrow(input, dim, start: int, length: int):
    """View a range of a dimension.

    Args:
        input: a tensor.
        dim: the dimension.
        start: the first position; negative ones count from the end.
        length: the number of positions.

    Returns:
        A view.

    Raises:
        IndexError: `dim` or `start` is out of range.
        RuntimeError: the range leaves the dimension.

    Reference: ``torch.narrow``.

    Example:
        >>> import numtensor as nt
        >>> nt.narrow(nt.tensor([1, 2, 3, 4]), 0, 1, 2)
        tensor([2, 3])
    """


@narrow.forward
def _(input, dim, start, length):
    dim, extent = extent_of("narrow", input, dim)
    start, length = operator.index(start), operator.index(length)
    if length < 0:
        raise RuntimeError(f"narrow: length must be non-negative, got {length}")
    if not -extent <= start <= extent:
        raise IndexError(f"narrow: start {start} out of range for dimension {dim} of extent {extent}")
    start += extent if start < 0 else 0
    if start + length > extent:
        raise RuntimeError(f"narrow: start ({start}) + length ({length}) exceeds dimension size ({extent})")
    return input[index_along(dim, slice(start, start + length))]


embeds_gradient(narrow)


@view_op()
def unfold(input, dimension, size: int, step: int):
    """View every window of a dimension: the result has the windows there, and their elements in a new last dimension.

    Args:
        input: a tensor.
        dimension: the dimension.
        size: the elements of a window.
        step: the distance between windows.

    Returns:
        A view; windows may overlap, and then it may not be written to.

    Raises:
        IndexError: `dimension` is out of range.
        RuntimeError: `size` exceeds the extent or is negative, or `step` is not positive.

    Reference: ``torch.Tensor.unfold``.

    Example:
        >>> import numtensor as nt
        >>> nt.unfold(nt.tensor([1, 2, 3, 4]), 0, 2, 1)
        tensor([[1, 2],
                [2, 3],
                [3, 4]])
    """


@unfold.forward
def _(input, dimension, size, step):
    dim = normalise_dim("unfold", dimension, input.ndim)
    shape, strides = input.shape or (1,), input.strides or (input.itemsize,)
    size, step = operator.index(size), operator.index(step)
    if not 0 <= size <= shape[dim]:
        raise RuntimeError(f"unfold: maximum size for tensor at dimension {dim} is {shape[dim]} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"unfold: step is {step} but must be > 0")
    count = (shape[dim] - size) // step + 1
    if not input.ndim:
        return as_strided(input, (size,), (input.itemsize,))
    return as_strided(
        input,
        (*shape[:dim], count, *shape[dim + 1 :], size),
        (*strides[:dim], strides[dim] * step, *strides[dim + 1 :], strides[dim]),
        writeable=input.flags.writeable,
    )


embeds_gradient(unfold)
