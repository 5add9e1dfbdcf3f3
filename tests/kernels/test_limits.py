"""Kernels with a limit: blocks without a large number have a loop of their own, and no result depends on it."""

import platform
import re

import llvmlite.binding
import numpy as np
import pytest

from numtensor.kernels import intrinsics, loops
from numtensor.kernels.declare import REGISTRY
from numtensor.kernels.elementary.trigonometric import REDUCTION_LIMIT

DTYPES = ("float32", "float64")
UNARY = ["forward.trigonometric.sin", "forward.trigonometric.cos", "forward.trigonometric.tan"]
BINARY = ["backward.trigonometric.sin", "backward.trigonometric.cos"]


def numbers(dtype):
    """Four blocks: moderate numbers and NaN, numbers around the limit, one huge number, and half a block without."""
    generator = np.random.default_rng(0)
    x = generator.uniform(-100, 100, 3 * loops.BLOCK + loops.BLOCK // 2).astype(dtype)
    x[5] = np.nan
    limit = np.asarray(REDUCTION_LIMIT, dtype)
    x[loops.BLOCK : loops.BLOCK + 3] = limit, np.nextafter(limit, dtype(0)), -limit
    x[2 * loops.BLOCK - 2 : 2 * loops.BLOCK] = np.nextafter(limit, dtype(np.inf)), -np.inf
    x[2 * loops.BLOCK + 7] = 1e30
    return x


def one_by_one(function, *operands):
    """Every element in a call of its own."""
    return np.array([function(*row)[()] for row in zip(*(operand[:, None] for operand in operands), strict=True)])[:, 0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_no_result_depends_on_its_neighbours(name, dtype):
    function = REGISTRY[name].loops[np.dtype(dtype)]
    x = numbers(np.dtype(dtype).type)
    expected = one_by_one(function, x)
    np.testing.assert_array_equal(function(x), expected)
    np.testing.assert_array_equal(function(x[::-3]), expected[::-3])
    in_place = x.copy()
    function(in_place, in_place)
    np.testing.assert_array_equal(in_place, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BINARY)
def test_neither_does_it_with_another_operand(name, dtype):
    function = REGISTRY[name].loops[np.dtype(dtype)]
    x = numbers(np.dtype(dtype).type)
    grad = np.linspace(-2, 2, x.size, dtype=dtype)
    two = np.asarray(2, dtype)
    np.testing.assert_array_equal(function(grad, x), one_by_one(function, grad, x))
    np.testing.assert_array_equal(function(two, x), one_by_one(function, np.full_like(x, 2), x))
    np.testing.assert_array_equal(function(grad, x[:1]), one_by_one(function, grad, np.full_like(x, x[0])))


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64") or not llvmlite.binding.get_host_cpu_features().get("avx2"),
    reason="looks for the vector instructions of AVX2 and AVX-512",
)
@pytest.mark.parametrize("name", UNARY + BINARY)
def test_loop_of_moderate_numbers_has_nothing_for_large_ones(name):
    """In float32 large ones are reduced in float64."""
    loop, _, rest = REGISTRY[name].assembly("float32").partition("\t.size")
    assert re.search(r"\bvfn?madd\w+ps\s.*%[yz]mm", loop)
    assert not re.search(r"\bvcvtp[sd]2p[sd]\b", loop)
    assert re.search(r"\bvcvtp[sd]2p[sd]\b", rest)


def test_within_as_python():
    x = np.float32(-3)
    assert intrinsics.within(x, np.float32(3))
    assert not intrinsics.within(x, np.float32(2))
    assert intrinsics.within(np.float32(np.nan), np.float32(2))
    assert intrinsics.promised_within(x, np.float32(3)) == x
