"""Variances and standard deviations over dimensions."""

from __future__ import annotations

import math

import numpy as np

from .. import dtypes
from ..kernels.backward import variance as backward
from ..kernels.forward import variance as forward
from ..tensor import Tensor
from .general_kind import composite, kernel
from .operands import CONSTANTS
from .reduce_layout import call_spread, count, keep_dims, reduce
from .reduce_loops import Loops, quotient
from .reduction import mean

_VAR = (forward.var, forward.var_columns)
_STD = (forward.std, forward.std_columns)
VAR, STD = Loops(_VAR, unwanted=(1,)), Loops(_STD, unwanted=(1,))
# For backward: with the mean.
VAR_MEAN, STD_MEAN = Loops(_VAR), Loops(_STD)


def _arguments(op, dim, unbiased, correction):
    """Return (dim, correction) of PyTorch's two ways to give them."""
    if type(dim) is bool:
        if unbiased is not None:
            raise TypeError(f"{op}: dim must be an int or a sequence of ints, not bool")
        dim, unbiased = None, dim
    if unbiased is not None:
        if correction is not None:
            raise TypeError(f"{op}: give unbiased or correction, not both")
        correction = 1 if unbiased else 0
    return dim, 1 if correction is None else correction


def _variance(op, loops, input, dim, unbiased, keepdim, correction):
    """Return what these loops give: the result, or (result, mean)."""
    dim, correction = _arguments(op, dim, unbiased, correction)
    if input.dtype.kind != "f":
        raise RuntimeError(
            f"{op}: std and var only support floating point dtypes, got {dtypes.FROM_NUMPY[input.dtype].name}; "
            "convert with .to(...) first"
        )
    return reduce(op, loops, input, dim, keepdim, CONSTANTS[input.dtype][correction])


def _over_freedom(op, factor, shape, dim, correction):
    """Return factor / (n - correction); inf where that is not positive, as PyTorch has it."""
    freedom = count(op, shape, dim) - correction
    return factor / freedom if freedom > 0 else math.inf


@kernel(saves="input")
def var(input, dim=None, unbiased=None, keepdim=False, correction=None):
    """Compute the variance: sum((x - mean)**2) / (n - correction).

    Args:
        input: a floating tensor.
        dim: an int or a sequence of ints; all dimensions if None or empty.
        unbiased: True for correction 1, False for correction 0.
        keepdim: keep the reduced dimensions, with extent 1.
        correction: subtracted from the number of elements; 1 if neither it nor `unbiased` is given.

    Returns:
        A tensor; NaN or inf where n - correction is not positive. Computed in two passes in float64.

    Raises:
        IndexError: a dim is out of range.
        RuntimeError: the dtype is not a floating one, or a dim is given twice.
        TypeError: both `unbiased` and `correction` are given.

    Reference: ``torch.var``; T. Chan, G. Golub, R. LeVeque, "Algorithms for computing the sample variance" (1983).

    Example:
        >>> import numtensor as nt
        >>> nt.var(nt.tensor([1.0, 2.0, 3.0, 4.0]))
        tensor(1.6667)
    """


@var.forward
def _(input, dim, unbiased, keepdim, correction):
    return _variance("var", VAR, input, dim, unbiased, keepdim, correction)


@var.forward_recording
def _(input, dim, unbiased, keepdim, correction):
    return _variance("var", VAR_MEAN, input, dim, unbiased, keepdim, correction)


@var.backward
def _(grad, needs, input, dim, unbiased, keepdim, correction, mean):
    dim, correction = _arguments("var", dim, unbiased, correction)
    shape = input.shape
    grad = keep_dims("var", grad, shape, dim, keepdim)
    mean = keep_dims("var", np.asarray(mean), shape, dim, keepdim)
    factor = CONSTANTS[grad.dtype][_over_freedom("var", 2, shape, dim, correction)]
    return call_spread(backward.var, input, grad, input, mean, factor)


@var.vjp
def _(grad, needs, input, dim, unbiased, keepdim, correction):
    dim, correction = _arguments("var", dim, unbiased, correction)
    shape = input.shape
    grad = keep_dims("var", grad, shape, dim, keepdim)
    return grad * ((input - mean(input, dim, True)) * _over_freedom("var", 2, shape, dim, correction))


@kernel(saves=("input", "output"))
def std(input, dim=None, unbiased=None, keepdim=False, correction=None):
    """Compute the standard deviation: sqrt(sum((x - mean)**2) / (n - correction)).

    Args:
        input: a floating tensor.
        dim: an int or a sequence of ints; all dimensions if None or empty.
        unbiased: True for correction 1, False for correction 0.
        keepdim: keep the reduced dimensions, with extent 1.
        correction: subtracted from the number of elements; 1 if neither it nor `unbiased` is given.

    Returns:
        A tensor; NaN or inf where n - correction is not positive. The gradient is 0 where the result is.

    Raises:
        IndexError: a dim is out of range.
        RuntimeError: the dtype is not a floating one, or a dim is given twice.
        TypeError: both `unbiased` and `correction` are given.

    Reference: ``torch.std``.

    Example:
        >>> import numtensor as nt
        >>> nt.std(nt.tensor([1.0, 2.0, 3.0, 4.0]))
        tensor(1.2910)
    """


@std.forward
def _(input, dim, unbiased, keepdim, correction):
    return _variance("std", STD, input, dim, unbiased, keepdim, correction)


@std.forward_recording
def _(input, dim, unbiased, keepdim, correction):
    return _variance("std", STD_MEAN, input, dim, unbiased, keepdim, correction)


@std.backward
def _(grad, needs, input, dim, unbiased, keepdim, correction, output, mean):
    dim, correction = _arguments("std", dim, unbiased, correction)
    shape = input.shape
    grad = keep_dims("std", grad, shape, dim, keepdim)
    mean = keep_dims("std", np.asarray(mean), shape, dim, keepdim)
    output = keep_dims("std", output, shape, dim, keepdim)
    factor = CONSTANTS[grad.dtype][_over_freedom("std", 1, shape, dim, correction)]
    return call_spread(backward.std, input, grad, input, mean, output, factor)


@std.vjp
def _(grad, needs, input, dim, unbiased, keepdim, correction, output):
    dim, correction = _arguments("std", dim, unbiased, correction)
    shape = input.shape
    grad = keep_dims("std", grad, shape, dim, keepdim)
    slope = quotient(grad, keep_dims("std", output, shape, dim, keepdim))
    return slope * ((input - mean(input, dim, True)) * _over_freedom("std", 1, shape, dim, correction))


@composite(method=None)
def var_mean(input, dim=None, unbiased=None, keepdim=False, correction=None) -> tuple[Tensor, Tensor]:
    """Compute the variance and the mean; see `var`.

    Args:
        input: a floating tensor.
        dim: an int or a sequence of ints; all dimensions if None or empty.
        unbiased: True for correction 1, False for correction 0.
        keepdim: keep the reduced dimensions, with extent 1.
        correction: subtracted from the number of elements; 1 if neither it nor `unbiased` is given.

    Returns:
        (variance, mean).

    Reference: ``torch.var_mean``.

    Example:
        >>> import numtensor as nt
        >>> nt.var_mean(nt.tensor([1.0, 2.0, 3.0]))
        (tensor(1.), tensor(2.))
    """
    return (
        var(input, dim, unbiased, keepdim, correction),
        mean(input, None if type(dim) is bool else dim, keepdim),
    )


@composite(method=None)
def std_mean(input, dim=None, unbiased=None, keepdim=False, correction=None) -> tuple[Tensor, Tensor]:
    """Compute the standard deviation and the mean; see `std`.

    Args:
        input: a floating tensor.
        dim: an int or a sequence of ints; all dimensions if None or empty.
        unbiased: True for correction 1, False for correction 0.
        keepdim: keep the reduced dimensions, with extent 1.
        correction: subtracted from the number of elements; 1 if neither it nor `unbiased` is given.

    Returns:
        (standard deviation, mean).

    Reference: ``torch.std_mean``.

    Example:
        >>> import numtensor as nt
        >>> nt.std_mean(nt.tensor([1.0, 2.0, 3.0]))
        (tensor(1.), tensor(2.))
    """
    return (
        std(input, dim, unbiased, keepdim, correction),
        mean(input, None if type(dim) is bool else dim, keepdim),
    )
