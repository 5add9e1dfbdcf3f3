"""Elementwise ops from tensors to a tensor in machine code: what the mode's own callable gives, and nothing else."""

import gc
import math
import pickle
import sys
import threading

import numpy as np
import pytest

import numtensor as nt
from numtensor import lean
from numtensor.graph import Metadata
from numtensor.kernels import boxed_calls, boxes, calls, recipes
from numtensor.kernels.forward import arithmetic
from numtensor.modes import INFERENCE, NO_GRAD, current
from numtensor.nn import Parameter
from numtensor.ops.declaration import OPS
from numtensor.tensor import Tensor

from .boxes import (
    MODES,
    assert_nothing_is_left,
    changed_by_collections,
    entered,
    machine_code,
    outcome,
    state,
    swapped_by_a_thread,
    tensor,
)
from .layouts import LAYOUTS, NATIVE

pytestmark = pytest.mark.skipif(lean.layout() is None, reason="objects lie otherwise in this interpreter's memory")

F32, F64, I64 = map(np.dtype, ("float32", "float64", "int64"))
DTYPES = ["float32", "float64", "int64", "int32", "uint8", "bool"]


def numbers(*shape, dtype="float32", seed=0):
    return (np.random.default_rng(seed).standard_normal(shape) * 9).astype(dtype)


def assert_same(name, path, *arguments):
    """Compare the public form with the mode's callable, twice: the first call of a dtype makes its kernel."""
    with entered(path) as mode:
        expected = outcome(getattr(mode, name), *arguments)
        for _ in range(2):
            assert outcome(OPS[name].public, *arguments) == expected


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("first", NATIVE)
@pytest.mark.parametrize("dtype", [F32, I64])
def test_every_pair_of_layouts(first, path, dtype):
    x = tensor(NATIVE[first](numbers(3, 4, dtype=dtype)))
    assert_same("neg", path, x)
    for second in NATIVE.values():
        y = tensor(second(numbers(3, 4, dtype=dtype, seed=1)))
        assert_same("sub", path, x, y)
        assert_same("lt", path, x, y)


@pytest.mark.parametrize("layout", ["other byte order", "a subclass"])
@pytest.mark.parametrize("path", MODES)
def test_what_is_no_plain_array_is_left_to_python(layout, path):
    x, y = tensor(LAYOUTS[layout](numbers(3, 4))), tensor(numbers(3, 4))
    add = machine_code(OPS["add"], path)
    with entered(path):
        nt.add(y, y)
    assert add(y, y) is not None
    assert add(x, y) is None and add(y, x) is None


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (7,), (2, 3), (0, 3), (1, 1), (2, 1, 3), (1,) * 9, (4097,)])
def test_shapes_and_dtypes(shape, dtype, path):
    x = tensor(numbers(*shape, dtype=dtype))
    for other in DTYPES:
        assert_same("mul", path, x, tensor(numbers(*shape[1:], dtype=other, seed=1)))
    assert_same("exp", path, x)
    assert_same("add", path, x, tensor(numbers(3, 2, 7, dtype=dtype)))


NUMBERS = [
    *(0, 1, -3, 2**24, 2**24 + 1, 30_000_001, 2**31, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**30, True, False),
    *(1.5, 0.1, -0.0, math.nan, math.inf, -math.inf, 1e39, 1e-50, 5e-324),
    *(np.float64(0.1), np.float32(0.1), np.int64(3), np.bool_(True), None, "x", 1j, [1.0]),
    type("Int", (int,), {})(3),
    type("Float", (float,), {})(0.1),
]


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: f"{type(number).__name__} {number}")
def test_numbers(number, dtype, path):
    for x in (tensor(numbers(2, 3, dtype=dtype)), tensor(numbers(dtype=dtype))):
        for name in ("add", "pow", "eq"):
            assert_same(name, path, x, number)
            assert_same(name, path, number, x)
        assert_same("where", path, tensor(np.array([True, False, True])), x, number)


@pytest.mark.parametrize("path", MODES)
def test_common_calls_are_done_here(path):
    """Without this the others would hold if nothing were done."""
    x, condition = tensor(numbers(2, 3)), tensor(np.array([True, False, True]))
    calls_of = {
        "add": [(x, x), (x, 2), (0.5, x), (x, tensor(numbers(3)))],
        "exp": [(x,)],
        "where": [(condition, x, x), (condition, 1, x), (condition, x, 0.0)],
        "softplus": [(x, 1.0, 20)],
    }
    for name, arguments in calls_of.items():
        op = OPS[name]
        with entered(path) as mode:
            getattr(mode, name)(*arguments[0])
        for given in arguments:
            made = machine_code(op, path)(*given)
            assert state(made) == outcome(getattr(MODES[path][0], name), *given)
            assert type(made._meta) is (type(None) if path == "inference" else Metadata)


@pytest.mark.parametrize("number", [0, 1, 2.5, 1.0, -1])
@pytest.mark.parametrize("path", MODES)
def test_a_number_is_no_condition(number, path):
    """Of an operand of another dtype than the working one."""
    x = tensor(numbers(3))
    assert_same("where", path, number, x, x)
    with entered(path), pytest.raises(RuntimeError, match="condition must be a boolean tensor"):
        nt.where(number, x, x)


def test_one_argument_more_is_not_written_to():
    x, y, kept = tensor(numbers(3)), tensor(numbers(3)), numbers(3)
    table = boxed_calls.CallTable()
    table.enter(F32, OPS["exp"].table[F32])
    call = boxed_call(table, given=2)
    assert call(x, y) is None
    np.testing.assert_array_equal(y._array, kept)
    assert boxed_call(table, given=1)(x) is not None


def boxed_call(table, given):
    return boxed_calls.make_call("a_call", lean.layout(), True, table, given, 0, 1 << 62)


@pytest.mark.parametrize("path", MODES)
def test_number_of_arguments(path):
    add, x = machine_code(OPS["add"], path), nt.ones(2)
    for given in [(), (x,), (x, x, x), (1, 2), (None, None)]:
        assert add(*given) is None


@pytest.mark.parametrize("path", MODES)
def test_results_of_subclasses_are_tensors(path):
    class Special(Tensor):
        __slots__ = ("more",)

    special = Special([1.0, 2.0])
    for x in (Parameter(nt.ones(2)), special):
        assert_same("mul", path, x, x)
        with entered(path):
            assert type(x * 2) is Tensor and type(2 - x) is Tensor


def test_a_box_without_an_array_is_left_to_python():
    unfilled = object.__new__(Tensor)
    for path in MODES:
        assert machine_code(OPS["add"], path)(unfilled, nt.ones(2)) is None


def test_modes_with_something_around_do_not_come_here():
    x = nt.tensor([0.0])
    with nt.autograd.detect_anomaly(), nt.no_grad():
        assert current.mode not in (INFERENCE, NO_GRAD)
        assert nt.log(x).item() == -math.inf
    seen = []
    with nt.autograd.graph.saved_tensors_hooks(lambda t: seen.append(t) or t, lambda t: t):
        with nt.no_grad():
            x * x
        y = (x.requires_grad_() * x).sum()
    assert len(seen) and y.requires_grad


@pytest.mark.parametrize("path", MODES)
def test_no_reference_is_lost_or_kept(path):
    x, y, row, number = tensor(numbers(5)), tensor(numbers(5)), tensor(numbers(5, 5)[:, ::2]), 0.37
    wrong = tensor(numbers(4))
    f64 = tensor(numbers(5, dtype="float64"))
    add = machine_code(OPS["add"], path)

    def call():
        add(x, y)
        add(x, number)
        add(row, row)
        add(x, wrong)
        add(x, f64)
        add(x)
        add(x, "y")

    with entered(path):
        nt.add(x, y), nt.add(f64, f64)
        watched = [x, y, row, wrong, f64, number, x._array, y._array, wrong._array, None, F32, Tensor, Metadata]
        assert_nothing_is_left(call, watched)


@pytest.mark.parametrize("path", MODES)
def test_no_reference_is_lost_where_python_raises(path):
    x, wrong = tensor(numbers(5)), tensor(numbers(4))

    def call():
        # pytest.raises keeps some of what it sees.
        try:
            nt.add(x, wrong)
        except RuntimeError:
            return
        pytest.fail("nothing was raised")

    with entered(path):
        assert_nothing_is_left(call, [x, wrong, x._array, wrong._array, None, F32], calls=4000)


@pytest.mark.parametrize("path", MODES)
def test_arrays_are_kept_while_objects_are_made(path):
    x, expected = tensor(numbers(3, 50)), state(tensor(numbers(3, 50) * 2))

    def swap():
        x._array = numbers(3, 50)

    with entered(path), changed_by_collections(swap):
        results = [nt.add(x, x) for _ in range(300)]
    assert all(state(result)[2:6] == expected[2:6] for result in results)


@pytest.mark.parametrize("path", MODES)
def test_arrays_are_kept_while_other_threads_run(path):
    array = numbers(1_000_000)
    expected = np.exp(array[:100])
    x = tensor(array.copy())
    with entered(path):
        nt.exp(x)
        with swapped_by_a_thread(x, array):
            for _ in range(30):
                np.testing.assert_allclose(nt.exp(x)._array[:100], expected, rtol=1e-5)


def test_interrupts_are_not_taken_for_shapes_that_do_not_fit(monkeypatch):
    """What passes large operands on is Python, where an interrupt may come."""

    def interrupted(*operands):
        raise KeyboardInterrupt

    words = arithmetic.add.calls[F32].__self__.copy()
    words[recipes.UNLIKE] = id(interrupted)
    table = boxed_calls.CallTable()
    table.put(F32, words.ctypes.data, 1, kept=(words, interrupted))
    call = boxed_call(table, given=2)
    x = tensor(numbers(200, 200))
    with pytest.raises(KeyboardInterrupt):
        call(x, tensor(numbers(200, 200).T.copy().T))
    assert call(x, tensor(numbers(3))) is None, "shapes that do not fit are still left to Python"


class TestTable:
    """Of what is known by dtype."""

    def test_copies_of_a_dtype_are_entered_as_the_one_that_kernels_know(self):
        copy = pickle.loads(pickle.dumps(F32))
        copy = copy if copy is not F32 else np.dtype(F32, copy=True)
        assert copy is not F32
        table = boxed_calls.CallTable()
        table.enter(copy, OPS["add"].table[F32])
        assert boxed_call(table, given=2)(nt.ones(2), nt.ones(2)) is not None

    def test_another_byte_order_is_not_entered(self):
        table = boxed_calls.CallTable()
        table.put(F32.newbyteorder(), 1, 1, kept=None)
        assert not table._words.any()

    def test_what_is_put_again_replaces_and_is_kept_once(self):
        table = boxes.Table()
        kept = object()
        for k in range(100):
            table.put(F32, 7, k, kept=kept)
        table.put(F64, 8, 8, kept=kept)
        assert table._words[:9].tolist() == [2, id(F32), 7, 99, 0, id(F64), 8, 8, 0]
        assert len(table._kept) == 1

    def test_a_full_one_takes_no_more(self):
        table = boxes.Table()
        integers = [f"{sign}int{8 << k}" for sign in ("", "u") for k in range(4)]
        for k, kind in enumerate(["bool", *integers, "float16", "float32", "float64", "complex64", "complex128"]):
            table.put(np.dtype(kind), k, kept=kind)
        assert table._words[0] == 12 and len(table._kept) == 12

    def test_threads_put_at_the_same_time(self):
        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            for _ in range(50):
                table = boxes.Table()
                kinds = [np.dtype(f"{sign}int{8 << k}") for sign in ("", "u") for k in range(4)]
                threads = [
                    threading.Thread(target=table.put, args=(kind, id(kind), id(kind)), kwargs={"kept": kind})
                    for kind in kinds
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                entries = table._words[1 : 1 + 4 * len(kinds)].reshape(-1, 4)
                assert table._words[0] == len(kinds)
                assert sorted(entries[:, 0]) == sorted(map(id, kinds))
                assert (entries[:, 0] == entries[:, 1]).all() and (entries[:, 0] == entries[:, 2]).all()
        finally:
            sys.setswitchinterval(before)


def test_floating_point_flags_stay_quiet():
    x = tensor(numbers(3))
    with nt.no_grad(), np.errstate(all="raise"):
        for number in (1e39, 1e-50, math.nan):
            nt.mul(x, number)
            np.add(np.ones(2), 1.0)


@pytest.mark.parametrize("path", MODES)
def test_conversions(path):
    kinds = [nt.float32, nt.float64, nt.int64, nt.int32, nt.uint8, nt.bool]
    with entered(path) as mode:
        for source in kinds:
            for layout in NATIVE.values():
                x = tensor(layout(numbers(3, 4, dtype=source.numpy)))
                for target in kinds:
                    convert = mode.to_dtype if target.is_floating_point else mode.to_integral
                    for _ in range(2):
                        made = x.to(target)
                        if source is target:
                            assert made is x
                        else:
                            assert state(made) == outcome(convert, x, target)


def test_conversions_of_what_is_no_tensor():
    with nt.no_grad():
        x = Parameter(nt.ones(2))
        assert state(x.to(nt.float64)) == state(nt.ones(2).to(nt.float64))
        assert x.to(nt.float32) is x


def test_without_the_layout_ops_go_the_way_that_every_mode_has(monkeypatch):
    monkeypatch.setattr(lean, "layout", lambda: None)
    op = OPS["add"]
    assert op.quick_form(["input", "other"]) == ([], {})
    made = lean.Function(lambda layout: pytest.fail("there is no layout"))
    for _ in range(2):
        assert made.call(1, 2) is None and made.call() is None


@pytest.mark.parametrize("path", ["inference", "no_grad"])
def test_wrapping_in_python_is_the_same(path, monkeypatch):
    arrays = [numbers(2, 3), numbers(3)[::2], np.float32(2), numbers(2, 2).view(np.matrix), numbers(), True]
    wrap = lean.wrap(path)
    monkeypatch.setattr(lean, "layout", lambda: None)
    in_python = lean.wrap.__wrapped__(path)
    assert in_python is not wrap
    for array in arrays:
        assert state(wrap(array)) == state(in_python(array))
        if type(array) is np.ndarray:
            assert wrap(array)._array is array
    watched = [arrays[0], arrays[2], np.ndarray, Tensor, Metadata, None]
    assert_nothing_is_left(lambda: (wrap(arrays[0]), wrap(arrays[2])), watched)
    assert gc.is_tracked(wrap(arrays[0]))


def test_calls_are_told_from_other_functions():
    assert calls.is_call(arithmetic.add.calls[F32])
    assert not any(map(calls.is_call, (arithmetic.add.loops[F32], len, "".join, lambda x: x, None)))
