"""The largest and the smallest elements over dimensions, and where they stand."""

from __future__ import annotations

import math

import numpy as np

from ..kernels.backward import extremes as backward
from ..kernels.forward import extremes as forward
from ..return_types import return_type
from ..tensor import Tensor, from_array
from .dims import normalise_dim
from .general_kind import composite, kernel
from .reduce_blocks import repeat
from .reduce_layout import keep_dims, reduce, require_elements
from .reduce_loops import Loops
from .reduction import SUM

_AMAX = (forward.amax, forward.amax_columns)
_AMIN = (forward.amin, forward.amin_columns)
_ARGMAX = (forward.argmax, forward.argmax_columns)
_ARGMIN = (forward.argmin, forward.argmin_columns)
AMAX = Loops(_AMAX, _AMAX, combine=repeat)
AMIN = Loops(_AMIN, _AMIN, combine=repeat)
# Elements and positions, and positions only.
MAX_DIM = Loops(_ARGMAX, _ARGMAX, ordered=True)
MIN_DIM = Loops(_ARGMIN, _ARGMIN, ordered=True)
ARGMAX = Loops(_ARGMAX, _ARGMAX, ordered=True, unwanted=(0,))
ARGMIN = Loops(_ARGMIN, _ARGMIN, ordered=True, unwanted=(0,))

MaxResult = return_type("max", "values", "indices")
MinResult = return_type("min", "values", "indices")


def _extreme_forward(op, loops, input, dim, keepdim):
    if not input.size:
        require_elements(op, input.shape, dim)
    return reduce(op, loops, input, None if type(dim) is tuple and not dim else dim, keepdim, staged=True)


def _extreme_backward(op, grad, input, dim, keepdim, output):
    grad = keep_dims(op, grad, input.shape, dim, keepdim)
    output = keep_dims(op, output, input.shape, dim, keepdim)
    ties = count_ties(op, input, dim, output)
    return np.asarray(backward.share.loops[grad.dtype](grad, input, output, ties))


def count_ties(op, input, dim, output):
    """Return how many elements are the best one, as a float array with the reduced dimensions kept."""
    equal = (input == output) | ((input != input) & (output != output))
    return np.asarray(reduce(op, SUM, equal, dim, True)).astype(input.dtype)


def _extreme_vjp(op, grad, input, dim, keepdim, output):
    best = keep_dims(op, output, input.shape, dim, keepdim)._array
    # Which elements are the best does not change with the input, almost everywhere.
    array = input._array
    ties = count_ties(op, array, dim, best)
    equal = (array == best) | ((array != array) & (best != best))
    share = from_array(equal.astype(array.dtype) / ties)
    return keep_dims(op, grad, input.shape, dim, keepdim) * share


@kernel(saves=("input", "output"))
def amax(input, dim=(), keepdim=False):
    """Return the largest element, over all dimensions or the given ones.

    Args:
        input: a tensor with at least one element in what is reduced.
        dim: an int or a sequence of ints; all dimensions if empty.
        keepdim: keep the reduced dimensions, with extent 1.

    Returns:
        A tensor of the same dtype; NaN where there is one. The gradient is shared evenly among equal elements.

    Raises:
        IndexError: a dim is out of range, or has extent 0.
        RuntimeError: the tensor is empty and every dimension is reduced.

    Reference: ``torch.amax``.

    Example:
        >>> import numtensor as nt
        >>> nt.amax(nt.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=1)
        tensor([5., 4.])
    """


@amax.forward
def _(input, dim, keepdim):
    return _extreme_forward("amax", AMAX, input, dim, keepdim)


amax.on_tensors(AMAX.on_tensors)


@amax.backward
def _(grad, needs, input, dim, keepdim, output):
    return _extreme_backward("amax", grad, input, dim, keepdim, output)


@amax.vjp
def _(grad, needs, input, dim, keepdim, output):
    return _extreme_vjp("amax", grad, input, dim, keepdim, output)


@kernel(saves=("input", "output"))
def amin(input, dim=(), keepdim=False):
    """Return the smallest element, over all dimensions or the given ones.

    Args:
        input: a tensor with at least one element in what is reduced.
        dim: an int or a sequence of ints; all dimensions if empty.
        keepdim: keep the reduced dimensions, with extent 1.

    Returns:
        A tensor of the same dtype; NaN where there is one. The gradient is shared evenly among equal elements.

    Raises:
        IndexError: a dim is out of range, or has extent 0.
        RuntimeError: the tensor is empty and every dimension is reduced.

    Reference: ``torch.amin``.

    Example:
        >>> import numtensor as nt
        >>> nt.amin(nt.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=1)
        tensor([1., 3.])
    """


@amin.forward
def _(input, dim, keepdim):
    return _extreme_forward("amin", AMIN, input, dim, keepdim)


amin.on_tensors(AMIN.on_tensors)


@amin.backward
def _(grad, needs, input, dim, keepdim, output):
    return _extreme_backward("amin", grad, input, dim, keepdim, output)


@amin.vjp
def _(grad, needs, input, dim, keepdim, output):
    return _extreme_vjp("amin", grad, input, dim, keepdim, output)


def _position_forward(op, loops, input, dim, keepdim):
    """Return the extreme elements over one dim (or all, if None) and their first positions, or the positions alone."""
    if not input.size:
        require_elements(op, input.shape, dim)
    if dim is not None and type(dim) is not int:
        dim = normalise_dim(op, dim, input.ndim)
    return reduce(op, loops, input, dim, keepdim)


def _scatter_positions(op, grad, shape, dim, indices):
    """Return zeros of `shape` with the gradient at the positions."""
    result = np.zeros(shape, grad.dtype)
    if not shape:
        result[...] = grad
        return result
    dim = normalise_dim(op, dim, len(shape))
    outer, extent, inner = math.prod(shape[:dim]), shape[dim], math.prod(shape[dim + 1 :])
    # What np.put_along_axis does, in a tenth of the time.
    places = indices.reshape(outer, inner) * inner if inner != 1 else indices.reshape(outer, 1)
    places = places + np.arange(0, outer * extent * inner, extent * inner or 1).reshape(outer, 1)
    result.put(places if inner == 1 else places + np.arange(inner), grad)
    return result


def _positions_vjp(op, grad, shape, dim, keepdim, indices):
    grad, array = grad[0], indices._array
    ones = np.ones(array.shape, grad._array.dtype)
    chosen = _scatter_positions(op, ones, shape, dim, array)
    return keep_dims(op, grad, shape, dim, keepdim) * from_array(chosen)


@kernel(
    namespace="_reduction",
    method=None,
    saves="output",
    results=2,
    differentiable_results=(0,),
    collect=MaxResult._make,
)
def max_dim(input, dim, keepdim=False):
    """Return the largest elements over one dimension and where they are; users call `max`.

    Args:
        input: a tensor.
        dim: the dimension.
        keepdim: keep the reduced dimension, with extent 1.

    Returns:
        (values, indices): the indices, int64, are the first of equal elements, or the first NaN.

    Raises:
        IndexError: the dim is out of range, or has extent 0.

    Reference: ``torch.max``.

    Example:
        >>> import numtensor as nt
        >>> nt.max(nt.tensor([[1.0, 5.0], [3.0, 3.0]]), 1)[1]
        tensor([1, 0])
    """


@max_dim.forward
def _(input, dim, keepdim):
    return _position_forward("max", MAX_DIM, input, dim, keepdim)


max_dim.on_tensors(MAX_DIM.on_tensors)


@max_dim.backward
def _(grad, needs, input, dim, keepdim, output):
    return _scatter_positions("max", grad[0], input, dim, output[1])


@max_dim.vjp
def _(grad, needs, input, dim, keepdim, output):
    return _positions_vjp("max", grad, input, dim, keepdim, output[1])


@kernel(
    namespace="_reduction",
    method=None,
    saves="output",
    results=2,
    differentiable_results=(0,),
    collect=MinResult._make,
)
def min_dim(input, dim, keepdim=False):
    """Return the smallest elements over one dimension and where they are; users call `min`.

    Args:
        input: a tensor.
        dim: the dimension.
        keepdim: keep the reduced dimension, with extent 1.

    Returns:
        (values, indices): the indices, int64, are the first of equal elements, or the first NaN.

    Raises:
        IndexError: the dim is out of range, or has extent 0.

    Reference: ``torch.min``.

    Example:
        >>> import numtensor as nt
        >>> nt.min(nt.tensor([[1.0, 5.0], [3.0, 3.0]]), 1)[1]
        tensor([0, 0])
    """


@min_dim.forward
def _(input, dim, keepdim):
    return _position_forward("min", MIN_DIM, input, dim, keepdim)


min_dim.on_tensors(MIN_DIM.on_tensors)


@min_dim.backward
def _(grad, needs, input, dim, keepdim, output):
    return _scatter_positions("min", grad[0], input, dim, output[1])


@min_dim.vjp
def _(grad, needs, input, dim, keepdim, output):
    return _positions_vjp("min", grad, input, dim, keepdim, output[1])


@composite()
def max(input, dim=None, keepdim=False, other=None):
    """Return the largest element; over one dim also where it is; of two tensors, the larger elements.

    Args:
        input: a tensor.
        dim: None for the largest of all elements; an int; or a tensor, then this is ``maximum(input, dim)``.
        keepdim: keep the reduced dimension, with extent 1.
        other: the other tensor, by its name in PyTorch.

    Returns:
        A 0-d tensor, whose gradient is shared evenly among equal elements; with a dim, a named tuple ``(values,
        indices)`` of the first of equal elements, to which alone the gradient goes. NaN wins over every number.

    Raises:
        IndexError: the dim is out of range, or has extent 0.
        RuntimeError: the tensor is empty and no dim is given.

    Reference: ``torch.max``.

    Example:
        >>> import numtensor as nt
        >>> nt.max(nt.tensor([1.0, 5.0, 3.0]))
        tensor(5.)
        >>> nt.max(nt.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=1).indices
        tensor([1, 1])
    """
    if dim is None and other is None:
        if not input._array.size:
            require_elements("max", input._array.shape, None)
        return amax.public(input)
    if other is not None or isinstance(dim, Tensor):
        return input.maximum(dim if other is None else other)
    return max_dim.public(input, dim, keepdim)


max.call_forms = (
    ("", "Tensor"),
    ("dim: int, keepdim: bool = False", "return_types.max"),
    ("other: Tensor", "Tensor"),
)


@composite()
def min(input, dim=None, keepdim=False, other=None):
    """Return the smallest element; over one dim also where it is; of two tensors, the smaller elements.

    Args:
        input: a tensor.
        dim: None for the smallest of all elements; an int; or a tensor, then this is ``minimum(input, dim)``.
        keepdim: keep the reduced dimension, with extent 1.
        other: the other tensor, by its name in PyTorch.

    Returns:
        A 0-d tensor, whose gradient is shared evenly among equal elements; with a dim, a named tuple ``(values,
        indices)`` of the first of equal elements, to which alone the gradient goes. NaN wins over every number.

    Raises:
        IndexError: the dim is out of range, or has extent 0.
        RuntimeError: the tensor is empty and no dim is given.

    Reference: ``torch.min``.

    Example:
        >>> import numtensor as nt
        >>> nt.min(nt.tensor([1.0, 5.0, 3.0]))
        tensor(1.)
        >>> nt.min(nt.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=1).indices
        tensor([0, 0])
    """
    if dim is None and other is None:
        if not input._array.size:
            require_elements("min", input._array.shape, None)
        return amin.public(input)
    if other is not None or isinstance(dim, Tensor):
        return input.minimum(dim if other is None else other)
    return min_dim.public(input, dim, keepdim)


min.call_forms = (
    ("", "Tensor"),
    ("dim: int, keepdim: bool = False", "return_types.min"),
    ("other: Tensor", "Tensor"),
)


def _require_positions(op, input, dim):
    """Raise where an array has no position of an extreme element."""
    if input.dtype.kind == "b":
        raise RuntimeError(f"{op}: does not support bool input; convert with .to(uint8) first")
    if dim is None and not input.size:
        raise IndexError(
            f"{op}: Expected reduction dim to be specified for input.numel() == 0 (shape {input.shape}); give a dim "
            "that is not empty"
        )


@kernel(differentiable=())
def argmax(input, dim: int | None = None, keepdim=False):
    """Return where the largest element is: in the flattened tensor, or along one dimension.

    Args:
        input: a tensor that is not bool.
        dim: the dimension; None for the position in the flattened tensor.
        keepdim: keep the reduced dimensions, with extent 1.

    Returns:
        An int64 tensor: the first of equal elements; the first NaN if there is one.

    Raises:
        IndexError: the dim is out of range or has extent 0, or the tensor is empty and there is no dim.
        RuntimeError: the dtype is bool.

    Reference: ``torch.argmax``.

    Example:
        >>> import numtensor as nt
        >>> nt.argmax(nt.tensor([[1.0, 5.0], [3.0, 4.0]]))
        tensor(1)
    """


@argmax.forward
def _(input, dim, keepdim):
    if input.dtype.kind == "b" or not input.size:
        _require_positions("argmax", input, dim)
    return _position_forward("argmax", ARGMAX, input, dim, keepdim)


argmax.on_tensors(ARGMAX.on_tensors)


@kernel(differentiable=())
def argmin(input, dim: int | None = None, keepdim=False):
    """Return where the smallest element is: in the flattened tensor, or along one dimension.

    Args:
        input: a tensor that is not bool.
        dim: the dimension; None for the position in the flattened tensor.
        keepdim: keep the reduced dimensions, with extent 1.

    Returns:
        An int64 tensor: the first of equal elements; the first NaN if there is one.

    Raises:
        IndexError: the dim is out of range or has extent 0, or the tensor is empty and there is no dim.
        RuntimeError: the dtype is bool.

    Reference: ``torch.argmin``.

    Example:
        >>> import numtensor as nt
        >>> nt.argmin(nt.tensor([[1.0, 5.0], [3.0, 4.0]]))
        tensor(0)
    """


@argmin.forward
def _(input, dim, keepdim):
    if input.dtype.kind == "b" or not input.size:
        _require_positions("argmin", input, dim)
    return _position_forward("argmin", ARGMIN, input, dim, keepdim)


argmin.on_tensors(ARGMIN.on_tensors)


