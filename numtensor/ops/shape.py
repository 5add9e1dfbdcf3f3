"""Ops that change the shape: views of their input's memory, and their compositions.

Ops that copy elements to other places (flip, roll, repeat) stand in ``join.py``; indexing in ``indexing.py``.
"""

import itertools
import math
import operator

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..tensor import Tensor
from . import operands
from .conversion import clone
from .dims import normalise_dim
from .general_kind import composite, library
from .general_kind import view as view_op
from .view_gradient import embed_array

# ---------------------------------------------------------------------------------------------------------------------
# The gradients of views: two linear ops, each the transpose of the other


@library("a strided copy into zeros", method=False, namespace="ops", linear=True)
def embed(input, shape, replay):
    """Put a tensor into zeros, at the place that a view shows: the transpose of taking the view.

    Args:
        input: a tensor of the view's shape.
        shape: of the result.
        replay: a function from an array of `shape` to the view of it.

    Returns:
        A tensor of `shape`; elements that the view shows several times hold the sum.

    Example:
        >>> import numtensor as nt
        >>> nt.ops.embed(nt.tensor([1.0, 2.0]), (4,), lambda array: array[::2])
        tensor([1., 0., 2., 0.])
    """


embed.forward(embed_array)


@embed.backward
def _(grad, needs, input, shape, replay):
    return replay(grad)


@embed.vjp
def _(grad, needs, input, shape, replay):
    return extract(grad, replay)


@library("a strided copy", method=False, namespace="ops", linear=True)
def extract(input, replay):
    """Copy the part of a tensor that a view shows: the transpose of `embed`.

    Args:
        input: a tensor.
        replay: a function from an array of the input's shape to the view of it.

    Returns:
        A tensor of the view's shape with its own memory.

    Example:
        >>> import numtensor as nt
        >>> nt.ops.extract(nt.tensor([1.0, 2.0, 3.0]), lambda array: array[::2])
        tensor([1., 3.])
    """


@extract.forward
def _(input, replay):
    return replay(input).copy()


@extract.backward
def _(grad, needs, input, replay):
    return embed_array(grad, input, replay)


@extract.vjp
def _(grad, needs, input, replay):
    return embed(grad, input, replay)


def _transpose_is_embed(op):
    """Give a view op its gradient: the incoming one in zeros, at the view's place."""

    @op.backward
    def _(grad, needs, shape, *arguments):
        return embed_array(grad, shape, lambda array: op._forward(array, *arguments))

    @op.vjp
    def _(grad, needs, shape, *arguments):
        return embed(grad, shape, lambda array: op._forward(array, *arguments))


def _as_several(grads):
    """Return the gradients of several results as a sequence: that of a single one comes alone."""
    return grads if isinstance(grads, (list, tuple)) else (grads,)


def _embeds_results(op):
    """The same for a view op with several results, whose gradients may be missing."""

    @op.backward
    def _(grads, needs, shape, *arguments):
        grads = _as_several(grads)
        whole = np.zeros(shape, next(g for g in grads if g is not None).dtype)
        for part, grad in zip(op._forward(whole, *arguments), grads, strict=True):
            if grad is not None:
                np.copyto(part, grad)
        return whole

    @op.vjp
    def _(grads, needs, shape, *arguments):
        total = None
        for number, grad in enumerate(_as_several(grads)):
            if grad is not None:
                one = embed(grad, shape, lambda array, number=number: op._forward(array, *arguments)[number])
                total = one if total is None else total + one
        return total


# ---------------------------------------------------------------------------------------------------------------------
# The same elements in another shape


def as_shape(op, shape):
    """Return a shape argument as a tuple of ints.

    Raises:
        TypeError: it is not made of integers; names the op.
    """
    if type(shape) is tuple:
        for extent in shape:
            if type(extent) is not int:
                break
        else:
            return shape
    try:
        if isinstance(shape, (int, np.integer)):
            return (operator.index(shape),)
        return tuple([operator.index(extent) for extent in shape])
    except TypeError:
        raise TypeError(f"{op}: the shape must be integers, got {shape!r}") from None


def _shape_error(op, shape, array):
    """Return the exception for a shape that an array cannot take."""
    if any(extent < -1 for extent in shape):
        where = next(i for i, extent in enumerate(shape) if extent < -1)
        return RuntimeError(f"{op}: invalid shape dimension {shape[where]} at index {where} of shape {shape}")
    if shape.count(-1) > 1:
        return RuntimeError(f"{op}: only one dimension can be inferred, but shape {shape} has several -1")
    if -1 in shape and array.size == 0 and 0 in shape:
        return RuntimeError(
            f"{op}: cannot reshape tensor of 0 elements into shape {shape} because the unspecified dimension size -1 "
            "can be any value and is ambiguous"
        )
    return RuntimeError(f"{op}: shape {shape} is invalid for input of size {array.size} (shape {array.shape})")


def _reshaped(op, array, shape):
    try:
        result = array.reshape(shape)
    except ValueError:
        raise _shape_error(op, shape, array) from None
    if result.shape != shape and (-1 not in shape or min(shape) < -1):
        raise _shape_error(op, shape, array)
    return result


def _shares(result, array):
    return array.flags.c_contiguous or result.size == 0 or np.may_share_memory(result, array)


@view_op(varargs="shape", namespace="Tensor")
def view(input, shape):
    """View the same memory with another shape.

    Args:
        input: a tensor whose memory can be walked in the new shape; a contiguous one always can.
        shape: extents, one of which may be -1: inferred.

    Returns:
        A view of that shape.

    Raises:
        RuntimeError: the number of elements differs, or the memory layout does not allow a view.

    Reference: ``torch.Tensor.view``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([[1, 2], [3, 4]]).view(4)
        tensor([1, 2, 3, 4])
    """


@view.forward
def _(input, shape):
    shape = as_shape("view", shape)
    result = _reshaped("view", input, shape)
    if not _shares(result, input):
        raise RuntimeError(
            f"view: view size is not compatible with input tensor's size {input.shape} and stride (at least one "
            f"dimension of {shape} spans across two contiguous subspaces). Use .reshape(...) instead."
        )
    return result


@view.backward
def _(grad, needs, input, shape):
    return grad.reshape(input)


@view.vjp
def _(grad, needs, input, shape):
    return grad.reshape(tuple(input))


@composite(varargs="shape")
def reshape(input, shape):
    """Give the elements, in row-major order, another shape.

    Args:
        input: a tensor.
        shape: extents, one of which may be -1: inferred.

    Returns:
        A view of that shape where the memory allows one, else a copy.

    Raises:
        RuntimeError: the number of elements differs.

    Reference: ``torch.reshape``.

    Example:
        >>> import numtensor as nt
        >>> nt.reshape(nt.tensor([[1, 2], [3, 4]]), (-1,))
        tensor([1, 2, 3, 4])
    """
    array = operands.unwrap("reshape", "input", input)
    if not array.flags.c_contiguous:
        shape = as_shape("reshape", shape)
        if not _shares(_reshaped("reshape", array, shape), array):
            return view(clone(input), shape)
    try:
        return view(input, shape)
    except RuntimeError:
        _reshaped("reshape", array, as_shape("reshape", shape))
        raise


@composite(namespace="Tensor")
def view_as(input, other):
    """View the same memory with the shape of another tensor.

    Args:
        input: a tensor.
        other: the tensor whose shape is meant.

    Returns:
        A view.

    Raises:
        RuntimeError: as `view`.

    Reference: ``torch.Tensor.view_as``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([1, 2, 3, 4]).view_as(nt.tensor([[0, 0], [0, 0]]))
        tensor([[1, 2],
                [3, 4]])
    """
    return view(input, operands.unwrap("view_as", "other", other).shape)


@composite(namespace="Tensor")
def reshape_as(input, other):
    """Give the elements the shape of another tensor.

    Args:
        input: a tensor.
        other: the tensor whose shape is meant.

    Returns:
        A view or a copy, as `reshape`.

    Raises:
        RuntimeError: the number of elements differs.

    Reference: ``torch.Tensor.reshape_as``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([1, 2, 3, 4]).reshape_as(nt.tensor([[0, 0], [0, 0]]))
        tensor([[1, 2],
                [3, 4]])
    """
    return reshape(input, operands.unwrap("reshape_as", "other", other).shape)


@composite()
def flatten(input, start_dim=0, end_dim=-1):
    """Join neighbouring dimensions into one.

    Args:
        input: a tensor.
        start_dim, end_dim: the first and last dimension to join.

    Returns:
        A view or a copy, as `reshape`; a 0-d tensor becomes 1-d.

    Raises:
        IndexError: a dimension is out of range.
        RuntimeError: `start_dim` comes after `end_dim`.

    Reference: ``torch.flatten``.

    Example:
        >>> import numtensor as nt
        >>> nt.flatten(nt.zeros(2, 3, 4), 1).shape
        numtensor.Size([2, 12])
    """
    shape = operands.unwrap("flatten", "input", input).shape
    start, end = normalise_dim("flatten", start_dim, len(shape)), normalise_dim("flatten", end_dim, len(shape))
    if start > end:
        raise RuntimeError(f"flatten: start_dim {start_dim} cannot come after end_dim {end_dim} (shape {shape})")
    if start == end and shape:
        return input
    # An explicit extent, since -1 is ambiguous where there are no elements.
    return reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


@composite()
def ravel(input):
    """Return the elements in row-major order as one dimension.

    Args:
        input: a tensor.

    Returns:
        A view where the tensor is contiguous, else a copy.

    Reference: ``torch.ravel``.

    Example:
        >>> import numtensor as nt
        >>> nt.ravel(nt.tensor([[1, 2], [3, 4]]))
        tensor([1, 2, 3, 4])
    """
    return reshape(input, (operands.unwrap("ravel", "input", input).size,))


@composite()
def unflatten(input, dim, sizes):
    """Split one dimension into several.

    Args:
        input: a tensor.
        dim: the dimension.
        sizes: the extents in its place, one of which may be -1.

    Returns:
        A view.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: the sizes do not multiply up to the extent.

    Reference: ``torch.unflatten``.

    Example:
        >>> import numtensor as nt
        >>> nt.unflatten(nt.zeros(2, 12), 1, (3, -1)).shape
        numtensor.Size([2, 3, 4])
    """
    shape = operands.unwrap("unflatten", "input", input).shape
    dim, sizes = normalise_dim("unflatten", dim, len(shape)), as_shape("unflatten", sizes)
    if not shape:
        raise IndexError("unflatten: a 0-d tensor has no dimension to split")
    known = math.prod(extent for extent in sizes if extent != -1)
    if sizes.count(-1) == 1 and known > 0 and shape[dim] % known == 0:
        sizes = tuple([shape[dim] // known if extent == -1 else extent for extent in sizes])
    elif known != shape[dim] or -1 in sizes or not sizes:
        raise RuntimeError(
            f"unflatten: provided sizes {sizes} don't multiply up to the size of dim {dim} of shape {shape}"
        )
    return view(input, (*shape[:dim], *sizes, *shape[dim + 1 :]))


@view_op()
def squeeze(input, dim=None):
    """Drop dimensions of extent 1.

    Args:
        input: a tensor.
        dim: the dimension or dimensions to drop where their extent is 1; None for all.

    Returns:
        A view.

    Raises:
        IndexError: a dimension is out of range.
        RuntimeError: one appears twice.

    Reference: ``torch.squeeze``.

    Example:
        >>> import numtensor as nt
        >>> nt.squeeze(nt.zeros(1, 3, 1), -1).shape
        numtensor.Size([1, 3])
    """


@squeeze.forward
def _(input, dim):
    shape = input.shape
    if dim is None:
        return input.squeeze()
    ndim = len(shape)
    if isinstance(dim, (tuple, list)):
        dims = [normalise_dim("squeeze", one, ndim) for one in dim]
        if len(set(dims)) < len(dims):
            raise RuntimeError(f"squeeze: a dim appears multiple times in the list of dims {tuple(dim)}")
        return input.squeeze(tuple([one for one in dims if ndim and shape[one] == 1]))
    dim = normalise_dim("squeeze", dim, ndim)
    return input.squeeze(dim) if ndim and shape[dim] == 1 else input[...]


@squeeze.backward
def _(grad, needs, input, dim):
    return grad.reshape(input)


@squeeze.vjp
def _(grad, needs, input, dim):
    return grad.reshape(tuple(input))


@view_op()
def unsqueeze(input, dim):
    """Insert a dimension of extent 1.

    Args:
        input: a tensor.
        dim: its position in the result.

    Returns:
        A view.

    Raises:
        IndexError: `dim` is out of range.

    Reference: ``torch.unsqueeze``.

    Example:
        >>> import numtensor as nt
        >>> nt.unsqueeze(nt.tensor([1, 2]), 1)
        tensor([[1],
                [2]])
    """


@unsqueeze.forward
def _(input, dim):
    shape = input.shape
    dim = normalise_dim("unsqueeze", dim, len(shape) + 1)
    return input[(slice(None),) * dim + (None, ...)]


@unsqueeze.backward
def _(grad, needs, input, dim):
    return grad.reshape(input)


@unsqueeze.vjp
def _(grad, needs, input, dim):
    return grad.reshape(tuple(input))


# ---------------------------------------------------------------------------------------------------------------------
# The same elements in another order of dimensions


@view_op(aliases=("swapaxes", "swapdims"))
def transpose(input, dim0, dim1):
    """Swap two dimensions.

    Args:
        input: a tensor.
        dim0, dim1: the dimensions.

    Returns:
        A view.

    Raises:
        IndexError: a dimension is out of range.

    Reference: ``torch.transpose``.

    Example:
        >>> import numtensor as nt
        >>> nt.transpose(nt.tensor([[1, 2], [3, 4]]), 0, 1)
        tensor([[1, 3],
                [2, 4]])
    """


@transpose.forward
def _(input, dim0, dim1):
    try:
        return input.swapaxes(dim0, dim1)
    except (ValueError, TypeError):
        normalise_dim("transpose", dim0, input.ndim)
        normalise_dim("transpose", dim1, input.ndim)
        return input[...]


@transpose.backward
def _(grad, needs, input, dim0, dim1):
    return grad.swapaxes(dim0, dim1) if grad.ndim else grad


@transpose.vjp
def _(grad, needs, input, dim0, dim1):
    return transpose(grad, dim0, dim1)


@view_op()
def t(input):
    """Transpose a matrix; a vector or a number stays as it is.

    Args:
        input: a tensor of at most two dimensions.

    Returns:
        A view.

    Raises:
        RuntimeError: it has more than two dimensions.

    Reference: ``torch.t``.

    Example:
        >>> import numtensor as nt
        >>> nt.t(nt.tensor([[1, 2], [3, 4]]))
        tensor([[1, 3],
                [2, 4]])
    """


@t.forward
def _(input):
    if input.ndim > 2:
        raise RuntimeError(
            f"t: expects a tensor with <= 2 dimensions, but self is {input.ndim}D (shape {input.shape}); "
            "use .mT or transpose(dim0, dim1)"
        )
    return input.T


@t.backward
def _(grad, needs, input):
    return grad.T


@t.vjp
def _(grad, needs, input):
    return t(grad)


@view_op(varargs="dims")
def permute(input, dims):
    """Reorder the dimensions: dimension i of the result is dimension ``dims[i]`` of the input.

    Args:
        input: a tensor.
        dims: every dimension once.

    Returns:
        A view.

    Raises:
        IndexError: a dimension is out of range.
        RuntimeError: one is missing or appears twice.

    Reference: ``torch.permute``.

    Example:
        >>> import numtensor as nt
        >>> nt.permute(nt.zeros(2, 3, 4), (2, 0, 1)).shape
        numtensor.Size([4, 2, 3])
    """


@permute.forward
def _(input, dims):
    try:
        return input.transpose(dims if type(dims) is tuple else tuple(dims))
    except (ValueError, TypeError):
        pass
    ndim = input.ndim
    dims = as_shape("permute", dims)
    if len(dims) != ndim:
        raise RuntimeError(
            f"permute: the number of dimensions of the tensor (shape {input.shape}) does not match the length of the "
            f"desired ordering {dims}"
        )
    dims = [normalise_dim("permute", dim, ndim) for dim in dims]
    raise RuntimeError(f"permute: duplicate dims are not allowed, got {dims}")


def _inverse(dims):
    dims = as_shape("permute", dims)
    inverse = [0] * len(dims)
    for position, dim in enumerate(dims):
        inverse[dim] = position
    return tuple(inverse)


@permute.backward
def _(grad, needs, input, dims):
    return grad.transpose(_inverse(dims))


@permute.vjp
def _(grad, needs, input, dims):
    return permute(grad, _inverse(dims))


@composite(aliases=("moveaxis",))
def movedim(input, source, destination):
    """Move dimensions to other positions; the rest keep their order.

    Args:
        input: a tensor.
        source: a dimension, or several.
        destination: where each goes.

    Returns:
        A view.

    Raises:
        IndexError: a dimension is out of range.
        RuntimeError: the two differ in number, or a dimension appears twice.

    Reference: ``torch.movedim``.

    Example:
        >>> import numtensor as nt
        >>> nt.movedim(nt.zeros(2, 3, 4), 0, -1).shape
        numtensor.Size([3, 4, 2])
    """
    ndim = operands.unwrap("movedim", "input", input).ndim
    source = (source,) if isinstance(source, int) else tuple(source)
    destination = (destination,) if isinstance(destination, int) else tuple(destination)
    if len(source) != len(destination):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source {source} should contain the same number of dims as "
            f"destination {destination}"
        )
    origins = [normalise_dim("movedim", dim, ndim) for dim in source]
    places = [normalise_dim("movedim", dim, ndim) for dim in destination]
    if len(set(origins)) < len(origins) or len(set(places)) < len(places):
        raise RuntimeError(f"movedim: repeated dim in source {source} or destination {destination}")
    if not ndim:
        return permute(input, ())
    order = [dim for dim in range(ndim) if dim not in origins]
    for place, origin in sorted(zip(places, origins, strict=True)):
        order.insert(place, origin)
    return permute(input, tuple(order))


def _matrix_transpose(self):
    """A view with the last two dimensions swapped."""
    if self._array.ndim < 2:
        raise RuntimeError(
            f"mT: only supported on matrices or batches of matrices, got a tensor of shape {self._array.shape}"
        )
    return transpose(self, -2, -1)


def _reversed_dims(self):
    """A view with the order of all dimensions reversed."""
    return permute(self, tuple(range(self._array.ndim - 1, -1, -1)))


Tensor.T = property(_reversed_dims)
Tensor.mT = property(_matrix_transpose)


# ---------------------------------------------------------------------------------------------------------------------
# Elements repeated without a copy


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
def expand_as(input, other):
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
def broadcast_tensors(*tensors):
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


# ---------------------------------------------------------------------------------------------------------------------
# Parts


def _extent_of(op, array, dim):
    """Return (dim counted from the front, its extent); a 0-d tensor has none."""
    dim = normalise_dim(op, dim, array.ndim)
    if not array.ndim:
        raise IndexError(f"{op}: Dimension specified as {dim} but tensor has no dimensions")
    return dim, array.shape[dim]


def _along(dim, part):
    return (slice(None),) * dim + (part, ...)


@view_op()
def diagonal(input, offset=0, dim1=0, dim2=1):
    """View the diagonal of two dimensions as a new last dimension.

    Args:
        input: a tensor of at least two dimensions.
        offset: which diagonal: above the main one if positive, below it if negative.
        dim1, dim2: the dimensions, which the result lacks.

    Returns:
        A view.

    Raises:
        IndexError: a dimension is out of range.
        RuntimeError: the dimensions are the same.

    Reference: ``torch.diagonal``.

    Example:
        >>> import numtensor as nt
        >>> nt.diagonal(nt.tensor([[1, 2], [3, 4]]))
        tensor([1, 4])
    """


@diagonal.forward
def _(input, offset, dim1, dim2):
    first, second = normalise_dim("diagonal", dim1, input.ndim), normalise_dim("diagonal", dim2, input.ndim)
    if first == second:
        raise RuntimeError(f"diagonal: diagonal dimensions cannot be identical {dim1}, {dim2} (shape {input.shape})")
    # ndarray.diagonal gives a read-only view.
    down, right = max(-offset, 0), max(offset, 0)
    count = max(min(input.shape[first] - down, input.shape[second] - right), 0)
    part = input[tuple([slice(down if k == first else right if k == second else 0, None) for k in range(input.ndim)])]
    rest = [k for k in range(input.ndim) if k not in (first, second)]
    return as_strided(
        part,
        (*[part.shape[k] for k in rest], count),
        (*[part.strides[k] for k in rest], part.strides[first] + part.strides[second]),
        writeable=input.flags.writeable,
    )


_transpose_is_embed(diagonal)


@view_op(method="select")
def select(input, dim, index):
    """View one position of a dimension, which the result lacks.

    Args:
        input: a tensor.
        dim: the dimension.
        index: an int; negative ones count from the end.

    Returns:
        A view.

    Raises:
        IndexError: `dim` or `index` is out of range.

    Reference: ``torch.select``.

    Example:
        >>> import numtensor as nt
        >>> nt.select(nt.tensor([[1, 2], [3, 4]]), 1, 0)
        tensor([1, 3])
    """


@select.forward
def _(input, dim, index):
    dim, extent = _extent_of("select", input, dim)
    index = operator.index(index)
    if not -extent <= index < extent:
        raise IndexError(
            f"select: index {index} out of range for dimension {dim} of extent {extent} (shape {input.shape})"
        )
    return input[_along(dim, index)]


_transpose_is_embed(select)


@view_op()
def narrow(input, dim, start, length):
    """View a range of a dimension.

    Args:
        input: a tensor.
        dim: the dimension.
        start: the first position; negative ones count from the end.
        length: the number of positions.

    Returns:
        A view.

    Raises:
        IndexError: `dim` or `start` is out of range.
        RuntimeError: the range leaves the dimension.

    Reference: ``torch.narrow``.

    Example:
        >>> import numtensor as nt
        >>> nt.narrow(nt.tensor([1, 2, 3, 4]), 0, 1, 2)
        tensor([2, 3])
    """


@narrow.forward
def _(input, dim, start, length):
    dim, extent = _extent_of("narrow", input, dim)
    start, length = operator.index(start), operator.index(length)
    if length < 0:
        raise RuntimeError(f"narrow: length must be non-negative, got {length}")
    if not -extent <= start <= extent:
        raise IndexError(f"narrow: start {start} out of range for dimension {dim} of extent {extent}")
    start += extent if start < 0 else 0
    if start + length > extent:
        raise RuntimeError(f"narrow: start ({start}) + length ({length}) exceeds dimension size ({extent})")
    return input[_along(dim, slice(start, start + length))]


_transpose_is_embed(narrow)


@view_op()
def unfold(input, dimension, size, step):
    """View every window of a dimension: the result has the windows there, and their elements in a new last dimension.

    Args:
        input: a tensor.
        dimension: the dimension.
        size: the elements of a window.
        step: the distance between windows.

    Returns:
        A view; windows may overlap, and then it may not be written to.

    Raises:
        IndexError: `dimension` is out of range.
        RuntimeError: `size` exceeds the extent or is negative, or `step` is not positive.

    Reference: ``torch.Tensor.unfold``.

    Example:
        >>> import numtensor as nt
        >>> nt.unfold(nt.tensor([1, 2, 3, 4]), 0, 2, 1)
        tensor([[1, 2],
                [2, 3],
                [3, 4]])
    """


@unfold.forward
def _(input, dimension, size, step):
    dim = normalise_dim("unfold", dimension, input.ndim)
    shape, strides = input.shape or (1,), input.strides or (input.itemsize,)
    size, step = operator.index(size), operator.index(step)
    if not 0 <= size <= shape[dim]:
        raise RuntimeError(f"unfold: maximum size for tensor at dimension {dim} is {shape[dim]} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"unfold: step is {step} but must be > 0")
    count = (shape[dim] - size) // step + 1
    if not input.ndim:
        return as_strided(input, (size,), (input.itemsize,))
    return as_strided(
        input,
        (*shape[:dim], count, *shape[dim + 1 :], size),
        (*strides[:dim], strides[dim] * step, *strides[dim + 1 :], strides[dim]),
        writeable=input.flags.writeable,
    )


_transpose_is_embed(unfold)


@view_op(results=0)
def unbind(input, dim=0):
    """View every position of a dimension as a tensor of its own.

    Args:
        input: a tensor of at least one dimension.
        dim: the dimension.

    Returns:
        A tuple of views, which may not be changed in place where gradients are recorded.

    Raises:
        IndexError: `dim` is out of range.

    Reference: ``torch.unbind``.

    Example:
        >>> import numtensor as nt
        >>> nt.unbind(nt.tensor([[1, 2], [3, 4]]))
        (tensor([1, 2]), tensor([3, 4]))
    """


@unbind.forward
def _(input, dim):
    dim, extent = _extent_of("unbind", input, dim)
    lead = (slice(None),) * dim
    return [input[(*lead, position, ...)] for position in range(extent)]


_embeds_results(unbind)


@view_op(results=0)
def split_with_sizes(input, split_size_or_sections, dim=0):
    """Cut a dimension into pieces of given sizes.

    Args:
        input: a tensor of at least one dimension.
        split_size_or_sections: the size of each piece.
        dim: the dimension.

    Returns:
        A tuple of views, which may not be changed in place where gradients are recorded.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: the sizes do not sum to the extent, or one is negative.

    Reference: ``torch.split_with_sizes``.

    Example:
        >>> import numtensor as nt
        >>> nt.split_with_sizes(nt.tensor([1, 2, 3]), [1, 2])
        (tensor([1]), tensor([2, 3]))
    """


@split_with_sizes.forward
def _(input, split_size_or_sections, dim):
    name = "split_with_sizes"
    if not input.ndim:
        raise RuntimeError(f"{name}: expects at least a 1-dimensional tensor")
    dim, extent = _extent_of(name, input, dim)
    sizes = as_shape(name, split_size_or_sections)
    if sum(sizes) != extent or any(size < 0 for size in sizes):
        raise RuntimeError(
            f"{name}: expects non-negative sizes that sum exactly to {extent} (the input's size at dimension {dim}, "
            f"shape {input.shape}), but got {list(sizes)}"
        )
    parts, start = [], 0
    for size in sizes:
        parts.append(input[_along(dim, slice(start, start + size))])
        start += size
    return parts


_embeds_results(split_with_sizes)


@composite()
def split(input, split_size_or_sections, dim=0):
    """Cut a dimension into pieces.

    Args:
        input: a tensor of at least one dimension.
        split_size_or_sections: the size of the pieces (the last may be smaller), or a list of sizes.
        dim: the dimension.

    Returns:
        A tuple of views, which may not be changed in place where gradients are recorded.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: the size is not positive, or the sizes do not sum to the extent.

    Reference: ``torch.split``.

    Example:
        >>> import numtensor as nt
        >>> nt.split(nt.tensor([1, 2, 3]), 2)
        (tensor([1, 2]), tensor([3]))
    """
    array = operands.unwrap("split", "input", input)
    if not array.ndim:
        raise RuntimeError("split: expects at least a 1-dimensional tensor")
    dim, extent = _extent_of("split", array, dim)
    size = split_size_or_sections
    if isinstance(size, (int, np.integer)):
        if size < 0:
            raise RuntimeError(f"split: expects split_size be non-negative, but got split_size={size}")
        if size == 0 and extent:
            raise RuntimeError(f"split: split_size can only be 0 if dimension {dim} has size 0, but it has {extent}")
        full = extent // size if size else 0
        rest = extent - full * size
        size = [size] * full + ([rest] if rest or not full else [])
    return split_with_sizes(input, tuple(size), dim)


@composite()
def chunk(input, chunks, dim=0):
    """Cut a dimension into at most `chunks` pieces of equal size, but for the last.

    Args:
        input: a tensor of at least one dimension.
        chunks: a positive number.
        dim: the dimension.

    Returns:
        A tuple of views, which may not be changed in place where gradients are recorded.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: `chunks` is not positive.

    Reference: ``torch.chunk``.

    Example:
        >>> import numtensor as nt
        >>> nt.chunk(nt.tensor([1, 2, 3]), 2)
        (tensor([1, 2]), tensor([3]))
    """
    array = operands.unwrap("chunk", "input", input)
    if not array.ndim:
        raise RuntimeError("chunk: expects at least a 1-dimensional tensor")
    dim, extent = _extent_of("chunk", array, dim)
    if chunks <= 0:
        raise RuntimeError(f"chunk: expects chunks to be greater than 0, got {chunks}")
    if not extent:
        return split_with_sizes(input, (0,) * chunks, dim)
    return split(input, -(-extent // chunks), dim)


@composite()
def tensor_split(input, indices_or_sections, dim=0):
    """Cut a dimension into a number of nearly equal pieces, or at given positions.

    Args:
        input: a tensor of at least one dimension.
        indices_or_sections: how many pieces (the first ones are longer by one), or where to cut.
        dim: the dimension.

    Returns:
        A tuple of views, which may not be changed in place where gradients are recorded.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: the number of pieces is not positive.

    Reference: ``torch.tensor_split``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor_split(nt.tensor([1, 2, 3, 4]), (1, 3))
        (tensor([1]), tensor([2, 3]), tensor([4]))
    """
    array = operands.unwrap("tensor_split", "input", input)
    if not array.ndim:
        raise RuntimeError("tensor_split: expects at least a 1-dimensional tensor")
    dim, extent = _extent_of("tensor_split", array, dim)
    if isinstance(indices_or_sections, int):
        if indices_or_sections <= 0:
            raise RuntimeError(f"tensor_split: number of sections must be larger than 0, got {indices_or_sections}")
        size, longer = divmod(extent, indices_or_sections)
        cuts = [position * size + min(position, longer) for position in range(indices_or_sections + 1)]
    else:
        cuts = [slice(None, cut).indices(extent)[1] for cut in as_shape("tensor_split", indices_or_sections)]
        cuts = [0, *cuts, extent]
    return tuple(
        [narrow(input, dim, start, max(stop - start, 0)) for start, stop in itertools.pairwise(cuts)]
    )


def _iterate(self):
    if not self._array.ndim:
        raise TypeError("iteration over a 0-d tensor")
    return iter(unbind(self, 0))


Tensor.__iter__ = _iterate
