"""Elements rounded to whole numbers."""

import numpy as np

from ..dtypes import INTEGRAL
from ..kernels.backward import arithmetic as backward
from ..kernels.forward import rounding as forward
from .arithmetic import zero_gradient
from .elementwise_kind import elementwise
from .general_kind import composite
from .operands import unwrap


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


floor.vjp((lambda grad, input: zero_gradient(grad),))


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


ceil.vjp((lambda grad, input: zero_gradient(grad),))


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


trunc.vjp((lambda grad, input: zero_gradient(grad),))


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


round.vjp((lambda grad, input: zero_gradient(grad),))


@round.keyword_rule
def _(input, decimals):
    if not decimals:
        return round(input)
    if not input.dtype.is_floating_point:
        raise NotImplementedError(f"round: not implemented for dtype {input.dtype.name} with decimals={decimals}")
    scale = 10.0 ** abs(decimals)
    return round(input * scale) / scale if decimals > 0 else round(input / scale) * scale


@composite(inplace=True, out=True)
def frac(input):
    """Return the fraction of the elements, with their sign: input - trunc(input).

    Args:
        input: a floating tensor.

    Returns:
        A tensor of the same shape and dtype; nan at infinities.

    Raises:
        NotImplementedError: the tensor is not floating.

    Reference: ``torch.frac``.

    Example:
        >>> import numtensor as nt
        >>> nt.frac(nt.tensor([1.5, -2.25]))
        tensor([ 0.5000, -0.2500])
    """
    array = unwrap("frac", "input", input)
    if array.dtype.kind != "f":
        raise NotImplementedError(f"frac: not implemented for dtype {input.dtype}; integers have no fraction")
    return input - trunc(input)
