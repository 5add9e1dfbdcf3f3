"""Rows of numtensor/ops/normalization.py."""

import numpy as np
from scipy import special

from ..op_table import Bad, Row, S, T

# One ULP of the sums over a row, through a reciprocal square root.
ROUNDING = {"float32": (2e-5, 2e-6), "float64": (1e-11, 1e-11)}
EXTREME = T(values=[[1000.0, 999.0, -1000.0], [-np.inf, 0.0, 1.0], [np.nan, 0.0, 1.0], [-np.inf, -np.inf, -np.inf]])


def softmax(x, dim=None, dtype=None):
    return special.softmax(x, axis=dim) if x.size else x


def log_softmax(x, dim=None, dtype=None):
    if not x.size:
        return x
    # SciPy's gives -inf for a row of -inf; PyTorch's is 0 / 0.
    result = special.log_softmax(x, axis=dim)
    lost = np.all(np.isneginf(x), axis=dim, keepdims=True)
    return np.where(lost, np.nan, result)


def standardize(x, dims, eps):
    mean = x.mean(axis=dims, keepdims=True)
    return (x - mean) / np.sqrt(x.var(axis=dims, keepdims=True) + eps)


def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    count = len(normalized_shape) if isinstance(normalized_shape, tuple) else 1
    result = standardize(x, tuple(range(-count, 0)), eps)
    return result * (1 if weight is None else weight) + (0 if bias is None else bias)


def _channels(vector, x, default):
    return default if vector is None else np.reshape(vector, (-1, *[1] * (x.ndim - 2)))


def batch_norm_training(x, weight=None, bias=None, eps=1e-5):
    dims = (0, *range(2, x.ndim))
    result = standardize(x, dims, eps) * _channels(weight, x, 1) + _channels(bias, x, 0)
    return result, x.mean(axis=dims), x.var(axis=dims)


def batch_norm_inference(x, mean, variance, weight=None, bias=None, eps=1e-5):
    result = (x - _channels(mean, x, 0)) / np.sqrt(_channels(variance, x, 1) + eps)
    return result * _channels(weight, x, 1) + _channels(bias, x, 0)


def batch_norm(x, mean, variance, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    if training:
        return batch_norm_training(x, weight, bias, eps)[0]
    return batch_norm_inference(x, mean, variance, weight, bias, eps)


SOFTMAX_SAMPLES = [
    S(T(5), dim=0),
    S(T(3, 4), 1),
    S(T(3, 4), -2),
    S(T(2, 3, 4), 1),
    S(T(2, 3, 4), dim=0),
    S(T(2, 1100), 1),
    S(T(), 0),
    S(T(0, 3), 1),
    S(T(2, 0), 1),
    S(EXTREME, 1, grad=False),
]
SOFTMAX_BAD = [
    Bad(S(T(3, 4), 2), IndexError, "range"),
    Bad(S(T(3, 4), "x"), TypeError, "dim"),
    Bad(S(T(3, dtype="int64"), 0), NotImplementedError, "int64"),
    Bad(S("x", 0), TypeError, "input"),
]
POSITIVE = (0.5, 2.0)

ROWS = [
    Row("softmax", SOFTMAX_SAMPLES, softmax, bad=SOFTMAX_BAD),
    Row("log_softmax", SOFTMAX_SAMPLES, log_softmax, bad=SOFTMAX_BAD),
    Row(
        "nn.functional.layer_norm",
        [
            S(T(3, 4), (4,)),
            S(T(3, 4), 4, T(4), T(4)),
            S(T(2, 3, 4), (3, 4), T(3, 4), T(3, 4), 1e-3),
            S(T(2, 3, 4), (4,), T(4)),
            S(T(4), (4,), None, T(4)),
            S(T(2, 1030), (1030,), T(1030), T(1030), grad=False),
            S(T(0, 4), (4,), T(4), T(4)),
            S(T(3, 0), (0,)),
        ],
        layer_norm,
        tolerance=ROUNDING,
        bad=[
            Bad(S(T(3, 4), (3,)), RuntimeError, "expected input with shape"),
            Bad(S(T(3, 4), ()), RuntimeError, "at least 1-dimensional"),
            Bad(S(T(3, 4), (2, 3, 4)), RuntimeError, "expected input with shape"),
            Bad(S(T(3, 4), (4,), T(3)), RuntimeError, "weight"),
            Bad(S(T(3, 4), (4,), None, T(3)), RuntimeError, "bias"),
            Bad(S(T(3, 4, dtype="float32"), (4,), T(4, dtype="float64")), RuntimeError, "float64"),
            Bad(S(T(4, dtype="int64"), (4,)), NotImplementedError, "int64"),
        ],
    ),
    Row(
        "ops.batch_norm_training",
        [
            S(T(5, 3)),
            S(T(5, 3), T(3), T(3)),
            S(T(4, 3, 2), T(3), None, 1e-3),
            S(T(2, 3, 2, 2), None, T(3)),
            S(T(2, 3, 1030), T(3), T(3), grad=False),
        ],
        batch_norm_training,
        tolerance=ROUNDING,
        # Its second and third results carry no gradients, which gradcheck wants of every result: see batch_norm.
        grad=False,
        bad=[
            Bad(S(T(4)), IndexError, "channel"),
            Bad(S(T(4, 3), T(4)), RuntimeError, "weight should contain 3"),
        ],
    ),
    Row(
        "ops.batch_norm_inference",
        [
            S(T(5, 3), T(3, grad=False), T(3, domain=POSITIVE, grad=False)),
            S(T(4, 3, 2), T(3, grad=False), T(3, domain=POSITIVE, grad=False), T(3), T(3), 1e-3),
            S(T(2, 3, 2, 2), T(3, grad=False), T(3, domain=POSITIVE, grad=False), T(3)),
            S(T(0, 3), T(3, grad=False), T(3, domain=POSITIVE, grad=False), None, T(3)),
        ],
        batch_norm_inference,
        tolerance=ROUNDING,
        bad=[Bad(S(T(4, 3), T(4), T(3)), RuntimeError, "running_mean should contain 3")],
    ),
    Row(
        "nn.functional.batch_norm",
        [
            S(T(5, 3), None, None, training=True),
            S(T(4, 3, 2), None, None, T(3), T(3), True, 0.1, 1e-3),
            S(T(5, 3), T(3, grad=False), T(3, domain=POSITIVE, grad=False)),
            S(T(4, 3, 2), T(3, grad=False), T(3, domain=POSITIVE, grad=False), T(3), T(3)),
        ],
        batch_norm,
        tolerance=ROUNDING,
        bad=[
            Bad(S(T(4, 3), None, None), RuntimeError, "must be defined"),
            Bad(S(T(4, 3), T(3), None, training=True), ValueError, "neither"),
            Bad(S(T(1, 3), None, None, training=True), ValueError, "more than 1 value"),
            Bad(S(T(4), None, None, training=True), IndexError, "channel"),
            Bad(S(T(4, 3), T(4), T(3), training=True), RuntimeError, "running_mean should contain 3"),
            Bad(S(T(4, 3, dtype="int64"), None, None, training=True), NotImplementedError, "int64"),
            Bad(
                S(T(4, 3, dtype="float32"), T(3, dtype="float64"), T(3, dtype="float64")), RuntimeError, "running_mean"
            ),
        ],
    ),
]
