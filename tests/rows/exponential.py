"""Rows of numtensor/ops/exponential.py."""

import numpy as np

from ..elementwise_samples import unary

ROWS = [
    unary("exp", np.exp),
    unary("exp2", np.exp2),
    unary("expm1", np.expm1),
    unary("log", np.log, (0.5, 3.0)),
    unary("log1p", np.log1p, (-0.5, 3.0)),
    unary("log2", np.log2, (0.5, 3.0)),
    unary("log10", np.log10, (0.5, 3.0)),
]
