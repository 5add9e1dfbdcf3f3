"""Rows of numtensor/ops/transpose.py."""

import numpy as np

from ..index_samples import DIM
from ..op_table import ALL, Bad, Row, S, T

ROWS = [
    Row(
        "transpose",
        [S(T(2, 3, 4), 0, 1), S(T(2, 3, 4), -1, 0), S(T(), 0, -1), S(T(0, 2), 0, 1), S(T(3), 0, 0)],
        lambda array, a, b: np.swapaxes(array, a, b) if array.ndim else array,
        dtypes=ALL,
        bad=[Bad(S(T(2, 3), 0, 2), IndexError, DIM), Bad(S(T(2, 3), 0, "a"), TypeError, "dim")],
    ),
    Row(
        "t",
        [S(T(2, 3)), S(T(3)), S(T())],
        np.transpose,
        dtypes=ALL,
        bad=[Bad(S(T(2, 3, 4)), RuntimeError, "<= 2 dimensions")],
    ),
    Row(
        "permute",
        [S(T(2, 3, 4), (2, 0, 1)), S(T(2, 3), (-1, 0)), S(T(), ()), S(T(0, 2), (1, 0))],
        np.transpose,
        dtypes=ALL,
        bad=[
            Bad(S(T(2, 3), (0,)), RuntimeError, "does not match the length"),
            Bad(S(T(2, 3), (0, 0)), RuntimeError, "duplicate"),
            Bad(S(T(2, 3), (0, 2)), IndexError, DIM),
        ],
    ),
    Row(
        "movedim",
        [S(T(2, 3, 4), 0, 2), S(T(2, 3, 4), (0, 1), (-1, 0)), S(T(3), 0, 0)],
        np.moveaxis,
        bad=[
            Bad(S(T(2, 3), (0, 1), (0,)), RuntimeError, "same number"),
            Bad(S(T(2, 3), (0, 0), (0, 1)), RuntimeError, "repeated"),
            Bad(S(T(2, 3), 0, 2), IndexError, DIM),
        ],
    ),
]
