"""Rows of numtensor/ops/regression_loss.py."""

import numpy as np

from ..loss_samples import REDUCTIONS, SHAPES, reduced
from ..op_table import Bad, Row, S, T


def mse_loss(x, y, reduction="mean"):
    return reduced((x - y) ** 2, reduction)


def l1_loss(x, y, reduction="mean"):
    return reduced(np.abs(x - y), reduction)


def smooth_l1_loss(x, y, reduction="mean", beta=1.0):
    d = np.abs(x - y)
    return reduced(np.where(d < beta, d * d / (2 * beta if beta else 1), d - beta / 2), reduction)


def huber_loss(x, y, reduction="mean", delta=1.0):
    d = np.abs(x - y)
    return reduced(np.where(d < delta, d * d / 2, delta * (d - delta / 2)), reduction)


BAD = [
    Bad(S(T(3), T(3), reduction="average"), ValueError, "average"),
    Bad(S(T(3, dtype="int64"), T(3, dtype="int64")), NotImplementedError, "int64"),
    Bad(S(T(3), "x"), TypeError, "target"),
]
# Apart from the kinks of the absolute error, where a difference quotient means nothing.
NEAR = T(values=[0.1, 0.4, -0.3, 2.0, -2.5])
ZERO = T(values=[0.0, 0.0, 0.0, 0.0, 0.0])


ROWS = [
    Row(
        "nn.functional.mse_loss",
        [*REDUCTIONS, *SHAPES],
        mse_loss,
        bad=BAD,
    ),
    Row("nn.functional.l1_loss", [*REDUCTIONS, *SHAPES, S(ZERO, ZERO, grad=False)], l1_loss, bad=BAD),
    Row(
        "nn.functional.smooth_l1_loss",
        [
            *REDUCTIONS,
            *SHAPES,
            S(NEAR, ZERO, beta=0.2),
            S(NEAR, ZERO, beta=0),
            S(NEAR, ZERO, reduction="none", beta=1.5),
        ],
        smooth_l1_loss,
        bad=[*BAD, Bad(S(T(3), T(3), beta=-1.0), RuntimeError, "beta")],
    ),
    Row(
        "nn.functional.huber_loss",
        [*REDUCTIONS, *SHAPES, S(NEAR, ZERO, delta=0.2), S(NEAR, ZERO, reduction="none", delta=1.5)],
        huber_loss,
        bad=[*BAD, Bad(S(T(3), T(3), delta=0.0), RuntimeError, "delta")],
    ),
]
