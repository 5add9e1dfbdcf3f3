"""Kernels with a limit: blocks without a large number have a loop of their own, and no result depends on it."""

import platform
import re

import llvmlite.binding
import numpy as np
import pytest

from numtensor.kernels import element_loop, intrinsics
from numtensor.kernels.declare import REGISTRY
from numtensor.kernels.elementary.trigonometric import REDUCTION_LIMIT

DTYPES = ("float32", "float64")
UNARY = ["forward.trigonometric.sin", "forward.trigonometric.cos", "forward.trigonometric.tan"]
LABELS = ("moderate0", "elements0")
# A conversion between float32 and float64.
WIDENED = re.compile(r"\bvcvtp[sd]2p[sd]\b")
BINARY = ["backward.trigonometric.sin", "backward.trigonometric.cos"]


def numbers(dtype):
    """Four blocks: moderate numbers and NaN, numbers around the limit, one huge number, and half a block without."""
    generator = np.random.default_rng(0)
    x = generator.uniform(-100, 100, 3 * element_loop.WATCHED + element_loop.WATCHED // 2).astype(dtype)
    x[5] = np.nan
    limit = np.asarray(REDUCTION_LIMIT, dtype)
    x[element_loop.WATCHED : element_loop.WATCHED + 3] = limit, np.nextafter(limit, dtype(0)), -limit
    x[2 * element_loop.WATCHED - 2 : 2 * element_loop.WATCHED] = np.nextafter(limit, dtype(np.inf)), -np.inf
    x[2 * element_loop.WATCHED + 7] = 1e30
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
    text = REGISTRY[name].assembly("float32")
    moderate, any_number = (re.search(rf"^{label}:.*?\t\.size", text, re.M | re.S).group() for label in LABELS)
    assert re.search(r"\bvfn?madd\w+ps\s.*%[yz]mm", moderate)
    assert not WIDENED.search(moderate)
    assert WIDENED.search(any_number)


def test_within_as_python():
    x = np.float32(-3)
    assert intrinsics.within(x, np.float32(3))
    assert not intrinsics.within(x, np.float32(2))
    assert intrinsics.within(np.float32(np.nan), np.float32(2))
    assert intrinsics.promised_within(x, np.float32(3)) == x
