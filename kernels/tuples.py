"""Tuples of Python as machine code reads them."""

import numpy as np

from .builtin import BYTES, MOST_DIMENSIONS, TYPE, word
from .integers import read_int
from .memory import load
from .memory import store as store_at
from .scalar import scalar

# In PyTupleObject, the number of items follows the head that all objects have.
SIZE, ITEMS = np.int64(object.__basicsize__), np.int64(tuple.__basicsize__)

_load_word, _store_word = load("int64"), store_at("int64", 0)


@scalar
def read_shape(shape, tuples, others, ints, as_integer, extents):
    """Enter the extents that a tuple of ints has, of which none is below -1.

    Args:
        shape: an object.
        tuples, others, ints, as_integer: addresses of the types that a shape may have, of that of its extents, and of
            what reads one.
        extents: room for `MOST_DIMENSIONS`.

    Returns:
        The number of extents; -1 for anything else.
    """
    kind = _load_word(shape, TYPE)
    if kind not in (tuples, others):
        return np.int64(-1)
    size = _load_word(shape, SIZE)
    if size > MOST_DIMENSIONS:
        return np.int64(-1)
    for k in range(size):
        extent = word(shape + ITEMS, k)
        if _load_word(extent, TYPE) != ints:
            return np.int64(-1)
        extents[k] = read_int(as_integer, extent)
        if extents[k] < -1:
            return np.int64(-1)
    return size


@scalar
def put_item(fresh, number, thing):
    """Put an object, whose reference is taken over, into a tuple that nobody else has seen."""
    _store_word(fresh, ITEMS + BYTES * number, thing)
