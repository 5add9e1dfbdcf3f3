"""``utils.checkpoint``: compute again what is not kept."""

import tracemalloc

import pytest

import numtensor as nt
from numtensor import nn
from numtensor.modes import TRACKED, current
from numtensor.utils.checkpoint import checkpoint, checkpoint_sequential


def block(x, w):
    return nt.nn.functional.gelu(x @ w).softmax(1) * x


def leaves():
    nt.manual_seed(0)
    return (
        nt.randn(3, 3, dtype=nt.float64, requires_grad=True),
        nt.randn(3, 3, dtype=nt.float64, requires_grad=True),
    )


@pytest.mark.parametrize("use_reentrant", [None, False, True])
def test_gradients_are_the_same(use_reentrant):
    x, w = leaves()
    plain = nt.autograd.grad(block(x, w).sum(), (x, w))
    again = nt.autograd.grad(checkpoint(block, x, w, use_reentrant=use_reentrant).sum(), (x, w))
    assert [g.tolist() for g in again] == [g.tolist() for g in plain]
    assert current.mode is TRACKED


def test_tensors_that_are_no_arguments_get_their_gradients():
    x, w = leaves()
    checkpoint(lambda x: block(x, w), x).sum().backward()
    expected = nt.autograd.grad(block(x, w).sum(), (x, w))
    assert w.grad.tolist() == expected[1].tolist()
    assert x.grad.tolist() == expected[0].tolist()


def test_second_derivatives_are_the_same():
    def second(run):
        x, w = leaves()
        (first,) = nt.autograd.grad(run(x, w).sum(), x, create_graph=True)
        return [g.tolist() for g in nt.autograd.grad(first.square().sum(), (x, w))]

    assert second(lambda x, w: checkpoint(block, x, w)) == second(block)


def test_runs_twice_and_not_more():
    x, w = leaves()
    calls = []

    def counted(x, w):
        calls.append(nt.is_grad_enabled())
        return block(x, w)

    y = checkpoint(counted, x, w)
    assert len(calls) == 1
    y.sum().backward()
    assert calls == [True, True]


def test_a_retained_graph_runs_again():
    x, w = leaves()
    y = checkpoint(block, x, w).sum()
    first = nt.autograd.grad(y, (x, w), retain_graph=True)
    second = nt.autograd.grad(y, (x, w))
    assert [g.tolist() for g in first] == [g.tolist() for g in second]


@pytest.mark.parametrize("preserve", [True, False])
def test_dropout_drops_the_same(preserve):
    x = nt.ones(1000, requires_grad=True)
    nt.manual_seed(1)
    y = checkpoint(lambda x: nt.nn.functional.dropout(x * 1.0, 0.5).square(), x, preserve_rng_state=preserve)
    dropped = y.detach() == 0
    after = nt.rand(1).item()
    state = nt.get_rng_state()
    y.sum().backward()
    assert bool(((x.grad == 0) == dropped).all()) is preserve
    if preserve:
        assert nt.get_rng_state().tolist() == state.tolist()
        nt.manual_seed(1)
        nt.nn.functional.dropout(nt.ones(1000), 0.5)
        assert nt.rand(1).item() == after


def test_nested():
    x, w = leaves()

    def outer(x, w):
        return checkpoint(block, x.sin(), w).exp()

    expected = nt.autograd.grad(block(x.sin(), w).exp().sum(), (x, w))
    found = nt.autograd.grad(checkpoint(outer, x, w).sum(), (x, w))
    assert [g.tolist() for g in found] == [g.tolist() for g in expected]


@pytest.mark.parametrize("mode", [nt.no_grad, nt.inference_mode])
def test_without_recording_it_is_a_call(mode):
    x, w = leaves()
    with mode():
        assert checkpoint(block, x, w).tolist() == block(x, w).tolist()


def test_a_function_that_saves_less_the_second_time_is_refused():
    x = nt.ones(2, requires_grad=True)
    calls = []

    def fickle(x):
        calls.append(x)
        return x.exp().sin() if len(calls) == 1 else x * 2

    y = checkpoint(fickle, x)
    with pytest.raises(RuntimeError, match=r"checkpoint: .*fewer"):
        y.sum().backward()


def test_an_error_the_second_time_comes_through():
    x = nt.ones(2, requires_grad=True)
    calls = []

    def fails(x):
        calls.append(x)
        if len(calls) > 1:
            raise ValueError("second time")
        return x.exp()

    y = checkpoint(fails, x)
    with pytest.raises(ValueError, match="second time"):
        y.sum().backward()
    assert current.mode is TRACKED


def test_intermediate_results_are_not_kept():
    def peak(run):
        x = nt.ones(250_000, requires_grad=True)
        tracemalloc.start()
        try:
            y = run(x)
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert y.requires_grad
        return kept

    def chain(x):
        for _ in range(10):
            x = x.sin()
        return x.sum()

    # Ten results of 1 MB, or none.
    assert peak(chain) > 9_000_000
    assert peak(lambda x: checkpoint(chain, x)) < 1_500_000


def test_sequential():
    layers = nn.Sequential(*[nn.Linear(4, 4) for _ in range(5)])
    x = nt.randn(2, 4, requires_grad=True)
    expected = layers(x)
    expected.sum().backward()
    gradients = [p.grad.tolist() for p in layers.parameters()]
    layers.zero_grad()
    found = checkpoint_sequential(layers, 2, x)
    assert found.tolist() == expected.tolist()
    found.sum().backward()
    assert [p.grad.tolist() for p in layers.parameters()] == gradients
    with pytest.raises(ValueError, match="segments"):
        checkpoint_sequential(layers, 0, x)
