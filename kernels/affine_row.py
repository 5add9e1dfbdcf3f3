"""An affine map of one row, x @ weight.T + bias, by one call of the library that multiplies matrices.

For few numbers what takes the time is NumPy's way to that library: half a microsecond, and as much again for adding the
bias. The builtin function copies the bias to the result and has the library add the product to it.
"""

import functools

import numpy as np

from . import builtin, cblas, ufunc
from .builtin import ADDRESS_OF, CALL, DATA, EMPTY_ARRAY, MOMENT, NOTHING, SHAPE, load_word, word
from .cblas import add_matrix_vector, fits, itemsize
from .memory import StackArray, copy_bytes
from .scalar import scalar

# What the builtin function is bound to besides.
EMPTY, INCREF, SAVE, RESTORE, NONE = (cblas.REST + np.int64(k) for k in range(5))

_extents = StackArray("int64", 2)


@scalar
def call_affine(builtin, args, given):
    """What runs when the builtin function is called; `builtin` is the address of its recipe's array."""
    recipe = load_word(builtin, DATA)
    none = word(recipe, NONE)
    fit = given == 3
    for k in range(given if fit else NOTHING):
        fit = fit and fits(recipe, args[k], np.int64(1 if k == 2 else 2))
    if fit:
        row, matrix, bias = load_word(args[0], SHAPE), load_word(args[1], SHAPE), load_word(args[2], SHAPE)
        width, depth = word(matrix, np.int64(0)), word(matrix, np.int64(1))
        fit = word(row, np.int64(0)) == 1 and word(row, np.int64(1)) == depth and word(bias, np.int64(0)) == width
        fit = fit and width > 0 and depth > 0
    if not fit:
        CALL(word(recipe, INCREF), none, NOTHING, NOTHING, NOTHING)
        return none
    extents = _extents()
    extents[0], extents[1] = 1, width
    # NumPy takes a reference to the dtype.
    CALL(word(recipe, INCREF), word(recipe, cblas.DTYPE), NOTHING, NOTHING, NOTHING)
    result = CALL(word(recipe, EMPTY), np.int64(2), ADDRESS_OF(extents), word(recipe, cblas.DTYPE), NOTHING)
    if result == NOTHING:
        return result
    copy_bytes(load_word(result, DATA), load_word(args[2], DATA), width * itemsize(recipe))
    work = width * depth
    state = CALL(word(recipe, SAVE), NOTHING, NOTHING, NOTHING, NOTHING) if work > MOMENT else NOTHING
    add_matrix_vector(
        word(recipe, cblas.PRODUCT),
        word(recipe, cblas.WIDE),
        width,
        depth,
        load_word(args[1], DATA),
        load_word(args[0], DATA),
        load_word(result, DATA),
    )
    if work > MOMENT:
        CALL(word(recipe, RESTORE), state, NOTHING, NOTHING, NOTHING)
    return result


@functools.cache
def _entry():
    return builtin.compile_entry("affine_row", call_affine)


def make_affine(dtype, product):
    """Make the builtin function of (row, weight, bias), arrays of which the first has two dimensions, too.

    Args:
        dtype: float32 or float64.
        product: address of CBLAS's gemv for it, with integers of 64 bits.

    Returns:
        A function that returns the result, an array, or None where it has done nothing.
    """
    names = ("Py_IncRef", "PyEval_SaveThread", "PyEval_RestoreThread")
    words = [*cblas.words(dtype, product), ufunc.array_api(EMPTY_ARRAY)]
    words += [*map(builtin.address_in_python, names), id(None)]
    return builtin.bind("affine_row", _entry(), words)
