"""Kernels that write to positions given by indices. ``indexing.py`` has those that read from them.

They write into an output that the caller has filled: they are called with ``out=``, on memory that no input shares.
Every index was validated; the checked build compares it once more and records a violation in `status`, and nothing is
written there.
"""

import numpy as np

from ..checked import in_bounds
from ..declare import gufunc


@gufunc("(m),(m)->(n),()", "T,int64->T,bool")
def add_along(values, index, out, status):
    """out[index[j]] += values[j]; positions that come several times add up, in order."""
    status[0] = False
    n = out.shape[0]
    for j in range(index.shape[0]):
        position = index[j]
        if in_bounds(position, n):
            out[np.uintp(position)] += values[j]
        else:
            status[0] = True


@gufunc("(m,k),(m)->(n,k),()", "T,int64->T,bool")
def add_rows(values, index, out, status):
    """out[index[j], :] += values[j, :]; positions that come several times add up, in order."""
    status[0] = False
    n = out.shape[0]
    k = out.shape[1]
    for j in range(index.shape[0]):
        position = index[j]
        if in_bounds(position, n):
            row = np.uintp(position)
            for i in range(k):
                out[row, i] += values[j, i]
        else:
            status[0] = True


@gufunc("(m),(m)->(n),()", "T,int64->T,bool")
def put_along(values, index, out, status):
    """out[index[j]] = values[j]; of positions that come several times the last stays."""
    status[0] = False
    n = out.shape[0]
    for j in range(index.shape[0]):
        position = index[j]
        if in_bounds(position, n):
            out[np.uintp(position)] = values[j]
        else:
            status[0] = True


@gufunc("(m,k),(m)->(n,k),()", "T,int64->T,bool")
def put_rows(values, index, out, status):
    """out[index[j], :] = values[j, :]; of positions that come several times the last stays."""
    status[0] = False
    n = out.shape[0]
    k = out.shape[1]
    for j in range(index.shape[0]):
        position = index[j]
        if in_bounds(position, n):
            row = np.uintp(position)
            for i in range(k):
                out[row, i] = values[j, i]
        else:
            status[0] = True
