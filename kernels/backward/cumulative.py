"""Gradients of the running products in ``forward/cumulative.py``; that of a running sum is one, backwards."""

import numpy as np

from ..declare import gufunc


@gufunc("(n),(n)->(n)", "T,T->T")
def cumprod(grad, x, out):
    """The product before element k times s[k], where s[k] = grad[k] + x[k + 1] s[k + 1]."""
    n = x.shape[0]
    before = 1.0
    for i in range(n):
        out[i] = before
        before *= np.float64(x[i])
    rest = 0.0
    for k in range(n):
        i = n - 1 - k
        rest += np.float64(grad[i])
        out[i] = out[i] * rest
        rest *= np.float64(x[i])
