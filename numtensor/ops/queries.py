"""Questions about tensors and dtypes, whose answers are plain Python objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dtypes import as_dtype
from ..tensor import Tensor
from . import operands
from .operands import unwrap

if TYPE_CHECKING:
    from .._types import DType, Operand
    from ..dtypes import dtype


def is_tensor(obj: object) -> bool:
    """Return whether an object is a tensor.

    Reference: ``torch.is_tensor``.

    Example:
        >>> import numtensor as nt
        >>> nt.is_tensor(nt.ones(1)), nt.is_tensor(1.0)
        (True, False)
    """
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Return whether the dtype of a tensor is a floating one.

    Reference: ``torch.is_floating_point``.

    Example:
        >>> import numtensor as nt
        >>> nt.is_floating_point(nt.tensor([1]))
        False
    """
    return unwrap("is_floating_point", "input", input).dtype.kind == "f"


def is_complex(input: Tensor) -> bool:
    """Return False: there are no complex tensors.

    Reference: ``torch.is_complex``.

    Example:
        >>> import numtensor as nt
        >>> nt.is_complex(nt.ones(1))
        False
    """
    unwrap("is_complex", "input", input)
    return False


def is_inference(input: Tensor) -> bool:
    """Return whether a tensor is an inference tensor: made in inference mode, without a version counter.

    Raises:
        TypeError: it is no tensor.

    Reference: ``torch.is_inference``.

    Example:
        >>> import numtensor as nt
        >>> with nt.inference_mode():
        ...     x = nt.ones(1)
        >>> nt.is_inference(x)
        True
    """
    if not isinstance(input, Tensor):
        raise TypeError(f"is_inference: argument 'input' must be Tensor, not {type(input).__name__}")
    return input.is_inference()


def is_nonzero(input: Tensor) -> bool:
    """Return whether the only element of a tensor is not zero.

    Raises:
        RuntimeError: there is not exactly one element.

    Reference: ``torch.is_nonzero``.

    Example:
        >>> import numtensor as nt
        >>> nt.is_nonzero(nt.tensor([0.0]))
        False
    """
    return bool(input)


def numel(input: Tensor) -> int:
    """Return the number of elements of a tensor.

    Reference: ``torch.numel``.

    Example:
        >>> import numtensor as nt
        >>> nt.numel(nt.ones(2, 3))
        6
    """
    return unwrap("numel", "input", input).size


def result_type(tensor1: Operand, tensor2: Operand) -> dtype:
    """Return the dtype that an operation of two tensors or numbers computes in.

    Args:
        tensor1, tensor2: tensors, arrays or numbers. Tensors with dimensions outrank 0-d ones, and those numbers: a
            lower rank counts only where its category (bool, integral, floating) is a higher one.

    Reference: ``torch.result_type``.

    Example:
        >>> import numtensor as nt
        >>> nt.result_type(nt.tensor([1, 2], dtype=nt.int32), 1.5)
        numtensor.float32
    """
    return operands.result_dtype("result_type", (tensor1, tensor2))


def can_cast(from_: DType, to: DType) -> bool:
    """Return whether PyTorch converts between two dtypes without being asked: never to a lower category.

    Args:
        from_, to: dtypes; the categories are bool, integral, floating.

    Reference: ``torch.can_cast``.

    Example:
        >>> import numtensor as nt
        >>> nt.can_cast(nt.float64, nt.float32), nt.can_cast(nt.float32, nt.int64)
        (True, False)
    """
    return as_dtype(from_, "can_cast").category <= as_dtype(to, "can_cast").category
