"""Products of two small matrices, and affine maps by one: a builtin function from tensors to a tensor.

It calls CBLAS as NumPy would for the same arrays, so the bits are the same. What NumPy does otherwise (a single row or
column, a matrix by itself turned), what is large, and what does not lie in order, it answers with None.
"""

import functools

import numpy as np

from . import builtin, cblas, ufunc
from .boxes import (
    CLEAR,
    INCREF,
    LAYOUT,
    NONE,
    OTHER,
    RECORDS,
    REST,
    array_in,
    drop,
    hold,
    is_box,
    is_recorded,
    load_word,
    make_box,
    mode_in,
    none,
)
from .builtin import ADDRESS_OF, CALL, DATA, DESCR, EMPTY_ARRAY, NOTHING, SHAPE, word
from .cblas import add_matrix_vector, fits, itemsize, write_product
from .memory import StackArray, copy_bytes, load
from .memory import store as store_at
from .scalar import scalar

# Words of a builtin function after those that all have: the number of arguments; whether the second matrix is turned;
# NumPy's function; and the words of the library for each dtype: those of ``cblas``, then the function for a vector.
GIVEN, TURNED, EMPTY, SINGLE, DOUBLE = (REST + np.int64(k) for k in range(5))
BY_VECTOR = cblas.REST

# Most elements of the second matrix, and most multiplications.
MOST_ELEMENTS, MOST_WORK = np.int64(2047), np.int64(1 << 16)

_extents = StackArray("int64", 2)
_arrays = StackArray("int64", 3)
_load_single, _load_double = load("float32"), load("float64")
_store_single, _store_double = store_at("float32", 0), store_at("float64", 0)


@scalar
def add_row(library, result, row, rows, columns):
    """Add a row to each of the result's, all given by the addresses of their elements."""
    wide = word(library, cblas.WIDE)
    for k in range(rows):
        for j in range(columns):
            place = k * columns + j
            if wide:
                _store_double(result, 8 * place, _load_double(result, 8 * place) + _load_double(row, 8 * j))
            else:
                _store_single(result, 4 * place, _load_single(result, 4 * place) + _load_single(row, 4 * j))


@scalar
def multiply(recipe, library, x, weight, bias):
    """The product of arrays as a new one, plus the bias if there is one.

    `NOTHING` if it is not done here, or there is no memory, and an exception is set.
    """
    layout, turned = word(recipe, LAYOUT), word(recipe, TURNED)
    rows, depth = word(load_word(x, SHAPE), np.int64(0)), word(load_word(x, SHAPE), np.int64(1))
    across, along = np.int64(0 if turned else 1), np.int64(1 if turned else 0)
    columns = word(load_word(weight, SHAPE), across)
    if word(load_word(weight, SHAPE), along) != depth or depth < 2 or columns < 2 or rows < 1:
        return NOTHING
    if depth * columns > MOST_ELEMENTS or rows * depth * columns > MOST_WORK:
        return NOTHING
    if bias != NOTHING and word(load_word(bias, SHAPE), np.int64(0)) != columns:
        return NOTHING
    from_x, from_weight = load_word(x, DATA), load_word(weight, DATA)
    # A single row is added to the bias by another function; of a matrix by itself NumPy computes one half.
    if (rows == 1 and (bias == NOTHING or not turned)) or (turned and from_x == from_weight):
        return NOTHING
    extents = _extents()
    extents[0], extents[1] = rows, columns
    dtype = word(library, cblas.DTYPE)
    # NumPy takes a reference to the dtype.
    CALL(word(layout, INCREF), dtype, NOTHING, NOTHING, NOTHING)
    array = CALL(word(recipe, EMPTY), np.int64(2), ADDRESS_OF(extents), dtype, NOTHING)
    if array == NOTHING:
        return array
    result = load_word(array, DATA)
    row = load_word(bias, DATA) if bias != NOTHING else NOTHING
    wide = word(library, cblas.WIDE)
    if rows == 1:
        copy_bytes(result, row, columns * itemsize(library))
        add_matrix_vector(word(library, BY_VECTOR), wide, columns, depth, from_weight, from_x, result)
        return array
    function = word(library, cblas.PRODUCT)
    write_product(function, wide, turned, rows, columns, depth, from_x, from_weight, result)
    if bias != NOTHING:
        add_row(library, result, row, rows, columns)
    return array


@scalar
def call_product(builtin, args, given):
    """What runs when the builtin function is called; `builtin` is the address of its recipe's array."""
    recipe = load_word(builtin, DATA)
    layout = word(recipe, LAYOUT)
    mode = mode_in(layout)
    arrays = _arrays()
    arrays[2] = NOTHING
    if given != word(recipe, GIVEN) or mode == OTHER:
        return none(layout)
    for k in range(given):
        if k == 2 and args[2] == word(layout, NONE):
            continue
        if not is_box(layout, args[k]) or (word(recipe, RECORDS) and is_recorded(layout, mode, args[k])):
            return none(layout)
        arrays[k] = array_in(layout, args[k])
        if arrays[k] == NOTHING:
            return none(layout)
    single = load_word(arrays[0], DESCR) == word(word(recipe, SINGLE), cblas.DTYPE)
    library = word(recipe, SINGLE if single else DOUBLE)
    for k in range(given):
        if arrays[k] != NOTHING and not fits(library, arrays[k], np.int64(1 if k == 2 else 2)):
            return none(layout)
    # Another thread, or the garbage collector, may put other arrays into the boxes meanwhile.
    for k in range(given):
        hold(layout, arrays[k])
    result = multiply(recipe, library, arrays[0], arrays[1], arrays[2])
    for k in range(given):
        drop(layout, arrays[k])
    if result == NOTHING:
        # Where there was no memory Python says so.
        CALL(word(layout, CLEAR), NOTHING, NOTHING, NOTHING, NOTHING)
        return none(layout)
    return make_box(layout, result, mode)


# ---------------------------------------------------------------------------------------------------------------------
# Making one


@functools.cache
def _entry():
    return builtin.compile_entry("boxed_products", call_product)


def make_product(name, layout, records, given, turned, libraries):
    """Make the builtin function of an op.

    Args:
        name: of the op.
        layout: a `boxes.Layout`.
        records: whether the op is one that may be recorded.
        given: 2, or 3 where there is a bias (or None in its place).
        turned: whether the second matrix is the transposed one of what multiplies.
        libraries: for float32 and for float64, the addresses of CBLAS's gemm and gemv, with integers of 64 bits.

    Returns:
        A function that returns a box, or None where it has done nothing.
    """
    words = [
        np.array([*cblas.words(dtype, gemm), gemv], np.int64)
        for dtype, (gemm, gemv) in zip((np.float32, np.float64), libraries, strict=True)
    ]
    addresses = [one.ctypes.data for one in words]
    recipe = [layout.address, records, given, turned, ufunc.array_api(EMPTY_ARRAY), *addresses]
    return builtin.bind(name, _entry(), recipe, layout, words)
