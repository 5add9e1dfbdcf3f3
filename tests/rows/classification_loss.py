"""Rows of numtensor/ops/classification_loss.py."""

import numpy as np
from scipy import special

from ..loss_samples import reduced
from ..op_table import Bad, Row, S, T


def nll_loss(x, target, weight=None, ignore_index=-100, reduction="mean"):
    dim = 0 if x.ndim == 1 else 1
    weight = np.ones(x.shape[dim]) if weight is None else weight
    if x.ndim == 1:
        target = np.reshape(target, ())
    losses, used = np.zeros(target.shape), np.zeros(target.shape)
    for position in np.ndindex(target.shape):
        t = target[position]
        if t != ignore_index:
            used[position] = weight[t]
            losses[position] = -weight[t] * x[(*position[:dim], t, *position[dim:])]
    return reduced(losses, reduction, used.sum())


def cross_entropy(x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    dim = 0 if x.ndim == 1 else 1
    logarithms = special.log_softmax(x, axis=dim)
    classes = x.shape[dim]
    factors = np.reshape(np.ones(classes) if weight is None else weight, (-1, *[1] * (x.ndim - 1 - dim)))
    if target.shape == x.shape:
        target = target * (1 - label_smoothing) + label_smoothing / classes
        return reduced(-(logarithms * target * factors).sum(axis=dim), reduction)
    everywhere = -(logarithms * factors).sum(axis=dim)
    everywhere = np.where(target.reshape(everywhere.shape) == ignore_index, 0, everywhere)
    used = -nll_loss(np.ones_like(x), target, weight, ignore_index, "sum")
    smooth = reduced(everywhere, reduction, used) * label_smoothing / classes
    return (1 - label_smoothing) * nll_loss(logarithms, target, weight, ignore_index, reduction) + smooth


CLASSES = {"dtype": "int64"}
SPREAD = T(values=[2.0, 0.5, 1.0, 3.0], grad=False)
TARGETS = T(values=[1, 3, 0], **CLASSES)
IMAGE = T(values=[[1, 3], [0, 2]], **CLASSES)
CLASS_SAMPLES = [
    S(T(3, 4), TARGETS),
    S(T(3, 4), TARGETS, reduction="sum"),
    S(T(3, 4), TARGETS, reduction="none"),
    S(T(3, 4), TARGETS, ignore_index=3),
    S(T(3, 4), TARGETS, ignore_index=3, reduction="none"),
    S(T(3, 4), T(values=[-100, 2, -100], **CLASSES)),
    S(T(3, 4), T(values=[-1, -1, -1], **CLASSES), ignore_index=-1, grad=False),
    S(T(3, 4), T(values=[1, 3, 0], dtype="uint8")),
    S(T(4), T(values=2, **CLASSES)),
    S(T(4), T(values=2, **CLASSES), reduction="none"),
    S(T(2, 4, 2), IMAGE),
    S(T(2, 4, 2), IMAGE, reduction="none", ignore_index=0),
    S(T(1, 4, 2, 2), T(values=[[[1, 3], [0, 2]]], **CLASSES), reduction="sum"),
    S(T(0, 4), T(0, **CLASSES), reduction="sum"),
    S(T(2, 4, 2), IMAGE, weight=SPREAD),
    S(T(3, 4), TARGETS, weight=SPREAD, ignore_index=3),
    S(T(3, 4), TARGETS, weight=SPREAD, reduction="none"),
    S(T(3, 4), TARGETS, weight=SPREAD, reduction="sum"),
]
CLASS_BAD = [
    Bad(S(T(3, 4), T(values=[1, 4, 0], **CLASSES)), IndexError, r"Target 4 is out of bounds: target\[1\].*\[0, 4\)"),
    Bad(S(T(3, 4), T(values=[1, 0, -1], **CLASSES)), IndexError, "Target -1"),
    Bad(S(T(2, 4, 2), T(values=[[1, 3], [0, 9]], **CLASSES)), IndexError, r"target\[1, 1\]"),
    Bad(S(T(3, 4), T(values=[1.0, 2.0, 0.0], dtype="float32")), RuntimeError, "float32"),
    Bad(S(T(3, 4), T(values=[1, 0], **CLASSES)), ValueError, "batch_size"),
    Bad(S(T(2, 4, 3), IMAGE), RuntimeError, "Expected target size"),
    Bad(S(T(3, 4), TARGETS, weight=T(3)), RuntimeError, "4 classes"),
    Bad(S(T(3, 4, dtype="float32"), TARGETS, weight=T(4, dtype="float64")), RuntimeError, "float64"),
    Bad(S(T(3, 4), TARGETS, reduction="all"), ValueError, "all"),
    Bad(S(T(3, 4, dtype="int64"), TARGETS), NotImplementedError, "int64"),
]
PROBABILITIES = T(3, 4, domain=(0.0, 1.0))

LOGARITHMS = T(3, 4, domain=(-3.0, 0.0))
SHARES = T(3, 4, domain=(0.1, 1.0))


def kl_div(x, target, reduction="mean", log_target=False):
    losses = np.exp(target) * (target - x) if log_target else special.xlogy(target, target) - target * x
    if reduction == "batchmean":
        return losses.sum() / x.shape[0] if x.ndim else losses
    return reduced(losses, reduction)


ROWS = [
    Row("nn.functional.nll_loss", CLASS_SAMPLES, nll_loss, bad=CLASS_BAD),
    Row(
        "nn.functional.cross_entropy",
        [
            *CLASS_SAMPLES,
            S(T(3, 1100), TARGETS, grad=False),
            S(T(3, 4), TARGETS, label_smoothing=0.1),
            S(T(3, 4), TARGETS, label_smoothing=0.1, reduction="none", ignore_index=3),
            S(T(2, 4, 2), IMAGE, weight=SPREAD, label_smoothing=0.1, ignore_index=0),
            S(T(3, 4), TARGETS, weight=SPREAD, label_smoothing=1.0, reduction="sum"),
            S(T(3, 4), PROBABILITIES),
            S(T(3, 4), PROBABILITIES, reduction="sum", label_smoothing=0.2),
            S(T(3, 4), PROBABILITIES, reduction="none", weight=SPREAD),
            S(T(2, 4, 2), T(2, 4, 2, domain=(0.0, 1.0))),
            S(T(4), T(4, domain=(0.0, 1.0)), reduction="none"),
        ],
        cross_entropy,
        bad=[
            *CLASS_BAD,
            Bad(S(T(3, 4), TARGETS, label_smoothing=1.5), RuntimeError, "label_smoothing"),
            Bad(S(T(3, 4), T(3, 4, dtype="int64")), RuntimeError, "probabilities"),
            Bad(S(T(3, 4), PROBABILITIES, ignore_index=1), RuntimeError, "ignore_index"),
        ],
    ),
    Row(
        "nn.functional.kl_div",
        [
            S(LOGARITHMS, SHARES),
            S(LOGARITHMS, SHARES, reduction="batchmean"),
            S(LOGARITHMS, SHARES, reduction="sum"),
            S(LOGARITHMS, SHARES, reduction="none"),
            S(LOGARITHMS, LOGARITHMS, reduction="batchmean", log_target=True),
            S(LOGARITHMS, T(4, domain=(0.1, 1.0)), reduction="none"),
            S(T(2, domain=(-3, 0)), T(values=[1.0, 0.0], grad=False), reduction="sum"),
            S(T(domain=(-3, 0)), T(domain=(0.1, 1.0)), reduction="batchmean"),
        ],
        kl_div,
        bad=[
            Bad(S(LOGARITHMS, SHARES, reduction="average"), ValueError, "reduction"),
            Bad(S(T(3), T(4)), RuntimeError, "broadcast"),
            Bad(S("x", T(4)), TypeError, "input"),
        ],
    ),
]
