"""Triangles and diagonals of matrices."""

import operator

import numpy as np

from .. import dtypes
from ..kernels.forward import indexing as forward
from . import operands
from .factory_kind import factory
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


@composite()
def trace(input):
    """Sum the diagonal of a matrix.

    Args:
        input: a matrix.

    Returns:
        A 0-d tensor; of integers and bools int64.

    Raises:
        RuntimeError: the tensor has another number of dimensions.

    Reference: ``torch.trace``.

    Example:
        >>> import numtensor as nt
        >>> nt.trace(nt.tensor([[1, 2], [3, 4]]))
        tensor(5)
    """
    array = operands.unwrap("trace", "input", input)
    if array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with shape {array.shape}")
    return view_diagonal(input).sum()


def _indices(op, make, row, col, offset, dtype):
    kind = dtypes.int64 if dtype is None else dtypes.as_dtype(dtype, op)
    if row < 0 or col < 0:
        raise RuntimeError(f"{op}: row and col must be non-negative, got {row} and {col}")
    return np.stack(make(row, offset, col)).astype(kind.numpy)


@factory()
def tril_indices(row, col, offset=0, *, dtype=None, requires_grad=False, device=None):
    """Make the positions of the lower triangle of a matrix: row after row.

    Args:
        row: the number of rows.
        col: the number of columns.
        offset: the last diagonal that belongs to it: above the main one if positive, below it if negative.
        dtype: of the result; None for int64.
        requires_grad: False, as positions have no gradient.
        device: None or ``"cpu"``.

    Returns:
        A tensor of shape (2, n): the row and the column of each of the n positions.

    Raises:
        RuntimeError: a size is negative.

    Reference: ``torch.tril_indices``.

    Example:
        >>> import numtensor as nt
        >>> nt.tril_indices(2, 2)
        tensor([[0, 1, 1],
                [0, 0, 1]])
    """


@tril_indices.forward
def _(row, col, offset, dtype):
    return _indices("tril_indices", np.tril_indices, row, col, offset, dtype)


@factory()
def triu_indices(row, col, offset=0, *, dtype=None, requires_grad=False, device=None):
    """Make the positions of the upper triangle of a matrix: row after row.

    Args:
        row: the number of rows.
        col: the number of columns.
        offset: the first diagonal that belongs to it: above the main one if positive, below it if negative.
        dtype: of the result; None for int64.
        requires_grad: False, as positions have no gradient.
        device: None or ``"cpu"``.

    Returns:
        A tensor of shape (2, n): the row and the column of each of the n positions.

    Raises:
        RuntimeError: a size is negative.

    Reference: ``torch.triu_indices``.

    Example:
        >>> import numtensor as nt
        >>> nt.triu_indices(2, 2)
        tensor([[0, 0, 1],
                [0, 1, 1]])
    """


@triu_indices.forward
def _(row, col, offset, dtype):
    return _indices("triu_indices", np.triu_indices, row, col, offset, dtype)
