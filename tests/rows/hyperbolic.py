"""Rows of numtensor/ops/hyperbolic.py."""

import numpy as np

from ..elementwise_samples import unary

ROWS = [
    unary("sinh", np.sinh),
    unary("cosh", np.cosh),
    unary("tanh", np.tanh),
]
