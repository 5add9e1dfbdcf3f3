"""Whole pieces of a tensor's memory by their numbers: one builtin function from tensors to a tensor.

It runs the loop of a gufunc ``(o,n,k),(m)->(o,m,k),()`` on the first operand seen around a dimension. Whatever is not
of this common kind (operands that do not lie in order, indices out of range) it answers with None.
"""

import functools

import numpy as np

from . import builtin
from .boxes import (
    CLEAR,
    LAYOUT,
    NONE,
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
    BYTES,
    CALL,
    DATA,
    DECREF,
    DESCR,
    EMPTY,
    FLAGS,
    IN_ORDER,
    INCREF,
    ITEMSIZE,
    LOOP,
    LOOP_DATA,
    MOMENT,
    MOST_DIMENSIONS,
    NDIM,
    NOTHING,
    RESTORE,
    SAVE,
    SHAPE,
    TYPE,
    WORDS,
    count,
    run,
    word,
)
from .integers import NO_DIM, READER, read_dim
from .memory import StackArray, load
from .scalar import scalar

# Words of a builtin function after those that all have: its arguments' numbers (of the tensor, the index, the
# dimension, or -1 where that is 0, and one that must be None, or -1), how many dimensions the tensor and the index must
# have, or 0; the table; the index's dtype; a type, and what reads an int.
GIVEN, INPUT, INDEX, DIM, UNUSED, NDIM_OF_INPUT, NDIM_OF_INDEX = (REST + np.int64(k) for k in range(7))
TABLE, POSITIONS, INT, AS_INTEGER = (REST + np.int64(k) for k in range(7, 11))

_shape = StackArray("int64", MOST_DIMENSIONS)
_addresses = StackArray("int64", 4)
# One run of the loop, and then o, n, k and m.
_extents = StackArray("int64", 5)
# From run to run, and then those of the cores: three of the tensor, one of the index, three of the result.
_steps = StackArray("int64", 11)
_outside = StackArray("int64", 1)
_load_half = load("int32")


@scalar
def lies_in_order(array, dtype, ndim):
    """Whether an array is of a dtype, lies in order, and has so many dimensions, if that is not 0."""
    needed = IN_ORDER | ALIGNED
    fits = load_word(array, DESCR) == dtype and np.int64(_load_half(array, FLAGS)) & needed == needed
    own = np.int64(_load_half(array, NDIM))
    return fits and (own == ndim or ndim == 0) and own > 0


@scalar
def take(kernel, array, index, dim):
    """The pieces of an array, a new one; `NOTHING` if a number is out of range, or an exception is set."""
    shape, addresses, extents, steps, outside = _shape(), _addresses(), _extents(), _steps(), _outside()
    ndim, dims = np.int64(_load_half(array, NDIM)), load_word(array, SHAPE)
    index_ndim, index_dims = np.int64(_load_half(index, NDIM)), load_word(index, SHAPE)
    extents[0] = extents[1] = extents[3] = 1
    extents[2], extents[4] = word(dims, dim), count(index_dims, index_ndim)
    made = np.int64(0)
    for axis in range(dim):
        shape[made] = word(dims, axis)
        extents[1] *= word(dims, axis)
        made += 1
    for axis in range(index_ndim):
        shape[made] = word(index_dims, axis)
        made += 1
    for axis in range(dim + 1, ndim):
        shape[made] = word(dims, axis)
        extents[3] *= word(dims, axis)
        made += 1
    entry = kernel + BYTES * WORDS
    dtype, itemsize = load_word(array, DESCR), word(entry, ITEMSIZE)
    elements = extents[1] * extents[4] * extents[3]
    # NumPy takes a reference to the dtype.
    CALL(word(kernel, INCREF), dtype, NOTHING, NOTHING, NOTHING)
    result = CALL(word(kernel, EMPTY), made, ADDRESS_OF(shape), dtype, NOTHING)
    if result == NOTHING:
        return result
    addresses[0], addresses[1] = load_word(array, DATA), load_word(index, DATA)
    addresses[2], addresses[3] = load_word(result, DATA), ADDRESS_OF(outside)
    for k in range(4):
        steps[k] = 0
    steps[6] = steps[10] = itemsize
    steps[5] = steps[9] = itemsize * extents[3]
    steps[4], steps[8] = steps[5] * extents[2], steps[9] * extents[4]
    steps[7] = BYTES
    outside[0] = 0
    data = word(kernel, LOOP_DATA)
    run(word(kernel, LOOP), data, elements, addresses, extents, steps, word(kernel, SAVE), word(kernel, RESTORE))
    if outside[0] != 0:
        CALL(word(kernel, DECREF), result, NOTHING, NOTHING, NOTHING)
        return NOTHING
    return result


@scalar
def call_take(builtin, args, given):
    """What runs when the builtin function is called; `builtin` is the address of its recipe's array."""
    recipe = load_word(builtin, DATA)
    layout = word(recipe, LAYOUT)
    mode = mode_in(layout)
    if given != word(recipe, GIVEN) or mode == OTHER:
        return none(layout)
    box, positions = args[word(recipe, INPUT)], args[word(recipe, INDEX)]
    unused = word(recipe, UNUSED)
    if not is_box(layout, box) or not is_box(layout, positions):
        return none(layout)
    if word(recipe, RECORDS) and is_recorded(layout, mode, box):
        return none(layout)
    if unused >= 0 and args[unused] != word(layout, NONE):
        return none(layout)
    array, index = array_in(layout, box), array_in(layout, positions)
    if array == NOTHING or index == NOTHING:
        return none(layout)
    dtype = load_word(array, DESCR)
    entry = find(word(recipe, TABLE), dtype)
    if entry == NOTHING or not lies_in_order(array, dtype, word(recipe, NDIM_OF_INPUT)):
        return none(layout)
    if not lies_in_order(index, word(recipe, POSITIONS), word(recipe, NDIM_OF_INDEX)):
        return none(layout)
    ndim, dim = np.int64(_load_half(array, NDIM)), np.int64(0)
    if ndim + np.int64(_load_half(index, NDIM)) > MOST_DIMENSIONS // 2:
        return none(layout)
    if word(recipe, DIM) >= 0:
        argument = args[word(recipe, DIM)]
        if load_word(argument, TYPE) != word(recipe, INT):
            return none(layout)
        dim = read_dim(word(recipe, AS_INTEGER), argument, ndim)
        if dim == NO_DIM:
            return none(layout)
    elements = count(load_word(array, SHAPE), ndim)
    if dim == ndim - 1 and elements > MOMENT:
        # Single elements are not copied as pieces.
        return none(layout)
    # Another thread, or the garbage collector, may put other arrays into the boxes meanwhile.
    hold(layout, array)
    hold(layout, index)
    result = take(word(entry, NOTHING), array, index, dim)
    drop(layout, array)
    drop(layout, index)
    if result == NOTHING:
        # Python finds out what is wrong, and says so.
        CALL(word(layout, CLEAR), NOTHING, NOTHING, NOTHING, NOTHING)
        return none(layout)
    return make_box(layout, result, mode)


# ---------------------------------------------------------------------------------------------------------------------
# Making one


class TakeTable(Table):
    """The builtin functions for arrays of the kernel, by dtype."""

    def enter(self, dtype, run):
        """Enter one."""
        if run is not builtin.refuse:
            self.put(dtype, run.__self__.ctypes.data, kept=run)


@functools.cache
def _entry():
    return builtin.compile_entry("boxed_take", call_take)


def make_take(name, layout, records, table, parameters, *, input, index, dim=None, unused=None, ndims=(0, 0)):
    """Make the builtin function of an op.

    Args:
        name: of the op.
        layout: a `boxes.Layout`.
        records: whether the op is one that may be recorded.
        table: a `TakeTable`.
        parameters: the op's, in order.
        input, index, dim: which of them are the tensor, the int64 numbers, and the dimension; None where that is 0.
        unused: one that must be None.
        ndims: the dimensions that the tensor must have, and the index; 0 for any number.

    Returns:
        A function that returns a box, or None where it has done nothing.
    """
    numbers = [-1 if one is None else parameters.index(one) for one in (input, index, dim, unused)]
    words = [layout.address, records, len(parameters), *numbers, *ndims, table.address]
    words += [id(np.dtype(np.int64)), id(int), builtin.address_in_python(READER)]
    return builtin.bind(name, _entry(), words, layout, table)
