"""Sorting: NumPy's sorts, which are vectorised for the dtypes we have; the gradient goes to where values came from."""

import operator

import numpy as np

from ..modes import current
from ..return_types import return_type
from ..tensor import from_array
from .dims import normalise_dim
from .general_kind import library

SortResult = return_type("sort", "values", "indices")
TopkResult = return_type("topk", "values", "indices")

# From so many elements on, finding the k first ones is faster than sorting all: it pays for two passes.
PARTITION_FROM = 256


def _order(array, descending):
    """Return the stable sorting order along the last dimension; NaN is the largest number, as in PyTorch and NumPy."""
    if not descending:
        return np.argsort(array, axis=-1, kind="stable")
    # Reversed before and after: equal elements keep their order, and NaN comes first.
    return array.shape[-1] - 1 - np.argsort(array[..., ::-1], axis=-1, kind="stable")[..., ::-1]


def _moved_back(array, dim):
    return np.ascontiguousarray(np.moveaxis(array, -1, dim))


def _taken(array, order, dim):
    """Return the elements at `order` along the last dimension, and `order`, both with that dimension moved to `dim`."""
    return _moved_back(np.take_along_axis(array, order, -1), dim), _moved_back(order, dim)


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


@library(
    "NumPy's sorts are vectorised or radix sorts",
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
    moved = np.moveaxis(input, dim, -1)
    return _taken(moved, _order(moved, descending), dim)


@sort.backward
def _(grad, needs, input, dim, descending, stable, output):
    return scatter_to_source(grad[0], output[1], input, dim)


@sort.vjp
def _(grad, needs, input, dim, descending, stable, output):
    return scatter_to_source_tensor(grad[0], output[1], input, dim)


@library("NumPy's sorts are vectorised or radix sorts", differentiable=())
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
    return _moved_back(_order(np.moveaxis(input, dim, -1), descending), dim)


@library(
    "NumPy partitions with a vectorised quickselect",
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
    moved = np.moveaxis(input, dim, -1)
    if extent < PARTITION_FROM or 8 * k > extent or k == 0:
        return _taken(moved, _order(moved, largest)[..., :k], dim)
    if largest:
        chosen = np.argpartition(moved, extent - k, axis=-1)[..., extent - k :]
    else:
        chosen = np.argpartition(moved, k - 1, axis=-1)[..., :k]
    # In order of position, so that the stable sort puts the first of equal ones first.
    chosen = np.sort(chosen, axis=-1)
    order = _order(np.take_along_axis(moved, chosen, -1), largest)
    return _taken(moved, np.take_along_axis(chosen, order, -1), dim)


@topk.backward
def _(grad, needs, input, k, dim, largest, sorted, output):
    return scatter_to_source(grad[0], output[1], input, dim)


@topk.vjp
def _(grad, needs, input, k, dim, largest, sorted, output):
    return scatter_to_source_tensor(grad[0], output[1], input, dim)
