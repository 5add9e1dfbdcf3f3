"""Rows of numtensor/ops/flip.py."""

import numpy as np

from ..op_table import ALL, Bad, Row, S, T

DIM = r"Dimension out of range"


def rolled(array, shifts, dims=None):
    return np.roll(array, shifts, dims)


ROWS = [
    Row(
        "flip",
        [S(T(2, 3), (0,)), S(T(2, 3), (0, -1)), S(T(3), 0), S(T(2), ()), S(T(0), (0,))],
        np.flip,
        dtypes=ALL,
        bad=[Bad(S(T(2, 3), (0, 0)), RuntimeError, "multiple times"), Bad(S(T(2), (1,)), IndexError, DIM)],
    ),
    Row("fliplr", [S(T(2, 3))], np.fliplr, bad=[Bad(S(T(3)), RuntimeError, "2-d")]),
    Row("flipud", [S(T(2, 3)), S(T(3))], np.flipud, bad=[Bad(S(T()), RuntimeError, "1-d")]),
    Row(
        "roll",
        [S(T(2, 3), 1), S(T(2, 3), (1, -2), (0, 1)), S(T(3), 5, 0), S(T(), 2), S(T(0), 1)],
        rolled,
        dtypes=ALL,
        bad=[
            Bad(S(T(2, 3), (1, 2)), RuntimeError, "must align"),
            Bad(S(T(2, 3), (1, 2), (0,)), RuntimeError, "must align"),
            Bad(S(T(2), 1, 1), IndexError, DIM),
        ],
    ),
]
