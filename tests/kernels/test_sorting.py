"""The radix sorts and topk against NumPy's stable sort, in each of their ways to sort: few, some and many elements."""

import numpy as np
import pytest

from numtensor.kernels.forward import sorting

DTYPES = ("uint8", "int8", "int16", "int32", "int64", "float32", "float64")
SHAPES = ((0,), (1,), (3, 7), (2, 64), (2, 65), (3, 500), (2, 6001))


def data(dtype, shape):
    """Numbers with duplicates; floats with NaN of both signs, infinities and zeros of both signs among them."""
    x = np.random.default_rng(0).normal(0, 50, shape).round().astype(dtype)
    flat = x.reshape(-1)
    if x.dtype.kind == "f":
        for k, value in enumerate((np.nan, -np.nan, np.inf, -np.inf, -0.0, 0.0, -0.0)):
            flat[k::17] = value
    elif flat.size > 6:
        info = np.iinfo(dtype)
        flat[:6] = info.max, info.min, info.max, 0, info.min, 1
    return x


def expected_order(x, descending):
    if not descending:
        return np.argsort(x, axis=-1, kind="stable")
    return x.shape[-1] - 1 - np.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_sort_is_numpys_stable_sort(dtype, shape, descending):
    x = data(dtype, shape)
    order = expected_order(x, descending)
    kernel, buffers = (sorting.sort_wide, 4) if x.itemsize == 8 else (sorting.sort_narrow, 2)
    scratch = np.empty((buffers, shape[-1]), np.uint64)
    values, found = kernel.loops[x.dtype](x, np.int64(-1 if descending else 0), scratch)
    np.testing.assert_array_equal(found, order)
    # Bit by bit: zeros keep their signs, NaN theirs.
    assert values.tobytes() == np.take_along_axis(x, order, -1).tobytes()


@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_topk_is_the_start_of_the_stable_sort(dtype, largest):
    for shape in SHAPES:
        x = data(dtype, shape)
        order = expected_order(x, largest)
        for k in (1, 3, 60):
            if k > shape[-1]:
                continue
            scratch = np.empty(k, np.int64)
            values, found = sorting.topk.loops[x.dtype](x, np.int64(0 if largest else -1), scratch)
            np.testing.assert_array_equal(found, order[..., :k])
            assert values.tobytes() == np.take_along_axis(x, found, -1).tobytes()
