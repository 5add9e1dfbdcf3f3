"""Rows of numtensor/ops/binary_loss.py."""

import numpy as np

from ..loss_samples import REDUCTIONS, SHAPES, reduced
from ..op_table import Bad, Row, S, T


def binary_cross_entropy(x, y, reduction="mean", weight=1.0):
    losses = -y * np.maximum(np.log(x), -100) - (1 - y) * np.maximum(np.log1p(-x), -100)
    return reduced(losses * weight, reduction)


def binary_cross_entropy_with_logits(x, y, reduction="mean", weight=1.0, pos_weight=1.0):
    return reduced(weight * (pos_weight * y * np.logaddexp(0, -x) + (1 - y) * np.logaddexp(0, x)), reduction)


UNIT = (0.05, 0.95)


ROWS = [
    Row(
        "nn.functional.binary_cross_entropy",
        [
            *REDUCTIONS,
            *SHAPES,
            S(T(3, 4), T(3, 4), weight=T(4, grad=False)),
            S(T(values=[0.0, 1.0, 0.0, 1.0]), T(values=[0.0, 1.0, 1.0, 0.0]), reduction="none", grad=False),
        ],
        binary_cross_entropy,
        domain=UNIT,
        bad=[
            Bad(S(T(3), T(3), reduction="average"), ValueError, "average"),
            Bad(S(T(3), T(4)), ValueError, "size"),
            Bad(S(T(values=[0.5, 1.5]), T(2)), RuntimeError, "between 0 and 1"),
            Bad(S(T(values=[0.5, np.nan]), T(2)), RuntimeError, "between 0 and 1"),
            Bad(S(T(3), T(3, dtype="int64")), RuntimeError, "int64"),
        ],
    ),
    Row(
        "nn.functional.binary_cross_entropy_with_logits",
        [
            *REDUCTIONS,
            *SHAPES,
            S(T(3, 4, domain=(-5.0, 5.0)), T(3, 4), weight=T(4, grad=False)),
            S(T(3, 4, domain=(-5.0, 5.0)), T(3, 4), pos_weight=T(4, grad=False), reduction="none"),
            S(T(values=[1000.0, -1000.0, 1000.0]), T(values=[1.0, 0.0, 0.0]), reduction="none", grad=False),
        ],
        binary_cross_entropy_with_logits,
        domain=UNIT,
        bad=[
            Bad(S(T(3), T(3), reduction="average"), ValueError, "average"),
            Bad(S(T(3), T(4)), ValueError, "size"),
            Bad(S(T(3), T(3, dtype="int64")), RuntimeError, "int64"),
        ],
    ),
]
