"""Tensors of one value, the identity matrix, and the methods that make a tensor of another's dtype."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import dtypes
from ..dtypes import as_dtype
from ..kernels import boxed_factories
from ..modes import current
from ..tensor import Tensor
from .creation import tensor
from .factory_arguments import allocate, fill_value, numpy_dtype
from .factory_kind import factory
from .operands import unwrap

if TYPE_CHECKING:
    from typing import Any

    from .._types import DType, Shape


# ----------------------------------------------------------------------------------------------------------------------
# Filled


@factory()
def zeros(*size, dtype=None, requires_grad=False, device=None):
    """Make a tensor of zeros.

    Args:
        size: the extents, as several ints or one sequence.
        dtype: of the result; None for the default dtype.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of that shape.

    Raises:
        RuntimeError: an extent is negative, or `requires_grad` with a dtype that is not floating.

    Reference: ``torch.zeros``.

    Example:
        >>> import numtensor as nt
        >>> nt.zeros(2, 3)
        tensor([[0., 0., 0.],
                [0., 0., 0.]])
    """


@zeros.forward
def _(size, dtype):
    return allocate("zeros", np.zeros, size, dtype)


zeros.in_numpy(boxed_factories.ZEROS)


@factory()
def ones(*size, dtype=None, requires_grad=False, device=None):
    """Make a tensor of ones.

    Args:
        size: the extents, as several ints or one sequence.
        dtype: of the result; None for the default dtype.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of that shape.

    Raises:
        RuntimeError: an extent is negative, or `requires_grad` with a dtype that is not floating.

    Reference: ``torch.ones``.

    Example:
        >>> import numtensor as nt
        >>> nt.ones((2,), dtype=nt.int64)
        tensor([1, 1])
    """


@ones.forward
def _(size, dtype):
    array = allocate("ones", np.empty, size, dtype)
    array.fill(1)
    return array


@factory()
def empty(*size, dtype=None, requires_grad=False, device=None):
    """Make a tensor whose elements are whatever the memory holds.

    Args:
        size: the extents, as several ints or one sequence.
        dtype: of the result; None for the default dtype.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of that shape.

    Raises:
        RuntimeError: an extent is negative, or `requires_grad` with a dtype that is not floating.

    Reference: ``torch.empty``.

    Example:
        >>> import numtensor as nt
        >>> nt.empty(2, 3).shape
        numtensor.Size([2, 3])
    """


@empty.forward
def _(size, dtype):
    return allocate("empty", np.empty, size, dtype)


empty.in_numpy(boxed_factories.EMPTY)


@factory()
def full(size, fill_value, *, dtype=None, requires_grad=False, device=None):
    """Make a tensor that holds one number everywhere.

    Args:
        size: a sequence of extents.
        fill_value: the number, or a 0-d tensor.
        dtype: of the result; None for that of the number: bool, int64 or the default dtype.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of that shape.

    Raises:
        RuntimeError: an extent is negative, the number does not fit the dtype, or `requires_grad` with a dtype that
            is not floating.

    Reference: ``torch.full``.

    Example:
        >>> import numtensor as nt
        >>> nt.full((2,), 1.5)
        tensor([1.5000, 1.5000])
    """


@full.forward
def _(size, fill_value, dtype):
    if dtype is None:
        # A tensor counts as the number that it holds.
        dtype = dtypes.scalar_dtype(fill_value.item() if isinstance(fill_value, Tensor) else fill_value)
    value = _fill_value("full", fill_value, numpy_dtype("full", dtype))
    array = allocate("full", np.empty, size, dtype)
    array.fill(value)
    return array


_fill_value = fill_value


def _like(op, input, dtype):
    """Return a new array of the shape, memory order and, unless another is given, dtype of a tensor."""
    array = unwrap(op, "input", input)
    return np.empty_like(array, array.dtype if dtype is None else as_dtype(dtype, op).numpy)


@factory(tensors=("input",), differentiable=())
def zeros_like(input, *, dtype=None, requires_grad=False, device=None):
    """Make a tensor of zeros in the shape of another.

    Args:
        input: the tensor whose shape and memory order the result has.
        dtype: of the result; None for that of `input`.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.zeros_like``.

    Example:
        >>> import numtensor as nt
        >>> nt.zeros_like(nt.tensor([1, 2]))
        tensor([0, 0])
    """


@zeros_like.forward
def _(input, dtype):
    array = _like("zeros_like", input, dtype)
    array.fill(0)
    return array


@factory(tensors=("input",), differentiable=())
def ones_like(input, *, dtype=None, requires_grad=False, device=None):
    """Make a tensor of ones in the shape of another.

    Args:
        input: the tensor whose shape and memory order the result has.
        dtype: of the result; None for that of `input`.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.ones_like``.

    Example:
        >>> import numtensor as nt
        >>> nt.ones_like(nt.tensor([1, 2]), dtype=nt.float32)
        tensor([1., 1.])
    """


@ones_like.forward
def _(input, dtype):
    array = _like("ones_like", input, dtype)
    array.fill(1)
    return array


@factory(tensors=("input",), differentiable=())
def empty_like(input, *, dtype=None, requires_grad=False, device=None):
    """Make a tensor in the shape of another whose elements are whatever the memory holds.

    Args:
        input: the tensor whose shape and memory order the result has.
        dtype: of the result; None for that of `input`.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.empty_like``.

    Example:
        >>> import numtensor as nt
        >>> nt.empty_like(nt.ones(2, 3)).shape
        numtensor.Size([2, 3])
    """


@empty_like.forward
def _(input, dtype):
    return _like("empty_like", input, dtype)


@factory(tensors=("input",), differentiable=())
def full_like(input, fill_value, *, dtype=None, requires_grad=False, device=None):
    """Make a tensor in the shape of another that holds one number everywhere.

    Args:
        input: the tensor whose shape and memory order the result has.
        fill_value: the number, or a 0-d tensor.
        dtype: of the result; None for that of `input`.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of the same shape.

    Raises:
        RuntimeError: the number does not fit the dtype.

    Reference: ``torch.full_like``.

    Example:
        >>> import numtensor as nt
        >>> nt.full_like(nt.ones(2), 7)
        tensor([7., 7.])
    """


@full_like.forward
def _(input, fill_value, dtype):
    array = _like("full_like", input, dtype)
    array.fill(_fill_value("full_like", fill_value, array.dtype))
    return array


@factory()
def eye(n, m=None, *, dtype=None, requires_grad=False, device=None):
    """Make a matrix with ones on the diagonal and zeros elsewhere.

    Args:
        n: the number of rows.
        m: the number of columns; None for `n`.
        dtype: of the result; None for the default dtype.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of shape (n, m).

    Raises:
        RuntimeError: a size is negative.

    Reference: ``torch.eye``.

    Example:
        >>> import numtensor as nt
        >>> nt.eye(2)
        tensor([[1., 0.],
                [0., 1.]])
    """


@eye.forward
def _(n, m, dtype):
    array = allocate("eye", np.zeros, (n, n if m is None else m), dtype)
    np.fill_diagonal(array, 1)
    return array


# ----------------------------------------------------------------------------------------------------------------------
# Methods that make a tensor of the dtype of another


def new_tensor(
    self, data: Any, *, dtype: DType | None = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Make a tensor by copying data, of this tensor's dtype unless another is given; see `tensor`."""
    return tensor(data, dtype=self.dtype if dtype is None else dtype, device=device, requires_grad=requires_grad)


def new_zeros(
    self, *size: Shape, dtype: DType | None = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Make zeros of this tensor's dtype unless another is given; see `zeros`."""
    return current.mode.zeros(size, self.dtype if dtype is None else dtype, requires_grad, device)


def new_ones(
    self, *size: Shape, dtype: DType | None = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Make ones of this tensor's dtype unless another is given; see `ones`."""
    return current.mode.ones(size, self.dtype if dtype is None else dtype, requires_grad, device)


def new_empty(
    self, *size: Shape, dtype: DType | None = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Make a tensor without values of this tensor's dtype unless another is given; see `empty`."""
    return current.mode.empty(size, self.dtype if dtype is None else dtype, requires_grad, device)


def new_full(
    self,
    size: Shape,
    fill_value: float,
    *,
    dtype: DType | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a tensor of one number, of this tensor's dtype unless another is given; see `full`."""
    return current.mode.full(size, fill_value, self.dtype if dtype is None else dtype, requires_grad, device)


for _method in (new_tensor, new_zeros, new_ones, new_empty, new_full):
    setattr(Tensor, _method.__name__, _method)
