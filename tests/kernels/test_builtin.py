"""Loops called without NumPy's iterator: the same numbers, or a refusal and nothing changed."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from numtensor.kernels import builtin
from numtensor.kernels.forward import extremes, norm, reduction, variance

from .layouts import Special, misaligned

F32, F64 = np.dtype("float32"), np.dtype("float64")

pytestmark = pytest.mark.skipif(not builtin.supported(), reason="arrays lie otherwise in this interpreter's memory")


def numbers(*shape, dtype=F32):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 4), (2, 3, 4), (0,), (0, 3), (1, 1, 1)])
@pytest.mark.parametrize("view", [builtin.FLAT, builtin.ANY_ORDER])
def test_all_elements_are_one_run(shape, view, dtype):
    x, out = numbers(*shape, dtype=dtype), np.full((), 9, dtype)
    assert reduction.sum.builtin(dtype, view)(x, out) is True
    np.testing.assert_array_equal(out, reduction.sum.loops[dtype](x.ravel()))


@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 4), (0, 3), (3, 0), (2, 1, 5)])
def test_rows_are_reduced(shape):
    x, out = numbers(*shape), np.full(shape[:-1], 9, F32)
    assert reduction.sum.builtin(F32)(x, out) is True
    np.testing.assert_array_equal(out, reduction.sum.loops[F32](x))


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
def test_any_dimension_is_reduced(axis):
    x = numbers(2, 3, 4, 5)
    shape = (*x.shape[:axis], *x.shape[axis + 1 :])
    out = np.full(shape, 9, F32)
    assert reduction.sum_columns.builtin(F32, axis)(x, out) is True
    np.testing.assert_allclose(out, x.sum(axis), rtol=1e-5, atol=1e-6)


def test_operands_without_outer_dimensions_are_the_same_for_every_row():
    x, correction = numbers(6, 5), np.array(1, F32)
    out, mean = np.empty(6, F32), np.empty(6, F32)
    assert variance.var.builtin(F32)(x, correction, out, mean)
    np.testing.assert_array_equal(out, variance.var.loops[F32](x, correction)[0])
    np.testing.assert_array_equal(mean, variance.var.loops[F32](x, correction)[1])


def test_an_unwanted_result_is_not_asked_for():
    x, places = numbers(6, 5), np.empty(6, np.int64)
    assert extremes.argmax.builtin(F32, unwanted=(0,))(x, places)
    np.testing.assert_array_equal(places, x.argmax(1))


def test_bools_are_reduced_as_they_are():
    x, out = np.array([[False, True], [False, False]]), np.empty(2, bool)
    assert reduction.any.builtin(np.dtype(bool))(x, out)
    assert out.tolist() == [True, False]


def readonly(array):
    array.flags.writeable = False
    return array


REFUSED = {
    "other dtype": lambda x, out: (x.astype(F64), out),
    "other byte order": lambda x, out: (x.astype(">f4"), out),
    "other dtype of the result": lambda x, out: (x, out.astype(F64)),
    "every second element": lambda x, out: (np.repeat(x, 2, 1)[:, ::2], out),
    "columns": lambda x, out: (np.asfortranarray(x), out),
    "misaligned": lambda x, out: (misaligned(x), out),
    "misaligned result": lambda x, out: (x, misaligned(out)),
    "read-only result": lambda x, out: (x, readonly(out)),
    "too short a result": lambda x, out: (x, out[:-1]),
    "too long a result": lambda x, out: (x, np.append(out, out)),
    "strided result": lambda x, out: (x, np.repeat(out, 2)[::2]),
    "subclass": lambda x, out: (x.view(Special), out),
    "no array": lambda x, out: (x.tolist(), out),
    "None": lambda x, out: (x, None),
    "no core dimension": lambda x, out: (x[0, 0:1].reshape(()), out),
    "one operand": lambda x, out: (x,),
    "three operands": lambda x, out: (x, out, out),
    "none": lambda x, out: (),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused(change):
    run = reduction.sum.builtin(F32)
    x, out = numbers(4, 5), np.full(4, 9, F32)
    assert run(x, out) is True
    out[...] = 9
    operands = change(x, out)
    assert run(*operands) is False
    for operand in operands[1:]:
        assert operand is None or (operand == 9).all(), "a refusal has changed nothing"


def test_operands_whose_extents_differ_are_refused():
    run = variance.var.builtin(F32)
    x, out, mean = numbers(4, 5), np.empty(4, F32), np.empty(4, F32)
    assert run(x, np.zeros(4, F32), out, mean)
    assert not run(x, np.zeros(3, F32), out, mean)
    assert not run(x, np.zeros((4, 1, 1), F32)[:0], out, mean)
    assert not run(x, np.zeros((), F32), out, mean[:3])


def test_one_run_in_any_order_takes_columns_too():
    x, out = np.asfortranarray(numbers(4, 5)), np.empty((), F32)
    assert reduction.sum.builtin(F32, builtin.ANY_ORDER)(x, out)
    np.testing.assert_allclose(out, x.sum(), rtol=1e-5)
    assert not reduction.sum.builtin(F32, builtin.FLAT)(x, out)
    assert not reduction.sum.builtin(F32, builtin.ANY_ORDER)(numbers(4, 5)[::2], out)


def test_no_reference_is_lost_or_kept():
    run = reduction.sum.builtin(F32)
    x, out = numbers(4, 5), np.empty(4, F32)
    before = [sys.getrefcount(one) for one in (True, False, x, out)]
    for _ in range(1000):
        run(x, out)
        run(x, x)
    after = [sys.getrefcount(one) for one in (True, False, x, out)]
    assert all(abs(a - b) < 100 for a, b in zip(before, after, strict=True))


def test_threads_may_call_the_same_function():
    run = reduction.sum.builtin(F32)
    x = numbers(8, 100)
    expected = reduction.sum.loops[F32](x)
    wrong = []

    def work():
        out = np.empty(8, F32)
        for _ in range(2000):
            if not run(x, out) or not np.array_equal(out, expected):
                wrong.append(out)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_other_threads_run_while_there_is_much_to_do():
    run = norm.logsumexp.builtin(F32)
    x, out = np.zeros((8, 4_000_000), F32), np.empty(8, F32)
    beginning, end, ticks = time.perf_counter(), [], []

    def work():
        run(x, out)
        end.append(time.perf_counter())

    thread = threading.Thread(target=work)
    thread.start()
    while not end:
        ticks.append(time.perf_counter())
        time.sleep(0.001)
    thread.join()
    assert np.allclose(out, np.log(4_000_000))
    inside = [tick for tick in ticks if tick < end[0]]
    # With the GIL held there would be none but those before the thread began.
    assert inside[-1] - beginning > 0.5 * (end[0] - beginning)


def test_no_warning_is_left_for_numpy():
    """Vector lanes raise floating-point flags; NumPy would read them after its own next operation."""
    x, out = np.array([[np.inf, -np.inf, 1e38, 1e38]], F32), np.empty(1, F32)
    with np.errstate(all="raise"):
        assert reduction.sum.builtin(F32)(x, out)
        assert np.isnan(out[0])
        np.add(x[:, 2], np.float32(1))


def test_where_arrays_lie_otherwise_everything_is_refused(monkeypatch):
    monkeypatch.setattr(builtin, "supported", lambda: False)
    run = builtin.make_builtin(0, "nothing", ["float32"], ["float32"], "(n)->()")
    assert run(numbers(4, 5), np.empty(4, F32)) is False


def test_functions_outlive_what_made_them():
    """When the interpreter ends it clears modules first, and looks through functions then."""
    program = """
import ctypes, gc, sys
import numtensor as nt
with nt.inference_mode():
    x = nt.tensor([[1.0, 2.0]])
    kept = x + x, x.sum(1), x.exp(), x[0], x.reshape(2), nt.zeros(2), nt.softmax(x, 1)
for name in [name for name in sys.modules if name.startswith("numtensor.kernels")]:
    sys.modules[name].__dict__.clear()
gc.collect()
# What was freed is somebody else's now.
taken = [ctypes.create_string_buffer(bytes([255]) * size) for size in range(8, 512) for _ in range(20)]
gc.collect()
print("alive")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr
