"""An affine map of one row by one call of BLAS."""

import numpy as np
import pytest

from numtensor.ops import blas
from numtensor.ops.blas import AFFINE_ROW

from .boxes import assert_nothing_is_left
from .layouts import NATIVE

F32, F64 = np.dtype("float32"), np.dtype("float64")

pytestmark = pytest.mark.skipif(AFFINE_ROW[F32] is blas.no_affine, reason="the BLAS cannot be called so")


def numbers(*shape, dtype=F32, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize(("width", "depth"), [(1, 1), (4, 4), (3, 1000), (1000, 3), (256, 784), (1, 70), (70, 1)])
def test_the_product_and_the_bias(width, depth, dtype):
    x, weight, bias = (numbers(*shape, dtype=dtype, seed=width) for shape in ((1, depth), (width, depth), (width,)))
    found = AFFINE_ROW[dtype](x, weight, bias)
    expected = x.astype(np.longdouble) @ weight.T.astype(np.longdouble) + bias
    assert found.shape == (1, width) and found.dtype == dtype and found.flags.c_contiguous
    np.testing.assert_allclose(found, expected, rtol=0, atol=np.finfo(dtype).eps * depth * 4)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_special_numbers_are_silent(special):
    x, weight, bias = numbers(1, 3), numbers(2, 3), numbers(2)
    weight[1, 2] = special
    found = AFFINE_ROW[F32](x, weight, bias)
    assert np.isfinite(found[0, 0]) and not np.isfinite(found[0, 1])


@pytest.mark.parametrize("name", NATIVE)
def test_other_layouts_are_refused_or_right(name):
    layout = NATIVE[name]
    weight, bias = numbers(4, 4), numbers(4)
    x = numbers(1, 4)
    for operands in ((layout(x), weight, bias), (x, layout(weight), bias)):
        found = AFFINE_ROW[F32](*operands)
        if found is not None:
            np.testing.assert_allclose(found, operands[0] @ operands[1].T + operands[2], rtol=1e-5)


def test_what_does_not_fit_is_refused():
    x, weight, bias = numbers(1, 3), numbers(2, 3), numbers(2)
    run = AFFINE_ROW[F32]
    assert run(x, weight, bias) is not None
    for operands in (
        *((x, weight), (x[0], weight, bias), (numbers(2, 3), weight, bias), (x, weight, numbers(3))),
        *((numbers(1, 4), weight, bias), (x, weight, bias[None]), (x, weight, None), (x.tolist(), weight, bias)),
        *((x, weight, bias.astype(F64)), (x.astype(F64), weight, bias), (x[:, :0], weight[:, :0], bias)),
    ):
        assert run(*operands) is None
    assert AFFINE_ROW[np.dtype(np.int64)](x, weight, bias) is None


def test_nothing_is_left():
    x, weight, bias = numbers(1, 3), numbers(2, 3), numbers(2)
    run = AFFINE_ROW[F32]
    assert_nothing_is_left(lambda: run(x, weight, bias), (x, weight, bias, F32, None))
    assert_nothing_is_left(lambda: run(x, weight, None), (x, weight, bias, F32, None))
