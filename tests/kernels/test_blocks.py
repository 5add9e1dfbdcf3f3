"""Kernels on data of several blocks and strips, which the small samples of the op table do not reach."""

import numpy as np
import pytest

import numtensor as nt
from numtensor.kernels.declare import REGISTRY, Elementwise
from numtensor.kernels.forward import cumulative, norm

SHAPES = ((3, 2100), (70, 530), (3, 70, 5), (2, 9, 1100))
WITH_ROWS = [k for k in REGISTRY.values() if isinstance(k, Elementwise) and k.repeated]


def normal(shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_reductions_of_several_blocks(shape, dim, dtype):
    x = normal(shape, dtype)
    wide, tensor = x.astype("float64"), nt.from_numpy(x)
    close = {"rtol": 3e-6, "atol": 3e-6} if dtype == "float32" else {"rtol": 1e-13, "atol": 1e-13}
    np.testing.assert_allclose(nt.sum(tensor, dim).numpy(), wide.sum(dim), **close)
    np.testing.assert_allclose(nt.norm(tensor, dim=dim).numpy(), np.sqrt((wide**2).sum(dim)), **close)
    np.testing.assert_array_equal(nt.argmax(tensor, dim).numpy(), x.argmax(dim))
    np.testing.assert_array_equal(nt.argmin(tensor, dim).numpy(), x.argmin(dim))
    np.testing.assert_array_equal(nt.amax(tensor, dim).numpy(), x.max(dim))
    np.testing.assert_allclose(nt.cumsum(tensor, dim).numpy(), wide.cumsum(dim), rtol=1e-6, atol=1e-5)
    e = np.exp(wide - wide.max(dim, keepdims=True))
    np.testing.assert_allclose(nt.softmax(tensor, dim).numpy(), e / e.sum(dim, keepdims=True), rtol=2e-6)
    expected = np.log(e / e.sum(dim, keepdims=True))
    np.testing.assert_allclose(nt.log_softmax(tensor, dim).numpy(), expected, rtol=2e-6, atol=1e-6)


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.0.0", reason="an unsigned number and an int are a float")
def test_strips_as_python():
    x = normal((1, 2, 1030))
    found = np.empty_like(x)
    cumulative.cumsum_columns(x, found)
    np.testing.assert_array_equal(found, cumulative.cumsum_columns.loops[x.dtype](x))


@pytest.mark.parametrize("dim", [0, 1, 2])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_gradients_along_any_dimension_agree(name, dim):
    """Along the last dimension rows are normalised, along others strips of columns."""
    x, grad = normal((3, 70, 140)), normal((3, 70, 140), seed=1)
    found, expected = (nt.from_numpy(x.copy()).requires_grad_() for _ in range(2))
    getattr(nt, name)(found, dim).backward(nt.from_numpy(grad))
    getattr(nt, name)(expected.movedim(dim, -1).contiguous(), -1).movedim(-1, dim).backward(nt.from_numpy(grad))
    np.testing.assert_allclose(found.grad.numpy(), expected.grad.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("nan", [np.nan, -np.nan])
@pytest.mark.parametrize("place", [0, 5, 511, 512, 1999])
def test_nan_of_either_sign_is_extreme_wherever_it_is(nan, place):
    x = normal(2000)
    x[place] = nan
    x[-1] = nan
    tensor = nt.from_numpy(x)
    for extreme, position in ((nt.amax, nt.argmax), (nt.amin, nt.argmin)):
        assert np.isnan(extreme(tensor).item())
        assert position(tensor).item() == place


def test_extremes_of_zeros_are_found_first():
    x = nt.from_numpy(np.tile(np.array([-0.0, 0.0], np.float32), 600))
    assert nt.argmax(x).item() == 0
    assert nt.argmin(x).item() == 0
    assert nt.argmax(-x).item() == 0


@pytest.mark.parametrize("scale", [1e-44, 1e-30, 1e-18, 1.0, 1e18, 1e37])
def test_norm_does_not_overflow_or_underflow(scale):
    x = (np.linspace(-1, 1, 1500) * scale).astype(np.float32)
    found = norm.norm_2.loops[x.dtype](x)
    np.testing.assert_allclose(found, np.sqrt((x.astype("float64") ** 2).sum()), rtol=1e-6, atol=1e-45)


@pytest.mark.parametrize("kernel", WITH_ROWS, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("step", [1, 2])
def test_row_loops_compute_the_formula(kernel, step):
    """One number per row gives what broadcasting it gives, on rows of consecutive and of separate elements."""
    kind = np.dtype("float32")
    columns, numbers, rows = [], [], 37
    for seed, name in enumerate(kernel.parameters):
        if name in kernel.repeated:
            value = normal((rows, 1), seed=seed)
            columns.append(value)
            numbers.append(value[:, 0])
        elif seed >= len(kernel.array_types):
            columns.append(np.array(0.5, kind))
            numbers.append(columns[-1])
        else:
            columns.append(normal((rows, 90), seed=seed)[:, ::step])
            numbers.append(columns[-1])
    np.testing.assert_array_equal(kernel.rows[kind](*numbers), kernel.loops[kind](*columns))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("exponent", [2, 3, 0.5, -1, 2.5, 0, 1])
def test_a_power_is_the_same_number_from_wherever_it_comes(exponent, dtype):
    """The loops of the common powers give what the formula gives for arrays of powers, forward and backward."""
    results = []
    for shape in ((), (300,)):
        x = nt.from_numpy(np.append(np.linspace(-3, 3, 294), [0, -0.0, np.inf, -np.inf, np.nan, 1]).astype(dtype))
        x.requires_grad_()
        y = x ** nt.from_numpy(np.full(shape, exponent, dtype))
        y.backward(nt.from_numpy(np.ones(300, dtype)))
        results.append((y.detach().numpy(), x.grad.numpy()))
    for alone, repeated in zip(*results, strict=True):
        np.testing.assert_array_equal(alone, repeated)
