"""The loop around a formula has the same bits for every layout: contiguous, strided, repeated, reversed, streamed."""

import ctypes

import numpy as np
import pytest

from numtensor.kernels import immortal, moves
from numtensor.kernels.declare import REGISTRY
from numtensor.kernels.element_loop import BLOCK

SIZES = [1, 2, 7, 8, 9, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5]
KERNELS = [
    ("forward.arithmetic.add", "float32"),
    ("forward.arithmetic.add", "int8"),
    ("forward.exponential.exp", "float32"),
    ("forward.choice.where", "float64"),
    ("forward.choice.clamp", "int16"),
    ("forward.comparison.gt", "float64"),
    ("forward.power.pow", "float32"),
    ("backward.arithmetic.mul", "float32"),
]


def layouts(array):
    """Return arrays equal to this one that lie otherwise."""
    n = len(array)
    wide = np.zeros((n, 3), array.dtype)
    wide[:, 1] = array
    backwards = array[::-1].copy()
    shifted = np.zeros(n + 1, array.dtype)
    shifted[1:] = array
    pairs = np.zeros(2 * n - 1, array.dtype)
    pairs[::2] = array
    return {
        "contiguous": array,
        "column": wide[:, 1],
        "every other": pairs[::2],
        "reversed": backwards[::-1],
        "shifted": shifted[1:],
    }


def arguments(kernel, dtype, n, seed):
    rng = np.random.default_rng(seed)
    types = [dtype if kind == "T" else kind for kind in kernel.array_types + kernel.scalar_types]
    made = []
    for kind in types:
        numbers = rng.integers(0, 2, n) if kind == "bool" else rng.uniform(-9, 9, n)
        made.append(numbers.astype(kind))
    return made


def as_tuple(results):
    return results if isinstance(results, tuple) else (results,)


def same_bits(found, expected):
    for one, other in zip(as_tuple(found), as_tuple(expected), strict=True):
        one, other = np.asarray(one), np.asarray(other)
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(("name", "dtype"), KERNELS)
def test_layouts_have_the_same_bits(name, dtype, n):
    kernel = REGISTRY[name]
    ufunc = kernel.loops[np.dtype(dtype)]
    operands = arguments(kernel, dtype, n, seed=n)
    expected = ufunc(*operands)
    forms = [layouts(array) for array in operands]
    for changed in range(len(operands)):
        for layout in forms[0]:
            mixed = [form[layout if k <= changed else "contiguous"] for k, form in enumerate(forms)]
            same_bits(ufunc(*mixed), expected)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(("name", "dtype"), KERNELS)
def test_a_number_is_as_good_as_an_array_of_it(name, dtype, n):
    kernel = REGISTRY[name]
    ufunc = kernel.loops[np.dtype(dtype)]
    operands = arguments(kernel, dtype, n, seed=n)
    for numbers in range(1, 2 ** len(operands) - 1):
        mixed = [array[0] if numbers >> k & 1 else array for k, array in enumerate(operands)]
        arrays = [np.full(n, array) if array.ndim == 0 else array for array in map(np.asarray, mixed)]
        same_bits(ufunc(*mixed), ufunc(*arrays))


@pytest.mark.parametrize("n", SIZES)
def test_results_are_scattered(n):
    kernel = REGISTRY["backward.arithmetic.mul"]
    ufunc = kernel.loops[np.dtype(np.float32)]
    operands = arguments(kernel, "float32", n, seed=1)
    expected = ufunc(*operands)
    memory = np.zeros((3, n, 2), np.float32)
    found = ufunc(*operands, out=(memory[0, :, 0], memory[2, ::-1, 1]))
    same_bits(tuple(one.copy() for one in found), expected)
    memory[0, :, 0] = memory[2, :, 1] = 0
    assert not memory.any()


@pytest.mark.parametrize("step", [1, 2, -1])
@pytest.mark.parametrize("n", SIZES)
def test_in_place(n, step):
    ufunc = REGISTRY["forward.arithmetic.add"].loops[np.dtype(np.float32)]
    x, y = arguments(REGISTRY["forward.arithmetic.add"], "float32", n, seed=2)
    memory = np.empty(2 * n, np.float32)
    place = memory[:: 2 if step == 2 else 1][:n][:: -1 if step < 0 else 1]
    place[:] = x
    ufunc(place, y, place)
    same_bits(place.copy(), x + y)
    place[:] = x
    ufunc(place, place, place)
    same_bits(place.copy(), x + x)


def test_overlapping_operands_are_as_if_they_were_copied():
    ufunc = REGISTRY["forward.arithmetic.add"].loops[np.dtype(np.float32)]
    for target, source in ((slice(0, -1), slice(1, None)), (slice(1, None), slice(0, -1))):
        x = np.arange(3 * BLOCK, dtype=np.float32)
        expected = x[source] + x[source]
        ufunc(x[source], x[source], x[target])
        same_bits(x[target].copy(), expected)


def test_nothing_is_computed_of_nothing():
    ufunc = REGISTRY["forward.arithmetic.add"].loops[np.dtype(np.float32)]
    empty = np.empty((0, 3), np.float32)
    assert ufunc(empty, np.float32(1)).shape == (0, 3)
    assert ufunc(empty.T, empty.T).shape == (3, 0)


def test_zero_dimensions():
    ufunc = REGISTRY["forward.arithmetic.add"].loops[np.dtype(np.float32)]
    assert ufunc(np.float32(1), np.float32(2)) == np.float32(3)
    out = np.zeros((), np.float32)
    assert ufunc(np.array(1, np.float32), np.array(2, np.float32), out) == 3


def test_unaligned_operands():
    ufunc = REGISTRY["forward.arithmetic.add"].loops[np.dtype(np.float64)]
    raw = np.zeros(8 * 500 + 1, np.uint8)
    x = raw[1:].view(np.float64)
    assert not x.flags.aligned
    x[:] = np.arange(500)
    same_bits(ufunc(x, x), np.arange(500.0) * 2)


@pytest.fixture
def streaming():
    """Make ufuncs whose results are written past the caches, however small they are."""
    _, address, rows = (ctypes.c_uint64 * 3).from_address(moves.table())
    words = (ctypes.c_uint64 * 3)(0, address, rows)

    def make(name, dtype):
        *_, make = REGISTRY[name]._make_variant(None, None, np.dtype(dtype))
        return make(data=ctypes.addressof(words))

    yield make
    # The ufuncs are never freed, so what they point to is not, either.
    immortal.keep(words)


@pytest.mark.parametrize("n", [*SIZES, 20 * BLOCK + 3])
@pytest.mark.parametrize(("name", "dtype"), KERNELS)
def test_streamed_results_have_the_same_bits(streaming, name, dtype, n):
    kernel = REGISTRY[name]
    operands = arguments(kernel, dtype, n, seed=n)
    expected = as_tuple(kernel.loops[np.dtype(dtype)](*operands))
    ufunc = streaming(name, dtype)
    for start in (0, 1, 5, 16):
        # At any distance from a cache line, and nothing is written before or behind.
        memory = [np.full(n + 32, 1, one.dtype) for one in expected]
        found = tuple(one[start : start + n] for one in memory)
        ufunc(*operands, out=found)
        same_bits(found, expected)
        for one in memory:
            one[start : start + n] = 1
            assert (one == 1).all()
    strided = [layouts(array)["column"] for array in operands]
    same_bits(ufunc(*strided), expected if len(expected) > 1 else expected[0])


def test_streaming_in_place(streaming):
    x, y = arguments(REGISTRY["forward.arithmetic.add"], "float32", 5000, seed=3)
    expected = x + y
    streaming("forward.arithmetic.add", "float32")(x, y, x)
    same_bits(x, expected)
