"""Losses of class scores and of distributions: log-likelihood, cross-entropy, divergence."""

import math

import numpy as np

from .. import dtypes
from ..kernels.backward import classification_loss as backward
from ..kernels.forward import classification_loss as forward
from ..kernels.forward.arithmetic import mul as multiply
from ..lean import wrap_normal
from .choice import where
from .general_kind import composite, kernel
from .loss_reduction import (
    INT64,
    LEGACY,
    apply_reduction,
    check_reduction,
    gradient_scale,
    legacy_reduction,
    reduce_losses,
    spread_gradient,
)
from .normalization import log_softmax, require_floating
from .operands import CONSTANTS, unwrap

# Arguments of kernels: whether the sum is divided, and a weight or gradient that is one number for all.
IS_MEAN = {reduction: np.array(reduction == "mean") for reduction in ("mean", "sum", "none")}
ONE = {kind.numpy: np.ones(1, kind.numpy) for kind in dtypes.FLOATING}


def _class_dim(input):
    return 0 if input.ndim == 1 else 1


def _check_class_shapes(op, input, target):
    """Raise unless `target` has one class index for each of the input's vectors of scores."""
    if input.ndim == 0:
        raise ValueError(f"{op}: Expected 1 or more dimensions (got 0)")
    if input.ndim == 1:
        fits = target.size == 1 and target.ndim <= 1
    else:
        fits = target.shape == input.shape[:1] + input.shape[2:]
        if target.shape[:1] != input.shape[:1]:
            raise ValueError(
                f"{op}: Expected input batch_size ({input.shape[0]}) to match target batch_size "
                f"({target.shape[0] if target.ndim else 'none'}); input has shape {input.shape}, target {target.shape}"
            )
    if not fits:
        expected = list(input.shape[:1] + input.shape[2:]) if input.ndim > 1 else []
        raise RuntimeError(
            f"{op}: Expected target size {expected}, got {list(target.shape)}; input has shape {input.shape}, its "
            f"classes in dimension {_class_dim(input)}"
        )


def _is_plain(input, target):
    """Whether there is an int64 class for each row of a floating matrix: most calls, which need no further check."""
    return target.dtype is INT64 and input.ndim == 2 and target.shape == input.shape[:1] and input.dtype.kind == "f"


def _check_targets(op, input, target):
    """Raise unless `target` has an integer for each of the input's vectors of scores; the kernels compare their values.

    Raises:
        RuntimeError: they are not integers, or do not fit the input's shape.
    """
    if target.dtype.kind not in "iu":
        raise RuntimeError(f"{op}: expected integer targets (class indices), but got dtype {target.dtype.name}")
    require_floating(op, input)
    _check_class_shapes(op, input, target)


def _no_class(op, shape, target, ignore_index):
    """Return the exception for targets of which one was found to be neither a class nor `ignore_index`."""
    classes = shape[0 if len(shape) == 1 else 1]
    flat = target.reshape(-1)
    bad = np.flatnonzero(((flat < 0) | (flat >= classes)) & (flat != ignore_index))
    if not bad.size:
        return IndexError(f"{op}: a target was out of bounds, and changed meanwhile")
    where = list(map(int, np.unravel_index(bad[0], target.shape)))
    return IndexError(
        f"{op}: Target {flat[bad[0]]} is out of bounds: target{where} must be in [0, {classes}), the classes of "
        f"the input of shape {shape}, or ignore_index ({ignore_index})"
    )


def _check_class_weight(op, input, weight):
    classes = input.shape[_class_dim(input)]
    if weight.shape != (classes,):
        raise RuntimeError(
            f"{op}: weight tensor should be defined either for all {classes} classes or no classes but got weight "
            f"tensor of shape: {list(weight.shape)}"
        )
    if weight.dtype != input.dtype:
        raise RuntimeError(
            f"{op}: expected weight of the dtype of input, {input.dtype.name}, but got {weight.dtype.name}; convert "
            "one with .to(...)"
        )


@kernel(
    tensors=("input", "target", "weight"),
    differentiable=("input", "weight"),
    optional=("weight",),
    saves=("target", "weight"),
    keywords=LEGACY,
    namespace="nn.functional",
    method=False,
)
def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    """Measure the negative log likelihood of the right classes: -weight[target] * input[target].

    Args:
        input: logarithms of probabilities: (classes), (batch, classes) or (batch, classes, ...), floating-point.
        target: the right classes, integers in [0, classes): of the shape of `input` without its class dimension.
        weight: a factor per class, or None for 1; it gets no gradient.
        size_average, reduce: PyTorch's old form of `reduction`.
        ignore_index: a target that counts for nothing.
        reduction: ``"mean"`` (the sum / the sum of the weights used), ``"sum"`` or ``"none"``.

    Returns:
        A 0-d tensor, or a tensor of the shape of `target` for ``"none"``.

    Raises:
        IndexError: a target is out of range.
        ValueError: `reduction` is none of the three, or the batch sizes differ.
        RuntimeError: the shapes or dtypes do not fit.

    Reference: ``torch.nn.functional.nll_loss``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.nll_loss(nt.tensor([[-1.0, -2.0], [-3.0, -4.0]]), nt.tensor([0, 1]))
        tensor(2.5000)
    """


@nll_loss.keyword_rule
def _(input, target, weight, ignore_index, reduction, size_average, reduce):
    reduction = legacy_reduction("nll_loss", size_average, reduce, reduction)
    return nll_loss(input, target, weight, ignore_index=ignore_index, reduction=reduction)


def _class_columns(shape):
    """Return the shape (batch, classes, positions) of scores."""
    return (1, shape[0], 1) if len(shape) == 1 else (*shape[:2], math.prod(shape[2:]))


def _nll(input, target, weight, ignore_index, reduction):
    """Return the result and the divisor of the gradient."""
    check_reduction("nll_loss", reduction)
    if _is_plain(input, target):
        shape = (*input.shape, 1)
    else:
        _check_targets("nll_loss", input, target)
        shape = _class_columns(input.shape)
    if weight is not None:
        _check_class_weight("nll_loss", input, weight)
    else:
        weight = ONE[input.dtype]
    kind, targets = input.dtype, target.reshape(shape[0], shape[2])
    totals, losses, outside = np.empty(2, kind), np.empty(targets.shape, kind), np.empty((), bool)
    forward.nll_loss.run(
        kind,
        input.reshape(shape),
        targets,
        weight,
        CONSTANTS[INT64][ignore_index],
        IS_MEAN[reduction],
        totals,
        losses,
        outside,
    )
    if outside:
        raise _no_class("nll_loss", input.shape, target, ignore_index)
    if reduction == "none":
        return losses.reshape(target.shape if input.ndim > 1 else ()), None
    return totals[0], totals[1] if reduction == "mean" else None


@nll_loss.forward
def _(input, target, weight, ignore_index, reduction):
    return _nll(input, target, weight, ignore_index, reduction)[0]


@nll_loss.forward_recording
def _(input, target, weight, ignore_index, reduction):
    return _nll(input, target, weight, ignore_index, reduction)


def _nll_gradient(grad, shape, target, weight, ignore_index, divisor=None):
    """Return -weight[target] * grad / divisor at the targets and 0 elsewhere, in the input's shape.

    Args:
        grad: of the shape of `target`, or 0-d.
        divisor: of a mean; where it is 0, all is 0.
    """
    out, outside = np.zeros(shape, grad.dtype), np.empty((), bool)
    columns = _class_columns(shape)
    # Memory that is shared with NumPy may have changed since, unseen: the kernel compares again.
    backward.nll_loss.run(
        grad.dtype,
        grad.reshape(-1),
        target.reshape(columns[0], columns[2]),
        ONE[grad.dtype] if weight is None else weight,
        CONSTANTS[INT64][ignore_index],
        CONSTANTS[grad.dtype][1] if divisor is None else np.asarray(divisor),
        out.reshape(columns),
        outside,
    )
    if outside:
        raise _no_class("nll_loss", shape, target, ignore_index)
    return out


def _refuse_class_weight(needs):
    if needs[1]:
        raise RuntimeError(
            "nll_loss: not differentiable with respect to argument 'weight'. This input cannot have requires_grad "
            "True; detach() it."
        )


@nll_loss.backward
def _(grad, needs, input, target, weight, ignore_index, reduction, total):
    _refuse_class_weight(needs)
    return _nll_gradient(grad, input, target, weight, ignore_index, total), None


@nll_loss.vjp
def _(grad, needs, input, target, weight, ignore_index, reduction):
    _refuse_class_weight(needs)
    array = target._array
    factors = None if weight is None else weight._array
    slope = _nll_gradient(np.ones((), grad._array.dtype), input, array, factors, ignore_index)
    if reduction == "mean":
        total = -float(slope.sum(dtype=np.float64))
        grad = grad / total if total else grad * 0
    elif reduction == "none":
        grad = grad.reshape((*array.shape[:1], 1, *array.shape[1:]) if len(input) > 1 else (1,))
    return grad * wrap_normal(slope), None


@kernel(
    tensors=("input", "target"),
    saves=("input", "target"),
    keywords=("weight", "size_average", "reduce", "label_smoothing"),
    namespace="nn.functional",
    method=False,
)
def cross_entropy(
    input,
    target,
    weight=None,
    size_average=None,
    ignore_index=-100,
    reduce=None,
    reduction="mean",
    label_smoothing=0.0,
):
    """Measure the cross entropy of scores: -log(softmax(input))[target], or -sum(target * log(softmax(input))).

    Args:
        input: scores of any size: (classes), (batch, classes) or (batch, classes, ...), floating-point.
        target: the right classes, integers in [0, classes), of the shape of `input` without its class dimension; or
            probabilities of all classes, floating-point, of the shape of `input`.
        weight: a factor per class, or None for 1; it gets no gradient.
        size_average, reduce: PyTorch's old form of `reduction`.
        ignore_index: a class target that counts for nothing.
        reduction: ``"mean"`` (the sum / the sum of the weights used; for probabilities / the number of score
            vectors), ``"sum"`` or ``"none"``.
        label_smoothing: the share of the targets that is spread evenly over all classes, from 0 to 1.

    Returns:
        A 0-d tensor, or a tensor of one loss per vector of scores for ``"none"``.

    Raises:
        IndexError: a class target is out of range.
        ValueError: `reduction` is none of the three, or the batch sizes differ.
        RuntimeError: the shapes or dtypes do not fit, or `label_smoothing` is out of range.

    Reference: ``torch.nn.functional.cross_entropy``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.cross_entropy(nt.tensor([[0.0, 0.0], [0.0, 0.0]]), nt.tensor([0, 1]))
        tensor(0.6931)
    """


def _has_probabilities(input, target):
    """Whether the targets are probabilities: they have the scores' shape."""
    return target.shape == input.shape


def _check_probabilities(target, ignore_index):
    if target.dtype.kind != "f":
        raise RuntimeError(
            "cross_entropy: Expected floating point type for target with class probabilities (a target of the shape of "
            f"the input, {target.shape}), got {target.dtype.name}"
        )
    if ignore_index >= 0:
        raise RuntimeError("cross_entropy: ignore_index is not supported for floating point target")
    if not target.ndim:
        raise ValueError("cross_entropy: Expected 1 or more dimensions (got 0)")


def _score_rows(array):
    """Return the array with its classes last, each vector of them contiguous: so the kernel vectorises."""
    return array if array.ndim <= 2 else np.ascontiguousarray(np.moveaxis(array, 1, -1))


def _from_score_rows(array):
    return array if array.ndim <= 2 else np.ascontiguousarray(np.moveaxis(array, -1, 1))


def _cross_entropy(input, target, ignore_index, reduction):
    """Return the result, the count that a mean divides by, and what backward needs of each vector of scores."""
    check_reduction("cross_entropy", reduction)
    rows, classes = input, target
    if not _is_plain(input, target):
        if _has_probabilities(input, target):
            return _cross_entropy_of_probabilities(input, target, ignore_index, reduction)
        _check_targets("cross_entropy", input, target)
        if input.ndim != 2:
            rows, classes = _score_rows(input).reshape(-1, input.shape[_class_dim(input)]), target.reshape(-1)
    kind = input.dtype
    result, parts, count = np.empty((), kind), np.empty((3, rows.shape[0]), kind), np.empty((), INT64)
    forward.cross_entropy.run(
        kind, rows, classes, CONSTANTS[INT64][ignore_index], IS_MEAN[reduction], parts, result, count
    )
    count = count.item()
    if count < 0:
        raise _no_class("cross_entropy", input.shape, target, ignore_index)
    if reduction == "none":
        result = parts[2].reshape(target.shape if input.ndim > 1 else ()).copy()
    return result, count, parts


def _cross_entropy_of_probabilities(input, target, ignore_index, reduction):
    _check_probabilities(target, ignore_index)
    require_floating("cross_entropy", input)
    kind = np.promote_types(input.dtype, target.dtype)
    rows = _score_rows(input.astype(kind, copy=False))
    losses, *parts = forward.cross_entropy_probabilities.loops[kind](rows, _score_rows(target.astype(kind, copy=False)))
    count = math.prod(rows.shape[:-1])
    return reduce_losses(np.asarray(losses), reduction, count), count, parts


@cross_entropy.forward
def _(input, target, ignore_index, reduction):
    return _cross_entropy(input, target, ignore_index, reduction)[0]


@cross_entropy.forward_recording
def _(input, target, ignore_index, reduction):
    return _cross_entropy(input, target, ignore_index, reduction)


@cross_entropy.backward
def _(grad, needs, input, target, ignore_index, reduction, count, parts):
    kind = grad.dtype
    scale = CONSTANTS[kind][gradient_scale(reduction, count)]
    if _has_probabilities(input, target):
        return _probability_gradients(multiply.loops[kind](grad, scale), needs, input, target, *parts)
    rows, classes = input, target
    if input.ndim != 2:
        rows, classes = _score_rows(input), target.reshape(-1)
        whole = rows.shape
        rows = rows.reshape(-1, whole[-1])
    # Memory that is shared with NumPy may have changed since, unseen: the kernel compares again.
    slope, outside = np.empty(rows.shape, kind), np.empty((), bool)
    backward.cross_entropy.run(
        kind, grad.reshape(-1), rows, classes, CONSTANTS[INT64][ignore_index], scale, parts, slope, outside
    )
    if outside:
        raise _no_class("cross_entropy", input.shape, target, ignore_index)
    return slope if input.ndim == 2 else _from_score_rows(slope.reshape(whole)), None


def _probability_gradients(grad, needs, input, target, top, log_sum):
    kind = grad.dtype
    rows = _score_rows(input.astype(kind, copy=False))
    for_input = for_target = None
    if needs[0]:
        probabilities = _score_rows(target.astype(kind, copy=False))
        for_input = backward.cross_entropy_probabilities.loops[kind](grad, rows, probabilities, top, log_sum)
        for_input = _from_score_rows(for_input).astype(input.dtype, copy=False)
    if needs[1]:
        for_target = _from_score_rows(backward.cross_entropy_target.loops[kind](grad, rows, top, log_sum))
        for_target = for_target.astype(target.dtype, copy=False)
    return for_input, for_target


@cross_entropy.vjp
def _(grad, needs, input, target, ignore_index, reduction):
    dim = _class_dim(input)
    if _has_probabilities(input, target):
        count = input.numel() // max(input.shape[dim], 1)
        grad = spread_gradient(grad, reduction, count)
        grad = grad.unsqueeze(dim) if reduction == "none" else grad
        logarithms = log_softmax(input, dim)
        for_input = grad * (logarithms.exp() * target.sum(dim, True) - target) if needs[0] else None
        for_target = -grad * logarithms if needs[1] else None
        return (
            None if for_input is None else for_input.to(input.dtype),
            None if for_target is None else for_target.to(target.dtype),
        )
    array = target._array if input.ndim > 1 else target._array.reshape(())
    used = array != ignore_index
    count = int(used.sum())
    one_hot = -_nll_gradient(np.ones((), input._array.dtype), input._array.shape, array, None, ignore_index)
    used = wrap_normal(np.expand_dims(used, dim).astype(input._array.dtype))
    grad = spread_gradient(grad, reduction, count)
    grad = grad.unsqueeze(dim) if reduction == "none" else grad
    return grad * used * (log_softmax(input, dim).exp() - wrap_normal(one_hot)), None


@cross_entropy.keyword_rule
def _(input, target, ignore_index, reduction, weight, size_average, reduce, label_smoothing):
    reduction = legacy_reduction("cross_entropy", size_average, reduce, reduction)
    check_reduction("cross_entropy", reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"cross_entropy: label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if weight is None and label_smoothing == 0.0:
        return cross_entropy(input, target, ignore_index=ignore_index, reduction=reduction)
    scores = unwrap("cross_entropy", "input", input)
    targets = unwrap("cross_entropy", "target", target)
    probabilities = _has_probabilities(scores, targets)
    if probabilities:
        _check_probabilities(targets, ignore_index)
    else:
        _check_targets("cross_entropy", scores, targets)
    dim = _class_dim(scores)
    classes = scores.shape[dim]
    if not probabilities:
        used = targets != ignore_index
        count = np.count_nonzero(used)
        if (used & ((targets < 0) | (targets >= classes))).any():
            raise _no_class("cross_entropy", scores.shape, targets, ignore_index)
    if weight is not None:
        _check_class_weight("cross_entropy", scores, unwrap("cross_entropy", "weight", weight))
        if weight.requires_grad and not probabilities:
            _refuse_class_weight((False, True))
    logarithms = log_softmax(input, dim)
    weighted = logarithms
    if weight is not None:
        weighted = logarithms * weight.reshape((-1, *[1] * (scores.ndim - 1 - dim)))
    if probabilities:
        if label_smoothing:
            target = target * (1.0 - label_smoothing) + label_smoothing / classes
        losses = -(weighted * target).sum(dim)
        return apply_reduction(losses, reduction, losses.numel())
    right = nll_loss(logarithms, target, weight, ignore_index=ignore_index, reduction=reduction)
    if not label_smoothing:
        return right
    everywhere = -weighted.sum(dim)
    if count < used.size:
        # Not a product with 0: where all are ignored, the mean's gradient is infinite.
        everywhere = where(wrap_normal(used.reshape(everywhere.shape)), everywhere, 0.0)
    if weight is not None:
        factors = weight._array[targets.reshape(-1)[used.reshape(-1)]]
        count = float(reduce_losses(factors, "sum", 1))
    return right * (1.0 - label_smoothing) + apply_reduction(everywhere, reduction, count) * (label_smoothing / classes)


# ---------------------------------------------------------------------------------------------------------------------
# Distributions


@composite(
    tensors=("input", "target"),
    namespace="nn.functional",
    method=False,
)
def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """Measure how far distributions are from others (Kullback and Leibler): target * (log(target) - input).

    Args:
        input: logarithms of probabilities.
        target: probabilities, a tensor that broadcasts with `input`; what is 0 adds nothing.
        size_average, reduce: PyTorch's old form of `reduction`.
        reduction: ``"mean"`` (of all elements), ``"batchmean"`` (the sum over the first extent, which is the
            mathematical definition), ``"sum"`` or ``"none"``.
        log_target: the target is logarithms of probabilities, too.

    Returns:
        A 0-d tensor, or the losses of all elements for ``"none"``.

    Raises:
        ValueError: `reduction` is none of the four.
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.nn.functional.kl_div``, without its advice about ``"mean"``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.kl_div(nt.tensor([[0.5, 0.5]]).log(), nt.tensor([[1.0, 0.0]]), reduction="batchmean")
        tensor(0.6931)
    """
    reduction = legacy_reduction("kl_div", size_average, reduce, reduction)
    if reduction != "batchmean":
        check_reduction("kl_div", reduction)
    shapes = unwrap("kl_div", "input", input).shape, unwrap("kl_div", "target", target).shape
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        raise RuntimeError(f"kl_div: the shapes {shapes[0]} and {shapes[1]} do not broadcast") from None
    if log_target:
        losses = target.exp() * (target - input)
    else:
        nothing = target == 0
        # The logarithm of 1 in place of 0: of what is not chosen, NaN would come back in the gradient.
        losses = where(nothing, 0.0, target * where(nothing, 1.0, target).log()) - target * input
    if reduction == "batchmean":
        return losses.sum() / input.shape[0] if shapes[0] else losses
    return losses.mean() if reduction == "mean" else apply_reduction(losses, reduction, 1)
