"""Arithmetic, elementary functions, rounding, choice.

Activations stand in ``activation.py``, comparisons in ``comparison.py``.
"""

import builtins
import math

import numpy as np

from ..dtypes import ALL, INTEGRAL, NUMERIC, bool_, int64
from ..kernels.backward import elementwise as backward
from ..kernels.forward import comparison as comparison_forward
from ..kernels.forward import elementwise as forward
from ..tensor import Tensor
from .comparison import eq, ge, gt, le, logical_and, logical_or, lt
from .elementwise_kind import elementwise
from .general_kind import composite
from .operands import result_dtype

LN_2 = 0.6931471805599453
LN_10 = 2.302585092994046
TWO_OVER_SQRT_PI = 1.1283791670955126


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


def _zeros(grad):
    return grad * 0


def _check_alpha(name, input, other, alpha):
    if isinstance(alpha, float) and not result_dtype(name, (input, other)).is_floating_point:
        raise RuntimeError(
            f"{name}: For integral input tensors, argument alpha must not be a floating point number, got {alpha}"
        )


# ---------------------------------------------------------------------------------------------------------------------
# Arithmetic


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


floor_divide.vjp((lambda grad, input, other: _zeros(grad), lambda grad, input, other: _zeros(grad)))


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


trunc_divide.vjp((lambda grad, input, other: _zeros(grad), lambda grad, input, other: _zeros(grad)))


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


def _integral_power(x, y):
    # A number arrives as a read-only array of no dimensions; PyTorch refuses it, and gives 0 for negative tensors.
    if y.ndim == 0 and not y.flags.writeable and y < 0:
        raise RuntimeError("pow: Integers to negative integer powers are not allowed; use a floating base or exponent")
    return forward.pow_integral.loops[x.dtype](x, y)


@elementwise(
    forward.pow,
    backward.pow,
    saves={"input": ("input", "exponent"), "exponent": ("input", "exponent", "output")},
    overrides=dict.fromkeys(INTEGRAL, _integral_power),
    wraps=False,
    operators=("__pow__", "__rpow__"),
    inplace=True,
    out=True,
)
def pow(input, exponent):
    """Raise to a power elementwise: input**exponent.

    Args:
        input: a tensor, or a number.
        exponent: the exponent: a tensor that broadcasts with `input`, or a number.

    Returns:
        A tensor of the broadcast shape and the promoted dtype; integers wrap around.

    Raises:
        RuntimeError: the shapes do not broadcast, or integers are raised to a negative integer number.

    Reference: ``torch.pow``.

    Example:
        >>> import numtensor as nt
        >>> nt.pow(nt.tensor([1.0, 2.0, 3.0]), 2)
        tensor([1., 4., 9.])
    """


def _pow_grad_input(grad, input, exponent, output):
    if isinstance(exponent, Tensor):
        return where(eq(exponent, 0), 0.0, grad * (exponent * pow(input, exponent - 1)))
    return _zeros(grad) if exponent == 0 else grad * (pow(input, exponent - 1) * exponent)


def _pow_grad_exponent(grad, input, exponent, output):
    if isinstance(input, Tensor):
        return where(logical_and(eq(input, 0), ge(exponent, 0)), 0.0, grad * (output * log(input)))
    if input == 0:
        return where(ge(exponent, 0), 0.0, grad * (output * -math.inf))
    return grad * (output * (math.log(input) if input > 0 else math.nan))


pow.vjp((_pow_grad_input, _pow_grad_exponent))


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


sign.vjp((lambda grad, input: _zeros(grad),))


@elementwise(
    forward.square,
    backward.square,
    saves="input",
    dtypes=NUMERIC,
    overrides={bool_: lambda input: input.astype(int64.numpy)},
    inplace=True,
    out=True,
)
def square(input):
    """Compute the square of each element: input * input.

    Args:
        input: a tensor.

    Returns:
        A tensor of the same shape and dtype; of bools, int64.

    Reference: ``torch.square``.

    Example:
        >>> import numtensor as nt
        >>> nt.square(nt.tensor([3.0, -2.0]))
        tensor([9., 4.])
    """


square.vjp((lambda grad, input: grad * (input * 2),))


@elementwise(
    forward.sqrt,
    backward.sqrt,
    saves="output",
    integers="float",
    inplace=True,
    out=True,
)
def sqrt(input):
    """Compute the square root; nan below zero.

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.sqrt``.

    Example:
        >>> import numtensor as nt
        >>> nt.sqrt(nt.tensor([4.0, 9.0]))
        tensor([2., 3.])
    """


sqrt.vjp((lambda grad, input, output: grad / (output * 2),))

@elementwise(
    forward.rsqrt,
    backward.rsqrt,
    saves="output",
    integers="float",
    inplace=True,
    out=True,
)
def rsqrt(input):
    """Compute the reciprocal of the square root: 1 / sqrt(input).

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.rsqrt``.

    Example:
        >>> import numtensor as nt
        >>> nt.rsqrt(nt.tensor([4.0, 0.25]))
        tensor([0.5000, 2.0000])
    """


rsqrt.vjp((lambda grad, input, output: grad * output**3 * -0.5,))

@elementwise(
    forward.reciprocal,
    backward.reciprocal,
    saves="output",
    integers="float",
    inplace=True,
    out=True,
)
def reciprocal(input):
    """Compute the reciprocal: 1 / input.

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.reciprocal``.

    Example:
        >>> import numtensor as nt
        >>> nt.reciprocal(nt.tensor([2.0, -4.0]))
        tensor([ 0.5000, -0.2500])
    """


reciprocal.vjp((lambda grad, input, output: grad * output * output * -1,))


# ---------------------------------------------------------------------------------------------------------------------
# Exponentials and logarithms


@elementwise(
    forward.exp,
    backward.exp,
    saves="output",
    integers="float",
    inplace=True,
    out=True,
)
def exp(input):
    """Compute e to the power of each element: e**input.

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.exp``.

    Example:
        >>> import numtensor as nt
        >>> nt.exp(nt.tensor([0.0, 1.0]))
        tensor([1.0000, 2.7183])
    """


exp.vjp((lambda grad, input, output: grad * output,))

@elementwise(
    forward.exp2,
    backward.exp2,
    saves="output",
    integers="float",
    inplace=True,
    out=True,
)
def exp2(input):
    """Compute 2 to the power of each element: 2**input.

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.exp2``.

    Example:
        >>> import numtensor as nt
        >>> nt.exp2(nt.tensor([0.0, 3.0]))
        tensor([1., 8.])
    """


exp2.vjp((lambda grad, input, output: grad * output * LN_2,))

@elementwise(
    forward.expm1,
    backward.expm1,
    saves="output",
    integers="float",
    inplace=True,
    out=True,
)
def expm1(input):
    """Compute e**input - 1, accurate near 0.

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.expm1``.

    Example:
        >>> import numtensor as nt
        >>> nt.expm1(nt.tensor([0.0, 1.0]))
        tensor([0.0000, 1.7183])
    """


expm1.vjp((lambda grad, input, output: grad * (output + 1),))

@elementwise(
    forward.log,
    backward.log,
    saves="input",
    integers="float",
    inplace=True,
    out=True,
)
def log(input):
    """Compute the natural logarithm; -inf at 0, nan below.

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.log``.

    Example:
        >>> import numtensor as nt
        >>> nt.log(nt.tensor([1.0, 10.0]))
        tensor([0.0000, 2.3026])
    """


log.vjp((lambda grad, input: grad / input,))

@elementwise(
    forward.log1p,
    backward.log1p,
    saves="input",
    integers="float",
    inplace=True,
    out=True,
)
def log1p(input):
    """Compute log(1 + input), accurate near 0.

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.log1p``.

    Example:
        >>> import numtensor as nt
        >>> nt.log1p(nt.tensor([0.0, 1.0]))
        tensor([0.0000, 0.6931])
    """


log1p.vjp((lambda grad, input: grad / (input + 1),))

@elementwise(
    forward.log2,
    backward.log2,
    saves="input",
    integers="float",
    inplace=True,
    out=True,
)
def log2(input):
    """Compute the logarithm to base 2.

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.log2``.

    Example:
        >>> import numtensor as nt
        >>> nt.log2(nt.tensor([1.0, 8.0]))
        tensor([0., 3.])
    """


log2.vjp((lambda grad, input: grad / (input * LN_2),))

@elementwise(
    forward.log10,
    backward.log10,
    saves="input",
    integers="float",
    inplace=True,
    out=True,
)
def log10(input):
    """Compute the logarithm to base 10.

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.log10``.

    Example:
        >>> import numtensor as nt
        >>> nt.log10(nt.tensor([1.0, 100.0]))
        tensor([0., 2.])
    """


log10.vjp((lambda grad, input: grad / (input * LN_10),))


# ---------------------------------------------------------------------------------------------------------------------
# Trigonometric and hyperbolic functions


@elementwise(
    forward.sin,
    backward.sin,
    saves="input",
    integers="float",
    inplace=True,
    out=True,
)
def sin(input):
    """Compute the sine of angles in radians.

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.sin``.

    Example:
        >>> import numtensor as nt
        >>> nt.sin(nt.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8415])
    """


sin.vjp((lambda grad, input: grad * cos(input),))

@elementwise(
    forward.cos,
    backward.cos,
    saves="input",
    integers="float",
    inplace=True,
    out=True,
)
def cos(input):
    """Compute the cosine of angles in radians.

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.cos``.

    Example:
        >>> import numtensor as nt
        >>> nt.cos(nt.tensor([0.0, 1.0]))
        tensor([1.0000, 0.5403])
    """


cos.vjp((lambda grad, input: grad * sin(input) * -1,))

@elementwise(
    forward.tan,
    backward.tan,
    saves="output",
    integers="float",
    inplace=True,
    out=True,
)
def tan(input):
    """Compute the tangent of angles in radians.

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.tan``.

    Example:
        >>> import numtensor as nt
        >>> nt.tan(nt.tensor([0.0, 1.0]))
        tensor([0.0000, 1.5574])
    """


tan.vjp((lambda grad, input, output: grad * (output * output + 1),))

@elementwise(
    forward.asin,
    backward.asin,
    saves="input",
    integers="float",
    aliases=("arcsin",),
    inplace=True,
    out=True,
)
def asin(input):
    """Compute the arc sine in radians; nan outside [-1, 1].

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.asin``.

    Example:
        >>> import numtensor as nt
        >>> nt.asin(nt.tensor([0.0, 1.0]))
        tensor([0.0000, 1.5708])
    """


asin.vjp((lambda grad, input: grad * rsqrt(1 - input * input),))

@elementwise(
    forward.acos,
    backward.acos,
    saves="input",
    integers="float",
    aliases=("arccos",),
    inplace=True,
    out=True,
)
def acos(input):
    """Compute the arc cosine in radians; nan outside [-1, 1].

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.acos``.

    Example:
        >>> import numtensor as nt
        >>> nt.acos(nt.tensor([1.0, 0.0]))
        tensor([0.0000, 1.5708])
    """


acos.vjp((lambda grad, input: grad * rsqrt(1 - input * input) * -1,))

@elementwise(
    forward.atan,
    backward.atan,
    saves="input",
    integers="float",
    aliases=("arctan",),
    inplace=True,
    out=True,
)
def atan(input):
    """Compute the arc tangent in radians.

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.atan``.

    Example:
        >>> import numtensor as nt
        >>> nt.atan(nt.tensor([0.0, 1.0]))
        tensor([0.0000, 0.7854])
    """


atan.vjp((lambda grad, input: grad / (input * input + 1),))

@elementwise(
    forward.sinh,
    backward.sinh,
    saves="input",
    integers="float",
    inplace=True,
    out=True,
)
def sinh(input):
    """Compute the hyperbolic sine: (e**input - e**-input) / 2.

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.sinh``.

    Example:
        >>> import numtensor as nt
        >>> nt.sinh(nt.tensor([0.0, 1.0]))
        tensor([0.0000, 1.1752])
    """


sinh.vjp((lambda grad, input: grad * cosh(input),))

@elementwise(
    forward.cosh,
    backward.cosh,
    saves="input",
    integers="float",
    inplace=True,
    out=True,
)
def cosh(input):
    """Compute the hyperbolic cosine: (e**input + e**-input) / 2.

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.cosh``.

    Example:
        >>> import numtensor as nt
        >>> nt.cosh(nt.tensor([0.0, 1.0]))
        tensor([1.0000, 1.5431])
    """


cosh.vjp((lambda grad, input: grad * sinh(input),))

@elementwise(
    forward.tanh,
    backward.tanh,
    saves="output",
    integers="float",
    aliases=("nn.functional.tanh",),
    inplace=True,
    out=True,
)
def tanh(input):
    """Compute the hyperbolic tangent: (e**(2 input) - 1) / (e**(2 input) + 1).

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.tanh``.

    Example:
        >>> import numtensor as nt
        >>> nt.tanh(nt.tensor([0.0, 1.0]))
        tensor([0.0000, 0.7616])
    """


tanh.vjp((lambda grad, input, output: grad * (1 - output * output),))

@elementwise(
    forward.erf,
    backward.erf,
    saves="input",
    integers="float",
    inplace=True,
    out=True,
)
def erf(input):
    """Compute the error function: 2 / sqrt(pi) times the integral of e**-t**2 from 0 to input.

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.erf``.

    Example:
        >>> import numtensor as nt
        >>> nt.erf(nt.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8427])
    """


erf.vjp((lambda grad, input: grad * (exp(input * input * -1) * TWO_OVER_SQRT_PI),))

@elementwise(
    forward.erfc,
    backward.erfc,
    saves="input",
    integers="float",
    inplace=True,
    out=True,
)
def erfc(input):
    """Compute the complementary error function: 1 - erf(input), accurate where erf is near 1.

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.erfc``.

    Example:
        >>> import numtensor as nt
        >>> nt.erfc(nt.tensor([0.0, 1.0]))
        tensor([1.0000, 0.1573])
    """


erfc.vjp((lambda grad, input: grad * (exp(input * input * -1) * -TWO_OVER_SQRT_PI),))


# ---------------------------------------------------------------------------------------------------------------------
# Rounding


@elementwise(
    forward.floor,
    backward.constant,
    overrides=dict.fromkeys(INTEGRAL, np.copy),
    inplace=True,
    out=True,
)
def floor(input):
    """Round down to integers. The gradient is zero.

    Args:
        input: a tensor; integers stay as they are.

    Returns:
        A tensor of the same shape and dtype.

    Reference: ``torch.floor``.

    Example:
        >>> import numtensor as nt
        >>> nt.floor(nt.tensor([1.5, -1.5]))
        tensor([ 1., -2.])
    """


floor.vjp((lambda grad, input: _zeros(grad),))


@elementwise(
    forward.ceil,
    backward.constant,
    overrides=dict.fromkeys(INTEGRAL, np.copy),
    inplace=True,
    out=True,
)
def ceil(input):
    """Round up to integers. The gradient is zero.

    Args:
        input: a tensor; integers stay as they are.

    Returns:
        A tensor of the same shape and dtype.

    Reference: ``torch.ceil``.

    Example:
        >>> import numtensor as nt
        >>> nt.ceil(nt.tensor([1.5, -1.5]))
        tensor([ 2., -1.])
    """


ceil.vjp((lambda grad, input: _zeros(grad),))


@elementwise(
    forward.trunc,
    backward.constant,
    overrides=dict.fromkeys(INTEGRAL, np.copy),
    aliases=("fix",),
    inplace=True,
    out=True,
)
def trunc(input):
    """Round towards zero: drop the fraction. The gradient is zero.

    Args:
        input: a tensor; integers stay as they are.

    Returns:
        A tensor of the same shape and dtype.

    Reference: ``torch.trunc``.

    Example:
        >>> import numtensor as nt
        >>> nt.trunc(nt.tensor([1.5, -1.5]))
        tensor([ 1., -1.])
    """


trunc.vjp((lambda grad, input: _zeros(grad),))


@elementwise(
    forward.round,
    backward.constant,
    overrides=dict.fromkeys(INTEGRAL, np.copy),
    keywords="decimals",
    inplace=True,
    out=True,
)
def round(input, *, decimals=0):
    """Round to the nearest integers, ties to even. The gradient is zero.

    Args:
        input: a tensor; integers stay as they are.
        decimals: how many decimal places to keep; negative ones round left of the point.

    Returns:
        A tensor of the same shape and dtype.

    Reference: ``torch.round``.

    Example:
        >>> import numtensor as nt
        >>> nt.round(nt.tensor([0.5, 1.5, 2.25]))
        tensor([0., 2., 2.])
    """


round.vjp((lambda grad, input: _zeros(grad),))


@round.keyword_rule
def _(input, decimals):
    if not decimals:
        return round(input)
    if not input.dtype.is_floating_point:
        raise NotImplementedError(f"round: not implemented for dtype {input.dtype.name} with decimals={decimals}")
    scale = 10.0 ** builtins.abs(decimals)
    return round(input * scale) / scale if decimals > 0 else round(input / scale) * scale


# ---------------------------------------------------------------------------------------------------------------------
# Choice


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
def clamp(input, min=None, max=None):
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
def where(input, condition, other):
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
