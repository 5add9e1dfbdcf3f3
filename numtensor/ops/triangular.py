"""Triangles and diagonals of matrices."""

import operator

from ..kernels.forward import indexing as forward
from . import operands
from .general_kind import composite, kernel
from .slicing import diagonal as view_diagonal
from .view_transpose import embed


def _check_matrix(op, array):
    if array.ndim < 2:
        raise RuntimeError(f"{op}: input tensor must have at least 2 dimensions, got shape {array.shape}")
    return array.dtype


@kernel(linear=True, inplace=True)
def tril(input, diagonal=0):
    """Keep the lower triangle: zero where column - row > diagonal.

    Args:
        input: a tensor of at least two dimensions; the last two are the matrix.
        diagonal: the last diagonal that is kept.

    Returns:
        A tensor of the same shape.

    Raises:
        RuntimeError: the tensor has fewer than two dimensions.

    Reference: ``torch.tril``.

    Example:
        >>> import numtensor as nt
        >>> nt.tril(nt.ones(2, 2))
        tensor([[1., 0.],
                [1., 1.]])
    """


@tril.forward
def _(input, diagonal):
    return forward.tril.loops[_check_matrix("tril", input)](input, operator.index(diagonal))


@tril.backward
def _(grad, needs, input, diagonal):
    return forward.tril.loops[grad.dtype](grad, diagonal)


@tril.vjp
def _(grad, needs, input, diagonal):
    return tril(grad, diagonal)


@kernel(linear=True, inplace=True)
def triu(input, diagonal=0):
    """Keep the upper triangle: zero where column - row < diagonal.

    Args:
        input: a tensor of at least two dimensions; the last two are the matrix.
        diagonal: the first diagonal that is kept.

    Returns:
        A tensor of the same shape.

    Raises:
        RuntimeError: the tensor has fewer than two dimensions.

    Reference: ``torch.triu``.

    Example:
        >>> import numtensor as nt
        >>> nt.triu(nt.ones(2, 2))
        tensor([[1., 1.],
                [0., 1.]])
    """


@triu.forward
def _(input, diagonal):
    return forward.triu.loops[_check_matrix("triu", input)](input, operator.index(diagonal))


@triu.backward
def _(grad, needs, input, diagonal):
    return forward.triu.loops[grad.dtype](grad, diagonal)


@triu.vjp
def _(grad, needs, input, diagonal):
    return triu(grad, diagonal)


@composite()
def diag(input, diagonal=0):
    """Copy the diagonal of a matrix, or make the matrix that has a vector on its diagonal.

    Args:
        input: a tensor of one or two dimensions.
        diagonal: which diagonal: above the main one if positive, below it if negative.

    Returns:
        A vector, or a square matrix.

    Raises:
        RuntimeError: the tensor has another number of dimensions.

    Reference: ``torch.diag``.

    Example:
        >>> import numtensor as nt
        >>> nt.diag(nt.tensor([1, 2]))
        tensor([[1, 0],
                [0, 2]])
    """
    array = operands.unwrap("diag", "input", input)
    if array.ndim == 2:
        return view_diagonal(input, diagonal).clone()
    if array.ndim != 1:
        raise RuntimeError(f"diag: supports 1-d or 2-d tensors, got shape {array.shape}")
    n = array.size + abs(diagonal)
    return embed(input, (n, n), lambda whole: view_diagonal._forward(whole, diagonal, 0, 1))
