"""Losses of the difference between an input and a target: squares, absolute values, and smooth mixtures."""

import numpy as np

from ..kernels.backward import regression_loss as backward
from ..kernels.forward import regression_loss as forward
from .general_kind import kernel
from .loss_reduction import (
    FLOAT64,
    LEGACY,
    check_reduction,
    difference_gradients,
    difference_vjp,
    legacy_reduction,
    pointwise,
)
from .operands import CONSTANTS


@kernel(
    tensors=("input", "target"),
    saves=("input", "target"),
    keywords=LEGACY,
    namespace="nn.functional",
    method=False,
)
def mse_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """Measure the squared error: (input - target)^2.

    Args:
        input: a floating-point tensor.
        target: a tensor of the same shape (another that broadcasts gives a warning).
        size_average, reduce: PyTorch's old form of `reduction`.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        A 0-d tensor, or the losses of all elements for ``"none"``.

    Raises:
        ValueError: `reduction` is none of the three.
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.nn.functional.mse_loss``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.mse_loss(nt.tensor([1.0, 2.0]), nt.tensor([1.0, 4.0]))
        tensor(2.)
    """


@mse_loss.keyword_rule
def _(input, target, reduction, size_average, reduce):
    return mse_loss(input, target, reduction=legacy_reduction("mse_loss", size_average, reduce, reduction))


@mse_loss.forward
def _(input, target, reduction):
    if reduction != "none" and input.shape == target.shape and input.dtype is target.dtype and input.dtype.kind == "f":
        check_reduction("mse_loss", reduction)
        divisor = CONSTANTS[FLOAT64][1 if reduction == "sum" else input.size]
        return np.asarray(forward.mse_total.loops[input.dtype](input.reshape(-1), target.reshape(-1), divisor))
    return pointwise("mse_loss", forward.mse_loss, input, target, reduction)


@mse_loss.backward
def _(grad, needs, input, target, reduction):
    return difference_gradients(backward.mse_loss, grad, needs, input, target, reduction)


@mse_loss.vjp
def _(grad, needs, input, target, reduction):
    return difference_vjp(lambda d: d * 2, grad, needs, input, target, reduction)


@kernel(
    tensors=("input", "target"),
    saves=("input", "target"),
    keywords=LEGACY,
    namespace="nn.functional",
    method=False,
)
def l1_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """Measure the absolute error: abs(input - target); its gradient is 0 where they are equal.

    Args:
        input: a floating-point tensor.
        target: a tensor of the same shape (another that broadcasts gives a warning).
        size_average, reduce: PyTorch's old form of `reduction`.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        A 0-d tensor, or the losses of all elements for ``"none"``.

    Raises:
        ValueError: `reduction` is none of the three.
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.nn.functional.l1_loss``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.l1_loss(nt.tensor([1.0, 2.0]), nt.tensor([1.0, 4.0]))
        tensor(1.)
    """


@l1_loss.keyword_rule
def _(input, target, reduction, size_average, reduce):
    return l1_loss(input, target, reduction=legacy_reduction("l1_loss", size_average, reduce, reduction))


@l1_loss.forward
def _(input, target, reduction):
    return pointwise("l1_loss", forward.l1_loss, input, target, reduction)


@l1_loss.backward
def _(grad, needs, input, target, reduction):
    return difference_gradients(backward.l1_loss, grad, needs, input, target, reduction)


@l1_loss.vjp
def _(grad, needs, input, target, reduction):
    return difference_vjp(lambda d: d.sign(), grad, needs, input, target, reduction)


@kernel(
    tensors=("input", "target"),
    saves=("input", "target"),
    keywords=LEGACY,
    namespace="nn.functional",
    method=False,
)
def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """Measure the absolute error, squared near 0: d^2 / (2 beta) where d < beta, else d - beta / 2; d is the error.

    Args:
        input: a floating-point tensor.
        target: a tensor of the same shape (another that broadcasts gives a warning).
        size_average, reduce: PyTorch's old form of `reduction`.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        beta: where the quadratic part ends; 0 gives `l1_loss`.

    Returns:
        A 0-d tensor, or the losses of all elements for ``"none"``.

    Raises:
        ValueError: `reduction` is none of the three.
        RuntimeError: the shapes do not broadcast, or `beta` is negative.

    Reference: ``torch.nn.functional.smooth_l1_loss``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.smooth_l1_loss(nt.tensor([1.0, 2.0]), nt.tensor([2.0, 4.0]), reduction="none")
        tensor([0.5000, 1.5000])
    """


@smooth_l1_loss.keyword_rule
def _(input, target, reduction, beta, size_average, reduce):
    reduction = legacy_reduction("smooth_l1_loss", size_average, reduce, reduction)
    return smooth_l1_loss(input, target, reduction=reduction, beta=beta)


@smooth_l1_loss.forward
def _(input, target, reduction, beta):
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss: does not support negative values for beta, got {beta}")
    return pointwise("smooth_l1_loss", forward.smooth_l1_loss, input, target, reduction, beta)


@smooth_l1_loss.backward
def _(grad, needs, input, target, reduction, beta):
    return difference_gradients(backward.smooth_l1_loss, grad, needs, input, target, reduction, beta)


@smooth_l1_loss.vjp
def _(grad, needs, input, target, reduction, beta):
    def slope(d):
        return d.sign() if beta == 0 else (d / beta).clamp(-1.0, 1.0)

    return difference_vjp(slope, grad, needs, input, target, reduction)


@kernel(
    tensors=("input", "target"),
    saves=("input", "target"),
    namespace="nn.functional",
    method=False,
)
def huber_loss(input, target, reduction="mean", delta=1.0):
    """Measure the squared error, linear far from 0: d^2 / 2 where d < delta, else delta * (d - delta / 2).

    Args:
        input: a floating-point tensor.
        target: a tensor of the same shape (another that broadcasts gives a warning).
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        delta: where the quadratic part ends; positive.

    Returns:
        A 0-d tensor, or the losses of all elements for ``"none"``.

    Raises:
        ValueError: `reduction` is none of the three.
        RuntimeError: the shapes do not broadcast, or `delta` is not positive.

    Reference: ``torch.nn.functional.huber_loss``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.huber_loss(nt.tensor([1.0, 2.0]), nt.tensor([2.0, 4.0]), reduction="none")
        tensor([0.5000, 1.5000])
    """


@huber_loss.forward
def _(input, target, reduction, delta):
    if not delta > 0:
        raise RuntimeError(f"huber_loss: does not support non-positive values for delta, got {delta}")
    return pointwise("huber_loss", forward.huber_loss, input, target, reduction, delta)


@huber_loss.backward
def _(grad, needs, input, target, reduction, delta):
    return difference_gradients(backward.huber_loss, grad, needs, input, target, reduction, delta)


@huber_loss.vjp
def _(grad, needs, input, target, reduction, delta):
    return difference_vjp(lambda d: d.clamp(-delta, delta), grad, needs, input, target, reduction)
