"""Losses of yes-or-no probabilities."""

import numpy as np

from ..kernels.backward import binary_loss as backward
from ..kernels.forward import binary_loss as forward
from ..lean import wrap_normal
from .general_kind import kernel
from .loss_reduction import (
    LEGACY,
    apply_reduction,
    check_reduction,
    gradient_scale,
    legacy_reduction,
    pointwise,
    spread_gradient,
)
from .normalization import require_floating
from .operands import CONSTANTS


def _check_same(op, input, target):
    if input.shape != target.shape:
        raise ValueError(
            f"{op}: Using a target size {target.shape} that is different to the input size {input.shape} is not "
            "supported. Please ensure they have the same size."
        )
    require_floating(op, input)
    if target.dtype.kind != "f":
        raise RuntimeError(f"{op}: Found dtype {target.dtype.name} of target but expected {input.dtype.name}")


@kernel(
    tensors=("input", "target"),
    saves=("input", "target"),
    keywords=("weight", *LEGACY),
    namespace="nn.functional",
    method=False,
)
def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """Measure the cross entropy of probabilities of two classes: -(target log(input) + (1 - target) log(1 - input)).

    Logarithms below -100 count as -100.

    Args:
        input: probabilities from 0 to 1, floating-point.
        target: a tensor of the same shape and dtype, from 0 to 1.
        weight: a factor per element that broadcasts with `input`, or None for 1.
        size_average, reduce: PyTorch's old form of `reduction`.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        A 0-d tensor, or the losses of all elements for ``"none"``.

    Raises:
        ValueError: `reduction` is none of the three, or the shapes differ.
        RuntimeError: an element of `input` is not in [0, 1], or the dtypes differ.

    Reference: ``torch.nn.functional.binary_cross_entropy``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.binary_cross_entropy(nt.tensor([0.5, 0.5]), nt.tensor([0.0, 1.0]))
        tensor(0.6931)
    """


@binary_cross_entropy.keyword_rule
def _(input, target, reduction, weight, size_average, reduce):
    reduction = legacy_reduction("binary_cross_entropy", size_average, reduce, reduction)
    if weight is None:
        return binary_cross_entropy(input, target, reduction=reduction)
    check_reduction("binary_cross_entropy", reduction)
    losses = binary_cross_entropy(input, target, reduction="none") * weight
    return apply_reduction(losses, reduction, losses.numel())


@binary_cross_entropy.forward
def _(input, target, reduction):
    _check_same("binary_cross_entropy", input, target)
    if input.dtype != target.dtype:
        raise RuntimeError(
            f"binary_cross_entropy: Found dtype {target.dtype.name} of target but expected {input.dtype.name}"
        )
    if forward.count_outside_unit.loops[input.dtype](input.reshape(-1)):
        raise RuntimeError("binary_cross_entropy: all elements of input should be between 0 and 1")
    return pointwise("binary_cross_entropy", forward.binary_cross_entropy, input, target, reduction)


@binary_cross_entropy.backward
def _(grad, needs, input, target, reduction):
    scale = CONSTANTS[grad.dtype][gradient_scale(reduction, input.size)]
    return (
        backward.binary_cross_entropy.loops[grad.dtype](grad, input, target, scale) if needs[0] else None,
        backward.binary_cross_entropy_target.loops[grad.dtype](grad, input, scale) if needs[1] else None,
    )


@binary_cross_entropy.vjp
def _(grad, needs, input, target, reduction):
    grad = spread_gradient(grad, reduction, input.numel())
    for_target = None
    if needs[1]:
        for_target = grad * ((-input).log1p().clamp(min=-100.0) - input.log().clamp(min=-100.0))
    return (
        grad * (input - target) / (input * (1 - input)).clamp(min=1e-12) if needs[0] else None,
        for_target,
    )


@kernel(
    tensors=("input", "target"),
    saves=("input", "target"),
    keywords=("weight", *LEGACY, "pos_weight"),
    namespace="nn.functional",
    method=False,
)
def binary_cross_entropy_with_logits(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None
):
    """Measure `binary_cross_entropy` of sigmoid(input), without overflow for any input.

    Args:
        input: scores of any size, floating-point.
        target: a floating-point tensor of the same shape, from 0 to 1.
        weight: a factor per element that broadcasts with `input`, or None for 1.
        size_average, reduce: PyTorch's old form of `reduction`.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: a factor of the part of class 1 that broadcasts with `input`, or None for 1.

    Returns:
        A 0-d tensor, or the losses of all elements for ``"none"``.

    Raises:
        ValueError: `reduction` is none of the three, or the shapes differ.
        RuntimeError: `target` is not floating-point, or a weight does not broadcast.

    Reference: ``torch.nn.functional.binary_cross_entropy_with_logits``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.binary_cross_entropy_with_logits(nt.tensor([0.0, 0.0]), nt.tensor([0.0, 1.0]))
        tensor(0.6931)
    """


@binary_cross_entropy_with_logits.keyword_rule
def _(input, target, reduction, weight, size_average, reduce, pos_weight):
    op = "binary_cross_entropy_with_logits"
    reduction = legacy_reduction(op, size_average, reduce, reduction)
    if weight is None and pos_weight is None:
        return binary_cross_entropy_with_logits(input, target, reduction=reduction)
    check_reduction(op, reduction)
    losses = binary_cross_entropy_with_logits(input, target, reduction="none")
    if pos_weight is not None:
        # The loss at target 1 is -log(sigmoid(input)), which is what pos_weight multiplies.
        ones = wrap_normal(np.ones(target.shape, target._array.dtype))
        positive = binary_cross_entropy_with_logits(input, ones, reduction="none")
        losses = losses + (pos_weight - 1) * target * positive
    if weight is not None:
        losses = losses * weight
    return apply_reduction(losses, reduction, losses.numel())


@binary_cross_entropy_with_logits.forward
def _(input, target, reduction):
    _check_same("binary_cross_entropy_with_logits", input, target)
    kernel = forward.binary_cross_entropy_with_logits
    return pointwise("binary_cross_entropy_with_logits", kernel, input, target, reduction)


@binary_cross_entropy_with_logits.backward
def _(grad, needs, input, target, reduction):
    kind = grad.dtype
    scale = CONSTANTS[kind][gradient_scale(reduction, input.size)]
    x, for_input, for_target = input.astype(kind, copy=False), None, None
    if needs[0]:
        y = target.astype(kind, copy=False)
        for_input = np.asarray(backward.binary_cross_entropy_with_logits.loops[kind](grad, x, y, scale))
    if needs[1]:
        for_target = np.asarray(backward.binary_cross_entropy_with_logits_target.loops[kind](grad, x, scale))
    return (
        None if for_input is None else for_input.astype(input.dtype, copy=False),
        None if for_target is None else for_target.astype(target.dtype, copy=False),
    )


@binary_cross_entropy_with_logits.vjp
def _(grad, needs, input, target, reduction):
    grad = spread_gradient(grad, reduction, input.numel())
    return (
        (grad * (input.sigmoid() - target)).to(input.dtype) if needs[0] else None,
        (-grad * input).to(target.dtype) if needs[1] else None,
    )
