"""What losses share: their reductions, the checks of their inputs and the gradient of differences."""

import math
import warnings

import numpy as np

from .. import dtypes
from ..kernels.forward import loss_reduction as forward
from ..threads.division import large_or_not
from .normalization import require_floating
from .operands import CONSTANTS, broadcast_error, sum_to_shape

INT64 = np.dtype(np.int64)
FLOAT64 = np.dtype(np.float64)


def check_reduction(op, reduction):
    """Raise ValueError unless `reduction` is one of the three."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{op}: {reduction!r} is not a valid value for reduction; give 'mean', 'sum' or 'none'")


def legacy_reduction(op, size_average, reduce, reduction):
    """Return what PyTorch's old arguments `size_average` and `reduce` mean, with its warning."""
    if size_average is None and reduce is None:
        return reduction
    size_average = True if size_average is None else size_average
    reduce = True if reduce is None else reduce
    meant = "none" if not reduce else "mean" if size_average else "sum"
    warnings.warn(
        f"{op}: size_average and reduce args will be deprecated, please use reduction='{meant}' instead.",
        UserWarning,
        stacklevel=4,
    )
    return meant


def reduce_losses(losses, reduction, count):
    """Return the losses as they are, their sum, or their sum divided by `count`."""
    if reduction == "none":
        return losses
    divisor = CONSTANTS[FLOAT64][1 if reduction == "sum" else count]
    return np.asarray(forward.total.loops[losses.dtype](losses if losses.ndim == 1 else losses.reshape(-1), divisor))


def gradient_scale(reduction, count):
    """Return what each element's gradient is multiplied by."""
    return 1.0 / count if reduction == "mean" and count else 1.0


def spread_gradient(grad, reduction, count):
    """The gradient of each element's loss, as a tensor that broadcasts with the losses."""
    return grad / count if reduction == "mean" and count else grad


def _common(op, input, target):
    """Return two arrays in their common floating dtype.

    Raises:
        NotImplementedError: it is not floating.
    """
    if input.dtype != target.dtype:
        dimensioned = [dtypes.FROM_NUMPY[a.dtype] for a in (input, target) if a.ndim]
        zero_dim = [dtypes.FROM_NUMPY[a.dtype] for a in (input, target) if not a.ndim]
        kind = dtypes.combine(dimensioned, zero_dim, []).numpy
        input, target = input.astype(kind, copy=False), target.astype(kind, copy=False)
    require_floating(op, input)
    if input.shape != target.shape:
        warnings.warn(
            f"{op}: Using a target size {target.shape} that is different to the input size {input.shape}. This will "
            "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            UserWarning,
            stacklevel=5,
        )
    return input, target


def pointwise(op, kernel, input, target, reduction, *numbers):
    """Run an elementwise loss kernel and reduce what it gives."""
    check_reduction(op, reduction)
    input, target = _common(op, input, target)
    constants = CONSTANTS[input.dtype]
    try:
        loop = large_or_not(kernel.loops[input.dtype], input)
        losses = loop(input, target, *[constants[n] for n in numbers])
    except ValueError as error:
        raise broadcast_error(op, error, input, target) from None
    losses = np.asarray(losses)
    return reduce_losses(losses, reduction, losses.size)


def difference_gradients(kernel, grad, needs, input, target, reduction, *numbers):
    """Return the gradients of a loss of input - target: they differ by the sign."""
    kind = grad.dtype
    a, b = input.astype(kind, copy=False), target.astype(kind, copy=False)
    count = a.size if a.shape == b.shape else math.prod(np.broadcast_shapes(a.shape, b.shape))
    constants = CONSTANTS[kind]
    scale = gradient_scale(reduction, count)
    loop = large_or_not(kernel.loops[kind], a)
    slope = np.asarray(loop(grad, a, b, *[constants[n] for n in numbers], constants[scale]))
    return (
        sum_to_shape(slope, input.shape).astype(input.dtype, copy=False) if needs[0] else None,
        sum_to_shape(np.negative(slope), target.shape).astype(target.dtype, copy=False) if needs[1] else None,
    )


def difference_vjp(slope_of, grad, needs, input, target, reduction):
    """The same as tensors: `slope_of(difference)` is the loss's derivative."""
    difference = input - target
    slope = slope_of(difference) * spread_gradient(grad, reduction, difference.numel())
    return (
        slope.sum_to_size(*input.shape).to(input.dtype) if needs[0] else None,
        (-slope).sum_to_size(*target.shape).to(target.dtype) if needs[1] else None,
    )


LEGACY = ("size_average", "reduce")


def apply_reduction(losses, reduction, count):
    """The reduction of losses as a tensor."""
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses.sum() / count
