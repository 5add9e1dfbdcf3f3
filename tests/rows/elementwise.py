"""Rows of numtensor/ops/elementwise.py."""

import numpy as np

from ..op_table import NUMERIC, Bad, Row, S, T

ROWS = [
    Row(
        "mul",
        [S(T(3, 4), T(3, 4)), S(T(3, 4), T(4)), S(T(3, 1), T(1, 4)), S(T(), T()), S(T(0, 3), T(3)), S(T(5), 2)],
        np.multiply,
        dtypes=NUMERIC,
        bad=[
            Bad(S(T(3), T(4)), RuntimeError, "shapes"),
            Bad(S(T(3), "x"), TypeError, "other"),
        ],
    ),
    Row(
        "add",
        [S(T(3, 4), T(3, 4)), S(T(3, 4), T(4)), S(T(3, 1), T(1, 4)), S(T(), T()), S(T(0, 3), T(3)), S(T(5), 2)],
        np.add,
        dtypes=NUMERIC,
        bad=[Bad(S(T(3), T(4)), RuntimeError, "shapes")],
    ),
    Row("exp", [S(T(3, 4)), S(T()), S(T(0))], np.exp),
]
