"""Rows of numtensor/ops/join.py."""

import numpy as np

from ..op_table import ALL, Bad, Row, S, T

DIM = r"Dimension out of range"


def rolled(array, shifts, dims=None):
    return np.roll(array, shifts, dims)


def grid(*axes, indexing="ij"):
    return tuple(np.meshgrid(*axes, indexing=indexing))


ROWS = [
    Row("ops.cat_same", [S([T(2, 3), T(1, 3)], 0), S([T(2, 3), T(0), T(2, 1)], 1)], lambda parts, dim: np.concatenate(
        [part for part in parts if part.ndim > 1 or part.size], dim), dtypes=ALL),
    Row(
        "cat",
        [S([T(2, 3), T(4, 3)]), S([T(2, 3), T(2, 1), T(2, 0)], -1), S([T(2)]), S([T(0, 3), T(2, 3)], 0)],
        lambda parts, dim=0: np.concatenate(parts, dim),
        dtypes=ALL,
        bad=[
            Bad(S([]), ValueError, "non-empty"),
            Bad(S([T(2, 3), T(2, 4)]), RuntimeError, "sizes of tensors must match"),
            Bad(S([T(2, 3), T(3)]), RuntimeError, "same number of dimensions"),
            Bad(S([T(), T()]), RuntimeError, "zero-dimensional"),
            Bad(S([T(2)], 1), IndexError, DIM),
            Bad(S(T(2, 3)), TypeError, "tuple of Tensors"),
            Bad(S([T(2), 5]), TypeError, "element 1"),
        ],
    ),
    Row(
        "stack",
        [S([T(2, 3), T(2, 3)]), S([T(2, 3), T(2, 3)], -1), S([T(), T(), T()]), S([T(0)], 1)],
        lambda parts, dim=0: np.stack(parts, dim),
        dtypes=ALL,
        bad=[
            Bad(S([]), RuntimeError, "non-empty"),
            Bad(S([T(2), T(3)]), RuntimeError, "equal size"),
            Bad(S([T(2)], 3), IndexError, DIM),
        ],
    ),
    Row(
        "hstack",
        [S([T(2), T(3)]), S([T(2, 3), T(2, 1)]), S([T(), T(2)])],
        np.hstack,
        bad=[Bad(S([]), RuntimeError, "non-empty")],
    ),
    Row(
        "vstack",
        [S([T(3), T(3)]), S([T(2, 3), T(3)]), S([T(), T()])],
        np.vstack,
        bad=[Bad(S([]), RuntimeError, "non-empty")],
    ),
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
