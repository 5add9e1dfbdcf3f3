"""Rows of numtensor/ops/distance.py."""

import math

import numpy as np

from ..op_table import Bad, Row, S, T


def _norm(x, p, axis=-1, keepdims=False):
    x = np.abs(x)
    if math.isinf(p):
        return x.max(axis, keepdims=keepdims, initial=0)
    if p == 0:
        return np.sum(x != 0, axis, keepdims=keepdims).astype(float)
    return np.sum(x**p, axis, keepdims=keepdims) ** (1 / p)


def _cosine(x, y, dim=1, eps=1e-8):
    x, y = np.broadcast_arrays(x, y)
    return np.sum(x * y, dim) / (np.maximum(_norm(x, 2, dim), eps) * np.maximum(_norm(y, 2, dim), eps))


def _normalize(x, p=2.0, dim=1, eps=1e-12):
    return x / np.maximum(_norm(x, p, dim, True), eps)


ROWS = [
    Row(
        "cdist",
        [
            S(T(3, 4), T(2, 4)),
            S(T(2, 3, 4), T(2, 2, 4)),
            S(T(1, 3, 4), T(2, 2, 4)),
            S(T(3, 4), T(2, 4), 1.0),
            S(T(3, 4), T(2, 4), p=3.0),
            S(T(3, 4), T(2, 4), p=math.inf),
            S(T(3, 4), T(2, 4), p=0.0, grad=False),
            S(T(0, 4), T(2, 4)),
            S(T(3, 0), T(2, 0)),
            S(T(3, 0), T(2, 0), math.inf),
        ],
        lambda x, y, p=2.0: _norm(x[..., :, None, :] - y[..., None, :, :], p),
        bad=[
            Bad(S(T(3), T(2, 3)), RuntimeError, "2D"),
            Bad(S(T(3, 2), T(2, 3)), RuntimeError, "columns"),
            Bad(S(T(3, 2), T(2, 2), -1.0), RuntimeError, "non-negative"),
            Bad(S("x", T(2, 2)), TypeError, "x1"),
        ],
    ),
    Row(
        "dist",
        [S(T(3), T(3)), S(T(2, 3), T(3), 1.0), S(T(), T()), S(T(3), T(3), math.inf), S(T(0), T(0))],
        lambda x, y, p=2.0: np.asarray(_norm((x - y).reshape(-1), p)),
        bad=[Bad(S(T(3), "x"), TypeError, "other")],
    ),
    Row(
        "nn.functional.pairwise_distance",
        [S(T(3, 4), T(3, 4)), S(T(4), T(4)), S(T(3, 4), T(4), 1.0, 0.1, True), S(T(0, 4), T(0, 4))],
        lambda x, y, p=2.0, eps=1e-6, keepdim=False: _norm(x - y + eps, p, -1, keepdim),
    ),
    Row(
        "nn.functional.cosine_similarity",
        [
            S(T(3, 4), T(3, 4)),
            S(T(4), T(4), 0),
            S(T(3, 4), T(1, 4), -1),
            S(T(2, 3, 4), T(3, 4), 0),
            S(T(2, 3, 4), T(2, 3, 4), dim=1, eps=0.5),
            S(T(2, values=[[0.0, 0.0]]), T(2, values=[[1.0, 2.0]]), grad=False),
        ],
        _cosine,
        bad=[Bad(S(T(3, 4), T(3, 4), 2), IndexError, "range")],
    ),
    Row(
        "nn.functional.normalize",
        [
            S(T(3, 4)),
            S(T(4), dim=0),
            S(T(3, 4), 1.0),
            S(T(2, 3, 4), 2.0, -1),
            S(T(2, 3, 4), 2.0, (1, 2)),
            S(T(3, 4), math.inf, 0),
            S(T(2, 2, values=[[0.0, 0.0], [3.0, 4.0]]), grad=False),
            S(T(0, 3)),
        ],
        _normalize,
        bad=[Bad(S(T(3)), IndexError, "range")],
    ),
]
