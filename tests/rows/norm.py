"""Rows of numtensor/ops/norm.py."""

import math

import numpy as np

from ..op_table import Bad, Row, S, T
from ..reduction_samples import INFINITE, NAN, OUT_OF_RANGE, numpy_axis


def _logsumexp(x, dim, keepdim=False):
    x = x.astype(np.float64)
    return np.log(np.sum(np.exp(x), axis=numpy_axis(dim), keepdims=keepdim))


def _norm(x, p="fro", dim=None, keepdim=False, dtype=None):
    size, axis = np.abs(x), numpy_axis(dim)
    if p == math.inf:
        return np.max(size, axis=axis, keepdims=keepdim)
    if p == -math.inf:
        return np.min(size, axis=axis, keepdims=keepdim)
    if p == 0:
        return np.sum(x != 0, axis=axis, keepdims=keepdim).astype(np.float64)
    p = 2 if p == "fro" else p
    return np.sum(size**p, axis=axis, keepdims=keepdim) ** (1 / p)


ROWS = [
    Row(
        "logsumexp",
        [
            S(T(3, 4), 0),
            S(T(3, 4), -1, True),
            S(T(2, 3, 4), 1),
            S(T(2, 3, 4), (0, 2)),
            S(T(2, 3, 4), ()),
            S(T(0, 3), 0),
            S(T(2, 0), 1),
            S(T(1500), 0, grad=False),
            S(T(3, 700), 0, grad=False),
            S(T(**INFINITE), 1, grad=False),
            S(T(**INFINITE), 0, grad=False),
            S(T(**NAN), 1, grad=False),
            S(T(3, dtype="int64"), 0),
        ],
        _logsumexp,
        bad=[*OUT_OF_RANGE, Bad(S(T(3), None), TypeError, "dim")],
    ),
    Row(
        "norm",
        [
            S(T(3, 4)),
            S(T()),
            S(T(3, 4), "fro", 0),
            S(T(3, 4), 2, -1, True),
            S(T(2, 3, 4), 1, 1),
            S(T(2, 3, 4), 3, (0, 2)),
            S(T(2, 3, 4), 1.5, ()),
            S(T(3, 4), 0.5, 1),
            S(T(3, 4), -1, 1),
            S(T(3, 4), math.inf, 1),
            S(T(3, 4), -math.inf, 0, True),
            S(T(3, 4), 0, 1, grad=False),
            S(T(0)),
            S(T(0, 3), 1, 0),
            S(T(1500), grad=False),
            S(T(1500), 1, grad=False),
            S(T(700), 3, grad=False),
            S(T(**NAN), math.inf, 1, grad=False),
        ],
        _norm,
        bad=[
            Bad(S(T(3, 4), 2, 2), IndexError, "range"),
            Bad(S(T(3, dtype="int64")), RuntimeError, "floating"),
            Bad(S(T(3), "nuc"), RuntimeError, "order"),
            Bad(S(T(0), math.inf), RuntimeError, "identity"),
        ],
    ),
]
