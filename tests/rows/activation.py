"""Rows of numtensor/ops/activation.py."""

import numpy as np
import scipy.special

from ..elementwise_samples import SHAPES, special, unary
from ..op_table import NUMERIC, Bad, Row, S, T

NAN = float("nan")
FINITE = [0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 30.0, -30.0, 1e-30, NAN]
NOT_FLOATING = Bad(S(T(3, dtype="int64")), NotImplementedError, "int64")


def relu(x, inplace=False):
    return np.where(x < 0, np.zeros((), x.dtype), x)


def leaky_relu(x, negative_slope=0.01, inplace=False):
    return np.where(x > 0, x, x * negative_slope)


def silu(x, inplace=False):
    return x * scipy.special.expit(x)


def gelu(x, approximate="none"):
    if approximate == "tanh":
        return gelu_tanh(x)
    return x * scipy.special.ndtr(x)


def gelu_tanh(x):
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def softplus(x, beta=1.0, threshold=20.0):
    return np.where(beta * x > threshold, x, np.log1p(np.exp(beta * x)) / beta)


# 1 + erf(x) and 1 + tanh(x) lose digits where they are near 0, as they do in PyTorch.
CANCELS = {"float32": (1e-5, 2e-6), "float64": (1e-12, 1e-14)}

ROWS = [
    Row(
        "relu",
        [*SHAPES, *special(), S(T(3), inplace=False)],
        relu,
        dtypes=NUMERIC,
        bad=[Bad(S(T(3, dtype="bool")), RuntimeError, "Boolean")],
    ),
    Row(
        "nn.functional.leaky_relu",
        [*SHAPES, *special(), S(T(4), 0.2), S(T(4), -1), S(T(4), negative_slope=0)],
        leaky_relu,
        bad=[NOT_FLOATING, Bad(S(T(3), "x"), TypeError, "negative_slope")],
    ),
    unary("sigmoid", scipy.special.expit),
    Row("nn.functional.silu", [*SHAPES, *special(FINITE)], silu, bad=[NOT_FLOATING]),
    Row(
        "nn.functional.gelu",
        [*SHAPES, *special(FINITE), S(T(4), approximate="none"), S(T(4), approximate="tanh")],
        gelu,
        tolerance=CANCELS,
        bad=[NOT_FLOATING, Bad(S(T(3), approximate="x"), RuntimeError, "approximate")],
    ),
    Row("ops.gelu_tanh", [*SHAPES, *special(FINITE)], gelu_tanh, tolerance=CANCELS, bad=[NOT_FLOATING]),
    Row(
        "nn.functional.softplus",
        [*SHAPES, *special(FINITE), S(T(4), 2.0), S(T(4), 2, 3), S(T(4), beta=0.5, threshold=0.5)],
        softplus,
        bad=[NOT_FLOATING, Bad(S(T(3), "x"), TypeError, "beta")],
    ),
]
