"""Writing into tensors in machine code: what Python does, and counts, and nothing else."""

import gc
import math
import sys

import numpy as np
import pytest

import numtensor as nt
from numtensor import lean
from numtensor.graph import Counter, Metadata
from numtensor.modes import NO_GRAD, current
from numtensor.nn import Parameter
from numtensor.ops import inplace
from numtensor.ops.declaration import OPS
from numtensor.tensor import Tensor

from .boxes import (
    MODES,
    assert_nothing_is_left,
    changed_by_collections,
    entered,
    in_mode,
    outcome,
    state,
    swapped_by_a_thread,
    tensor,
)
from .layouts import LAYOUTS, NATIVE

pytestmark = pytest.mark.skipif(lean.layout() is None, reason="objects lie otherwise in this interpreter's memory")

F32 = np.dtype("float32")
DTYPES = ["float32", "float64", "int64", "int32", "uint8", "bool"]
OVERWRITES = ["zero_", "fill_", "copy_"]


def numbers(*shape, dtype="float32", seed=0):
    return np.asarray(np.random.default_rng(seed).standard_normal(shape) * 9).astype(dtype)


def method(name):
    """Return the form of Tensor, whose function asks machine code."""
    op = OPS[name if name in OPS else name[:-1]]
    op.quicken("inference")
    return getattr(Tensor, name)


def machine_code(name, path):
    """Return what calls, in a mode, the builtin function that a method asks first."""
    return in_mode(path, method(name).__globals__["on_tensors"])


def in_python(name):
    """Return the way of an op where no machine code does it, of a tensor and its arguments."""
    if name in OVERWRITES:
        return lambda x, *given: getattr(current.mode, name)(*OPS[name].bind((x, *given), {}))
    return lambda x, *given: inplace.run(OPS[name[:-1]], x, *given)


def change(x):
    """Return what is known of changes of a tensor."""
    meta = x._meta
    counter = None if meta is None else meta.counter
    return None if counter is None else (type(counter), counter.value, counter.last_op)


def assert_same(name, path, make, *arguments):
    """Compare the method with the way in Python: `make` makes the tensor that is changed, twice."""
    found = []
    for function in (in_python(name), method(name)):
        normal, inference = make(), make()
        inference._meta = None
        with entered(path):
            for x in (normal, inference):
                # The first makes the kernel, and the counter.
                for _ in range(2):
                    result = outcome(function, x, *arguments)
                    found.append([result, state(x), change(x)])
                    if type(result) is list:
                        assert function(x, *arguments) is x
    assert found[:4] == found[4:]


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("layout", NATIVE)
def test_every_pair_of_layouts(layout, path):
    for other in NATIVE.values():
        y = tensor(other(numbers(3, 4, seed=1)))
        for name in ("add_", "clamp_min_", "copy_"):
            assert_same(name, path, lambda: tensor(NATIVE[layout](numbers(3, 4))), y)
    for name, arguments in (("neg_", ()), ("mul_", (2.5,)), ("zero_", ()), ("fill_", (3,))):
        assert_same(name, path, lambda: tensor(NATIVE[layout](numbers(3, 4))), *arguments)


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (7,), (2, 3), (0, 3), (2, 1, 3), (1,) * 9, (4097,)])
def test_shapes_and_dtypes(shape, dtype, path):
    def make():
        return tensor(numbers(*shape, dtype=dtype))

    for other in DTYPES:
        for given in (shape, shape[1:], (), (2, *shape)):
            y = tensor(numbers(*given, dtype=other, seed=1))
            assert_same("mul_", path, make, y)
            assert_same("copy_", path, make, y)
    assert_same("exp_", path, make)
    assert_same("zero_", path, make)
    assert_same("fill_", path, make, tensor(numbers(dtype=dtype)))


NUMBERS = [
    *(0, 1, -3, 2**24 + 1, 2**31, 2**63 - 1, 2**63, -(2**63), 10**30, True, False),
    *(1.5, 0.1, -0.0, math.nan, math.inf, -math.inf, 1e39, -1e39, 1e-50),
    *(np.float64(0.1), np.float32(0.1), np.int64(3), None, "x", 1j, [1.0]),
]


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: f"{type(number).__name__} {number}")
def test_numbers(number, dtype, path):
    for shape in ((2, 3), ()):
        for name in ("add_", "mul_", "fill_", "copy_", "clamp_min_"):
            assert_same(name, path, lambda shape=shape: tensor(numbers(*shape, dtype=dtype)), number)


@pytest.mark.parametrize("path", MODES)
def test_common_calls_are_done_here(path):
    """Without this the others would hold if nothing were done."""
    x, y = tensor(numbers(2, 3)), tensor(numbers(2, 3, seed=1))
    with entered(path):
        x.add_(y)
    cases = {"add_": [(y,), (2,), (x,)], "mul_": [(y,), (0.5,)], "exp_": [()], "relu_": [()], "zero_": [()]}
    cases |= {"fill_": [(2,), (1.5,)], "copy_": [(y,), (x,), (2.0,)]}
    for name, calls in cases.items():
        with entered(path):
            method(name)(tensor(numbers(1)), *[one if type(one) is not Tensor else 1.0 for one in calls[0]])
        for given in calls:
            before = x._version
            assert machine_code(name, path)(x, *given) is x
            assert change(x) == (Counter, before + 1, name)
    for dtype in ("float64", "int64"):
        assert machine_code("fill_", path)(tensor(numbers(3, dtype=dtype)), 7).tolist() == [7, 7, 7]


@pytest.mark.parametrize("path", MODES)
def test_operators_write_in_place(path):
    x = same = tensor(numbers(3))
    with entered(path):
        for _ in range(2):
            x += 1
            x *= tensor(numbers(3))
            assert x is same
    assert x._version == 4


@pytest.mark.parametrize("path", MODES)
def test_what_it_does_not_know_it_refuses(path):
    add, copy, fill = (machine_code(name, path) for name in ("add_", "copy_", "fill_"))
    y = tensor(numbers(4, 6))
    with entered(path):
        tensor(numbers(1)).add_(1.0)
    for name in ("other byte order", "a subclass", "read-only", "transposed"):
        x = tensor(LAYOUTS[name](numbers(4, 6)))
        assert add(x, y) is None and copy(x, y) is None and fill(x, 1) is None
        assert add(x, x) is None
        # What is read need not be writeable.
        assert (copy(y, x) is None) == (name != "read-only")
    for given in ((), (y,), (1.0, y), (None, None), (object.__new__(Tensor), y), (y, object.__new__(Tensor))):
        assert add(*given) is None
    for given in ((), (y,), (1.0, y), (object.__new__(Tensor), y), (y, object.__new__(Tensor)), (y, numbers(4, 6))):
        assert copy(*given) is None
    assert add(y, y, y) is None and add(y, tensor(numbers(6))) is None and copy(y, tensor(numbers(6))) is None
    assert fill(y, 1e39) is None and fill(y, math.nan) is None and fill(y, True) is None
    np.testing.assert_array_equal(y._array, numbers(4, 6))
    # Of which others may see the change, or of which autograd has to know.
    base, leaf = nt.ones(4, 6), nt.ones(4, 6, requires_grad=True)
    assert add(base[1:], 1.0) is None and fill(base[1:], 1.0) is None
    result = leaf * 2
    assert add(result, 1.0) is None and fill(result, 1.0) is None
    assert (add(y, leaf) is None) == (copy(y, leaf) is None) == (path == "tracked")
    assert (add(leaf, 1.0) is None) == (fill(leaf, 1.0) is None) == (path == "tracked")
    with nt.inference_mode():
        inference = nt.ones(3)
        inference_leaf = nt.ones(3).requires_grad_()
    assert (add(inference, 1.0) is None) == (fill(inference, 1.0) is None) == (path != "inference")
    assert add(inference_leaf, 1.0) is None and fill(inference_leaf, 1.0) is None


def test_overlapping_memory_is_left_to_python():
    memory = numbers(10)
    x, y = tensor(memory[:6]), tensor(memory[2:8])
    with nt.no_grad():
        tensor(numbers(1)).add_(1.0)
    for name in ("add_", "copy_"):
        assert machine_code(name, "no_grad")(x, y) is None
    expected = memory[:6] + memory[2:8]
    with nt.no_grad():
        x.add_(y)
    np.testing.assert_array_equal(x._array, expected)


def test_integers_do_not_become_floats():
    x = tensor(np.arange(3))
    with nt.no_grad():
        x.add_(1)
        for given in (0.5, tensor(numbers(3))):
            assert machine_code("add_", "no_grad")(x, given) is None
            with pytest.raises(RuntimeError, match="add_"):
                x.add_(given)
        with pytest.raises(RuntimeError):
            x.div_(2)
    assert x.tolist() == [1, 2, 3]


@pytest.mark.parametrize("path", MODES)
def test_parameters_and_subclasses(path):
    class Special(Tensor):
        __slots__ = ("more",)

    with entered(path):
        for x in (Parameter(nt.ones(2), requires_grad=False), Special([1.0, 2.0])):
            for _ in range(2):
                assert x.add_(1.0) is x and x.fill_(2.0) is x
            assert x.tolist() == [2, 2]


def test_backward_notices_the_change():
    w = nt.ones(3, requires_grad=True)
    for write in (lambda x: x.mul_(2), lambda x: x.zero_(), lambda x: x.copy_(nt.ones(3))):
        for prepare in (lambda x: None, lambda x: x._meta.counter or x.add_(0)):
            x = nt.ones(3)
            prepare(x)
            y = (w * x).sum()
            write(x)
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                y.backward()


def test_a_saved_result_that_changes_is_noticed():
    w = nt.ones(3, requires_grad=True)
    y = w.exp()
    with nt.no_grad():
        y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@pytest.mark.parametrize("path", MODES)
def test_no_reference_is_lost_or_kept(path):
    x, y, wrong, view = tensor(numbers(5)), tensor(numbers(5)), tensor(numbers(4)), tensor(numbers(7))[2:]
    add, zero, fill, copy = (machine_code(name, path) for name in ("add_", "zero_", "fill_", "copy_"))
    number = 0.37

    def call():
        add(x, y), add(x, number), add(x, wrong), add(x, "y"), add(x), add(view, y)
        zero(x), fill(x, number), fill(x, "y"), copy(x, y), copy(x, wrong), copy(view, y), copy(x, number)

    with entered(path):
        x.add_(y), x.zero_()
        watched = [x, y, wrong, view, number, x._array, y._array, x._meta, x._meta.counter, None, F32, Tensor, Metadata]
        assert_nothing_is_left(call, [*watched, "add_", "zero_", "fill_", "copy_", Counter], calls=4000)


@pytest.mark.parametrize("path", ["no_grad", "tracked"])
def test_no_reference_is_lost_where_counters_are_made(path):
    def call():
        x, y, z = nt.ones(3), nt.ones(3), nt.ones(3)
        x.add_(1.0), y.zero_(), z.add_(nt.ones(4)[:3])
        assert change(x) == (Counter, 1, "add_")

    with entered(path):
        assert_nothing_is_left(call, [None, Counter, Metadata, Tensor, F32], calls=3000)
        x = nt.ones(3).add_(1.0)
        assert gc.is_tracked(x._meta.counter)


@pytest.mark.parametrize("path", ["no_grad", "tracked"])
def test_metadata_that_changes_while_the_counter_is_made(path):
    """The collector may run there, and Python code in it."""
    x = nt.zeros(50)
    kept = []

    def swap():
        other = nt.zeros(50)
        kept.append((x._array, x._meta))
        x._array, x._meta = other._array, other._meta

    with entered(path):
        nt.zeros(50).add_(1.0)
        with changed_by_collections(swap):
            for _ in range(300):
                x.add_(1.0)
                x._meta.counter = None
    assert len(kept) > 100 or sys.version_info >= (3, 12), "it is what this is about"
    # Each was written once, to one of the arrays.
    arrays = [array for array, _ in kept] + [x._array]
    np.testing.assert_array_equal(sum(arrays), np.full(50, 300.0))


@pytest.mark.parametrize("path", MODES)
def test_arrays_are_kept_while_other_threads_run(path):
    array = numbers(1_000_000)
    x, y = tensor(np.zeros(1_000_000, F32)), tensor(array.copy())
    with entered(path):
        x.add_(y)
        with swapped_by_a_thread(y, array), swapped_by_a_thread(x, np.zeros(1_000_000, F32)):
            for _ in range(30):
                x.add_(y)


def test_modes_with_something_around_see_every_change():
    x = nt.ones(2)
    with nt.no_grad():
        x.add_(1.0)
    with nt.autograd.detect_anomaly():
        assert current.mode is not NO_GRAD
        assert machine_code("add_", "tracked") is not None
        on_tensors = method("add_").__globals__["on_tensors"]
        assert on_tensors(x, 1.0) is None
        x.add_(1.0)
    assert x.tolist() == [3, 3] and x._version == 2
