"""Rows of numtensor/ops/products.py."""

import numpy as np

from ..op_table import NUMERIC, Bad, Row, S, T


def _cross(x, y, dim=None):
    if dim is None:
        dim = x.shape.index(3)
    x, y = np.broadcast_arrays(x, y)
    return np.cross(x, y, axis=dim)


ROWS = [
    Row(
        "cross",
        [
            S(T(3), T(3)),
            S(T(2, 3), T(2, 3)),
            S(T(3, 4), T(3, 4)),
            S(T(3, 2, 3), T(3, 2, 3), -1),
            S(T(2, 3), T(1, 3), 1),
            S(T(0, 3), T(0, 3), 1),
        ],
        _cross,
        dtypes=NUMERIC,
        bad=[
            Bad(S(T(2, 4), T(2, 4)), RuntimeError, "size 3"),
            Bad(S(T(2, 4), T(2, 4), 1), RuntimeError, "extent 3"),
            Bad(S(T(2, 3), T(3)), RuntimeError, "dimensions"),
            Bad(S(T(3), T(3), 1), IndexError, "range"),
        ],
    ),
    Row(
        "inner",
        [S(T(3), T(3)), S(T(2, 3), T(4, 3)), S(T(2, 2, 3), T(3)), S(T(), T(2, 3)), S(T(0), T(0))],
        np.inner,
        dtypes=NUMERIC,
        bad=[Bad(S(T(3), T(4)), RuntimeError, "last dimension"), Bad(S(T(3), "x"), TypeError, "other")],
    ),
    Row(
        "kron",
        [S(T(2), T(3)), S(T(2, 3), T(2, 2)), S(T(2), T(2, 3)), S(T(2, 1, 2), T(3)), S(T(), T(2)), S(T(0), T(2))],
        np.kron,
        dtypes=NUMERIC,
        bad=[Bad(S("x", T(3)), TypeError, "input")],
    ),
]
