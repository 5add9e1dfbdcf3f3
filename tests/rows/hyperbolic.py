"""Rows of numtensor/ops/hyperbolic.py."""

import numpy as np

from ..elementwise_samples import unary

ROWS = [
    unary("sinh", np.sinh),
    unary("cosh", np.cosh),
    unary("tanh", np.tanh),
    unary("asinh", np.arcsinh),
    unary("acosh", np.arccosh, (1.1, 4.0)),
    unary("atanh", np.arctanh, (-0.9, 0.9)),
]
