"""Elementwise kernels called without the ufunc machinery: the ufunc's results, whatever the operands are."""

import gc
import sys
import threading

import numpy as np
import pytest

from numtensor.kernels import builtin, calls
from numtensor.kernels.backward import arithmetic as backward_arithmetic
from numtensor.kernels.forward import arithmetic, choice, comparison, exponential

from .layouts import LAYOUTS

F32, F64, I64 = np.dtype("float32"), np.dtype("float64"), np.dtype("int64")

pytestmark = pytest.mark.skipif(not builtin.supported(), reason="arrays lie otherwise in this interpreter's memory")


def numbers(*shape, dtype=F32, seed=0):
    return (np.random.default_rng(seed).standard_normal(shape) * 9).astype(dtype)


def both(kernel, dtype):
    call, ufunc = kernel.calls[dtype], kernel.loops[dtype]
    assert call is not ufunc
    return call, ufunc


@pytest.mark.parametrize("second", LAYOUTS)
@pytest.mark.parametrize("first", LAYOUTS)
@pytest.mark.parametrize("dtype", [F32, I64])
def test_every_pair_of_layouts_gives_what_the_ufunc_gives(first, second, dtype):
    call, ufunc = both(arithmetic.sub, dtype)
    x, y = LAYOUTS[first](numbers(3, 4, dtype=dtype)), LAYOUTS[second](numbers(3, 4, dtype=dtype, seed=1))
    result, expected = np.asarray(call(x, y)), np.asarray(ufunc(x, y))
    np.testing.assert_array_equal(result, expected, strict=True)
    assert not np.shares_memory(result, x) and not np.shares_memory(result, y)


SHAPES = [(), (1,), (0,), (7,), (2, 3), (0, 3), (2, 3, 4), (1, 1), (4096,), (4097,), (100_000,)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [F32, F64])
def test_shapes(shape, dtype):
    x = numbers(*shape, dtype=dtype)
    y = x[::-1] if shape else x
    for kernel, operands in ((exponential.exp, (x,)), (arithmetic.mul, (x, x)), (comparison.lt, (x, y))):
        call, ufunc = both(kernel, dtype)
        np.testing.assert_array_equal(np.asarray(call(*operands)), np.asarray(ufunc(*operands)), strict=True)


def test_operands_of_several_dtypes():
    call, ufunc = both(choice.where, F32)
    x, y = numbers(5), numbers(5, seed=1)
    np.testing.assert_array_equal(call(x < 0, x, y), ufunc(x < 0, x, y), strict=True)
    np.testing.assert_array_equal(call(np.array(True), x, y), x, strict=True)


def test_other_dtypes_are_refused_or_converted_as_the_ufunc_does():
    call, ufunc = both(arithmetic.add, F32)
    x = numbers(3)
    assert call(x, x.astype(np.float16)).dtype == F32
    np.testing.assert_array_equal(call(x, 2.0), ufunc(x, 2.0))
    np.testing.assert_array_equal(call([True], x), ufunc([True], x))
    for operands in ((x, x.astype(F64)), (x, "y"), (x,), (x, x, x, x), (x, numbers(4)), ()):
        with pytest.raises((TypeError, ValueError)) as refused:
            call(*operands)
        with pytest.raises(refused.type):
            ufunc(*operands)


UNFIT = {
    "too short": np.empty(5, F32),
    "too many dimensions": np.empty((1, 6), F32),
    "another dtype": np.empty(6, np.int32),
    "read-only": np.frombuffer(bytes(24), F32),
    "a number": np.empty((), F32),
}


class TestWriting:
    """Into an array that is given."""

    def test_it_is_written_and_returned(self):
        call, _ = both(arithmetic.add, F32)
        x, y, out = numbers(6), numbers(6, seed=1), np.empty(6, F32)
        assert call(x, y, out) is out
        np.testing.assert_array_equal(out, x + y)

    def test_it_may_be_an_operand(self):
        call, _ = both(arithmetic.sub, F32)
        x, y = numbers(6), numbers(6, seed=1)
        expected = x - y
        assert call(x, y, y) is y
        np.testing.assert_array_equal(y, expected)

    @pytest.mark.parametrize("shift", [1, -1, 3])
    def test_it_may_overlap_an_operand(self, shift):
        call, _ = both(arithmetic.add, F32)
        memory = numbers(9)
        x = memory[max(shift, 0) : len(memory) + min(shift, 0)]
        out = memory[max(-shift, 0) : len(memory) + min(-shift, 0)]
        expected = x + x
        call(x, x.copy(), out)
        np.testing.assert_array_equal(out, expected)

    def test_a_number_may_be_one_of_its_elements(self):
        call, _ = both(arithmetic.mul, F32)
        x = numbers(6)
        expected = x * x[2]
        call(x, x[2:3].reshape(()), x)
        np.testing.assert_array_equal(x, expected)

    @pytest.mark.parametrize("name", UNFIT)
    def test_what_does_not_fit_is_left_to_the_ufunc(self, name):
        call, ufunc = both(arithmetic.add, F32)
        out = UNFIT[name]
        x, before = numbers(6), out.copy()
        try:
            target = out.copy()
            target.flags.writeable = out.flags.writeable
            expected = ufunc(x, x, target)
        except (TypeError, ValueError) as error:
            with pytest.raises(type(error)):
                call(x, x, out)
            np.testing.assert_array_equal(out, before)
        else:
            np.testing.assert_array_equal(call(x, x, out), expected)

    def test_a_number_fills_it(self):
        call, _ = both(arithmetic.add, F32)
        one, out = np.array(1, F32), np.empty((2, 3), F32)
        assert call(one, one, out) is out
        np.testing.assert_array_equal(out, 2)


@pytest.mark.parametrize("shape", SHAPES)
def test_several_results(shape):
    call, ufunc = backward_arithmetic.mul.calls[F32], backward_arithmetic.mul.loops[F32]
    operands = [numbers(*shape, seed=seed) for seed in range(3)]
    results = call(*operands)
    assert type(results) is tuple and len(results) == 2
    for one, expected in zip(results, ufunc(*operands), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(expected), strict=True)


def test_references_are_counted_right():
    call, _ = both(comparison.lt, F32)
    add, _ = both(arithmetic.add, F32)
    several = backward_arithmetic.mul.calls[F32]
    x, out, boolean = numbers(5), np.empty(5, F32), np.dtype(bool)
    before = [sys.getrefcount(one) for one in (x, out, boolean, F32)]
    for _ in range(1000):
        call(x, x)
        add(x, x)
        add(x, x, out)
        add(x[::2], x[::2])
        several(x, x, x)
        several(x[::2], x[::2], x[::2])
    after = [sys.getrefcount(one) for one in (x, out, boolean, F32)]
    assert max(abs(b - a) for a, b in zip(before, after, strict=True)) < 10


def test_memory_is_given_back():
    import tracemalloc

    call, _ = both(arithmetic.add, F32)
    x = numbers(1000)
    several = backward_arithmetic.mul.calls[F32]
    call(x, x)
    several(x, x, x)
    gc.collect()
    tracemalloc.start()
    for _ in range(500):
        call(x, x)
        several(x, x, x)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 100_000 and 4_000 <= peak < 100_000


def test_threads_share_a_function():
    call, ufunc = both(exponential.exp, F64)
    wrong = []

    def work(seed):
        x = numbers(100, dtype=F64, seed=seed)
        expected = ufunc(x)
        for _ in range(2000):
            if not np.array_equal(call(x), expected):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_floating_point_flags_stay_quiet():
    call, _ = both(arithmetic.div, F32)
    with np.errstate(all="raise"):
        assert np.isinf(call(np.ones(3, F32), np.zeros(3, F32))).all()
        np.add(np.ones(2), 1.0)


def test_without_arrays_as_believed_it_is_the_ufunc(monkeypatch):
    monkeypatch.setattr(builtin, "supported", lambda: False)
    ufunc = arithmetic.add.loops[F32]
    assert calls.make_call(1, ufunc, ufunc, ["float32"] * 2, ["float32"]) is ufunc
