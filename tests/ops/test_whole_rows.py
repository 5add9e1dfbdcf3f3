"""Row-wise kernels as ufuncs of elements: the gufunc's bits for every shape, and the gufunc where they do not apply."""

import numpy as np
import pytest

import numtensor as nt
from numtensor.kernels.backward import normalization as backward
from numtensor.kernels.forward import normalization, reduction
from numtensor.ops import cumulative, whole_rows
from numtensor.ops import normalization as ops
from numtensor.ops.whole_rows import LENGTHS, WholeRows

F = nt.nn.functional

KERNELS = [
    normalization.softmax,
    normalization.log_softmax,
    reduction.cumsum,
    backward.softmax,
    backward.log_softmax,
]
# One element, one row, one column, three dimensions, more than NumPy's buffer in a row and in rows.
SHAPES = [(1,), (1, 1), (7,), (1, 40), (40, 1), (4, 4), (3, 5, 17), (2, 20_000), (700, 33)]


def samples(count, shape, dtype):
    random = np.random.default_rng(0)
    return [random.standard_normal(shape).astype(dtype) for _ in range(count)]


def same(result, expected):
    np.testing.assert_array_equal(result.view(np.uint8), expected.view(np.uint8), strict=True)


def test_numpy_gives_all_elements_in_one_call():
    # If this fails with a new NumPy, results stay right: everything runs as gufuncs, and slower.
    assert whole_rows.in_one_call()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_same_bits_as_the_gufunc(kernel, shape, dtype):
    arrays = samples(len(kernel.input_types), shape, dtype)
    expected = kernel.loops[np.dtype(dtype)](*arrays)
    same(kernel.whole[np.dtype(dtype)](*arrays, LENGTHS[shape[-1]]), expected)
    same(WholeRows(kernel).run(*arrays), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_same_bits_of_layer_norm(shape, dtype):
    (x,) = samples(1, shape, dtype)
    weight, bias = samples(2, shape[-1:], dtype)
    eps, length = np.array(1e-5), LENGTHS[shape[-1]]
    kernel = normalization.layer_norm
    expected = kernel.loops[np.dtype(dtype)](x, weight, bias, eps)[0]
    same(kernel.whole[np.dtype(dtype)](x, weight[0, ...], bias[0, ...], eps, length), expected)
    kernel = normalization.normalize
    same(kernel.whole[np.dtype(dtype)](x, eps, length), kernel.loops[np.dtype(dtype)](x, eps)[0])


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3)])
def test_nothing_at_all(shape):
    x = nt.zeros(*shape)
    for result in (nt.softmax(x, -1), nt.log_softmax(x, -1), nt.cumsum(x, -1), F.layer_norm(x, shape[-1:])):
        assert result.shape == shape and result.dtype is nt.float32


def strided(array):
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


def unaligned(array):
    memory = np.zeros(array.nbytes + 1, np.uint8)
    moved = memory[1:].view(array.dtype).reshape(array.shape)
    moved[...] = array
    assert not moved.flags.aligned
    return moved


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


OTHER = [strided, unaligned, read_only, np.asfortranarray, lambda array: array[:, ::-1].copy()[:, ::-1]]


@pytest.mark.parametrize("lay", OTHER)
@pytest.mark.parametrize("rows", [ops.SOFTMAX, ops.LOG_SOFTMAX, cumulative.CUMSUM_ROWS, ops.SOFTMAX_BACKWARD])
def test_other_memory_is_left_to_the_gufunc(rows, lay, monkeypatch):
    arrays = samples(len(rows.kernel.input_types), (9, 1200), np.float32)
    moved = [*arrays[:-1], lay(arrays[-1])]
    # Strided rows are summed in another order than contiguous ones.
    expected = rows.rows[np.dtype(np.float32)](*moved)

    def refuse(*given):
        raise AssertionError("these operands must not come here")

    monkeypatch.setitem(rows, np.dtype(np.float32), refuse)
    same(rows.run(*moved), expected)
    if len(moved) == 1:
        assert rows.first(lambda *arguments: arguments)(moved[0], -1, "rest") == (moved[0], -1, "rest")


@pytest.fixture
def without_help(monkeypatch):
    tables = [ops.SOFTMAX, ops.LAYER_NORM]
    monkeypatch.setattr(whole_rows, "in_one_call", lambda: False)
    for table in tables:
        table.clear()
    yield tables
    for table in tables:
        table.clear()


def test_without_numpys_help_all_runs_as_gufuncs(without_help):
    (x,) = samples(1, (4, 40), np.float32)
    weight, bias = samples(2, (40,), np.float32)
    tensor = nt.from_numpy(x)
    for _ in range(2):
        same(nt.softmax(tensor, 1).numpy(), normalization.softmax.loops[x.dtype](x))
        found = F.layer_norm(tensor, 40, *map(nt.from_numpy, (weight, bias)))
        same(found.numpy(), normalization.layer_norm.loops[x.dtype](x, weight, bias, np.array(1e-5))[0])
    assert without_help == [{x.dtype: None}, {x.dtype: None}]


@pytest.mark.parametrize("shape", [(4, 6), (4, 2, 3)])
@pytest.mark.parametrize("mode", [nt.no_grad, nt.inference_mode])
def test_layer_norm_has_the_recorded_bits_in_every_mode(mode, shape):
    """The recorded call is the gufunc's, which returns mean and root, too."""
    (x,) = samples(1, shape, np.float32)
    weight, bias = (nt.from_numpy(array) for array in samples(2, shape[1:], np.float32))
    tensor = nt.from_numpy(x)
    for arguments in ((), (weight, bias), (weight,), (None, bias)):
        recorded = F.layer_norm(nt.from_numpy(x).requires_grad_(), shape[1:], *arguments).detach().numpy()
        with mode():
            same(F.layer_norm(tensor, shape[1:], *arguments).numpy(), recorded)
            for lay in (strided, unaligned, read_only):
                found = F.layer_norm(nt.from_numpy(lay(x)), shape[1:], *arguments).numpy()
                np.testing.assert_allclose(found, recorded, rtol=1e-5, atol=1e-6)


def test_layer_norm_with_a_strided_weight():
    (x,), (weight, bias) = samples(1, (4, 6), np.float32), samples(2, (6,), np.float32)
    expected = F.layer_norm(*map(nt.from_numpy, (x,)), 6, nt.from_numpy(weight), nt.from_numpy(bias))
    for one, other in ((strided(weight), bias), (weight, strided(bias))):
        same(F.layer_norm(nt.from_numpy(x), 6, nt.from_numpy(one), nt.from_numpy(other)).numpy(), expected.numpy())
