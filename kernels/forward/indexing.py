"""Kernels that read elements at positions given by indices, and triangles. ``scatter.py`` has those that write to them.

Every index was validated; the checked build compares it once more and records a violation in `status`. An index out of
range then gives 0.
"""

import numpy as np

from ..checked import in_bounds
from ..declare import gufunc


@gufunc("(n),(m)->(m),()", "T,int64->T,bool")
def take_along(x, index, out, status):
    """out[j] = x[index[j]]."""
    status[0] = False
    n = x.shape[0]
    for j in range(index.shape[0]):
        position = index[j]
        if in_bounds(position, n):
            out[j] = x[np.uintp(position)]
        else:
            out[j] = 0
            status[0] = True


@gufunc("(n,k),(m)->(m,k),()", "T,int64->T,bool")
def take_rows(x, index, out, status):
    """out[j, :] = x[index[j], :]."""
    status[0] = False
    n = x.shape[0]
    k = x.shape[1]
    for j in range(index.shape[0]):
        position = index[j]
        if in_bounds(position, n):
            row = np.uintp(position)
            for i in range(k):
                out[j, i] = x[row, i]
        else:
            for i in range(k):
                out[j, i] = 0
            status[0] = True


@gufunc("(m,n),()->(m,n)", "T,int64->T")
def tril(x, diagonal, out):
    """x where column - row <= diagonal, else 0."""
    n = x.shape[1]
    for i in range(x.shape[0]):
        stop = min(max(i + diagonal + 1, 0), n)
        for j in range(stop):
            out[i, j] = x[i, j]
        for j in range(stop, n):
            out[i, j] = 0


@gufunc("(m,n),()->(m,n)", "T,int64->T")
def triu(x, diagonal, out):
    """x where column - row >= diagonal, else 0."""
    n = x.shape[1]
    for i in range(x.shape[0]):
        start = min(max(i + diagonal, 0), n)
        for j in range(start):
            out[i, j] = 0
        for j in range(start, n):
            out[i, j] = x[i, j]


@gufunc("(m),(),()->(m),()", "T,T,T->T,T")
def wrap_index(index, extent, lowest, out, wrong):
    """Indices counted from the front; wrong = the first place of one outside lowest <= index < extent, or -1.

    The first place is looked for only if there is one: looking while writing would go element by element.
    """
    outside = False
    for j in range(index.shape[0]):
        position = index[j]
        out[j] = position + extent if position < 0 else position
        outside |= (position < lowest) | (position >= extent)
    wrong[0] = -1
    if outside:
        for j in range(index.shape[0]):
            if wrong[0] < 0 and (index[j] < lowest or index[j] >= extent):
                wrong[0] = j
