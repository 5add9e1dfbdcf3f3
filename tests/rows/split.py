"""Rows of numtensor/ops/split.py."""

import numpy as np

from ..index_samples import DIM
from ..op_table import ALL, Bad, Row, S, T


def pieces(array, sizes, dim=0):
    return tuple(np.split(array, np.cumsum(sizes)[:-1], dim))


def split(array, size, dim=0):
    n = array.shape[dim]
    if isinstance(size, int):
        size = [min(size, n - start) for start in range(0, n, size)] or [0]
    return pieces(array, list(size), dim)


def chunk(array, chunks, dim=0):
    n = array.shape[dim]
    return split(array, -(-n // chunks), dim) if n else pieces(array, [0] * chunks, dim)


def tensor_split(array, sections, dim=0):
    return tuple(np.array_split(array, sections, dim))


ROWS = [
    Row(
        "unbind",
        [S(T(2, 3)), S(T(2, 3), -1), S(T(3)), S(T(0, 2))],
        lambda array, dim=0: tuple(np.moveaxis(array, dim, 0)[k, ...] for k in range(array.shape[dim])),
        dtypes=ALL,
        bad=[Bad(S(T()), IndexError, "no dimensions"), Bad(S(T(2), 1), IndexError, DIM)],
    ),
    Row(
        "split_with_sizes",
        [S(T(5, 2), (1, 4)), S(T(2, 5), (2, 0, 3), -1)],
        pieces,
        bad=[Bad(S(T(5), (1, 1)), RuntimeError, "sum exactly"), Bad(S(T(5), (6, -1)), RuntimeError, "non-negative")],
    ),
    Row(
        "split",
        [S(T(5, 2), 2), S(T(2, 5), 3, 1), S(T(5), [1, 4]), S(T(0, 2), 3), S(T(4), 9)],
        split,
        dtypes=ALL,
        bad=[
            Bad(S(T(5), 0), RuntimeError, "split_size can only be 0"),
            Bad(S(T(5), -1), RuntimeError, "non-negative"),
            Bad(S(T(), 1), RuntimeError, "1-dimensional"),
        ],
    ),
    Row(
        "chunk",
        [S(T(5, 2), 2), S(T(2, 5), 4, -1), S(T(0, 2), 3)],
        chunk,
        bad=[Bad(S(T(5), 0), RuntimeError, "greater than 0")],
    ),
    Row(
        "tensor_split",
        [S(T(5, 2), 3), S(T(2, 5), (1, 3), 1), S(T(3), 5)],
        tensor_split,
        bad=[Bad(S(T(5), 0), RuntimeError, "larger than 0")],
    ),
]
