"""E: in-place operations on normal and on inference tensors."""

import contextlib
import operator

import numpy as np
import pytest

from .library import E_INP, E_LEAF, E_MOD, E_VER, differs, nt, raises
from .tensors import inference, inference_leaf, leaf


def normal():
    return nt.tensor([1.0, 2.0, 4.0])


def set_item(x):
    x[0] = 9.0


INPLACE = {
    "add_": lambda x: x.add_(1),
    "sub_": lambda x: x.sub_(1),
    "mul_": lambda x: x.mul_(3),
    "div_": lambda x: x.div_(3),
    "zero_": lambda x: x.zero_(),
    "fill_": lambda x: x.fill_(9),
    "copy_": lambda x: x.copy_(nt.ones(3) * 9),
    "x[i]=": set_item,
    "+=": lambda x: operator.iadd(x, 1),
    "*=": lambda x: operator.imul(x, 3),
}
each_inplace = pytest.mark.parametrize("change", INPLACE.values(), ids=INPLACE.keys())


# ---------------------------------------------------------------------------------------------------------------------
# Normal target, inside


@each_inplace
def test_E01_normal_target_inside(change):
    x = normal()
    with nt.inference_mode():
        change(x)
    assert x.tolist() != [1, 2, 4]
    assert x._version == 1
    assert not x.is_inference()


@pytest.mark.parametrize("index", [0, slice(1, None), [0, 2], ...], ids=["number", "slice", "list", "ellipsis"])
def test_E02_item_assignment_inside(index):
    x = normal()
    with nt.inference_mode():
        x[index] = 9.0
        x[x > 5] = 7.0
    assert 7 in x.tolist()
    assert x._version == 2
    assert not x.is_inference()


def test_E03_view_made_inside_shares_the_counter():
    x = normal()
    with nt.inference_mode():
        view = x[1:]
        view.mul_(2)
        assert view._version == x._version == 1
        x.add_(1)
    assert view._version == x._version == 2
    assert x.tolist() == [2, 5, 9]


def test_E04_detached_inside_counts_in_the_source():
    x = normal()
    with nt.inference_mode():
        x.detach().mul_(2)
    assert x._version == 1
    assert x.tolist() == [2, 4, 8]


def test_E05_inference_operand():
    x, operand = normal(), inference()
    with nt.inference_mode():
        x.add_(operand)
        assert x.tolist() == [4, 7, 11]
        x.copy_(operand)
        x[:1] = operand[2:]
    assert x.tolist() == [7, 5, 7]
    assert x._version == 3
    assert not x.is_inference()


@each_inplace
def test_E06_leaf_that_requires_grad_may_be_changed_inside(change):
    x = leaf()
    with nt.inference_mode():
        change(x)
    assert x.tolist() != [1, 2, 4]
    assert x.requires_grad and x.is_leaf and x.grad_fn is None
    assert x._version == 1


def test_E07_change_of_a_tracked_result_is_not_noticed_by_the_graph():
    x = leaf()
    tracked = x * 3
    node = tracked.grad_fn
    with nt.inference_mode():
        tracked.mul_(100)
    assert tracked.grad_fn is node
    tracked.sum().backward()
    assert x.grad.tolist() == [3, 3, 3]


@each_inplace
def test_E08_a_saved_tensor_changed_inside_is_noticed(change):
    x = leaf()
    tracked = x * 1
    square = tracked * tracked
    with nt.inference_mode():
        change(tracked)
    with raises(E_MOD):
        square.sum().backward()
    assert x.grad is None


@each_inplace
def test_E09_a_saved_tensor_changed_through_a_view_inside_is_noticed(change):
    tracked = leaf([1.0, 1.0, 2.0, 4.0]) * 1
    square = tracked * tracked
    with nt.inference_mode():
        change(tracked[1:])
    with raises(E_MOD):
        square.sum().backward()


@pytest.mark.parametrize(
    "change",
    [lambda x, source: x.add_(source), lambda x, source: x.copy_(source), lambda x, source: x.mul_(source)],
    ids=["add_", "copy_", "mul_"],
)
def test_E13_source_that_requires_grad_makes_no_target_tracked(change):
    for source in (leaf(), leaf() * 2):
        x = normal()
        with nt.inference_mode():
            y = nt.ones(3)
            change(x, source)
            change(y, source)
        assert not x.requires_grad and x.grad_fn is None
        assert not x.is_inference()
        assert not y.requires_grad and y.grad_fn is None
        assert y.is_inference()


# ---------------------------------------------------------------------------------------------------------------------
# Inference target


def has_no_version(tensor):
    with raises(E_VER):
        _ = tensor._version
    return True


@each_inplace
def test_E10_inference_target_inside(change):
    with nt.inference_mode():
        x = nt.tensor([1.0, 2.0, 4.0])
        change(x)
        assert x.tolist() != [1, 2, 4]
        assert x.is_inference() and has_no_version(x)


def test_E10_chained_inside():
    with nt.inference_mode():
        x = nt.ones(2).add_(1).mul_(3).sub_(1)
        x[0] = x[1]
        assert x.tolist() == [5, 5]
        assert has_no_version(x)


@each_inplace
def test_E11_in_any_later_inference_block(change):
    x = inference()
    with nt.inference_mode():
        change(x)
    assert x.tolist() != [3, 5, 7]
    assert has_no_version(x)


@each_inplace
def test_E12_inference_leaf_inside(change):
    x = inference_leaf()
    with nt.inference_mode():
        change(x)
    assert x.tolist() != [3, 5, 7]
    assert x.requires_grad and x.is_leaf and x.is_inference()


@each_inplace
def test_E14_outside(change):
    with raises(E_INP):
        change(inference())


@each_inplace
def test_E15_under_no_grad(change):
    x = inference()
    with nt.no_grad(), raises(E_INP):
        change(x)


@each_inplace
def test_E16_under_nested_inference_mode_false(change):
    with nt.inference_mode():
        x = nt.ones(3)
        with nt.inference_mode(False), raises(E_INP):
            change(x)
        change(x)
    assert x.tolist() != [1, 1, 1]


@each_inplace
@pytest.mark.parametrize("take", [lambda x: x[:3], lambda x: x.view(3), lambda x: x.view(3)[:]])
def test_E17_through_a_view(take, change):
    x = inference()
    with nt.inference_mode():
        inside = x.view(3)
    with raises(E_INP):
        change(inside)
    with raises(E_INP):
        change(take(x))


@each_inplace
def test_E18_the_message_suggests_clone(change):
    with raises("clone"):
        change(inference())


@pytest.mark.parametrize("name", ["add_", "sub_", "mul_", "div_", "copy_", "+=", "*="])
def test_E19_inference_leaf_outside(name):
    with raises(E_LEAF):
        INPLACE[name](inference_leaf())


@each_inplace
def test_E19_inference_leaf_outside_is_refused_by_every_form(change):
    with pytest.raises(RuntimeError, match=f"{E_LEAF}|{E_INP}"):
        change(inference_leaf())


@each_inplace
def test_E19_inference_leaf_under_no_grad(change):
    x = inference_leaf()
    with nt.no_grad(), raises(E_INP):
        change(x)


def test_E20_normal_target_and_inference_source_outside():
    x, source = normal(), inference()
    x.add_(source)
    x.copy_(source)
    x[0] = source[1]
    assert x.tolist() == [5, 5, 7]
    assert x._version == 3
    assert not x.is_inference()


def test_E21_running_total_made_inside():
    with nt.inference_mode():
        total = nt.zeros(2)
        for _ in range(4):
            total += nt.ones(2)
    mean = total / 4
    assert mean.tolist() == [1, 1]
    assert not mean.is_inference()
    with raises(E_INP):
        total /= 4


def test_E22_running_total_made_outside():
    total = nt.zeros(2)
    with nt.inference_mode():
        total += nt.ones(2)
    total += 1
    total /= 2
    assert total.tolist() == [1, 1]
    assert total._version == 3
    assert not total.is_inference()


@each_inplace
def test_E23_a_clone_made_outside_can_be_changed(change):
    source = inference()
    x = source.clone()
    change(x)
    assert x.tolist() != source.tolist() == [3, 5, 7]


# ---------------------------------------------------------------------------------------------------------------------
# A refused change


REFUSED = {
    **{name: INPLACE[name] for name in ("add_", "mul_", "x[i]=", "copy_", "zero_", "fill_", "+=")},
    "x[list]=": lambda x: x.__setitem__([0, 1], 9.0),
    "x[mask]=": lambda x: x.__setitem__(x > 4, 9.0),
    "exp_": lambda x: x.exp_(),
    "clamp_": lambda x: x.clamp_(0, 4),
    "add_(alpha)": lambda x: x.add_(x, alpha=2),
    "masked_fill_": lambda x: x.masked_fill_(x > 4, 9.0),
    "index_put_": lambda x: x.index_put_((nt.tensor([0]),), nt.tensor([9.0])),
    "index_fill_": lambda x: x.index_fill_(0, nt.tensor([0]), 9.0),
    "scatter_": lambda x: x.scatter_(0, nt.tensor([0]), nt.tensor([9.0])),
    "index_add_": lambda x: x.index_add_(0, nt.tensor([0]), nt.tensor([9.0])),
    "uniform_": lambda x: x.uniform_(),
    "normal_": lambda x: x.normal_(),
    "relu(inplace)": lambda x: nt.nn.functional.relu(x.sub_(4), inplace=True),
    "init": lambda x: nt.nn.init.ones_(x),
    "out=": lambda x: nt.add(nt.ones(3), 1, out=x),
    "out= of exp": lambda x: nt.exp(nt.ones(3), out=x),
}


@differs("PyTorch writes first and raises after")
@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_E30_a_refused_change_has_written_nothing(change):
    for mode in (contextlib.nullcontext, nt.no_grad, lambda: nt.inference_mode(False)):
        x = inference()
        with mode(), raises(E_INP):
            change(x)
        assert x.tolist() == [3, 5, 7]
        assert not x.requires_grad and x.is_inference()


@differs("PyTorch changes the shape first and raises after")
@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.transpose_(0, 1),
        lambda x: x.t_(),
        lambda x: x.swapaxes_(0, 1),
        lambda x: x.swapdims_(0, 1),
        lambda x: x.squeeze_(),
        lambda x: x.squeeze_(1),
        lambda x: x.unsqueeze_(0),
    ],
    ids=["transpose_", "t_", "swapaxes_", "swapdims_", "squeeze_", "squeeze_(dim)", "unsqueeze_"],
)
def test_E30_a_refused_change_of_the_shape_has_changed_nothing(change):
    x = inference([[3.0], [5.0]])
    with raises(E_INP):
        change(x)
    assert x.tolist() == [[3], [5]]


@differs("PyTorch steps first and raises after")
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad", "RMSprop"])
def test_E30_a_refused_optimizer_step_has_changed_nothing(name):
    first, second = leaf(), inference_leaf()
    first.grad, second.grad = nt.ones(3), nt.ones(3)
    optimizer = getattr(nt.optim, name)([first, second], lr=0.1)
    with raises(E_INP):
        optimizer.step()
    assert first.tolist() == [1, 2, 4]
    assert second.tolist() == [3, 5, 7]
    assert first._version == 0
    assert not optimizer.state_dict()["state"]


def clip_norm(tensors):
    nt.nn.utils.clip_grad_norm_(tensors, 1.0)


def clip_value(tensors):
    nt.nn.utils.clip_grad_value_(tensors, 1.0)


scales_first = differs("PyTorch scales first and raises after")


@pytest.mark.parametrize("clip", [pytest.param(clip_norm, marks=scales_first), clip_value])
def test_E30_refused_clipping_has_changed_nothing(clip):
    first, second = leaf(), leaf()
    first.grad, second.grad = normal(), inference()
    with raises(E_INP):
        clip([first, second])
    assert first.grad.tolist() == [1, 2, 4]
    assert second.grad.tolist() == [3, 5, 7]


@pytest.mark.parametrize(
    "change",
    [lambda x: x.transpose_(0, 1), lambda x: x.t_(), lambda x: x.squeeze_(), lambda x: x.unsqueeze_(0)],
    ids=["transpose_", "t_", "squeeze_", "unsqueeze_"],
)
def test_E31_a_change_of_the_shape_counts_as_in_place(change):
    x = nt.zeros(2, 1)
    assert change(x) is x
    assert x._version == 1
    assert tuple(x.shape) != (2, 1)
    with nt.inference_mode():
        y = nt.zeros(2, 1)
        change(y)
        assert y.shape == x.shape
    with raises(E_LEAF):
        change(nt.zeros(2, 1, requires_grad=True))


def test_E32_out_is_an_inference_tensor_outside():
    out = inference()
    with raises(E_INP):
        nt.mul(normal(), 2, out=out)
    with nt.inference_mode():
        nt.mul(normal(), 2, out=out)
    assert out.tolist() == [2, 4, 8]


def test_E32_out_with_an_argument_that_requires_grad():
    out = nt.zeros(3)
    with raises("don't support automatic differentiation"):
        nt.mul(leaf(), 2, out=out)
    with raises("don't support automatic differentiation"):
        nt.mul(normal(), 2, out=leaf())
    with nt.no_grad():
        nt.mul(leaf(), 2, out=out)
    assert out.tolist() == [2, 4, 8]
    assert not out.requires_grad


@differs("a tensor made through DLPack of an inference tensor is one, too")
def test_E33_a_tensor_from_dlpack_is_checked():
    x = inference()
    with raises(E_INP):
        nt.from_dlpack(x).add_(1)
    assert x.tolist() == [3, 5, 7]


def test_E33_writes_through_numpy_are_not_checked():
    x, y = inference(), normal()
    x.numpy()[0] = 9
    y.numpy()[0] = 9
    np.add(y.numpy(), 1, out=x.numpy())
    assert x.tolist() == [10, 3, 5]
    assert y._version == 0
