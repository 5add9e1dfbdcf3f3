"""Comparisons of whole tensors, and closeness."""

from __future__ import annotations

import numpy as np

from ..dtypes import FROM_NUMPY, promote_types
from ..tensor import Tensor
from .general_kind import library
from .operands import broadcast_error, unwrap

_REASON = "a chain of NumPy's vectorised comparisons, without a gradient"


@np.errstate(all="ignore")
def _close(op, a, b, rtol, atol, equal_nan):
    """Return where abs(a - b) <= atol + rtol * abs(b), infinities being close to themselves only."""
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"{op}: {FROM_NUMPY[a.dtype].name} did not match {FROM_NUMPY[b.dtype].name}: the tensors must have one "
            "dtype; convert one with .to(...)"
        )
    if rtol < 0 or atol < 0:
        raise RuntimeError(f"{op}: rtol and atol must be greater than or equal to zero, got {rtol} and {atol}")
    try:
        close = a == b
    except ValueError as error:
        raise broadcast_error(op, error, a, b) from None
    if a.dtype.kind == "f":
        # The tolerance counts in the precision of the tensors, as PyTorch does.
        kind = a.dtype.type
        allowed = kind(atol) + np.abs(kind(rtol) * b)
        distance = np.abs(a - b)
        close = close | (np.isfinite(distance) & (distance <= allowed))
        if equal_nan:
            close = close | (np.isnan(a) & np.isnan(b))
    elif rtol or atol:
        # Integers are compared as numbers, not as they would wrap.
        wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
        close = close | (np.abs(wide_a - wide_b) <= atol + np.abs(rtol * wide_b))
    return np.asarray(close)


@library(_REASON, tensors=("input", "other"), differentiable=())
def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Tell where two tensors are close: abs(input - other) <= atol + rtol * abs(other).

    Args:
        input: a tensor.
        other: a tensor of the same dtype that broadcasts with it.
        rtol: relative tolerance, 0 or more.
        atol: absolute tolerance, 0 or more.
        equal_nan: whether NaN is close to NaN.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        RuntimeError: the dtypes differ, a tolerance is negative, or the shapes do not broadcast.

    Reference: ``torch.isclose``.

    Example:
        >>> import numtensor as nt
        >>> nt.isclose(nt.tensor([1.0, 2.0]), nt.tensor([1.0, 2.1]))
        tensor([ True, False])
    """


@isclose.forward
def _(input, other, rtol, atol, equal_nan):
    return _close("isclose", input, other, rtol, atol, equal_nan)


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Tell whether two tensors are close everywhere: abs(input - other) <= atol + rtol * abs(other).

    Args:
        input: a tensor.
        other: a tensor of the same dtype that broadcasts with it.
        rtol: relative tolerance, 0 or more.
        atol: absolute tolerance, 0 or more.
        equal_nan: whether NaN is close to NaN.

    Returns:
        A bool.

    Raises:
        RuntimeError: the dtypes differ, a tolerance is negative, or the shapes do not broadcast.

    Reference: ``torch.allclose``.

    Example:
        >>> import numtensor as nt
        >>> nt.allclose(nt.tensor([1.0]), nt.tensor([1.0 + 1e-7]))
        True
    """
    a, b = unwrap("allclose", "input", input), unwrap("allclose", "other", other)
    return bool(_close("allclose", a, b, rtol, atol, equal_nan).all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Tell whether two tensors have the same shape and the same elements; NaN equals nothing.

    Args:
        input, other: tensors, compared in their promoted dtype.

    Returns:
        A bool.

    Reference: ``torch.equal``.

    Example:
        >>> import numtensor as nt
        >>> nt.equal(nt.tensor([1, 2]), nt.tensor([1, 2]))
        True
    """
    a, b = unwrap("equal", "input", input), unwrap("equal", "other", other)
    if a.dtype != b.dtype:
        kind = promote_types(FROM_NUMPY[a.dtype], FROM_NUMPY[b.dtype]).numpy
        a, b = a.astype(kind), b.astype(kind)
    return a.shape == b.shape and bool((a == b).all())


Tensor.allclose = allclose
Tensor.equal = equal
