"""An index out of range is never followed: each kernel that takes indices compares it, and says so.

Called directly, without what checks before and after them. Their arrays lie inside a larger one: what would be read or
written beside them shows.
"""

import numpy as np
import pytest

from numtensor.kernels import bounds, declare
from numtensor.kernels.backward import classification_loss as loss_backward
from numtensor.kernels.forward import classification_loss as loss
from numtensor.kernels.forward import indexing, scatter

FLOAT, INT = np.dtype(np.float32), np.dtype(np.int64)
GUARD = 777


def guarded(values, dtype=FLOAT):
    """Return an array in the middle of memory that is full of `GUARD`, and that memory."""
    values = np.asarray(values, dtype)
    memory = np.full((3, *values.shape), GUARD, dtype)
    memory[1] = values
    return memory[1], memory


def flag(result):
    return bool(np.any(result))


def taking(kernel, x, index):
    x, _ = guarded(x)
    out, outside = kernel.loops[FLOAT](x, np.array(index), out=(np.zeros(np.shape(index), FLOAT), None))
    assert GUARD not in out
    return flag(outside), out


def taking_rows(x, index):
    x, _ = guarded(x)
    out = np.zeros((1, len(index), 2), FLOAT)
    _, outside = indexing.take_rows.loops[FLOAT](x, np.array(index), out=(out, None))
    assert GUARD not in out
    return flag(outside), out[0]


def writing(kernel, extents, values, index, *more):
    out, memory = guarded(np.zeros(extents))
    _, outside = kernel.loops[FLOAT](np.asarray(values, FLOAT), np.array(index), *more, out=(out, None))
    assert (memory[[0, 2]] == GUARD).all(), "written beside the array"
    return flag(outside), out


ALONG = [[1.0, 2.0, 3.0]] * 3
NONE, MEAN = np.array(-100), np.array(True)


def cross_entropy(target):
    parts = np.empty((3, 3), FLOAT)
    _, used = loss.cross_entropy.loops[FLOAT](guarded(np.zeros((3, 4)))[0], np.array(target), NONE, MEAN, parts)
    return used < 0, None


def cross_entropy_backward(target):
    x, parts = guarded(np.zeros((3, 4)))[0], np.zeros((3, 3), FLOAT)
    out, memory = guarded(np.zeros((3, 4)))
    one = np.ones(1, FLOAT)
    kernel = loss_backward.cross_entropy.loops[FLOAT]
    _, outside = kernel(one, x, np.array(target), NONE, one[0], parts, out=(out, None))
    assert (memory[[0, 2]] == GUARD).all()
    return flag(outside), None


def nll(target):
    x = guarded(np.zeros((3, 4, 1)))[0]
    totals, weight = np.empty(2, FLOAT), np.ones(4, FLOAT)
    _, outside = loss.nll_loss.loops[FLOAT](x, np.array(target)[:, None], weight, NONE, MEAN, totals)
    return flag(outside), None


def nll_backward(target):
    out, memory = guarded(np.zeros((3, 4, 1)))
    one = np.ones(1, FLOAT)
    kernel = loss_backward.nll_loss.loops[FLOAT]
    _, outside = kernel(one, np.array(target)[:, None], one, NONE, one[0], out=(out, None))
    assert (memory[[0, 2]] == GUARD).all()
    return flag(outside), None


# Each takes three indices into an extent of 4, and returns whether one was found outside, and what was made.
CALLS = {
    indexing.take_along: lambda index: taking(indexing.take_along, [5.0, 6, 7, 8], index),
    indexing.take_rows: lambda index: taking_rows(np.arange(8.0).reshape(1, 4, 2), index),
    indexing.take_between: lambda index: taking(indexing.take_between, np.ones((4, 2)), np.repeat([index], 2, 0).T),
    scatter.add_along: lambda index: writing(scatter.add_along, 4, [1, 2, 3], index),
    scatter.put_along: lambda index: writing(scatter.put_along, 4, [1, 2, 3], index),
    scatter.add_between: lambda index: writing(scatter.add_between, (4, 3), ALONG, np.repeat([index], 3, 0).T),
    scatter.put_between: lambda index: writing(scatter.put_between, (4, 3), ALONG, np.repeat([index], 3, 0).T),
    scatter.add_rows: lambda index: writing(scatter.add_rows, (4, 3), ALONG, index, np.array(-1)),
    loss.cross_entropy: cross_entropy,
    loss_backward.cross_entropy: cross_entropy_backward,
    loss.nll_loss: nll,
    loss_backward.nll_loss: nll_backward,
}


@pytest.mark.parametrize("kernel", CALLS, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("bad", [4, -2, 10**12, -(2**63), 2**63 - 1])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_index_out_of_range_is_found_and_not_followed(kernel, bad, place):
    index = [3, 0, 2]
    assert not CALLS[kernel](index)[0]
    expected = CALLS[kernel](index)[1]
    index[place] = bad
    outside, made = CALLS[kernel](index)
    assert outside
    if made is not None and kernel.name.startswith("forward.indexing"):
        rest = [k for k in range(3) if k != place]
        np.testing.assert_array_equal(made[rest], expected[rest])


def test_every_kernel_that_takes_indices_is_here():
    """It is known by comparing them."""
    comparing = {k for k in declare.REGISTRY.values() if "in_bounds" in k.function.__code__.co_names}
    assert comparing == set(CALLS)


def test_in_bounds():
    assert bounds.in_bounds(np.int64(3), 4) and bounds.in_bounds(np.int64(0), 4)
    assert not bounds.in_bounds(np.int64(4), 4) and not bounds.in_bounds(np.int64(-1), 4)
    assert not bounds.in_bounds(np.int64(-(2**63)), 2**63 - 1)


def test_an_extent_of_0_has_no_index():
    out, outside = indexing.take_along.loops[FLOAT](np.zeros(0, FLOAT), np.array([0]), out=(np.zeros(1, FLOAT), None))
    assert outside and out == 0


@pytest.mark.parametrize("kernel", [indexing.take_along, scatter.put_along, indexing.tril])
def test_a_kernel_that_only_moves_is_compiled_once_for_a_size(kernel):
    addresses = kernel._addresses
    assert addresses[declare.CARRIERS[4]] == addresses[declare.CARRIERS[np.dtype(np.float32).itemsize]]
    before = len(addresses)
    for dtype in (np.float32, np.int32, np.float64, np.int64, np.bool_, np.uint8, np.int8, np.int16):
        assert kernel.loops[np.dtype(dtype)].types[0][0] == np.dtype(dtype).char
    assert set(addresses) <= set(declare.CARRIERS.values()) and len(addresses) >= before
