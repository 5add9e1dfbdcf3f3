"""Elements in another order along their dimensions: flipped, rolled, turned."""

from __future__ import annotations

import numpy as np

from . import operands
from .dims import normalise_dim, normalise_dims
from .general_kind import composite, library
from .shape import as_shape


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
