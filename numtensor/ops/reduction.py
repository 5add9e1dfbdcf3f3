"""Sums, means, products, counts and logic over dimensions.

Extremes stand in ``extremes.py``, variances in ``variance.py``, norms in ``norm.py``, running sums in
``cumulative.py``, sorting in ``sorting.py``.
"""

import numpy as np

from .. import dtypes
from ..kernels.backward import reduction as backward
from ..kernels.forward import reduction as forward
from ..modes import current
from ..tensor import from_array
from .dims import normalise_dim
from .general_kind import composite, kernel
from .operands import CONSTANTS
from .reduce_blocks import add, all_of, any_of, average
from .reduce_layout import count, is_full, keep_dims, kept_shape, reduce, spread, spread_tensor
from .reduce_loops import Loops, to_result

SUM = Loops((forward.sum, forward.sum_columns), (forward.sum_integers, forward.sum_integers_columns), combine=add)
MEAN = Loops((forward.mean, forward.mean_columns), combine=average)
PROD = Loops((forward.prod, forward.prod_columns), (forward.prod_integers, None))
_ANY = (forward.any, forward.any_columns)
_ALL = (forward.all, forward.all_columns)
_COUNT = (forward.count_nonzero, forward.count_nonzero_columns)
ANY, ANY_OF_BYTES = Loops(_ANY, _ANY, combine=any_of), Loops(_ANY, _ANY, combine=any_of)
ALL, ALL_OF_BYTES = Loops(_ALL, _ALL, combine=all_of), Loops(_ALL, _ALL, combine=all_of)
COUNT = Loops(_COUNT, _COUNT, combine=add)


def _require_floating(op, array):
    if array.dtype.kind != "f":
        raise RuntimeError(
            f"{op}: could not infer output dtype. Input dtype must be a floating point dtype, got "
            f"{dtypes.FROM_NUMPY[array.dtype].name}; give dtype=, such as {op}(x, dtype=float32)"
        )


@kernel(cast="dtype", linear=True)
def sum(input, dim=None, keepdim=False, dtype=None):
    """Sum the elements, over all dimensions or the given ones.

    Args:
        input: a tensor.
        dim: an int or a sequence of ints; all dimensions if None or empty.
        keepdim: keep the reduced dimensions, with extent 1.
        dtype: convert to this dtype first; otherwise integral and bool tensors are summed in int64.

    Returns:
        A tensor, 0-d if all dimensions are reduced; 0 for no element. Floating sums are blocked and compensated: the
        error does not grow with the number of elements.

    Raises:
        IndexError: a dim is out of range.
        RuntimeError: a dim is given twice.

    Reference: ``torch.sum``.

    Example:
        >>> import numtensor as nt
        >>> nt.sum(nt.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
        tensor([4., 6.])
    """


@sum.forward
def _(input, dim, keepdim, dtype):
    if input.dtype.kind == "f":
        return reduce("sum", SUM, input, dim, keepdim, staged=True)
    return to_result("sum", reduce("sum", SUM, input, dim, keepdim), dtype)


sum.on_tensors(SUM.on_tensors)


@sum.backward
def _(grad, needs, input, dim, keepdim, dtype):
    return spread("sum", grad, input, dim, keepdim)


@sum.vjp
def _(grad, needs, input, dim, keepdim, dtype):
    return spread_tensor("sum", grad, input, dim, keepdim)


@kernel(cast="dtype", linear=True)
def mean(input, dim=None, keepdim=False, dtype=None):
    """Average the elements, over all dimensions or the given ones.

    Args:
        input: a floating tensor.
        dim: an int or a sequence of ints; all dimensions if None or empty.
        keepdim: keep the reduced dimensions, with extent 1.
        dtype: convert to this dtype first; needed for integral tensors.

    Returns:
        A tensor, 0-d if all dimensions are reduced; NaN for no element.

    Raises:
        IndexError: a dim is out of range.
        RuntimeError: the dtype is not a floating one, or a dim is given twice.

    Reference: ``torch.mean``.

    Example:
        >>> import numtensor as nt
        >>> nt.mean(nt.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor(2.5000)
    """


@mean.forward
def _(input, dim, keepdim, dtype):
    _require_floating("mean", input)
    # Stages would average averages: the counts of each stage are equal, so that is the same.
    return reduce("mean", MEAN, input, dim, keepdim, staged=True)


mean.on_tensors(MEAN.on_tensors)


@mean.backward
def _(grad, needs, input, dim, keepdim, dtype):
    # The gradient of no element is empty, whatever the divisor.
    share = np.asarray(np.divide(grad, CONSTANTS[grad.dtype][count("mean", input, dim) or 1]))
    return spread("mean", share, input, dim, keepdim)


@mean.vjp
def _(grad, needs, input, dim, keepdim, dtype):
    return spread_tensor("mean", grad, input, dim, keepdim) / (count("mean", input, dim) or 1)


# ---------------------------------------------------------------------------------------------------------------------
# Products


@kernel(cast="dtype", saves=("input", "output"))
def prod(input, dim=None, keepdim=False, dtype=None):
    """Multiply the elements, over all dimensions or one.

    Args:
        input: a tensor.
        dim: an int; all dimensions if None.
        keepdim: keep the reduced dimension, with extent 1.
        dtype: convert to this dtype first; otherwise integral and bool tensors are multiplied in int64.

    Returns:
        A tensor; 1 for no element. The gradient is right where elements are zero.

    Raises:
        IndexError: the dim is out of range.
        TypeError: `dim` is not an int.

    Reference: ``torch.prod``.

    Example:
        >>> import numtensor as nt
        >>> nt.prod(nt.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
        tensor([ 2., 12.])
    """


@prod.forward
def _(input, dim, keepdim, dtype):
    if dim is not None:
        dim = normalise_dim("prod", dim, input.ndim)
    result = reduce("prod", PROD, input, dim, keepdim)
    return result if input.dtype.kind == "f" else to_result("prod", result, dtype)


prod.on_tensors(PROD.on_tensors)


@prod.backward
def _(grad, needs, input, dim, keepdim, dtype, output):
    loop = backward.prod.loops[grad.dtype]
    if dim is None or input.ndim == 0:
        return loop(grad.reshape(()), input.reshape(-1)).reshape(input.shape)
    dim = normalise_dim("prod", dim, input.ndim)
    grad = grad.squeeze(dim) if keepdim else grad
    return np.moveaxis(loop(grad, np.moveaxis(input, dim, -1)), -1, dim)


@prod.vjp
def _(grad, needs, input, dim, keepdim, dtype, output):
    shape = input.shape
    grad = keep_dims("prod", grad, shape, dim, keepdim)
    output = keep_dims("prod", output, shape, dim, keepdim)
    if (input._array != 0).all():
        return grad * output / input
    # Every element's product of the others: row k of a square has a 1 in place of element k.
    rows = input.reshape((-1,)) if dim is None or not shape else input.movedim(dim, -1)
    count = rows.shape[-1]
    diagonal = from_array(np.eye(count, dtype=bool))
    one = from_array(np.ones((), input._array.dtype))
    others = current.mode.where(diagonal, one, rows.unsqueeze(-2)).prod(-1)
    others = others.reshape(shape) if dim is None or not shape else others.movedim(-1, dim)
    return grad * others


# ---------------------------------------------------------------------------------------------------------------------
# Logic


def _logic_forward(op, loops, loops_of_bytes, input, dim, keepdim):
    # PyTorch's one exception: uint8, its bool of old, gives uint8.
    bytes_only = input.dtype == np.uint8
    # An empty sequence means no dimension here, as in PyTorch.
    if dim is not None and is_full(dim):
        result = np.asarray(np.not_equal(input, 0))
    else:
        result = reduce(op, loops_of_bytes if bytes_only else loops, input, dim, keepdim)
    return result.view(np.uint8) if bytes_only else result


@kernel(differentiable=())
def any(input, dim=None, keepdim=False):
    """Return whether any element is true (not zero), over all dimensions or the given ones.

    Args:
        input: a tensor; NaN is true.
        dim: an int or a sequence of ints; all dimensions if None, none if empty.
        keepdim: keep the reduced dimensions, with extent 1.

    Returns:
        A bool tensor (uint8 for uint8); false for no element.

    Raises:
        IndexError: a dim is out of range.

    Reference: ``torch.any``.

    Example:
        >>> import numtensor as nt
        >>> nt.any(nt.tensor([[0, 1], [0, 0]]), dim=1)
        tensor([ True, False])
    """


@any.forward
def _(input, dim, keepdim):
    return _logic_forward("any", ANY, ANY_OF_BYTES, input, dim, keepdim)


any.on_tensors(ANY.on_tensors)


@kernel(differentiable=())
def all(input, dim=None, keepdim=False):
    """Return whether all elements are true (not zero), over all dimensions or the given ones.

    Args:
        input: a tensor; NaN is true.
        dim: an int or a sequence of ints; all dimensions if None, none if empty.
        keepdim: keep the reduced dimensions, with extent 1.

    Returns:
        A bool tensor (uint8 for uint8); true for no element.

    Raises:
        IndexError: a dim is out of range.

    Reference: ``torch.all``.

    Example:
        >>> import numtensor as nt
        >>> nt.all(nt.tensor([[1, 1], [0, 1]]), dim=1)
        tensor([ True, False])
    """


@all.forward
def _(input, dim, keepdim):
    return _logic_forward("all", ALL, ALL_OF_BYTES, input, dim, keepdim)


all.on_tensors(ALL.on_tensors)


@kernel(differentiable=())
def count_nonzero(input, dim=None):
    """Count the elements that are not zero, over all dimensions or the given ones.

    Args:
        input: a tensor; NaN is not zero.
        dim: an int or a sequence of ints; all dimensions if None or empty.

    Returns:
        An int64 tensor.

    Raises:
        IndexError: a dim is out of range.

    Reference: ``torch.count_nonzero``.

    Example:
        >>> import numtensor as nt
        >>> nt.count_nonzero(nt.tensor([[0, 1], [2, 3]]), dim=0)
        tensor([1, 2])
    """


@count_nonzero.forward
def _(input, dim):
    return reduce("count_nonzero", COUNT, input, dim, False)


count_nonzero.on_tensors(COUNT.on_tensors)


# ---------------------------------------------------------------------------------------------------------------------
# Without NaN


@composite()
def nansum(input, dim=None, keepdim=False, dtype=None):
    """Sum the elements that are not NaN.

    Args:
        input: a tensor.
        dim: an int or a sequence of ints; all dimensions if None or empty.
        keepdim: keep the reduced dimensions, with extent 1.
        dtype: convert to this dtype first.

    Returns:
        A tensor; 0 where there is no element but NaN.

    Raises:
        IndexError: a dim is out of range.

    Reference: ``torch.nansum``.

    Example:
        >>> import numtensor as nt
        >>> nt.nansum(nt.tensor([1.0, float("nan"), 2.0]))
        tensor(3.)
    """
    kept_shape("nansum", input._array.shape, dim)
    return sum(_without_nan(input), dim, keepdim, dtype)


@composite()
def nanmean(input, dim=None, keepdim=False, dtype=None):
    """Average the elements that are not NaN.

    Args:
        input: a floating tensor.
        dim: an int or a sequence of ints; all dimensions if None or empty.
        keepdim: keep the reduced dimensions, with extent 1.
        dtype: convert to this dtype first.

    Returns:
        A tensor; NaN where there is no element but NaN.

    Raises:
        IndexError: a dim is out of range.
        RuntimeError: the dtype is not a floating one.

    Reference: ``torch.nanmean``.

    Example:
        >>> import numtensor as nt
        >>> nt.nanmean(nt.tensor([1.0, float("nan"), 2.0]))
        tensor(1.5000)
    """
    if dtype is not None:
        input = input.to(dtype)
    _require_floating("nanmean", input._array)
    kept_shape("nanmean", input._array.shape, dim)
    numbers = from_array(np.asarray(input._array == input._array))
    return sum(_without_nan(input), dim, keepdim) / sum(numbers, dim, keepdim).to(input.dtype)


def _without_nan(input):
    array = input._array
    if array.dtype.kind != "f":
        return input
    nan = from_array(np.asarray(array != array))
    return current.mode.where(nan, from_array(np.zeros((), array.dtype)), input)
