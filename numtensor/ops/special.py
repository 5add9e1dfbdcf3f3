"""Special functions of elements: the error function, x log y, the cardinal sine."""

import math

from ..kernels.backward import special as backward
from ..kernels.forward import special as forward
from .choice import where
from .comparison import eq, le, logical_and
from .elementwise_kind import elementwise
from .exponential import exp
from .trigonometric import cos

TWO_OVER_SQRT_PI = 1.1283791670955126


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


@elementwise(
    forward.xlogy,
    backward.xlogy,
    saves=("input", "other"),
    integers="float",
    inplace=True,
    out=True,
)
def xlogy(input, other):
    """Compute input * log(other), and 0 where the input is 0, unless `other` is nan.

    Args:
        input: a tensor.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A floating tensor of the broadcast shape.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.xlogy``.

    Example:
        >>> import numtensor as nt
        >>> nt.xlogy(nt.tensor([0.0, 2.0]), nt.tensor([0.0, 1.0]))
        tensor([0., 0.])
    """


xlogy.vjp(
    (
        lambda grad, input, other: where(logical_and(eq(input, 0), le(other, 0)), 0.0, xlogy(grad, other)),
        lambda grad, input, other: grad * input / other,
    )
)


def _sinc_vjp(grad, input):
    zero = eq(input, 0)
    nonzero = where(zero, 1.0, input)
    return where(zero, 0.0, grad * (cos(nonzero * math.pi) - sinc(nonzero)) / nonzero)


@elementwise(forward.sinc, backward.sinc, saves="input", integers="float", inplace=True, out=True)
def sinc(input):
    """Compute the normalised cardinal sine, sin(pi * input) / (pi * input), and 1 at 0.

    Args:
        input: a tensor; integral and bool ones are computed in the default dtype.

    Returns:
        A floating tensor of the same shape.

    Reference: ``torch.sinc``.

    Example:
        >>> import numtensor as nt
        >>> nt.sinc(nt.tensor([0.0, 0.5]))
        tensor([1.0000, 0.6366])
    """


sinc.vjp((_sinc_vjp,))
