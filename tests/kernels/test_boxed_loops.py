"""Reductions and row-wise ops from a tensor to a tensor in machine code: what the mode's own callable gives."""

import math

import numpy as np
import pytest

import numtensor as nt
from numtensor import lean
from numtensor.graph import Metadata
from numtensor.kernels import boxed_loops, builtin
from numtensor.kernels.forward import extremes
from numtensor.nn import Parameter
from numtensor.ops.declaration import OPS
from numtensor.tensor import Tensor
from numtensor.threads.limits import process

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
REDUCTIONS = [
    *("sum", "mean", "prod", "count_nonzero", "amax", "amin", "max_dim", "min_dim", "argmax", "argmin", "logsumexp"),
    *("any", "all"),
]
ROWS = ["softmax", "log_softmax", "cumsum"]


def numbers(*shape, dtype="float32"):
    return (np.random.default_rng(0).standard_normal(shape) * 9).astype(dtype)


def arguments_of(op, x, dim, keepdim=False):
    """Return the arguments of the mode's callable."""
    given = {"input": x, "dim": dim, "keepdim": keepdim, "dtype": None}
    return [given[name] for name in op.parameters]


def assert_same(name, path, x, dim, keepdim=False):
    op = OPS[name]
    arguments = arguments_of(op, x, dim, keepdim)
    with entered(path) as mode:
        # The first call in Python makes the kernels that machine code calls then.
        expected = outcome(getattr(mode, name), *arguments)
        found = outcome(op.public, *arguments)
    assert found == expected, (name, x._array.shape, dim, keepdim)


# One more than machine code has room for, where NumPy has.
MANY = 33 if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else 32
SHAPES = [(), (1,), (5,), (0,), (2, 3), (0, 3), (3, 0), (1, 3), (3, 1), (1, 1), (2, 3, 4), (2, 1, 4), (1,) * MANY]


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", REDUCTIONS + ROWS)
def test_shapes_dtypes_and_dimensions(name, dtype, path):
    for shape in SHAPES:
        x = tensor(numbers(*shape, dtype=dtype))
        for dim in (None, (), 0, 1, -1, -2, 2, -3):
            assert_same(name, path, x, dim)
            if "keepdim" in OPS[name].parameters:
                assert_same(name, path, x, dim, True)


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("name", REDUCTIONS + ROWS)
def test_layouts(name, path):
    for dtype in (F32, F64, I64):
        for layout in NATIVE.values():
            x = tensor(layout(numbers(3, 4, dtype=dtype)))
            for dim in (None, 0, 1, -1):
                assert_same(name, path, x, dim)


DIMS = [
    *(True, False, np.int64(0), np.int32(-1), type("Int", (int,), {})(0), 0.0, "x", [0], (0,), (0, 1), (-1, 0)),
    *(2**31, 2**63 - 1, 2**63, -(2**63), 10**30, -(10**30)),
]


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("dim", DIMS, ids=lambda dim: f"{type(dim).__name__} {dim}")
def test_unusual_dimensions(dim, path):
    x = tensor(numbers(2, 3))
    for name in REDUCTIONS + ROWS:
        assert_same(name, path, x, dim)


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("keepdim", [1, 0, np.True_, np.False_, None, "x", 2.0], ids=repr)
def test_unusual_values_of_keepdim(keepdim, path):
    x = tensor(numbers(2, 3))
    for name in REDUCTIONS:
        for dim in (0, 1, None):
            assert_same(name, path, x, dim, keepdim)


@pytest.mark.parametrize("path", MODES)
def test_special_values(path):
    values = [math.nan, -0.0, 0.0, math.inf, -math.inf, 1e38, 1e-40, -1.0]
    for dtype in (F32, F64):
        for k in range(len(values)):
            x = tensor(np.array([values[k:] + values[:k], values[::-1]], dtype))
            for name in REDUCTIONS + ROWS:
                for dim in (0, 1):
                    assert_same(name, path, x, dim)


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("name", REDUCTIONS + ROWS)
def test_common_calls_are_done_here(name, path):
    op, x = OPS[name], tensor(numbers(3, 4))
    run = machine_code(op, path)
    dims = [-1, 1] if name in ROWS else [-1, 1, 0, -2]
    full = op.signature.parameters["dim"].default
    if name in REDUCTIONS and full in (None, ()):
        dims += [None] if full is None else [None, ()]
    for dim in dims:
        with entered(path) as mode:
            expected = outcome(getattr(mode, name), *arguments_of(op, x, dim))
        made = run(*arguments_of(op, x, dim))
        assert made is not None, dim
        assert state(made) == expected
        for one in made if op.results > 1 else [made]:
            assert type(one._meta) is (type(None) if path == "inference" else Metadata)


@pytest.mark.parametrize("path", MODES)
def test_what_it_does_not_know_it_refuses(path):
    run, x = machine_code(OPS["sum"], path), tensor(numbers(3, 4))
    with entered(path):
        nt.sum(x, 1), nt.sum(x, 0), nt.sum(x)
    assert run(x, 1, False, None) is not None
    for given in [(), (x,), (x, 1, False), (x, 1, False, nt.float64), (x, 1, False, None, None), (1, 1, False, None)]:
        assert run(*given) is None
    for name in ("other byte order", "a subclass", "transposed"):
        assert run(tensor(LAYOUTS[name](numbers(3, 4))), 1, False, None) is None
    assert run(object.__new__(Tensor), 1, False, None) is None
    assert run(numbers(3, 4), 1, False, None) is None
    # It requires grad, and sums are recorded.
    assert (run(Parameter(nt.ones(3, 4)), 1, False, None) is None) == (path == "tracked")


@pytest.mark.parametrize("path", MODES)
def test_no_reference_is_lost_or_kept(path):
    x, row, empty = tensor(numbers(5, 4)), tensor(numbers(5, 4)[:, ::2]), tensor(numbers(0, 4))
    total, largest, place = (machine_code(OPS[name], path) for name in ("sum", "max_dim", "argmax"))

    def call():
        total(x, 1, False, None), total(x, 0, True, None), total(x, None, False, None)
        total(row, 1, False, None), total(empty, 1, False, None)
        total(x, 7, False, None), total(x, 1, 1, None), total(x)
        largest(x, 1, False), largest(x, 0, True)
        place(x, 1, False), place(x, 0, False)

    with entered(path):
        for dim in (0, 1):
            nt.max(x, dim), nt.argmax(x, dim), nt.sum(x, dim), nt.sum(x)
        made = largest(x, 1, False), place(x, 0, False), total(x, 1, False, None)
        assert all(one is not None for one in made)
        watched = [x, row, empty, x._array, row._array, None, True, False, F32, I64, Tensor, Metadata, type(made[0])]
        assert_nothing_is_left(call, watched, calls=4000)


def test_several_results_that_cannot_be_collected_are_given_back():
    """What makes one object of them is Python, which may raise."""

    def collect(results):
        assert len(results) == 2
        raise LookupError

    table = boxed_loops.LoopTable()
    table.enter(F32, boxed_loops.LAST, extremes.argmax.builtin(F32))
    run = boxed_loops.make_call(
        "max", lean.layout(), True, table, 3, keepdim=2, large=1 << 62, full=0, wanted=[0, 1], collect=collect
    )
    x = tensor(numbers(5, 4))

    def call():
        try:
            run(x, 1, False)
        except LookupError:
            return
        pytest.fail("nothing was raised")

    assert_nothing_is_left(call, [x, x._array, F32, I64, None, Tensor, Metadata], calls=2000)


def test_a_result_that_cannot_be_made_leaves_nothing():
    """The second of two results has a dtype that NumPy cannot make: the first, or none in its place, is given back."""
    void = np.dtype("V2147483647")
    for unwanted in ((), (0,)):
        run = extremes.argmax.builtin(F32, unwanted=unwanted)
        words = run.__self__.copy()
        place = int(builtin.WORDS + 2 * builtin.OPERAND_WORDS)
        assert words[place + builtin.DTYPE] == id(I64)
        words[place + builtin.DTYPE] = id(void)
        table = boxed_loops.LoopTable()
        table.put(F32, words.ctypes.data, first=int(boxed_loops.LAST), kept=words)
        call = boxed_loops.make_call(
            "max", lean.layout(), True, table, 3, keepdim=2, large=1 << 62, full=0, wanted=[0, 1], collect=None
        )
        # More than can be addressed.
        x = tensor(np.ones((1 << 20, 1), F32))

        def fail(call=call, x=x):
            try:
                call(x, 1, False)
            except (MemoryError, ValueError):
                return
            pytest.fail("nothing was raised")

        assert_nothing_is_left(fail, [x, x._array, F32, void, None, Tensor], calls=1000)


@pytest.mark.parametrize("path", MODES)
def test_the_array_is_kept_while_objects_are_made(path):
    x = tensor(numbers(3, 50))
    expected = x._array.sum(1)

    def swap():
        x._array = numbers(3, 50)

    with entered(path):
        nt.sum(x, 1), nt.max(x, 1)
        with changed_by_collections(swap):
            results = [(nt.sum(x, 1), nt.max(x, 1).values) for _ in range(200)]
    for one, largest in results:
        np.testing.assert_allclose(one._array, expected, rtol=1e-5)
        np.testing.assert_array_equal(largest._array, numbers(3, 50).max(1))


@pytest.mark.parametrize("path", MODES)
def test_the_array_is_kept_while_other_threads_run(path):
    array = numbers(4, 200_000)
    expected = np.log(np.exp(array.astype(F64)).sum(1))
    x = tensor(array.copy())
    with entered(path):
        nt.logsumexp(x, 1)
        with swapped_by_a_thread(x, array):
            for _ in range(30):
                np.testing.assert_allclose(nt.logsumexp(x, 1)._array, expected, rtol=1e-5)


def test_more_threads_make_it_leave_large_ones_to_python():
    number, threshold, x = nt.get_num_threads(), process.threshold, tensor(numbers(3, 4))
    try:
        for threads in (1, 2, 1, 2):
            nt.set_num_threads(threads)
            process.ask(threads > 1, 8)
            for path in MODES:
                with entered(path):
                    nt.softmax(x, 1)
                    done = machine_code(OPS["softmax"], path)(x, 1)
                assert (done is None) is (threads > 1)
                assert_same("sum", path, x, 1)
                assert_same("softmax", path, x, 1)
    finally:
        process.ask(number > 1, threshold)
        nt.set_num_threads(number)


@pytest.mark.parametrize("path", MODES)
def test_without_the_layout_ops_go_the_way_that_every_mode_has(path, monkeypatch):
    monkeypatch.setattr(lean, "layout", lambda: None)
    for name in ("sum", "softmax"):
        lines, used = OPS[name].quick_form(OPS[name].parameters)
        assert not any("inference(" in line and "wrap" not in line for line in lines)
        assert set(used) <= {"wrap_inference", "wrap_normal"}
