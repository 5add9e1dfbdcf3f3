"""Sums, products, quotients, remainders and signs of elements. Powers stand in ``power.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..dtypes import INTEGRAL, NUMERIC, bool_
from ..kernels.backward import arithmetic as backward
from ..kernels.forward import arithmetic as forward
from ..kernels.forward import comparison as comparison_forward
from ..tensor import Tensor
from .elementwise_kind import elementwise
from .general_kind import composite
from .operands import result_dtype

if TYPE_CHECKING:
    from .._types import Operand


def _refuse(name, message):
    """Return what stands in place of a kernel for a dtype that the op refuses."""

    def refuse(*arrays):
        raise RuntimeError(f"{name}: {message}")

    return refuse


def _zero_checked(name, kernel):
    """Return overrides for integral dtypes that look for a zero divisor first: the division instruction would trap."""

    def divide(x, y):
        if not y.all() and x.size:
            raise RuntimeError(f"{name}: ZeroDivisionError: integer division by zero (shapes {x.shape}, {y.shape})")
        return kernel.loops[x.dtype](x, y)

    return dict.fromkeys(INTEGRAL, divide)


def zero_gradient(grad):
    return grad * 0


def _check_alpha(name, input, other, alpha):
    if type(input) is Tensor and input._array.dtype.kind == "f":
        return
    if isinstance(alpha, float) and not result_dtype(name, (input, other)).is_floating_point:
        raise RuntimeError(
            f"{name}: For integral input tensors, argument alpha must not be a floating point number, got {alpha}"
        )


@elementwise(
    forward.add,
    backward.add,
    dtypes=NUMERIC,
    overrides={bool_: comparison_forward.logical_or},
    operators=("__add__", "__radd__"),
    keywords="alpha",
    inplace=True,
    out=True,
    linear=True,
)
def add(input, other, *, alpha=1):
    """Add elementwise: input + alpha * other; of bools, whether either is True.

    Args:
        input: a tensor, or a number.
        other: a tensor that broadcasts with `input`, or a number.
        alpha: a number.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast, or `alpha` is a float and neither operand is floating.

    Reference: ``torch.add``.

    Example:
        >>> import numtensor as nt
        >>> nt.add(nt.tensor([1.0, 2.0]), 3, alpha=2)
        tensor([7., 8.])
    """


add.vjp((lambda grad, input, other: grad, lambda grad, input, other: grad))


@add.keyword_rule
def _(input, other, alpha):
    _check_alpha("add", input, other, alpha)
    return add(input, other if alpha == 1 else mul(other, alpha))


@add.inplace_rule
def _(input, other, alpha=1):
    if type(input) is Tensor and type(other) is Tensor and alpha != 1:
        _check_alpha("add", input, other, alpha)
        return input.add_(mul(other, alpha))
    return None


@elementwise(
    forward.sub,
    backward.sub,
    dtypes=NUMERIC,
    overrides={bool_: _refuse("sub", "Subtraction of two bool tensors is not supported; use ^ or logical_xor()")},
    operators=("__sub__", "__rsub__"),
    aliases=("subtract",),
    keywords="alpha",
    inplace=True,
    out=True,
    linear=True,
)
def sub(input, other, *, alpha=1):
    """Subtract elementwise: input - alpha * other.

    Args:
        input: a tensor, or a number.
        other: a tensor that broadcasts with `input`, or a number.
        alpha: a number.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast, both operands are bool, or `alpha` is a float and neither operand
            is floating.

    Reference: ``torch.sub``.

    Example:
        >>> import numtensor as nt
        >>> nt.sub(nt.tensor([1.0, 2.0]), 3)
        tensor([-2., -1.])
    """


sub.vjp((lambda grad, input, other: grad, lambda grad, input, other: neg(grad)))


@sub.keyword_rule
def _(input, other, alpha):
    _check_alpha("sub", input, other, alpha)
    return sub(input, other if alpha == 1 else mul(other, alpha))


@sub.inplace_rule
def _(input, other, alpha=1):
    if type(input) is Tensor and type(other) is Tensor and alpha != 1:
        _check_alpha("sub", input, other, alpha)
        return input.sub_(mul(other, alpha))
    return None


@elementwise(
    forward.mul,
    backward.mul,
    saves={"input": "other", "other": "input"},
    dtypes=NUMERIC,
    overrides={bool_: comparison_forward.logical_and},
    operators=("__mul__", "__rmul__"),
    aliases=("multiply",),
    inplace=True,
    out=True,
)
def mul(input, other):
    """Multiply elementwise: input * other; of bools, whether both are True.

    Args:
        input: a tensor, or a number.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.mul``.

    Example:
        >>> import numtensor as nt
        >>> nt.mul(nt.tensor([1.0, 2.0]), 3)
        tensor([3., 6.])
    """


mul.vjp((lambda grad, input, other: grad * other, lambda grad, input, other: grad * input))


@elementwise(
    forward.div,
    backward.div,
    saves={"input": "other", "other": ("input", "other")},
    integers="float",
    operators=("__truediv__", "__rtruediv__"),
    aliases=("divide", "true_divide"),
    keywords="rounding_mode",
    inplace=True,
    out=True,
)
def div(input, other, *, rounding_mode=None):
    """Divide elementwise: input / other.

    Args:
        input: a tensor, or a number.
        other: a tensor that broadcasts with `input`, or a number.
        rounding_mode: None for the quotient (of integers in the default dtype), ``"trunc"`` for it without its
            fraction, ``"floor"`` for the largest integer not above it; these two keep integral dtypes.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        RuntimeError: the shapes do not broadcast, another rounding mode, or a rounded division of integers by zero.

    Reference: ``torch.div``.

    Example:
        >>> import numtensor as nt
        >>> nt.div(nt.tensor([1.0, -3.0]), 2)
        tensor([ 0.5000, -1.5000])
        >>> nt.div(nt.tensor([1, -3]), 2, rounding_mode="floor")
        tensor([ 0, -2])
    """


div.vjp(
    (
        lambda grad, input, other: grad / other,
        lambda grad, input, other: grad * ((input / other) / other) * -1,
    )
)


@div.keyword_rule
def _(input, other, rounding_mode):
    if rounding_mode is None:
        return div(input, other)
    if rounding_mode not in ("trunc", "floor"):
        raise RuntimeError(f"div: rounding_mode must be None, 'trunc' or 'floor', but found {rounding_mode!r}")
    return (trunc_divide if rounding_mode == "trunc" else floor_divide)(input, other)


@elementwise(
    forward.floor_divide,
    backward.constant_2,
    overrides=_zero_checked("floor_divide", forward.floor_divide_integral),
    operators=("__floordiv__", "__rfloordiv__"),
    inplace=True,
    out=True,
)
def floor_divide(input, other):
    """Divide and round down: floor(input / other). The gradient is zero.

    Args:
        input: a tensor, or a number.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast, or an integer is divided by zero.

    Reference: ``torch.floor_divide``.

    Example:
        >>> import numtensor as nt
        >>> nt.floor_divide(nt.tensor([7, -7]), 2)
        tensor([ 3, -4])
    """


floor_divide.vjp((lambda grad, input, other: zero_gradient(grad), lambda grad, input, other: zero_gradient(grad)))


@elementwise(
    forward.trunc_divide,
    backward.constant_2,
    overrides=_zero_checked("div", forward.trunc_divide_integral),
    namespace="ops",
    method=False,
)
def trunc_divide(input, other):
    """Divide and drop the fraction: trunc(input / other). Users call ``div(rounding_mode="trunc")``.

    Args:
        input: a tensor, or a number.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast, or an integer is divided by zero.

    Reference: ``torch.div(rounding_mode="trunc")``.

    Example:
        >>> import numtensor as nt
        >>> nt.div(nt.tensor([7, -7]), 2, rounding_mode="trunc")
        tensor([ 3, -3])
    """


trunc_divide.vjp((lambda grad, input, other: zero_gradient(grad), lambda grad, input, other: zero_gradient(grad)))


@elementwise(
    forward.remainder,
    backward.remainder,
    saves={"input": (), "other": ("input", "other")},
    overrides=_zero_checked("remainder", forward.remainder_integral),
    operators=("__mod__", "__rmod__"),
    inplace=True,
    out=True,
)
def remainder(input, other):
    """Compute the remainder with the sign of the divisor, as Python does: input - other * floor(input / other).

    Args:
        input: a tensor, or a number.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast, or an integer is divided by zero.

    Reference: ``torch.remainder``.

    Example:
        >>> import numtensor as nt
        >>> nt.remainder(nt.tensor([7, -7]), 3)
        tensor([1, 2])
    """


remainder.vjp(
    (
        lambda grad, input, other: grad,
        lambda grad, input, other: grad * floor_divide(input, other) * -1,
    )
)


@elementwise(
    forward.fmod,
    backward.fmod,
    saves={"input": (), "other": ("input", "other")},
    overrides=_zero_checked("fmod", forward.fmod_integral),
    inplace=True,
    out=True,
)
def fmod(input, other):
    """Compute the remainder with the sign of the dividend, as C does: input - other * trunc(input / other).

    Args:
        input: a tensor, or a number.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast, or an integer is divided by zero.

    Reference: ``torch.fmod``.

    Example:
        >>> import numtensor as nt
        >>> nt.fmod(nt.tensor([7, -7]), 3)
        tensor([ 1, -1])
    """


fmod.vjp(
    (
        lambda grad, input, other: grad,
        lambda grad, input, other: grad * trunc_divide(input, other) * -1,
    )
)


@elementwise(
    forward.neg,
    backward.neg,
    dtypes=NUMERIC,
    overrides={bool_: _refuse("neg", "Negation of a bool tensor is not supported; use ~ or logical_not()")},
    operators=("__neg__",),
    aliases=("negative",),
    inplace=True,
    out=True,
    linear=True,
)
def neg(input):
    """Negate elementwise: -input.

    Args:
        input: a tensor.

    Returns:
        A tensor of the same shape and dtype; unsigned integers wrap around.

    Raises:
        RuntimeError: the dtype is bool.

    Reference: ``torch.neg``.

    Example:
        >>> import numtensor as nt
        >>> nt.neg(nt.tensor([1.0, -2.0]))
        tensor([-1.,  2.])
    """


neg.vjp((lambda grad, input: neg(grad),))


@composite(operators=("__pos__",))
def positive(input):
    """Return the input itself.

    Args:
        input: a tensor.

    Returns:
        The same tensor.

    Raises:
        RuntimeError: the dtype is bool.

    Reference: ``torch.positive``.

    Example:
        >>> import numtensor as nt
        >>> +nt.tensor([1.0, -2.0])
        tensor([ 1., -2.])
    """
    if input.dtype is bool_:
        raise RuntimeError("positive: the + operator on a bool tensor is not supported")
    return input


@elementwise(
    forward.abs,
    backward.abs,
    saves="input",
    overrides=dict.fromkeys(INTEGRAL, forward.abs_integral),
    operators=("__abs__",),
    aliases=("absolute",),
    inplace=True,
    out=True,
)
def abs(input):
    """Compute the magnitude of each element: |input|. The gradient at 0 is 0.

    Args:
        input: a tensor.

    Returns:
        A tensor of the same shape and dtype.

    Reference: ``torch.abs``.

    Example:
        >>> import numtensor as nt
        >>> nt.abs(nt.tensor([1.0, -2.0]))
        tensor([1., 2.])
    """


abs.vjp((lambda grad, input: grad * sign(input),))


@elementwise(
    forward.sign,
    backward.constant,
    dtypes=NUMERIC,
    overrides={bool_: np.copy},
    inplace=True,
    out=True,
)
def sign(input):
    """Return the sign of each element: -1, 0 or 1, and 0 for nan. The gradient is zero.

    Args:
        input: a tensor.

    Returns:
        A tensor of the same shape and dtype.

    Reference: ``torch.sign``.

    Example:
        >>> import numtensor as nt
        >>> nt.sign(nt.tensor([3.0, 0.0, -2.0]))
        tensor([ 1.,  0., -1.])
    """


sign.vjp((lambda grad, input: zero_gradient(grad),))


@elementwise(
    forward.lerp,
    backward.lerp,
    saves={"input": ("weight",), "end": ("weight",), "weight": ("input", "end")},
    inplace=True,
    out=True,
)
def lerp(input, end: Operand, weight: Operand):
    """Interpolate between two tensors: input + weight * (end - input); exact at the weights 0 and 1.

    Args:
        input: a floating tensor.
        end: a tensor that broadcasts with `input`.
        weight: a number, or a tensor that broadcasts with both.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.lerp``.

    Example:
        >>> import numtensor as nt
        >>> nt.lerp(nt.tensor([0.0, 4.0]), nt.tensor([10.0, 8.0]), 0.25)
        tensor([2.5000, 5.0000])
    """


lerp.vjp(
    (
        lambda grad, input, end, weight: grad * (1 - weight),
        lambda grad, input, end, weight: grad * weight,
        lambda grad, input, end, weight: grad * (end - input),
    )
)


@elementwise(
    forward.addcmul,
    backward.addcmul,
    saves={"input": (), "tensor1": ("tensor2",), "tensor2": ("tensor1",)},
    inplace=True,
    out=True,
)
def addcmul(input, tensor1, tensor2, value=1):
    """Add a product: input + value * tensor1 * tensor2.

    Args:
        input: a floating tensor.
        tensor1: a tensor that broadcasts with `input`.
        tensor2: another one.
        value: a number.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.addcmul``.

    Example:
        >>> import numtensor as nt
        >>> nt.addcmul(nt.tensor([1.0]), nt.tensor([2.0]), nt.tensor([3.0]), value=0.5)
        tensor([4.])
    """


addcmul.vjp(
    (
        lambda grad, input, tensor1, tensor2, value: grad,
        lambda grad, input, tensor1, tensor2, value: grad * value * tensor2,
        lambda grad, input, tensor1, tensor2, value: grad * value * tensor1,
    )
)


@elementwise(
    forward.addcdiv,
    backward.addcdiv,
    saves={"input": (), "tensor1": ("tensor2",), "tensor2": ("tensor1", "tensor2")},
    inplace=True,
    out=True,
)
def addcdiv(input, tensor1, tensor2, value=1):
    """Add a quotient: input + value * tensor1 / tensor2.

    Args:
        input: a floating tensor.
        tensor1: a tensor that broadcasts with `input`.
        tensor2: another one.
        value: a number.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.addcdiv``.

    Example:
        >>> import numtensor as nt
        >>> nt.addcdiv(nt.tensor([1.0]), nt.tensor([6.0]), nt.tensor([3.0]), value=0.5)
        tensor([2.])
    """


addcdiv.vjp(
    (
        lambda grad, input, tensor1, tensor2, value: grad,
        lambda grad, input, tensor1, tensor2, value: grad * value / tensor2,
        lambda grad, input, tensor1, tensor2, value: -grad * value * tensor1 / (tensor2 * tensor2),
    )
)
