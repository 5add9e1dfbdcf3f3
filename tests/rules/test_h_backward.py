"""H: the backward pass and the modes. Gradients and optimizer state are normal tensors, wherever they are made."""

import pytest

from .library import E_INP, E_NOG, differs, flags, nt, raises
from .tensors import inference, inference_leaf, leaf

OPTIMIZERS = {
    "SGD": lambda params: nt.optim.SGD(params, lr=0.5),
    "SGD momentum": lambda params: nt.optim.SGD(params, lr=0.5, momentum=0.9),
    "Adam": lambda params: nt.optim.Adam(params, lr=0.5, amsgrad=True),
    "AdamW": lambda params: nt.optim.AdamW(params, lr=0.5),
    "Adagrad": lambda params: nt.optim.Adagrad(params, lr=0.5),
    "RMSprop": lambda params: nt.optim.RMSprop(params, lr=0.5, momentum=0.9, centered=True),
}
# Those that make state in their first step.
STATEFUL = [name for name in OPTIMIZERS if name not in ("SGD", "Adagrad")]


class Double(nt.autograd.Function):
    """Twice its argument; keeps what it saw on the way."""

    seen = None

    @staticmethod
    def forward(ctx, x):
        Double.seen = flags()
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        Double.seen = flags()
        return grad * 2


# ---------------------------------------------------------------------------------------------------------------------
# What was not recorded


def test_H01_backward_inside_of_what_was_computed_inside_is_refused():
    x = leaf()
    with nt.inference_mode():
        y = (x * 2).sum()
        with raises(E_NOG):
            y.backward()


def test_H01_backward_outside_of_what_was_computed_inside_is_refused():
    x = leaf()
    with nt.inference_mode():
        y = (x * 2).sum()
    with raises(E_NOG):
        y.backward()


@pytest.mark.parametrize("inside", [True, False])
def test_H02_backward_of_what_was_computed_under_no_grad_is_refused(inside):
    x = leaf()
    with nt.no_grad():
        y = (x * 2).sum()
    with nt.set_grad_enabled(not inside), raises(E_NOG):
        y.backward()


# ---------------------------------------------------------------------------------------------------------------------
# Backward inside


def test_H03_graph_built_outside_runs_backward_inside():
    x = leaf()
    y = (x * x).sum()
    with nt.inference_mode():
        y.backward()
        assert flags() == (False, True)
    assert x.grad.tolist() == [2.0, 4.0, 8.0]
    assert flags() == (True, False)


@differs("PyTorch makes an inference tensor of it")
def test_H04_gradient_first_made_inside_is_normal():
    x = leaf()
    y = (x * x).sum()
    with nt.inference_mode():
        y.backward()
    assert not x.grad.is_inference()


@differs("PyTorch refuses to add to the inference tensor")
def test_H05_gradient_made_inside_may_be_added_to_outside():
    x = leaf()
    y = (x * x).sum()
    with nt.inference_mode():
        y.backward()
    (x * 3).sum().backward()
    assert x.grad.tolist() == [5.0, 7.0, 11.0]
    x.grad.zero_()
    assert x.grad.tolist() == [0.0, 0.0, 0.0]


@differs("PyTorch makes inference tensors of them")
def test_H05_every_gradient_made_inside_is_normal():
    x, y = leaf(), leaf()
    middle = x * y
    middle.retain_grad()
    loss = middle.sum()
    with nt.inference_mode():
        loss.backward(inputs=[x], retain_graph=True)
        kept = x.grad
        loss.backward(inputs=[x, middle], retain_graph=True)
        loss.backward(inputs=[y], create_graph=True)
        loss.backward(inputs=[y], create_graph=True)
    assert x.grad is kept
    assert not any(one.grad.is_inference() for one in (x, y, middle))
    assert x.grad.tolist() == y.grad.tolist() == [2.0, 4.0, 8.0]


@differs("PyTorch writes to it and then raises")
def test_H05_assigned_inference_gradient_is_replaced_by_a_normal_sum():
    x = leaf()
    x.grad = given = inference()
    (x * 2).sum().backward()
    assert x.grad.tolist() == [5.0, 7.0, 9.0]
    assert not x.grad.is_inference()
    assert given.tolist() == [3.0, 5.0, 7.0]


def test_H06_adding_inside_keeps_a_normal_gradient_normal():
    x = leaf()
    (x * 3).sum().backward()
    kept = x.grad
    y = (x * x).sum()
    with nt.inference_mode():
        y.backward()
    assert x.grad is kept
    assert not kept.is_inference()
    assert kept.tolist() == [5.0, 7.0, 11.0]


def test_H07_backward_under_no_grad_gives_normal_gradients():
    x = leaf()
    y = (x * x).sum()
    with nt.no_grad():
        y.backward()
    assert not x.grad.is_inference()
    assert x.grad.tolist() == [2.0, 4.0, 8.0]
    (x * 3).sum().backward()
    assert x.grad.tolist() == [5.0, 7.0, 11.0]


@pytest.mark.parametrize("inside", [True, False])
def test_H08_autograd_grad_refuses_what_was_computed_inside(inside):
    x = leaf()
    with nt.inference_mode():
        y = (x * 2).sum()
    with nt.inference_mode(inside), raises("does not require grad"):
        nt.autograd.grad(y, x)


def test_H08_autograd_grad_refuses_what_was_computed_under_no_grad():
    x = leaf()
    with nt.no_grad():
        y = (x * 2).sum()
    with raises("does not require grad"):
        nt.autograd.grad(y, x)


def test_H08_autograd_grad_runs_inside():
    x = leaf()
    y = (x * x).sum()
    with nt.inference_mode():
        (gradient,) = nt.autograd.grad(y, x)
        assert flags() == (False, True)
    assert gradient.tolist() == [2.0, 4.0, 8.0]
    assert x.grad is None


@differs("PyTorch returns an inference tensor")
def test_H08_autograd_grad_inside_returns_normal_tensors():
    x, unused = leaf(), leaf()
    y = (x * x).sum()
    with nt.inference_mode():
        gradients = nt.autograd.grad(y, (x, unused), materialize_grads=True)
    assert not any(gradient.is_inference() for gradient in gradients)


@pytest.mark.parametrize("manager", [nt.enable_grad, nt.no_grad, nt.inference_mode])
def test_H09_hooks_see_grad_off_and_the_mode_is_as_before(manager):
    x = leaf()
    y = x * 2
    seen = []
    x.register_hook(lambda grad: seen.append(nt.is_grad_enabled()))
    y.register_hook(lambda grad: seen.append(nt.is_grad_enabled()))
    loss = y.sum()
    with manager():
        before = flags()
        loss.backward()
        assert flags() == before
    assert seen == [False, False]


@pytest.mark.filterwarnings("ignore:Using backward")
def test_H09_hooks_see_grad_on_with_create_graph():
    x = leaf()
    seen = []
    x.register_hook(lambda grad: seen.append(flags()))
    loss = (x * x).sum()
    with nt.no_grad():
        loss.backward(create_graph=True)
        assert flags() == (False, False)
    assert seen == [(True, False)]


def doubled_inside(grad):
    """A hook whose result is an inference tensor."""
    with nt.inference_mode():
        return grad * 2


@differs("PyTorch keeps the inference tensor, and cannot add to it later")
def test_H09_gradient_that_a_hook_makes_inside_is_normal():
    x = leaf()
    x.register_hook(doubled_inside)
    (x + 0).sum().backward()
    assert not x.grad.is_inference()
    assert x.grad.tolist() == [2.0, 2.0, 2.0]


@pytest.mark.filterwarnings("ignore:Using backward")
def test_H09_gradient_that_a_hook_makes_inside_is_normal_with_create_graph():
    x = leaf()
    x.register_hook(doubled_inside)
    (x + 0).sum().backward(create_graph=True)
    assert not x.grad.is_inference()
    assert x.grad.tolist() == [2.0, 2.0, 2.0]


def test_H09_the_mode_is_as_before_after_a_hook_that_raises():
    def hook(grad):
        raise ZeroDivisionError

    x = leaf()
    x.register_hook(hook)
    loss = (x * 2).sum()
    with nt.inference_mode():
        with pytest.raises(ZeroDivisionError):
            loss.backward()
        assert flags() == (False, True)
    assert flags() == (True, False)


def test_H10_seed_gradient_may_be_an_inference_tensor():
    x = leaf()
    (x * 2).backward(inference())
    assert x.grad.tolist() == [6.0, 10.0, 14.0]
    assert not x.grad.is_inference()


@pytest.mark.filterwarnings("ignore:Using backward")
@pytest.mark.parametrize("create_graph", [True, False])
def test_H10_seed_gradient_is_not_shared_with_the_gradient(create_graph):
    x, seed = leaf(), inference()
    y = x + 0
    y.retain_grad()
    y.backward(seed, create_graph=create_graph)
    assert not (x.grad.is_inference() or y.grad.is_inference())
    x.grad.add_(1)
    y.grad.add_(2)
    assert seed.tolist() == [3.0, 5.0, 7.0]
    assert x.grad.tolist() == [4.0, 6.0, 8.0]


@differs("PyTorch refuses to save it")
def test_H10_seed_gradient_may_be_an_inference_tensor_with_create_graph():
    x = leaf()
    (first,) = nt.autograd.grad(x * x, x, inference(), create_graph=True)
    assert first.tolist() == [6.0, 20.0, 56.0]
    assert nt.autograd.grad(first.sum(), x)[0].tolist() == [6.0, 10.0, 14.0]


def test_H10_seed_gradient_that_requires_grad_is_refused_with_create_graph():
    x = leaf()
    with pytest.raises(RuntimeError):
        nt.autograd.grad(x * x, x, inference_leaf(), create_graph=True)


@differs("PyTorch hands the seed out as it is")
@pytest.mark.parametrize("create_graph", [True, False])
def test_H10_autograd_grad_returns_a_normal_tensor_for_an_inference_seed(create_graph):
    x, seed = leaf(), inference()
    (gradient,) = nt.autograd.grad(x + 0, x, seed, create_graph=create_graph)
    assert not gradient.is_inference()
    gradient.zero_()
    assert seed.tolist() == [3.0, 5.0, 7.0]


# ---------------------------------------------------------------------------------------------------------------------
# Optimizers


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_H11_step_inside_changes_normal_parameters(name):
    x = leaf()
    optimizer = OPTIMIZERS[name]([x])
    (x * x).sum().backward()
    before, version = x.tolist(), x._version
    with nt.inference_mode():
        optimizer.step()
    assert x.tolist() != before
    assert not x.is_inference()
    assert x.requires_grad
    assert x._version > version


@pytest.mark.parametrize("set_to_none", [True, False])
def test_H12_zero_grad_inside(set_to_none):
    x = leaf()
    optimizer = OPTIMIZERS["SGD"]([x])
    (x * x).sum().backward()
    with nt.inference_mode():
        optimizer.zero_grad(set_to_none=set_to_none)
    if set_to_none:
        assert x.grad is None
    else:
        assert x.grad.tolist() == [0.0, 0.0, 0.0]
        assert not x.grad.is_inference()


@pytest.mark.filterwarnings("ignore:Using backward")
def test_H12_zero_grad_inside_of_a_gradient_with_a_graph():
    x = leaf()
    (x * x * x).sum().backward(create_graph=True)
    with nt.inference_mode():
        nt.optim.SGD([x], lr=1.0).zero_grad(set_to_none=False)
    assert x.grad.tolist() == [0.0, 0.0, 0.0]
    assert not x.grad.is_inference()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_H13_step_outside_on_inference_parameters_is_refused(name):
    i = inference_leaf()
    optimizer = OPTIMIZERS[name]([i])
    i.grad = nt.ones(3)
    with raises(E_INP):
        optimizer.step()


@differs("PyTorch writes first and raises after")
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_H13_refused_step_has_written_nothing(name):
    x, i = leaf(), inference_leaf()
    optimizer = OPTIMIZERS[name]([x, i])
    x.grad, i.grad = nt.ones(3), nt.ones(3)
    with raises(E_INP):
        optimizer.step()
    assert x.tolist() == [1.0, 2.0, 4.0]
    assert i.tolist() == [3.0, 5.0, 7.0]


@pytest.mark.parametrize("name", STATEFUL)
@differs("PyTorch makes inference tensors of the state, and the second step fails")
def test_H16_state_first_made_inside_serves_steps_outside(name):
    steps = []
    for inside in (True, False):
        x = leaf()
        optimizer = OPTIMIZERS[name]([x])
        for step in range(3):
            optimizer.zero_grad()
            (x * x).sum().backward()
            with nt.inference_mode(inside and step == 0):
                optimizer.step()
        state = [value for value in optimizer.state[x].values() if isinstance(value, nt.Tensor)]
        assert state
        assert not any(value.is_inference() for value in state)
        steps.append(x.tolist())
    assert steps[0] == steps[1]


@differs("PyTorch makes inference tensors of the state")
def test_H16_state_that_a_constructor_makes_inside_serves_steps_outside():
    x = leaf()
    with nt.inference_mode():
        optimizer = OPTIMIZERS["Adagrad"]([x])
    (x * x).sum().backward()
    optimizer.step()
    assert not any(value.is_inference() for value in optimizer.state[x].values() if isinstance(value, nt.Tensor))


@pytest.mark.parametrize("name", STATEFUL)
def test_H16_state_dict_loaded_inside_serves_steps_outside(name):
    x = leaf()
    optimizer = OPTIMIZERS[name]([x])
    (x * x).sum().backward()
    optimizer.step()
    again = OPTIMIZERS[name]([x])
    with nt.inference_mode():
        again.load_state_dict(optimizer.state_dict())
    again.step()
    assert not any(value.is_inference() for value in again.state[x].values() if isinstance(value, nt.Tensor))


# ---------------------------------------------------------------------------------------------------------------------
# Custom functions, and graphs of gradients


def test_H14_function_runs_its_forward_with_grad_off():
    y = Double.apply(leaf())
    assert Double.seen == (False, False)
    assert y.requires_grad


def test_H14_function_inside_is_untracked_and_sees_inference():
    with nt.inference_mode():
        y = Double.apply(leaf())
    assert Double.seen == (False, True)
    assert not y.requires_grad
    assert y.grad_fn is None
    assert y.is_inference()


@differs("PyTorch gives gradients without a graph, silently")
def test_H15_create_graph_inside_records_the_gradients():
    x = leaf()
    y = (x**3).sum()
    with nt.inference_mode():
        (first,) = nt.autograd.grad(y, x, create_graph=True)
        assert flags() == (False, True)
    (second,) = nt.autograd.grad(first.sum(), x)
    assert second.tolist() == [6.0, 12.0, 24.0]


@differs("PyTorch returns an inference tensor with a grad_fn")
def test_H18_result_that_a_function_makes_inside_is_normal():
    class Inside(nt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with nt.inference_mode():
                return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = leaf()
    y = Inside.apply(x)
    assert not y.is_inference()
    assert y.requires_grad
    (y * y).sum().backward()
    assert x.grad.tolist() == [8.0, 16.0, 32.0]


@differs("PyTorch's result is the inference tensor, and not part of the graph")
@pytest.mark.parametrize(
    "returned", [lambda i: i, lambda i: i.detach(), lambda i: i[:]], ids=["itself", "detach", "view"]
)
def test_H18_inference_tensor_that_a_function_returns_is_not_changed_by_its_result(returned):
    class Replace(nt.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return returned(y)

        @staticmethod
        def backward(ctx, grad):
            return grad, None

    x, i = leaf(), inference()
    y = Replace.apply(x, i)
    assert not y.is_inference()
    with nt.no_grad():
        y.zero_()
    assert i.tolist() == [3.0, 5.0, 7.0]
    (y + 1).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 1.0]
