"""The same elements in another order of dimensions."""

from __future__ import annotations

from ..tensor import Tensor
from . import operands
from .dims import normalise_dim
from .general_kind import composite
from .general_kind import view as view_op
from .shape import as_shape


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
def movedim(input, source: int | tuple[int, ...], destination: int | tuple[int, ...]):
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


def _matrix_transpose(self) -> Tensor:
    """A view with the last two dimensions swapped."""
    if self._array.ndim < 2:
        raise RuntimeError(
            f"mT: only supported on matrices or batches of matrices, got a tensor of shape {self._array.shape}"
        )
    return transpose(self, -2, -1)


def _reversed_dims(self) -> Tensor:
    """A view with the order of all dimensions reversed."""
    if self._array.ndim <= 2:
        # The declaration itself would add a frame.
        return t.public(self)
    return permute(self, tuple(range(self._array.ndim - 1, -1, -1)))


Tensor.T = property(_reversed_dims)
Tensor.mT = property(_matrix_transpose)
