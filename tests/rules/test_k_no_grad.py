"""K: no_grad beside inference mode."""

import numpy as np
import pytest

from .library import E_LEAF, E_MOD, E_VIM, E_VNG, differs, nt, raises
from .tensors import leaf

BOTH = {"no_grad": (nt.no_grad, E_VNG), "inference_mode": (nt.inference_mode, E_VIM)}
each_mode = pytest.mark.parametrize(("mode", "phrase"), BOTH.values(), ids=BOTH.keys())


def normal():
    return nt.tensor([1.0, 2.0, 4.0])


def set_item(x):
    x[0] = 9.0


def test_K01_results_under_no_grad_are_normal():
    x = leaf()
    with nt.no_grad():
        made = x * x
    assert not made.is_inference()
    assert made._version == 0
    assert not made.requires_grad
    assert made.is_leaf and made.grad_fn is None


def test_K02_they_may_be_saved_later():
    x = leaf()
    with nt.no_grad():
        made = x * x
    (made * x).sum().backward()
    assert x.grad.tolist() == [1, 4, 16]


def test_K03_they_may_be_changed_and_made_to_require_grad_later():
    with nt.no_grad():
        made = leaf() * 2
    made.add_(1)
    assert made._version == 1
    made.requires_grad_()
    (made * made).sum().backward()
    assert made.grad.tolist() == [6, 10, 18]


def test_K04_requires_grad_of_factories_is_kept():
    with nt.no_grad():
        made = [nt.ones(2, requires_grad=True), nt.zeros(2).requires_grad_(), nt.nn.Parameter(nt.ones(2))]
        assert all(one.requires_grad and one.is_leaf for one in made)
        assert not (made[0] * 2).requires_grad
    assert (made[0] * 2).requires_grad


def test_K05_a_view_under_no_grad_is_tracked():
    for base in (leaf(), leaf() * 2):
        with nt.no_grad():
            view = base[1:]
        assert view._is_view() and view._base is base
        assert view.requires_grad
        assert view.grad_fn is None


def test_K06_requires_grad_set_on_the_base_shows_in_its_view():
    x = normal()
    with nt.no_grad():
        view = x[1:]
        x.requires_grad_()
        assert view.requires_grad
    assert view.requires_grad


def test_K06_a_view_of_an_inference_tensor_does_not_show_it():
    with nt.inference_mode():
        x = nt.ones(3)
        view = x[1:]
        x.requires_grad_()
        assert not view.requires_grad
    assert not view.requires_grad


@each_mode
def test_K06_it_shows_in_a_view_of_a_normal_tensor_whatever_the_mode(mode, phrase):
    x, y = normal(), normal()
    with mode():
        views = x[1:], y[1:]
        y.requires_grad_()
    x.requires_grad_()
    assert views[0].requires_grad and views[1].requires_grad


CHANGES = {
    "add_": lambda x: x.add_(1),
    "mul_": lambda x: x.mul_(2),
    "zero_": lambda x: x.zero_(),
    "x[i]=": set_item,
    "part": lambda x: x[:1].add_(1),
}
each_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())


@each_change
def test_K07_view_made_under_no_grad_changed_in_grad_mode(change):
    base = leaf() * 2
    with nt.no_grad():
        view = base[1:]
    with raises(E_VNG):
        change(view)
    assert base.tolist() == [2, 4, 8]
    assert base._version == 0


@each_change
def test_K08_view_made_inside_changed_in_grad_mode(change):
    base = leaf() * 2
    with nt.inference_mode():
        view = base[1:]
    with raises(E_VIM):
        change(view)
    assert base.tolist() == [2, 4, 8]
    assert base._version == 0


@each_change
@each_mode
def test_K09_a_view_of_a_constant_may_be_changed_anywhere(mode, phrase, change):
    base = normal()
    with mode():
        view = base[1:]
    change(view)
    assert base._version == view._version == 1
    with nt.inference_mode():
        change(view)
    with nt.no_grad():
        change(view)
    assert base._version == view._version == 3
    assert not base.requires_grad


@pytest.mark.parametrize(
    "write",
    [
        lambda view, source: view.add_(source),
        lambda view, source: view.copy_(source),
        lambda view, source: view.__setitem__(slice(None), source),
    ],
    ids=["add_", "copy_", "x[i]="],
)
@each_mode
def test_K10_unless_the_source_is_tracked(mode, phrase, write):
    base = normal()
    with mode():
        view = base[1:]
    with raises(phrase):
        write(view, leaf([5.0, 6.0]) * 2)
    assert base.tolist() == [1, 2, 4]
    assert base._version == 0
    assert not base.requires_grad


@each_change
@each_mode
def test_K11_with_grad_off_the_change_is_allowed(mode, phrase, change):
    base = leaf() * 2
    with mode():
        view = base[1:]
    for off in (nt.no_grad, nt.inference_mode):
        with off():
            change(view)
    assert base._version == 2


each_use = pytest.mark.parametrize(
    "use",
    [lambda view: view.grad_fn, lambda view: view.is_leaf, lambda view: view * 2, lambda view: view.sum()],
    ids=["grad_fn", "is_leaf", "mul", "sum"],
)
BASE_CHANGED = "its base or another view of its base has been modified"


@each_use
def test_K12_base_changed_after_a_view_was_made_inside(use):
    base = leaf() * 2
    with nt.inference_mode():
        view = base[1:]
    base.mul_(3)
    for phrase in (E_VIM, BASE_CHANGED):
        with raises(phrase):
            use(view)


@each_use
def test_K13_base_changed_after_a_view_was_made_under_no_grad(use):
    base = leaf() * 2
    with nt.no_grad():
        view = base[1:]
    base[:1].mul_(3)
    for phrase in (E_VNG, BASE_CHANGED):
        with raises(phrase):
            use(view)


@each_mode
def test_K14_functional_use_of_such_a_view_of_a_constant(mode, phrase):
    x, base = leaf([3.0, 5.0]), normal()
    with mode():
        view = base[1:]
    (x * view).sum().backward()
    assert x.grad.tolist() == [2, 4]
    assert (view + 1).tolist() == [3, 5]


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.add_(1),
        lambda x: x.mul_(2),
        lambda x: x.zero_(),
        lambda x: x.fill_(3),
        lambda x: x.copy_(nt.ones(3)),
        lambda x: x.exp_(),
        lambda x: x.uniform_(),
    ],
    ids=["add_", "mul_", "zero_", "fill_", "copy_", "exp_", "uniform_"],
)
def test_K15_a_leaf_that_requires_grad(change):
    x = leaf()
    with raises(E_LEAF):
        change(x)
    assert x.tolist() == [1, 2, 4]
    assert x._version == 0
    with nt.no_grad():
        change(x)
    assert x._version == 1
    assert x.requires_grad and x.is_leaf


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x[1:].add_(1),
        lambda x: x.view(3, 1).zero_(),
        lambda x: x[:2][1:].mul_(2),
        set_item,
        lambda x: x.__setitem__([0, 1], 9.0),
        lambda x: x.__setitem__(x > 1, 9.0),
    ],
    ids=["slice", "view", "view of a view", "item", "list", "mask"],
)
def test_K16_a_view_of_a_leaf_and_item_assignment(change):
    x = leaf()
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        change(x)
    assert x.tolist() == [1, 2, 4]
    assert x._version == 0
    with nt.no_grad():
        change(x)
    assert x._version == 1
    assert x.requires_grad and x.is_leaf


def test_K17_a_saved_tensor_changed_under_no_grad():
    x = leaf()
    square = (x * x).sum()
    with nt.no_grad():
        x.add_(1)
    with raises(E_MOD):
        square.backward()


def test_K18_a_custom_function_under_no_grad():
    class Double(nt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    with nt.no_grad():
        made = Double.apply(leaf())
    assert made.tolist() == [2, 4, 8]
    assert not made.requires_grad and made.grad_fn is None
    assert not made.is_inference() and made._version == 0


@differs("PyTorch loses the gradient without a word")
@each_mode
def test_K19_the_gradient_through_such_a_view_reaches_the_base(mode, phrase):
    x = leaf()
    tracked = x * 3
    with mode():
        views = [x[1:], tracked[1:], tracked.view(3, 1)[1:, 0], tracked.view(3, 1)[1:].t()]
    for view, factor in zip(views, (1, 3, 3, 3), strict=True):
        result = view * view
        assert result.requires_grad
        (gradient,) = nt.autograd.grad(result.sum(), x, retain_graph=True)
        expected = [0, 2 * 2 * factor**2, 2 * 4 * factor**2]
        assert np.allclose(gradient.tolist(), expected)
        (again,) = nt.autograd.grad(result.sum(), x, create_graph=True)
        assert np.allclose(again.tolist(), expected)


@differs("PyTorch loses the gradient without a word")
@each_mode
def test_K19_one_of_several_views_reaches_the_base(mode, phrase):
    x = leaf()
    with mode():
        _, second, third = x.unbind()
    (second * third).backward()
    assert x.grad.tolist() == [0, 4, 2]


@pytest.mark.parametrize(
    "take",
    [
        lambda x: x.split(1)[0],
        lambda x: x.chunk(2)[0],
        lambda x: x.unbind()[0],
        lambda x: next(iter(x)),
        lambda x: x.split([1, 2])[1],
    ],
    ids=["split", "chunk", "unbind", "iteration", "sizes"],
)
def test_K20_outputs_of_multi_view_ops(take):
    tracked = leaf() * 2
    with raises("returns multiple views"):
        take(tracked).add_(1)
    assert tracked.tolist() == [2, 4, 8]
    constant = normal()
    take(constant).zero_()
    assert constant._version == 1


def test_K20_detach_in_place_of_a_tracked_view():
    tracked = leaf() * 2
    view = tracked[1:]
    with raises("detach"):
        view.detach_()
    assert view.requires_grad and view.grad_fn is not None
    tracked.detach_()
    assert not tracked.requires_grad and tracked.is_leaf


@pytest.mark.parametrize(
    "change",
    [lambda x: x.add_(1), lambda x: x.mul_(x), lambda x: x.copy_(nt.ones(2, 3))],
    ids=["add_", "mul_", "copy_"],
)
def test_K20_in_place_on_an_expanded_tensor(change):
    base = normal()
    with raises("more than one element of the written-to tensor refers to a single memory location"):
        change(base.expand(2, 3))
    assert base.tolist() == [1, 2, 4]
    assert base._version == 0
