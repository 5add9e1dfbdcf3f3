"""Rows of numtensor/ops/triangular.py."""

import numpy as np

from numtensor import dtypes

from ..op_table import ALL, NUMERIC, Bad, Row, S, T

TRIANGLES = [S(3, 3), S(2, 4, 1), S(4, 2, -1), S(0, 3), S(3, 3, dtype=dtypes.int32)]

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
    Row(
        "trace",
        [S(T(3, 3)), S(T(2, 4)), S(T(0, 3)), S(T(2, 2, dtype="bool"))],
        lambda x: np.asarray(np.trace(x)),
        dtypes=NUMERIC,
        bad=[Bad(S(T(3)), RuntimeError, "matrix"), Bad(S("x"), TypeError, "input")],
    ),
    Row(
        "tril_indices",
        TRIANGLES,
        lambda row, col, offset=0, dtype=np.int64: np.array(np.tril_indices(row, offset, col), dtype).reshape(2, -1),
        dtypes=("int64",),
        bad=[Bad(S(-1, 2), RuntimeError, "non-negative")],
    ),
    Row(
        "triu_indices",
        TRIANGLES,
        lambda row, col, offset=0, dtype=np.int64: np.array(np.triu_indices(row, offset, col), dtype).reshape(2, -1),
        dtypes=("int64",),
        bad=[Bad(S(2, -1), RuntimeError, "non-negative")],
    ),
]
