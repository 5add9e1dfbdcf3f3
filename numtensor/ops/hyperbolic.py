"""Hyperbolic functions of elements."""

from ..kernels.backward import hyperbolic as backward
from ..kernels.forward import hyperbolic as forward
from .elementwise_kind import elementwise
from .power import rsqrt


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
    forward.asinh,
    backward.asinh,
    saves="input",
    integers="float",
    inplace=True,
    out=True,
    aliases=("arcsinh",),
)
def asinh(input):
    """Compute the inverse hyperbolic sine.

    Args:
        input: a tensor; integral and bool ones are computed in the default dtype.

    Returns:
        A floating tensor of the same shape.

    Reference: ``torch.asinh``.

    Example:
        >>> import numtensor as nt
        >>> nt.asinh(nt.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8814])
    """


asinh.vjp((lambda grad, input: grad * rsqrt(input * input + 1),))


@elementwise(
    forward.acosh,
    backward.acosh,
    saves="input",
    integers="float",
    inplace=True,
    out=True,
    aliases=("arccosh",),
)
def acosh(input):
    """Compute the inverse hyperbolic cosine.

    Args:
        input: a tensor; integral and bool ones are computed in the default dtype.

    Returns:
        A floating tensor of the same shape; nan below 1.

    Reference: ``torch.acosh``.

    Example:
        >>> import numtensor as nt
        >>> nt.acosh(nt.tensor([1.0, 2.0]))
        tensor([0.0000, 1.3170])
    """


acosh.vjp((lambda grad, input: grad * rsqrt(input * input - 1),))


@elementwise(
    forward.atanh,
    backward.atanh,
    saves="input",
    integers="float",
    inplace=True,
    out=True,
    aliases=("arctanh",),
)
def atanh(input):
    """Compute the inverse hyperbolic tangent.

    Args:
        input: a tensor; integral and bool ones are computed in the default dtype.

    Returns:
        A floating tensor of the same shape; infinite at -1 and 1, nan outside.

    Reference: ``torch.atanh``.

    Example:
        >>> import numtensor as nt
        >>> nt.atanh(nt.tensor([0.0, 0.5]))
        tensor([0.0000, 0.5493])
    """


atanh.vjp((lambda grad, input: grad / (1 - input * input),))
