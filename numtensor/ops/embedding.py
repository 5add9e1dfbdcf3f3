"""Rows of a table by index, and the indicator vectors that they stand for."""

import numpy as np

from ..kernels.backward import embedding as backward
from ..kernels.checked import raise_on_violation
from ..kernels.forward import embedding as forward
from .general_kind import kernel, library, wrap_normal

INT64 = np.dtype(np.int64)


@kernel(
    tensors=("input", "weight"),
    differentiable="weight",
    saves="input",
    namespace="nn.functional",
    method=False,
)
def embedding(input, weight, padding_idx=None):
    """Look up rows of a table: weight[input].

    Args:
        input: the rows' numbers, integers in [0, rows), of any shape.
        weight: the table, of shape (rows, size).
        padding_idx: a row that gets no gradient, or None; negative ones count from the last row.

    Returns:
        A tensor of shape (*input.shape, size).

    Raises:
        IndexError: a number is out of range.
        AssertionError: `padding_idx` is out of range.
        RuntimeError: `input` is not integral, or `weight` has not two dimensions.

    Reference: ``torch.nn.functional.embedding``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.embedding(nt.tensor([1, 0]), nt.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([[3., 4.],
                [1., 2.]])
    """


@embedding.forward
def _(input, weight, padding_idx):
    if input.dtype.kind not in "iu":
        raise RuntimeError(f"embedding: expected input to be a tensor of integers, but got {input.dtype.name}")
    if weight.ndim != 2:
        raise RuntimeError(f"embedding: 'weight' must be 2-D, got shape {weight.shape}")
    rows = weight.shape[0]
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise AssertionError(
            f"embedding: Padding_idx must be within num_embeddings: {padding_idx} is not in [{-rows}, {rows})"
        )
    index = input.astype(INT64, copy=False).reshape(-1)
    _check_rows(index, input.shape, weight.shape)
    if weight.dtype.kind == "b":
        return weight[index].reshape(*input.shape, weight.shape[1])
    out, status = forward.embedding.loops[weight.dtype](index, weight)
    raise_on_violation("embedding", status)
    return out if input.ndim == 1 else out.reshape(*input.shape, weight.shape[1])


def _padding(padding_idx, rows):
    """Return the row that gets no gradient, counted from the first; -1 for none."""
    if padding_idx is None:
        return -1
    return padding_idx + rows if padding_idx < 0 else padding_idx


def _check_rows(index, shape, table):
    """Raise unless every index is that of a row.

    Raises:
        IndexError: one is not.
    """
    bad = forward.find_bad_index.loops[INT64](index, table[0])
    if bad >= 0:
        where = list(map(int, np.unravel_index(bad, shape)))
        raise IndexError(
            f"embedding: index out of range: input{where if where else ''} is {index[bad]}, the table of shape "
            f"{table} has rows 0 to {table[0] - 1}"
        )


@embedding.backward
def _(grad, needs, input, weight, padding_idx):
    rows, size = weight
    index = input.astype(INT64, copy=False).reshape(-1)
    # Again: memory that is shared with NumPy may have changed since, unseen.
    _check_rows(index, input.shape, weight)
    out = np.zeros((rows, size), grad.dtype)
    kernel = backward.embedding.loops[grad.dtype]
    _, status = kernel(grad.reshape(index.size, size), index, _padding(padding_idx, rows), out=(out, None))
    raise_on_violation("embedding", status)
    return out


@embedding.vjp
def _(grad, needs, input, weight, padding_idx):
    rows = weight[0]
    # The lookup is linear, its transpose adds rows up; that one's gradient is a lookup again.
    return embedding_transpose(grad, input, rows, -1 if padding_idx is None else _padding(padding_idx, rows))


@kernel(tensors=("input", "index"), differentiable="input", saves="index", namespace="ops", method=False)
def embedding_transpose(input, index, rows, padding_row=-1):
    """Add rows up by number: result[index[i]] += input[i], the transpose of `embedding`.

    Args:
        input: a floating-point tensor of shape (*index.shape, size).
        index: the rows' numbers, integers in [0, rows).
        rows: the number of rows of the result.
        padding_row: a number whose rows are left out; -1 for none.

    Returns:
        A tensor of shape (rows, size).

    Raises:
        IndexError: a number is out of range.

    Reference: ``torch.ops.aten.embedding_dense_backward``.

    Example:
        >>> import numtensor as nt
        >>> nt.ops.embedding_transpose(nt.tensor([[1.0], [2.0], [4.0]]), nt.tensor([0, 1, 0]), 2)
        tensor([[5.],
                [2.]])
    """


@embedding_transpose.forward
def _(input, index, rows, padding_row):
    flat = index.astype(INT64, copy=False).reshape(-1)
    bad = forward.find_bad_index.loops[INT64](flat, rows)
    if bad >= 0:
        raise IndexError(f"embedding_transpose: index {flat[bad]} is out of range for {rows} rows")
    size = input.shape[-1]
    out = np.zeros((rows, size), input.dtype)
    kernel = backward.embedding.loops[input.dtype]
    _, status = kernel(input.reshape(flat.size, size), flat, padding_row, out=(out, None))
    raise_on_violation("embedding_transpose", status)
    return out


@embedding_transpose.vjp
def _(grad, needs, input, index, rows, padding_row):
    picked = embedding(index, grad)
    if padding_row < 0:
        return picked
    kept = index._array[..., None] != padding_row
    return picked * wrap_normal(kept.astype(grad._array.dtype))


@library(
    "one comparison per element, which NumPy vectorises", namespace="nn.functional", method=False, differentiable=()
)
def one_hot(input, num_classes=-1):
    """Make indicator vectors: result[..., c] is 1 where input is c, else 0.

    Args:
        input: class numbers, int64, not negative.
        num_classes: the number of classes; -1 for one more than the largest number.

    Returns:
        An int64 tensor of shape (*input.shape, num_classes).

    Raises:
        RuntimeError: a number is negative or not below `num_classes`, `input` is not int64, or it is empty and
            `num_classes` not given.

    Reference: ``torch.nn.functional.one_hot``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.one_hot(nt.tensor([0, 2]))
        tensor([[1, 0, 0],
                [0, 0, 1]])
    """


@one_hot.forward
def _(input, num_classes):
    if input.dtype != INT64:
        raise RuntimeError(
            f"one_hot: is only applicable to an index tensor of dtype int64, got {input.dtype.name}; convert it with "
            ".to(numtensor.int64)"
        )
    if not input.size:
        if num_classes <= 0:
            raise RuntimeError("one_hot: Can not infer total number of classes from empty tensor; give num_classes")
        return np.zeros((*input.shape, num_classes), INT64)
    if input.min() < 0:
        raise RuntimeError(f"one_hot: Class values must be non-negative, got {input.min()}")
    largest = int(input.max())
    if num_classes == -1:
        num_classes = largest + 1
    elif largest >= num_classes:
        raise RuntimeError(f"one_hot: Class values must be smaller than num_classes ({num_classes}), got {largest}")
    return (input[..., None] == np.arange(num_classes)).astype(INT64)
