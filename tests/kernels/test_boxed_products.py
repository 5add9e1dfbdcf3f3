"""Small products in machine code: the bits of the way in Python, and nothing else."""

import math

import numpy as np
import pytest

import numtensor as nt
from numtensor import lean
from numtensor.graph import Metadata
from numtensor.nn import Parameter
from numtensor.ops import blas
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

pytestmark = pytest.mark.skipif(
    lean.layout() is None or blas._gem("gemm", np.dtype("float32")) is None,
    reason="objects lie otherwise in this interpreter's memory, or NumPy has another BLAS",
)

F32 = np.dtype("float32")


def numbers(*shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def assert_same(name, path, *arguments):
    """Compare the public form with the mode's callable."""
    with entered(path) as mode:
        assert outcome(OPS[name].public, *arguments) == outcome(getattr(mode, name), *arguments)


SHAPES = [
    *((2, 2, 2), (4, 4, 4), (3, 7, 5), (2, 40, 2), (40, 2, 40), (17, 33, 9), (64, 32, 32), (1, 4, 4), (1, 300, 6)),
    *((4, 1, 4), (4, 4, 1), (1, 1, 1), (0, 3, 3), (3, 0, 3), (3, 3, 0), (2, 2047, 2), (2, 1024, 2), (200, 40, 40)),
]


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes(shape, dtype, path):
    rows, depth, columns = shape
    x, other = tensor(numbers(rows, depth, dtype=dtype)), tensor(numbers(depth, columns, dtype=dtype, seed=1))
    weight, bias = tensor(numbers(columns, depth, dtype=dtype, seed=2)), tensor(numbers(columns, dtype=dtype, seed=3))
    assert_same("matmul", path, x, other)
    assert_same("mm", path, x, other)
    assert_same("linear", path, x, weight, bias)
    assert_same("linear", path, x, weight, None)


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("layout", NATIVE)
def test_layouts(layout, path):
    for other in NATIVE.values():
        x, y = tensor(NATIVE[layout](numbers(4, 4))), tensor(other(numbers(4, 4, seed=1)))
        assert_same("matmul", path, x, y)
        assert_same("linear", path, x, y, tensor(numbers(4)))
        assert_same("linear", path, x, tensor(numbers(4, 4)), y)


@pytest.mark.parametrize("path", MODES)
def test_of_a_matrix_by_itself(path):
    x = tensor(numbers(6, 6))
    assert_same("matmul", path, x, x)
    assert_same("linear", path, x, x, None)
    assert_same("linear", path, x, x.detach(), tensor(numbers(6)))


@pytest.mark.parametrize("path", MODES)
def test_special_values(path):
    x, y = numbers(4, 4), numbers(4, 4, seed=1)
    for value in (math.nan, math.inf, -math.inf, -0.0, 1e38):
        x[1, 2] = y[2, 3] = value
        assert_same("matmul", path, tensor(x), tensor(y))
        assert_same("linear", path, tensor(x), tensor(y), tensor(x[1].copy()))
    zeros = tensor(np.full((3, 3), -0.0, F32))
    assert_same("matmul", path, zeros, zeros)
    assert_same("linear", path, zeros, tensor(numbers(3, 3)), tensor(np.full(3, -0.0, F32)))


@pytest.mark.parametrize("path", MODES)
def test_shapes_that_do_not_fit_are_told_by_python(path):
    x = tensor(numbers(4, 4))
    for y in (tensor(numbers(3, 4)), tensor(numbers(4)), tensor(numbers(2, 4, 4)), tensor(numbers()), None, 2.0, "y"):
        assert_same("matmul", path, x, y)
        assert_same("linear", path, x, y, None)
        assert_same("linear", path, x, x, y)
    assert_same("matmul", path, x, tensor(numbers(4, 4, dtype="float64")))
    assert_same("linear", path, x, tensor(numbers(4, 4)), tensor(numbers(4, dtype="float64")))


@pytest.mark.parametrize("path", MODES)
def test_common_calls_are_done_here(path):
    x, y, bias = tensor(numbers(4, 5)), tensor(numbers(5, 6)), tensor(numbers(6))
    weight, row = tensor(numbers(6, 5)), tensor(numbers(1, 5))
    matmul, linear = machine_code(OPS["matmul"], path), machine_code(OPS["linear"], path)
    for made in (matmul(x, y), linear(x, weight, bias), linear(x, weight, None), linear(row, weight, bias)):
        assert type(made) is Tensor
        assert type(made._meta) is (type(None) if path == "inference" else Metadata)
    for given in ((), (x,), (x, y, bias), (x, x), (x, 2.0), (object.__new__(Tensor), y), (x, object.__new__(Tensor))):
        assert matmul(*given) is None
    for given in ((), (x, weight), (x, weight, 1.0), (x, y, bias), (x, weight, tensor(numbers(5))), (None, x, x)):
        assert linear(*given) is None
    for name in ("other byte order", "a subclass", "transposed"):
        assert matmul(tensor(LAYOUTS[name](numbers(4, 5))), y) is None
        assert matmul(x, tensor(LAYOUTS[name](numbers(5, 6)))) is None
    large = tensor(numbers(64, 64))
    assert matmul(large, large) is None and linear(large, large, None) is None
    learnt = Parameter(nt.ones(6, 5))
    assert (linear(x, learnt, bias) is None) == (path == "tracked")
    assert (linear(x, weight, Parameter(nt.ones(6))) is None) == (path == "tracked")


def test_what_requires_grad_is_recorded():
    layer, x = nt.nn.Linear(3, 4), tensor(numbers(2, 3))
    with nt.no_grad():
        expected = layer(x)
    found = layer(x)
    assert state(found)[:6] == state(expected)[:6] and found.grad_fn is not None
    found.sum().backward()
    assert layer.weight.grad.shape == (4, 3) and layer.bias.grad.tolist() == [2] * 4


@pytest.mark.parametrize("path", MODES)
def test_no_reference_is_lost_or_kept(path):
    x, y, bias, wrong = tensor(numbers(4, 4)), tensor(numbers(4, 4)), tensor(numbers(4)), tensor(numbers(3, 3))
    matmul, linear = (machine_code(OPS[name], path) for name in ("matmul", "linear"))

    def call():
        matmul(x, y), matmul(x, wrong), matmul(x, x), matmul(x, 1.0)
        linear(x, y, bias), linear(x, y, None), linear(x, y, wrong), linear(x, wrong, bias), linear(x, x, bias)

    watched = [x, y, bias, wrong, x._array, y._array, bias._array, None, F32, Tensor, Metadata]
    assert_nothing_is_left(call, watched, calls=4000)


@pytest.mark.parametrize("path", MODES)
def test_arrays_are_kept_while_objects_are_made_and_other_threads_run(path):
    array = numbers(40, 40)
    x, y = tensor(array.copy()), tensor(array.copy())
    expected = array @ array

    def swap():
        x._array = array.copy()

    with entered(path):
        with changed_by_collections(swap):
            results = [nt.matmul(x, y) for _ in range(200)]
        with swapped_by_a_thread(x, array), swapped_by_a_thread(y, array):
            results += [nt.matmul(x, y) for _ in range(2000)]
    for result in results:
        np.testing.assert_array_equal(result._array, expected)
