"""Searching and counting: places in sorted sequences, different values, and how often each occurs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import dtypes
from ..tensor import Tensor
from .dims import normalise_dim
from .general_kind import composite, library
from .operands import unwrap

if TYPE_CHECKING:
    from .._types import Operand

# ---------------------------------------------------------------------------------------------------------------------
# Places in sorted sequences


def _values(op, value, kind):
    """Return what is looked for: a tensor's array, or a number as an array of the sequence's kind."""
    if isinstance(value, (bool, int, float)):
        return np.asarray(value)
    return unwrap(op, "input", value)


@library("NumPy's binary search", method=False, tensors=("sorted_sequence",), differentiable=())
def searchsorted(
    sorted_sequence,
    input: Operand,
    out_int32=False,
    right=False,
    side: str | None = None,
    sorter: Tensor | None = None,
):
    """Find where values belong in a sorted sequence: the first position whose element is not below the value.

    Args:
        sorted_sequence: a tensor whose last dimension is in ascending order.
        input: a number, or a tensor; of the sequence's shape but for the last dimension, unless the
            sequence is 1-d.
        out_int32: give int32 positions.
        right: the first position whose element is above the value.
        side: ``"left"`` or ``"right"``, the same in words.
        sorter: an int64 tensor of the sequence's shape: the positions that put it in order, if it is not.

    Returns:
        An int64 tensor of the shape of `input`: positions from 0 to the extent of the last dimension.

    Raises:
        RuntimeError: the shapes do not fit, or `side` is another word or contradicts `right`.

    Reference: ``torch.searchsorted``.

    Example:
        >>> import numtensor as nt
        >>> nt.searchsorted(nt.tensor([1, 3, 5]), nt.tensor([3, 6]))
        tensor([1, 3])
    """


@searchsorted.forward
def _(sequence, input, out_int32, right, side, sorter):
    values = _values("searchsorted", input, sequence.dtype)
    if side not in (None, "left", "right"):
        raise RuntimeError(f"searchsorted: side can only be 'left' or 'right' but got {side!r}")
    if side == "left" and right:
        raise RuntimeError(
            "searchsorted: side and right can't be set to opposites, got side of left while right was True"
        )
    right = right or side == "right"
    if sequence.ndim == 0:
        raise RuntimeError("searchsorted: the sequence should have positive dimension, but got a 0-d tensor")
    if sorter is not None:
        order = unwrap("searchsorted", "sorter", sorter)
        if order.shape != sequence.shape or order.dtype != np.int64:
            raise RuntimeError(
                f"searchsorted: the sorter must be int64 and of the sequence's shape {sequence.shape}, got "
                f"{order.dtype} and {order.shape}"
            )
        if order.size and not (order.min() >= 0 and order.max() < sequence.shape[-1]):
            raise RuntimeError(f"searchsorted: sorter index out of range for {sequence.shape[-1]} elements")
        sequence = np.take_along_axis(sequence, order, -1)
    found = _search(sequence, values, "right" if right else "left")
    return found.astype(np.int32) if out_int32 else found


def _search(sequence, values, side):
    if sequence.ndim == 1:
        return np.asarray(np.searchsorted(sequence, values, side), np.int64)
    if values.shape[:-1] != sequence.shape[:-1] or not values.ndim:
        raise RuntimeError(
            "searchsorted: the sequence should be 1-d, or all its dimensions but the last must be those of the "
            f"values, but got shapes {sequence.shape} and {values.shape}"
        )
    found = np.empty(values.shape, np.int64)
    for place in np.ndindex(sequence.shape[:-1]):
        found[place] = np.searchsorted(sequence[place], values[place], side)
    return found


@library("NumPy's binary search", differentiable=())
def bucketize(input, boundaries: Tensor, out_int32=False, right=False):
    """Find which bucket each value falls into: i where boundaries[i - 1] < value <= boundaries[i].

    Args:
        input: a tensor.
        boundaries: a 1-d tensor in ascending order.
        out_int32: give int32 numbers.
        right: a value that equals a boundary falls into the bucket above it.

    Returns:
        An int64 tensor of the shape of `input`: numbers of buckets, from 0 to the number of boundaries.

    Raises:
        RuntimeError: `boundaries` is not 1-d.

    Reference: ``torch.bucketize``.

    Example:
        >>> import numtensor as nt
        >>> nt.bucketize(nt.tensor([0.5, 2.0, 9.0]), nt.tensor([1.0, 2.0, 3.0]))
        tensor([0, 1, 3])
    """


@bucketize.forward
def _(input, boundaries, out_int32, right):
    edges = unwrap("bucketize", "boundaries", boundaries)
    if edges.ndim != 1:
        raise RuntimeError(f"bucketize: boundaries tensor must be 1 dimension, but got shape {edges.shape}")
    found = _search(edges, input, "right" if right else "left")
    return found.astype(np.int32) if out_int32 else found


@library("NumPy's sort and binary search", method=False, tensors=("elements",), differentiable=())
def isin(elements, test_elements: Operand, assume_unique=False, invert=False):
    """Tell of each element whether it is among others.

    Args:
        elements: a tensor.
        test_elements: a tensor or a number: the others.
        assume_unique: a promise that neither has an element twice.
        invert: tell whether it is not.

    Returns:
        A bool tensor of the shape of `elements`.

    Raises:
        TypeError: `test_elements` is neither a tensor nor a number.

    Reference: ``torch.isin``.

    Example:
        >>> import numtensor as nt
        >>> nt.isin(nt.tensor([1, 2, 3]), nt.tensor([2, 4]))
        tensor([False,  True, False])
    """


@isin.forward
def _(elements, test_elements, assume_unique, invert):
    others = _values("isin", test_elements, elements.dtype)
    # NumPy's shortcut for unique elements wants both flat.
    found = np.isin(elements.reshape(-1), others.reshape(-1), assume_unique=assume_unique, invert=invert)
    return found.reshape(elements.shape)


# ---------------------------------------------------------------------------------------------------------------------
# Different values


@library("NumPy's sort", name="unique_all", namespace="_search", method=False, results=3, differentiable=())
def unique_all(input, dim):
    """Return the different values, where each element's value is among them, and how often each occurs.

    Args:
        input: a tensor.
        dim: compare whole slices along this dimension; None for elements.

    Returns:
        Three tensors.

    Reference: ``torch.unique``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([3, 1, 3]).unique()
        tensor([1, 3])
    """


@unique_all.forward
def _(input, dim):
    values, inverse, counts = np.unique(
        input, return_inverse=True, return_counts=True, axis=_axis("unique", input, dim), equal_nan=False
    )
    return values, inverse.reshape(input.shape if dim is None else -1).astype(np.int64), counts.astype(np.int64)


def _axis(op, array, dim):
    """Return the checked dim, along which slices without elements cannot be told apart."""
    if dim is None:
        return None
    dim = normalise_dim(op, dim, array.ndim)
    if any(extent == 0 for k, extent in enumerate(array.shape) if k != dim):
        raise RuntimeError(f"{op}: the slices of a tensor of shape {array.shape} along dim {dim} have no elements")
    return dim


@composite()
def unique(
    input, sorted=True, return_inverse=False, return_counts=False, dim: int | None = None
) -> Tensor | tuple[Tensor, ...]:
    """Return the different elements in ascending order; every NaN is different.

    Args:
        input: a tensor.
        sorted: accepted for PyTorch's sake: the result is always in ascending order.
        return_inverse: give also, for each element of the input, the position of its value in the result.
        return_counts: give also how often each value occurs.
        dim: compare whole slices along this dimension; None for elements.

    Returns:
        A 1-d tensor, or with a dim one of unique slices; a tuple with the int64 tensors that were asked for.

    Raises:
        IndexError: the dim is out of range.
        RuntimeError: the slices have no elements.

    Reference: ``torch.unique``.

    Example:
        >>> import numtensor as nt
        >>> nt.unique(nt.tensor([3, 1, 3]), return_counts=True)
        (tensor([1, 3]), tensor([1, 2]))
    """
    return _asked_for(unique_all(input, dim), return_inverse, return_counts)


# For the stubs: what is not known to be False stands for what is True.
_ONLY_VALUES = "return_inverse: Literal[False] = False, return_counts: Literal[False] = False, dim: int | None = None"
_MORE_THAN_VALUES = "return_inverse: bool = False, return_counts: bool = False, dim: int | None = None"

unique.call_forms = (
    (f"sorted: bool = True, {_ONLY_VALUES}", "Tensor"),
    (f"sorted: bool = True, {_MORE_THAN_VALUES}", "tuple[Tensor, ...]"),
)


def _asked_for(results, return_inverse, return_counts):
    values, inverse, counts = results
    if not (return_inverse or return_counts):
        return values
    return (values, *([inverse] if return_inverse else []), *([counts] if return_counts else []))


@library(
    "NumPy's comparison and cumsum",
    name="consecutive_all",
    namespace="_search",
    method=False,
    results=3,
    differentiable=(),
)
def consecutive_all(input, dim):
    """Return the first element of each run of equal ones, in which run each element is, and how long the runs are.

    Args:
        input: a tensor.
        dim: compare whole slices along this dimension; None for elements.

    Returns:
        Three tensors.

    Reference: ``torch.unique_consecutive``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([3, 3, 1, 3]).unique_consecutive()
        tensor([3, 1, 3])
    """


@consecutive_all.forward
def _(input, dim):
    axis = _axis("unique_consecutive", input, dim)
    moved = input.reshape(-1) if axis is None or not input.ndim else np.moveaxis(input, axis, 0)
    n = moved.shape[0]
    starts = np.ones(n, bool)
    if n > 1:
        starts[1:] = (moved[1:] != moved[:-1]).reshape(n - 1, -1).any(1)
    first = np.flatnonzero(starts)
    values = moved[first]
    run = np.cumsum(starts) - 1
    return (
        np.ascontiguousarray(values if axis is None or not input.ndim else np.moveaxis(values, 0, axis)),
        run.reshape(input.shape) if axis is None else run,
        np.diff(np.append(first, n)),
    )


@composite()
def unique_consecutive(
    input, return_inverse=False, return_counts=False, dim: int | None = None
) -> Tensor | tuple[Tensor, ...]:
    """Return the input with only the first element of each run of equal ones.

    Args:
        input: a tensor.
        return_inverse: give also, for each element of the input, the position of its value in the result.
        return_counts: give also how long each run is.
        dim: compare whole slices along this dimension; None for elements.

    Returns:
        A 1-d tensor, or with a dim one of slices; a tuple with the int64 tensors that were asked for.

    Raises:
        IndexError: the dim is out of range.
        RuntimeError: the slices have no elements.

    Reference: ``torch.unique_consecutive``.

    Example:
        >>> import numtensor as nt
        >>> nt.unique_consecutive(nt.tensor([3, 3, 1, 3]))
        tensor([3, 1, 3])
    """
    return _asked_for(consecutive_all(input, dim), return_inverse, return_counts)


unique_consecutive.call_forms = ((_ONLY_VALUES, "Tensor"), (_MORE_THAN_VALUES, "tuple[Tensor, ...]"))


# ---------------------------------------------------------------------------------------------------------------------
# Counts


@library("NumPy counts in C", differentiable=())
def bincount(input, weights: Tensor | None = None, minlength=0):
    """Count how often each number from 0 to the largest occurs; or add up the weights of those.

    Args:
        input: a 1-d tensor of integers that are not negative.
        weights: what each element counts, a tensor of the same shape; None for 1.
        minlength: the least length of the result.

    Returns:
        A 1-d tensor: int64, or for weights float32 if they are, else float64.

    Raises:
        NotImplementedError: the input is not integral.
        RuntimeError: the input is not 1-d or has a negative element, or the weights have another shape.

    Reference: ``torch.bincount``.

    Example:
        >>> import numtensor as nt
        >>> nt.bincount(nt.tensor([0, 2, 2]))
        tensor([1, 0, 2])
    """


@bincount.forward
def _(input, weights, minlength):
    if input.dtype.kind not in "iu":
        raise NotImplementedError(
            f"bincount: not implemented for dtype {dtypes.FROM_NUMPY[input.dtype].name}; convert with .to(int64)"
        )
    if input.ndim != 1 or (input.size and input.min() < 0):
        raise RuntimeError(f"bincount: only supports 1-d non-negative integral inputs, got shape {input.shape}")
    if minlength < 0:
        raise RuntimeError(f"bincount: minlength should be >= 0, got {minlength}")
    if weights is None:
        return np.bincount(input, minlength=minlength).astype(np.int64)
    weights = unwrap("bincount", "weights", weights)
    if weights.shape != input.shape:
        raise RuntimeError(f"bincount: weights should have the input's shape {input.shape}, got {weights.shape}")
    kind = np.float32 if weights.dtype == np.float32 else np.float64
    return np.bincount(input, weights, minlength).astype(kind)
