"""New boxes of a shape: one builtin function from a tuple of extents to a tensor."""

import functools

import numpy as np

from . import builtin, ufunc
from .boxes import CLEAR, INCREF, LAYOUT, OTHER, REST, load_word, make_box, mode_in, none
from .builtin import ADDRESS_OF, CALL, DATA, EMPTY_ARRAY, MOST_DIMENSIONS, NOTHING, word
from .integers import READER
from .memory import StackArray
from .scalar import scalar
from .tuples import read_shape

# Words of a builtin function after those that all have: NumPy's function, types of arguments, and what reads an int.
MAKE, TUPLE, INT, AS_INTEGER = (REST + np.int64(k) for k in range(4))

# Position of PyArray_Zeros in NumPy's C API table, fixed by its ABI.
ZEROS, EMPTY = 183, EMPTY_ARRAY

_extents = StackArray("int64", MOST_DIMENSIONS)


@scalar
def call_new(builtin, args, given):
    """Box a new array: the arguments are a tuple of extents and NumPy's dtype; None for what else there is."""
    recipe = load_word(builtin, DATA)
    layout = word(recipe, LAYOUT)
    extents = _extents()
    mode = mode_in(layout)
    if given != 2 or mode == OTHER:
        return none(layout)
    tuples = word(recipe, TUPLE)
    size = read_shape(args[0], tuples, tuples, word(recipe, INT), word(recipe, AS_INTEGER), extents)
    for k in range(size):
        if extents[k] < 0:
            return none(layout)
    if size < 0:
        return none(layout)
    # NumPy takes a reference to the dtype.
    CALL(word(layout, INCREF), args[1], NOTHING, NOTHING, NOTHING)
    array = CALL(word(recipe, MAKE), size, ADDRESS_OF(extents), args[1], NOTHING)
    if array == NOTHING:
        # Too large, or of too many dimensions: Python says so in its own words.
        CALL(word(layout, CLEAR), NOTHING, NOTHING, NOTHING, NOTHING)
        return none(layout)
    return make_box(layout, array, mode)


@functools.cache
def _entry():
    return builtin.compile_entry("new", call_new)


def make_new(layout, position):
    """Make the builtin function of (extents, NumPy dtype) that boxes a new array, or answers None.

    Args:
        layout: a `boxes.Layout`.
        position: of NumPy's function in its C API: `ZEROS` or `EMPTY`.
    """
    words = [layout.address, False, ufunc.array_api(position), id(tuple), id(int)]
    words.append(builtin.address_in_python(READER))
    return builtin.bind("new", _entry(), words, layout)
