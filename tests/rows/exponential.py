"""Rows of numtensor/ops/exponential.py."""

import numpy as np

from ..elementwise_samples import MISMATCH, NOT_A_NUMBER, PAIRS, TWO_SHAPES, unary
from ..op_table import Row

ROWS = [
    unary("exp", np.exp),
    unary("exp2", np.exp2),
    unary("expm1", np.expm1),
    unary("log", np.log, (0.5, 3.0)),
    unary("log1p", np.log1p, (-0.5, 3.0)),
    unary("log2", np.log2, (0.5, 3.0)),
    unary("log10", np.log10, (0.5, 3.0)),
    Row(
        "logaddexp",
        [*TWO_SHAPES, *PAIRS],
        np.logaddexp,
        domain=(-3.0, 3.0),
        bad=[MISMATCH, NOT_A_NUMBER],
    ),
]
