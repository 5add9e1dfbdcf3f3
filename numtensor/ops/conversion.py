"""Copies and conversions: dtype, clone, detach, contiguous."""

import numpy as np

from ..graph import NO_VERSION, Metadata, counter_of
from ..dtypes import as_dtype, float32, float64
from ..tensor import Tensor, new
from .creation import fill_value
from .declaration import Declaration
from .general_kind import composite, library
from .operands import unwrap
from .overwrite_kind import overwrite


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


# ----------------------------------------------------------------------------------------------------------------------
# Detached tensors


class DetachOp(Declaration):
    """The op that gives a tensor's memory without its history; it is no view, but it shares the version counter."""

    kind = "view"

    def specialise(self, path):
        """Return the callable, the same for every mode: a detached tensor is an inference tensor if its source is."""

        def detach(input):
            if not isinstance(input, Tensor):
                unwrap("detach", "input", input)
                raise TypeError(f"detach: argument 'input' must be Tensor, not {type(input).__name__}")
            made = new(Tensor)
            made._array = input._array
            meta = input._meta
            made._meta = None if meta is None or meta.counter is NO_VERSION else Metadata(False, counter_of(meta))
            return made

        return detach


def _detach(input):
    """Return the same memory as a tensor without history; in-place changes of either count for both.

    Args:
        input: a tensor.

    Returns:
        A tensor that does not require grad: an inference tensor if `input` is one, in any mode.

    Reference: ``torch.Tensor.detach``.

    Example:
        >>> import numtensor as nt
        >>> x = nt.ones(2, requires_grad=True)
        >>> (x * 2).detach()
        tensor([2., 2.])
    """


_detach.__name__ = "detach"
detach = DetachOp(_detach, differentiable=())


def detach_(self):
    """Cut this tensor from the graph that made it, in place, and return it.

    Raises:
        RuntimeError: it is a view: its base would keep the history.
    """
    meta = self._meta
    if meta is not None:
        if meta.view is not None and meta.requires_grad:
            raise RuntimeError(
                f"detach_: Can't detach views in-place. Use detach() instead (shape {tuple(self._array.shape)})"
            )
        meta.requires_grad = False
        meta.node = None
    return self


Tensor.detach_ = detach_

# ----------------------------------------------------------------------------------------------------------------------
# Overwriting


@overwrite(source="src")
def copy_(input, src, non_blocking=False):
    """Copy the elements of `src` into this tensor, broadcast and converted.

    Args:
        input: the tensor to change.
        src: a tensor, array or number that broadcasts to it; the gradient flows to it.
        non_blocking: ignored: there is one device.

    Returns:
        The tensor itself.

    Raises:
        RuntimeError: the shape does not broadcast, or the tensor may not be changed in place.

    Reference: ``torch.Tensor.copy_``.

    Example:
        >>> import numtensor as nt
        >>> nt.zeros(2, 2).copy_(nt.tensor([1, 2]))
        tensor([[1., 2.],
                [1., 2.]])
    """


@copy_.forward
def _(array, src, non_blocking):
    source = src if isinstance(src, (int, float)) else unwrap("copy_", "src", src)
    try:
        # NumPy warns of NaN and of overflow where PyTorch is silent.
        with np.errstate(all="ignore"):
            np.copyto(array, source, casting="unsafe")
    except ValueError:
        raise RuntimeError(
            f"copy_: src of shape {np.shape(source)} does not broadcast to the tensor's shape {array.shape}"
        ) from None


@overwrite(source="value")
def fill_(input, value):
    """Set every element of this tensor to one number.

    Args:
        input: the tensor to change.
        value: a number or a 0-d tensor, to which the gradient flows.

    Returns:
        The tensor itself.

    Raises:
        RuntimeError: the number does not fit the dtype, or the tensor may not be changed in place.

    Reference: ``torch.Tensor.fill_``.

    Example:
        >>> import numtensor as nt
        >>> nt.zeros(2).fill_(3)
        tensor([3., 3.])
    """


@fill_.forward
def _(array, value):
    array.fill(fill_value("fill_", value, array.dtype))


@overwrite()
def zero_(input):
    """Set every element of this tensor to zero.

    Args:
        input: the tensor to change.

    Returns:
        The tensor itself.

    Raises:
        RuntimeError: the tensor may not be changed in place.

    Reference: ``torch.Tensor.zero_``.

    Example:
        >>> import numtensor as nt
        >>> nt.ones(2).zero_()
        tensor([0., 0.])
    """


@zero_.forward
def _(array):
    array.fill(0)
