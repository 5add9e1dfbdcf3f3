"""A reduction or a row-wise kernel called on a box: one builtin function from a tensor and a dimension to a tensor.

The dimension chooses the kernel and how it sees the array: all elements, the last dimension, or one before it; the
result is made in the shape that is left. Whatever is not of this common kind (several dimensions, an array that does
not lie in order, an empty one) it answers with None, having done nothing: then Python does it.
"""

import functools

import numpy as np

from . import builtin
from .boxes import (
    LAYOUT,
    NEW_TUPLE,
    NONE,
    OTHER,
    RECORDS,
    REST,
    VECTORCALL,
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
    AS_IS,
    BYTES,
    CALL,
    DATA,
    DESCR,
    FAILED,
    INPUTS,
    ITEMSIZE,
    MOST_OPERANDS,
    NDIM,
    NOTHING,
    OPERAND_WORDS,
    OPERANDS,
    RAN,
    SHAPE,
    TYPE,
    UNWANTED,
    VIEW,
    WORDS,
    count,
    try_loop,
    word,
)
from .integers import NO_DIM, READER, read_dim
from .memory import StackArray, load
from .scalar import scalar
from .tuples import put_item

# Words of a builtin function after those that all have: the number of arguments; which of them says whether to keep the
# dimension, or 0; the table; bytes from which on it is left to Python; how many of None and () stand for all
# dimensions; a bit for each result that is wanted, and what makes one object of several, or `NOTHING`. Then what
# arguments are compared with.
GIVEN, KEEPDIM, TABLE, LARGE, FULL, WANTED, COLLECT = (REST + np.int64(k) for k in range(7))
TRUE, FALSE, INT, EMPTY, AS_INTEGER = (REST + np.int64(k) for k in range(7, 12))
# Of a dtype's entry: the recipes for all elements, for the last dimension and for another, or `NOTHING`.
ALL, LAST, EARLIER = (np.int64(k) for k in range(3))

# In place of a dimension: all of them.
_ALL = np.int64(-2)

_results = StackArray("int64", MOST_OPERANDS)
_operands = StackArray("int64", 1)
_load_half = load("int32")


@scalar
def dim_of(recipe, argument, ndim):
    """The dimension that an argument means, counted from the front; `_ALL`, or `NO_DIM` if there is no such."""
    layout = word(recipe, LAYOUT)
    if load_word(argument, TYPE) == word(recipe, INT):
        return read_dim(word(recipe, AS_INTEGER), argument, ndim)
    full = word(recipe, FULL)
    is_full = (full > 0 and argument == word(layout, NONE)) or (full > 1 and argument == word(recipe, EMPTY))
    return _ALL if is_full else NO_DIM


@scalar
def box_results(recipe, kernel, results, mode):
    """Box the results that are wanted, and drop the others: the only one, or what is made of a tuple of several."""
    layout = word(recipe, LAYOUT)
    collect = word(recipe, COLLECT)
    boxed, taken = NOTHING, np.int64(0)
    several = NOTHING
    failed = False
    if collect != NOTHING:
        several = CALL(word(layout, NEW_TUPLE), np.int64(2), NOTHING, NOTHING, NOTHING)
        failed = several == NOTHING
    inputs = word(kernel, INPUTS)
    for k in range(word(kernel, OPERANDS) - inputs):
        if word(kernel + BYTES * (WORDS + (inputs + k) * OPERAND_WORDS), UNWANTED):
            continue
        if failed or not (word(recipe, WANTED) >> k) & 1:
            drop(layout, results[k])
            continue
        boxed = make_box(layout, results[k], mode)
        failed = boxed == NOTHING
        if collect != NOTHING and not failed:
            put_item(several, taken, boxed)
            taken += 1
    if collect == NOTHING:
        return boxed
    if failed:
        drop(layout, several)
        return NOTHING
    operands = _operands()
    operands[0] = several
    made = CALL(word(layout, VECTORCALL), collect, ADDRESS_OF(operands), np.int64(1), NOTHING)
    drop(layout, several)
    return made


@scalar
def call_boxed_loop(builtin, args, given):
    """What runs when the builtin function is called; `builtin` is the address of its recipe's array."""
    recipe = load_word(builtin, DATA)
    layout = word(recipe, LAYOUT)
    mode = mode_in(layout)
    if given != word(recipe, GIVEN) or mode == OTHER or not is_box(layout, args[0]):
        return none(layout)
    if word(recipe, RECORDS) and is_recorded(layout, mode, args[0]):
        return none(layout)
    array = array_in(layout, args[0])
    entry = NOTHING if array == NOTHING else find(word(recipe, TABLE), load_word(array, DESCR))
    if entry == NOTHING:
        return none(layout)
    keepdim = word(recipe, KEEPDIM)
    keeps = False
    for k in range(np.int64(2), given):
        if k == keepdim:
            keeps = args[k] == word(recipe, TRUE)
        expected = word(layout, NONE) if k != keepdim else args[k] if keeps else word(recipe, FALSE)
        if args[k] != expected:
            return none(layout)
    ndim, shape = np.int64(_load_half(array, NDIM)), load_word(array, SHAPE)
    dim = dim_of(recipe, args[1], ndim)
    last = ndim - 1
    kernel, view = NOTHING, np.int64(AS_IS)
    if dim == _ALL:
        kernel = word(entry, ALL)
        view = word(kernel, VIEW) if kernel != NOTHING else view
    elif dim == last:
        kernel = word(entry, LAST)
    elif dim != NO_DIM and word(shape, last) != 1:
        # Behind a dimension of extent 1 another may be the last in memory.
        kernel, view = word(entry, EARLIER), dim
    if kernel == NOTHING:
        return none(layout)
    itemsize = word(kernel + BYTES * WORDS, ITEMSIZE)
    if count(shape, ndim) * itemsize >= word(recipe, LARGE):
        return none(layout)
    operands, results = _operands(), _results()
    for k in range(MOST_OPERANDS):
        results[k] = NOTHING
    # Another thread, or the garbage collector, may put another array into the box meanwhile.
    operands[0] = hold(layout, array)
    ran = try_loop(kernel, ADDRESS_OF(operands), view, keeps, ADDRESS_OF(results))
    drop(layout, array)
    if ran == RAN:
        return box_results(recipe, kernel, results, mode)
    if ran == FAILED:
        for k in range(MOST_OPERANDS):
            drop(layout, results[k])
        return NOTHING
    return none(layout)


# ---------------------------------------------------------------------------------------------------------------------
# Making one


class LoopTable(Table):
    """The builtin functions for arrays of kernels of one operand, by dtype."""

    def enter(self, dtype, which, run):
        """Enter a builtin function that reduces `ALL` elements, the `LAST` dimension, or an `EARLIER` one."""
        if run is not builtin.refuse:
            self.put(dtype, run.__self__.ctypes.data, first=int(which), kept=run)


@functools.cache
def _entry():
    return builtin.compile_entry("boxed_loops", call_boxed_loop)


def make_call(name, layout, records, table, given, *, keepdim, large, full, wanted, collect):
    """Make the builtin function of an op.

    Args:
        name: of the op.
        layout: a `boxes.Layout`.
        records: whether the op is one that may be recorded.
        table: a `LoopTable`.
        given: the number of arguments: the box, a dimension, and others, which must be None.
        keepdim: which of them says whether to keep the dimension; 0 if none does.
        large: bytes of the operand from which on it is left to Python.
        full: 0 where there must be one dimension, 1 if None stands for all, 2 if ``()`` does, too.
        wanted: positions of the results that are wanted.
        collect: what makes one object of a tuple of two results; None for one.

    Returns:
        A function that returns a box, or what `collect` makes, or None where it has done nothing.
    """
    words = [layout.address, records, given, keepdim, table.address, large, full]
    words += [sum(1 << position for position in wanted), 0 if collect is None else id(collect)]
    words += [*map(id, (True, False, int, ())), builtin.address_in_python(READER)]
    return builtin.bind(name, _entry(), words, layout, table, collect)
