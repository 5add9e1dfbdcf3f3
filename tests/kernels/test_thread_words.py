"""Machine code sees the mode that Python sees: in every thread, whatever happens between."""

import _thread
import ctypes
import gc
import os
import subprocess
import sys
import threading

import numba
import pytest

import numtensor as nt
from numtensor import lean, modes
from numtensor.kernels import thread_words
from numtensor.kernels.builtin import CALL
from numtensor.modes import INFERENCE, NO_GRAD, TRACKED, Mode, current, set_mode
from numtensor.ops.declaration import OPS

from .boxes import MODES, assert_nothing_is_left, entered, outcome

pytestmark = pytest.mark.skipif(lean.layout() is None, reason="objects lie otherwise in this interpreter's memory")


def add(x, y):
    """Add by the builtin function alone."""
    OPS["add"].quicken("tracked")
    # Makes the kernel.
    nt.add(nt.ones(1), nt.ones(1))
    return OPS["add"].public.__globals__["on_tensors"](x, y)


def kind(x, y):
    """Tell in which mode machine code believes to be: by the result, if there is one."""
    made = add(x, y)
    return None if made is None else made.is_inference()


KINDS = {"inference": True, "no_grad": False, "tracked": False}


@pytest.mark.parametrize("path", MODES)
def test_the_mode_of_the_result(path):
    x = nt.ones(2)
    with entered(path):
        assert kind(x, x) is KINDS[path]
    assert kind(x, x) is False


@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("inner", MODES)
def test_leaving_gives_the_mode_before_back(outer, inner):
    x = nt.ones(2)
    with entered(outer):
        with pytest.raises(LookupError), entered(inner):
            raise LookupError
        assert kind(x, x) is KINDS[outer]
    assert kind(x, x) is False


@pytest.mark.parametrize("path", MODES)
def test_threads_start_in_the_default_mode_and_have_their_own(path):
    x, seen = nt.ones(2), []

    def work():
        seen.append(kind(x, x))
        with nt.inference_mode():
            inside.wait()
            seen.append(kind(x, x))
            outside.wait()

    inside, outside = threading.Barrier(2), threading.Barrier(2)
    with entered(path):
        thread = threading.Thread(target=work)
        thread.start()
        inside.wait()
        assert kind(x, x) is KINDS[path]
        outside.wait()
        thread.join()
    assert seen == [False, True]


def test_in_other_modes_nothing_is_done():
    x = nt.ones(2)
    others = [Mode(True, False, False), Mode(False, False, False), Mode(True, True, True)]
    with nt.autograd.detect_anomaly():
        others.append(current.mode)
    for mode in others:
        assert mode not in (TRACKED, NO_GRAD, INFERENCE)
        set_mode(mode)
        try:
            assert kind(x, x) is None
        finally:
            set_mode(TRACKED)


def test_what_requires_grad_is_left_to_be_recorded():
    x, w = nt.ones(2), nt.ones(2, requires_grad=True)
    assert add(x, x) is not None
    for pair in ((x, w), (w, x), (w, 1.0), (2, w), (w * 2, x), (w[:1], x)):
        assert add(*pair) is None
        assert nt.add(*pair).grad_fn is not None
        with nt.no_grad():
            assert not add(*pair).requires_grad
    assert add(w.detach(), x) is not None


def test_ops_without_gradients_are_done_whatever_requires_grad():
    w = nt.ones(3, requires_grad=True)
    for name, arguments in (("argmax", (w, None, False)), ("lt", (w, 2.0))):
        getattr(nt, name)(w, *arguments[1:2])
        assert OPS[name].public.__globals__["on_tensors"](*arguments) is not None


def test_a_view_requires_grad_as_soon_as_its_base_does():
    x = nt.zeros(4)
    view, of_view, plain = x[1:], x[1:][:2], nt.ones(1)
    assert kind(view, plain) is False and kind(of_view, plain) is False
    x.requires_grad_()
    assert kind(view, plain) is None and kind(of_view, plain) is None
    assert nt.add(view, 1.0).requires_grad and of_view[0].requires_grad


def test_a_view_that_was_written_to_requires_grad():
    x, w = nt.zeros(4), nt.ones(2, requires_grad=True)
    view, other = x[:2], x[2:]
    view.mul_(w)
    assert kind(view, view) is None and kind(other, other) is None and kind(x, x) is None


def test_an_inference_tensor_that_requires_grad_is_refused_where_it_is_recorded():
    with nt.inference_mode():
        leaf = nt.ones(2).requires_grad_()
        plain = nt.ones(2)
    assert kind(leaf, plain) is None
    assert kind(plain, plain) is False
    with pytest.raises(RuntimeError, match="inference tensor that requires grad"):
        nt.mul(leaf, plain)


def test_choosing_keeps_no_reference_and_holds_on_where_it_fails():
    def turn():
        for mode in (INFERENCE, NO_GRAD, TRACKED):
            set_mode(mode)

    gc.collect()
    assert_nothing_is_left(turn, [INFERENCE, NO_GRAD, TRACKED, None, current])

    class Refusing:
        __slots__ = ()

    choose = thread_words.make_chooser(thread_words.make_key(), Refusing(), "mode")
    with pytest.raises(AttributeError):
        choose(INFERENCE)
    assert outcome(kind, nt.ones(1), nt.ones(1)) is False


@pytest.mark.skipif(not hasattr(ctypes.pythonapi, "pthread_create"), reason="there are no POSIX threads here")
def test_a_thread_of_c_begins_anew_each_time_that_it_calls_python():
    x, w, seen = nt.ones(2), nt.ones(2, requires_grad=True), []

    def callback(*unused):
        made = nt.add(x, w)
        seen.append((made.requires_grad, nt.is_grad_enabled()))
        nt.set_grad_enabled(False)
        seen.append((nt.add(x, w).requires_grad, nt.is_grad_enabled()))
        return 0

    pointer = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 4)(callback)

    call = CALL.build()

    @numba.cfunc("int64(int64)")
    def call_twice(function):
        for _ in range(2):
            call(function, 0, 0, 0, 0)
        return 0

    add(x, x)
    thread = ctypes.c_ulong()
    create, join = ctypes.pythonapi.pthread_create, ctypes.CDLL(None).pthread_join
    create.argtypes, join.argtypes = [ctypes.c_void_p] * 4, [ctypes.c_ulong, ctypes.c_void_p]
    address = ctypes.cast(pointer, ctypes.c_void_p).value
    assert create(ctypes.addressof(thread), None, call_twice.address, address) == 0
    join(thread, None)
    assert seen == [(True, True), (False, False)] * 2


def test_what_another_thread_had_is_given_up_for_that_alone():
    """A process that is forked, or ends, destroys what all threads had in one of them."""
    left = []
    thread = threading.Thread(target=lambda: left.append(thread_words.Ending(modes.CHOICE)))
    x = nt.ones(2)
    with nt.inference_mode():
        thread.start()
        thread.join()
        left.clear()
        assert kind(x, x) is True
        own = thread_words.Ending(modes.CHOICE)
        del own
        assert kind(x, x) is False


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_is_in_the_mode_of_the_thread_that_forked():
    program = """
import os
import numtensor as nt
x = nt.ones(2)
with nt.inference_mode():
    nt.add(x, x)
    child = os.fork()
    if child == 0:
        inside = nt.add(x, x).is_inference()
if child == 0:
    os._exit(0 if inside and not nt.add(x, x).is_inference() else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "0\n"


def test_where_tasks_share_a_thread_python_alone_knows_the_mode():
    """What stands in for ``threading.local`` there tells tasks apart that are one thread to machine code."""
    program = """
import threading
class Local:
    pass
threading.local = Local
import numtensor as nt
from numtensor import lean, modes
assert modes.CHOICE is None and lean.layout() is None
x = nt.ones(2)
with nt.inference_mode():
    inside = x + x
print(inside.is_inference(), (x + x).is_inference(), x[0].item(), nt.sum(x).item())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "True False 1.0 2.0\n"


def test_only_real_threads_are_supported(monkeypatch):
    assert thread_words.supported() and threading.local is _thread._local
    monkeypatch.setattr(threading, "local", type("local", (), {}))
    assert not thread_words.supported()


def test_without_machine_code_the_mode_is_set_all_the_same(monkeypatch):
    monkeypatch.setattr(modes, "_choose", modes.set_for_python)
    with nt.inference_mode():
        assert nt.is_inference_mode_enabled()
    assert not nt.is_inference_mode_enabled()
