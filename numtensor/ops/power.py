"""Powers and roots of elements."""

import math

from ..dtypes import INTEGRAL, NUMERIC, bool_, int64
from ..kernels.backward import power as backward
from ..kernels.forward import power as forward
from ..tensor import Tensor
from .arithmetic import zero_gradient
from .choice import where
from .comparison import eq, ge, logical_and
from .elementwise_kind import elementwise
from .exponential import log


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
    return zero_gradient(grad) if exponent == 0 else grad * (pow(input, exponent - 1) * exponent)


def _pow_grad_exponent(grad, input, exponent, output):
    if isinstance(input, Tensor):
        return where(logical_and(eq(input, 0), ge(exponent, 0)), 0.0, grad * (output * log(input)))
    if input == 0:
        return where(ge(exponent, 0), 0.0, grad * (output * -math.inf))
    return grad * (output * (math.log(input) if input > 0 else math.nan))


pow.vjp((_pow_grad_input, _pow_grad_exponent))


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


@elementwise(
    forward.hypot,
    backward.hypot,
    saves=("input", "other", "output"),
    inplace=True,
    out=True,
)
def hypot(input, other):
    """Compute the hypotenuse, sqrt(input^2 + other^2), without overflow of the squares.

    Args:
        input: a tensor.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A floating tensor of the broadcast shape.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.hypot``.

    Example:
        >>> import numtensor as nt
        >>> nt.hypot(nt.tensor([3.0]), nt.tensor([4.0]))
        tensor([5.])
    """


hypot.vjp(
    (
        lambda grad, input, other, output: grad * (input / output),
        lambda grad, input, other, output: grad * (other / output),
    )
)
