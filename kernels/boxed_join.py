"""Small tensors joined along a dimension, an old one or a new one: one builtin function from tensors to a tensor.

Seen around the dimension, (outer, joined, inner), each run of the result is a piece of every tensor's memory, one after
the other. Whatever is not of this common kind (tensors that do not lie in order, shapes that do not fit, other dtypes
than the first, much to copy) it answers with None.
"""

import functools

import numpy as np

from . import builtin, ufunc
from .boxes import (
    CLEAR,
    INCREF,
    LAYOUT,
    OTHER,
    RECORDS,
    REST,
    Table,
    array_in,
    drop,
    find,
    hold,
    is_box,
    is_recorded,
    load_word,
    make_box,
    mode_in,
    none,
)
from .builtin import (
    ADDRESS_OF,
    ALIGNED,
    CALL,
    DATA,
    DESCR,
    EMPTY_ARRAY,
    FLAGS,
    IN_ORDER,
    MOST_DIMENSIONS,
    NDIM,
    NOTHING,
    SHAPE,
    TYPE,
    count,
    word,
)
from .integers import NO_DIM, READER, read_dim
from .memory import DTYPES, StackArray, copy_bytes, load
from .scalar import scalar
from .tuples import SIZE, items_in

# Words of a builtin function after those that all have: 1 if the dimension is a new one, else 0; sizes of elements by
# dtype; NumPy's function; types of arguments, and what reads an int.
NEW, ITEMSIZES, EMPTY, TUPLE, LIST, INT, AS_INTEGER = (REST + np.int64(k) for k in range(7))

# As many addresses are kept on the stack.
MOST_TENSORS = 128
# Most to copy: while it goes on, other threads wait. For more, and for more pieces, NumPy's way is nearly as quick.
MOST_BYTES, MOST_PIECES = np.int64(1 << 16), np.int64(512)

_arrays, _extents = StackArray("int64", MOST_TENSORS), StackArray("int64", MOST_TENSORS)
_shape = StackArray("int64", MOST_DIMENSIONS)
_load_half = load("int32")


@scalar
def collect(recipe, mode, sequence, arrays):
    """Enter the addresses of the arrays in a list or tuple of boxes; how many, or 0 if that is not what it is."""
    layout = word(recipe, LAYOUT)
    items = items_in(sequence, word(recipe, TUPLE), word(recipe, LIST))
    if items == NOTHING:
        return NOTHING
    size = load_word(sequence, SIZE)
    if size > MOST_TENSORS:
        return NOTHING
    for k in range(size):
        box = word(items, k)
        # There is no item yet where others' code is still filling the sequence.
        if box == NOTHING or not is_box(layout, box):
            return NOTHING
        if word(recipe, RECORDS) and is_recorded(layout, mode, box):
            return NOTHING
        arrays[k] = array_in(layout, box)
        if arrays[k] == NOTHING:
            return NOTHING
    return size


@scalar
def fits(array, first, free):
    """Whether an array lies in order and is like the first, but for the extent of the dimension `free`, if not -1."""
    ndim, needed = _load_half(first, NDIM), IN_ORDER | ALIGNED
    if load_word(array, DESCR) != load_word(first, DESCR) or _load_half(array, NDIM) != ndim:
        return False
    if np.int64(_load_half(array, FLAGS)) & needed != needed:
        return False
    dims, expected = load_word(array, SHAPE), load_word(first, SHAPE)
    same = True
    for axis in range(np.int64(ndim)):
        same = same and (axis == free or word(dims, axis) == word(expected, axis))
    return same


@scalar
def copy_pieces(result, arrays, extents, size, outer, inner):
    """Copy arrays to their places in the result; `inner` is the bytes of extent 1 of the joined dimension."""
    width = np.int64(0)
    for k in range(size):
        width += extents[k] * inner
    start = load_word(result, DATA)
    for k in range(size):
        source, target, piece = load_word(arrays[k], DATA), start, extents[k] * inner
        for _ in range(outer):
            copy_bytes(target, source, piece)
            source += piece
            target += width
        start += piece


@scalar
def join(recipe, arrays, size, dim):
    """A new array of these; `NOTHING` if they do not fit together or are too much, or an exception is set."""
    layout, new = word(recipe, LAYOUT), word(recipe, NEW)
    shape, extents = _shape(), _extents()
    first = arrays[0]
    dtype, dims, ndim = load_word(first, DESCR), load_word(first, SHAPE), np.int64(_load_half(first, NDIM))
    entry = find(word(recipe, ITEMSIZES), dtype)
    if entry == NOTHING or ndim + new > MOST_DIMENSIONS:
        return NOTHING
    itemsize = word(entry, NOTHING)
    elements, joined = np.int64(0), np.int64(0)
    for k in range(size):
        if not fits(arrays[k], first, np.int64(-1) if new else dim):
            return NOTHING
        own = load_word(arrays[k], SHAPE)
        elements += count(own, ndim)
        extents[k] = np.int64(1) if new else word(own, dim)
        joined += extents[k]
    # Without elements there is nothing to do, and NumPy says how that lies.
    if elements == 0 or elements * itemsize > MOST_BYTES:
        return NOTHING
    outer, inner = np.int64(1), itemsize
    for axis in range(dim):
        shape[axis] = word(dims, axis)
        outer *= shape[axis]
    shape[dim] = joined
    for axis in range(dim + 1, ndim + new):
        shape[axis] = word(dims, axis - new)
        inner *= shape[axis]
    if outer * size > MOST_PIECES:
        return NOTHING
    # Python code that runs while an object is made may put other arrays into the boxes, and other boxes into the list.
    for k in range(size):
        hold(layout, arrays[k])
    # NumPy takes a reference to the dtype.
    CALL(word(layout, INCREF), dtype, NOTHING, NOTHING, NOTHING)
    result = CALL(word(recipe, EMPTY), ndim + new, ADDRESS_OF(shape), dtype, NOTHING)
    if result != NOTHING:
        copy_pieces(result, arrays, extents, size, outer, inner)
    for k in range(size):
        drop(layout, arrays[k])
    return result


@scalar
def call_join(builtin, args, given):
    """Box what is in boxes, joined: the arguments are a list or tuple of them, and the dimension; None for all else."""
    recipe = load_word(builtin, DATA)
    layout = word(recipe, LAYOUT)
    arrays = _arrays()
    mode = mode_in(layout)
    if given != 2 or mode == OTHER or load_word(args[1], TYPE) != word(recipe, INT):
        return none(layout)
    size = collect(recipe, mode, args[0], arrays)
    if size == 0:
        return none(layout)
    ndim = np.int64(_load_half(arrays[0], NDIM)) + word(recipe, NEW)
    dim = read_dim(word(recipe, AS_INTEGER), args[1], ndim)
    result = join(recipe, arrays, size, dim) if dim != NO_DIM else NOTHING
    if result == NOTHING:
        # Python finds out what is wrong, and says so.
        CALL(word(layout, CLEAR), NOTHING, NOTHING, NOTHING, NOTHING)
        return none(layout)
    return make_box(layout, result, mode)


# ---------------------------------------------------------------------------------------------------------------------
# Making one


@functools.cache
def _itemsizes():
    table = Table()
    for kind in DTYPES:
        dtype = np.dtype(kind)
        table.put(dtype, dtype.itemsize, kept=dtype)
    return table


@functools.cache
def _entry():
    return builtin.compile_entry("boxed_join", call_join)


def make_join(name, layout, records, *, new):
    """Make the builtin function of (a list or tuple of boxes, a dimension) that boxes them joined, or answers None.

    Args:
        name: of the op.
        layout: a `boxes.Layout`.
        records: whether the op is one that may be recorded.
        new: whether the dimension is a new one, of which each box gets a place, or one that they have.
    """
    words = [layout.address, records, new, _itemsizes().address, ufunc.array_api(EMPTY_ARRAY), id(tuple), id(list)]
    words += [id(int), builtin.address_in_python(READER)]
    return builtin.bind(name, _entry(), words, layout, _itemsizes())
