"""Kernels that read elements at positions given by indices, and triangles. ``scatter.py`` has those that write to them.

Each index is compared with the extent as it is read: see ``bounds.py``. Where one lies outside, nothing is written, and
the output `outside` is True.
"""

import numpy as np

from ..bounds import in_bounds
from ..declare import gufunc


@gufunc("(n),(m)->(m),()", "T,int64->T,bool", moves=True)
def take_along(x, index, out, outside):
    """out[j] = x[index[j]]."""
    outside[0] = False
    for j in range(index.shape[0]):
        position = index[j]
        if in_bounds(position, x.shape[0]):
            out[j] = x[np.uintp(position)]
        else:
            outside[0] = True


@gufunc("(n,k),(m,k)->(m,k),()", "T,int64->T,bool", moves=True)
def take_between(x, index, out, outside):
    """out[j, i] = x[index[j, i], i]."""
    outside[0] = False
    for j in range(index.shape[0]):
        for i in range(index.shape[1]):
            position = index[j, i]
            if in_bounds(position, x.shape[0]):
                out[j, i] = x[np.uintp(position), i]
            else:
                outside[0] = True


@gufunc("(o,n,k),(m)->(o,m,k),()", "T,int64->T,bool", contiguous=True, moves=True)
def take_rows(x, index, out, outside):
    """out[i, j, :] = x[i, index[j], :]."""
    outside[0] = False
    for i in range(x.shape[0]):
        for j in range(index.shape[0]):
            position = index[j]
            if in_bounds(position, x.shape[1]):
                for k in range(x.shape[2]):
                    out[i, j, k] = x[i, np.uintp(position), k]
            else:
                outside[0] = True


@gufunc("(m,n),()->(m,n)", "T,int64->T", moves=True)
def tril(x, diagonal, out):
    """x where column - row <= diagonal, else 0."""
    n = x.shape[1]
    for i in range(x.shape[0]):
        stop = min(max(i + diagonal + 1, 0), n)
        for j in range(stop):
            out[i, j] = x[i, j]
        for j in range(stop, n):
            out[i, j] = 0


@gufunc("(m,n),()->(m,n)", "T,int64->T", moves=True)
def triu(x, diagonal, out):
    """x where column - row >= diagonal, else 0."""
    n = x.shape[1]
    for i in range(x.shape[0]):
        start = min(max(i + diagonal, 0), n)
        for j in range(start):
            out[i, j] = 0
        for j in range(start, n):
            out[i, j] = x[i, j]


@gufunc("(m),(),()->(m),()", "T,T,T->T,bool")
def wrap_index(index, extent, lowest, out, outside):
    """Indices counted from the front, and whether one was not in [lowest, extent)."""
    found = False
    for j in range(index.shape[0]):
        position = index[j]
        out[j] = position + extent if position < 0 else position
        found |= (position < lowest) | (position >= extent)
    outside[0] = found
