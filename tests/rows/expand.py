"""Rows of numtensor/ops/expand.py."""

import numpy as np

from ..op_table import ALL, Bad, Row, S, T


def expanded(array, size):
    lead = len(size) - array.ndim
    return np.broadcast_to(array, [array.shape[k - lead] if n == -1 else n for k, n in enumerate(size)])


def summed(array, size):
    lead = array.ndim - len(size)
    axes = (*range(lead), *(lead + k for k, n in enumerate(size) if n == 1 != array.shape[lead + k]))
    return array.sum(axis=axes, keepdims=True).reshape(size)


ROWS = [
    Row(
        "Tensor.expand",
        [S(T(3, 1), (3, 4)), S(T(3, 1), (2, -1, 4)), S(T(), (2,)), S(T(1), (0,)), S(T(2), (2,)), S(T(1, 3), (-1, -1))],
        expanded,
        dtypes=ALL,
        bad=[
            Bad(S(T(3, 2), (3, 4)), RuntimeError, "expanded size"),
            Bad(S(T(3, 2), (2,)), RuntimeError, "number of sizes"),
            Bad(S(T(3), (-1, 3)), RuntimeError, "leading"),
        ],
    ),
    Row(
        "Tensor.expand_as",
        [S(T(3, 1), T(2, 3, 4, grad=False))],
        lambda array, other: np.broadcast_to(array, other.shape),
        bad=[Bad(S(T(3), T(4)), RuntimeError, "expanded size")],
    ),
    Row(
        "broadcast_to",
        [S(T(3, 1), (3, 4)), S(T(), (2, 2))],
        np.broadcast_to,
        bad=[Bad(S(T(3, 2), (3, 4)), RuntimeError, "expanded size")],
    ),
    Row(
        "broadcast_tensors",
        [S(T(3, 1), T(4)), S(T(), T(2, 1), T(3)), S(T(2))],
        lambda *arrays: tuple(np.broadcast_arrays(*arrays)),
        bad=[Bad(S(T(3), T(4)), RuntimeError, "do not match")],
    ),
    Row(
        "Tensor.sum_to_size",
        [S(T(2, 3), (1, 3)), S(T(2, 3), (3,)), S(T(2, 3), ()), S(T(2, 3), (2, 3)), S(T(0, 3), (1, 3))],
        summed,
        bad=[Bad(S(T(2, 3), (5, 3)), RuntimeError, "not expandable")],
    ),
]
