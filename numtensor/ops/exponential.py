"""Exponentials and logarithms of elements."""

from ..kernels.backward import exponential as backward
from ..kernels.forward import exponential as forward
from .elementwise_kind import elementwise

LN_2 = 0.6931471805599453
LN_10 = 2.302585092994046


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


@elementwise(
    forward.logaddexp,
    backward.logaddexp,
    saves=("input", "other"),
    out=True,
)
def logaddexp(input, other):
    """Compute log(exp(input) + exp(other)) without overflow.

    Args:
        input: a tensor.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A floating tensor of the broadcast shape.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.logaddexp``.

    Example:
        >>> import numtensor as nt
        >>> nt.logaddexp(nt.tensor([0.0]), nt.tensor([0.0]))
        tensor([0.6931])
    """


logaddexp.vjp(
    (
        lambda grad, input, other: grad * (input - other).sigmoid(),
        lambda grad, input, other: grad * (other - input).sigmoid(),
    )
)
