"""Rows of numtensor/ops/triangular.py."""

import numpy as np

from ..op_table import ALL, Bad, Row, S, T

ROWS = [
    Row(
        "tril",
        [S(T(3, 4)), S(T(3, 4), 1), S(T(2, 3, 3), -1), S(T(0, 3)), S(T(2, 2), 9), S(T(2, 2), -9)],
        np.tril,
        dtypes=ALL,
        bad=[Bad(S(T(3)), RuntimeError, "at least 2 dimensions")],
    ),
    Row(
        "triu",
        [S(T(3, 4)), S(T(3, 4), 1), S(T(2, 3, 3), -1), S(T(0, 3)), S(T(2, 2), 9), S(T(2, 2), -9)],
        np.triu,
        dtypes=ALL,
        bad=[Bad(S(T(3)), RuntimeError, "at least 2 dimensions")],
    ),
    Row(
        "diag",
        [S(T(3)), S(T(3), 1), S(T(2), -2), S(T(3, 4)), S(T(3, 4), 2), S(T(0))],
        np.diag,
        bad=[Bad(S(T(2, 2, 2)), RuntimeError, "1-d or 2-d")],
    ),
]
