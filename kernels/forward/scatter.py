"""Kernels that write to positions given by indices. ``indexing.py`` has those that read from them.

They write into an output that the caller has filled: they are called with ``out=``, on memory that no input shares.
Each index is compared with the extent as it is read: see ``bounds.py``. Where one lies outside, nothing is written, and
the output `outside` is True.
"""

import numpy as np

from ..bounds import in_bounds
from ..declare import gufunc


@gufunc("(m),(m)->(n),()", "T,int64->T,bool")
def add_along(values, index, out, outside):
    """out[index[j]] += values[j]; positions that come several times add up, in order."""
    outside[0] = False
    for j in range(index.shape[0]):
        position = index[j]
        if in_bounds(position, out.shape[0]):
            out[np.uintp(position)] += values[j]
        else:
            outside[0] = True


@gufunc("(m,k),(m,k)->(n,k),()", "T,int64->T,bool")
def add_between(values, index, out, outside):
    """out[index[j, i], i] += values[j, i]; positions that come several times add up, in order."""
    outside[0] = False
    for j in range(index.shape[0]):
        for i in range(index.shape[1]):
            position = index[j, i]
            if in_bounds(position, out.shape[0]):
                out[np.uintp(position), i] += values[j, i]
            else:
                outside[0] = True


@gufunc("(m,k),(m),()->(n,k),()", "T,int64,int64->T,bool")
def add_rows(values, index, skipped, out, outside):
    """out[index[j], :] += values[j, :]; positions that come several times add up, in order; `skipped` gets nothing."""
    outside[0] = False
    for j in range(index.shape[0]):
        position = index[j]
        if position != skipped:
            if in_bounds(position, out.shape[0]):
                row = np.uintp(position)
                for i in range(values.shape[1]):
                    out[row, i] += values[j, i]
            else:
                outside[0] = True


@gufunc("(m),(m)->(n),()", "T,int64->T,bool", moves=True)
def put_along(values, index, out, outside):
    """out[index[j]] = values[j]; of positions that come several times the last stays."""
    outside[0] = False
    for j in range(index.shape[0]):
        position = index[j]
        if in_bounds(position, out.shape[0]):
            out[np.uintp(position)] = values[j]
        else:
            outside[0] = True


@gufunc("(m,k),(m,k)->(n,k),()", "T,int64->T,bool", moves=True)
def put_between(values, index, out, outside):
    """out[index[j, i], i] = values[j, i]; of positions that come several times the last stays."""
    outside[0] = False
    for j in range(index.shape[0]):
        for i in range(index.shape[1]):
            position = index[j, i]
            if in_bounds(position, out.shape[0]):
                out[np.uintp(position), i] = values[j, i]
            else:
                outside[0] = True
