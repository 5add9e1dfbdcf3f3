"""The same elements in another shape: view, reshape, flatten, squeeze.

Another order of dimensions stands in ``transpose.py``, broadcasting in ``expand.py``, parts in ``slicing.py`` and
``split.py``; joined tensors in ``join.py``, elements repeated or turned round in ``repetition.py`` and ``flip.py``,
indexing in ``indexing.py``.
"""

from __future__ import annotations

import math
import operator

import numpy as np

from ..kernels import boxed_views
from ..modes import current
from ..tensor import Size, Tensor
from . import operands
from .conversion import clone
from .dims import normalise_dim
from .general_kind import NoView, composite
from .general_kind import view as view_op


def as_shape(op, shape):
    """Return a shape argument as a tuple of ints.

    Raises:
        TypeError: it is not made of integers; names the op.
    """
    if type(shape) is tuple:
        for extent in shape:
            if type(extent) is not int:
                break
        else:
            return shape
    try:
        if isinstance(shape, (int, np.integer)):
            return (operator.index(shape),)
        return tuple([operator.index(extent) for extent in shape])
    except TypeError:
        raise TypeError(f"{op}: the shape must be integers, got {shape!r}") from None


def _shape_error(op, shape, array):
    """Return the exception for a shape that an array cannot take."""
    if any(extent < -1 for extent in shape):
        where = next(i for i, extent in enumerate(shape) if extent < -1)
        return RuntimeError(f"{op}: invalid shape dimension {shape[where]} at index {where} of shape {shape}")
    if shape.count(-1) > 1:
        return RuntimeError(f"{op}: only one dimension can be inferred, but shape {shape} has several -1")
    if -1 in shape and array.size == 0 and 0 in shape:
        return RuntimeError(
            f"{op}: cannot reshape tensor of 0 elements into shape {shape} because the unspecified dimension size -1 "
            "can be any value and is ambiguous"
        )
    return RuntimeError(f"{op}: shape {shape} is invalid for input of size {array.size} (shape {array.shape})")


def _reshaped(op, array, shape):
    try:
        result = array.reshape(shape)
    except ValueError:
        raise _shape_error(op, shape, array) from None
    if result.shape != shape and (-1 not in shape or min(shape) < -1):
        raise _shape_error(op, shape, array)
    return result


def _shares(result, array):
    return array.flags.c_contiguous or result.size == 0 or np.may_share_memory(result, array)


@view_op(varargs="shape", namespace="Tensor")
def view(input, shape):
    """View the same memory with another shape.

    Args:
        input: a tensor whose memory can be walked in the new shape; a contiguous one always can.
        shape: extents, one of which may be -1: inferred.

    Returns:
        A view of that shape.

    Raises:
        RuntimeError: the number of elements differs, or the memory layout does not allow a view.

    Reference: ``torch.Tensor.view``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([[1, 2], [3, 4]]).view(4)
        tensor([1, 2, 3, 4])
    """


def _copied(input, shape):
    return view(clone(input), shape)


@view_op(varargs="shape", otherwise=_copied)
def reshape(input, shape):
    """Give the elements, in row-major order, another shape.

    Args:
        input: a tensor.
        shape: extents, one of which may be -1: inferred.

    Returns:
        A view of that shape where the memory allows one, else a copy.

    Raises:
        RuntimeError: the number of elements differs.

    Reference: ``torch.reshape``.

    Example:
        >>> import numtensor as nt
        >>> nt.reshape(nt.tensor([[1, 2], [3, 4]]), (-1,))
        tensor([1, 2, 3, 4])
    """


# What it records is a view, and PyTorch calls it so.
reshape.node_name = view.node_name


def _in_order_on_tensors(op, layout):
    """Make the builtin function that gives another shape to what lies in order."""
    return boxed_views.make_reshaped(layout, op._forward, Size)


def _give_reshaping_rules(op):
    name = op.name
    op.on_tensors(_in_order_on_tensors)

    @op.forward
    def _(input, shape):
        if type(shape) is tuple:
            try:
                result = input.reshape(shape)
            except (TypeError, ValueError):
                pass
            else:
                # A copy has a base of its own; asking for that takes half of asking for contiguity.
                base = result.base
                if base is input or (base is input.base and base is not None):
                    # NumPy takes any negative extent for one to infer.
                    for extent in shape:
                        if extent < -1:
                            break
                    else:
                        return result
        shape = as_shape(name, shape)
        result = _reshaped(name, input, shape)
        if _shares(result, input):
            return result
        raise NoView(
            f"view: view size is not compatible with input tensor's size {input.shape} and stride (at least one "
            f"dimension of {shape} spans across two contiguous subspaces). Use .reshape(...) instead."
        )

    @op.backward
    def _(grad, needs, input, shape):
        return grad.reshape(input)

    @op.vjp
    def _(grad, needs, input, shape):
        return grad.reshape(tuple(input))


_give_reshaping_rules(view)
_give_reshaping_rules(reshape)


@composite(namespace="Tensor")
def view_as(input, other: Tensor):
    """View the same memory with the shape of another tensor.

    Args:
        input: a tensor.
        other: the tensor whose shape is meant.

    Returns:
        A view.

    Raises:
        RuntimeError: as `view`.

    Reference: ``torch.Tensor.view_as``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([1, 2, 3, 4]).view_as(nt.tensor([[0, 0], [0, 0]]))
        tensor([[1, 2],
                [3, 4]])
    """
    return view(input, operands.unwrap("view_as", "other", other).shape)


@composite(namespace="Tensor")
def reshape_as(input, other: Tensor):
    """Give the elements the shape of another tensor.

    Args:
        input: a tensor.
        other: the tensor whose shape is meant.

    Returns:
        A view or a copy, as `reshape`.

    Raises:
        RuntimeError: the number of elements differs.

    Reference: ``torch.Tensor.reshape_as``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([1, 2, 3, 4]).reshape_as(nt.tensor([[0, 0], [0, 0]]))
        tensor([[1, 2],
                [3, 4]])
    """
    return reshape(input, operands.unwrap("reshape_as", "other", other).shape)


@composite()
def flatten(input, start_dim=0, end_dim=-1):
    """Join neighbouring dimensions into one.

    Args:
        input: a tensor.
        start_dim, end_dim: the first and last dimension to join.

    Returns:
        A view or a copy, as `reshape`; a 0-d tensor becomes 1-d.

    Raises:
        IndexError: a dimension is out of range.
        RuntimeError: `start_dim` comes after `end_dim`.

    Reference: ``torch.flatten``.

    Example:
        >>> import numtensor as nt
        >>> nt.flatten(nt.zeros(2, 3, 4), 1).shape
        numtensor.Size([2, 12])
    """
    array = operands.unwrap("flatten", "input", input)
    if start_dim == 0 and end_dim == -1 and array.ndim > 1:
        return current.mode.reshape(input, (array.size,))
    shape = array.shape
    start, end = normalise_dim("flatten", start_dim, len(shape)), normalise_dim("flatten", end_dim, len(shape))
    if start > end:
        raise RuntimeError(f"flatten: start_dim {start_dim} cannot come after end_dim {end_dim} (shape {shape})")
    if start == end and shape:
        return input
    # An explicit extent, since -1 is ambiguous where there are no elements.
    return reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


@composite()
def ravel(input):
    """Return the elements in row-major order as one dimension.

    Args:
        input: a tensor.

    Returns:
        A view where the tensor is contiguous, else a copy.

    Reference: ``torch.ravel``.

    Example:
        >>> import numtensor as nt
        >>> nt.ravel(nt.tensor([[1, 2], [3, 4]]))
        tensor([1, 2, 3, 4])
    """
    return reshape(input, (operands.unwrap("ravel", "input", input).size,))


@composite()
def unflatten(input, dim, sizes):
    """Split one dimension into several.

    Args:
        input: a tensor.
        dim: the dimension.
        sizes: the extents in its place, one of which may be -1.

    Returns:
        A view.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: the sizes do not multiply up to the extent.

    Reference: ``torch.unflatten``.

    Example:
        >>> import numtensor as nt
        >>> nt.unflatten(nt.zeros(2, 12), 1, (3, -1)).shape
        numtensor.Size([2, 3, 4])
    """
    shape = operands.unwrap("unflatten", "input", input).shape
    dim, sizes = normalise_dim("unflatten", dim, len(shape)), as_shape("unflatten", sizes)
    if not shape:
        raise IndexError("unflatten: a 0-d tensor has no dimension to split")
    known = math.prod(extent for extent in sizes if extent != -1)
    if sizes.count(-1) == 1 and known > 0 and shape[dim] % known == 0:
        sizes = tuple([shape[dim] // known if extent == -1 else extent for extent in sizes])
    elif known != shape[dim] or -1 in sizes or not sizes:
        raise RuntimeError(
            f"unflatten: provided sizes {sizes} don't multiply up to the size of dim {dim} of shape {shape}"
        )
    return view(input, (*shape[:dim], *sizes, *shape[dim + 1 :]))


@view_op()
def squeeze(input, dim=None):
    """Drop dimensions of extent 1.

    Args:
        input: a tensor.
        dim: the dimension or dimensions to drop where their extent is 1; None for all.

    Returns:
        A view.

    Raises:
        IndexError: a dimension is out of range.
        RuntimeError: one appears twice.

    Reference: ``torch.squeeze``.

    Example:
        >>> import numtensor as nt
        >>> nt.squeeze(nt.zeros(1, 3, 1), -1).shape
        numtensor.Size([1, 3])
    """


@squeeze.forward
def _(input, dim):
    shape = input.shape
    if dim is None:
        return input.squeeze()
    ndim = len(shape)
    if isinstance(dim, (tuple, list)):
        dims = [normalise_dim("squeeze", one, ndim) for one in dim]
        if len(set(dims)) < len(dims):
            raise RuntimeError(f"squeeze: a dim appears multiple times in the list of dims {tuple(dim)}")
        return input.squeeze(tuple([one for one in dims if ndim and shape[one] == 1]))
    dim = normalise_dim("squeeze", dim, ndim)
    return input.squeeze(dim) if ndim and shape[dim] == 1 else input[...]


@squeeze.backward
def _(grad, needs, input, dim):
    return grad.reshape(input)


@squeeze.vjp
def _(grad, needs, input, dim):
    return grad.reshape(tuple(input))


@view_op()
def unsqueeze(input, dim):
    """Insert a dimension of extent 1.

    Args:
        input: a tensor.
        dim: its position in the result.

    Returns:
        A view.

    Raises:
        IndexError: `dim` is out of range.

    Reference: ``torch.unsqueeze``.

    Example:
        >>> import numtensor as nt
        >>> nt.unsqueeze(nt.tensor([1, 2]), 1)
        tensor([[1],
                [2]])
    """


@unsqueeze.forward
def _(input, dim):
    if dim == 0 and type(dim) is int:
        return input[None]
    dim = normalise_dim("unsqueeze", dim, input.ndim + 1)
    return input[(slice(None),) * dim + (None, ...)]


@unsqueeze.backward
def _(grad, needs, input, dim):
    return grad.reshape(input)


@unsqueeze.vjp
def _(grad, needs, input, dim):
    return grad.reshape(tuple(input))


# ---------------------------------------------------------------------------------------------------------------------
# More dimensions


def _at_least(op, tensors, ndim, enlarge):
    """Return tensors as they are, those of fewer dimensions with the shape that `enlarge` makes of theirs."""
    single = len(tensors) == 1 and not isinstance(tensors[0], (list, tuple))
    if len(tensors) == 1 and not single:
        tensors = tensors[0]
    shapes = [operands.unwrap(op, "tensors", one).shape for one in tensors]
    made = [
        reshape(one, enlarge(shape)) if len(shape) < ndim else one for one, shape in zip(tensors, shapes, strict=True)
    ]
    return made[0] if single else tuple(made)


@composite(tensors=(), method=False)
def atleast_1d(*tensors) -> Tensor | tuple[Tensor, ...]:
    """Give tensors at least one dimension: a 0-d one gets it.

    Args:
        tensors: tensors, or one sequence of them.

    Returns:
        A view of at least one dimension; a tuple of them if several tensors, or a sequence, were given.

    Raises:
        TypeError: one is no tensor.

    Reference: ``torch.atleast_1d``.

    Example:
        >>> import numtensor as nt
        >>> nt.atleast_1d(nt.tensor(3.0))
        tensor([3.])
    """
    return _at_least("atleast_1d", tensors, 1, lambda shape: (1,))


@composite(tensors=(), method=False)
def atleast_2d(*tensors) -> Tensor | tuple[Tensor, ...]:
    """Give tensors at least two dimensions, put in front: a vector becomes a row.

    Args:
        tensors: tensors, or one sequence of them.

    Returns:
        A view of at least two dimensions; a tuple of them if several tensors, or a sequence, were given.

    Raises:
        TypeError: one is no tensor.

    Reference: ``torch.atleast_2d``.

    Example:
        >>> import numtensor as nt
        >>> nt.atleast_2d(nt.tensor(3.0))
        tensor([[3.]])
    """
    return _at_least("atleast_2d", tensors, 2, lambda shape: (1,) * (2 - len(shape)) + shape)


@composite(tensors=(), method=False)
def atleast_3d(*tensors) -> Tensor | tuple[Tensor, ...]:
    """Give tensors at least three dimensions: a vector becomes (1, n, 1), a matrix (n, m, 1).

    Args:
        tensors: tensors, or one sequence of them.

    Returns:
        A view of at least three dimensions; a tuple of them if several tensors, or a sequence, were given.

    Raises:
        TypeError: one is no tensor.

    Reference: ``torch.atleast_3d``.

    Example:
        >>> import numtensor as nt
        >>> nt.atleast_3d(nt.tensor(3.0))
        tensor([[[3.]]])
    """
    return _at_least("atleast_3d", tensors, 3, lambda shape: (*((1,) * (2 - len(shape))), *shape, 1))
