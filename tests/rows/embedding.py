"""Rows of numtensor/ops/embedding.py."""

import numpy as np

from ..op_table import FLOATING, Bad, Row, S, T


def embedding(index, weight, padding_idx=None):
    return weight[index]


def embedding_transpose(x, index, rows, padding_row=-1):
    out = np.zeros((rows, x.shape[-1]))
    for position in np.ndindex(index.shape):
        if index[position] != padding_row:
            out[index[position]] += x[position]
    return out


def one_hot(index, num_classes=-1):
    return np.eye(index.max() + 1 if num_classes == -1 else num_classes, dtype=np.int64)[index]


INDEX = T(values=[[1, 0, 4], [1, 1, 2]], dtype="int64")

ROWS = [
    Row(
        "nn.functional.embedding",
        [
            S(INDEX, T(5, 3)),
            S(T(values=[1, 3], dtype="int32"), T(5, 3)),
            S(T(values=2, dtype="int64"), T(5, 3)),
            S(T(0, dtype="int64"), T(5, 3)),
            S(T(values=[1], dtype="int64"), T(5, 0)),
        ],
        embedding,
        dtypes=(*FLOATING, "int64"),
        bad=[
            Bad(S(T(values=[0, 5], dtype="int64"), T(5, 3)), IndexError, r"input\[1\] is 5.*\(5, 3\)"),
            Bad(S(T(values=[[0], [-1]], dtype="int64"), T(5, 3)), IndexError, r"input\[1, 0\] is -1"),
            Bad(S(T(values=[0], dtype="int64"), T(0, 3)), IndexError, "out of range"),
            Bad(S(T(values=[0.0], dtype="float32"), T(5, 3)), RuntimeError, "float32"),
            Bad(S(INDEX, T(5)), RuntimeError, "2-D"),
            Bad(S(INDEX, T(5, 3), padding_idx=5), AssertionError, "Padding_idx"),
        ],
    ),
    Row(
        "ops.embedding_transpose",
        [S(T(2, 3, 2), INDEX, 5), S(T(2, 3, 2), INDEX, 6, 1), S(T(0, 2), T(0, dtype="int64"), 3)],
        embedding_transpose,
        bad=[Bad(S(T(2, 3, 2), INDEX, 4), IndexError, "4")],
    ),
    Row(
        "nn.functional.one_hot",
        [
            S(INDEX),
            S(INDEX, 7),
            S(T(values=1, dtype="int64"), 3),
            S(T(0, 2, dtype="int64"), 3),
        ],
        one_hot,
        bad=[
            Bad(S(T(values=[0, 5], dtype="int64"), 3), RuntimeError, "smaller than num_classes"),
            Bad(S(T(values=[0, -1], dtype="int64")), RuntimeError, "non-negative"),
            Bad(S(T(values=[0.0, 1.0], dtype="float32")), RuntimeError, "int64"),
            Bad(S(T(0, dtype="int64")), RuntimeError, "infer"),
        ],
    ),
]
