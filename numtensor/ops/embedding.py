"""Rows of a table by index, and the indicator vectors that they stand for."""

import numpy as np

from ..kernels import boxed_take
from ..kernels.forward import scatter
from ..lean import wrap_normal
from .general_kind import kernel
from .operands import CONSTANTS
from .positions import INT64, TAKEN, first_outside, says_yes, take_at

# What `one_hot` puts at each position.
ONE = np.ones(1, np.int64)


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
    try:
        return take_at("embedding", weight, 0, input)
    except IndexError:
        raise _no_row(input, weight.shape) from None


@embedding.on_tensors
def _(op, layout):
    names = {"input": "weight", "index": "input", "unused": "padding_idx", "ndims": (2, 0)}
    return boxed_take.make_take(op.name, layout, op.records(), TAKEN, op.parameters, **names)


def _padding(padding_idx, rows):
    """Return the row that gets no gradient, counted from the first; -1 for none."""
    if padding_idx is None:
        return -1
    return padding_idx + rows if padding_idx < 0 else padding_idx


def _no_row(index, table):
    """Return the exception for indices of which one was found to be that of no row."""
    place, value = first_outside(index, table[0])
    where = [] if place is None else list(map(int, np.unravel_index(place, index.shape)))
    return IndexError(
        f"embedding: index out of range: input{where if where else ''} is {value}, the table of shape {table} has rows "
        f"0 to {table[0] - 1}"
    )


def _add_rows(values, index, rows, skipped):
    """Return zeros of `rows` rows to which rows were added by number, and whether a number was out of range."""
    size = values.shape[-1]
    out = np.zeros((rows, size), values.dtype)
    values, flat, skipped = values.reshape(index.size, size), index.reshape(-1), CONSTANTS[INT64][skipped]
    outside = np.empty((), bool)
    scatter.add_rows.run(values.dtype, values, flat, skipped, out, outside)
    return out, bool(outside)


@embedding.backward
def _(grad, needs, input, weight, padding_idx):
    # Memory that is shared with NumPy may have changed since, unseen: the kernel compares again.
    out, outside = _add_rows(grad, input, weight[0], _padding(padding_idx, weight[0]))
    if outside:
        raise _no_row(input, weight)
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
    out, outside = _add_rows(input, index, rows, padding_row)
    if outside:
        raise IndexError(f"embedding_transpose: index {first_outside(index, rows)[1]} is out of range for {rows} rows")
    return out


@embedding_transpose.vjp
def _(grad, needs, input, index, rows, padding_row):
    picked = embedding(index, grad)
    if padding_row < 0:
        return picked
    kept = index._array[..., None] != padding_row
    return picked * wrap_normal(kept.astype(grad._array.dtype))


@kernel(namespace="nn.functional", method=False, differentiable=())
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
    if num_classes == -1:
        num_classes = max(int(input.max()) + 1, 0)
    out = np.zeros((*input.shape, num_classes), INT64)
    outside = np.empty(input.shape, bool)
    scatter.put_along.run(INT64, ONE, input[..., None], out, outside)
    if says_yes(outside):
        smallest, largest = input.min(), input.max()
        if smallest < 0:
            raise RuntimeError(f"one_hot: Class values must be non-negative, got {smallest}")
        raise RuntimeError(f"one_hot: Class values must be smaller than num_classes ({num_classes}), got {largest}")
    return out
