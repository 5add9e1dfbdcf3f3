"""Gradients of the kernels in ``forward/embedding.py``."""

import numpy as np

from ..checked import in_bounds
from ..declare import gufunc


@gufunc("(n,d),(n),()->(v,d),()", "T,int64,int64->T,int64")
def embedding(grad, index, padding, out, status):
    """out[index[i]] += grad[i] in the order of i; rows of index `padding` stay; `out` comes zeroed."""
    status[0] = 0
    for i in range(index.shape[0]):
        if index[i] != padding:
            if in_bounds(index[i], out.shape[0]):
                row = np.uintp(index[i])
                for j in range(grad.shape[1]):
                    out[row, j] += grad[i, j]
            else:
                status[0] = 1
