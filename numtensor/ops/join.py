"""Tensors joined along a dimension, an old one or a new one."""

from __future__ import annotations

import numpy as np

from ..kernels import boxed_join
from ..modes import current
from ..tensor import TENSORS, Tensor, from_array
from . import operands
from .conversion import to_dtype
from .dims import normalise_dim
from .general_kind import composite, library
from .shape import reshape
from .slicing import narrow, select


def _common_dtype(op, tensors):
    """Return the tensors of a sequence, converted to their common dtype.

    Raises:
        TypeError: it is no sequence of tensors.
    """
    if type(tensors) in (list, tuple) and tensors and type(tensors[0]) in TENSORS:
        dtype = tensors[0]._array.dtype
        for one in tensors:
            if type(one) not in TENSORS or one._array.dtype is not dtype:
                break
        else:
            return tensors
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


def shapes_of(tensors):
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
    if type(dim) is int:
        try:
            return np.concatenate(tensors, dim)
        except ValueError:
            pass
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
        f"got shapes {shapes_of(tensors)}"
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


@library(
    "one memory copy per tensor", namespace="ops", method=False, tensors="tensors", sequence="tensors", linear=True
)
def stack_same(tensors, dim):
    """Join tensors of one dtype and shape along a new dimension: what `stack` computes after promotion.

    Args:
        tensors: a list of tensors.
        dim: the position of the new dimension, counted from the front.

    Returns:
        A tensor.

    Example:
        >>> import numtensor as nt
        >>> nt.ops.stack_same([nt.tensor([1, 2]), nt.tensor([3, 4])], 0)
        tensor([[1, 2],
                [3, 4]])
    """


@stack_same.forward
def _(tensors, dim):
    shape = tensors[0].shape
    if dim == len(shape):
        return np.concatenate([one[..., None] for one in tensors], dim)
    # In memory that is the same as joined along the dimension which is then the next.
    return np.concatenate(tensors, dim).reshape(*shape[:dim], len(tensors), *shape[dim:])


@stack_same.backward
def _(grad, needs, tensors, dim):
    lead = (slice(None),) * dim
    return [grad[(*lead, position, ...)] if need else None for position, need in enumerate(needs)]


@stack_same.vjp
def _(grad, needs, tensors, dim):
    return [select(grad, dim, position) if need else None for position, need in enumerate(needs)]


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


@cat.on_tensors
def _(op, layout):
    return boxed_join.make_join(op.name, layout, op.records(), new=False)


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
    return current.mode.stack_same(tensors, normalise_dim("stack", dim, len(shape) + 1))


@stack.on_tensors
def _(op, layout):
    return boxed_join.make_join(op.name, layout, op.records(), new=True)


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
