"""Objects that hold an array, read and made by machine code: what a tensor is to a builtin function.

Beside the kernel of a small op, what takes the time is Python that takes arrays out of tensors and puts the result into
a new one. The builtin functions of ``boxed_calls`` and ``boxed_views`` are given tensors and return tensors. What they
know of them stands in a `Layout`: which slot of the object (the box) holds the array, which holds metadata, and what
new ones are filled with. It knows no more of metadata than the names of slots.

The same function serves three modes, of which it asks the running thread (`mode_in`): in two nothing is recorded, in
one only what requires grad, which is left to Python. In others it does nothing.

A slot's offset is found by looking where an object lies that was put into it. Nothing is made behind Python's back:
objects come from the type's own allocator, which tells the garbage collector of them.
"""

import ctypes
import functools
import os
import sys
import threading

import numpy as np

from . import builtin, thread_words, tuples
from .builtin import BYTES, CALL, DATA, NOTHING, TYPE, address_of_pointer, load_word, word
from .memory import NumbaForm
from .memory import store as store_at
from .scalar import scalar

# What a builtin function is bound to begins with the address of the layout, and says whether the op is one that may be
# recorded.
LAYOUT, RECORDS, REST = (np.int64(k) for k in range(3))

# Of the running thread: gradients are recorded; results have no metadata; they have, but are not recorded; or another
# mode, of which machine code knows nothing.
TRACKED, INFERENCE, NO_GRAD, OTHER = (np.int64(k) for k in range(4))

# Of a table: the number of entries; then, of each, the dtype and what is known for it.
ENTRY_WORDS = np.int64(4)
_MOST_DTYPES = 12

_putting = threading.RLock()
if hasattr(os, "register_at_fork"):
    # A child forked while another thread puts something into a table would wait for a thread it does not have.
    os.register_at_fork(before=_putting.acquire, after_in_parent=_putting.release, after_in_child=_putting.release)

# Of the builtin function that boxes what it is given: the mode of the results.
WRAPPED_IN = REST

# Words of a layout: addresses of objects and functions, offsets of slots, and addresses of templates.
NDARRAY, NONE, AS_ARRAY, ALLOCATE, INCREF, DECREF, CLEAR, VECTORCALL = (np.int64(k) for k in range(8))
NEW_TUPLE, IS_SUBTYPE, ARRAY, META, BARE_BOX, BOX, RECORD, VIEW = (np.int64(k) for k in range(8, 16))
COUNTER, VERSION, BASE, PATH, STEPS, VALUE, ABSENT, COUNTER_OF = (np.int64(k) for k in range(16, 24))
READ_CHOICE, CHOICE, FIRST_MODE, FIRST_PATH = np.int64(24), np.int64(25), np.int64(26), np.int64(29)
REQUIRES, OWN, FALSE, NODE, NEW_COUNTER, LAST_CHANGE = (np.int64(k) for k in range(32, 38))

store_word = store_at("int64", 0)
_count_one_more = NumbaForm(lambda: _build_count_one_more())

# Whether the first word of every object is how many references there are. Later some are never freed, and not counted.
PLAINLY_COUNTED = sys.version_info < (3, 12)


@scalar
def is_box(layout, candidate):
    """Whether an object is a box; what derives from that class has its slots in the same places."""
    kind = load_word(candidate, TYPE)
    box = word(word(layout, BOX), NOTHING)
    # The function returns a C int, of which only the lower half of the word counts.
    return kind == box or CALL(word(layout, IS_SUBTYPE), kind, box, NOTHING, NOTHING) & 0xFFFFFFFF != 0


@scalar
def array_in(layout, box):
    """The address of the ndarray in a box; `NOTHING` if it is not exactly one."""
    array = load_word(box, word(layout, ARRAY))
    if array != NOTHING and load_word(array, TYPE) != word(layout, NDARRAY):
        array = NOTHING
    return array


@scalar
def mode_in(layout):
    """The mode of the running thread."""
    chosen = CALL(word(layout, READ_CHOICE), word(layout, CHOICE), NOTHING, NOTHING, NOTHING)
    if chosen == NOTHING:
        return TRACKED
    for mode in range(OTHER):
        if chosen == word(layout, FIRST_MODE + mode):
            return mode
    return OTHER


@scalar
def is_recorded(layout, mode, box):
    """Whether a box requires grad in a mode that records, as far as can be told."""
    if mode != TRACKED:
        return False
    meta = load_word(box, word(layout, META))
    if meta == NOTHING or meta == word(layout, NONE):
        return False
    kind = load_word(meta, TYPE)
    if kind == word(word(layout, VIEW), NOTHING):
        if load_word(meta, word(layout, OWN)) != word(layout, FALSE):
            return True
        # It requires grad as soon as its base does.
        base = load_word(meta, word(layout, BASE))
        if not is_box(layout, base):
            return True
        meta = load_word(base, word(layout, META))
        kind = load_word(meta, TYPE)
    if kind != word(word(layout, RECORD), NOTHING):
        return True
    return load_word(meta, word(layout, REQUIRES)) != word(layout, FALSE)


@scalar
def hold(layout, thing):
    """Count one reference more, if it is an object."""
    if PLAINLY_COUNTED:
        if thing != NOTHING:
            _count_one_more(thing)
    else:
        CALL(word(layout, INCREF), thing, NOTHING, NOTHING, NOTHING)
    return thing


@scalar
def drop(layout, thing):
    """Count one reference less, if it is an object."""
    CALL(word(layout, DECREF), thing, NOTHING, NOTHING, NOTHING)


@scalar
def none(layout):
    """A new reference to None."""
    return hold(layout, word(layout, NONE))


@scalar
def make(layout, which):
    """A new object by a template: its type, and pairs of a slot's offset and what it holds; `NOTHING` if it fails."""
    template = word(layout, which)
    made = CALL(word(layout, ALLOCATE), word(template, NOTHING), NOTHING, NOTHING, NOTHING)
    if made != NOTHING:
        for k in range(word(template, NOTHING + 1)):
            store_word(made, word(template, 2 * k + 2), hold(layout, word(template, 2 * k + 3)))
    return made


@scalar
def make_box(layout, array, mode):
    """A box of an array, whose reference it takes over: with a new record, but in inference mode."""
    box = make(layout, BARE_BOX if mode == INFERENCE else BOX)
    if box == NOTHING:
        drop(layout, array)
        return box
    store_word(box, word(layout, ARRAY), array)
    if mode != INFERENCE:
        record = make(layout, RECORD)
        if record == NOTHING:
            drop(layout, box)
            return record
        store_word(box, word(layout, META), record)
    return box


@scalar
def call_wrap(builtin, args, given):
    """Box the only argument, a result of NumPy."""
    recipe = load_word(builtin, DATA)
    layout = word(recipe, LAYOUT)
    array = args[0]
    if load_word(array, TYPE) == word(layout, NDARRAY):
        hold(layout, array)
    else:
        array = CALL(word(layout, VECTORCALL), word(layout, AS_ARRAY), address_of_pointer(args), np.int64(1), NOTHING)
        if array == NOTHING:
            return array
    return make_box(layout, array, word(recipe, WRAPPED_IN))


@scalar
def find(table, dtype):
    """The address of what a table knows for a dtype, or `NOTHING`."""
    for k in range(word(table, NOTHING)):
        entry = table + BYTES * (1 + k * ENTRY_WORDS)
        if word(entry, NOTHING) == dtype:
            return entry + BYTES
    return NOTHING


def _build_count_one_more():
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic
    def count_one_more(context, thing):
        def codegen(context, builder, signature, args):
            # Without alias scopes: None is counted several times over.
            number = ir.IntType(64)
            place = builder.inttoptr(args[0], number.as_pointer())
            builder.store(builder.add(builder.load(place), number(1)), place)
            return context.get_dummy_value()

        return types.void(thing), codegen

    return count_one_more


# ---------------------------------------------------------------------------------------------------------------------
# Making one


class Table:
    """What is known for each dtype that an op has met.

    Machine code reads it while another thread puts something in: an entry that is counted is whole.

    Attributes:
        address: of its words.
    """

    def __init__(self):
        self._words = np.zeros(1 + _MOST_DTYPES * int(ENTRY_WORDS), np.int64)
        self._kept = {}
        self.address = self._words.ctypes.data

    def put(self, dtype, *words, first=0, kept):
        """Put words, the first of them in this place, into a dtype's entry; `kept` must live as long."""
        # Copies of a dtype, such as those that unpickled arrays have, are equal to it, but kernels know only the one.
        own = np.dtype(dtype.name)
        if own != dtype:
            return
        with _putting:
            count = int(self._words[0])
            known = self._words[1 : 1 + count * int(ENTRY_WORDS) : int(ENTRY_WORDS)].tolist()
            number = known.index(id(own)) if id(own) in known else count
            if number == _MOST_DTYPES:
                return
            # What was there before may be running in another thread, and is kept, too.
            self._kept[id(kept)] = (own, kept)
            start = 1 + number * int(ENTRY_WORDS)
            self._words[start + 1 + first : start + 1 + first + len(words)] = words
            self._words[start] = id(own)
            # Now it is there.
            self._words[0] = max(count, number + 1)


def offsets(kind):
    """Return {name: offset} of the slots of a class and of those above it; None where one cannot be found."""
    names = [name for base in kind.__mro__ for name in base.__dict__.get("__slots__", ()) if name != "__weakref__"]
    probe = object.__new__(kind)
    found = {}
    for name in dict.fromkeys(names):
        marker = object()
        slot = next(base.__dict__[name] for base in reversed(kind.__mro__) if name in base.__dict__)
        slot.__set__(probe, marker)
        words = (ctypes.c_int64 * (kind.__basicsize__ // 8)).from_address(id(probe))[:]
        if words.count(id(marker)) != 1:
            return None
        found[name] = np.int64(8 * words.index(id(marker)))
    return found


class Layout:
    """How boxes lie in memory, and what new ones hold.

    Args:
        box: the class of new boxes.
        array, metadata: names of their slots.
        record: (class, {slot: object}): the metadata of a new box that has some.
        view: the same of a box that shows the memory of another; its slots ``counter``, ``version``, ``base``,
            ``path`` and ``steps`` are filled as `boxed_views` says.
        counter: (class, slot): of the object that counts changes, which a view shares with what it shows.
        last: its slot for the name of what changed it last.
        node: slot of a record that is not None where the box was made by a recorded op.
        requires, own: slots that say whether a record and a view require grad: the view does if its base does, too.
        absent: the counter of a box that has none.
        counter_of: returns a record's counter, made if it is None.
        choice: the key of the word (of ``thread_words``) in which a thread has its mode.
        modes: the objects that stand for `TRACKED`, `INFERENCE` and `NO_GRAD` there.
        paths: what views that are made in these modes have in their slot ``path``.

    Attributes:
        address: of its words.
    """

    def __init__(
        self,
        *,
        box,
        array,
        metadata,
        record,
        view,
        counter,
        last,
        node,
        requires,
        own,
        absent,
        counter_of,
        choice,
        modes,
        paths,
    ):
        places = offsets(box)
        templates = [
            self._template(box, {metadata: None}),
            self._template(box, {}),
            self._template(*record),
            self._template(*view),
        ]
        in_view = offsets(view[0])
        new_counter = self._template(counter[0], {counter[1]: 0, last: None})
        functions = ("PyType_GenericAlloc", "Py_IncRef", "Py_DecRef", "PyErr_Clear", "PyObject_VectorcallDict")
        functions += ("PyTuple_New", "PyType_IsSubtype")
        words = [
            *map(id, (np.ndarray, None, np.asarray)),
            *map(builtin.address_in_python, functions),
            places[array],
            places[metadata],
            *[template.ctypes.data for template in templates],
            *[in_view[name] for name in ("counter", "version", "base", "path", "steps")],
            offsets(counter[0])[counter[1]],
            id(absent),
            id(counter_of),
            builtin.address_in_python(thread_words.READER),
            choice,
            *map(id, modes),
            *map(id, paths),
            offsets(record[0])[requires],
            in_view[own],
            id(False),
            offsets(record[0])[node],
            new_counter.ctypes.data,
            offsets(counter[0])[last],
        ]
        self._words = np.array(words, np.int64)
        self._kept = (box, record, view, counter, absent, counter_of, modes, paths, templates, new_counter, np.asarray)
        self.address = self._words.ctypes.data

    @staticmethod
    def _template(kind, values):
        places = offsets(kind)
        pairs = [one for name, value in values.items() for one in (places[name], id(value))]
        return np.array([id(kind), len(values), *pairs], np.int64)


def supported(*kinds):
    """Return whether objects of these classes lie in memory as this file believes."""
    return thread_words.supported() and tuples.supported() and all(offsets(kind) is not None for kind in kinds)


@functools.cache
def _wrap_entry():
    return builtin.compile_entry("wrap", call_wrap)


def make_wrap(layout, mode):
    """Make the builtin function that boxes the array or number that NumPy returned.

    Args:
        layout: a `Layout`.
        mode: of the results: `INFERENCE` or `NO_GRAD`.
    """
    return builtin.bind("wrap", _wrap_entry(), [layout.address, False, mode], layout)
