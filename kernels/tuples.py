"""Tuples and lists of Python as machine code reads them."""

import ctypes
import functools

import numpy as np

from .builtin import BYTES, MOST_DIMENSIONS, NOTHING, TYPE, word
from .integers import read_int
from .memory import load
from .memory import store as store_at
from .scalar import scalar

# The number of items follows the head that all objects have; then, in PyTupleObject, they come themselves, and in
# PyListObject their address.
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
def items_in(sequence, tuples, lists):
    """The address of the items of a tuple or a list, of which that may have others as soon as Python code runs.

    Args:
        sequence: an object.
        tuples, lists: addresses of the types.

    Returns:
        The address; `NOTHING` for anything else, and for a list that never had items.
    """
    kind = _load_word(sequence, TYPE)
    if kind == tuples:
        return sequence + ITEMS
    if kind == lists:
        return _load_word(sequence, ITEMS)
    return NOTHING


@scalar
def put_item(fresh, number, thing):
    """Put an object, whose reference is taken over, into a tuple that nobody else has seen."""
    _store_word(fresh, ITEMS + BYTES * number, thing)


@functools.cache
def supported():
    """Return whether tuples and lists lie in memory as this file believes."""
    items = [object(), object(), object()]
    addresses = list(map(id, items))
    several = tuple(items)
    size, *in_tuple = _words_of(id(several) + int(SIZE), 4)
    number, first, allocated = _words_of(id(items) + int(SIZE), 3)
    known = SIZE + 8 == ITEMS and list.__basicsize__ == ITEMS + 16
    if not known or [size, number] != [3, 3] or in_tuple != addresses or not 3 <= allocated <= 8:
        return False
    return _words_of(first, 3) == addresses


def _words_of(address, count):
    return (ctypes.c_int64 * count).from_address(address)[:]
