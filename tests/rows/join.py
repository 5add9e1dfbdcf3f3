"""Rows of numtensor/ops/join.py."""

import numpy as np

from ..op_table import ALL, Bad, Row, S, T

DIM = r"Dimension out of range"


ROWS = [
    Row("ops.cat_same", [S([T(2, 3), T(1, 3)], 0), S([T(2, 3), T(0), T(2, 1)], 1)], lambda parts, dim: np.concatenate(
        [part for part in parts if part.ndim > 1 or part.size], dim), dtypes=ALL),
    Row("ops.stack_same", [S([T(2, 3), T(2, 3)], 1), S([T(2), T(2), T(2)], 1), S([T(), T()], 0)], np.stack, dtypes=ALL),
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
]
