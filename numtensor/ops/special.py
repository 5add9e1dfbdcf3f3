"""Special functions of elements: the error function and its complement."""

from ..kernels.backward import special as backward
from ..kernels.forward import special as forward
from .elementwise_kind import elementwise
from .exponential import exp

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
