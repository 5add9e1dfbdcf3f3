"""L: the version counter, what is saved, and the graph of in-place operations."""

import operator

import numpy as np
import pytest

from .library import E_2ND, E_MOD, differs, nt, raises
from .tensors import leaf


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
    "copy_": lambda x: x.copy_(nt.ones(3)),
    "x[i]=": set_item,
    "+=": lambda x: operator.iadd(x, 1),
    "*=": lambda x: operator.imul(x, 3),
}


# ---------------------------------------------------------------------------------------------------------------------
# Counting


@pytest.mark.parametrize("change", INPLACE.values(), ids=INPLACE.keys())
def test_L01_each_change_counts_one(change):
    x = normal()
    assert x._version == 0
    change(x)
    assert x._version == 1


def test_L02_changes_add_up():
    x = normal()
    for change in INPLACE.values():
        change(x)
    assert x._version == len(INPLACE)


def test_L03_a_change_of_nothing_counts():
    x, empty = normal(), nt.zeros(0)
    x.add_(0)
    x[0] = x[0].item()
    x.copy_(x.clone())
    assert x._version == 3
    empty.mul_(2)
    empty.zero_()
    assert empty._version == 2


def test_L04_other_ops_do_not_count():
    x = normal()
    _ = x + 1, x * x, x.sum(), x[1:], x.view(3, 1), x.clone(), x.detach(), x.tolist(), x.numpy(), x == x, repr(x)
    _ = x.requires_grad_() * 2
    assert x._version == 0


def test_L05_views_share_one_counter():
    x = normal()
    part, whole = x[1:], x.view(3, 1)
    part.add_(1)
    assert x._version == part._version == whole._version == 1
    x.add_(1)
    assert x._version == part._version == whole._version == 2
    assert part[:1]._version == 2


def test_L06_detach_shares_the_counter():
    x = normal()
    detached = x.detach()
    detached.add_(1)
    x.add_(1)
    assert x._version == detached._version == 2


def test_L07_data_shares_memory_but_not_the_counter():
    x = normal()
    x.add_(1)
    data = x.data
    assert data._version == 0
    data.mul_(2)
    assert data._version == 1
    assert x._version == 1
    assert x.tolist() == [4, 6, 10]


def test_L08_a_clone_has_its_own():
    x = normal()
    x.add_(1)
    clone = x.clone()
    assert clone._version == 0
    clone.add_(1)
    assert (x._version, clone._version) == (1, 1)


def test_L09_writes_through_numpy_are_not_seen():
    x = normal()
    x.numpy()[0] = 5
    array = np.ones(2)
    y = nt.from_numpy(array)
    array[0] = 5
    assert x.tolist() == [5, 2, 4] and y.tolist() == [5, 1]
    assert x._version == y._version == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.add_(nt.ones(2)),
        lambda x: x.mul_(nt.ones(2, 3)),
        lambda x: x.copy_(nt.ones(2)),
        lambda x: x.__setitem__(slice(0, 2), nt.ones(3)),
        lambda x: x.__setitem__(7, 1.0),
        lambda x: nt.zeros(3, dtype=nt.int64).add_(0.5),
    ],
    ids=["add_", "mul_ that grows", "copy_", "part", "index", "dtype"],
)
def test_L10_a_failed_change_does_not_count(change):
    x = normal()
    with pytest.raises((RuntimeError, IndexError)):
        change(x)
    assert x._version == 0
    assert x.tolist() == [1, 2, 4]


def test_L11_the_version_cannot_be_set():
    with pytest.raises(AttributeError):
        normal()._version = 3


@pytest.mark.parametrize(
    "act",
    [
        lambda x: x.requires_grad_(),
        lambda x: x.detach_(),
        lambda x: setattr(x, "grad", nt.ones(3)),
        lambda x: setattr(x, "data", nt.ones(3)),
    ],
    ids=["requires_grad_", "detach_", "grad", "data"],
)
def test_L12_what_does_not_count(act):
    x = normal()
    act(x)
    assert x._version == 0


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad", "RMSprop"])
def test_L13_an_optimizer_step_counts(name):
    x = leaf()
    x.grad = nt.ones(3)
    optimizer = getattr(nt.optim, name)([x], lr=0.1)
    before = x._version
    optimizer.step()
    counted = x._version - before
    assert counted >= 1
    optimizer.step()
    assert x._version - before == 2 * counted


@differs("PyTorch's optimizers change a parameter in several in-place ops")
def test_L13_an_optimizer_step_counts_one():
    x = leaf()
    x.grad = nt.ones(3)
    nt.optim.Adam([x], lr=0.1, weight_decay=0.1).step()
    nt.optim.SGD([x], lr=0.1, momentum=0.9).step()
    nt.optim.AdamW([x], lr=0.1).step()
    assert x._version == 3


# ---------------------------------------------------------------------------------------------------------------------
# What was saved


def test_L14_a_saved_tensor_changed_before_backward():
    x = leaf()
    tracked = x * 1
    square = tracked * tracked
    tracked.add_(1)
    with raises(E_MOD):
        square.sum().backward()


def test_L15_the_text_names_both_versions():
    tracked = leaf() * 1
    tracked.add_(1)
    square = tracked * tracked
    tracked.add_(1).add_(1)
    with pytest.raises(RuntimeError, match="is at version 3; expected version 1 instead"):
        square.sum().backward()


@differs("PyTorch names the node that made the changed tensor, not the op that saved it, nor the change")
@pytest.mark.parametrize(
    ("op", "saved_by", "change", "changed_by"),
    [
        (lambda x: x * x, "mul", lambda x: x.sub_(1), "sub_"),
        (lambda x: x.log(), "log", lambda x: x.__setitem__(0, 1.0), "setitem"),
        (lambda x: x.softmax(0), "softmax", None, "zero_"),
        (lambda x: x.exp(), "exp", None, "zero_"),
        (lambda x: x @ x, "matmul", lambda x: x.copy_(nt.ones(3)), "copy_"),
    ],
    ids=["mul", "log", "softmax", "exp", "matmul"],
)
def test_L15_the_text_names_the_op_that_saved_and_the_one_that_changed(op, saved_by, change, changed_by):
    tracked = leaf() * 1
    result = op(tracked)
    total = result.sum()
    if change is None:
        result.zero_()
    else:
        change(tracked)
    with raises(E_MOD) as caught:
        total.backward()
    assert str(caught.value).startswith(saved_by)
    assert f"changed last by {changed_by}" in str(caught.value)


def test_L16_the_change_itself_is_allowed():
    tracked = leaf() * 1
    square = tracked * tracked
    tracked.zero_()
    assert tracked.tolist() == [0, 0, 0]
    assert square.tolist() == [1, 4, 16]
    assert square.requires_grad


SAVE_RESULT = ["exp", "sigmoid", "tanh", "relu", "sqrt"]
SAVE_INPUT = {
    "log": lambda x: x.log(),
    "square": lambda x: x.square(),
    "pow": lambda x: x.pow(3),
    "sin": lambda x: x.sin(),
}
SAVE_NOTHING = {
    "add": lambda x: x + x,
    "neg": lambda x: -x,
    "mul": lambda x: x * 3,
    "div": lambda x: x / 4,
    "sum": lambda x: x.sum(0, keepdim=True),
    "mean": lambda x: x.mean(0, keepdim=True),
}


def changed_between(op, which):
    """Change the input (0) or the result (1) of `op` between forward and backward."""
    x = leaf()
    tracked = x * 1
    result = op(tracked)
    total = result.sum()
    (tracked, result)[which].mul_(2)
    total.backward()
    return x.grad.tolist()


@pytest.mark.parametrize("name", SAVE_RESULT)
def test_L17_a_saved_result_changed_is_an_error(name):
    with raises(E_MOD):
        changed_between(lambda x: getattr(x, name)(), 1)


@pytest.mark.parametrize("name", SAVE_RESULT)
def test_L18_their_input_may_be_changed(name):
    x = leaf()
    getattr(x, name)().sum().backward()
    assert changed_between(lambda x: getattr(x, name)(), 0) == x.grad.tolist()


@pytest.mark.parametrize("op", SAVE_INPUT.values(), ids=SAVE_INPUT.keys())
def test_L19_a_saved_input_changed_is_an_error(op):
    with raises(E_MOD):
        changed_between(op, 0)


@pytest.mark.parametrize("op", SAVE_NOTHING.values(), ids=SAVE_NOTHING.keys())
def test_L20_ops_that_save_nothing(op):
    x = leaf()
    op(x).sum().backward()
    assert changed_between(op, 0) == changed_between(op, 1) == x.grad.tolist()


@pytest.mark.parametrize("op", [operator.mul, operator.matmul], ids=["mul", "matmul"])
def test_L21_a_product_saves_only_the_side_it_needs(op):
    x, tracked, constant = leaf(), leaf() * 1, nt.tensor([2.0, 3.0, 5.0])
    product = op(tracked, constant)
    tracked.zero_()
    product.sum().backward()
    product = op(x * 1, constant)
    constant.zero_()
    with raises(E_MOD):
        product.sum().backward()


def test_L22_a_change_through_detach_is_noticed():
    tracked = leaf() * 1
    square = tracked * tracked
    tracked.detach().zero_()
    with raises(E_MOD):
        square.sum().backward()


def test_L23_a_change_through_data_is_not_noticed():
    x = leaf()
    tracked = x * 1
    square = tracked * tracked
    tracked.data.zero_()
    square.sum().backward()
    assert x.grad.tolist() == [0, 0, 0]


def test_L24_a_change_of_another_part_is_noticed():
    tracked = leaf() * 1
    square = tracked[:1] * tracked[:1]
    tracked[2:].zero_()
    with raises(E_MOD):
        square.sum().backward()


def test_L25_putting_the_old_values_back_does_not_help():
    tracked = leaf() * 1
    square = tracked * tracked
    tracked.add_(1)
    tracked.sub_(1)
    with raises(E_MOD):
        square.sum().backward()


def test_L26_backward_twice():
    x = leaf()
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert x.grad.tolist() == [4, 8, 16]
    with raises(E_2ND):
        loss.backward()


def test_L27_an_optimizer_step_between_two_backwards_is_noticed():
    x = leaf()
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    nt.optim.SGD([x], lr=0.1).step()
    with raises(E_MOD):
        loss.backward()


class Square(nt.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x * 2


class Exp(nt.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        result = x.exp()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, grad):
        (result,) = ctx.saved_tensors
        return grad * result


def test_L28_a_tensor_saved_by_a_custom_function():
    tracked = leaf() * 1
    square = Square.apply(tracked)
    tracked.zero_()
    with raises(E_MOD):
        square.sum().backward()


def test_L28_a_result_saved_by_a_custom_function():
    result = Exp.apply(leaf())
    total = result.sum()
    with nt.no_grad():
        result.zero_()
    with raises(E_MOD):
        total.backward()


# ---------------------------------------------------------------------------------------------------------------------
# Changes that are part of the graph


def test_L29_a_change_of_a_tracked_result_is_recorded():
    x = leaf()
    y = x * 1
    before = y.grad_fn
    y.mul_(3)
    assert y.grad_fn is not before
    y.neg_().add_(1)
    y.sum().backward()
    assert x.grad.tolist() == [-3, -3, -3]


@differs("PyTorch saves the memory that the next op overwrites")
def test_L29_changes_may_follow_each_other_whatever_they_save():
    x = leaf()
    y = x * 1
    y.exp_().square_().log_()
    y.sum().backward()
    assert np.allclose(x.grad.tolist(), [2, 2, 2])


def test_L30_a_change_of_a_view_is_recorded_in_the_base():
    x = leaf()
    y = x * 1
    y[1:].mul_(3)
    y.sum().backward()
    assert y.tolist() == [1, 6, 12]
    assert x.grad.tolist() == [1, 3, 3]


def test_L31_a_view_taken_before_sees_the_change():
    x = leaf()
    y = x * 1
    view = y[1:]
    y.mul_(5)
    view.sum().backward()
    assert view.tolist() == [10, 20]
    assert x.grad.tolist() == [0, 5, 5]


def test_L32_a_tracked_source_makes_the_target_tracked():
    for write in (lambda y, x: y.copy_(x), lambda y, x: y.add_(x), lambda y, x: y.__setitem__(..., x)):
        x, y = leaf(), nt.zeros(3)
        write(y, x * 2)
        assert y.requires_grad and not y.is_leaf
        y.sum().backward()
        assert x.grad.tolist() == [2, 2, 2]


def test_L33_into_a_part_makes_the_whole_tracked():
    x, y = leaf(), nt.zeros(3)
    y[1] = x[0] * 2
    assert y.requires_grad and not y.is_leaf
    y.sum().backward()
    assert x.grad.tolist() == [2, 0, 0]


def test_L34_the_gradient_through_overwritten_values_is_cut():
    x = leaf()
    for overwrite in (lambda y: y[:2].zero_(), lambda y: y.__setitem__([0, 1], 5.0), lambda y: y[:2].fill_(1)):
        y = x * 3
        overwrite(y)
        assert nt.autograd.grad(y.sum(), x)[0].tolist() == [0, 0, 3]


def test_L35_detach_and_data_have_no_history():
    tracked = leaf() * 2
    for source in (tracked, tracked[1:], leaf()):
        for other in (source.detach(), source.data):
            assert not other.requires_grad
            assert other.grad_fn is None
            assert other._base is None


def test_L36_item_increment_counts_two():
    x = normal()
    x[0] += 1
    assert x._version == 2


def test_L36_a_parameter_shares_the_counter():
    x = normal()
    parameter = nt.nn.Parameter(x)
    x.add_(1)
    assert parameter._version == x._version == 1


def test_L36_gradient_accumulation_counts_in_grad():
    x = leaf()
    (x * 2).sum().backward()
    gradient = x.grad
    assert gradient._version == 0
    (x * 2).sum().backward()
    assert x.grad is gradient
    assert gradient._version == 1
    assert gradient.tolist() == [4, 4, 4]


# ---------------------------------------------------------------------------------------------------------------------
# Ops with several results


SEVERAL = {
    "topk": lambda x: x.topk(2),
    "sort": lambda x: x.sort(),
    "max": lambda x: x.max(0, keepdim=True),
    "min": lambda x: x.min(0, keepdim=True),
}


@pytest.mark.parametrize("op", SEVERAL.values(), ids=SEVERAL.keys())
def test_L17_saved_positions_changed_are_an_error(op):
    result = op(leaf())
    total = result.values.sum()
    result.indices.zero_()
    with raises(E_MOD):
        total.backward()


@pytest.mark.parametrize("op", SEVERAL.values(), ids=SEVERAL.keys())
def test_L17_saved_positions_changed_through_a_view_are_an_error(op):
    result = op(leaf())
    total = result.values.sum()
    with nt.no_grad():
        result.indices[:1].add_(1)
    with raises(E_MOD):
        total.backward(create_graph=True)


@pytest.mark.parametrize("op", SEVERAL.values(), ids=SEVERAL.keys())
def test_L18_their_values_may_be_changed(op):
    x = leaf()
    values = op(x).values
    values.mul_(3)
    values.sum().backward()
    assert sorted(set(x.grad.tolist())) in ([0, 3], [3])
