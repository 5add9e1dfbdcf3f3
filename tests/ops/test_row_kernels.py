"""Row-wise kernels as builtin functions: the gufunc's bits for every shape, and the gufunc where they do not apply."""

import numpy as np
import pytest

import numtensor as nt
from numtensor.kernels.backward import normalization as backward
from numtensor.kernels.forward import arithmetic, cumulative, normalization
from numtensor.ops.row_kernels import RowKernel

F = nt.nn.functional

KERNELS = [
    normalization.softmax,
    normalization.log_softmax,
    cumulative.cumsum,
    backward.softmax,
    backward.log_softmax,
]
# One element, one row, one column, none, three dimensions, long rows and many.
SHAPES = [(1,), (1, 1), (7,), (1, 40), (40, 1), (0, 3), (3, 0), (4, 4), (3, 5, 17), (2, 20_000), (700, 33)]


def samples(count, shape, dtype):
    random = np.random.default_rng(0)
    return [random.standard_normal(shape).astype(dtype) for _ in range(count)]


def same(result, expected):
    assert result.dtype == expected.dtype and result.shape == expected.shape
    assert result.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_same_bits_as_the_gufunc(kernel, shape, dtype):
    arrays = samples(len(kernel.input_types), shape, dtype)
    expected = kernel.loops[np.dtype(dtype)](*arrays)
    rows = RowKernel(kernel)
    same(rows.run(*arrays), expected)
    out = np.empty_like(arrays[0])
    assert rows.builtins[out.dtype](*arrays, out)
    same(out, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape[-1]])
def test_same_bits_of_layer_norm(shape, dtype):
    (x,) = samples(1, shape, dtype)
    eps = np.array(1e-5)
    for kernel, operands in (
        (normalization.layer_norm, [x, *samples(2, shape[-1:], dtype), eps]),
        (normalization.normalize, [x, eps]),
    ):
        rows = RowKernel(kernel)
        out = np.empty_like(x)
        assert rows.builtins[x.dtype](*operands, out)
        same(out, kernel.loops[x.dtype](*operands)[0])
        same(rows.run(*operands), out)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3)])
def test_nothing_at_all(shape):
    x = nt.zeros(*shape)
    for _ in range(2):
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
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_every_layout_has_the_gufuncs_bits(kernel, lay):
    arrays = samples(len(kernel.input_types), (9, 1200), np.float32)
    moved = [*arrays[:-1], lay(arrays[-1])]
    # Strided rows are summed in another order than contiguous ones.
    expected = kernel.loops[np.dtype(np.float32)](*moved)
    same(RowKernel(kernel).run(*moved), expected)


@pytest.mark.parametrize("op", [nt.softmax, nt.log_softmax, nt.cumsum])
def test_the_short_way_and_the_long_one_are_one(op):
    (x,) = samples(1, (4, 3, 40), np.float32)
    tensor, other = nt.from_numpy(x), nt.from_numpy(read_only(x))
    expected = op(tensor, 2).numpy()
    for dim in (2, -1, np.int64(2)):
        for argument in (tensor, other):
            same(op(argument, dim).numpy(), expected)
    for dim in (3, -4):
        with pytest.raises(IndexError):
            op(tensor, dim)
    for dim in (2.0, "2", True):
        with pytest.raises(TypeError):
            op(tensor, dim)


def test_rows_that_are_refused_run_as_gufuncs(monkeypatch):
    arrays = samples(1, (4, 40), np.float32)
    rows = RowKernel(normalization.softmax)
    monkeypatch.setitem(rows.builtins, np.dtype(np.float32), lambda *operands: False)
    expected = normalization.softmax.loops[np.dtype(np.float32)](*arrays)
    same(rows.run(*arrays), expected)
    rule = rows.first(lambda input, dim: (dim,))
    assert rule(arrays[0], 1) == (1,)
    rule = rows.first(lambda input, dim, dtype: (dim, dtype))
    assert rule(arrays[0], 1, "dtype") == (1, "dtype")


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
    expected = F.layer_norm(nt.from_numpy(x), 6, nt.from_numpy(weight), nt.from_numpy(bias)).numpy()
    for one, other in ((strided(weight), bias), (weight, strided(bias))):
        found = F.layer_norm(nt.from_numpy(x), 6, nt.from_numpy(one), nt.from_numpy(other)).numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_row_is_added_to_all_rows_in_place(shape, dtype):
    x, (row,) = samples(1, shape, np.float32)[0], samples(1, shape[-1:], np.float32)
    x, row = (100 * abs(x)).astype(dtype), (100 * abs(row)).astype(dtype)
    expected = x + row
    for add in (arithmetic.add.rows_builtins[x.dtype], arithmetic.add.rows[x.dtype]):
        result = x.copy()
        assert add(result, row, result) is not False
        same(result, expected)


@pytest.mark.parametrize("row", [np.ones(3), np.ones(5), np.ones(8)[::2], np.ones(4, np.float32), np.ones((2, 4))])
def test_other_rows_are_not_added(row):
    result = np.zeros((3, 4))
    assert arithmetic.add.rows_builtins[result.dtype](result, row, result) is False
    assert not result.any()
