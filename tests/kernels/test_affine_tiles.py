"""Affine maps of several rows in tiles."""

import numpy as np
import pytest

from numtensor.ops import blas
from numtensor.ops.blas import affine_in_tiles

from .boxes import assert_nothing_is_left

F32, F64 = np.dtype("float32"), np.dtype("float64")

pytestmark = pytest.mark.skipif(blas._AFFINE_TILES[F32] is blas.no_affine, reason="the BLAS cannot be called so")


def operands(rows, columns, depth, dtype=F32):
    random = np.random.default_rng(rows)
    return [random.standard_normal(shape).astype(dtype) for shape in ((rows, depth), (columns, depth), (columns,))]


@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize(
    ("rows", "columns", "depth", "tile"),
    [(33, 100, 300, (32, 30, 33)), (5, 7, 3, (2, 3, 4)), (600, 40, 130, (32, 16, 256)), (1, 1, 1, (9, 9, 9))],
)
def test_tiles_of_any_size_that_do_not_divide_the_result(rows, columns, depth, tile, dtype):
    x, weight, bias = operands(rows, columns, depth, dtype)
    memory = np.full((3, rows, columns), 7, dtype)
    assert blas._AFFINE_TILES[dtype](x, weight, bias, memory[1], *tile) is True
    expected = x.astype(np.longdouble) @ weight.T.astype(np.longdouble) + bias
    np.testing.assert_allclose(memory[1], expected, rtol=0, atol=np.finfo(dtype).eps * depth * 8)
    assert (memory[[0, 2]] == 7).all(), "written beside the result"


def test_what_does_not_fit_is_refused_and_nothing_is_written():
    x, weight, bias = operands(4, 3, 5)
    run = blas._AFFINE_TILES[F32]
    out = np.full((4, 3), 7, F32)
    frozen = out.copy()
    frozen.flags.writeable = False
    for given in (
        *((x, weight, bias, out), (x, weight, bias, out, 2, 2), (x, weight, bias, out, 0, 2, 2)),
        *((x, weight, bias, out, 2, -1, 2), (x, weight, bias, out, 2, 2, 0), (x, weight, bias, frozen, 2, 2, 2)),
        *((x, weight, bias, out[:3], 2, 2, 2), (x, weight, bias, out[:, :2], 2, 2, 2)),
        (x.T, weight, bias, out, 2, 2, 2),
        *((x, weight[:, :4], bias, out, 2, 2, 2), (x, weight, bias[:2], out, 2, 2, 2), (x, weight, None, out, 2, 2, 2)),
        *((x.astype(F64), weight, bias, out, 2, 2, 2), (x, weight, bias, out.astype(F64), 2, 2, 2)),
    ):
        assert run(*given) is False
    assert (out == 7).all()


def test_the_same_as_a_product_and_a_sum():
    # So few rows that it does not matter how many threads BLAS has.
    x, weight, bias = operands(blas.ROWS_BESIDE_THREADS, 256, 784)
    found = affine_in_tiles(x, weight, bias)
    if found is None:
        pytest.skip("this BLAS has no kernels for tiles")
    np.testing.assert_allclose(found, blas.product(x, weight.T) + bias, rtol=1e-5, atol=1e-4)
    out = np.empty_like(found)
    assert affine_in_tiles(x, weight, bias, out) is out
    np.testing.assert_array_equal(out, found)
    assert affine_in_tiles(x, weight[:, :700], bias) is None


def test_nothing_is_left():
    x, weight, bias = operands(4, 3, 5)
    out, run = np.empty((4, 3), F32), blas._AFFINE_TILES[F32]
    assert_nothing_is_left(lambda: run(x, weight, bias, out, 2, 2, 2), (x, weight, bias, out, F32, True))
    assert_nothing_is_left(lambda: run(x, weight, bias, out, 0, 2, 2), (x, weight, bias, out, F32, False))
