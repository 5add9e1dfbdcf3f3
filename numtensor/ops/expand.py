"""Elements repeated without a copy, and the sum that is their gradient."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..tensor import Tensor
from . import operands
from .general_kind import composite, library
from .general_kind import view as view_op
from .shape import as_shape


def expand_array(op, array, size):
    """Return a view of `array` broadcast to `size`, where -1 keeps an extent.

    Raises:
        RuntimeError: it does not broadcast to that; names the op.
    """
    shape, strides = array.shape, array.strides
    lead = len(size) - len(shape)
    if lead < 0:
        raise RuntimeError(
            f"{op}: the number of sizes provided ({len(size)}) must be greater or equal to the number of dimensions in "
            f"the tensor ({len(shape)}): shape {shape}, size {size}"
        )
    extents, steps = [], []
    for position, extent in enumerate(size):
        own = shape[position - lead] if position >= lead else None
        if extent == -1:
            if own is None:
                raise RuntimeError(
                    f"{op}: the size -1 isn't allowed in a leading, non-existing dimension {position} of {size}"
                )
            extent = own
        if extent == own:
            steps.append(strides[position - lead])
        elif extent >= 0 and own in (None, 1):
            steps.append(0)
        else:
            raise RuntimeError(
                f"{op}: the expanded size ({extent}) must match the existing size ({own}) at non-singleton dimension "
                f"{position}: target sizes {size}, tensor sizes {shape}"
            )
        extents.append(extent)
    if not lead and tuple(extents) == shape:
        return array[...]
    if array.size and array.flags.c_contiguous:
        # What as_strided does, in a twentieth of the time.
        return np.ndarray(tuple(extents), array.dtype, array, 0, tuple(steps))
    return as_strided(array, tuple(extents), tuple(steps), writeable=array.flags.writeable)


@view_op(varargs="size", namespace="Tensor")
def expand(input, size):
    """Repeat along dimensions of extent 1, and new leading ones, without a copy.

    Args:
        input: a tensor.
        size: extents of the result; -1 keeps one.

    Returns:
        A view in which repeated elements are one memory location: it may not be written to.

    Raises:
        RuntimeError: the shape does not broadcast to `size`.

    Reference: ``torch.Tensor.expand``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([[1], [2]]).expand(-1, 3)
        tensor([[1, 1, 1],
                [2, 2, 2]])
    """


@expand.forward
def _(input, size):
    return expand_array("expand", input, as_shape("expand", size))


@expand.backward
def _(grad, needs, input, size):
    return operands.sum_to_shape(grad, input)


@expand.vjp
def _(grad, needs, input, size):
    return sum_to_size(grad, tuple(input))


@library("NumPy's add.reduce walks dimensions in memory order", varargs="size", namespace="Tensor", linear=True)
def sum_to_size(input, size):
    """Sum over the dimensions that broadcasting `size` to this shape repeats: the transpose of `expand`.

    Args:
        input: a tensor.
        size: a shape that broadcasts to the input's.

    Returns:
        A tensor of shape `size`; integers are summed in int64.

    Raises:
        RuntimeError: `size` does not broadcast to the input's shape.

    Reference: ``torch.Tensor.sum_to_size``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([[1.0, 2.0], [3.0, 4.0]]).sum_to_size(2, 1)
        tensor([[3.],
                [7.]])
    """


@sum_to_size.forward
def _(input, size):
    size = as_shape("sum_to_size", size)
    shape = input.shape
    lead = len(shape) - len(size)
    if lead < 0 or any(extent not in (1, whole) for extent, whole in zip(size, shape[lead:], strict=True)):
        raise RuntimeError(f"sum_to_size: size {size} is not expandable to size {shape}")
    if shape == size:
        return input.copy()
    if input.dtype.kind != "f":
        input = input.astype(np.int64)
    return operands.sum_to_shape(input, size)


@sum_to_size.backward
def _(grad, needs, input, size):
    return np.broadcast_to(grad, input)


@sum_to_size.vjp
def _(grad, needs, input, size):
    return expand(grad, tuple(input))


@composite(namespace="Tensor")
def expand_as(input, other: Tensor):
    """Expand to the shape of another tensor.

    Args:
        input: a tensor.
        other: the tensor whose shape is meant.

    Returns:
        A view, as `expand`.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.Tensor.expand_as``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([1, 2]).expand_as(nt.zeros(2, 2))
        tensor([[1, 2],
                [1, 2]])
    """
    shape = operands.unwrap("expand_as", "other", other).shape
    expand_array("expand_as", operands.unwrap("expand_as", "input", input), shape)
    return expand(input, shape)


@composite(varargs="size")
def broadcast_to(input, size):
    """Broadcast to a shape without a copy.

    Args:
        input: a tensor.
        size: extents of the result; -1 keeps one.

    Returns:
        A view, as `expand`.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.broadcast_to``.

    Example:
        >>> import numtensor as nt
        >>> nt.broadcast_to(nt.tensor([1, 2]), (2, 2))
        tensor([[1, 2],
                [1, 2]])
    """
    expand_array("broadcast_to", operands.unwrap("broadcast_to", "input", input), as_shape("broadcast_to", size))
    return expand(input, size)


@composite(tensors=(), method=False)
def broadcast_tensors(*tensors) -> tuple[Tensor, ...]:
    """Broadcast tensors against each other.

    Args:
        tensors: tensors whose shapes broadcast.

    Returns:
        A tuple of views of one shape.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.broadcast_tensors``.

    Example:
        >>> import numtensor as nt
        >>> [x.tolist() for x in nt.broadcast_tensors(nt.tensor([1, 2]), nt.tensor([[3], [4]]))]
        [[[1, 2], [1, 2]], [[3, 3], [4, 4]]]
    """
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tensors[0]
    shapes = [operands.unwrap("broadcast_tensors", "tensors", one).shape for one in tensors]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise RuntimeError(
            f"broadcast_tensors: the shapes {shapes} do not match: sizes must be equal or 1, compared from the last "
            "dimension"
        ) from None
    return tuple([expand(one, shape) for one in tensors])
