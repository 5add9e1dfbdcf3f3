"""Sorting, by radix; the gradient goes to where values came from."""

import operator

import numpy as np

from ..kernels.forward import sorting as forward
from ..modes import current
from ..return_types import return_type
from ..tensor import from_array
from .dims import normalise_dim
from .general_kind import kernel

SortResult = return_type("sort", "values", "indices")
TopkResult = return_type("topk", "values", "indices")

# Up to so many best elements are kept in order while the row is read once; for more of them it is sorted.
FEW_BEST = 128

# A key's sign is turned over where the largest come first.
FLIP = {False: np.array(0), True: np.array(-1)}


def _as_numbers(array, dim):
    """Return the array with `dim` exchanged for the last, contiguous; bools as the uint8 that they are in memory."""
    array = np.ascontiguousarray(array if dim == array.ndim - 1 else array.swapaxes(dim, -1))
    return array.view(np.uint8) if array.dtype.kind == "b" else array


def _sorted(numbers, descending):
    """Return (values, positions) of a stable sort along the last dimension; NaN is the largest number."""
    dtype = numbers.dtype
    extent = numbers.shape[-1]
    kernel, buffers = (forward.sort_narrow, 2) if dtype.itemsize <= 4 and extent < 2**32 else (forward.sort_wide, 4)
    values, order = np.empty(numbers.shape, dtype), np.empty(numbers.shape, np.int64)
    kernel.run(dtype, numbers, FLIP[descending], np.empty((buffers, extent), np.uint64), values, order)
    return values, order


def _as_results(values, order, dim, dtype):
    """Undo `_as_numbers` for both results."""
    if values.dtype is not dtype:
        values = values.view(dtype)
    if dim == values.ndim - 1:
        return values, order
    return np.ascontiguousarray(values.swapaxes(dim, -1)), np.ascontiguousarray(order.swapaxes(dim, -1))


def scatter_to_source(grad, indices, shape, dim):
    """Return zeros of `shape` with the gradient where the values were taken from."""
    result = np.zeros(shape, grad.dtype)
    if shape:
        np.put_along_axis(result, indices, grad, dim)
    else:
        result[...] = grad.reshape(())
    return result


def scatter_to_source_tensor(grad, indices, shape, dim):
    """Return the same as `scatter_to_source`, differentiable."""
    if not shape:
        return grad.reshape(())
    zeros = from_array(np.zeros(shape, grad._array.dtype))
    return current.mode.scatter_along(zeros, dim, indices, grad, True)


@kernel(
    saves="output",
    results=2,
    differentiable_results=(0,),
    collect=SortResult._make,
)
def sort(input, dim=-1, descending=False, stable=False):
    """Sort along a dimension.

    Args:
        input: a tensor.
        dim: the dimension.
        descending: the largest first.
        stable: accepted for PyTorch's sake: equal elements always keep their order.

    Returns:
        A named tuple ``(values, indices)``, the indices int64. NaN counts as larger than every number.

    Raises:
        IndexError: the dim is out of range.

    Reference: ``torch.sort``.

    Example:
        >>> import numtensor as nt
        >>> nt.sort(nt.tensor([3.0, 1.0, 2.0])).indices
        tensor([1, 2, 0])
    """


@sort.forward
def _(input, dim, descending, stable):
    dim = normalise_dim("sort", dim, input.ndim)
    if input.ndim == 0:
        return input.copy(), np.zeros((), np.int64)
    return _as_results(*_sorted(_as_numbers(input, dim), bool(descending)), dim, input.dtype)


@sort.backward
def _(grad, needs, input, dim, descending, stable, output):
    return scatter_to_source(grad[0], output[1], input, dim)


@sort.vjp
def _(grad, needs, input, dim, descending, stable, output):
    return scatter_to_source_tensor(grad[0], output[1], input, dim)


@kernel(differentiable=())
def argsort(input, dim=-1, descending=False, stable=False):
    """Return the positions of the elements in sorted order, along a dimension.

    Args:
        input: a tensor.
        dim: the dimension.
        descending: the largest first.
        stable: accepted for PyTorch's sake: equal elements always keep their order.

    Returns:
        An int64 tensor of the same shape. NaN counts as larger than every number.

    Raises:
        IndexError: the dim is out of range.

    Reference: ``torch.argsort``.

    Example:
        >>> import numtensor as nt
        >>> nt.argsort(nt.tensor([3.0, 1.0, 2.0]), descending=True)
        tensor([0, 2, 1])
    """


@argsort.forward
def _(input, dim, descending, stable):
    dim = normalise_dim("argsort", dim, input.ndim)
    if input.ndim == 0:
        return np.zeros((), np.int64)
    return _as_results(*_sorted(_as_numbers(input, dim), bool(descending)), dim, input.dtype)[1]


@kernel(
    saves="output",
    results=2,
    differentiable_results=(0,),
    collect=TopkResult._make,
)
def topk(input, k, dim=-1, largest=True, sorted=True):
    """Return the k largest (or smallest) elements along a dimension, and where they are.

    Args:
        input: a tensor that is not bool.
        k: how many, at most the extent of the dimension.
        dim: the dimension.
        largest: False for the smallest.
        sorted: accepted for PyTorch's sake: the result is always sorted, the best one first.

    Returns:
        A named tuple ``(values, indices)``, the indices int64. NaN counts as larger than every number. Which of
        several equal elements are chosen is not specified.

    Raises:
        IndexError: the dim is out of range.
        RuntimeError: `k` is negative or larger than the extent, or the dtype is bool.
        TypeError: `k` is not an int.

    Reference: ``torch.topk``.

    Example:
        >>> import numtensor as nt
        >>> nt.topk(nt.tensor([3.0, 1.0, 2.0]), 2).values
        tensor([3., 2.])
    """


@topk.forward
def _(input, k, dim, largest, sorted):
    if type(k) is not int:
        try:
            k = operator.index(k)
        except TypeError:
            raise TypeError(f"topk: k must be an int, not {type(k).__name__}") from None
    dim = normalise_dim("topk", dim, input.ndim)
    if input.dtype.kind == "b":
        raise RuntimeError("topk: does not support bool tensors; convert with .to(uint8) first")
    extent = input.shape[dim] if input.ndim else 1
    if not 0 <= k <= extent:
        raise RuntimeError(
            f"topk: selected index k out of range: k is {k}, but dimension {dim} of shape {input.shape} has {extent} "
            "elements"
        )
    if input.ndim == 0:
        # With k = 0 too, as in PyTorch.
        return input.copy(), np.zeros((), np.int64)
    numbers = _as_numbers(input, dim)
    if 0 < k <= FEW_BEST:
        # The kernel orders the smallest ones by turning their keys over.
        shape = (*numbers.shape[:-1], k)
        values, order = np.empty(shape, numbers.dtype), np.empty(shape, np.int64)
        forward.topk.run(numbers.dtype, numbers, FLIP[not largest], np.empty(k, np.int64), values, order)
    else:
        values, order = _sorted(numbers, bool(largest))
        values, order = np.ascontiguousarray(values[..., :k]), np.ascontiguousarray(order[..., :k])
    return _as_results(values, order, dim, input.dtype)


@topk.backward
def _(grad, needs, input, k, dim, largest, sorted, output):
    return scatter_to_source(grad[0], output[1], input, dim)


@topk.vjp
def _(grad, needs, input, k, dim, largest, sorted, output):
    return scatter_to_source_tensor(grad[0], output[1], input, dim)
