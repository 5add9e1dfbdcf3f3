"""Rows of numtensor/ops/special.py."""

import numpy as np
import scipy.special

from ..elementwise_samples import MISMATCH, NAN, NOT_A_NUMBER, PAIRS, TWO_SHAPES, unary
from ..op_table import Row, S, T

ROWS = [
    unary("erf", scipy.special.erf),
    unary("erfc", scipy.special.erfc),
    Row(
        "xlogy",
        [*TWO_SHAPES, *PAIRS, S(T(3, dtype="int64"), T(3, dtype="int64", domain=(1, 3)))],
        lambda x, y: scipy.special.xlogy(np.asarray(x, float), y),
        domain=(0.2, 3.0),
        bad=[MISMATCH, NOT_A_NUMBER],
    ),
    unary("sinc", np.sinc, (0.2, 3.0), values=[0.0, -0.0, 0.5, -2.5, 1e-30, NAN]),
]
