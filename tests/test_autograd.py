"""``backward`` and ``grad`` as users call them: results, arguments, errors, hooks, retained gradients."""

import numpy as np
import pytest

import numtensor as nt


def leaf(*values, dtype=nt.float64):
    return nt.tensor(values[0] if len(values) == 1 else list(values), dtype=dtype, requires_grad=True)


def close(tensor, expected):
    np.testing.assert_allclose(tensor.numpy(), expected, rtol=1e-12, atol=1e-12)


# ---------------------------------------------------------------------------------------------------------------------
# backward


def test_backward_gives_every_leaf_its_gradient():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x * y).backward(nt.tensor([1.0, 10.0], dtype=nt.float64))
    close(x.grad, [3.0, 40.0])
    close(y.grad, [1.0, 20.0])


def test_backward_of_one_element_needs_no_gradient():
    x = leaf(3.0)
    (x * x).backward()
    close(x.grad, 6.0)
    z = leaf(3.0).reshape(1, 1)
    (z * 2).backward()


def test_backward_of_several_elements_needs_a_gradient():
    with pytest.raises(RuntimeError, match=r"grad can be implicitly created only for scalar outputs.*shape"):
        (leaf(1.0, 2.0) * 2).backward()


def test_gradients_accumulate():
    x = leaf(2.0)
    (x * 3).backward()
    first = x.grad
    (x * 4).backward()
    close(x.grad, 7.0)
    assert x.grad is first, "added in place, so that whoever holds the gradient sees the sum"
    x.grad = None
    (x * 5).backward()
    close(x.grad, 5.0)


def test_accumulation_counts_as_a_change():
    x = leaf(2.0)
    (x * 3).backward()
    assert x.grad._version == 0
    (x * 3).backward()
    assert x.grad._version == 1


def test_gradient_of_a_leaf_itself():
    x = leaf(2.0)
    x.backward()
    close(x.grad, 1.0)


def test_a_tensor_without_history_cannot_be_differentiated():
    with pytest.raises(RuntimeError, match="element 0 of tensors does not require grad and does not have a grad_fn"):
        nt.tensor(1.0).backward()
    with nt.no_grad():
        y = leaf(1.0) * 2
    with pytest.raises(RuntimeError, match="element 0 of tensors does not require grad"):
        y.backward()
    with nt.inference_mode():
        z = leaf(1.0) * 2
        with pytest.raises(RuntimeError, match="element 0 of tensors does not require grad"):
            z.backward()
    with pytest.raises(RuntimeError, match="element 0 of tensors does not require grad"):
        z.backward()


def test_backward_checks_the_gradient_it_is_given():
    y = leaf(1.0, 2.0) * 2
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        y.backward(nt.ones(3))
    with pytest.raises(TypeError, match="gradient 0 must be Tensor"):
        y.backward([1.0, 2.0])
    with pytest.raises(RuntimeError, match="2 tensors and 1 gradients"):
        nt.autograd.backward([y, y], [nt.ones(2)])


def test_a_gradient_of_another_dtype_is_converted():
    x = leaf(1.0, 2.0)
    (x * 2).backward(nt.ones(2))
    assert x.grad.dtype is nt.float64


def test_the_given_gradient_is_left_alone():
    x, seed = leaf(1.0, 2.0), nt.ones(2, dtype=nt.float64)
    x.backward(seed)
    x.backward(seed)
    close(seed, [1.0, 1.0])
    close(x.grad, [2.0, 2.0])


def test_backward_of_several_tensors_adds_up():
    x = leaf(2.0)
    nt.autograd.backward([x * 3, x * x])
    close(x.grad, 7.0)


def test_backward_of_the_same_tensor_twice_in_one_call():
    x = leaf(2.0)
    y = x * 3
    nt.autograd.backward([y, y])
    close(x.grad, 6.0)


def test_backward_into_chosen_inputs_only():
    x, y = leaf(2.0), leaf(3.0)
    middle = x * y
    (middle * middle).backward(inputs=[x])
    close(x.grad, 36.0)
    assert y.grad is None
    z = x * y
    (z * 2).backward(inputs=x)
    close(x.grad, 42.0)
    with pytest.raises(RuntimeError, match="inputs argument to backward cannot be empty"):
        (x * y).backward(inputs=[])


def test_second_backward_needs_retain_graph():
    x = leaf(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    close(x.grad, 8.0)
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.backward()


def test_a_shared_part_freed_by_another_backward_is_an_error():
    x = leaf(2.0)
    middle = x * x
    (middle * 2).backward()
    with pytest.raises(RuntimeError, match=r"second time.*retain_graph=True"):
        (middle * 3).backward()


def test_integers_carry_no_gradient():
    with pytest.raises(RuntimeError, match="floating point"):
        nt.tensor([1, 2], requires_grad=True)


# ---------------------------------------------------------------------------------------------------------------------
# grad


def test_grad_returns_gradients_and_accumulates_nothing():
    x, y = leaf(2.0), leaf(3.0)
    gx, gy = nt.autograd.grad(x * y, (x, y))
    close(gx, 3.0)
    close(gy, 2.0)
    assert x.grad is None and y.grad is None


def test_grad_of_a_single_input_is_a_tuple():
    x = leaf(2.0)
    found = nt.autograd.grad(x * x, x)
    assert type(found) is tuple and len(found) == 1


def test_grad_with_respect_to_a_non_leaf():
    x = leaf(2.0)
    middle = x * x
    (found,) = nt.autograd.grad(middle * middle, middle)
    close(found, 8.0)


def test_grad_with_respect_to_a_non_leaf_and_what_it_was_made_of():
    x = leaf(2.0)
    middle = x * x
    gm, gx = nt.autograd.grad(middle * middle, (middle, x))
    close(gm, 8.0)
    close(gx, 32.0)


def test_grad_of_a_tensor_with_respect_to_itself():
    x = leaf(2.0)
    y = x * 3
    close(nt.autograd.grad(y, y)[0], 1.0)
    close(nt.autograd.grad(x, x)[0], 1.0)


def test_grad_of_the_same_input_twice_gives_two_tensors():
    x = leaf(1.0, 2.0)
    first, second = nt.autograd.grad(x * x, (x, x), nt.ones(2, dtype=nt.float64))
    assert not np.shares_memory(first.numpy(), second.numpy())


def test_unused_inputs():
    x, y = leaf(2.0), leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"appears to not have been used in the graph.*allow_unused=True"):
        nt.autograd.grad(x * x, (x, y))
    assert nt.autograd.grad(x * x, (x, y), allow_unused=True)[1] is None
    zeros = nt.autograd.grad(x * x, (x, y), materialize_grads=True)[1]
    close(zeros, [0.0, 0.0])
    assert zeros.dtype is nt.float64
    with pytest.raises(ValueError, match="allow_unused"):
        nt.autograd.grad(x * x, x, allow_unused=False, materialize_grads=True)


def test_grad_runs_only_what_leads_to_the_inputs():
    seen = []
    x, y = leaf(2.0), leaf(3.0)
    branch = y * y
    branch.register_hook(lambda g: seen.append(g))
    nt.autograd.grad(x * branch, x)
    assert not seen
    assert y.grad is None


def test_grad_of_an_input_that_requires_none():
    with pytest.raises(RuntimeError, match="does not require grad"):
        nt.autograd.grad(leaf(1.0) * 2, nt.tensor(1.0))
    with pytest.raises(TypeError, match="expected Tensor or a sequence"):
        nt.autograd.grad(leaf(1.0) * 2, 3.0)


def test_grad_of_several_outputs_is_their_sum():
    x = leaf(2.0)
    (found,) = nt.autograd.grad((x * x, x * 3), x, (nt.tensor(10.0), nt.tensor(1.0)))
    close(found, 43.0)


# ---------------------------------------------------------------------------------------------------------------------
# Higher orders


def test_derivatives_of_a_power_one_after_the_other():
    x = leaf(2.0)
    current = x * x * x * x * x
    for factor, power in ((5, 4), (20, 3), (60, 2), (120, 1), (120, 0)):
        (current,) = nt.autograd.grad(current, x, create_graph=True)
        close(current.detach(), factor * 2.0**power)


def test_pow_differentiated_four_times():
    x = leaf(2.0)
    current = x**5
    for factor, power in ((5, 4), (20, 3), (60, 2), (120, 1)):
        (current,) = nt.autograd.grad(current, x, create_graph=True)
        close(current.detach(), factor * 2.0**power)


def test_create_graph_keeps_the_graph_for_another_pass():
    x = leaf(2.0)
    y = x * x
    y.backward(create_graph=True)
    y.backward()
    close(x.grad.detach(), 8.0)


def test_backward_of_a_gradient_accumulates_into_the_same_leaf():
    x = leaf(3.0)
    (first,) = nt.autograd.grad(x * x * x, x, create_graph=True)
    (first * first).backward()
    close(x.grad, 2 * 27.0 * 18.0)


def test_mixed_second_derivatives():
    x, y = leaf(2.0), leaf(3.0)
    gx, gy = nt.autograd.grad(x * x * y, (x, y), create_graph=True)
    (gxy,) = nt.autograd.grad(gx, y, retain_graph=True)
    (gyx,) = nt.autograd.grad(gy, x)
    close(gxy, 4.0)
    close(gyx, 4.0)


def test_gradient_of_a_broadcast_operand_can_be_differentiated():
    x, y = leaf(1.0, 2.0, 3.0), leaf(2.0)
    (gy,) = nt.autograd.grad(x * x * y * y, y, nt.ones(3, dtype=nt.float64), create_graph=True)
    close(gy.detach(), 2 * 2.0 * 14)
    close(nt.autograd.grad(gy, x)[0], [8.0, 16.0, 24.0])


def test_a_gradient_without_create_graph_has_no_history():
    x = leaf(2.0)
    (found,) = nt.autograd.grad(x * x, x)
    assert not found.requires_grad and found.grad_fn is None


# ---------------------------------------------------------------------------------------------------------------------
# Hooks


def test_hook_of_a_leaf_sees_and_replaces_the_gradient():
    x, seen = leaf(2.0), []
    handle = x.register_hook(lambda g: seen.append(g.item()))
    (x * 3).backward()
    assert seen == [3.0]
    handle.remove()
    handle.remove()
    x.register_hook(lambda g: g * 10)
    x.grad = None
    (x * 3).backward()
    close(x.grad, 30.0)
    assert seen == [3.0]


def test_hooks_run_in_order_each_with_the_last_one_s_result():
    x = leaf(2.0)
    x.register_hook(lambda g: g + 1)
    x.register_hook(lambda g: g * 10)
    x.backward()
    close(x.grad, 20.0)


def test_hook_of_a_leaf_sees_the_sum_once():
    x, seen = leaf(2.0), []
    x.register_hook(lambda g: seen.append(g.item()))
    (x * 3 + x * 4).backward()
    assert seen == [7.0]


def test_hook_of_a_non_leaf_changes_what_flows_on():
    x, seen = leaf(2.0), []
    y = x * 3
    y.register_hook(lambda g: seen.append(g.item()))
    y.register_hook(lambda g: g * 100)
    (y * 2).backward()
    assert seen == [2.0]
    close(x.grad, 600.0)


def test_hook_of_one_result_of_several():
    x, seen = leaf(1.0, 2.0, 3.0), []
    first, second = x.split([1, 2])
    second.register_hook(lambda g: seen.append(g.tolist()))
    (first * 2).backward(nt.ones(1, dtype=nt.float64), retain_graph=True)
    assert not seen
    nt.autograd.backward([first, second], [nt.ones(1), nt.ones(2)])
    assert seen == [[1.0, 1.0]]


def test_hooks_run_with_gradients_off_unless_the_graph_is_created():
    x, modes = leaf(2.0), []
    x.register_hook(lambda g: modes.append(nt.is_grad_enabled()))
    (x * x).backward()
    (x * x).backward(create_graph=True)
    assert modes == [False, True]
    assert nt.is_grad_enabled()


def test_hooks_act_on_grad_too():
    x = leaf(2.0)
    x.register_hook(lambda g: g * 10)
    close(nt.autograd.grad(x * 3, x)[0], 30.0)


def test_a_hook_may_keep_the_gradient_without_sharing_it():
    x, kept = leaf(1.0, 2.0), []
    x.register_hook(lambda g: kept.append(g))
    (x * 3).backward(nt.ones(2, dtype=nt.float64))
    kept[0].mul_(0)
    close(x.grad, [3.0, 3.0])


def test_post_accumulate_hook_sees_the_leaf_with_its_gradient():
    x, seen = leaf(2.0), []

    def step(tensor):
        seen.append((tensor is x, tensor.grad.item()))
        tensor.grad = None

    handle = x.register_post_accumulate_grad_hook(step)
    (x * 3).backward()
    (x * 4).backward()
    assert seen == [(True, 3.0), (True, 4.0)]
    assert x.grad is None
    handle.remove()
    (x * 5).backward()
    close(x.grad, 5.0)


def test_hooks_need_a_tensor_that_requires_grad():
    with pytest.raises(RuntimeError, match="cannot register a hook on a tensor that doesn't require gradient"):
        nt.tensor(1.0).register_hook(lambda g: g)
    with pytest.raises(RuntimeError, match="not a leaf"):
        (leaf(1.0) * 2).register_post_accumulate_grad_hook(lambda t: None)


def test_an_error_in_a_hook_reaches_the_caller_and_restores_the_mode():
    x = leaf(2.0)

    def hook(grad):
        raise ZeroDivisionError("in the hook")

    x.register_hook(hook)
    with pytest.raises(ZeroDivisionError, match="in the hook"):
        (x * 3).backward()
    assert nt.is_grad_enabled()


# ---------------------------------------------------------------------------------------------------------------------
# retain_grad


def test_retain_grad_keeps_the_gradient_of_a_non_leaf():
    x = leaf(2.0)
    y = x * 3
    assert not y.retains_grad
    y.retain_grad()
    assert y.retains_grad
    (y * y).backward()
    close(y.grad, 12.0)
    close(x.grad, 36.0)


def test_a_retained_gradient_is_nobody_else_s():
    x = leaf(1.0, 2.0)
    y = x + nt.zeros(2, dtype=nt.float64)
    y.retain_grad()
    y.backward(nt.ones(2, dtype=nt.float64))
    assert not np.shares_memory(y.grad.numpy(), x.grad.numpy())


def test_retain_grad_of_one_result_of_several():
    x = leaf(1.0, 2.0, 3.0)
    parts = x.unbind()
    parts[1].retain_grad()
    (parts[1] * parts[2]).backward()
    close(parts[1].grad, 3.0)
    assert parts[2].grad is None
    close(x.grad, [0.0, 3.0, 2.0])


def test_retain_grad_of_a_leaf_and_of_nothing():
    leaf(1.0).retain_grad()
    with pytest.raises(RuntimeError, match="can't retain_grad on Tensor that has requires_grad=False"):
        nt.tensor(1.0).retain_grad()


# ---------------------------------------------------------------------------------------------------------------------
# Modes


@pytest.mark.parametrize("manager", [nt.no_grad, nt.inference_mode])
def test_backward_inside_a_mode_gives_normal_gradients(manager):
    x = leaf(1.0, 2.0)
    y = x * x
    with manager():
        y.backward(nt.ones(2, dtype=nt.float64), retain_graph=True)
        assert manager is nt.no_grad or nt.is_inference_mode_enabled()
    assert not x.grad.is_inference()
    y.backward(nt.ones(2, dtype=nt.float64))
    close(x.grad, [4.0, 8.0])
    x.grad.mul_(2)
    with manager():
        (found,) = nt.autograd.grad(_recorded(x), x, nt.ones(2, dtype=nt.float64))
    assert not found.is_inference()


def _recorded(x):
    with nt.inference_mode(False):
        return x * x


def test_an_inference_tensor_may_be_the_first_gradient():
    x = leaf(1.0, 2.0)
    with nt.inference_mode():
        seed = nt.ones(2, dtype=nt.float64) * 3
    (x * 1).backward(seed)
    assert not x.grad.is_inference()
    close(x.grad, [3.0, 3.0])
    x.grad.zero_()
    close(seed, [3.0, 3.0])


def test_a_gradient_kept_from_an_inference_seed_is_normal_and_its_own():
    x = leaf(1.0, 2.0)
    with nt.inference_mode():
        seed = nt.ones(2, dtype=nt.float64) * 3
    x.backward(seed)
    assert not x.grad.is_inference()
    assert not np.shares_memory(x.grad.numpy(), seed.numpy())


@pytest.mark.parametrize("inside", [True, False])
def test_an_inference_seed_serves_a_recorded_backward(inside):
    x = leaf(1.0, 2.0)
    y = x**3
    with nt.inference_mode():
        seed = nt.tensor([1.0, 10.0], dtype=nt.float64)
    with nt.inference_mode(inside):
        (first,) = nt.autograd.grad(y, x, seed, create_graph=True)
    assert not first.is_inference()
    close(first.detach(), [3.0, 120.0])
    close(nt.autograd.grad(first.sum(), x)[0], [6.0, 120.0])
    close(seed, [1.0, 10.0])


def test_an_inference_seed_that_comes_through_a_recorded_backward_is_normal():
    x = leaf(1.0, 2.0)
    with nt.inference_mode():
        seed = nt.ones(2, dtype=nt.float64)
    (x + 0).backward(seed, create_graph=True)
    assert not x.grad.is_inference()
    assert not np.shares_memory(x.grad.numpy(), seed.numpy())
    assert not nt.autograd.grad(x, x, seed, create_graph=True)[0].is_inference()


def test_names_are_the_same_objects_as_at_the_top():
    for name in ("no_grad", "enable_grad", "set_grad_enabled", "inference_mode", "is_grad_enabled"):
        assert getattr(nt.autograd, name) is getattr(nt, name)


# ---------------------------------------------------------------------------------------------------------------------
# What the graph shows


def test_grad_fn_shows_the_graph():
    x, y = leaf(1.0), leaf(2.0)
    z = x * y + 1
    assert z.grad_fn.name() == "AddBackward"
    (product, number), *rest = z.grad_fn.next_functions
    assert product.name() == "MulBackward" and number == 0
    assert all(edge == (None, 0) for edge in rest)
    assert len(product.next_functions) == 2
    assert x.grad_fn is None and x.is_leaf and not z.is_leaf


def test_next_functions_of_one_result_of_several():
    x = leaf(1.0, 2.0)
    first, second = x.unbind()
    assert first.grad_fn is second.grad_fn
    assert (first.output_nr, second.output_nr) == (0, 1)
    assert (second * 2).grad_fn.next_functions[0] == (first.grad_fn, 1)
