"""Order statistics: the k-th smallest element, the median, quantiles. Sorting itself stands in ``sorting.py``."""

from __future__ import annotations

import operator

import numpy as np

from .. import dtypes
from ..modes import current
from ..return_types import return_type
from ..tensor import Tensor, from_array
from .dims import normalise_dim
from .gather import index_select
from .general_kind import composite, library
from .reduce_layout import require_elements
from .sorting import scatter_to_source, scatter_to_source_tensor, sort
from .transpose import movedim

KthvalueResult = return_type("kthvalue", "values", "indices")
MedianResult = return_type("median", "values", "indices")

QUICKSELECT = "NumPy partitions with a vectorised quickselect"


def _pick(moved, k, dim, keepdim):
    """Return the elements of rank k along the last dimension and where they are, without it or with it as `dim`."""
    indices = np.argpartition(moved, k, axis=-1)[..., k : k + 1]
    return _placed(np.take_along_axis(moved, indices, -1), indices, dim, keepdim)


def _placed(values, indices, dim, keepdim):
    if keepdim:
        return np.moveaxis(values, -1, dim).copy(), np.moveaxis(indices, -1, dim).copy()
    return values[..., 0].copy(), indices[..., 0].copy()


def _source_gradient(grad, indices, shape, dim, keepdim):
    dim = normalise_dim("kthvalue", dim, len(shape))
    if shape and not keepdim:
        grad, indices = np.expand_dims(grad, dim), np.expand_dims(indices, dim)
    return scatter_to_source(grad, indices, shape, dim)


def _source_gradient_tensor(grad, indices, shape, dim, keepdim):
    dim = normalise_dim("kthvalue", dim, len(shape))
    if shape and not keepdim:
        grad, indices = grad.unsqueeze(dim), indices.unsqueeze(dim)
    return scatter_to_source_tensor(grad, indices, shape, dim)


@library(QUICKSELECT, saves="output", results=2, differentiable_results=(0,), collect=KthvalueResult._make)
def kthvalue(input, k: int, dim=-1, keepdim=False):
    """Return the k-th smallest element along a dimension, and where it is.

    Args:
        input: a tensor that is not bool.
        k: which: 1 for the smallest.
        dim: the dimension.
        keepdim: keep the dimension, with extent 1.

    Returns:
        A named tuple ``(values, indices)``, the indices int64. NaN counts as larger than every number. The position of
        which of several equal elements is given is not specified; the gradient goes there.

    Raises:
        IndexError: the dim is out of range.
        NotImplementedError: the tensor is bool.
        RuntimeError: `k` is not in the range from 1 to the extent.
        TypeError: `k` is not an int.

    Reference: ``torch.kthvalue``.

    Example:
        >>> import numtensor as nt
        >>> nt.kthvalue(nt.tensor([3.0, 1.0, 2.0]), 2).values
        tensor(2.)
    """


@kthvalue.forward
def _(input, k, dim, keepdim):
    try:
        k = operator.index(k)
    except TypeError:
        raise TypeError(f"kthvalue: k must be an int, not {type(k).__name__}") from None
    dim = normalise_dim("kthvalue", dim, input.ndim)
    _refuse_bool("kthvalue", input)
    extent = input.shape[dim] if input.ndim else 1
    if not 1 <= k <= extent:
        raise RuntimeError(
            f"kthvalue: selected number k out of range for dimension {dim}: k is {k}, but shape {input.shape} has "
            f"{extent} elements there"
        )
    if input.ndim == 0:
        return input.copy(), np.zeros((), np.int64)
    return _pick(np.moveaxis(input, dim, -1), k - 1, dim, keepdim)


@kthvalue.backward
def _(grad, needs, input, k, dim, keepdim, output):
    return _source_gradient(grad[0], output[1], input, dim, keepdim)


@kthvalue.vjp
def _(grad, needs, input, k, dim, keepdim, output):
    return _source_gradient_tensor(grad[0], output[1], input, dim, keepdim)


def _refuse_bool(op, array):
    if array.dtype.kind == "b":
        raise NotImplementedError(f"{op}: not implemented for dtype bool; convert with .to(uint8) first")


# ---------------------------------------------------------------------------------------------------------------------
# The median


@library(QUICKSELECT, name="median_all", namespace="_order", method=False, saves=("input", "output"))
def median_all(input):
    """Return the median of all elements.

    Args:
        input: a tensor that is not bool.

    Returns:
        A 0-d tensor.

    Reference: ``torch.median``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([3.0, 1.0, 2.0]).median()
        tensor(2.)
    """


@median_all.forward
def _(input):
    flat = input.reshape(-1)
    if not flat.size:
        if input.dtype.kind == "f":
            return np.asarray(np.nan, input.dtype)
        raise RuntimeError(f"median: an empty tensor of shape {input.shape} has no median")
    found = np.partition(flat, [(flat.size - 1) // 2, flat.size - 1])
    # NaN is sorted to the end, and wins over every number.
    return np.asarray(found[-1] if found[-1] != found[-1] else found[(flat.size - 1) // 2])


@median_all.vjp
def _(grad, needs, input, output):
    # Equal elements share the gradient, as in PyTorch. Which they are does not change with the input.
    array, found = input._array, output._array
    equal = (array != array) if found != found else (array == found)
    return from_array((equal / np.maximum(np.count_nonzero(equal), 1)).astype(array.dtype)) * grad


@library(
    QUICKSELECT,
    name="median_dim",
    namespace="_order",
    method=False,
    saves="output",
    results=2,
    differentiable_results=(0,),
)
def median_dim(input, dim, keepdim=False):
    """Return the median along a dimension, and where it is.

    Args:
        input: a tensor that is not bool.
        dim: the dimension.
        keepdim: keep the dimension, with extent 1.

    Returns:
        The medians and their int64 positions.

    Reference: ``torch.median``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([[3.0, 1.0, 2.0]]).median(1).indices
        tensor([2])
    """


@median_dim.forward
def _(input, dim, keepdim):
    dim = normalise_dim("median", dim, input.ndim)
    _refuse_bool("median", input)
    require_elements("median", input.shape, dim)
    if input.ndim == 0:
        return input.copy(), np.zeros((), np.int64)
    moved = np.moveaxis(input, dim, -1)
    values, indices = _pick(moved, (moved.shape[-1] - 1) // 2, dim, True)
    if input.dtype.kind == "f":
        # The first NaN wins over every number.
        nan = np.isnan(input)
        some = nan.any(dim, keepdims=True)
        indices = np.where(some, np.argmax(nan, dim, keepdims=True), indices)
        values[some] = np.nan
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


@median_dim.backward
def _(grad, needs, input, dim, keepdim, output):
    return _source_gradient(grad[0], output[1], input, dim, keepdim)


@median_dim.vjp
def _(grad, needs, input, dim, keepdim, output):
    return _source_gradient_tensor(grad[0], output[1], input, dim, keepdim)


@composite()
def median(input, dim: int | None = None, keepdim=False):
    """Return the median, of an even number of elements the lower one in the middle; along one dim also where it is.

    Args:
        input: a tensor that is not bool.
        dim: None for the median of all elements; or the dimension.
        keepdim: keep the dimension, with extent 1.

    Returns:
        A 0-d tensor, whose gradient is shared evenly among equal elements; with a dim, a named tuple ``(values,
        indices)``, where the gradient goes to the position that is given. NaN wins over every number.

    Raises:
        IndexError: the dim is out of range, or has extent 0.
        NotImplementedError: the tensor is bool.

    Reference: ``torch.median``.

    Example:
        >>> import numtensor as nt
        >>> nt.median(nt.tensor([3.0, 1.0, 2.0, 5.0]))
        tensor(2.)
        >>> nt.median(nt.tensor([[3.0, 1.0, 2.0]]), dim=1).indices
        tensor([2])
    """
    _refuse_bool("median", _array_of("median", input))
    if dim is None:
        return median_all(input)
    return MedianResult(*median_dim(input, dim, keepdim))


median.call_forms = (("", "Tensor"), ("dim: int, keepdim: bool = False", "return_types.median"))


def _array_of(op, input):
    if not isinstance(input, Tensor):
        raise TypeError(f"{op}: argument 'input' must be Tensor, not {type(input).__name__}")
    return input._array


# ---------------------------------------------------------------------------------------------------------------------
# Quantiles

INTERPOLATIONS = ("linear", "lower", "higher", "nearest", "midpoint")


def _probabilities(q, dtype):
    """Return the probabilities as a float64 array."""
    array = q._array if isinstance(q, Tensor) else np.asarray(q, dtype)
    if array.ndim > 1:
        raise RuntimeError(f"quantile: q must be a scalar or 1D tensor, got shape {array.shape}")
    if array.dtype != dtype:
        raise RuntimeError(
            f"quantile: q must have the dtype of the input, {dtype}, got {array.dtype}; convert with .to(...)"
        )
    if not ((array >= 0) & (array <= 1)).all():
        raise RuntimeError(f"quantile: q must be in the range [0, 1], got {array.tolist()}")
    return array.astype(np.float64)


@composite(tensors=("input",))
def quantile(input, q: float | Tensor, dim: int | None = None, keepdim=False, interpolation="linear"):
    """Return the values below which a fraction q of the elements lies; between two elements it interpolates.

    Args:
        input: a float tensor.
        q: a number from 0 to 1, or a 0-d or 1-d tensor of such numbers of the input's dtype; gets no gradient.
        dim: the dimension; None for all elements.
        keepdim: keep the reduced dimensions, with extent 1.
        interpolation: between neighbours: ``"linear"``, ``"lower"``, ``"higher"``, ``"nearest"`` or ``"midpoint"``.

    Returns:
        A tensor without the dimension; for a 1-d `q` with a first dimension for it. NaN where the elements have one.

    Raises:
        IndexError: the dim is out of range.
        RuntimeError: the tensor is not floating or is empty, `q` is out of range or has another dtype, or
            `interpolation` is none of the five.

    Reference: ``torch.quantile``.

    Example:
        >>> import numtensor as nt
        >>> nt.quantile(nt.tensor([0.0, 1.0, 2.0, 3.0]), 0.5)
        tensor(1.5000)
    """
    array = _array_of("quantile", input)
    if array.dtype.kind != "f":
        raise RuntimeError(
            f"quantile: input tensor must be either float or double dtype, got "
            f"{dtypes.FROM_NUMPY[array.dtype].name}; convert with .to(float32)"
        )
    if interpolation not in INTERPOLATIONS:
        raise RuntimeError(f"quantile: interpolation must be one of {', '.join(INTERPOLATIONS)}, got {interpolation!r}")
    wanted = _probabilities(q, array.dtype)
    if dim is not None:
        dim = normalise_dim("quantile", dim, array.ndim)
    if not array.size:
        raise RuntimeError(f"quantile: input tensor must be non-empty, got shape {array.shape}")
    moved = input.reshape(-1) if dim is None or not array.ndim else movedim(input, dim, -1)
    ordered = sort(moved, -1).values
    found = _interpolated(ordered, wanted.reshape(-1), interpolation)
    # NaN is sorted to the end.
    last = ordered.narrow(-1, ordered.shape[-1] - 1, 1)
    if np.isnan(last._array).any():
        found = current.mode.where(from_array(np.isnan(last._array)), last, found)
    found = movedim(found, -1, 0)
    if keepdim:
        kept = [1] * array.ndim if dim is None else [1 if k == dim else n for k, n in enumerate(array.shape)]
        found = found.reshape(-1, *kept)
    return found if wanted.ndim else found.squeeze(0)


def _interpolated(ordered, wanted, interpolation):
    """Return elements of the ordered last dimension at the fractions `wanted`."""
    ranks = wanted * (ordered.shape[-1] - 1)
    if interpolation == "nearest":
        return index_select(ordered, -1, _positions(np.rint(ranks)))
    below = index_select(ordered, -1, _positions(np.floor(ranks)))
    if interpolation == "lower":
        return below
    above = index_select(ordered, -1, _positions(np.ceil(ranks)))
    if interpolation == "higher":
        return above
    weight = np.where(ranks % 1 > 0, 0.5, 0.0) if interpolation == "midpoint" else ranks % 1
    return below + (above - below) * from_array(weight.astype(ordered._array.dtype))


def _positions(ranks):
    return from_array(ranks.astype(np.int64))
