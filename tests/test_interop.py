"""Tensors and NumPy: shared memory both ways, ufuncs in either operand order, DLPack, copies and pickles."""

import copy
import pickle

import numpy as np
import pytest

import numtensor as nt

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64"]


# ---------------------------------------------------------------------------------------------------------------------
# Memory


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "arrange",
    [lambda a: a, lambda a: a[::-1], lambda a: a[:, ::2], lambda a: a.T],
    ids=["whole", "reversed", "strided", "transposed"],
)
def test_from_numpy_shares_memory(dtype, arrange):
    whole = np.arange(12).reshape(3, 4).astype(dtype)
    array = arrange(whole)
    tensor = nt.from_numpy(array)
    assert tensor.dtype.name == dtype and tensor.shape == array.shape
    assert tensor.numpy() is array or np.shares_memory(tensor.numpy(), array)
    np.testing.assert_array_equal((tensor == tensor).numpy(), True)
    np.testing.assert_array_equal(tensor.clone().numpy(), array)
    tensor.zero_()
    assert not array.any()
    array[...] = 1
    assert tensor.tolist() == np.ones(array.shape, dtype).tolist()


@pytest.mark.parametrize("kind", [">f4", ">i8", "c8", "U3", "O", "f2", "M8[s]", "u4"])
def test_foreign_dtypes_are_refused_with_the_way_out(kind):
    array = np.zeros(2, kind)
    with pytest.raises(TypeError, match=r"from_numpy: .*convert it with .astype"):
        nt.from_numpy(array)
    with pytest.raises(TypeError, match="tensor: "):
        nt.tensor(array)


def test_from_numpy_takes_arrays_only():
    with pytest.raises(TypeError, match=r"from_numpy: expected np.ndarray \(got list\)"):
        nt.from_numpy([1, 2])


def test_read_only_memory_stays_unwritten():
    array = np.ones(3)
    array.flags.writeable = False
    tensor = nt.from_numpy(array)
    assert (tensor * 2).tolist() == [2.0] * 3
    with pytest.raises(RuntimeError, match=r"mul_: .*read-only"):
        tensor.mul_(2)
    assert array.tolist() == [1.0] * 3


def test_subclasses_of_ndarray_become_plain():
    class Named(np.ndarray):
        pass

    array = np.ones(2).view(Named)
    tensor = nt.from_numpy(array)
    assert type(tensor.numpy()) is np.ndarray
    tensor.mul_(2)
    assert array.tolist() == [2.0, 2.0]


def test_as_tensor_and_asarray_share_where_they_can():
    array = np.zeros(2, np.float32)
    for make in (nt.as_tensor, nt.asarray):
        shared = make(array)
        assert shared.data_ptr() == array.__array_interface__["data"][0]
        assert make(shared) is shared
        assert make(array, dtype=nt.float64).data_ptr() != shared.data_ptr()
    assert nt.asarray(array, copy=True).data_ptr() != nt.as_tensor(array).data_ptr()
    with pytest.raises(ValueError, match="asarray: cannot alias"):
        nt.asarray([1, 2], copy=False)
    assert nt.tensor(array).data_ptr() != nt.as_tensor(array).data_ptr()


def test_array_protocol():
    tensor = nt.tensor([1.0, 2.0])
    assert np.asarray(tensor) is tensor.numpy()
    assert np.asarray(tensor, dtype=np.float64).dtype == np.float64
    assert np.array(tensor) is not tensor.numpy()
    assert np.concatenate([tensor, np.ones(1)]).tolist() == [1.0, 2.0, 1.0]
    leaf = nt.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"Use tensor.detach\(\).numpy\(\)"):
        np.asarray(leaf)
    assert leaf.numpy(force=True).tolist() == [1.0, 1.0]
    with nt.no_grad():
        assert leaf.numpy().tolist() == [1.0, 1.0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_both_ways(dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    tensor = nt.from_dlpack(array)
    assert tensor.dtype.name == dtype
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":  # NumPy 1 takes what comes by DLPack as read-only.
        tensor.zero_()
        assert not array.any()
        back = np.from_dlpack(tensor)
        assert np.shares_memory(back, array) and back.dtype == array.dtype
    with pytest.raises(TypeError, match="from_dlpack: list has no __dlpack__"):
        nt.from_dlpack([1])


# ---------------------------------------------------------------------------------------------------------------------
# Ufuncs


def test_ufuncs_give_tensors_with_gradients():
    x = nt.tensor([0.5, 1.0], requires_grad=True)
    array = np.array([3.0, 4.0], np.float32)
    for result, slope in (
        (np.exp(x), np.exp([0.5, 1.0])),
        (array * x, array),
        (x * array, array),
        (np.multiply(array, x), array),
        (np.add(array, x), [1.0, 1.0]),
        (array - x, [-1.0, -1.0]),
        (np.float64(3) * x, [3.0, 3.0]),
        (np.float32(3) / x, [-12.0, -3.0]),
        (array**x, array ** np.array([0.5, 1.0]) * np.log(array)),
    ):
        assert type(result) is nt.Tensor and result.dtype is nt.float32
        (gradient,) = nt.autograd.grad(result.sum(), x)
        np.testing.assert_allclose(gradient.numpy(), slope, rtol=1e-5)


def test_comparisons_with_arrays_are_tensors():
    array, tensor = np.array([1, 3]), nt.tensor([2, 2])
    for result, expected in (
        (array < tensor, [True, False]),
        (tensor < array, [False, True]),
        (array == tensor, [False, False]),
    ):
        assert type(result) is nt.Tensor
        assert result.tolist() == expected


def test_matrix_products_with_arrays():
    array = np.arange(6.0).reshape(2, 3)
    tensor = nt.ones(3, 2, dtype=nt.float64, requires_grad=True)
    for result in (array @ tensor, np.matmul(array, tensor)):
        assert type(result) is nt.Tensor and result.requires_grad
        np.testing.assert_array_equal(result.detach().numpy(), array @ np.ones((3, 2)))


def test_arrays_promote_as_tensors():
    assert (np.ones(2, np.float64) * nt.ones(2)).dtype is nt.float64
    assert (np.ones(2, np.int64) * nt.ones(2)).dtype is nt.float32
    assert (np.ones((), np.float64) * nt.ones(2)).dtype is nt.float32


def test_out_of_a_ufunc():
    array = np.zeros(2, np.float32)
    assert np.add(nt.ones(2), 1, out=array) is array
    assert array.tolist() == [2.0, 2.0]
    array += nt.ones(2)
    assert array.tolist() == [3.0, 3.0]
    target = nt.zeros(2)
    assert np.add(np.ones(2), nt.ones(2), out=target) is target
    assert target.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="requires grad"):
        np.add(nt.ones(2, requires_grad=True), 1, out=array)
    with pytest.raises(ValueError, match=r"np.add: out has shape \(2,\)"):
        np.add(nt.ones(3), 1, out=array)
    assert array.tolist() == [3.0, 3.0]


def test_what_has_no_op_says_so():
    with pytest.raises(TypeError, match=r"np.spacing: there is no such operation on tensors; use .detach\(\)"):
        np.spacing(nt.ones(2))
    with pytest.raises(TypeError, match=r"np.add.reduce: there is no such operation"):
        np.add.reduce(nt.ones(2))
    with pytest.raises(TypeError, match=r"np.add: where= does not apply"):
        np.add(nt.ones(2), 1, where=np.array([True, False]))


def test_foreign_operands_get_their_turn():
    class Foreign:
        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            return "foreign"

    assert np.add(nt.ones(2), Foreign()) == "foreign"


# ---------------------------------------------------------------------------------------------------------------------
# Copies and pickles


def test_deepcopy():
    leaf = nt.tensor([1.0, 2.0], requires_grad=True)
    (leaf * 3).sum().backward()
    twin = copy.deepcopy(leaf)
    assert twin.requires_grad and twin.tolist() == [1.0, 2.0] and twin.grad.tolist() == [3.0, 3.0]
    assert twin.data_ptr() != leaf.data_ptr() and twin.grad.data_ptr() != leaf.grad.data_ptr()
    first, second = copy.deepcopy([leaf, leaf])
    assert first is second
    with pytest.raises(RuntimeError, match="graph leaves"):
        copy.deepcopy(leaf * 2)
    with nt.no_grad():
        product = leaf * 2
    assert copy.deepcopy(product).tolist() == [2.0, 4.0]
    parameter = nt.nn.Parameter(nt.ones(2))
    assert type(copy.deepcopy(parameter)) is nt.nn.Parameter


def test_copy_shares_memory():
    leaf = nt.ones(2, requires_grad=True)
    twin = copy.copy(leaf)
    assert twin is not leaf and twin.requires_grad and twin.data_ptr() == leaf.data_ptr()
    with nt.no_grad():
        twin.zero_()
    assert leaf.tolist() == [0.0, 0.0] and leaf._version == 1


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dtype", DTYPES)
def test_pickle(protocol, dtype):
    tensor = nt.tensor([[0, 1], [1, 1]], dtype=dtype).t()
    back = pickle.loads(pickle.dumps(tensor, protocol))
    assert back.dtype is tensor.dtype and back.tolist() == tensor.tolist() and not back.requires_grad
    assert back.zero_().tolist() == [[0, 0], [0, 0]]


def test_pickle_keeps_requires_grad_and_class_but_not_the_mode():
    leaf = nt.nn.Parameter(nt.ones(2))
    back = pickle.loads(pickle.dumps(leaf))
    assert type(back) is nt.nn.Parameter and back.requires_grad and not back.is_inference()
    with nt.inference_mode():
        inside = nt.ones(2)
        assert pickle.loads(pickle.dumps(leaf)).is_inference()
        assert copy.deepcopy(leaf).is_inference()
    assert not pickle.loads(pickle.dumps(inside)).is_inference()
    assert not copy.deepcopy(inside).is_inference()
    assert copy.copy(inside).is_inference()


def test_a_part_is_pickled_without_its_base():
    assert len(pickle.dumps(nt.zeros(100_000)[:10])) < 1000
