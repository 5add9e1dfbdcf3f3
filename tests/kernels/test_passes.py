"""Passes written with vectors: runs of every length around those of the vectors, on elements in a row and apart."""

import numpy as np
import pytest

from numtensor.kernels import passes
from numtensor.kernels.forward import extremes

LENGTHS = (1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 255, 257, 1000, 2047, 2049, 5000)
LAYOUTS = (lambda x: x, lambda x: np.repeat(x, 3, 1)[:, ::3], lambda x: x[:, ::-1])
KERNELS = [
    (extremes.amax, extremes.argmax, np.argmax, np.all),
    (extremes.amin, extremes.argmin, np.argmin, np.any),
]


def floats(generator, shape, dtype):
    """Rows of any numbers, of few, with NaN of either sign, of one number, and of zeros as the largest or smallest."""
    x = generator.standard_normal((8, *shape)).astype(dtype)
    x[1] = np.round(x[1])
    x[2][generator.random(shape) < 0.01] = np.nan
    x[3][:, generator.integers(shape[1])] = -np.nan
    x[4] = -np.inf
    x[5] = np.inf
    x[5][:, -1] = np.nan
    zeros = np.where(generator.random(shape) < 0.5, 0.0, -0.0)
    x[6] = np.where(x[6] > 0, zeros, x[6])
    x[7] = np.where(x[7] < 0, zeros, x[7])
    return x.reshape(-1, shape[1])


def integers(generator, shape, dtype):
    """Rows of any numbers, of few, and of the least and the largest one only."""
    info = np.iinfo(dtype)
    x = generator.integers(info.min, info.max, (4, *shape), dtype, endpoint=True)
    x[1] = generator.integers(0, 3, shape)
    x[2], x[3] = info.min, info.max
    return x.reshape(-1, shape[1])


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64"])
@pytest.mark.parametrize("kernels", KERNELS, ids=["max", "min"])
def test_extremes_of_runs_of_any_length(kernels, dtype):
    extreme, position, reference, sign_of_zero = kernels
    kind = np.dtype(dtype)
    generator = np.random.default_rng(0)
    for n in LENGTHS:
        data = (floats if kind.kind == "f" else integers)(generator, (3, n), kind)
        for layout in LAYOUTS:
            x = layout(data)
            expected = reference(x, 1)
            best = np.take_along_axis(x, expected[:, None], 1)[:, 0]
            values, indices = position.loops[kind](x)
            np.testing.assert_array_equal(indices, expected)
            assert values.tobytes() == best.tobytes(), "the element itself, with its sign of zero"
            found = extreme.loops[kind](x)
            np.testing.assert_array_equal(found, best)
            for row, number in zip(x, found, strict=True):
                if kind.kind == "f" and number == 0:
                    assert np.signbit(number) == sign_of_zero(np.signbit(row[row == 0]))


def test_passes_as_python():
    x = np.array([3.0, 7.0, -1.0, 7.0, np.nan])
    assert passes.highest(x, 0, 4) == 7
    assert passes.lowest(x, 0, 4) == -1
    assert np.isnan(passes.highest(x, 0, 5))
    assert passes.first_of(x, 0, 4, 7.0) == 1
    assert passes.first_of(x, 2, 5, np.nan) == 4
    value, index = np.zeros(1), np.zeros(1, np.int64)
    extremes.argmax(x[:4], value, index)
    assert (value[0], index[0]) == (7, 1)
