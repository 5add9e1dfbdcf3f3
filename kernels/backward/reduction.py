"""Gradients of the reductions in ``forward/reduction.py``. A sum's gradient is the gradient repeated: no kernel."""

import numpy as np

from ..declare import gufunc


@gufunc("(),(n)->(n)", "T,T->T")
def prod(grad, x, out):
    """grad times the product of all other elements: before it times after it, so zeros are no special case."""
    n = x.shape[0]
    before = 1.0
    for i in range(n):
        out[i] = grad * before
        before *= np.float64(x[i])
    after = 1.0
    for k in range(n):
        i = n - 1 - k
        out[i] = out[i] * after
        after *= np.float64(x[i])
