"""Comparisons, logical and bitwise ops, and tests for special values. None has a gradient."""

from ..dtypes import ALL, INTEGRAL, bool_
from ..kernels.forward import comparison as forward
from .elementwise_kind import elementwise

BITS = (bool_, *INTEGRAL)


@elementwise(
    forward.eq,
    dtypes=ALL,
    operators=("__eq__",),
    inplace=True,
    out=True,
)
def eq(input, other):
    """Compare elementwise: input == other; False beside nan.

    Args:
        input: a tensor, or a number.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A bool tensor of the broadcast shape; the comparison is made in the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.eq``.

    Example:
        >>> import numtensor as nt
        >>> nt.eq(nt.tensor([1.0, 2.0, 3.0]), 2)
        tensor([False,  True, False])
    """


@elementwise(
    forward.ne,
    dtypes=ALL,
    operators=("__ne__",),
    aliases=("not_equal",),
    inplace=True,
    out=True,
)
def ne(input, other):
    """Compare elementwise: input != other; True beside nan.

    Args:
        input: a tensor, or a number.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A bool tensor of the broadcast shape; the comparison is made in the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.ne``.

    Example:
        >>> import numtensor as nt
        >>> nt.ne(nt.tensor([1.0, 2.0, 3.0]), 2)
        tensor([ True, False,  True])
    """


@elementwise(
    forward.lt,
    dtypes=ALL,
    operators=("__lt__",),
    aliases=("less",),
    inplace=True,
    out=True,
)
def lt(input, other):
    """Compare elementwise: input < other; False beside nan.

    Args:
        input: a tensor, or a number.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A bool tensor of the broadcast shape; the comparison is made in the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.lt``.

    Example:
        >>> import numtensor as nt
        >>> nt.lt(nt.tensor([1.0, 2.0, 3.0]), 2)
        tensor([ True, False, False])
    """


@elementwise(
    forward.le,
    dtypes=ALL,
    operators=("__le__",),
    aliases=("less_equal",),
    inplace=True,
    out=True,
)
def le(input, other):
    """Compare elementwise: input <= other; False beside nan.

    Args:
        input: a tensor, or a number.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A bool tensor of the broadcast shape; the comparison is made in the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.le``.

    Example:
        >>> import numtensor as nt
        >>> nt.le(nt.tensor([1.0, 2.0, 3.0]), 2)
        tensor([ True,  True, False])
    """


@elementwise(
    forward.gt,
    dtypes=ALL,
    operators=("__gt__",),
    aliases=("greater",),
    inplace=True,
    out=True,
)
def gt(input, other):
    """Compare elementwise: input > other; False beside nan.

    Args:
        input: a tensor, or a number.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A bool tensor of the broadcast shape; the comparison is made in the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.gt``.

    Example:
        >>> import numtensor as nt
        >>> nt.gt(nt.tensor([1.0, 2.0, 3.0]), 2)
        tensor([False, False,  True])
    """


@elementwise(
    forward.ge,
    dtypes=ALL,
    operators=("__ge__",),
    aliases=("greater_equal",),
    inplace=True,
    out=True,
)
def ge(input, other):
    """Compare elementwise: input >= other; False beside nan.

    Args:
        input: a tensor, or a number.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A bool tensor of the broadcast shape; the comparison is made in the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.ge``.

    Example:
        >>> import numtensor as nt
        >>> nt.ge(nt.tensor([1.0, 2.0, 3.0]), 2)
        tensor([False,  True,  True])
    """


@elementwise(
    forward.logical_and,
    dtypes=ALL,
    inplace=True,
    out=True,
)
def logical_and(input, other):
    """Return whether both elements are True: input and other.

    Args:
        input: a tensor of any dtype; what is not 0 counts as True, nan too.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.logical_and``.

    Example:
        >>> import numtensor as nt
        >>> nt.logical_and(nt.tensor([True, True, False]), nt.tensor([True, False, False]))
        tensor([ True, False, False])
    """


@elementwise(
    forward.logical_or,
    dtypes=ALL,
    inplace=True,
    out=True,
)
def logical_or(input, other):
    """Return whether either element is True: input or other.

    Args:
        input: a tensor of any dtype; what is not 0 counts as True, nan too.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.logical_or``.

    Example:
        >>> import numtensor as nt
        >>> nt.logical_or(nt.tensor([True, True, False]), nt.tensor([True, False, False]))
        tensor([ True,  True, False])
    """


@elementwise(
    forward.logical_xor,
    dtypes=ALL,
    inplace=True,
    out=True,
)
def logical_xor(input, other):
    """Return whether exactly one element is True.

    Args:
        input: a tensor of any dtype; what is not 0 counts as True, nan too.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.logical_xor``.

    Example:
        >>> import numtensor as nt
        >>> nt.logical_xor(nt.tensor([True, True, False]), nt.tensor([True, False, False]))
        tensor([False,  True, False])
    """


@elementwise(
    forward.logical_not,
    dtypes=ALL,
    inplace=True,
    out=True,
)
def logical_not(input):
    """Return whether each element is False: not input.

    Args:
        input: a tensor of any dtype; what is not 0 counts as True, nan too.

    Returns:
        A bool tensor of the same shape.

    Reference: ``torch.logical_not``.

    Example:
        >>> import numtensor as nt
        >>> nt.logical_not(nt.tensor([1.5, 0.0]))
        tensor([False,  True])
    """


@elementwise(forward.isnan, dtypes=ALL)
def isnan(input):
    """Return whether each element is nan.

    Args:
        input: a tensor of any dtype.

    Returns:
        A bool tensor of the same shape.

    Reference: ``torch.isnan``.

    Example:
        >>> import numtensor as nt
        >>> nt.isnan(nt.tensor([1.0, float("inf"), float("nan")]))
        tensor([False, False,  True])
    """


@elementwise(forward.isinf, dtypes=ALL)
def isinf(input):
    """Return whether each element is inf or -inf.

    Args:
        input: a tensor of any dtype.

    Returns:
        A bool tensor of the same shape.

    Reference: ``torch.isinf``.

    Example:
        >>> import numtensor as nt
        >>> nt.isinf(nt.tensor([1.0, float("inf"), float("nan")]))
        tensor([False,  True, False])
    """


@elementwise(forward.isfinite, dtypes=ALL)
def isfinite(input):
    """Return whether each element is neither nan nor infinite.

    Args:
        input: a tensor of any dtype.

    Returns:
        A bool tensor of the same shape.

    Reference: ``torch.isfinite``.

    Example:
        >>> import numtensor as nt
        >>> nt.isfinite(nt.tensor([1.0, float("inf"), float("nan")]))
        tensor([ True, False, False])
    """


@elementwise(
    forward.bitwise_and,
    dtypes=BITS,
    operators=("__and__", "__rand__"),
    inplace=True,
    out=True,
)
def bitwise_and(input, other):
    """Combine bits elementwise: input & other, the bits set in both; of bools, the logical op.

    Args:
        input: a tensor of integers or bools, or a number.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.
        NotImplementedError: an operand is floating.

    Reference: ``torch.bitwise_and``.

    Example:
        >>> import numtensor as nt
        >>> nt.bitwise_and(nt.tensor([6, 5]), 3)
        tensor([2, 1])
    """


@elementwise(
    forward.bitwise_or,
    dtypes=BITS,
    operators=("__or__", "__ror__"),
    inplace=True,
    out=True,
)
def bitwise_or(input, other):
    """Combine bits elementwise: input | other, the bits set in either; of bools, the logical op.

    Args:
        input: a tensor of integers or bools, or a number.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.
        NotImplementedError: an operand is floating.

    Reference: ``torch.bitwise_or``.

    Example:
        >>> import numtensor as nt
        >>> nt.bitwise_or(nt.tensor([6, 5]), 3)
        tensor([7, 7])
    """


@elementwise(
    forward.bitwise_xor,
    dtypes=BITS,
    operators=("__xor__", "__rxor__"),
    inplace=True,
    out=True,
)
def bitwise_xor(input, other):
    """Combine bits elementwise: input ^ other, the bits set in exactly one; of bools, the logical op.

    Args:
        input: a tensor of integers or bools, or a number.
        other: a tensor that broadcasts with `input`, or a number.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.
        NotImplementedError: an operand is floating.

    Reference: ``torch.bitwise_xor``.

    Example:
        >>> import numtensor as nt
        >>> nt.bitwise_xor(nt.tensor([6, 5]), 3)
        tensor([5, 6])
    """


@elementwise(
    forward.bitwise_not,
    dtypes=INTEGRAL,
    overrides={bool_: forward.logical_not},
    operators=("__invert__",),
    inplace=True,
    out=True,
)
def bitwise_not(input):
    """Flip every bit: ~input; of bools, the logical not.

    Args:
        input: a tensor of integers or bools.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        NotImplementedError: the dtype is floating.

    Reference: ``torch.bitwise_not``.

    Example:
        >>> import numtensor as nt
        >>> nt.bitwise_not(nt.tensor([True, False]))
        tensor([False,  True])
    """
