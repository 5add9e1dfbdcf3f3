"""Running sums and products along a dimension, and differences of neighbours."""

from __future__ import annotations

import math

import numpy as np

from ..kernels.backward import cumulative as backward
from ..kernels.forward import cumulative as forward
from ..modes import current
from ..tensor import Tensor, from_array
from ..threads.division import divided
from .comparison import logical_xor
from .dims import normalise_dim
from .general_kind import composite, kernel
from .join import cat
from .operands import unwrap
from .reduce_loops import Loops, as_numbers, to_result
from .reduction import sum
from .row_kernels import RowKernel
from .slicing import narrow

CUMSUM = Loops((forward.cumsum, forward.cumsum_columns), (forward.cumsum_integers, None))
CUMSUM_ROWS = RowKernel(forward.cumsum)
CUMPROD = Loops((forward.cumprod, None), (forward.cumprod_integers, None))


def _running(op, rows, columns, array, dim):
    """Run a ``(n)->(n)`` kernel along one dimension, or its ``(o,r,i)`` twin in memory order."""
    dim = normalise_dim(op, dim, array.ndim)
    shape = array.shape
    if not shape:
        return rows(array.reshape(1)).reshape(())
    if dim == len(shape) - 1:
        return rows(array)
    if columns is not None and array.flags.c_contiguous:
        view = array.reshape(math.prod(shape[:dim]), shape[dim], math.prod(shape[dim + 1 :]))
        return columns(view).reshape(shape)
    return np.ascontiguousarray(np.moveaxis(rows(np.moveaxis(array, dim, -1)), -1, dim))


def _running_large(op, loops, input, dim, dtype):
    """Do the same by several threads."""
    kernels = [None if kernel is None else divided(kernel) for kernel in loops[input.dtype]]
    result = _running(op, *kernels, as_numbers(input), dim)
    return result if input.dtype.kind == "f" else to_result(op, result, dtype)


@kernel(cast="dtype", linear=True)
def cumsum(input, dim, dtype=None):
    """Sum along a dimension, keeping every partial sum: out[i] = x[0] + ... + x[i].

    Args:
        input: a tensor.
        dim: an int.
        dtype: convert to this dtype first; otherwise integral and bool tensors are summed in int64.

    Returns:
        A tensor of the same shape. Floating sums are added in float64.

    Raises:
        IndexError: the dim is out of range.

    Reference: ``torch.cumsum``.

    Example:
        >>> import numtensor as nt
        >>> nt.cumsum(nt.tensor([1.0, 2.0, 3.0]), dim=0)
        tensor([1., 3., 6.])
    """


@cumsum.forward
@CUMSUM_ROWS.first
def _(input, dim, dtype):
    array = as_numbers(input)
    rows, columns = CUMSUM[array.dtype]
    if array.dtype.kind == "f":
        rows = CUMSUM_ROWS.run
    result = _running("cumsum", rows, columns, array, dim)
    return result if input.dtype.kind == "f" else to_result("cumsum", result, dtype)


cumsum.on_tensors(CUMSUM_ROWS.on_tensors)


@cumsum.large
def _(input, dim, dtype):
    return _running_large("cumsum", CUMSUM, input, dim, dtype)


@cumsum.backward
def _(grad, needs, input, dim, dtype):
    if not input:
        return grad
    dim = normalise_dim("cumsum", dim, len(input))
    backwards = (slice(None),) * dim + (slice(None, None, -1),)
    return _running("cumsum", *CUMSUM[grad.dtype], grad[backwards], dim)[backwards]


@cumsum.vjp
def _(grad, needs, input, dim, dtype):
    return cumsum(grad.flip(dim), dim).flip(dim) if input else grad


@kernel(cast="dtype", saves=("input", "output"))
def cumprod(input, dim, dtype=None):
    """Multiply along a dimension, keeping every partial product: out[i] = x[0] * ... * x[i].

    Args:
        input: a tensor.
        dim: an int.
        dtype: convert to this dtype first; otherwise integral and bool tensors are multiplied in int64.

    Returns:
        A tensor of the same shape. The gradient is right where elements are zero.

    Raises:
        IndexError: the dim is out of range.

    Reference: ``torch.cumprod``.

    Example:
        >>> import numtensor as nt
        >>> nt.cumprod(nt.tensor([1.0, 2.0, 3.0]), dim=0)
        tensor([1., 2., 6.])
    """


@cumprod.forward
def _(input, dim, dtype):
    array = as_numbers(input)
    result = _running("cumprod", *CUMPROD[array.dtype], array, dim)
    return result if input.dtype.kind == "f" else to_result("cumprod", result, dtype)


@cumprod.large
def _(input, dim, dtype):
    return _running_large("cumprod", CUMPROD, input, dim, dtype)


@cumprod.backward
def _(grad, needs, input, dim, dtype, output):
    if input.ndim == 0:
        return grad
    loop = backward.cumprod.loops[grad.dtype]
    return np.moveaxis(loop(np.moveaxis(grad, dim, -1), np.moveaxis(input, dim, -1)), -1, dim)


@cumprod.vjp
def _(grad, needs, input, dim, dtype, output):
    if not input.shape:
        return grad
    if (input._array != 0).all():
        return cumsum((grad * output).flip(dim), dim).flip(dim) / input
    # Row k of a square is the running product with a 1 in place of element k, from k on.
    rows, grad = input.movedim(dim, -1), grad.movedim(dim, -1)
    n = rows.shape[-1]
    one = from_array(np.ones((), input._array.dtype))
    others = cumprod(current.mode.where(from_array(np.eye(n, dtype=bool)), one, rows.unsqueeze(-2)), -1)
    after = from_array(np.triu(np.ones((n, n), input._array.dtype)))
    return sum(grad.unsqueeze(-2) * others * after, -1).movedim(-1, dim)


@composite()
def diff(input, n=1, dim=-1, prepend: Tensor | None = None, append: Tensor | None = None):
    """Subtract neighbours: input[i + 1] - input[i] along a dimension, n times.

    Args:
        input: a tensor of at least one dimension; of bools it tells where neighbours differ.
        n: how many times.
        dim: the dimension.
        prepend: what to put in front first, a tensor of the input's shape but for the dimension.
        append: what to put behind first, likewise.

    Returns:
        A tensor with `n` elements less in the dimension.

    Raises:
        IndexError: the dim is out of range.
        RuntimeError: the tensor is 0-d, `n` is negative, or `prepend` or `append` has another number of dimensions.

    Reference: ``torch.diff``.

    Example:
        >>> import numtensor as nt
        >>> nt.diff(nt.tensor([1, 4, 9, 16]))
        tensor([3, 5, 7])
    """
    array = unwrap("diff", "input", input)
    if not array.ndim:
        raise RuntimeError("diff: expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"diff: order must be non-negative but got {n}")
    dim = normalise_dim("diff", dim, array.ndim)
    parts = [part for part in (prepend, input, append) if part is not None]
    if any(unwrap("diff", "prepend or append", part).ndim != array.ndim for part in parts):
        raise RuntimeError(f"diff: expects prepend and append to have {array.ndim} dimensions, as the input has")
    result = cat(parts, dim) if len(parts) > 1 else input
    for _ in range(min(n, result.shape[dim])):
        ahead = narrow(result, dim, 1, result.shape[dim] - 1)
        behind = narrow(result, dim, 0, result.shape[dim] - 1)
        result = logical_xor(ahead, behind) if array.dtype.kind == "b" else ahead - behind
    return result if n else result.clone()
