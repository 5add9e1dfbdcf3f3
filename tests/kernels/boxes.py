"""What the tests of builtin functions on tensors share: how a result is compared, and that nothing is left behind."""

import contextlib
import gc
import sys
import threading

import numpy as np

import numtensor as nt
from numtensor.modes import INFERENCE, NO_GRAD, TRACKED
from numtensor.tensor import Tensor

MODES = {
    "inference": (INFERENCE, nt.inference_mode),
    "no_grad": (NO_GRAD, nt.no_grad),
    "tracked": (TRACKED, nt.enable_grad),
}
"""{path: (the mode, whose callables are the way in Python, and what enters it)}."""


@contextlib.contextmanager
def entered(path):
    """Enter the mode; what is yielded has its callables."""
    mode, enter = MODES[path]
    with enter():
        yield mode


def tensor(array):
    """Return a normal tensor that holds exactly this array."""
    made = nt.zeros(())
    made._array = array
    return made


def machine_code(op, path):
    """Return what calls, in a mode, the builtin function that the public form of an op asks first."""
    op.quicken(path)
    return in_mode(path, op.public.__globals__["on_tensors"])


def in_mode(path, function):
    """Return a function that is called in a mode."""

    def call(*arguments):
        with entered(path):
            return function(*arguments)

    return call


def state(result):
    """Return all that can be told of a result, or of a tuple of them, but which objects they are."""
    if isinstance(result, tuple):
        return type(result), [state(one) for one in result]
    if not isinstance(result, Tensor):
        return result
    array, meta = result._array, result._meta
    found = [type(result), type(array), array.dtype, array.shape, array.strides, array.tobytes(), type(meta)]
    if meta is not None:
        node = meta.node if meta.node is None else str(meta.node).partition(" object at ")[0]
        found += [meta.requires_grad, node, meta.grad, meta.hooks, type(meta.counter)]
    return found


def outcome(function, *arguments):
    """Return the state of what a call returns, or the type and the text of what it raises."""
    try:
        return state(function(*arguments))
    except Exception as error:
        return type(error), str(error)


def assert_nothing_is_left(call, watched, calls=10_000):
    """Make many calls: no reference to one of the `watched` and no object is left of them."""
    call()
    gc.collect()
    before = [sys.getrefcount(one) for one in watched], sys.getallocatedblocks()
    for _ in range(calls):
        call()
    gc.collect()
    after = [sys.getrefcount(one) for one in watched], sys.getallocatedblocks()
    for one, earlier, later in zip(watched, before[0], after[0], strict=True):
        assert abs(later - earlier) < calls // 20, (one, earlier, later)
    # Some is kept of a number of calls, but not of each.
    assert after[1] - before[1] < calls // 10


@contextlib.contextmanager
def changed_by_collections(change):
    """Have the garbage collector run wherever it can, and call `change` each time: where machine code makes objects.

    From CPython 3.12 on it runs between steps of Python only.
    """
    before = gc.get_threshold()

    def callback(phase, info):
        change()

    gc.callbacks.append(callback)
    gc.set_threshold(1)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(callback)


@contextlib.contextmanager
def swapped_by_a_thread(box, array):
    """Let another thread put copies of an array into a box over and over, and write over those it took out."""
    stop = threading.Event()

    def work():
        while not stop.is_set():
            box._array = array.copy()
            # Memory that is free now is soon somebody else's.
            np.full(array.shape, 99, array.dtype)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
