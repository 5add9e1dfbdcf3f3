"""What each thread has chosen, where machine code can read it: the address of an object in the thread's own storage.

``threading.local`` keeps such things for Python, to which reading one is 50 ns. This takes 3.
"""

import _thread
import ctypes
import sys
import threading

from . import builtin
from .builtin import CALL, DATA, NOTHING, load_word, word
from .scalar import scalar

# What the builtin function is bound to: the key of the word, and what reads and sets it; an object, the name of its
# attribute, and what sets that; what counts references, and None; what tells that there is no memory.
_KEY, _READ, _SET, _HOLDER, _NAME, _SET_ATTRIBUTE, _INCREF, _NONE, _NO_MEMORY = range(9)

# Of CPython's C interface, given the key: the word, 0 where the thread never chose.
READER = "PyThread_tss_get"


def supported():
    """Return whether there can be such words, and a thread is to them what it is to ``threading.local``.

    What runs several tasks by turns in one thread (gevent) puts something else in the place of that.
    """
    return builtin.supported() and threading.local is _thread._local


def make_key():
    """Return the address of a new key: of one word in every thread. It lives as long as the process."""
    allocate, create = ctypes.pythonapi.PyThread_tss_alloc, ctypes.pythonapi.PyThread_tss_create
    allocate.restype, create.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    key = allocate()
    if not key or create(key) != 0:
        raise MemoryError("no thread-specific storage is left in this process")
    return key


class Ending:
    """Gives up the running thread's word when it is destroyed: an attribute of a ``threading.local``, to go with it.

    A thread that C started is a new one to Python each time that it calls back, but always has the same word.
    """

    __slots__ = ("_key", "_set_word", "_thread")

    def __init__(self, key):
        kind = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        self._set_word = kind(("PyThread_tss_set", ctypes.pythonapi))
        self._key, self._thread = key, _thread.get_ident()

    def __del__(self, get_thread=_thread.get_ident):
        # What other threads had is destroyed by the one that forks a process, or ends it.
        if self._thread == get_thread():
            self._set_word(self._key, None)


@scalar
def call_choose(builtin, args, given):
    """Set the attribute to the argument, and the running thread's word to its address: both, or neither."""
    recipe = load_word(builtin, DATA)
    # The only argument there is: Python's own code calls this.
    choice = args[0]
    # A local makes what a thread has when it is first used, in Python: then the thread never chose.
    before = CALL(word(recipe, _READ), word(recipe, _KEY), NOTHING, NOTHING, NOTHING)
    if CALL(word(recipe, _SET), word(recipe, _KEY), choice, NOTHING, NOTHING) & 0xFFFFFFFF != 0:
        return CALL(word(recipe, _NO_MEMORY), NOTHING, NOTHING, NOTHING, NOTHING)
    failed = CALL(word(recipe, _SET_ATTRIBUTE), word(recipe, _HOLDER), word(recipe, _NAME), choice, NOTHING)
    if failed & 0xFFFFFFFF != 0:
        CALL(word(recipe, _SET), word(recipe, _KEY), before, NOTHING, NOTHING)
        return NOTHING
    CALL(word(recipe, _INCREF), word(recipe, _NONE), NOTHING, NOTHING, NOTHING)
    return word(recipe, _NONE)


def make_chooser(key, holder, name):
    """Make the builtin function by which a thread chooses an object, which must never be freed.

    Args:
        key: of the word for machine code.
        holder, name: a ``threading.local`` and its attribute, for Python.
    """
    name = sys.intern(name)
    names = (READER, "PyThread_tss_set", "PyObject_SetAttr", "Py_IncRef", "PyErr_NoMemory")
    read, set_word, set_attribute, incref, no_memory = map(builtin.address_in_python, names)
    words = [key, read, set_word, id(holder), id(name), set_attribute, incref, id(None), no_memory]
    return builtin.bind("choose", builtin.compile_entry("thread_words", call_choose), words, holder, name)
