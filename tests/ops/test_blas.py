"""Products in tiles: right for every shape and layout, the same bits however asked for, taken where meant."""

import os
import subprocess
import sys

import numpy as np
import pytest

import numtensor as nt
from numtensor.ops import blas

F = nt.nn.functional

# Rows, depth, columns: one tile of rows, several, edges below and beside, the blocks of many rows, few columns, a depth
# that leaves small tiles, and the small depth of a weight's gradient.
TURNED = [
    (2, 784, 1024),
    (8, 784, 256),
    (17, 200, 131),
    (64, 784, 256),
    (61, 401, 317),
    (63, 2000, 130),
    (100, 512, 128),
    (300, 784, 100),
    (700, 600, 67),
    (500, 300, 10),
]
STRAIGHT = [(256, 64, 784), (200, 17, 317), (65, 33, 1000), (700, 2, 900)]


def operands(rows, depth, columns, dtype=np.float32):
    random = np.random.default_rng(0)
    return (random.standard_normal(shape).astype(dtype) for shape in ((rows, depth), (columns, depth)))


@pytest.fixture
def one_thread(monkeypatch):
    """Have products cut whatever this machine's BLAS is: the tiles are right for any."""
    monkeypatch.setattr(blas, "_thread_count", lambda: lambda: 1)


@pytest.fixture
def tiles(monkeypatch):
    """Note the tiles in which products are cut."""
    taken = []
    choose = blas._tile_for
    monkeypatch.setattr(blas, "_tile_for", lambda a, b: taken.append(choose(a, b)) or taken[-1])
    return taken


def assert_product(result, a, b):
    exact = a.astype(np.float64) @ b.astype(np.float64)
    bound = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64)
    assert result.dtype == a.dtype and result.shape == exact.shape
    assert (np.abs(result - exact) <= 4 * np.sqrt(a.shape[1]) * np.finfo(a.dtype).eps * bound).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", TURNED + STRAIGHT)
def test_tiles_are_the_product(one_thread, tiles, shape, dtype):
    x, weight = operands(*shape, dtype)
    right = weight.T if shape in TURNED else np.ascontiguousarray(weight.T)
    for left in (x, np.asfortranarray(x)) if shape in STRAIGHT else (x,):
        assert_product(blas.product(left, right), x, weight.T)
    # In double precision, many rows are not cut.
    if dtype == np.float32 or shape[0] <= 32 or shape in STRAIGHT:
        assert None not in tiles


@pytest.mark.parametrize("shape", TURNED + STRAIGHT)
def test_tiles_of_padded_memory_and_into_given_memory(one_thread, tiles, shape):
    x, weight = operands(*shape)
    wide, padded = np.zeros((shape[0], shape[1] + 3), np.float32), np.zeros((shape[2], shape[1] + 5), np.float32)
    wide[:, 1:-2], padded[:, 2:-3] = x, weight
    left, right = wide[:, 1:-2], padded[:, 2:-3].T
    if shape in STRAIGHT:
        right = np.zeros((shape[1], shape[2] + 1), np.float32)[:, :-1]
        right[...] = weight.T
    out = np.full((shape[0], shape[2]), np.nan, np.float32)
    assert blas.product(left, right, out) is out
    assert tiles[0] is not None
    assert_product(out, x, weight.T)


@pytest.mark.parametrize("where", ["a row backwards", "every other column", "one row many times", "one column"])
def test_other_layouts_are_left_to_numpy(one_thread, tiles, where):
    x, weight = operands(40, 300, 200)
    right = weight.T
    if where == "a row backwards":
        x = x[:, ::-1]
    elif where == "every other column":
        x, right = x[:, ::2], right[::2]
    elif where == "one row many times":
        x = np.broadcast_to(x[:1], x.shape)
    else:
        right = np.broadcast_to(right[:, :1], right.shape)
    assert_product(blas.product(x, right), x, right)
    assert all(tile is None for tile in tiles)


def test_values_that_are_not_numbers_stay_in_their_rows_and_columns(one_thread, tiles):
    x, weight = operands(40, 300, 200)
    x[3, 7], x[20, 0], weight[150, 299] = np.nan, np.inf, np.inf
    result = blas.product(x, weight.T)
    assert tiles[0] is not None
    bad = ~np.isfinite(result)
    expected = np.zeros_like(bad)
    expected[3] = expected[20] = expected[:, 150] = True
    np.testing.assert_array_equal(bad, expected)


def test_integers_and_wrong_shapes_are_left_to_numpy(one_thread):
    x, weight = operands(40, 300, 200)
    a, b = (x * 10).astype(np.int64), (weight * 10).astype(np.int64)
    np.testing.assert_array_equal(blas.product(a, b.T), a @ b.T)
    with pytest.raises(ValueError):
        blas.product(x, weight)


@pytest.mark.parametrize("shape", [(8, 784, 256), (64, 784, 256), (300, 784, 100), (5, 300, 1000)])
def test_every_way_to_a_product_has_the_same_bits(one_thread, shape):
    x, weight = (nt.from_numpy(array) for array in operands(*shape))
    expected = F.linear(x, weight).numpy().tobytes()
    tracked = weight.clone().requires_grad_()
    assert F.linear(x, tracked).detach().numpy().tobytes() == expected
    assert (x @ weight.T).numpy().tobytes() == expected
    assert nt.mm(x, weight.T).numpy().tobytes() == expected
    assert F.linear(x.reshape(1, *x.shape), weight)[0].numpy().tobytes() == expected
    module = nt.nn.Linear(shape[1], shape[2], bias=False)
    module.load_state_dict({"weight": weight})
    chain = nt.nn.Sequential(module)
    for mode in (nt.no_grad, nt.inference_mode):
        with mode():
            for function in (lambda: F.linear(x, weight), lambda: x @ weight.T, lambda: chain(x)):
                assert function().numpy().tobytes() == expected


def test_gradients_through_tiles(one_thread, tiles):
    arrays = [*operands(64, 300, 256)]
    x, weight = (nt.from_numpy(array).requires_grad_() for array in arrays)
    F.linear(x, weight).sum().backward()
    assert any(tile is not None for tile in tiles)
    for tensor, other in ((x, arrays[1]), (weight, arrays[0])):
        expected = np.broadcast_to(other.sum(0), tensor.shape)
        np.testing.assert_allclose(tensor.grad.numpy(), expected, rtol=1e-3, atol=1e-4)


def test_with_several_threads_only_few_rows_are_cut(monkeypatch, tiles):
    monkeypatch.setattr(blas, "_thread_count", lambda: lambda: 2)
    for rows in (8, 64):
        x, weight = operands(rows, 784, 256)
        assert_product(blas.product(x, weight.T), x, weight.T)
    assert [tile is None for tile in tiles] == [False, True]


def test_without_kernels_for_small_products_nothing_is_cut(monkeypatch, tiles):
    monkeypatch.setattr(blas, "_thread_count", lambda: None)
    x, weight = operands(8, 784, 256)
    assert_product(blas.product(x, weight.T), x, weight.T)
    assert tiles == [None]


def test_openblas_is_asked_for_its_processor():
    """What OpenBLAS calls a processor without AVX-512 has no kernels for small products."""
    program = "from numtensor.ops import blas; print(blas._thread_count() is None)"
    environment = os.environ | {"OPENBLAS_CORETYPE": "Haswell", "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "True"
