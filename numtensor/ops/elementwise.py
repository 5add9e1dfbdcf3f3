"""Arithmetic and elementary functions. Activations stand in ``activation.py``, comparisons in ``comparison.py``."""

from ..dtypes import NUMERIC
from ..kernels.backward import elementwise as backward
from ..kernels.forward import elementwise as forward
from .elementwise_kind import elementwise


@elementwise(
    forward.mul,
    backward.mul,
    saves={"input": "other", "other": "input"},
    dtypes=NUMERIC,
    operators=("__mul__", "__rmul__"),
    aliases=("multiply",),
    inplace=True,
    out=True,
)
def mul(input, other):
    """Multiply elementwise: input * other.

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
    forward.exp,
    backward.exp,
    saves="output",
    integers="float",
    inplace=True,
    out=True,
)
def exp(input):
    """Compute e to the power of each element.

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
    forward.add,
    backward.add,
    dtypes=NUMERIC,
    operators=("__add__", "__radd__"),
    inplace=True,
    out=True,
    linear=True,
)
def add(input, other):
    """Add elementwise: input + other.

    Args:
        input: a tensor, or a number.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.add``.

    Example:
        >>> import numtensor as nt
        >>> nt.add(nt.tensor([1.0, 2.0]), 3)
        tensor([4., 5.])
    """


add.vjp((lambda grad, input, other: grad, lambda grad, input, other: grad))
