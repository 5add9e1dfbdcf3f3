"""Reductions: sums, extremes, logic, variance, norms, and running sums. Sorting stands in ``sorting.py``."""

import math

import numpy as np

from .. import dtypes
from ..kernels.backward import reduction as backward
from ..kernels.forward import reduction as forward
from ..modes import current
from ..return_types import return_type
from ..tensor import Tensor, from_array
from .dims import normalise_dim
from .general_kind import composite, kernel
from .operands import CONSTANTS
from .reduce_layout import (
    count,
    is_full,
    keep_dims,
    kept_shape,
    reduce,
    require_elements,
    spread,
    spread_tensor,
)


class Loops(dict):
    """(rows, columns) ufuncs by NumPy dtype, made when first asked for.

    Args:
        floating: names of the kernels for floating dtypes.
        integral: names of the kernels for integral dtypes and, as uint8, for bool; None if there are none.
    """

    def __init__(self, floating, integral=None):
        self.floating = floating
        self.integral = integral

    def __missing__(self, dtype):
        names = self.floating if dtype.kind == "f" else self.integral
        if dtype.kind == "b":
            dtype = np.dtype(np.uint8)
        made = self[dtype] = tuple(None if name is None else name.loops[dtype] for name in names)
        return made


SUM = Loops((forward.sum, forward.sum_columns), (forward.sum_integers, forward.sum_integers_columns))
MEAN = Loops((forward.mean, forward.mean_columns))
AMAX = Loops((forward.amax, forward.amax_columns), (forward.amax, forward.amax_columns))
AMIN = Loops((forward.amin, forward.amin_columns), (forward.amin, forward.amin_columns))
ARGMAX = Loops((forward.argmax, forward.argmax_columns), (forward.argmax, forward.argmax_columns))
ARGMIN = Loops((forward.argmin, forward.argmin_columns), (forward.argmin, forward.argmin_columns))

PROD = Loops((forward.prod, None), (forward.prod_integers, None))
ANY = Loops((forward.any, forward.any_columns), (forward.any, forward.any_columns))
ALL = Loops((forward.all, forward.all_columns), (forward.all, forward.all_columns))
COUNT = Loops(
    (forward.count_nonzero, forward.count_nonzero_columns), (forward.count_nonzero, forward.count_nonzero_columns)
)
VAR = Loops((forward.var, forward.var_columns))
STD = Loops((forward.std, forward.std_columns))
LOGSUMEXP = Loops((forward.logsumexp, forward.logsumexp_columns))
CUMSUM = Loops((forward.cumsum, forward.cumsum_columns), (forward.cumsum_integers, None))
CUMPROD = Loops((forward.cumprod, None), (forward.cumprod_integers, None))


def _as_numbers(array):
    """Return bools as the uint8 that they are in memory."""
    return array.view(np.uint8) if array.dtype.kind == "b" else array


def _to_result(op, result, dtype):
    """Convert the int64 result of an integral reduction to the dtype that was asked for."""
    return result if dtype is None else np.asarray(result).astype(dtypes.as_dtype(dtype, op).numpy)


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
        rows, columns = SUM[input.dtype]
        if dim is None and not keepdim:
            return rows(input.ravel("K"))
        return reduce("sum", rows, columns, input, dim, keepdim, staged=True)
    array = _as_numbers(input)
    result = reduce("sum", *SUM[array.dtype], array, dim, keepdim)
    return _to_result("sum", result, dtype)


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
    rows, columns = MEAN[input.dtype]
    if dim is None and not keepdim:
        return rows(input.ravel("K"))
    # Stages would average averages: the counts of each stage are equal, so that is the same.
    return reduce("mean", rows, columns, input, dim, keepdim, staged=True)


@mean.backward
def _(grad, needs, input, dim, keepdim, dtype):
    # The gradient of no element is empty, whatever the divisor.
    share = np.asarray(np.divide(grad, count("mean", input, dim) or 1, dtype=grad.dtype))
    return spread("mean", share, input, dim, keepdim)


@mean.vjp
def _(grad, needs, input, dim, keepdim, dtype):
    return spread_tensor("mean", grad, input, dim, keepdim) / (count("mean", input, dim) or 1)


# ---------------------------------------------------------------------------------------------------------------------
# The largest and the smallest


def _extreme_forward(op, loops, input, dim, keepdim):
    require_elements(op, input.shape, dim)
    array = _as_numbers(input)
    result = reduce(op, *loops[array.dtype], array, dim, keepdim, staged=True)
    return result if array is input else np.asarray(result).view(np.bool_)


def _extreme_backward(op, grad, input, dim, keepdim, output):
    grad = keep_dims(op, grad, input.shape, dim, keepdim)
    output = keep_dims(op, output, input.shape, dim, keepdim)
    ties = _ties(op, input, dim, output)
    return np.asarray(backward.share.loops[grad.dtype](grad, input, output, ties))


def _ties(op, input, dim, output):
    """Return how many elements are the best one, as a float array with the reduced dimensions kept."""
    equal = (input == output) | ((input != input) & (output != output))
    rows, columns = SUM[np.dtype(np.uint8)]
    return np.asarray(reduce(op, rows, columns, equal.view(np.uint8), dim, True)).astype(input.dtype)


def _extreme_vjp(op, grad, input, dim, keepdim, output):
    best = keep_dims(op, output, input.shape, dim, keepdim)._array
    # Which elements are the best does not change with the input, almost everywhere.
    array = input._array
    ties = _ties(op, array, dim, best)
    equal = (array == best) | ((array != array) & (best != best))
    share = from_array(equal.astype(array.dtype) / ties)
    return keep_dims(op, grad, input.shape, dim, keepdim) * share


@kernel(saves=("input", "output"))
def amax(input, dim=(), keepdim=False):
    """Return the largest element, over all dimensions or the given ones.

    Args:
        input: a tensor with at least one element in what is reduced.
        dim: an int or a sequence of ints; all dimensions if empty.
        keepdim: keep the reduced dimensions, with extent 1.

    Returns:
        A tensor of the same dtype; NaN where there is one. The gradient is shared evenly among equal elements.

    Raises:
        IndexError: a dim is out of range, or has extent 0.
        RuntimeError: the tensor is empty and every dimension is reduced.

    Reference: ``torch.amax``.

    Example:
        >>> import numtensor as nt
        >>> nt.amax(nt.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=1)
        tensor([5., 4.])
    """


@amax.forward
def _(input, dim, keepdim):
    return _extreme_forward("amax", AMAX, input, dim, keepdim)


@amax.backward
def _(grad, needs, input, dim, keepdim, output):
    return _extreme_backward("amax", grad, input, dim, keepdim, output)


@amax.vjp
def _(grad, needs, input, dim, keepdim, output):
    return _extreme_vjp("amax", grad, input, dim, keepdim, output)


@kernel(saves=("input", "output"))
def amin(input, dim=(), keepdim=False):
    """Return the smallest element, over all dimensions or the given ones.

    Args:
        input: a tensor with at least one element in what is reduced.
        dim: an int or a sequence of ints; all dimensions if empty.
        keepdim: keep the reduced dimensions, with extent 1.

    Returns:
        A tensor of the same dtype; NaN where there is one. The gradient is shared evenly among equal elements.

    Raises:
        IndexError: a dim is out of range, or has extent 0.
        RuntimeError: the tensor is empty and every dimension is reduced.

    Reference: ``torch.amin``.

    Example:
        >>> import numtensor as nt
        >>> nt.amin(nt.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=1)
        tensor([1., 3.])
    """


@amin.forward
def _(input, dim, keepdim):
    return _extreme_forward("amin", AMIN, input, dim, keepdim)


@amin.backward
def _(grad, needs, input, dim, keepdim, output):
    return _extreme_backward("amin", grad, input, dim, keepdim, output)


@amin.vjp
def _(grad, needs, input, dim, keepdim, output):
    return _extreme_vjp("amin", grad, input, dim, keepdim, output)


def _position_forward(op, loops, input, dim, keepdim):
    """Return the extreme elements over one dim (or all, if None), and their first positions."""
    require_elements(op, input.shape, dim)
    if dim is not None:
        dim = normalise_dim(op, dim, input.ndim)
    array = _as_numbers(input)
    values, indices = reduce(op, *loops[array.dtype], array, dim, keepdim, ordered=True)
    return (values if array is input else np.asarray(values).view(np.bool_)), indices


def _scatter_positions(op, grad, shape, dim, keepdim, indices):
    """Return zeros of `shape` with the gradient at the positions."""
    result = np.zeros(shape, grad.dtype)
    if not shape:
        result[...] = grad
        return result
    dim = normalise_dim(op, dim, len(shape))
    if not keepdim:
        grad, indices = np.expand_dims(grad, dim), np.expand_dims(indices, dim)
    np.put_along_axis(result, indices, grad, dim)
    return result


def _positions_vjp(op, grad, shape, dim, keepdim, indices):
    grad, array = grad[0], indices._array
    ones = np.ones(array.shape, grad._array.dtype)
    chosen = _scatter_positions(op, ones, shape, dim, keepdim, array)
    return keep_dims(op, grad, shape, dim, keepdim) * from_array(chosen)


@kernel(namespace="_reduction", method=None, saves="output", results=2, differentiable_results=(0,))
def max_dim(input, dim, keepdim=False):
    """Return the largest elements over one dimension and where they are; users call `max`.

    Args:
        input: a tensor.
        dim: the dimension.
        keepdim: keep the reduced dimension, with extent 1.

    Returns:
        (values, indices): the indices, int64, are the first of equal elements, or the first NaN.

    Raises:
        IndexError: the dim is out of range, or has extent 0.

    Reference: ``torch.max``.

    Example:
        >>> import numtensor as nt
        >>> nt.max(nt.tensor([[1.0, 5.0], [3.0, 3.0]]), 1)[1]
        tensor([1, 0])
    """


@max_dim.forward
def _(input, dim, keepdim):
    return _position_forward("max", ARGMAX, input, dim, keepdim)


@max_dim.backward
def _(grad, needs, input, dim, keepdim, output):
    return _scatter_positions("max", grad[0], input, dim, keepdim, output[1])


@max_dim.vjp
def _(grad, needs, input, dim, keepdim, output):
    return _positions_vjp("max", grad, input, dim, keepdim, output[1])


@kernel(namespace="_reduction", method=None, saves="output", results=2, differentiable_results=(0,))
def min_dim(input, dim, keepdim=False):
    """Return the smallest elements over one dimension and where they are; users call `min`.

    Args:
        input: a tensor.
        dim: the dimension.
        keepdim: keep the reduced dimension, with extent 1.

    Returns:
        (values, indices): the indices, int64, are the first of equal elements, or the first NaN.

    Raises:
        IndexError: the dim is out of range, or has extent 0.

    Reference: ``torch.min``.

    Example:
        >>> import numtensor as nt
        >>> nt.min(nt.tensor([[1.0, 5.0], [3.0, 3.0]]), 1)[1]
        tensor([0, 0])
    """


@min_dim.forward
def _(input, dim, keepdim):
    return _position_forward("min", ARGMIN, input, dim, keepdim)


@min_dim.backward
def _(grad, needs, input, dim, keepdim, output):
    return _scatter_positions("min", grad[0], input, dim, keepdim, output[1])


@min_dim.vjp
def _(grad, needs, input, dim, keepdim, output):
    return _positions_vjp("min", grad, input, dim, keepdim, output[1])


MaxResult = return_type("max", "values", "indices")
MinResult = return_type("min", "values", "indices")


@composite()
def max(input, dim=None, keepdim=False, other=None):
    """Return the largest element; over one dim also where it is; of two tensors, the larger elements.

    Args:
        input: a tensor.
        dim: None for the largest of all elements; an int; or a tensor, then this is ``maximum(input, dim)``.
        keepdim: keep the reduced dimension, with extent 1.
        other: the other tensor, by its name in PyTorch.

    Returns:
        A 0-d tensor, whose gradient is shared evenly among equal elements; with a dim, a named tuple ``(values,
        indices)`` of the first of equal elements, to which alone the gradient goes. NaN wins over every number.

    Raises:
        IndexError: the dim is out of range, or has extent 0.
        RuntimeError: the tensor is empty and no dim is given.

    Reference: ``torch.max``.

    Example:
        >>> import numtensor as nt
        >>> nt.max(nt.tensor([1.0, 5.0, 3.0]))
        tensor(5.)
        >>> nt.max(nt.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=1).indices
        tensor([1, 1])
    """
    if dim is None and other is None:
        require_elements("max", input._array.shape, None)
        return amax(input)
    if other is not None or isinstance(dim, Tensor):
        return input.maximum(dim if other is None else other)
    return MaxResult(*max_dim(input, dim, keepdim))


@composite()
def min(input, dim=None, keepdim=False, other=None):
    """Return the smallest element; over one dim also where it is; of two tensors, the smaller elements.

    Args:
        input: a tensor.
        dim: None for the smallest of all elements; an int; or a tensor, then this is ``minimum(input, dim)``.
        keepdim: keep the reduced dimension, with extent 1.
        other: the other tensor, by its name in PyTorch.

    Returns:
        A 0-d tensor, whose gradient is shared evenly among equal elements; with a dim, a named tuple ``(values,
        indices)`` of the first of equal elements, to which alone the gradient goes. NaN wins over every number.

    Raises:
        IndexError: the dim is out of range, or has extent 0.
        RuntimeError: the tensor is empty and no dim is given.

    Reference: ``torch.min``.

    Example:
        >>> import numtensor as nt
        >>> nt.min(nt.tensor([1.0, 5.0, 3.0]))
        tensor(1.)
        >>> nt.min(nt.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=1).indices
        tensor([0, 0])
    """
    if dim is None and other is None:
        require_elements("min", input._array.shape, None)
        return amin(input)
    if other is not None or isinstance(dim, Tensor):
        return input.minimum(dim if other is None else other)
    return MinResult(*min_dim(input, dim, keepdim))


def _argument(op, loops, input, dim, keepdim):
    if input.dtype.kind == "b":
        raise RuntimeError(f"{op}: does not support bool input; convert with .to(uint8) first")
    if dim is None and not input.size:
        raise IndexError(
            f"{op}: Expected reduction dim to be specified for input.numel() == 0 (shape {input.shape}); give a dim "
            "that is not empty"
        )
    return _position_forward(op, loops, input, dim, keepdim)[1]


@kernel(differentiable=())
def argmax(input, dim=None, keepdim=False):
    """Return where the largest element is: in the flattened tensor, or along one dimension.

    Args:
        input: a tensor that is not bool.
        dim: the dimension; None for the position in the flattened tensor.
        keepdim: keep the reduced dimensions, with extent 1.

    Returns:
        An int64 tensor: the first of equal elements; the first NaN if there is one.

    Raises:
        IndexError: the dim is out of range or has extent 0, or the tensor is empty and there is no dim.
        RuntimeError: the dtype is bool.

    Reference: ``torch.argmax``.

    Example:
        >>> import numtensor as nt
        >>> nt.argmax(nt.tensor([[1.0, 5.0], [3.0, 4.0]]))
        tensor(1)
    """


@argmax.forward
def _(input, dim, keepdim):
    return _argument("argmax", ARGMAX, input, dim, keepdim)


@kernel(differentiable=())
def argmin(input, dim=None, keepdim=False):
    """Return where the smallest element is: in the flattened tensor, or along one dimension.

    Args:
        input: a tensor that is not bool.
        dim: the dimension; None for the position in the flattened tensor.
        keepdim: keep the reduced dimensions, with extent 1.

    Returns:
        An int64 tensor: the first of equal elements; the first NaN if there is one.

    Raises:
        IndexError: the dim is out of range or has extent 0, or the tensor is empty and there is no dim.
        RuntimeError: the dtype is bool.

    Reference: ``torch.argmin``.

    Example:
        >>> import numtensor as nt
        >>> nt.argmin(nt.tensor([[1.0, 5.0], [3.0, 4.0]]))
        tensor(0)
    """


@argmin.forward
def _(input, dim, keepdim):
    return _argument("argmin", ARGMIN, input, dim, keepdim)

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
    array = _as_numbers(input)
    result = reduce("prod", *PROD[array.dtype], array, dim, keepdim)
    return result if input.dtype.kind == "f" else _to_result("prod", result, dtype)


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


def _logic_forward(op, loops, input, dim, keepdim):
    array = _as_numbers(input)
    if dim is not None and is_full(dim):
        # An empty sequence means no dimension here, as in PyTorch.
        result = np.not_equal(array, 0)
    else:
        result = reduce(op, *loops[array.dtype], array, dim, keepdim)
    # PyTorch's one exception: uint8, its bool of old, gives uint8.
    return np.asarray(result).view(np.uint8) if input.dtype == np.uint8 else result


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
    return _logic_forward("any", ANY, input, dim, keepdim)


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
    return _logic_forward("all", ALL, input, dim, keepdim)


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
    array = _as_numbers(input)
    return reduce("count_nonzero", *COUNT[array.dtype], array, dim, False)


# ---------------------------------------------------------------------------------------------------------------------
# Variance


def _arguments(op, dim, unbiased, correction):
    """Return (dim, correction) of PyTorch's two ways to give them."""
    if type(dim) is bool:
        if unbiased is not None:
            raise TypeError(f"{op}: dim must be an int or a sequence of ints, not bool")
        dim, unbiased = None, dim
    if unbiased is not None:
        if correction is not None:
            raise TypeError(f"{op}: give unbiased or correction, not both")
        correction = 1 if unbiased else 0
    return dim, 1 if correction is None else correction


def _variance(op, loops, input, dim, unbiased, keepdim, correction):
    """Return (result, mean)."""
    dim, correction = _arguments(op, dim, unbiased, correction)
    if input.dtype.kind != "f":
        raise RuntimeError(
            f"{op}: std and var only support floating point dtypes, got {dtypes.FROM_NUMPY[input.dtype].name}; "
            "convert with .to(...) first"
        )
    return reduce(op, *loops[input.dtype], input, dim, keepdim, CONSTANTS[input.dtype][correction])


def _over_freedom(op, factor, shape, dim, correction):
    """Return factor / (n - correction); inf where that is not positive, as PyTorch has it."""
    freedom = count(op, shape, dim) - correction
    return factor / freedom if freedom > 0 else math.inf


@kernel(saves="input")
def var(input, dim=None, unbiased=None, keepdim=False, correction=None):
    """Compute the variance: sum((x - mean)**2) / (n - correction).

    Args:
        input: a floating tensor.
        dim: an int or a sequence of ints; all dimensions if None or empty.
        unbiased: True for correction 1, False for correction 0.
        keepdim: keep the reduced dimensions, with extent 1.
        correction: subtracted from the number of elements; 1 if neither it nor `unbiased` is given.

    Returns:
        A tensor; NaN or inf where n - correction is not positive. Computed in two passes in float64.

    Raises:
        IndexError: a dim is out of range.
        RuntimeError: the dtype is not a floating one, or a dim is given twice.
        TypeError: both `unbiased` and `correction` are given.

    Reference: ``torch.var``; T. Chan, G. Golub, R. LeVeque, "Algorithms for computing the sample variance" (1983).

    Example:
        >>> import numtensor as nt
        >>> nt.var(nt.tensor([1.0, 2.0, 3.0, 4.0]))
        tensor(1.6667)
    """


@var.forward
def _(input, dim, unbiased, keepdim, correction):
    return _variance("var", VAR, input, dim, unbiased, keepdim, correction)[0]


@var.forward_recording
def _(input, dim, unbiased, keepdim, correction):
    return _variance("var", VAR, input, dim, unbiased, keepdim, correction)


@var.backward
def _(grad, needs, input, dim, unbiased, keepdim, correction, mean):
    dim, correction = _arguments("var", dim, unbiased, correction)
    shape = input.shape
    grad = keep_dims("var", grad, shape, dim, keepdim)
    mean = keep_dims("var", np.asarray(mean), shape, dim, keepdim)
    factor = CONSTANTS[grad.dtype][_over_freedom("var", 2, shape, dim, correction)]
    return np.asarray(backward.var.loops[grad.dtype](grad, input, mean, factor))


@var.vjp
def _(grad, needs, input, dim, unbiased, keepdim, correction):
    dim, correction = _arguments("var", dim, unbiased, correction)
    shape = input.shape
    grad = keep_dims("var", grad, shape, dim, keepdim)
    return grad * ((input - mean(input, dim, True)) * _over_freedom("var", 2, shape, dim, correction))


@kernel(saves=("input", "output"))
def std(input, dim=None, unbiased=None, keepdim=False, correction=None):
    """Compute the standard deviation: sqrt(sum((x - mean)**2) / (n - correction)).

    Args:
        input: a floating tensor.
        dim: an int or a sequence of ints; all dimensions if None or empty.
        unbiased: True for correction 1, False for correction 0.
        keepdim: keep the reduced dimensions, with extent 1.
        correction: subtracted from the number of elements; 1 if neither it nor `unbiased` is given.

    Returns:
        A tensor; NaN or inf where n - correction is not positive. The gradient is 0 where the result is.

    Raises:
        IndexError: a dim is out of range.
        RuntimeError: the dtype is not a floating one, or a dim is given twice.
        TypeError: both `unbiased` and `correction` are given.

    Reference: ``torch.std``.

    Example:
        >>> import numtensor as nt
        >>> nt.std(nt.tensor([1.0, 2.0, 3.0, 4.0]))
        tensor(1.2910)
    """


@std.forward
def _(input, dim, unbiased, keepdim, correction):
    return _variance("std", STD, input, dim, unbiased, keepdim, correction)[0]


@std.forward_recording
def _(input, dim, unbiased, keepdim, correction):
    return _variance("std", STD, input, dim, unbiased, keepdim, correction)


@std.backward
def _(grad, needs, input, dim, unbiased, keepdim, correction, output, mean):
    dim, correction = _arguments("std", dim, unbiased, correction)
    shape = input.shape
    grad = keep_dims("std", grad, shape, dim, keepdim)
    mean = keep_dims("std", np.asarray(mean), shape, dim, keepdim)
    output = keep_dims("std", output, shape, dim, keepdim)
    factor = CONSTANTS[grad.dtype][_over_freedom("std", 1, shape, dim, correction)]
    return np.asarray(backward.std.loops[grad.dtype](grad, input, mean, output, factor))


@std.vjp
def _(grad, needs, input, dim, unbiased, keepdim, correction, output):
    dim, correction = _arguments("std", dim, unbiased, correction)
    shape = input.shape
    grad = keep_dims("std", grad, shape, dim, keepdim)
    slope = _quotient(grad, keep_dims("std", output, shape, dim, keepdim))
    return slope * ((input - mean(input, dim, True)) * _over_freedom("std", 1, shape, dim, correction))


def _quotient(x, y):
    """Return x / y, and 0 where y is 0, as a differentiable expression."""
    zero = y._array == 0
    if not zero.any():
        return x / y
    where = current.mode.where
    nothing = from_array(np.zeros((), y._array.dtype))
    mask = from_array(np.asarray(zero))
    return where(mask, nothing, x / where(mask, from_array(np.ones((), y._array.dtype)), y))


@composite(method=None)
def var_mean(input, dim=None, unbiased=None, keepdim=False, correction=None):
    """Compute the variance and the mean; see `var`.

    Args:
        input: a floating tensor.
        dim: an int or a sequence of ints; all dimensions if None or empty.
        unbiased: True for correction 1, False for correction 0.
        keepdim: keep the reduced dimensions, with extent 1.
        correction: subtracted from the number of elements; 1 if neither it nor `unbiased` is given.

    Returns:
        (variance, mean).

    Reference: ``torch.var_mean``.

    Example:
        >>> import numtensor as nt
        >>> nt.var_mean(nt.tensor([1.0, 2.0, 3.0]))
        (tensor(1.), tensor(2.))
    """
    return (
        var(input, dim, unbiased, keepdim, correction),
        mean(input, None if type(dim) is bool else dim, keepdim),
    )


@composite(method=None)
def std_mean(input, dim=None, unbiased=None, keepdim=False, correction=None):
    """Compute the standard deviation and the mean; see `std`.

    Args:
        input: a floating tensor.
        dim: an int or a sequence of ints; all dimensions if None or empty.
        unbiased: True for correction 1, False for correction 0.
        keepdim: keep the reduced dimensions, with extent 1.
        correction: subtracted from the number of elements; 1 if neither it nor `unbiased` is given.

    Returns:
        (standard deviation, mean).

    Reference: ``torch.std_mean``.

    Example:
        >>> import numtensor as nt
        >>> nt.std_mean(nt.tensor([1.0, 2.0, 3.0]))
        (tensor(1.), tensor(2.))
    """
    return (
        std(input, dim, unbiased, keepdim, correction),
        mean(input, None if type(dim) is bool else dim, keepdim),
    )


# ---------------------------------------------------------------------------------------------------------------------
# log(sum(exp)), and norms


@kernel(saves=("input", "output"))
def logsumexp(input, dim, keepdim=False):
    """Compute log(sum(exp(x))) without overflow.

    Args:
        input: a tensor; integral ones are computed in the default dtype.
        dim: an int or a sequence of ints; all dimensions if empty.
        keepdim: keep the reduced dimensions, with extent 1.

    Returns:
        A tensor; -inf for no element.

    Raises:
        IndexError: a dim is out of range.
        TypeError: `dim` is None.

    Reference: ``torch.logsumexp``.

    Example:
        >>> import numtensor as nt
        >>> nt.logsumexp(nt.tensor([1000.0, 1000.0]), dim=0)
        tensor(1000.6932)
    """


@logsumexp.forward
def _(input, dim, keepdim):
    if dim is None:
        raise TypeError("logsumexp: dim must be an int or a sequence of ints, not NoneType; give () for all")
    if input.dtype.kind != "f":
        input = input.astype(dtypes.get_default_dtype().numpy)
    return reduce("logsumexp", *LOGSUMEXP[input.dtype], input, dim, keepdim, staged=True)


@logsumexp.backward
def _(grad, needs, input, dim, keepdim, output):
    grad = keep_dims("logsumexp", grad, input.shape, dim, keepdim)
    output = keep_dims("logsumexp", output, input.shape, dim, keepdim)
    return np.asarray(backward.logsumexp.loops[grad.dtype](grad, input, output))


@logsumexp.vjp
def _(grad, needs, input, dim, keepdim, output):
    grad = keep_dims("logsumexp", grad, input.shape, dim, keepdim)
    return grad * (input - keep_dims("logsumexp", output, input.shape, dim, keepdim)).exp()


def _order(p):
    """Return the order of a vector norm as a number."""
    if p is None or p == "fro":
        return 2.0
    if isinstance(p, str) or not isinstance(p, (int, float)):
        raise RuntimeError(f"norm: order {p!r} is not supported; p must be a number (inf and -inf too) or 'fro'")
    return float(p)


_NORMS = {0.0: "norm_0", 1.0: "norm_1", 2.0: "norm_2", math.inf: "norm_largest", -math.inf: "norm_smallest"}


@kernel(cast="dtype", saves=("input", "output"))
def norm(input, p="fro", dim=None, keepdim=False, dtype=None):
    """Compute the vector norm sum(abs(x)**p)**(1 / p).

    Args:
        input: a floating tensor.
        p: the order: a number, ``inf`` (the largest magnitude), ``-inf`` (the smallest), 0 (the number of elements
            that are not zero) or ``"fro"``, which is 2.
        dim: an int or a sequence of ints; all dimensions, as one vector, if None or empty.
        keepdim: keep the reduced dimensions, with extent 1.
        dtype: convert to this dtype first.

    Returns:
        A tensor. Order 2 does not overflow before the result does. The gradient is 0 where the norm is 0; the orders
        inf and -inf share it among equal magnitudes.

    Raises:
        IndexError: a dim is out of range.
        RuntimeError: the dtype is not a floating one, the order is not supported, or the order is negative or inf
            and there is no element.

    Reference: ``torch.norm``.

    Example:
        >>> import numtensor as nt
        >>> nt.norm(nt.tensor([3.0, 4.0]))
        tensor(5.)
    """


@norm.forward
def _(input, p, dim, keepdim, dtype):
    if input.dtype.kind != "f":
        raise RuntimeError(
            f"norm: Expected a floating point tensor as input, got {dtypes.FROM_NUMPY[input.dtype].name}; convert with "
            ".to(...) or give dtype="
        )
    order = _order(p)
    if (order < 0 or order == math.inf) and not input.size and not count("norm", input.shape, dim):
        raise RuntimeError(
            f"norm: cannot compute the {p} norm of no element (shape {input.shape}, dim {dim}), because the operation "
            "does not have an identity"
        )
    name = _NORMS.get(order)
    if name is None:
        loop = forward.norm_p.loops[input.dtype]
        return reduce("norm", loop, None, input, dim, keepdim, CONSTANTS[input.dtype][order])
    return reduce("norm", getattr(forward, name).loops[input.dtype], None, input, dim, keepdim)


@norm.backward
def _(grad, needs, input, p, dim, keepdim, dtype, output):
    order = _order(p)
    if order == 0:
        # A count has no derivative.
        return None
    shape = input.shape
    grad = keep_dims("norm", grad, shape, dim, keepdim)
    output = keep_dims("norm", output, shape, dim, keepdim)
    if order == 2:
        return np.asarray(backward.norm_2.loops[grad.dtype](grad, input, output))
    if order == 1:
        return np.asarray(backward.norm_1.loops[grad.dtype](grad, input, output))
    if math.isinf(order):
        ties = _ties("norm", np.abs(input), dim, output)
        return np.asarray(backward.norm_extreme.loops[grad.dtype](grad, input, output, ties))
    return np.asarray(backward.norm_p.loops[grad.dtype](grad, input, output, CONSTANTS[grad.dtype][order]))


@norm.vjp
def _(grad, needs, input, p, dim, keepdim, dtype, output):
    order = _order(p)
    if order == 0:
        return None
    shape = input.shape
    grad = keep_dims("norm", grad, shape, dim, keepdim)
    output = keep_dims("norm", output, shape, dim, keepdim)
    array = input._array
    sign = from_array(np.asarray(np.sign(array)))
    if order == 2:
        return grad * _quotient(input, output)
    if order == 1:
        return grad * sign
    if math.isinf(order):
        magnitudes, best = np.abs(array), output._array
        equal = (magnitudes == best) | ((array != array) & (best != best))
        return grad * from_array(np.asarray(sign._array * equal / _ties("norm", magnitudes, dim, best)))
    zero = array == 0
    if not zero.any():
        return grad * sign * (input * sign / output) ** (order - 1)
    # Where an element is 0 its power may be infinite, and so may the power's derivatives: 1 stands in its place.
    where = current.mode.where
    mask = from_array(np.asarray(zero))
    one = from_array(np.ones((), array.dtype))
    vanished = output._array == 0
    output = where(from_array(np.asarray(vanished)), one, output)
    sign = from_array(np.asarray(sign._array * ~vanished))
    return grad * sign * (where(mask, one, input * sign) / output) ** (order - 1)


# ---------------------------------------------------------------------------------------------------------------------
# Running sums and products


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
def _(input, dim, dtype):
    array = _as_numbers(input)
    result = _running("cumsum", *CUMSUM[array.dtype], array, dim)
    return result if input.dtype.kind == "f" else _to_result("cumsum", result, dtype)


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
    array = _as_numbers(input)
    result = _running("cumprod", *CUMPROD[array.dtype], array, dim)
    return result if input.dtype.kind == "f" else _to_result("cumprod", result, dtype)


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
