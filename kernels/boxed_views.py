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
    LAYOUT,
    META,
    NDARRAY,
    NEW_TUPLE,
    NONE,
    PATH,
    REST,
    STEPS,
    VALUE,
    VECTORCALL,
    VERSION,
    VIEW,
    array_in,
    drop,
    hold,
    is_box,
    load_word,
    make,
    make_box,
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

# Words of a builtin function after those that all have: the function of a view's steps, and what its path is, also
# where it was taken from another view: `NOTHING` for that one's path.
TAKE, MADE_IN, FROM_VIEW = (REST + np.int64(k) for k in range(3))
# Of those that take the view themselves: kinds of arguments, and what reads an int.
INT, TUPLE, AS_INTEGER = (FROM_VIEW + np.int64(k) for k in range(1, 4))
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
def fill_view(recipe, source, meta, view, steps, arguments):
    """Enter where a view comes from: the base and the steps from there, which are a new tuple of four."""
    layout = word(recipe, LAYOUT)
    base = load_word(meta, word(layout, BASE))
    owns = base == word(layout, NONE)
    outer = base if owns else load_word(meta, word(layout, STEPS))
    put_item(steps, np.int64(0), hold(layout, outer))
    put_item(steps, np.int64(1), hold(layout, word(recipe, TAKE)))
    put_item(steps, np.int64(2), hold(layout, arguments))
    put_item(steps, np.int64(3), none(layout))
    path = word(recipe, MADE_IN) if owns else word(recipe, FROM_VIEW)
    if path == NOTHING:
        path = load_word(meta, word(layout, PATH))
    store_word(view, word(layout, STEPS), steps)
    store_word(view, word(layout, BASE), hold(layout, source if owns else base))
    store_word(view, word(layout, PATH), hold(layout, path))


@scalar
def make_view(recipe, source, array, arguments):
    """A box for an array, whose reference it takes over, as a view of another box; `NOTHING` and an exception."""
    layout = word(recipe, LAYOUT)
    # The garbage collector may run whenever an object is made, and Python code in it, which may give the source other
    # metadata: so this is kept, and read only when all is made.
    meta = hold(layout, load_word(source, word(layout, META)))
    if meta == word(layout, NONE) or load_word(meta, word(layout, COUNTER)) == word(layout, ABSENT):
        drop(layout, meta)
        return make_box(layout, array, np.int64(0))
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
        fill_view(recipe, source, meta, view, steps, arguments)
    drop(layout, meta)
    return box


@scalar
def make_view_by(recipe, source, array, argument):
    """The same by a step with one argument, whose reference it takes over, too."""
    layout = word(recipe, LAYOUT)
    arguments = CALL(word(layout, NEW_TUPLE), np.int64(1), NOTHING, NOTHING, NOTHING)
    if arguments == NOTHING:
        drop(layout, array)
        drop(layout, argument)
        return arguments
    put_item(arguments, NOTHING, argument)
    view = make_view(recipe, source, array, arguments)
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
    return make_view(recipe, args[0], array, args[2])


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
    if given != 2 or not is_box(layout, args[0]):
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
    return make_view_by(recipe, args[0], part, whole)


@scalar
def call_reshaped(builtin, args, given):
    """Box what lies in order in a box in another shape, the second argument; None for what else there is."""
    recipe = load_word(builtin, DATA)
    layout = word(recipe, LAYOUT)
    if given != 2 or not is_box(layout, args[0]):
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
    return make_view_by(recipe, args[0], view, hold(layout, args[1]))


# ---------------------------------------------------------------------------------------------------------------------
# Making one


@functools.cache
def _view_entry():
    return builtin.compile_entry("view", call_view)


@functools.cache
def _part_entry():
    return builtin.compile_entry("part", call_part)


def _words(layout, take, made_in, from_view):
    return [layout.address, 0, id(take), id(made_in), 0 if from_view is None else id(from_view)]


def _words_of_taker(layout, take, made_in):
    reader = builtin.address_in_python(READER)
    return [*_words(layout, take, made_in, made_in), id(int), id(tuple), reader]


def make_viewer(layout, take, made_in, from_view):
    """Make the builtin function that boxes an array as a view: of (the box, the array, the step's arguments).

    Args:
        layout: a `boxes.Layout`.
        take: ``take(array, *arguments)`` is the same view of another array.
        made_in: the path that a view is said to be made in.
        from_view: the same for a view of a view; None for that one's path.
    """
    words = _words(layout, take, made_in, from_view)
    return builtin.bind("view", _view_entry(), words, layout, take, made_in, from_view)


@functools.cache
def _reshaped_entry():
    return builtin.compile_entry("reshaped", call_reshaped)


def make_part(layout, take, made_in):
    """Make the builtin function of (a box, an index) that boxes the part that the index chooses, or answers None.

    Args:
        layout, take, made_in: as of `make_viewer`.
    """
    words = _words_of_taker(layout, take, made_in)
    words += [id(slice), id(...), builtin.address_in_python("PyObject_GetItem")]
    return builtin.bind("part", _part_entry(), words, layout, take, made_in)


def make_reshaped(layout, take, made_in, shapes):
    """Make the builtin function of (a box, a shape) that boxes the same in this shape, or answers None.

    Args:
        layout, take, made_in: as of `make_viewer`.
        shapes: a class of tuples that is taken like tuples.
    """
    words = _words_of_taker(layout, take, made_in)
    words += [id(shapes), ufunc.array_api(_NEWSHAPE)]
    return builtin.bind("reshaped", _reshaped_entry(), words, layout, take, made_in, shapes)
