"""Elementwise kernels that write into the box of their first operand, and boxes that are overwritten.

One builtin function from the box and the other arguments to the box itself, which has counted one change more. It
answers with None, having done nothing, where the change would be recorded, where others may look at the same memory (a
view), and where the memory is not plainly that of the operands.
"""

import functools

import numpy as np

from . import builtin, calls, recipes
from .boxed_calls import AS_INTEGER, FLOAT32, FLOAT64, INT64, ORDINARY, find_operands, put_number, words_of
from .boxes import (
    ABSENT,
    BASE,
    COUNTER,
    INFERENCE,
    LAST_CHANGE,
    LAYOUT,
    META,
    NEW_COUNTER,
    NODE,
    NONE,
    OTHER,
    RECORD,
    VALUE,
    array_in,
    drop,
    hold,
    is_box,
    is_recorded,
    load_word,
    make,
    mode_in,
    none,
    store_word,
)
from .builtin import (
    ADDRESS_OF,
    ALIGNED,
    CALL,
    DATA,
    DESCR,
    FLAGS,
    IN_ORDER,
    MOMENT,
    MOST_OPERANDS,
    NDIM,
    NOTHING,
    SHAPE,
    TYPE,
    WRITEABLE,
    count,
    word,
)
from .integers import read_int
from .memory import StackArray, copy_bytes, load
from .memory import store as store_at
from .scalar import scalar

# Words after those of ``boxed_calls``: the name of the change, and what makes an int.
NAME, NEW_INT = (ORDINARY + np.int64(k) for k in range(1, 3))
# Of what overwrites, besides: whether there is a source, and the dtypes of which numbers are written.
GIVEN_SOURCE, SINGLE, DOUBLE, WHOLE = (NEW_INT + np.int64(k) for k in range(1, 5))

# All bits of a float32's exponent: it is infinite, or not a number.
_EXPONENT = np.int64(0x7F800000)

_arrays = StackArray("int64", MOST_OPERANDS)
_numbers = StackArray("int64", MOST_OPERANDS)
_load_half = load("int32")
_store_half = store_at("int32", 0)


@scalar
def meta_to_write(layout, mode, box):
    """A new reference to the record of a box that may be written to as it is; None if it has none, and none counts.

    `NOTHING` for all other boxes.
    """
    meta = load_word(box, word(layout, META))
    nothing = word(layout, NONE)
    if meta == nothing:
        return none(layout) if mode == INFERENCE else NOTHING
    if meta == NOTHING or load_word(meta, TYPE) != word(word(layout, RECORD), NOTHING):
        return NOTHING
    counter = load_word(meta, word(layout, COUNTER))
    if counter == word(layout, ABSENT) or load_word(meta, word(layout, BASE)) != nothing:
        return NOTHING
    # The node that made it would have to learn of its counter.
    if counter == nothing and load_word(meta, word(layout, NODE)) != nothing:
        return NOTHING
    return hold(layout, meta)


@scalar
def counter_in(layout, meta):
    """A new reference to the counter of a record, made if there is none; `NOTHING` if there is no memory for it."""
    nothing = word(layout, NONE)
    counter = load_word(meta, word(layout, COUNTER))
    if counter != nothing:
        return hold(layout, counter)
    counter = make(layout, NEW_COUNTER)
    if counter == NOTHING:
        return counter
    # Where it is made the garbage collector may run, and Python code in it.
    other = load_word(meta, word(layout, COUNTER))
    if other != nothing:
        hold(layout, other)
        drop(layout, counter)
        return other
    store_word(meta, word(layout, COUNTER), hold(layout, counter))
    drop(layout, nothing)
    return counter


@scalar
def count_change(recipe, meta):
    """Count one change, and forget the reference to the record; whether there was memory for it, and no exception."""
    layout = word(recipe, LAYOUT)
    if meta == word(layout, NONE):
        drop(layout, meta)
        return True
    counter = counter_in(layout, meta)
    drop(layout, meta)
    if counter == NOTHING:
        return False
    # Both are read before a call, which to the compiler may write them: its own stores it believes to be elsewhere.
    value, last = load_word(counter, word(layout, VALUE)), load_word(counter, word(layout, LAST_CHANGE))
    more = read_int(word(recipe, AS_INTEGER), value) + 1
    number = CALL(word(recipe, NEW_INT), more, NOTHING, NOTHING, NOTHING)
    if number != NOTHING:
        store_word(counter, word(layout, VALUE), number)
        store_word(counter, word(layout, LAST_CHANGE), hold(layout, word(recipe, NAME)))
        drop(layout, value)
        drop(layout, last)
    drop(layout, counter)
    return number != NOTHING


@scalar
def call_inplace(builtin, args, given):
    """Run an elementwise kernel into the box of its first operand."""
    recipe = load_word(builtin, DATA)
    layout = word(recipe, LAYOUT)
    arrays, numbers = _arrays(), _numbers()
    mode = mode_in(layout)
    # One operand more is the result.
    if mode == OTHER or given < 1 or given >= MOST_OPERANDS or not is_box(layout, args[0]):
        return none(layout)
    if is_recorded(layout, mode, args[0]):
        return none(layout)
    meta = meta_to_write(layout, mode, args[0])
    if meta == NOTHING:
        return none(layout)
    kernel = find_operands(recipe, args, given, mode, arrays, numbers)
    fits = kernel != NOTHING and arrays[0] != NOTHING
    fits = fits and recipes.dtype_of(kernel, given) == load_word(arrays[0], DESCR)
    answer = recipes.STRANGE
    if fits:
        arrays[given] = arrays[0]
        for k in range(given):
            hold(layout, arrays[k])
        answer = calls.try_elements(kernel, ADDRESS_OF(arrays), given + 1, ADDRESS_OF(numbers))
        for k in range(given):
            drop(layout, arrays[k])
    if recipes.STRANGE <= answer <= recipes.UNALIKE:
        drop(layout, meta)
        return none(layout)
    drop(layout, answer)
    return hold(layout, args[0]) if count_change(recipe, meta) else NOTHING


@scalar
def is_plain(array, flags):
    """Whether an array lies in memory as these flags say."""
    return np.int64(_load_half(array, FLAGS)) & flags == flags


@scalar
def kind_of(recipe, dtype):
    """What a Python number is turned into for a dtype; `NOTHING` where Python does it."""
    if dtype == word(recipe, SINGLE):
        return FLOAT32
    if dtype == word(recipe, DOUBLE):
        return FLOAT64
    return INT64 if dtype == word(recipe, WHOLE) else NOTHING


@scalar
def fill(array, elements, kind, bits):
    """Write a number, given by its bits, to all elements."""
    start = load_word(array, DATA)
    if kind == FLOAT32:
        for k in range(elements):
            _store_half(start, 4 * k, np.int32(bits))
    else:
        for k in range(elements):
            store_word(start, 8 * k, bits)


@scalar
def overwrite(array, source, kind, bits):
    """Write a source, or a number, to an array; whether that was done."""
    elements = count(load_word(array, SHAPE), np.int64(_load_half(array, NDIM)))
    if source == NOTHING:
        fill(array, elements, kind, bits)
        return True
    if load_word(source, DESCR) != load_word(array, DESCR) or not calls.same_shape(source, array):
        return False
    if not is_plain(source, IN_ORDER | ALIGNED):
        return False
    size = elements * (4 if kind == FLOAT32 else 8)
    start, end = load_word(source, DATA), load_word(array, DATA)
    # What is copied onto itself stays as it is.
    if start != end:
        if not calls.is_apart(start, size, end, size):
            return False
        copy_bytes(end, start, size)
    return True


@scalar
def call_overwrite(builtin, args, given):
    """Overwrite a box: by zeros, a number, or another box of its shape and dtype, the second argument."""
    recipe = load_word(builtin, DATA)
    layout = word(recipe, LAYOUT)
    numbers = _numbers()
    mode = mode_in(layout)
    if mode == OTHER or given < 1 + word(recipe, GIVEN_SOURCE) or not is_box(layout, args[0]):
        return none(layout)
    has_source = word(recipe, GIVEN_SOURCE) != 0
    from_box = is_box(layout, args[1]) if has_source else False
    if is_recorded(layout, mode, args[0]) or (from_box and is_recorded(layout, mode, args[1])):
        return none(layout)
    meta = meta_to_write(layout, mode, args[0])
    if meta == NOTHING:
        return none(layout)
    array = array_in(layout, args[0])
    source = array_in(layout, args[1]) if from_box else NOTHING
    done = array != NOTHING and (source != NOTHING or not from_box)
    done = done and is_plain(array, IN_ORDER | ALIGNED | WRITEABLE)
    done = done and count(load_word(array, SHAPE), np.int64(_load_half(array, NDIM))) <= MOMENT
    kind = kind_of(recipe, load_word(array, DESCR)) if done else NOTHING
    done = done and kind != NOTHING
    numbers[0] = 0
    if done and has_source and not from_box:
        done = put_number(recipe, kind, args[1], ADDRESS_OF(numbers))
        # What became infinite may have been too large.
        done = done and (kind != FLOAT32 or numbers[0] & _EXPONENT != _EXPONENT)
    if not done or not overwrite(array, source, kind, numbers[0]):
        drop(layout, meta)
        return none(layout)
    return hold(layout, args[0]) if count_change(recipe, meta) else NOTHING


# ---------------------------------------------------------------------------------------------------------------------
# Making one


@functools.cache
def _inplace_entry():
    return builtin.compile_entry("boxed_inplace", call_inplace)


@functools.cache
def _overwrite_entry():
    return builtin.compile_entry("boxed_overwrite", call_overwrite)


def _words(name, layout, table, given, large):
    words = words_of(layout, True, table, given, 0, large)
    return [*words, id(name), builtin.address_in_python("PyLong_FromLongLong")]


def make_inplace(name, layout, table, given, large):
    """Make the builtin function of an op that writes into its first operand.

    Args:
        name: of the change.
        layout: a `boxes.Layout`.
        table: a `boxed_calls.CallTable`: kernels for other dtypes than their result's are left to Python.
        given: the number of operands.
        large: bytes of an operand from which on it is left to Python.

    Returns:
        A function of boxes and numbers that returns the first box, or None where it has done nothing.
    """
    words = _words(name, layout, table, given, large)
    return builtin.bind(name, _inplace_entry(), words, layout, table, name)


def make_overwrite(name, layout, has_source):
    """Make the builtin function that overwrites a box.

    Args:
        name: of the change.
        layout: a `boxes.Layout`.
        has_source: whether the second argument is what is written; zeros are, if not.

    Returns:
        A function that returns the box, or None where it has done nothing. It looks at no other argument.
    """
    kinds = [id(np.dtype(kind)) for kind in (np.float32, np.float64, np.int64)]
    words = [*_words(name, layout, None, 0, 0), has_source, *kinds]
    return builtin.bind(name, _overwrite_entry(), words, layout, name)
