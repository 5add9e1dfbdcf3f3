"""Boxes that show a part of another's array, or the same in another shape.

A view of a box with a record shares its counter of changes, and remembers the box that owns the memory and the steps
from there: (the steps of the box that it was taken from, or None; a function; its arguments after the array; None).
"""

import functools

import numpy as np

from . import builtin, ufunc
from .boxes import (
    ABSENT,
    ARRAY,
    AS_ARRAY,
    BASE,
    BOX,
    CLEAR,
    COUNTER,
    COUNTER_OF,
    FIRST_PATH,
    INFERENCE,
    LAYOUT,
    META,
    NDARRAY,
    NEW_TUPLE,
    NONE,
    OTHER,
    PATH,
    REST,
    STEPS,
    TRACKED,
    VALUE,
    VECTORCALL,
    VERSION,
    VIEW,
    array_in,
    drop,
    hold,
    is_box,
    is_recorded,
    load_word,
    make,
    make_box,
    mode_in,
    none,
    store_word,
)
from .builtin import (
    ADDRESS_OF,
    BYTES,
    CALL,
    DATA,
    FLAGS,
    IN_ORDER,
    MOST_DIMENSIONS,
    NOTHING,
    TYPE,
    address_of_pointer,
    word,
)
from .integers import READER, read_int
from .memory import StackArray, load
from .scalar import scalar
from .tuples import ITEMS, SIZE, put_item, read_shape

# Words of a builtin function after those that all have: the function of a view's steps.
TAKE = REST
# Of the one that is given the view: the mode that it is made in.
MADE_IN = TAKE + np.int64(1)
# Of those that take the view themselves: kinds of arguments, and what reads an int.
INT, TUPLE, AS_INTEGER = (TAKE + np.int64(k) for k in range(1, 4))
# Of the one that indexes: another kind of index, and NumPy's indexing.
SLICE, ELLIPSIS, GET_ITEM = (AS_INTEGER + np.int64(k) for k in range(1, 4))
# Of the one that gives another shape: another kind of tuple that a shape may be, and NumPy's function.
SHAPES, RESHAPE = (AS_INTEGER + np.int64(k) for k in range(1, 3))

# Position of PyArray_Newshape in NumPy's C API table, fixed by its ABI.
_NEWSHAPE = 135

# In PySliceObject, after the head.
_START, _STOP, _STEP = (np.int64(object.__basicsize__ + 8 * k) for k in range(3))
# More dimensions no array has in the oldest NumPy that this runs with: its own functions have no room for them.
_MOST_EXTENTS = 32

_load_half = load("int32")
_one, _two, _extents = (StackArray("int64", size) for size in (1, 2, MOST_DIMENSIONS))


@scalar
def counter_of(layout, meta):
    """A new reference to the counter of a record, made if nobody shared it before; `NOTHING` if that fails."""
    counter = load_word(meta, word(layout, COUNTER))
    if counter != word(layout, NONE):
        return hold(layout, counter)
    argument = _one()
    argument[0] = meta
    return CALL(word(layout, VECTORCALL), word(layout, COUNTER_OF), ADDRESS_OF(argument), np.int64(1), NOTHING)


@scalar
def fill_view(recipe, source, meta, view, steps, arguments, mode):
    """Enter where a view comes from: the base and the steps from there, which are a new tuple of four."""
    layout = word(recipe, LAYOUT)
    base = load_word(meta, word(layout, BASE))
    owns = base == word(layout, NONE)
    outer = base if owns else load_word(meta, word(layout, STEPS))
    put_item(steps, np.int64(0), hold(layout, outer))
    put_item(steps, np.int64(1), hold(layout, word(recipe, TAKE)))
    put_item(steps, np.int64(2), hold(layout, arguments))
    put_item(steps, np.int64(3), none(layout))
    # A view that is made while recording is no freer than the one that it was taken from.
    inherited = not owns and mode == TRACKED
    path = load_word(meta, word(layout, PATH)) if inherited else word(layout, FIRST_PATH + mode)
    store_word(view, word(layout, STEPS), steps)
    store_word(view, word(layout, BASE), hold(layout, source if owns else base))
    store_word(view, word(layout, PATH), hold(layout, path))


@scalar
def make_view(recipe, source, array, arguments, mode):
    """A box for an array, whose reference it takes over, as a view of another box; `NOTHING` and an exception."""
    layout = word(recipe, LAYOUT)
    # The garbage collector may run whenever an object is made, and Python code in it, which may give the source other
    # metadata: so this is kept, and read only when all is made.
    meta = hold(layout, load_word(source, word(layout, META)))
    if meta in (NOTHING, word(layout, NONE)) or load_word(meta, word(layout, COUNTER)) == word(layout, ABSENT):
        drop(layout, meta)
        return make_box(layout, array, INFERENCE)
    counter = counter_of(layout, meta)
    view = make(layout, VIEW) if counter != NOTHING else NOTHING
    steps = NOTHING
    if view != NOTHING:
        steps = CALL(word(layout, NEW_TUPLE), np.int64(4), NOTHING, NOTHING, NOTHING)
    box = make(layout, BOX) if steps != NOTHING else NOTHING
    if box == NOTHING:
        drop(layout, steps)
        drop(layout, view)
        drop(layout, counter)
        drop(layout, array)
    else:
        store_word(box, word(layout, ARRAY), array)
        store_word(box, word(layout, META), view)
        store_word(view, word(layout, COUNTER), counter)
        store_word(view, word(layout, VERSION), hold(layout, load_word(counter, word(layout, VALUE))))
        fill_view(recipe, source, meta, view, steps, arguments, mode)
    drop(layout, meta)
    return box


@scalar
def make_view_by(recipe, source, array, argument, mode):
    """The same by a step with one argument, whose reference it takes over, too."""
    layout = word(recipe, LAYOUT)
    arguments = CALL(word(layout, NEW_TUPLE), np.int64(1), NOTHING, NOTHING, NOTHING)
    if arguments == NOTHING:
        drop(layout, array)
        drop(layout, argument)
        return arguments
    put_item(arguments, NOTHING, argument)
    view = make_view(recipe, source, array, arguments, mode)
    drop(layout, arguments)
    return view


@scalar
def call_view(builtin, args, given):
    """Box an array as a view of a box: the arguments are that box, the array, and a tuple of the step's arguments."""
    recipe = load_word(builtin, DATA)
    layout = word(recipe, LAYOUT)
    if given != 3 or not is_box(layout, args[0]):
        # Without an exception this is a SystemError of Python's: ops give what they should.
        return NOTHING
    array = args[1]
    if load_word(array, TYPE) == word(layout, NDARRAY):
        hold(layout, array)
    else:
        place = address_of_pointer(args) + BYTES
        array = CALL(word(layout, VECTORCALL), word(layout, AS_ARRAY), place, np.int64(1), NOTHING)
        if array == NOTHING:
            return array
    return make_view(recipe, args[0], array, args[2], word(recipe, MADE_IN))


@scalar
def is_bound(recipe, bound):
    """Whether one end of a slice is None or an int: of anything else Python code may have to tell the number."""
    return bound == word(word(recipe, LAYOUT), NONE) or load_word(bound, TYPE) == word(recipe, INT)


@scalar
def is_plain(recipe, item):
    """Whether an item of an index is an int, a slice with no step or a positive one, None or Ellipsis."""
    nothing = word(word(recipe, LAYOUT), NONE)
    kind = load_word(item, TYPE)
    if kind == word(recipe, SLICE):
        if not is_bound(recipe, load_word(item, _START)) or not is_bound(recipe, load_word(item, _STOP)):
            return False
        step = load_word(item, _STEP)
        if step == nothing:
            return True
        return load_word(step, TYPE) == word(recipe, INT) and read_int(word(recipe, AS_INTEGER), step) > 0
    return kind == word(recipe, INT) or item == nothing or item == word(recipe, ELLIPSIS)


@scalar
def complete(recipe, index):
    """A new reference to an index with an Ellipsis in it, by which NumPy always gives an array; `NOTHING` if it cannot.

    Not all that cannot be is an exception.
    """
    layout = word(recipe, LAYOUT)
    several = load_word(index, TYPE) == word(recipe, TUPLE)
    size = load_word(index, SIZE) if several else np.int64(1)
    has_ellipsis = False
    for k in range(size):
        item = load_word(index, ITEMS + BYTES * k) if several else index
        if not is_plain(recipe, item):
            return NOTHING
        has_ellipsis = has_ellipsis or item == word(recipe, ELLIPSIS)
    if has_ellipsis or load_word(index, TYPE) == word(recipe, SLICE):
        return hold(layout, index)
    whole = CALL(word(layout, NEW_TUPLE), size + 1, NOTHING, NOTHING, NOTHING)
    if whole != NOTHING:
        for k in range(size):
            item = load_word(index, ITEMS + BYTES * k) if several else index
            put_item(whole, k, hold(layout, item))
        put_item(whole, size, hold(layout, word(recipe, ELLIPSIS)))
    return whole


@scalar
def call_part(builtin, args, given):
    """Box what ints, slices, None and Ellipsis choose of a box: its argument, and the index; None for other indices."""
    recipe = load_word(builtin, DATA)
    layout = word(recipe, LAYOUT)
    mode = mode_in(layout)
    if given != 2 or mode == OTHER or not is_box(layout, args[0]) or is_recorded(layout, mode, args[0]):
        return none(layout)
    array = array_in(layout, args[0])
    # The garbage collector may run where an object is made, and Python code in it, which may change what is in the box.
    hold(layout, array)
    whole = complete(recipe, args[1]) if array != NOTHING else NOTHING
    part = NOTHING
    if whole != NOTHING:
        part = CALL(word(recipe, GET_ITEM), array, whole, NOTHING, NOTHING)
    drop(layout, array)
    if part == NOTHING or load_word(part, TYPE) != word(layout, NDARRAY):
        # Python finds out what is wrong with it, and says so.
        CALL(word(layout, CLEAR), NOTHING, NOTHING, NOTHING, NOTHING)
        drop(layout, part)
        drop(layout, whole)
        return none(layout)
    return make_view_by(recipe, args[0], part, whole, mode)


@scalar
def call_reshaped(builtin, args, given):
    """Box what lies in order in a box in another shape, the second argument; None for what else there is."""
    recipe = load_word(builtin, DATA)
    layout = word(recipe, LAYOUT)
    mode = mode_in(layout)
    if given != 2 or mode == OTHER or not is_box(layout, args[0]) or is_recorded(layout, mode, args[0]):
        return none(layout)
    array, extents, dims = array_in(layout, args[0]), _extents(), _two()
    # Of what does not lie in order there may be a copy, which is no view.
    if array == NOTHING or np.int64(_load_half(array, FLAGS)) & IN_ORDER == 0:
        return none(layout)
    # NumPy's PyArray_Dims: where the extents are, and how many.
    dims[0] = ADDRESS_OF(extents)
    tuples, others = word(recipe, TUPLE), word(recipe, SHAPES)
    dims[1] = read_shape(args[1], tuples, others, word(recipe, INT), word(recipe, AS_INTEGER), extents)
    if dims[1] < 0 or dims[1] > _MOST_EXTENTS:
        return none(layout)
    hold(layout, array)
    view = CALL(word(recipe, RESHAPE), array, ADDRESS_OF(dims), NOTHING, NOTHING)
    drop(layout, array)
    if view == NOTHING:
        # Python finds out what is wrong with the shape, and says so.
        CALL(word(layout, CLEAR), NOTHING, NOTHING, NOTHING, NOTHING)
        return none(layout)
    return make_view_by(recipe, args[0], view, hold(layout, args[1]), mode)


# ---------------------------------------------------------------------------------------------------------------------
# Making one


@functools.cache
def _view_entry():
    return builtin.compile_entry("view", call_view)


@functools.cache
def _part_entry():
    return builtin.compile_entry("part", call_part)


def _words_of_taker(layout, take):
    return [layout.address, True, id(take), id(int), id(tuple), builtin.address_in_python(READER)]


def make_viewer(layout, take, mode):
    """Make the builtin function that boxes an array as a view: of (the box, the array, the step's arguments).

    Args:
        layout: a `boxes.Layout`.
        take: ``take(array, *arguments)`` is the same view of another array.
        mode: `TRACKED`, `INFERENCE` or `NO_GRAD` (of ``boxes``), that the view is made in.
    """
    return builtin.bind("view", _view_entry(), [layout.address, True, id(take), mode], layout, take)


@functools.cache
def _reshaped_entry():
    return builtin.compile_entry("reshaped", call_reshaped)


def make_part(layout, take):
    """Make the builtin function of (a box, an index) that boxes the part that the index chooses, or answers None.

    Args:
        layout, take: as of `make_viewer`.
    """
    words = _words_of_taker(layout, take)
    words += [id(slice), id(...), builtin.address_in_python("PyObject_GetItem")]
    return builtin.bind("part", _part_entry(), words, layout, take)


def make_reshaped(layout, take, shapes):
    """Make the builtin function of (a box, a shape) that boxes the same in this shape, or answers None.

    Args:
        layout, take: as of `make_viewer`.
        shapes: a class of tuples that is taken like tuples.
    """
    words = _words_of_taker(layout, take)
    words += [id(shapes), ufunc.array_api(_NEWSHAPE)]
    return builtin.bind("reshaped", _reshaped_entry(), words, layout, take, shapes)
