"""Rows of numtensor/ops/special.py."""

import scipy.special

from ..elementwise_samples import unary

ROWS = [
    unary("erf", scipy.special.erf),
    unary("erfc", scipy.special.erfc),
]
