"""D: what an inference tensor is, and which tensors are."""

import copy
import gc
import weakref

import numpy as np
import pytest

from .library import E_INP, E_VER, differs, nt, raises
from .tensors import inference, inference_leaf, inference_module, leaf

MATRIX = [[1.0, 2.0], [3.0, 4.0]]


def matrix():
    return nt.tensor(MATRIX)


def has_no_version(tensor):
    with raises(E_VER):
        _ = tensor._version
    return True


def test_D01_is_inference_is_true_for_results_inside():
    with nt.inference_mode():
        made = matrix() * 2
        assert made.is_inference() is True
        assert nt.is_inference(made) is True
    assert made.is_inference() is True
    assert nt.is_inference(made) is True


def test_D02_is_inference_is_false_for_normal_tensors():
    x = matrix()
    for tensor in (x, x * 2, leaf(MATRIX) * 2, nt.nn.Parameter(x)):
        assert tensor.is_inference() is False
        assert nt.is_inference(tensor) is False


def test_D03_is_inference_of_no_tensor():
    with pytest.raises(TypeError):
        nt.is_inference(3)


def test_D04_no_version_outside():
    assert has_no_version(inference())


def test_D05_no_version_inside():
    with nt.inference_mode():
        assert has_no_version(nt.ones(2))


def test_D06_a_result_has_no_metadata():
    x = leaf(MATRIX)
    with nt.inference_mode():
        made = x * x
    assert made.requires_grad is False
    assert made.grad_fn is None
    assert made.is_leaf is True
    assert made.grad is None


def test_D07_its_views_are_not_tracked():
    base = inference()
    with nt.inference_mode():
        inside = base[1:]
    for view in (inside, base[1:]):
        assert view._is_view() is False
        assert view._base is None


def test_D08_its_views_share_memory():
    with nt.inference_mode():
        base = nt.zeros(3)
        view = base[1:]
        view.fill_(7)
        assert base.tolist() == [0, 7, 7]
        base.zero_()
    assert view.tolist() == [0, 0]
    assert base[2:].data_ptr() == base.data_ptr() + 2 * base.element_size()


FACTORIES = {
    "tensor": lambda x: nt.tensor([1.0, 2.0]),
    "as_tensor": lambda x: nt.as_tensor([1.0, 2.0]),
    "from_numpy": lambda x: nt.from_numpy(np.ones(2)),
    "zeros": lambda x: nt.zeros(2),
    "ones": lambda x: nt.ones(2),
    "empty": lambda x: nt.empty(2),
    "full": lambda x: nt.full((2,), 3.0),
    "arange": lambda x: nt.arange(2),
    "linspace": lambda x: nt.linspace(0, 1, 3),
    "logspace": lambda x: nt.logspace(0, 1, 3),
    "eye": lambda x: nt.eye(2),
    "rand": lambda x: nt.rand(2),
    "randn": lambda x: nt.randn(2),
    "randint": lambda x: nt.randint(0, 5, (2,)),
    "randperm": lambda x: nt.randperm(3),
    "normal": lambda x: nt.normal(0.0, 1.0, (2,)),
    "zeros_like": lambda x: nt.zeros_like(x),
    "ones_like": lambda x: nt.ones_like(x),
    "empty_like": lambda x: nt.empty_like(x),
    "full_like": lambda x: nt.full_like(x, 3.0),
    "rand_like": lambda x: nt.rand_like(x),
    "randn_like": lambda x: nt.randn_like(x),
    "randint_like": lambda x: nt.randint_like(x, 5),
    "new_tensor": lambda x: x.new_tensor([1.0]),
    "new_zeros": lambda x: x.new_zeros(2),
    "new_ones": lambda x: x.new_ones(2),
    "new_empty": lambda x: x.new_empty(2),
    "new_full": lambda x: x.new_full((2,), 3.0),
}


@pytest.mark.parametrize("make", FACTORIES.values(), ids=FACTORIES.keys())
def test_D09_factories(make):
    normal, other = matrix(), inference()
    for like in (normal, other):
        with nt.inference_mode():
            assert make(like).is_inference()
        assert not make(like).is_inference()


def test_D10_requires_grad_of_a_factory_is_kept_inside():
    with nt.inference_mode():
        made = nt.zeros(2, requires_grad=True)
    assert made.is_inference()
    assert made.requires_grad
    assert made.is_leaf
    assert has_no_version(made)


def test_D11_ops_on_it_inside_are_not_recorded():
    with nt.inference_mode():
        made = nt.ones(2, requires_grad=True)
        for result in (made * 2, made + made, made.sum(), made @ made, made.exp()):
            assert not result.requires_grad
            assert result.grad_fn is None
            assert result.is_inference()


def test_D12_a_view_of_it_inside_does_not_require_grad():
    with nt.inference_mode():
        made = nt.ones(2, 2, requires_grad=True)
        for view in (made[0], made.t(), made.view(4), made.unbind()[1]):
            assert not view.requires_grad
            assert view.is_inference()
    with nt.no_grad():
        assert leaf(MATRIX)[0].requires_grad


@pytest.mark.parametrize(
    "op",
    [
        lambda x: x > 2,
        lambda x: x.argmax(),
        lambda x: x.to(nt.int64) + 1,
        lambda x: x.sum(),
        lambda x: x.max(0).values,
        lambda x: x.max(0).indices,
        lambda x: x.sort().values,
        lambda x: x @ x,
        lambda x: nt.cat([x, x]),
        lambda x: x.softmax(0),
    ],
    ids=["comparison", "argmax", "integer", "sum", "max", "positions", "sort", "matmul", "cat", "softmax"],
)
def test_D13_results_of_any_kind_inside(op):
    for x in (matrix(), leaf(MATRIX)):
        with nt.inference_mode():
            assert op(x).is_inference()
        assert not op(x).is_inference()


@pytest.mark.parametrize(
    "index",
    [lambda x: [0, 1], lambda x: nt.tensor([1, 0]), lambda x: x > 2],
    ids=["list", "tensor", "mask"],
)
def test_D14_index_lists_and_masks_copy(index):
    x = leaf(MATRIX)
    with nt.inference_mode():
        part = x[index(x)]
        assert part.is_inference()
        assert not part.requires_grad
        assert not part._is_view()
        part.zero_()
    assert x.tolist() == [[1, 2], [3, 4]]


def test_D15_clone_inside():
    x = leaf(MATRIX)
    with nt.inference_mode():
        for source in (x, x * 1):
            made = source.clone()
            assert made.is_inference()
            assert not made.requires_grad


def test_D16_detach_inside_of_a_normal_tensor_is_normal():
    x = matrix()
    with nt.inference_mode():
        detached = x.detach()
    assert not detached.is_inference()
    assert detached.data_ptr() == x.data_ptr()
    x.add_(1)
    assert detached._version == x._version == 1


@pytest.mark.parametrize(
    "convert",
    [lambda x: x.contiguous(), lambda x: x.to(nt.float32), lambda x: x.float(), lambda x: nt.as_tensor(x)],
    ids=["contiguous", "to", "float", "as_tensor"],
)
def test_D17_a_conversion_that_changes_nothing_returns_the_tensor(convert):
    x = matrix()
    with nt.inference_mode():
        assert convert(x) is x
    assert not x.is_inference()


@pytest.mark.parametrize(
    "convert",
    [lambda x: x.t().contiguous(), lambda x: x.to(nt.float64), lambda x: x.double(), lambda x: x.int()],
    ids=["contiguous", "to", "double", "int"],
)
def test_D18_a_conversion_that_copies(convert):
    x = matrix()
    with nt.inference_mode():
        assert convert(x).is_inference()


def test_D19_the_status_is_fixed_at_creation():
    normal, other = matrix(), inference()
    for mode in (nt.inference_mode(), nt.inference_mode(False), nt.no_grad(), nt.enable_grad()):
        with mode:
            assert not normal.is_inference()
            assert other.is_inference()


@pytest.mark.parametrize("mode", [nt.enable_grad, nt.no_grad, nt.inference_mode])
def test_D20_reading_works_anywhere(mode):
    one, several = inference(5.0), inference()
    with mode():
        assert several.tolist() == [3, 5, 7]
        assert one.item() == 5
        assert float(one) == 5
        assert several.numpy().tolist() == [3, 5, 7]
        assert tuple(several.shape) == (3,)
        assert several.dtype is nt.float32


def test_D21_numpy_of_a_tensor_that_requires_grad():
    x = leaf(MATRIX)
    with raises("requires grad"):
        x.numpy()
    for mode in (nt.inference_mode(), nt.no_grad()):
        with mode:
            assert x.numpy().tolist() == [[1, 2], [3, 4]]


def test_D22_results_inside_keep_no_reference_to_their_inputs():
    with nt.inference_mode():
        x = matrix()
        results = [x * 2, x @ x, x.sum(), x[0], x.clone()]
    reference = weakref.ref(x)
    del x
    gc.collect()
    assert reference() is None
    assert len(results) == 5


def test_D30_a_view_made_inside_of_a_normal_tensor_is_normal():
    x = matrix()
    with nt.inference_mode():
        view = x[0]
        assert not view.is_inference()
        assert view._version == 0


def test_D31_it_is_tracked():
    x = matrix()
    with nt.inference_mode():
        view = x[0]
        inner = view[1:]
    for one in (view, inner):
        assert one._is_view()
        assert one._base is x


def test_D32_it_inherits_requires_grad():
    x = leaf(MATRIX)
    tracked = x * 2
    with nt.inference_mode():
        views = [x[0], tracked[0], tracked.t()[1]]
    for view in views:
        assert view.requires_grad
        assert view.grad_fn is None
        assert view.is_leaf


VIEWS = {
    "view": lambda x: x.view(8),
    "reshape": lambda x: x.reshape(4, 2),
    "select": lambda x: x.select(0, 1),
    "slice": lambda x: x[:, 1:],
    "t": lambda x: x.t(),
    "transpose": lambda x: x.transpose(0, 1),
    "squeeze": lambda x: x.squeeze(),
    "unsqueeze": lambda x: x.unsqueeze(0),
    "split": lambda x: x.split(1)[1],
    "unbind": lambda x: x.unbind()[0],
    "expand": lambda x: x.expand(3, 2, 4),
    "view_as": lambda x: x.view_as(nt.zeros(4, 2)),
    "permute": lambda x: x.permute(1, 0),
    "narrow": lambda x: x.narrow(1, 1, 2),
    "diagonal": lambda x: x.diagonal(),
    "unfold": lambda x: x.unfold(1, 2, 1),
    "chunk": lambda x: x.chunk(2)[1],
    "tensor_split": lambda x: x.tensor_split(2)[0],
    "movedim": lambda x: x.movedim(0, 1),
    "flatten": lambda x: x.flatten(),
    "unflatten": lambda x: x.unflatten(1, (2, 2)),
    "broadcast_to": lambda x: x.broadcast_to((3, 2, 4)),
    "expand_as": lambda x: x.expand_as(nt.zeros(3, 2, 4)),
    "mT": lambda x: x.mT,
    "T": lambda x: x.T,
    "index": lambda x: x[1],
    "ellipsis": lambda x: x[..., None],
}


@pytest.mark.parametrize("take", VIEWS.values(), ids=VIEWS.keys())
def test_D33_a_view_has_the_status_of_its_base(take):
    normal = nt.ones(2, 4)
    with nt.inference_mode():
        other = nt.ones(2, 4)
        assert take(other).is_inference()
        assert not take(normal).is_inference()
        assert take(normal)._base is normal
        # ... also of a view of it
        assert take(other.view(2, 4)).is_inference()
        assert not take(normal.view(2, 4)).is_inference()
    assert take(other).is_inference()
    assert take(other.view(2, 4)).is_inference()
    assert not take(normal).is_inference()


def test_D34_reshape_that_copies():
    x = matrix()
    with nt.inference_mode():
        copied = x.t().reshape(4)
        assert copied.is_inference()
        assert not copied._is_view()
        assert not x.reshape(4).is_inference()


@pytest.mark.parametrize(
    "same",
    [lambda x: nt.nn.Dropout().eval()(x), lambda x: nt.nn.functional.relu(x, inplace=True)],
    ids=["dropout", "relu"],
)
def test_D35_what_returns_its_input_gives_a_normal_tensor_inside(same):
    x = matrix()
    with nt.inference_mode():
        assert not same(x).is_inference()


SAME_MEMORY = {
    "detach": lambda: inference().detach(),
    "data": lambda: inference().data,
    "state_dict": lambda: inference_module(lambda: nt.nn.Linear(3, 1, bias=False)).state_dict()["weight"],
    "copy": lambda: copy.copy(inference()),
    "detach of rg": lambda: inference_leaf().detach(),
    "data of rg": lambda: inference_leaf().data,
    "view of data": lambda: inference().data[1:],
    "data of view": lambda: inference()[1:].data,
}


@differs("PyTorch gives hybrids: inference tensors with a version counter, which may be changed outside")
@pytest.mark.parametrize("make", SAME_MEMORY.values(), ids=SAME_MEMORY.keys())
def test_D36_another_tensor_on_the_memory_of_an_inference_tensor_is_one(make):
    other = make()
    assert other.is_inference()
    assert has_no_version(other)
    before = other.tolist()
    with raises(E_INP):
        other.add_(1)
    assert other.tolist() == before
    with nt.inference_mode():
        other.add_(1)
    assert other.tolist() != before


@differs("PyTorch makes a tensor that cannot even be printed")
def test_D37_an_inference_tensor_takes_no_normal_data():
    tensor, normal = inference(), nt.zeros(3)
    for mode in (nt.enable_grad(), nt.no_grad(), nt.inference_mode()):
        with mode, raises("inference tensor"):
            tensor.data = normal
    assert tensor.is_inference()
    assert tensor.tolist() == [3, 5, 7]


@differs("PyTorch makes a normal tensor whose memory anybody may change by way of the inference tensor")
def test_D37_a_normal_tensor_takes_no_inference_data():
    tensor = nt.zeros(3)
    for mode in (nt.enable_grad(), nt.no_grad(), nt.inference_mode()):
        with mode, raises("inference tensor"):
            tensor.data = inference()
    assert not tensor.is_inference()
    assert tensor.tolist() == [0, 0, 0]


@differs("PyTorch counts the copy itself")
def test_D38_a_clone_made_outside_starts_at_version_0():
    assert inference().clone()._version == 0
