"""How the engine walks the graph: order, depth, memory, threads, and what it refuses."""

import gc
import threading
import weakref

import numpy as np
import pytest

import numtensor as nt
from numtensor.tensor import from_array


def leaf(*values, dtype=nt.float64):
    return nt.tensor(values[0] if len(values) == 1 else list(values), dtype=dtype, requires_grad=True)


def close(tensor, expected):
    np.testing.assert_allclose(tensor.numpy(), expected, rtol=1e-12, atol=1e-12)


@pytest.fixture
def without_collector():
    """Turn the cyclic garbage collector off: what is freed was freed by reference counts."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def watched(*values):
    """Return (tensor, weak reference to its array)."""
    array = np.array(values, dtype=np.float64)
    tensor = from_array(array)
    return tensor, weakref.ref(array)


# ---------------------------------------------------------------------------------------------------------------------
# Shapes of graphs


def test_a_diamond_visits_each_node_once():
    x, seen = leaf(2.0), []
    middle = x * 3
    middle.register_hook(lambda g: seen.append(g.item()))
    (middle * middle + middle).backward()
    assert seen == [13.0]
    close(x.grad, 39.0)


def test_a_ladder_of_diamonds_is_linear_work():
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    close(x.grad, 2.0**60)


def test_a_node_waits_for_all_its_consumers_however_deep():
    x, seen = leaf(2.0), []
    middle = x * 1
    middle.register_hook(lambda g: seen.append(g.item()))
    long = middle
    for _ in range(20):
        long = long * 1
    (long + middle).backward()
    assert seen == [2.0]


def test_results_of_several_with_some_unused():
    x = leaf(1.0, 2.0, 3.0)
    first, second, third = x.unbind()
    (second * 5).backward()
    close(x.grad, [0.0, 5.0, 0.0])
    del first, third


def test_a_result_used_twice_adds_up_before_its_node_runs():
    x = leaf(1.0, 2.0)
    first, second = x.unbind()
    (first * first + first * second).backward()
    close(x.grad, [4.0, 1.0])


@pytest.mark.parametrize("step", [lambda y: y + 1, lambda y: y * 1.0, lambda y: y.view(2)], ids=["add", "mul", "view"])
def test_a_chain_of_a_hundred_thousand_nodes(step):
    x = leaf(1.0, 2.0)
    y = x
    for _ in range(100_000):
        y = step(y)
    y.backward(nt.ones(2, dtype=nt.float64))
    close(x.grad, [1.0, 1.0])


def test_a_long_chain_is_destroyed_without_running_it():
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y * 1.0
    node = weakref.ref(y.grad_fn)
    del y
    assert node() is None


def test_a_long_chain_of_changes_in_place():
    x = leaf(1.0)
    y = x * 1
    for _ in range(20_000):
        y.add_(1)
    y.backward()
    close(x.grad, 1.0)


def test_a_long_chain_is_differentiated_twice():
    x = leaf(1.0)
    y = x
    for _ in range(5_000):
        y = y * x.detach()
    (first,) = nt.autograd.grad(y * y, x, create_graph=True)
    close(nt.autograd.grad(first, x)[0], 2.0)


# ---------------------------------------------------------------------------------------------------------------------
# Memory


def test_dropping_the_loss_frees_the_arrays(without_collector):
    x = leaf(1.0, 2.0)
    other, alive = watched(3.0, 4.0)
    loss = x * other
    loss = loss.exp() * loss
    del other
    assert alive() is not None
    del loss
    assert alive() is None


def test_backward_frees_what_was_saved(without_collector):
    x = leaf(1.0, 2.0)
    other, alive = watched(3.0, 4.0)
    loss = (x * other).exp()
    del other
    loss.backward(nt.ones(2, dtype=nt.float64))
    assert alive() is None


def test_backward_frees_as_it_goes(without_collector):
    x = leaf(1.0, 2.0)
    first, first_alive = watched(3.0, 4.0)
    second, second_alive = watched(5.0, 6.0)
    seen = []
    middle = x * first
    middle.register_hook(lambda g: seen.append((first_alive() is None, second_alive() is None)))
    loss = middle * second
    del first, second
    loss.backward(nt.ones(2, dtype=nt.float64))
    assert seen == [(False, True)]


def test_retained_graph_keeps_what_was_saved(without_collector):
    x = leaf(1.0, 2.0)
    other, alive = watched(3.0, 4.0)
    loss = x * other
    del other
    loss.backward(nt.ones(2, dtype=nt.float64), retain_graph=True)
    assert alive() is not None
    del loss
    assert alive() is None


@pytest.mark.parametrize(
    "build",
    [
        lambda x: x.exp() * x,
        lambda x: x[1:] * 2,
        lambda x: x.unbind()[1] * 2,
        lambda x: (x * 1).mul_(2),
        lambda x: _changed_part(x),
        lambda x: nt.autograd.grad(x.exp(), x, nt.ones(2, dtype=nt.float64), create_graph=True)[0],
        lambda x: _with_hook(x),
    ],
    ids=["saved result", "view", "several results", "in place", "part in place", "second order", "hook"],
)
def test_no_reference_cycles(build, without_collector):
    x = leaf(1.0, 2.0)
    loss = build(x)
    node = weakref.ref(loss.grad_fn)
    del loss
    assert node() is None, "only the garbage collector would free the graph"
    loss = build(x)
    loss.backward(from_array(np.ones(loss.shape)))
    leaf_alive = weakref.ref(x)
    x.grad = None
    del loss, x
    assert leaf_alive() is None


def _changed_part(x):
    y = x * 1
    y[0] = x[1]
    return y


def _with_hook(x):
    y = x * 2
    y.register_hook(lambda g: g)
    y.retain_grad()
    return y * 2


def test_results_keep_no_inputs_where_nothing_is_recorded(without_collector):
    for manager in (nt.no_grad, nt.inference_mode):
        x, alive = watched(1.0, 2.0)
        with manager():
            y = x * 2
        del x
        assert alive() is None
        del y


# ---------------------------------------------------------------------------------------------------------------------
# Nobody shares a leaf's gradient


def _grads_are_their_own(*tensors):
    grads = [t.grad for t in tensors]
    for k, grad in enumerate(grads):
        assert grad.numpy().flags.writeable
        assert not grad.requires_grad
        for other in (*grads[:k], *tensors):
            assert not np.shares_memory(grad.numpy(), other.detach().numpy())


def test_gradients_of_a_sum_are_separate():
    x, z, seed = leaf(1.0, 2.0), leaf(3.0, 4.0), nt.ones(2, dtype=nt.float64)
    (x + z).backward(seed)
    _grads_are_their_own(x, z)
    x.grad.zero_()
    close(z.grad, [1.0, 1.0])
    close(seed, [1.0, 1.0])


def test_gradient_through_views_is_its_own():
    x, seed = leaf(1.0, 2.0), nt.ones((2, 1), dtype=nt.float64)
    x.view(2, 1).backward(seed)
    _grads_are_their_own(x)
    assert not np.shares_memory(x.grad.numpy(), seed.numpy())


def test_gradient_of_an_expanded_leaf_has_memory_for_every_element():
    x = leaf(1.0, 2.0)
    x.expand(3, 2).backward(nt.ones((3, 2), dtype=nt.float64))
    close(x.grad, [3.0, 3.0])
    x.grad[0] = 5.0
    close(x.grad, [5.0, 3.0])
    y = leaf(1.0, 2.0, 3.0)
    y.backward(nt.ones(1, dtype=nt.float64).expand(3))
    y.grad[0] = 5.0
    close(y.grad, [5.0, 1.0, 1.0])


def test_gradient_of_a_leaf_used_in_a_clone():
    x, seed = leaf(1.0, 2.0), nt.ones(2, dtype=nt.float64)
    x.clone().backward(seed)
    assert not np.shares_memory(x.grad.numpy(), seed.numpy())


def test_gradients_handed_out_by_grad_are_separate():
    x, z, seed = leaf(1.0, 2.0), leaf(3.0, 4.0), nt.ones(2, dtype=nt.float64)
    gx, gz = nt.autograd.grad(x + z, (x, z), seed)
    gx.zero_()
    close(gz, [1.0, 1.0])
    close(seed, [1.0, 1.0])


def test_gradient_is_not_what_a_node_saved():
    x, other = leaf(1.0, 2.0), nt.tensor([3.0, 4.0], dtype=nt.float64)
    (x * other).backward(nt.ones(2, dtype=nt.float64))
    x.grad.zero_()
    close(other, [3.0, 4.0])


# ---------------------------------------------------------------------------------------------------------------------
# Changed after they were saved


def test_a_saved_input_changed_in_place_is_an_error():
    x, other = leaf(1.0, 2.0), nt.tensor([3.0, 4.0], dtype=nt.float64)
    y = x * other
    other.add_(1)
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation.*is at version 1; expected version 0"):
        y.backward(nt.ones(2, dtype=nt.float64))


def test_a_saved_result_changed_in_place_is_an_error():
    x = leaf(1.0, 2.0)
    y = x.exp()
    y.add_(1)
    with pytest.raises(RuntimeError, match="exp: one of the variables needed for gradient computation"):
        y.backward(nt.ones(2, dtype=nt.float64))


def test_a_saved_result_changed_through_detach_or_a_view_is_an_error():
    for change in (lambda y: y.detach().zero_(), lambda y: y.view(2, 1).detach().zero_()):
        x = leaf(1.0, 2.0)
        y = x.exp()
        change(y)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward(nt.ones(2, dtype=nt.float64))


def test_a_change_through_data_is_not_seen():
    x = leaf(1.0, 2.0)
    y = x.exp()
    y.data.zero_()
    y.backward(nt.ones(2, dtype=nt.float64))
    close(x.grad, [0.0, 0.0])


def test_a_change_before_saving_is_no_error():
    x, other = leaf(1.0, 2.0), nt.tensor([3.0, 4.0], dtype=nt.float64)
    other.add_(1)
    (x * other).backward(nt.ones(2, dtype=nt.float64))
    close(x.grad, [4.0, 5.0])


def test_a_change_of_what_was_not_saved_is_no_error():
    x, other = leaf(1.0, 2.0), nt.tensor([3.0, 4.0], dtype=nt.float64)
    y = x + other
    other.add_(1)
    z = nt.tensor([3.0, 4.0], dtype=nt.float64)
    product = x * z
    with nt.no_grad():
        x.add_(1)  # Only z was saved: it alone is needed.
    (y + product).backward(nt.ones(2, dtype=nt.float64))
    close(x.grad, [4.0, 5.0])


def test_changing_a_saved_tensor_is_an_error_with_create_graph_too():
    x, other = leaf(1.0, 2.0), nt.tensor([3.0, 4.0], dtype=nt.float64)
    y = x * other
    other.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        nt.autograd.grad(y, x, nt.ones(2, dtype=nt.float64), create_graph=True)


# ---------------------------------------------------------------------------------------------------------------------
# Threads


def _in_threads(functions):
    errors = []

    def guarded(function):
        try:
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(f,)) for f in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors


def test_separate_graphs_in_threads():
    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(50):
            values = rng.uniform(0.5, 1.5, 5)
            x = leaf(*values)
            (x * x * x).backward(nt.ones(5, dtype=nt.float64))
            close(x.grad, 3 * values**2)

    _in_threads([lambda k=k: work(k) for k in range(4)])


def test_one_graph_differentiated_by_several_threads_at_once():
    x = leaf(1.0, 2.0)
    y = x
    for _ in range(50):
        y = y * 1.0 + x * 0.0
    seed = nt.ones(2, dtype=nt.float64)

    def work():
        for _ in range(10):
            (found,) = nt.autograd.grad(y, x, seed, retain_graph=True)
            close(found, [1.0, 1.0])

    _in_threads([work] * 4)


def test_a_graph_built_in_one_thread_runs_backward_in_another():
    x = leaf(2.0)
    y = x * x
    _in_threads([y.backward])
    close(x.grad, 4.0)


def test_backward_does_not_depend_on_the_mode_of_other_threads():
    started, done = threading.Event(), threading.Event()

    def inference():
        with nt.inference_mode():
            started.set()
            done.wait(10)

    def train():
        started.wait(10)
        x = leaf(2.0)
        (x * x).backward()
        close(x.grad, 4.0)
        done.set()

    _in_threads([inference, train])
