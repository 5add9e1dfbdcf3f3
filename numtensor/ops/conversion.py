"""Copies and conversions: dtype, clone, detach, contiguous."""

import numpy as np

from ..dtypes import as_dtype, float32, float64
from .general_kind import composite, library


@library("NumPy's casts are vectorised for every pair of dtypes", method=None)
def to_dtype(input, dtype):
    """Convert to another dtype: always a copy. Users call `Tensor.to`.

    Args:
        input: a tensor.
        dtype: a dtype.

    Returns:
        A tensor of the same shape.

    Example:
        >>> import numtensor as nt
        >>> nt.to_dtype(nt.tensor([1.5, 2.5]), nt.int64)
        tensor([1, 2])
    """


@to_dtype.forward
def _(input, dtype):
    # NumPy warns of NaN and of overflow where PyTorch is silent.
    with np.errstate(invalid="ignore", over="ignore"):
        return input.astype(dtype.numpy)


@to_dtype.vjp
def _(grad, needs, input, dtype):
    # The only gradients are between floating dtypes, and there are two of them.
    return grad.to(float64 if dtype is float32 else float32)


@library("one memory copy", linear=True)
def clone(input):
    """Copy, with its own memory; the gradient passes through.

    Args:
        input: a tensor.

    Returns:
        A tensor of the same shape and dtype: an inference tensor inside inference mode, a normal one outside.

    Reference: ``torch.clone``.

    Example:
        >>> import numtensor as nt
        >>> nt.clone(nt.tensor([1.0, 2.0]))
        tensor([1., 2.])
    """


@clone.forward
def _(input):
    return input.copy()


@clone.backward
def _(grad, needs, input):
    return grad


@clone.vjp
def _(grad, needs, input):
    return grad


def _conversion_target(op, input, dtype, other):
    if dtype is None and other is None:
        return input.dtype
    if dtype in ("cpu",) or getattr(dtype, "type", None) == "cpu":
        dtype = other
        if dtype is None:
            return input.dtype
    if hasattr(dtype, "_array"):
        return dtype.dtype
    return as_dtype(dtype, op)


@composite()
def to(input, dtype=None, other=None, copy=False):
    """Convert to another dtype; the tensor itself if it has it already.

    Args:
        input: a tensor.
        dtype: a dtype, a tensor whose dtype is meant, or ``"cpu"`` (the only device), then `other` may be a dtype.
        other: the dtype, if `dtype` named the device.
        copy: copy even if nothing changes.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.Tensor.to``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([1, 2]).to(nt.float64)
        tensor([1., 2.], dtype=numtensor.float64)
    """
    target = _conversion_target("to", input, dtype, other)
    if input._array.dtype == target.numpy:
        return clone(input) if copy else input
    return to_dtype(input, target)
