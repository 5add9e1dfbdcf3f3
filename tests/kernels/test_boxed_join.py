"""Tensors joined in machine code: what the mode's own callable gives, and nothing else."""

import ctypes
import itertools

import numpy as np
import pytest

import numtensor as nt
from numtensor import lean
from numtensor.graph import Metadata
from numtensor.kernels import boxed_join, builtin, tuples, ufunc
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

DTYPES = ["float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"]
NAMES = ["cat", "stack"]


def numbers(*shape, dtype="float32", seed=0):
    return np.asarray(np.random.default_rng(seed).standard_normal(shape) * 9, dtype)


def several(*shapes, dtype="float32"):
    return [tensor(numbers(*shape, dtype=dtype, seed=seed)) for seed, shape in enumerate(shapes)]


def assert_same(name, path, *arguments):
    with entered(path) as mode:
        expected = outcome(getattr(mode, name), *arguments)
        found = outcome(OPS[name].public, *arguments)
    assert found == expected, (name, arguments)


SHAPES = [
    [()],
    [(), ()],
    [(3,)],
    [(3,), (3,)],
    [(3,), (2,), (0,)],
    [(0,), (3,)],
    [(0,), (0,)],
    [(0,), (2, 3)],
    [(2, 3), (0,), (1, 3)],
    [(2, 3), (2, 3), (2, 3)],
    [(2, 3), (4, 3)],
    [(2, 3), (2, 1)],
    [(2, 3), (2, 0)],
    [(0, 3), (0, 3)],
    [(2, 3), (3,)],
    [(2, 3), (3, 2)],
    [(2, 3, 4), (2, 1, 4)],
    [(2, 3, 4), (2, 3, 4)],
    [(1, 1, 1, 1), (1, 1, 1, 1)],
    [(1,) * 9, (1,) * 9],
]


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_shapes_and_dimensions(shapes, name, path):
    tensors = several(*shapes)
    for dim in (0, 1, 2, 3, -1, -2, -3, -4, 9, -9, 2**70, -(2**63), True, 1.0, None, np.int64(0)):
        assert_same(name, path, tensors, dim)
        assert_same(name, path, tuple(tensors), dim)


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(dtype, name, path):
    tensors = several((2, 3), (2, 3), dtype=dtype)
    for dim in (0, 1, 2):
        assert_same(name, path, tensors, dim)
        for other in DTYPES:
            assert_same(name, path, [*tensors, tensor(numbers(2, 3, dtype=other))], dim)


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_bits_are_kept(name, path):
    """Of a NaN, too, and of -0."""
    special = np.array([0x7FC00001, 0xFF800000, 0x80000000, 0x7F800001, 1], np.uint32).view(np.float32)
    join = machine_code(OPS[name], path)
    made = join([tensor(special), tensor(special[::-1].copy())], 0)._array
    np.testing.assert_array_equal(made.reshape(-1).view(np.uint32), [*special.view("u4"), *special[::-1].view("u4")])


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("first", NATIVE)
def test_every_pair_of_layouts(first, name, path):
    x = tensor(NATIVE[first](numbers(3, 4)))
    for second in NATIVE.values():
        y = tensor(second(numbers(3, 4, seed=1)))
        for dim in (0, 1, 2):
            assert_same(name, path, [x, y], dim)


@pytest.mark.parametrize("layout", ["other byte order", "a subclass", "misaligned", "transposed", "every other"])
@pytest.mark.parametrize("path", MODES)
def test_what_is_no_plain_array_is_left_to_python(layout, path):
    x, y = tensor(LAYOUTS[layout](numbers(3, 4))), tensor(numbers(3, 4))
    for join in (machine_code(OPS[name], path) for name in NAMES):
        assert join([y, y], 0) is not None
        assert join([x, y], 0) is None and join([y, x], 0) is None and join([x, x], 0) is None


@pytest.mark.parametrize("path", MODES)
def test_common_calls_are_done_here(path):
    """Without this the others would hold if nothing were done."""
    shapes_of = {
        "cat": [[(10,), (10,)], [(2, 3), (2, 3)], [(2, 3, 4)] * 5, [(1,)]],
        "stack": [[(10,), (10,)], [(2, 3), (2, 3)], [(2, 3, 4)] * 5, [()] * 3],
    }
    for name, shapes in shapes_of.items():
        join = machine_code(OPS[name], path)
        for tensors in (several(*one) for one in shapes):
            extents = tensors[0].ndim + (name == "stack")
            for dim, kind in itertools.product(range(-extents, extents), (list, tuple)):
                with entered(path) as mode:
                    expected = outcome(getattr(mode, name), tensors, dim)
                made = join(kind(tensors), dim)
                assert state(made) == expected
                assert type(made._meta) is (type(None) if path == "inference" else Metadata)


@pytest.mark.parametrize("path", MODES)
def test_extents_may_differ_along_the_dimension_of_cat_only(path):
    cat, stack = (machine_code(OPS[name], path) for name in NAMES)
    x, wide = several((2, 3), (2, 7))
    np.testing.assert_array_equal(cat([x, wide, x], 1)._array, np.hstack([x._array, wide._array, x._array]))
    assert cat([x, wide], 0) is None
    assert stack([x, wide], 1) is None
    assert stack([x, x], 2) is not None and cat([x, x], 2) is None


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_what_it_does_not_know_it_refuses(name, path):
    class Tensors(list):
        pass

    join, (x, y) = machine_code(OPS[name], path), several((3,), (3,))
    unfilled = object.__new__(Tensor)
    for tensors in (
        *([], (), x, x._array, None, 3, "xy", {x: y}, iter([x, y]), Tensors([x, y])),
        *([x, None], [None], [x, y._array], [x, 1.0], [[x], [y]], [x, unfilled], [unfilled]),
        *([x, x.double()], [x, nt.ones(3, 1)], [x, tensor(numbers())], several((0,), (0,))),
    ):
        assert join(tensors, 0) is None, tensors
    for dim in (9, -9, 2**70, True, None, 0.0, "0"):
        assert join([x, y], dim) is None
    for arguments in [(), ([x, y],), ([x, y], 0, 0), (0, [x, y])]:
        assert join(*arguments) is None
    assert join([x, y], 0) is not None


def test_tensors_without_dimensions_are_stacked_and_not_joined():
    assert machine_code(OPS["cat"], "no_grad")(several((), ()), 0) is None
    assert machine_code(OPS["stack"], "no_grad")(several((), ()), 0) is not None


@pytest.mark.parametrize("name", NAMES)
def test_most_that_is_done_here(name):
    join, most = machine_code(OPS[name], "no_grad"), int(boxed_join.MOST_BYTES) // 8
    row = tensor(numbers(1, 1))
    for many, done in ((boxed_join.MOST_TENSORS, True), (boxed_join.MOST_TENSORS + 1, False)):
        assert (join([row] * many, 0) is not None) is done
        assert_same(name, "no_grad", [row] * many, 0)
    for elements, done in ((most, True), (most + 1, False)):
        tensors = several((1, elements), (1, elements))
        assert (join(tensors, 0) is not None) is done
        assert_same(name, "no_grad", tensors, 0)
    for pieces, done in ((int(boxed_join.MOST_PIECES) // 2, True), (int(boxed_join.MOST_PIECES) // 2 + 1, False)):
        tensors = several((pieces, 3), (pieces, 3))
        assert (join(tensors, 1) is not None) is done
        assert_same(name, "no_grad", tensors, 1)


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_the_most_dimensions(name, path):
    """Of what NumPy gives an array; one more is an error of Python's."""
    for ndim in (31, 32, 33, 63, 64):
        try:
            array = np.ones((1,) * ndim, np.float32)
        except ValueError:
            continue
        for dim in (0, ndim - 1, ndim):
            assert_same(name, path, [tensor(array)] * 2, dim)


@pytest.mark.parametrize("name", NAMES)
def test_whatever_requires_grad_is_left_to_python(name):
    tracked, quiet = machine_code(OPS[name], "tracked"), machine_code(OPS[name], "no_grad")
    leaf = nt.ones(3, requires_grad=True)
    base = nt.ones(2, 3)
    view = base[0]
    for one in (leaf, Parameter(nt.ones(3)), leaf * 2, leaf[:]):
        x = nt.ones(3)
        for tensors in ([x, one], [one, x], [x, x, x, one]):
            assert tracked(tensors, 0) is None
            assert not quiet(tensors, 0).requires_grad
            result = OPS[name].public(tensors)
            assert result.requires_grad
    assert tracked([view, view], 0) is not None
    base.requires_grad_()
    assert tracked([view, view], 0) is None
    result = OPS[name].public([view, leaf])
    result.sum().backward()
    assert leaf.grad.tolist() == [1.0] * 3


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_results_are_tensors_with_their_own_memory(name, path):
    class Special(Tensor):
        __slots__ = ("more",)

    frozen = Parameter(nt.ones(2), requires_grad=False)
    with nt.inference_mode():
        made_in_inference = nt.ones(2)
    for x in (frozen, Special([1.0, 2.0]), made_in_inference):
        assert_same(name, path, [x, x], 0)
        with entered(path):
            made = OPS[name].public([x])
            assert type(made) is Tensor and not np.shares_memory(made._array, x._array)


def test_other_names_and_what_joins_by_them_are_done_here():
    x = several((3,), (3,))
    with nt.no_grad():
        nt.cat(x)
        asked, on_tensors = [], nt.cat.__globals__["on_tensors"]
        for joining in (nt.concat, nt.concatenate, nt.hstack, nt.vstack):
            nt.cat.__globals__["on_tensors"] = lambda *given: asked.append(given) or on_tensors(*given)
            try:
                made = joining(x)
            finally:
                nt.cat.__globals__["on_tensors"] = on_tensors
            assert made.numel() == 6
            assert on_tensors(*asked.pop()) is not None and not asked


def test_modes_with_something_around_do_not_come_here():
    x, tangent = nt.ones(2), nt.full((2,), 3.0)
    with nt.autograd.forward_ad.dual_level():
        dual = nt.autograd.forward_ad.make_dual(x, tangent)
        for name in NAMES:
            made = OPS[name].public([x, dual])
            found = nt.autograd.forward_ad.unpack_dual(made).tangent
            assert found.reshape(-1).tolist() == [0.0, 0.0, 3.0, 3.0]
    with nt.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="nan"):
        leaf = nt.tensor([0.0], requires_grad=True)
        (nt.cat([leaf, leaf]).sqrt() * 0).sum().backward()


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_no_reference_is_lost_or_kept(name, path):
    (x, y), wrong, f64 = several((5,), (5,)), tensor(numbers(4, 2)), tensor(numbers(5, dtype="float64"))
    as_list, as_tuple, mixed, bad, long = [x, y], (x, y), [x, f64], [x, y, wrong], [x] * 100
    join = machine_code(OPS[name], path)

    def call():
        join(as_list, 0)
        join(as_tuple, -1)
        join(long, 0)
        join(mixed, 0)
        join(bad, 0)
        join(as_list, 7)
        join(as_list)

    with entered(path):
        watched = [x, y, wrong, f64, as_list, as_tuple, x._array, y._array, wrong._array, f64._array]
        watched += [None, np.dtype("float32"), np.ndarray, Tensor, Metadata]
        assert_nothing_is_left(call, watched, calls=2000)


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_no_reference_is_lost_where_python_raises(name, path):
    x, wrong = several((5,), (4, 2))
    tensors = [x, wrong]

    def call():
        # pytest.raises keeps some of what it sees.
        try:
            OPS[name].public(tensors)
        except RuntimeError:
            return
        pytest.fail("nothing was raised")

    with entered(path):
        assert_nothing_is_left(call, [x, wrong, tensors, x._array, wrong._array, None], calls=2000)


def with_function(name, address):
    """Return the builtin function of an op with another in the place of NumPy's, which makes the result."""
    OPS[name].quicken("no_grad")
    words = OPS[name].public.__globals__["on_tensors"].__self__.tolist()
    words[boxed_join.EMPTY] = address
    return builtin.bind(name, boxed_join._entry(), words)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_where_there_is_no_memory(name):
    join = with_function(name, builtin.address_in_python("PyErr_NoMemory"))
    x, y = tensors = several((5,), (5,))

    def call():
        assert join(tensors, 0) is None

    assert_nothing_is_left(call, [x, y, tensors, x._array, y._array, None], calls=2000)


@pytest.mark.parametrize("name", NAMES)
def test_arrays_are_kept_while_the_result_is_made(name):
    """Should NumPy ever run Python code there."""
    tensors = several((3, 50), (3, 50))
    expected = OPS[name].public(tensors, 1)._array
    kind = ctypes.PYFUNCTYPE(*[ctypes.c_int64] * 5)
    empty = kind(ufunc.array_api(builtin.EMPTY_ARRAY))
    kept = []

    def make(*arguments):
        for one in tensors:
            one._array = None
        tensors.clear()
        kept.extend(np.full((3, 50), 99, np.float32) for _ in range(4))
        return empty(*arguments)

    callback = kind(make)
    join = with_function(name, ctypes.cast(callback, ctypes.c_void_p).value)
    np.testing.assert_array_equal(join(tensors, 1)._array, expected)
    assert kept and not tensors


def test_a_list_that_is_still_being_filled_is_left_alone():
    fresh = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_ssize_t)(("PyList_New", ctypes.pythonapi))
    join, unfilled, answers = machine_code(OPS["cat"], "no_grad"), fresh(2), []
    # Until all items are there, Python may do no more with it than hand it on.
    for number in range(2):
        answers.append(join(unfilled, 0))
        x = nt.ones(2)
        # Takes the reference over.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(x))
        ctypes.pythonapi.PyList_SetItem(ctypes.py_object(unfilled), ctypes.c_ssize_t(number), ctypes.py_object(x))
    assert answers == [None, None]
    assert join(unfilled, 0).tolist() == [1.0] * 4


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_arrays_and_lists_are_kept_while_objects_are_made(name, path):
    tensors = several((3, 50), (3, 50))
    arrays = [one._array for one in tensors]
    expected = (np.concatenate if name == "cat" else np.stack)(arrays, 1)

    def change():
        for one, array in zip(tensors, arrays, strict=True):
            one._array = array.copy()
        tensors[:] = [tensor(array.copy()) for array in arrays]

    with entered(path), changed_by_collections(change):
        for _ in range(200):
            np.testing.assert_array_equal(OPS[name].public(tensors, 1)._array, expected)


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_another_thread_changes_what_is_joined(name, path):
    tensors = several((3, 50), (3, 50))
    arrays = [one._array for one in tensors]
    expected = (np.concatenate if name == "cat" else np.stack)(arrays, 0)
    with entered(path), swapped_by_a_thread(tensors[0], arrays[0]), swapped_by_a_thread(tensors[1], arrays[1]):
        for _ in range(500):
            np.testing.assert_array_equal(OPS[name].public(tensors, 0)._array, expected)


def test_tuples_and_lists_that_lie_otherwise_are_told(monkeypatch):
    assert tuples.supported()
    for offset in (tuples.ITEMS - 8, tuples.ITEMS + 8):
        with monkeypatch.context() as patch:
            patch.setattr(tuples, "ITEMS", offset)
            assert not tuples.supported.__wrapped__()
