"""Rows picked by index. ``backward/embedding.py`` mirrors this file."""

import numpy as np

from ..checked import in_bounds
from ..declare import gufunc


@gufunc("(n),()->()", "int64,int64->int64")
def find_bad_index(index, extent, position):
    """The position of the first index that is not in [0, extent); -1 if there is none."""
    outside = False
    for i in range(index.shape[0]):
        outside |= (index[i] < 0) | (index[i] >= extent)
    bad = np.int64(-1)
    if outside:
        for i in range(index.shape[0]):
            if bad < 0 and (index[i] < 0 or index[i] >= extent):
                bad = np.int64(i)
    position[0] = bad


@gufunc("(n),(v,d)->(n,d),()", "int64,T->T,int64")
def embedding(index, weight, out, status):
    """out[i] = weight[index[i]]."""
    status[0] = 0
    for i in range(index.shape[0]):
        if in_bounds(index[i], weight.shape[0]):
            row = np.uintp(index[i])
            for j in range(weight.shape[1]):
                out[i, j] = weight[row, j]
        else:
            status[0] = 1
