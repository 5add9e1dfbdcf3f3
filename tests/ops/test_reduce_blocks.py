"""Reductions of large arrays: the blocks and what is made of their results. ``test_threads.py`` compares threads."""

import math

import numpy as np
import pytest

import numtensor as nt
from numtensor.ops import reduce_blocks
from numtensor.ops.reduce_blocks import BLOCKS, LEAST
from numtensor.threads.limits import LIGHT, process


@pytest.fixture(autouse=True)
def counted(monkeypatch):
    """Take whatever has 1 KB for large; return a list that gets the number of steps of each call that is divided."""
    before = process.asks, process.threshold
    process.ask(True, 1024 // LIGHT)
    steps = []
    in_parts = reduce_blocks.in_parts

    def count(run, number, nbytes):
        steps.append(number)
        in_parts(run, number, nbytes)

    monkeypatch.setattr(reduce_blocks, "in_parts", count)
    yield steps
    process.ask(*before)


# Around a block, around as many as there are of the smallest, and beyond.
EXTENTS = [LEAST, LEAST + 1, 2 * LEAST, BLOCKS * LEAST - 1, BLOCKS * LEAST, BLOCKS * LEAST + 1, 40_000, 40_009]

REDUCTIONS = {
    "sum": (lambda x, dim: x.sum(dim), np.sum),
    "mean": (lambda x, dim: x.mean(dim), np.mean),
    "amax": (lambda x, dim: x.amax(() if dim is None else dim), np.max),
    "amin": (lambda x, dim: x.amin(() if dim is None else dim), np.min),
    "any": (lambda x, dim: (x > 3).any(dim), lambda x, axis: (x > 3).any(axis)),
    "all": (lambda x, dim: (x < 3).all(dim), lambda x, axis: (x < 3).all(axis)),
    "count_nonzero": (lambda x, dim: (x > 1).count_nonzero(dim), lambda x, axis: (x > 1).sum(axis)),
    "logsumexp": (lambda x, dim: x.logsumexp(() if dim is None else dim), lambda x, axis: np.log(np.exp(x).sum(axis))),
    "norm": (lambda x, dim: x.norm(dim=dim), lambda x, axis: np.sqrt((x * x).sum(axis))),
    "norm of order 3": (lambda x, dim: x.norm(3, dim), lambda x, axis: np.cbrt((np.abs(x) ** 3).sum(axis))),
    "norm of order 0": (lambda x, dim: x.norm(0, dim), lambda x, axis: (x != 0).sum(axis)),
    "norm of order -inf": (lambda x, dim: x.norm(-math.inf, dim), lambda x, axis: np.abs(x).min(axis)),
    "var": (lambda x, dim: x.var(dim), lambda x, axis: x.var(axis, ddof=1)),
    "argmax": (lambda x, dim: x.argmax(dim), np.argmax),
}


@pytest.mark.parametrize("extent", EXTENTS)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_values(name, extent):
    ours, reference = REDUCTIONS[name]
    array = np.random.default_rng(extent).normal(size=(extent, 3))
    array[5::7] = 0
    for x in (array[:, 0].copy(), array):
        for dim in (None, 0):
            found = ours(nt.from_numpy(x), dim)
            np.testing.assert_allclose(found.numpy(), reference(x, axis=dim), rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, np.bool_])
def test_values_of_other_dtypes(dtype, counted):
    array = np.random.default_rng(1).integers(0, 2, size=(9001, 5)).astype(dtype)
    x = nt.from_numpy(array)
    for dim in (None, 0):
        np.testing.assert_array_equal(x.sum(dim).numpy(), array.sum(dim, np.int64))
        np.testing.assert_array_equal(x.amax(() if dim is None else dim).numpy(), array.max(dim))
        np.testing.assert_array_equal(x.any(dim).numpy(), array.any(dim))
    assert counted == [BLOCKS] * 6


def test_a_sum_of_integers_wraps_around():
    array = np.full(10_000, 2**60)
    assert nt.from_numpy(array).sum().item() == (array.sum()).item()


@pytest.mark.parametrize("shape", [(9001,), (9001, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_numbers(shape, dtype):
    """In one block, and in two that do not agree."""
    for numbers in ([np.nan], [np.inf], [-np.inf], [np.inf, -np.inf], [-0.0, 0.0], [0.0, -0.0]):
        array = np.full(shape, -0.0 if 0.0 in numbers else 0.5, dtype)
        for place, number in enumerate(numbers):
            array[place * 5000] = number
        x = nt.from_numpy(array)
        with np.errstate(invalid="ignore"):
            np.testing.assert_array_equal(x.sum(0).numpy(), array.sum(0))
            np.testing.assert_array_equal(x.mean(0).numpy() == array.mean(0), ~np.isnan(array.mean(0)))
        for ours, reference in ((x.amax(0), array.max(0)), (x.amin(0), array.min(0))):
            np.testing.assert_array_equal(ours.numpy(), reference)
        if 0.0 in numbers:
            assert not np.signbit(x.amax(0).numpy()).any()
            assert np.signbit(x.amin(0).numpy()).all()


@pytest.mark.parametrize("place", [None, 0, 300, 4999, 9000])
def test_logic_stops_at_what_decides(place, counted):
    array = np.zeros(9001, np.float32)
    if place is not None:
        array[place] = np.nan
    assert nt.from_numpy(array).any().item() is (place is not None)
    assert nt.from_numpy(array == 0).all().item() is (place is None)
    assert counted == [BLOCKS] * 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("extent", EXTENTS)
def test_means_of_equal_numbers_are_exact(extent, dtype):
    assert nt.ones(extent, dtype=getattr(nt, dtype)).mean().item() == 1
    assert (nt.full((extent, 2), 3.0, dtype=getattr(nt, dtype)).mean(0) == 3).all()


@pytest.mark.parametrize("value", [1e30, 3e35])
def test_means_do_not_overflow_where_their_numbers_do_not(value):
    found = nt.full((100_001,), value).mean().item()
    assert found == pytest.approx(value, rel=1e-6)


def test_sums_are_about_as_good_as_they_can_be():
    array = np.random.default_rng(2).uniform(size=1_000_003)
    for dtype, eps in ((np.float32, 2**-24), (np.float64, 2**-53)):
        x = array.astype(dtype)
        assert nt.from_numpy(x).sum().item() == pytest.approx(math.fsum(x), rel=4 * eps)


def test_blocks_depend_on_the_shape_alone(counted):
    x = nt.ones(BLOCKS * LEAST + 1)
    before = process.number
    try:
        for number in (1, 2, 5):
            nt.set_num_threads(number)
            for mode in (nt.inference_mode(), nt.num_threads(1), nt.num_threads(3)):
                with mode:
                    x.sum()
                    x.reshape(-1, 1).sum(0)
    finally:
        nt.set_num_threads(before)
    assert counted == [BLOCKS] * 18


def test_few_long_rows_are_not_cut(counted):
    array = np.random.default_rng(4).normal(size=(3, 5000))
    x = nt.from_numpy(array)
    np.testing.assert_allclose(x.sum(1).numpy(), array.sum(1), rtol=1e-12)
    values, indices = x.max(1)
    np.testing.assert_array_equal(values.numpy(), array.max(1))
    np.testing.assert_array_equal(indices.numpy(), array.argmax(1))
    assert counted == [3, 3]


@pytest.mark.parametrize("name", ["var", "argmax"])
def test_what_is_not_combined_is_not_cut(name, counted):
    x = nt.ones(5, 9000)
    getattr(x, name)(0), getattr(x, name)(1), getattr(x, name)()
    assert counted == [1, 5, 1]


@pytest.mark.parametrize("dim", [None, 0, 1, 2, (0, 1), (0, 2), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("lay", [lambda x: x, lambda x: x.transpose(0, 2), lambda x: x[:, ::2], lambda x: x[None, 0]])
def test_layouts(lay, dim):
    x = lay(nt.from_numpy(np.random.default_rng(3).normal(size=(40, 300, 6))))
    array = np.ascontiguousarray(x.numpy())
    for keepdim in (False, True):
        found = x.sum(dim, keepdim).numpy()
        expected = array.sum(dim, keepdims=keepdim)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-11)
        assert found.shape == expected.shape
