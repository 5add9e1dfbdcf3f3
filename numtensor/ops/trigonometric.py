"""Trigonometric functions of elements, and their inverses."""

import math

from ..kernels.backward import trigonometric as backward
from ..kernels.forward import trigonometric as forward
from .arithmetic import mul
from .elementwise_kind import elementwise
from .general_kind import composite
from .operands import unwrap
from .power import rsqrt


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


@composite(inplace=True, out=True)
def deg2rad(input):
    """Convert degrees to radians: input * pi / 180.

    Args:
        input: a tensor.

    Returns:
        A floating tensor of the same shape.

    Raises:
        TypeError: the input is no tensor.

    Reference: ``torch.deg2rad``.

    Example:
        >>> import numtensor as nt
        >>> nt.deg2rad(nt.tensor([180.0, -90.0]))
        tensor([ 3.1416, -1.5708])
    """
    unwrap("deg2rad", "input", input)
    return mul(input, math.pi / 180)


@composite(inplace=True, out=True)
def rad2deg(input):
    """Convert radians to degrees: input * 180 / pi.

    Args:
        input: a tensor.

    Returns:
        A floating tensor of the same shape.

    Raises:
        TypeError: the input is no tensor.

    Reference: ``torch.rad2deg``.

    Example:
        >>> import numtensor as nt
        >>> nt.rad2deg(nt.tensor([0.5]))
        tensor([28.6479])
    """
    unwrap("rad2deg", "input", input)
    return mul(input, 180 / math.pi)


@elementwise(
    forward.atan2,
    backward.atan2,
    saves=("input", "other"),
    integers="float",
    inplace=True,
    out=True,
    aliases=("arctan2",),
)
def atan2(input, other):
    """Compute the angle of the point (other, input), atan(input / other) in the right quadrant, from -pi to pi radians.

    Args:
        input: a tensor: the second coordinate.
        other: the first coordinate, a tensor that broadcasts with `input`, or a number.

    Returns:
        A floating tensor of the broadcast shape.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.atan2``.

    Example:
        >>> import numtensor as nt
        >>> nt.atan2(nt.tensor([1.0, 1.0]), nt.tensor([1.0, -1.0]))
        tensor([0.7854, 2.3562])
    """


atan2.vjp(
    (
        lambda grad, input, other: grad * other / (input * input + other * other),
        lambda grad, input, other: -grad * input / (input * input + other * other),
    )
)
