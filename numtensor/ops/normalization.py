"""Softmax, layer and batch normalisation: ops that rescale each row (or channel) by what the whole row holds."""

from __future__ import annotations

import math
import operator
import warnings
from typing import TYPE_CHECKING

import numpy as np

from ..dtypes import as_dtype
from ..kernels.backward import normalization as backward
from ..kernels.forward import normalization as forward
from ..modes import current
from ..threads.division import large_or_not
from .dims import normalise_dim
from .general_kind import composite, kernel
from .inplace import bump_version, check_writable
from .operands import CONSTANTS, unwrap
from .row_kernels import RowKernel
from .silent import silent

if TYPE_CHECKING:
    from ..tensor import Tensor

FLOAT64 = np.dtype(np.float64)


def along(rows, columns, dim, *arrays):
    """Run a normalisation along one dimension of arrays of one shape.

    Args:
        rows: the `RowKernel` of the ``(n),...->(n)`` kernel, for the last dimension.
        columns: the ``(o,r,i),...->(o,r,i)`` kernel, for the others.
        dim: the dimension, counted from the front.
        arrays: of one dtype.

    Returns:
        An array with its elements in row-major order whatever the dimension, as in PyTorch.
    """
    shape = arrays[0].shape
    ndim = len(shape)
    if dim == ndim - 1:
        return rows.run(*arrays)
    if not ndim:
        return rows.run(*[a.reshape(1) for a in arrays]).reshape(())
    outer, inner = math.prod(shape[:dim]), math.prod(shape[dim + 1 :])
    if inner == 1:
        return rows.run(*[a.reshape(outer, shape[dim]) for a in arrays]).reshape(shape)
    kernel = large_or_not(columns.loops[arrays[0].dtype], arrays[0])
    return kernel(*[a.reshape(outer, shape[dim], inner) for a in arrays]).reshape(shape)


def require_floating(op, array):
    """Raise NotImplementedError, as PyTorch does, unless the array is floating-point."""
    if array.dtype.kind != "f":
        raise NotImplementedError(
            f"{op}: not implemented for dtype {array.dtype.name} (shape {array.shape}); convert it with "
            ".to(numtensor.float32) first"
        )


SOFTMAX, LOG_SOFTMAX = RowKernel(forward.softmax), RowKernel(forward.log_softmax)
SOFTMAX_BACKWARD, LOG_SOFTMAX_BACKWARD = RowKernel(backward.softmax), RowKernel(backward.log_softmax)


def _softmax_dim(op, dim, ndim):
    """Return the dimension, counted from the front; None has PyTorch's old meaning."""
    if dim is None:
        warnings.warn(
            f"{op}: Implicit dimension choice for {op} has been deprecated. Give dim=X as an argument.",
            UserWarning,
            stacklevel=4,
        )
        return 0 if ndim in (0, 1, 3) else 1
    return normalise_dim(op, dim, ndim)


@kernel(saves="output", aliases=("nn.functional.softmax",), keywords="dtype")
def softmax(input, dim: int | None = None, dtype=None):
    """Scale along a dimension to positive numbers that sum to 1: exp(input) / sum(exp(input)).

    Args:
        input: a floating-point tensor.
        dim: the dimension along which the results sum to 1. None (deprecated) means 0 for 0, 1 or 3 dimensions and 1
            for others, with a warning.
        dtype: to which `input` is converted first; its own by default.

    Returns:
        A tensor of the same shape. A row with NaN or inf, or of -inf throughout, gives NaN.

    Raises:
        IndexError: there is no dimension `dim`.
        NotImplementedError: `input` is not floating-point and no `dtype` is given.

    Reference: ``torch.softmax``.

    Example:
        >>> import numtensor as nt
        >>> nt.softmax(nt.tensor([0.0, 0.0, 0.0, 0.0]), dim=0)
        tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """


@softmax.keyword_rule
def _(input, dim, dtype):
    return softmax(input if dtype is None else input.to(as_dtype(dtype, "softmax")), dim)


@softmax.forward
@SOFTMAX.first
def _(input, dim):
    require_floating("softmax", input)
    return along(SOFTMAX, forward.softmax_columns, _softmax_dim("softmax", dim, input.ndim), input)


softmax.on_tensors(SOFTMAX.on_tensors)


@softmax.large
def _(input, dim):
    require_floating("softmax", input)
    return along(SOFTMAX, forward.softmax_columns, _softmax_dim("softmax", dim, input.ndim), input)


@softmax.backward
def _(grad, needs, input, dim, output):
    dim = dim if dim is not None else 0 if output.ndim in (0, 1, 3) else 1
    return along(SOFTMAX_BACKWARD, backward.softmax_columns, dim % (grad.ndim or 1), grad, output)


@softmax.vjp
def _(grad, needs, input, dim, output):
    dim = dim if dim is not None else 0 if output.ndim in (0, 1, 3) else 1
    scaled = grad * output
    return scaled - output * scaled.sum(dim, True)


@softmax.tangent
def _(tangents, result, input, dim):
    # The Jacobian is symmetric.
    return softmax.apply_vjp(tangents[0], (True,), (input, dim, result))[0]


@kernel(saves="output", aliases=("nn.functional.log_softmax",), keywords="dtype")
def log_softmax(input, dim: int | None = None, dtype=None):
    """Compute the logarithm of `softmax` along a dimension: input - log(sum(exp(input))), without overflow.

    Args:
        input: a floating-point tensor.
        dim: the dimension along which the exponentials of the results sum to 1. None (deprecated) means 0 for 0, 1 or
            3 dimensions and 1 for others, with a warning.
        dtype: to which `input` is converted first; its own by default.

    Returns:
        A tensor of the same shape.

    Raises:
        IndexError: there is no dimension `dim`.
        NotImplementedError: `input` is not floating-point and no `dtype` is given.

    Reference: ``torch.log_softmax``.

    Example:
        >>> import numtensor as nt
        >>> nt.log_softmax(nt.tensor([0.0, 0.0]), dim=0)
        tensor([-0.6931, -0.6931])
    """


@log_softmax.keyword_rule
def _(input, dim, dtype):
    return log_softmax(input if dtype is None else input.to(as_dtype(dtype, "log_softmax")), dim)


@log_softmax.forward
@LOG_SOFTMAX.first
def _(input, dim):
    require_floating("log_softmax", input)
    return along(LOG_SOFTMAX, forward.log_softmax_columns, _softmax_dim("log_softmax", dim, input.ndim), input)


log_softmax.on_tensors(LOG_SOFTMAX.on_tensors)


@log_softmax.large
def _(input, dim):
    require_floating("log_softmax", input)
    return along(LOG_SOFTMAX, forward.log_softmax_columns, _softmax_dim("log_softmax", dim, input.ndim), input)


@log_softmax.backward
def _(grad, needs, input, dim, output):
    dim = dim if dim is not None else 0 if output.ndim in (0, 1, 3) else 1
    return along(LOG_SOFTMAX_BACKWARD, backward.log_softmax_columns, dim % (grad.ndim or 1), grad, output)


@log_softmax.vjp
def _(grad, needs, input, dim, output):
    dim = dim if dim is not None else 0 if output.ndim in (0, 1, 3) else 1
    return grad - output.exp() * grad.sum(dim, True)


@log_softmax.tangent
def _(tangents, result, input, dim):
    (tangent,) = tangents
    dim = dim if dim is not None else 0 if result.ndim in (0, 1, 3) else 1
    return tangent - (result.exp() * tangent).sum(dim, True)


# ---------------------------------------------------------------------------------------------------------------------
# Layer normalisation


@kernel(
    saves=("input", "weight"),
    tensors=("input", "weight", "bias"),
    optional=("weight", "bias"),
    namespace="nn.functional",
    method=False,
)
def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Normalise over the last dimensions: (input - mean) / sqrt(variance + eps) * weight + bias.

    Args:
        input: a floating-point tensor whose last dimensions are `normalized_shape`.
        normalized_shape: the extents over which mean and (biased) variance are taken; an int for one dimension.
        weight: a factor per element of `normalized_shape`, or None for 1.
        bias: a summand per element of `normalized_shape`, or None for 0.
        eps: added to the variance.

    Returns:
        A tensor of the shape of `input`.

    Raises:
        RuntimeError: the shapes do not fit, or the dtypes differ.
        NotImplementedError: `input` is not floating-point.

    Reference: ``torch.nn.functional.layer_norm``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.layer_norm(nt.tensor([1.0, 3.0]), (2,))
        tensor([-1.0000,  1.0000])
    """


def _normalized_shape(normalized_shape):
    if type(normalized_shape) is tuple:
        return normalized_shape
    try:
        return (operator.index(normalized_shape),)
    except TypeError:
        return tuple(normalized_shape)


LAYER_NORM, NORMALIZE = RowKernel(forward.layer_norm), RowKernel(forward.normalize)


def _refuse_layer_norm(input, shape, weight, bias):
    """Raise what is wrong with arguments that do not fit each other, if anything is."""
    if not shape:
        raise RuntimeError("layer_norm: Expected normalized_shape to be at least 1-dimensional, but got ()")
    if input.shape[input.ndim - len(shape) :] != shape or input.ndim < len(shape):
        raise RuntimeError(
            f"layer_norm: Given normalized_shape={list(shape)}, expected input with shape "
            f"[*, {', '.join(map(str, shape))}], but got input of size {list(input.shape)}"
        )
    require_floating("layer_norm", input)
    for name, array in (("weight", weight), ("bias", bias)):
        if array is not None:
            if array.shape != shape:
                raise RuntimeError(
                    f"layer_norm: Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                    f"{list(array.shape)} and normalized_shape = {list(shape)}"
                )
            if array.dtype != input.dtype:
                raise RuntimeError(
                    f"layer_norm: expected {name} of the dtype of input, {input.dtype.name}, but got "
                    f"{array.dtype.name}; convert one with .to(...)"
                )


def _layer_norm_operands(input, normalized_shape, weight, bias, eps):
    """Check the arguments; return the row-wise kernel and its operands."""
    shape = _normalized_shape(normalized_shape)
    dtype = input.dtype
    eps = CONSTANTS[FLOAT64][float(eps)]
    if (
        weight is not None
        and bias is not None
        and len(shape) == 1
        and weight.shape == bias.shape == shape == input.shape[-1:]
        and weight.dtype is bias.dtype is dtype
        and dtype.kind == "f"
    ):
        # The usual case: the questions of all cases take as long as a small kernel.
        return LAYER_NORM, (input, weight, bias, eps)
    _refuse_layer_norm(input, shape, weight, bias)
    x, n = input, shape[-1]
    if len(shape) > 1:
        n = math.prod(shape)
        x = input.reshape(*input.shape[: input.ndim - len(shape)], n)
    if weight is None and bias is None:
        return NORMALIZE, (x, eps)
    constants = CONSTANTS[dtype]
    weight = np.broadcast_to(constants[1], n) if weight is None else weight.reshape(n)
    bias = np.broadcast_to(constants[0], n) if bias is None else bias.reshape(n)
    return LAYER_NORM, (x, weight, bias, eps)


@layer_norm.forward
def _(input, normalized_shape, weight, bias, eps):
    rows, operands = _layer_norm_operands(input, normalized_shape, weight, bias, eps)
    out = rows.run(*operands)
    return out if out.shape == input.shape else out.reshape(input.shape)


@layer_norm.forward_recording
def _(input, normalized_shape, weight, bias, eps):
    rows, operands = _layer_norm_operands(input, normalized_shape, weight, bias, eps)
    out, mean, rstd = large_or_not(rows.kernel.loops[input.dtype], input)(*operands)
    return out.reshape(input.shape), mean, rstd


@layer_norm.backward
def _(grad, needs, input, normalized_shape, weight, bias, eps, mean, rstd):
    shape = input.shape[input.ndim - len(_normalized_shape(normalized_shape)) :]
    n = math.prod(shape)
    rows = (*np.shape(mean), n)
    grad, x = grad.reshape(rows), input.reshape(rows)
    table = grad.dtype
    for_input = for_weight = for_bias = None
    if needs[0]:
        if weight is None:
            for_input = large_or_not(backward.normalize.loops[table], x)(grad, x, mean, rstd)
        else:
            kernel = large_or_not(backward.layer_norm.loops[table], x)
            for_input = kernel(grad, x, weight.reshape(n), mean, rstd)
        for_input = for_input.reshape(input.shape)
    count = math.prod(np.shape(mean))
    if needs[1]:
        for_weight = backward.layer_norm_weight.loops[table](
            grad.reshape(count, n), x.reshape(count, n), np.reshape(mean, count), np.reshape(rstd, count)
        )
        for_weight = for_weight.astype(table).reshape(shape)
    if needs[2]:
        for_bias = forward.sum_columns.loops[table](grad.reshape(count, n)).astype(table).reshape(shape)
    return for_input, for_weight, for_bias


@layer_norm.vjp
def _(grad, needs, input, normalized_shape, weight, bias, eps):
    count = len(_normalized_shape(normalized_shape))
    dims = list(range(-count, 0))
    lead = list(range(input.ndim - count))
    centered = input - input.mean(dims, True)
    rstd = ((centered * centered).mean(dims, True) + eps) ** -0.5
    normalized = centered * rstd
    for_input = for_weight = for_bias = None
    if needs[0]:
        scaled = grad if weight is None else grad * weight
        for_input = rstd * (scaled - scaled.mean(dims, True) - normalized * (scaled * normalized).mean(dims, True))
    if needs[1]:
        for_weight = grad * normalized
        for_weight = for_weight.sum(lead) if lead else for_weight
    if needs[2]:
        for_bias = grad.sum(lead) if lead else grad
    return for_input, for_weight, for_bias


# ---------------------------------------------------------------------------------------------------------------------
# Batch normalisation


def _per_channel(kernel_rows, kernel_columns, arrays, *numbers):
    """Return a sum per channel (dimension 1), as float64, of arrays of one shape; `numbers` has one of each."""
    kind = arrays[0].dtype
    shape = arrays[0].shape
    if len(shape) == 2:
        return kernel_columns.loops[kind](*arrays, *numbers)
    rows = [a.reshape(shape[0], shape[1], -1) for a in arrays]
    return forward.sum_columns.loops[FLOAT64](kernel_rows.loops[kind](*rows, *numbers).astype(np.float64))


def _standardized(input, mean, rstd, weight, bias):
    """Return (input - mean) * rstd * weight + bias with one number of each per channel."""
    constants = CONSTANTS[input.dtype]
    weight = constants[1] if weight is None else weight
    bias = constants[0] if bias is None else bias
    if input.ndim == 2:
        return large_or_not(forward.standardize.loops[input.dtype], input)(input, mean, rstd, weight, bias)
    rows = input.reshape(input.shape[0], input.shape[1], -1)
    kernel = large_or_not(forward.standardize_rows.loops[input.dtype], input)
    return kernel(rows, mean, rstd, weight, bias).reshape(input.shape)


def _check_channels(op, input, **arrays):
    if input.ndim < 2:
        raise IndexError(f"{op}: expected input with a batch and a channel dimension, got shape {input.shape}")
    if input.dtype.kind != "f":
        raise NotImplementedError(
            f"{op}: not implemented for dtype {input.dtype.name}; convert it with .to(numtensor.float32) first"
        )
    for name, array in arrays.items():
        if array is not None:
            if array.shape != input.shape[1:2]:
                raise RuntimeError(
                    f"{op}: {name} should contain {input.shape[1]} elements, one per channel of the input of "
                    f"shape {input.shape}, not shape {array.shape}"
                )
            if array.dtype != input.dtype:
                raise RuntimeError(
                    f"{op}: expected {name} of the dtype of input, {input.dtype.name}, but got "
                    f"{array.dtype.name}; convert one with .to(...)"
                )


def _channels_shape(ndim):
    """Return the shape that lines a vector of channels up with dimension 1."""
    return (-1, *[1] * (ndim - 2))


def _sum_dims(ndim):
    return [0, *range(2, ndim)]


def _rstd(variance, eps, kind):
    return silent.run(np.reciprocal, silent.run(np.sqrt, variance + eps)).astype(kind)


@kernel(
    tensors=("input", "weight", "bias"),
    optional=("weight", "bias"),
    saves=("input", "weight"),
    results=3,
    differentiable_results=(0,),
    namespace="ops",
    method=False,
)
def batch_norm_training(input, weight=None, bias=None, eps=1e-5):
    """Normalise each channel by its own mean and variance over the batch: the training half of `batch_norm`.

    Args:
        input: a floating-point tensor of shape (batch, channels, ...).
        weight: a factor per channel, or None for 1.
        bias: a summand per channel, or None for 0.
        eps: added to the variance.

    Returns:
        The result, the channels' means and their biased variances; only the first carries gradients.

    Raises:
        RuntimeError: the shapes do not fit, or the dtypes differ.

    Reference: ``torch.native_batch_norm``.

    Example:
        >>> import numtensor as nt
        >>> x = nt.tensor([[1.0], [3.0]])
        >>> nt.ops.batch_norm_training(x, eps=0.0)[1]
        tensor([2.])
    """


def _batch_norm_with_statistics(input, weight, bias, eps):
    """Return the result, each channel's mean, variance and the reciprocal of its standard deviation."""
    _check_channels("batch_norm_training", input, weight=weight, bias=bias)
    kind = input.dtype
    count = math.prod(input.shape) // max(input.shape[1], 1)
    mean = silent.run(np.divide, _per_channel(forward.sum_rows, forward.sum_columns, (input,)), count)
    center = mean.astype(kind)
    squares = _per_channel(forward.sum_square_rows, forward.sum_square_columns, (input,), center)
    variance = silent.run(np.divide, squares, count)
    rstd = _rstd(variance, eps, kind)
    return _standardized(input, center, rstd, weight, bias), center, variance.astype(kind), rstd


@batch_norm_training.forward
def _(input, weight, bias, eps):
    return _batch_norm_with_statistics(input, weight, bias, eps)[:3]


@batch_norm_training.forward_recording
def _(input, weight, bias, eps):
    out, mean, variance, rstd = _batch_norm_with_statistics(input, weight, bias, eps)
    # The results can be changed in place; what backward needs of them is its own.
    return (out, mean.copy(), variance), mean, rstd


@batch_norm_training.backward
def _(grads, needs, input, weight, bias, eps, mean, rstd):
    grad = grads[0]
    if grad is None:
        return None, None, None
    kind = grad.dtype
    count = math.prod(input.shape) // max(input.shape[1], 1)
    total = product = for_input = None
    if needs[0] or needs[2]:
        total = _per_channel(forward.sum_rows, forward.sum_columns, (grad,))
    if needs[0] or needs[1]:
        product = _per_channel(backward.sum_product_rows, backward.sum_product_columns, (grad, input), mean)
        # The standard deviation of no element is NaN; the sum over none is 0 all the same.
        product = product * rstd if count else product
    if needs[0]:
        level = silent.run(np.divide, total, count).astype(kind)
        slope = silent.run(np.divide, product * rstd, count).astype(kind)
        scale = rstd if weight is None else rstd * weight
        if input.ndim == 2:
            kernel = large_or_not(backward.standardize.loops[kind], input)
            for_input = kernel(grad, input, mean, level, slope, scale)
        else:
            rows = (input.shape[0], input.shape[1], -1)
            kernel = large_or_not(backward.standardize_rows.loops[kind], input)
            for_input = kernel(grad.reshape(rows), input.reshape(rows), mean, level, slope, scale)
            for_input = for_input.reshape(input.shape)
    return for_input, product.astype(kind) if needs[1] else None, total.astype(kind) if needs[2] else None


@batch_norm_training.vjp
def _(grads, needs, input, weight, bias, eps):
    grad = grads[0]
    if grad is None:
        return None, None, None
    dims, shape = _sum_dims(input.ndim), _channels_shape(input.ndim)
    centered = input - input.mean(dims, True)
    rstd = ((centered * centered).mean(dims, True) + eps) ** -0.5
    normalized = centered * rstd
    for_input = for_weight = for_bias = None
    if needs[0]:
        scaled = grad if weight is None else grad * weight.reshape(shape)
        for_input = rstd * (scaled - scaled.mean(dims, True) - normalized * (scaled * normalized).mean(dims, True))
    if needs[1]:
        for_weight = (grad * normalized).sum(dims)
    if needs[2]:
        for_bias = grad.sum(dims)
    return for_input, for_weight, for_bias


@kernel(
    tensors=("input", "mean", "variance", "weight", "bias"),
    optional=("weight", "bias"),
    differentiable=("input", "weight", "bias"),
    saves=("input", "mean", "variance", "weight"),
    namespace="ops",
    method=False,
)
def batch_norm_inference(input, mean, variance, weight=None, bias=None, eps=1e-5):
    """Normalise each channel by a given mean and variance: the half of `batch_norm` that does not train.

    Args:
        input: a floating-point tensor of shape (batch, channels, ...).
        mean, variance: one of each per channel; they get no gradient.
        weight: a factor per channel, or None for 1.
        bias: a summand per channel, or None for 0.
        eps: added to the variance.

    Returns:
        A tensor of the shape of `input`.

    Raises:
        RuntimeError: the shapes do not fit, or the dtypes differ.

    Reference: ``torch.native_batch_norm``.

    Example:
        >>> import numtensor as nt
        >>> x, mean, variance = nt.tensor([[1.0], [3.0]]), nt.tensor([1.0]), nt.tensor([4.0])
        >>> nt.ops.batch_norm_inference(x, mean, variance, eps=0.0)
        tensor([[0.],
                [1.]])
    """


@batch_norm_inference.forward
def _(input, mean, variance, weight, bias, eps):
    _check_channels("batch_norm_inference", input, running_mean=mean, running_var=variance, weight=weight, bias=bias)
    return _standardized(input, mean, _rstd(variance, eps, input.dtype), weight, bias)


@batch_norm_inference.backward
def _(grad, needs, input, mean, variance, weight, bias, eps):
    kind = grad.dtype
    rstd = _rstd(variance, eps, kind)
    for_input = for_weight = for_bias = None
    if needs[0]:
        for_input = _standardized(grad, CONSTANTS[kind][0], rstd, weight, None)
    if needs[1]:
        product = _per_channel(backward.sum_product_rows, backward.sum_product_columns, (grad, input), mean)
        for_weight = (product * rstd).astype(kind)
    if needs[2]:
        for_bias = _per_channel(forward.sum_rows, forward.sum_columns, (grad,)).astype(kind)
    return for_input, for_weight, for_bias


@batch_norm_inference.vjp
def _(grad, needs, input, mean, variance, weight, bias, eps):
    dims, shape = _sum_dims(input.ndim), _channels_shape(input.ndim)
    rstd = (variance.reshape(shape) + eps) ** -0.5
    for_input = for_weight = for_bias = None
    if needs[0]:
        for_input = grad * (rstd if weight is None else rstd * weight.reshape(shape))
    if needs[1]:
        for_weight = (grad * (input - mean.reshape(shape)) * rstd).sum(dims)
    if needs[2]:
        for_bias = grad.sum(dims)
    return for_input, for_weight, for_bias


@composite(namespace="nn.functional", method=False, tensors=("input", "running_mean", "running_var", "weight", "bias"))
def batch_norm(
    input,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight=None,
    bias=None,
    training: bool = False,
    momentum=0.1,
    eps=1e-5,
):
    """Normalise each channel: (input - mean) / sqrt(variance + eps) * weight + bias.

    In training, mean and biased variance are those of the batch, and the running ones are moved towards the batch's
    mean and unbiased variance, in place: running = (1 - momentum) * running + momentum * batch. Otherwise mean and
    variance are the running ones.

    Args:
        input: a floating-point tensor of shape (batch, channels, ...).
        running_mean, running_var: one of each per channel, or both None (in training only).
        weight: a factor per channel, or None for 1.
        bias: a summand per channel, or None for 0.
        training: whether to use the batch's statistics.
        momentum: the share of the batch in the new running statistics.
        eps: added to the variance.

    Returns:
        A tensor of the shape of `input`.

    Raises:
        ValueError: there is only one value per channel in training, or only one of the running statistics is given.
        RuntimeError: the shapes do not fit, the dtypes differ, or the running statistics are missing or may not be
            changed.

    Reference: ``torch.nn.functional.batch_norm``.

    Example:
        >>> import numtensor as nt
        >>> mean, variance = nt.tensor([0.0]), nt.tensor([1.0])
        >>> x = nt.tensor([[1.0], [3.0]])
        >>> nt.nn.functional.batch_norm(x, mean, variance, training=True)
        tensor([[-1.0000],
                [ 1.0000]])
        >>> mean, variance
        (tensor([0.2000]), tensor([1.1000]))
    """
    if (running_mean is None) != (running_var is None):
        raise ValueError("batch_norm: running_mean and running_var must either both be None or neither be None")
    if not training:
        if running_mean is None:
            raise RuntimeError("batch_norm: running_mean must be defined in evaluation mode")
        return current.mode.batch_norm_inference(input, running_mean, running_var, weight, bias, eps)
    shape = unwrap("batch_norm", "input", input).shape
    count = math.prod(shape[:1] + shape[2:])
    if count == 1 and len(shape) > 1:
        raise ValueError(
            f"batch_norm: Expected more than 1 value per channel when training, got input size {list(shape)}"
        )
    if running_mean is None:
        return current.mode.batch_norm_training(input, weight, bias, eps)[0]
    _check_channels(
        "batch_norm",
        unwrap("batch_norm", "input", input),
        running_mean=unwrap("batch_norm", "running_mean", running_mean),
        running_var=unwrap("batch_norm", "running_var", running_var),
    )
    check_writable("batch_norm", running_mean)
    check_writable("batch_norm", running_var)
    out, mean, variance = current.mode.batch_norm_training(input, weight, bias, eps)
    unbiased = count / (count - 1) if count else 1.0
    silent.run(_move_towards, running_mean._array, mean._array, momentum, 1.0)
    silent.run(_move_towards, running_var._array, variance._array, momentum, unbiased)
    bump_version(running_mean, "batch_norm")
    bump_version(running_var, "batch_norm")
    return out


def _move_towards(running, value, momentum, factor):
    running[...] = (1 - momentum) * running.astype(np.float64) + momentum * factor * value.astype(np.float64)
