"""Rows by index from tensors to a tensor in machine code: what the mode's own callable gives."""

import numpy as np
import pytest

import numtensor as nt
from numtensor import lean
from numtensor.ops.declaration import OPS

from .boxes import (
    MODES,
    assert_nothing_is_left,
    changed_by_collections,
    entered,
    machine_code,
    outcome,
    swapped_by_a_thread,
    tensor,
)
from .layouts import NATIVE

pytestmark = pytest.mark.skipif(lean.layout() is None, reason="objects lie otherwise in this interpreter's memory")

DTYPES = ["float32", "float64", "int64", "int16", "uint8", "bool"]


def numbers(*shape, dtype="float32"):
    return (np.random.default_rng(0).standard_normal(shape) * 9).astype(dtype)


def positions(*values, dtype="int64"):
    return tensor(np.array(values, dtype))


def assert_same(name, path, *arguments):
    op = OPS[name]
    with entered(path) as mode:
        expected = outcome(getattr(mode, name), *arguments)
        found = outcome(op.public, *arguments)
    assert found == expected, (name, arguments)


INDICES = [(0, 2, 2, 1), (), (2,), (0, 3), (-1, 0), (1 << 62,), (-(1 << 62),)]


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_positions_of_a_dimension(dtype, path):
    for shape in [(3,), (3, 4), (4, 3), (3, 3, 3), (0, 3), (3, 0), (), (1, 3, 1)]:
        x = tensor(numbers(*shape, dtype=dtype))
        for dim in (0, 1, 2, -1, -2, 7, True):
            for values in INDICES:
                assert_same("index_select", path, x, dim, positions(*values))
            assert_same("index_select", path, x, dim, positions(1, 0, dtype="int32"))
            assert_same("index_select", path, x, dim, tensor(np.array([[0, 1], [1, 0]])))
            assert_same("index_select", path, x, dim, tensor(np.array(1)))


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_of_a_table(dtype, path):
    for shape in [(3, 4), (3, 1), (3, 0), (3,), (3, 2, 2)]:
        weight = tensor(numbers(*shape, dtype=dtype))
        for values in INDICES:
            index = np.array(values, np.int64)
            for arranged in (index, index.reshape(1, -1), index.reshape(-1, 1, 1)):
                for padding in (None, 0, -1, 9):
                    assert_same("embedding", path, tensor(arranged), weight, padding)


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("layout", NATIVE)
def test_layouts(layout, path):
    x = NATIVE[layout](numbers(4, 3))
    for index in (np.array([0, 0]), np.array([0, 9, 0])[::2], np.array([0, 0, 0, 0]).reshape(2, 2).T):
        assert_same("index_select", path, tensor(x), 0, tensor(index))
        if x.ndim == 2:
            assert_same("embedding", path, tensor(index), tensor(x))
    rows = NATIVE[layout](np.zeros((4, 3), np.int64))
    assert_same("embedding", path, tensor(rows), tensor(numbers(2, 3)))


@pytest.mark.parametrize("path", MODES)
def test_it_is_machine_code_that_answers(path):
    with entered(path) as mode:
        x, index = tensor(numbers(3, 4)), positions(0, 2)
        mode.index_select(x, 0, index)
        take = machine_code(OPS["index_select"], path)
        np.testing.assert_array_equal(take(x, -2, index)._array, x._array[[0, 2]], strict=True)
        np.testing.assert_array_equal(take(x, 1, index)._array, x._array[:, [0, 2]], strict=True)
        # What is not plain it leaves alone.
        assert take(x, 0, positions(0, 3)) is None
        assert take(x, 0, positions(-1)) is None
        assert take(x, 0) is None
        assert take(x._array, 0, index) is None
        assert take(x, 2**70, index) is None


@pytest.mark.parametrize("path", MODES)
def test_many_rows_release_the_lock_and_hold_the_arrays(path):
    x, index = tensor(numbers(400, 30)), tensor(np.arange(400)[::-1].copy())
    expected = x._array[::-1].copy()
    with entered(path), swapped_by_a_thread(x, x._array), swapped_by_a_thread(index, index._array):
        for _ in range(300):
            np.testing.assert_array_equal(nt.index_select(x, 0, index)._array, expected)


@pytest.mark.parametrize("path", MODES)
def test_nothing_is_left(path):
    x, index, outside = tensor(numbers(3, 4)), positions(0, 2), positions(5)
    with entered(path) as mode:
        mode.index_select(x, 0, index)
        take = machine_code(OPS["index_select"], path)
        watched = (x._array, index._array, x._array.dtype, None)
        assert_nothing_is_left(lambda: take(x, 0, index), watched)
        assert_nothing_is_left(lambda: take(x, 0, outside), watched)


@pytest.mark.parametrize("path", MODES)
def test_garbage_is_collected_meanwhile(path):
    x, index = tensor(numbers(30, 4)), positions(0, 2)
    array = x._array

    def change():
        x._array = array.copy()

    with entered(path), changed_by_collections(change):
        for _ in range(200):
            np.testing.assert_array_equal(nt.index_select(x, 0, index)._array, array[[0, 2]])
