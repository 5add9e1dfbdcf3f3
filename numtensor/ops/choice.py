"""Choosing between elements: the larger, the smaller, the nearest within bounds, the one that a condition names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..dtypes import ALL, NUMERIC, bool_
from ..kernels.backward import choice as backward
from ..kernels.forward import choice as forward
from ..kernels.forward import comparison as comparison_forward
from ..tensor import Tensor
from . import direct
from .comparison import eq, ge, gt, isfinite, le, logical_and, logical_or, lt
from .conversion import clone
from .elementwise_kind import elementwise
from .general_kind import composite
from .operands import unwrap

if TYPE_CHECKING:
    from .._types import Operand


def _share(grad, input, other, loses):
    return where(eq(input, other), grad * 0.5, where(loses(input, other), 0.0, grad))


@elementwise(
    forward.maximum,
    backward.maximum,
    saves=("input", "other"),
    dtypes=NUMERIC,
    overrides={bool_: comparison_forward.logical_or},
    out=True,
)
def maximum(input, other):
    """Return the larger of two elementwise; nan if either is nan. At a tie each gets half of the gradient.

    Args:
        input: a tensor.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.maximum``.

    Example:
        >>> import numtensor as nt
        >>> nt.maximum(nt.tensor([1.0, 4.0]), nt.tensor([3.0, 2.0]))
        tensor([3., 4.])
    """


maximum.vjp(
    (
        lambda grad, input, other: _share(grad, input, other, lt),
        lambda grad, input, other: _share(grad, input, other, gt),
    )
)


@elementwise(
    forward.minimum,
    backward.minimum,
    saves=("input", "other"),
    dtypes=NUMERIC,
    overrides={bool_: comparison_forward.logical_and},
    out=True,
)
def minimum(input, other):
    """Return the smaller of two elementwise; nan if either is nan. At a tie each gets half of the gradient.

    Args:
        input: a tensor.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.minimum``.

    Example:
        >>> import numtensor as nt
        >>> nt.minimum(nt.tensor([1.0, 4.0]), nt.tensor([3.0, 2.0]))
        tensor([1., 2.])
    """


minimum.vjp(
    (
        lambda grad, input, other: _share(grad, input, other, gt),
        lambda grad, input, other: _share(grad, input, other, lt),
    )
)


@composite(aliases=("clip",), inplace=True, out=True)
def clamp(input, min: Operand | None = None, max: Operand | None = None):
    """Limit elements to a range: minimum(maximum(input, min), max). On the limits the gradient passes.

    Args:
        input: a tensor.
        min: the lower limit: a number, a tensor that broadcasts with `input`, or None for none.
        max: the upper limit, as `min`; it wins where it is the smaller one.

    Returns:
        A tensor of the broadcast shape and the promoted dtype; nan where any of the three is nan.

    Raises:
        RuntimeError: both limits are None, or the shapes do not broadcast.

    Reference: ``torch.clamp``.

    Example:
        >>> import numtensor as nt
        >>> nt.clamp(nt.tensor([-1.0, 0.5, 2.0]), 0, 1)
        tensor([0.0000, 0.5000, 1.0000])
    """
    if max is None:
        if min is None:
            raise RuntimeError("clamp: At least one of 'min' or 'max' must not be None")
        return clamp_min(input, min)
    if min is None:
        return clamp_max(input, max)
    return clamp_both(input, min, max)


@elementwise(
    forward.clamp,
    backward.clamp,
    saves=("input", "min", "max"),
    dtypes=NUMERIC,
    namespace="ops",
    method=False,
)
def clamp_both(input, min, max):
    """Limit elements to a range with both limits. Users call ``clamp``.

    Args:
        input: a tensor.
        min, max: numbers, or tensors that broadcast with `input`.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.clamp``.

    Example:
        >>> import numtensor as nt
        >>> nt.clamp(nt.tensor([-1.0, 0.5, 2.0]), 0, 1)
        tensor([0.0000, 0.5000, 1.0000])
    """


@clamp.inplace_rule
def _(input, min=None, max=None):
    if min is None or max is None:
        return None if max is min else input.clamp_max_(max) if min is None else input.clamp_min_(min)
    return input if direct.apply(clamp_both, input, (min, max), "clamp_") else None


clamp_both.vjp(
    (
        lambda grad, input, min, max: where(logical_and(ge(input, min), le(input, max)), grad, 0.0),
        lambda grad, input, min, max: where(logical_and(lt(input, min), lt(min, max)), grad, 0.0),
        lambda grad, input, min, max: where(logical_or(gt(input, max), lt(max, min)), grad, 0.0),
    )
)


@elementwise(
    forward.maximum,
    backward.clamp_min,
    saves=("input", "min"),
    dtypes=NUMERIC,
    inplace=True,
    out=True,
)
def clamp_min(input, min):
    """Limit elements from below: maximum(input, min). On the limit the gradient passes to `input`.

    Args:
        input: a tensor.
        min: the limit: a number, or a tensor that broadcasts with `input`.

    Returns:
        A tensor of the broadcast shape and the promoted dtype; nan where either is nan.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.clamp_min``.

    Example:
        >>> import numtensor as nt
        >>> nt.clamp_min(nt.tensor([-1.0, 2.0]), 0)
        tensor([0., 2.])
    """


clamp_min.vjp(
    (
        lambda grad, input, min: where(ge(input, min), grad, 0.0),
        lambda grad, input, min: where(lt(input, min), grad, 0.0),
    )
)


@elementwise(
    forward.minimum,
    backward.clamp_max,
    saves=("input", "max"),
    dtypes=NUMERIC,
    inplace=True,
    out=True,
)
def clamp_max(input, max):
    """Limit elements from above: minimum(input, max). On the limit the gradient passes to `input`.

    Args:
        input: a tensor.
        max: the limit: a number, or a tensor that broadcasts with `input`.

    Returns:
        A tensor of the broadcast shape and the promoted dtype; nan where either is nan.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.clamp_max``.

    Example:
        >>> import numtensor as nt
        >>> nt.clamp_max(nt.tensor([-1.0, 2.0]), 0)
        tensor([-1.,  0.])
    """


clamp_max.vjp(
    (
        lambda grad, input, max: where(le(input, max), grad, 0.0),
        lambda grad, input, max: where(gt(input, max), grad, 0.0),
    )
)


@composite(name="tensor_where", namespace="Tensor")
def where(input, condition: Tensor, other: Operand):
    """Keep elements where the condition holds, `other` elsewhere: the method ``input.where(condition, other)``.

    Args:
        input: a tensor.
        condition: a tensor of bools.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A tensor of the broadcast shape and the promoted dtype of `input` and `other`.

    Raises:
        RuntimeError: the condition is not bool, or the shapes do not broadcast.

    Reference: ``torch.Tensor.where``.

    Example:
        >>> import numtensor as nt
        >>> x = nt.tensor([-1.0, 2.0])
        >>> x.where(x > 0, 0.0)
        tensor([0., 2.])
    """
    return where(condition, input, other)


@elementwise(
    forward.where,
    backward.where,
    saves="condition",
    dtypes=ALL,
    differentiable=("input", "other"),
    method=False,
    out=True,
)
def where(condition, input, other):  # noqa: F811 - the method's order of arguments is another
    """Choose elementwise: `input` where the condition holds, `other` elsewhere.

    The branch that is not chosen gets a gradient of exactly 0, even where it is nan or infinite.

    Args:
        condition: a tensor of bools.
        input, other: tensors that broadcast with the condition, or numbers.

    Returns:
        A tensor of the broadcast shape and the promoted dtype of `input` and `other`.

    Raises:
        RuntimeError: the condition is not bool, or the shapes do not broadcast.

    Reference: ``torch.where``.

    Example:
        >>> import numtensor as nt
        >>> x = nt.tensor([-1.0, 2.0])
        >>> nt.where(x > 0, x, 0.0)
        tensor([0., 2.])
    """


where.vjp(
    (
        lambda grad, condition, input, other: where(condition, grad, 0.0),
        lambda grad, condition, input, other: where(condition, 0.0, grad),
    )
)


@elementwise(
    forward.replace_nonfinite,
    backward.replace_nonfinite,
    saves="input",
    method=False,
    namespace="ops",
    inplace=True,
    out=True,
)
def replace_nonfinite(input, nan, posinf, neginf):
    """Replace what is not finite by numbers.

    Args:
        input: a floating tensor.
        nan, posinf, neginf: what stands for nan, inf and -inf.

    Returns:
        A tensor of the same shape and dtype.

    Example:
        >>> import numtensor as nt
        >>> nt.ops.replace_nonfinite(nt.tensor([1.0, float("inf")]), 0.0, 9.0, -9.0)
        tensor([1., 9.])
    """


replace_nonfinite.vjp((lambda grad, input, nan, posinf, neginf: where(isfinite(input), grad, 0.0),))


@composite(inplace=True, out=True)
def nan_to_num(input, nan: float | None = None, posinf: float | None = None, neginf: float | None = None):
    """Replace what is not finite: nan by 0, infinities by the largest and the least number, unless others are given.

    Args:
        input: a tensor; integral and bool ones have nothing to replace.
        nan: what stands for nan; None for 0.
        posinf: what stands for inf; None for the largest number of the dtype.
        neginf: what stands for -inf; None for the least one.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        TypeError: the input is no tensor.

    Reference: ``torch.nan_to_num``.

    Example:
        >>> import numtensor as nt
        >>> nt.nan_to_num(nt.tensor([1.0, float("nan"), float("-inf")]), neginf=-9.0)
        tensor([ 1.,  0., -9.])
    """
    array = unwrap("nan_to_num", "input", input)
    if array.dtype.kind != "f":
        return clone(input)
    limits = np.finfo(array.dtype)
    return replace_nonfinite(
        input,
        0.0 if nan is None else nan,
        float(limits.max) if posinf is None else posinf,
        float(limits.min) if neginf is None else neginf,
    )
