"""Rows of numtensor/ops/repetition.py."""

import numpy as np

from ..op_table import ALL, Bad, Row, S, T

DIM = r"Dimension out of range"


def grid(*axes, indexing="ij"):
    return tuple(np.meshgrid(*axes, indexing=indexing))


ROWS = [
    Row(
        "meshgrid",
        [S(T(2), T(3)), S(T(2), T(3), T(1), indexing="xy"), S(T(2)), S(T(), T(2))],
        grid,
        bad=[
            Bad(S(T(2), indexing="yx"), RuntimeError, "must be one of"),
            Bad(S(T(2, 2)), RuntimeError, "0-d or 1-d"),
            Bad(S(T(2), T(2, dtype="int64")), RuntimeError, "same dtype"),
        ],
    ),
    Row("tile", [S(T(2, 3), (2,)), S(T(2), (2, 3)), S(T(), (2,)), S(T(2), (0,))], np.tile, dtypes=ALL),
    Row(
        "Tensor.repeat",
        [S(T(2, 3), (2, 1)), S(T(2), (2, 3)), S(T(), ()), S(T(2), (0,))],
        np.tile,
        dtypes=ALL,
        bad=[Bad(S(T(2, 3), (2,)), RuntimeError, "smaller"), Bad(S(T(2), (-1,)), RuntimeError, "negative")],
    ),
    Row(
        "repeat_interleave",
        [
            S(T(2, 3), 2),
            S(T(2, 3), 2, 1),
            S(T(2, 3), T(dtype="int64", values=[1, 0, 2]), -1),
            S(T(2, 3), T(dtype="int64", values=[2]), 0),
            S(T(), 3),
        ],
        lambda array, repeats, dim=None: np.repeat(array, repeats, dim),
        bad=[
            Bad(S(T(3), T(dtype="int64", values=[1, 2]), 0), RuntimeError, "same size"),
            Bad(S(T(2), T(dtype="int64", values=[1, -2]), 0), RuntimeError, "negative"),
            Bad(S(T(2), 2, 1), IndexError, DIM),
        ],
    ),
]
