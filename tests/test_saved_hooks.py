"""``autograd.graph.saved_tensors_hooks``: what backward needs, in another form."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import numtensor as nt
from numtensor.autograd.graph import saved_tensors_hooks
from numtensor.modes import TRACKED, current
from numtensor.utils import wrap_mode


def to_numpy(tensor):
    return tensor.detach().numpy().copy()


class Cube(nt.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = x * x * x
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return grad * 3 * y / x


PROGRAMS = {
    "elementwise": lambda x: x.exp() * x.sin() + x**2.5,
    "matmul": lambda x: (x @ x.T) @ x,
    "row": lambda x: x.softmax(1) * nt.nn.functional.layer_norm(x, (4,)),
    "sequence": lambda x: nt.cat([x * x, x.exp()]).square(),
    "einsum": lambda x: nt.einsum("ij,ik->jk", x, x * 2),
    "several results": lambda x: (x * x).max(1).values * x.sort(0)[0][:, 0],
    "in place": lambda x: (x * 2).mul_(x).exp_(),
    "view": lambda x: x.T.reshape(2, 6)[1].square(),
    "function": lambda x: Cube.apply(x) * x,
    "loss": lambda x: nt.nn.functional.cross_entropy(x * x, nt.tensor([0, 3, 1])),
}


def derivatives(program, x):
    """Return the value, the gradient, and the gradient of the gradient's squares."""
    x = x.clone().requires_grad_()
    y = program(x)
    (first,) = nt.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = nt.autograd.grad((first * first).sum(), x)
    return y.tolist(), first.tolist(), second.tolist()


@pytest.mark.parametrize("name", PROGRAMS)
def test_derivatives_are_the_same(name):
    x = nt.rand(3, 4, dtype=nt.float64) + 0.5
    counts = {"packed": 0, "unpacked": 0}

    def pack(tensor):
        counts["packed"] += 1
        return to_numpy(tensor)

    def unpack(array):
        counts["unpacked"] += 1
        return nt.from_numpy(array)

    plain = derivatives(PROGRAMS[name], x)
    with saved_tensors_hooks(pack, unpack):
        hooked = derivatives(PROGRAMS[name], x)
    assert counts["packed"] and counts["unpacked"]
    for one, other in zip(plain, hooked, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-12)
    assert current.mode is TRACKED


def test_what_is_unpacked_is_used():
    x = nt.tensor([3.0], requires_grad=True)
    with saved_tensors_hooks(lambda tensor: None, lambda nothing: nt.tensor([10.0])):
        y = x * x
    y.backward()
    assert x.grad.tolist() == [20.0]


def test_hooks_hold_where_the_op_ran_and_not_where_backward_does():
    x = nt.tensor([3.0], requires_grad=True)
    before = x * x
    with saved_tensors_hooks(lambda tensor: None, lambda nothing: nt.tensor([10.0])):
        before.backward()
    assert x.grad.tolist() == [6.0]


def test_the_innermost_pair_packs():
    x = nt.tensor([3.0], requires_grad=True)
    with saved_tensors_hooks(lambda tensor: 1.0, lambda value: nt.tensor([value])):
        with saved_tensors_hooks(lambda tensor: 2.0, lambda value: nt.tensor([value])):
            inner = x.square()
        outer = x.square()
    (inner + outer).backward()
    assert x.grad.tolist() == [2 * 2.0 + 2 * 1.0]


def test_a_wrapped_function_takes_the_hooks_into_a_thread():
    packed = []
    x = nt.tensor([1.0, 2.0], requires_grad=True)
    hooks = saved_tensors_hooks(lambda tensor: packed.append(tensor.tolist()), lambda nothing: nt.tensor([5.0, 6.0]))
    with ThreadPoolExecutor(1) as pool, hooks:
        y = pool.submit(wrap_mode(x.exp)).result()
        plain = pool.submit(x.exp).result()
    assert len(packed) == 1
    assert nt.autograd.grad(y.sum(), x)[0].tolist() == [5.0, 6.0]
    assert nt.autograd.grad(plain.sum(), x)[0].tolist() == plain.tolist()


def test_nothing_is_packed_where_nothing_is_recorded():
    x = nt.ones(2, requires_grad=True)

    def pack(tensor):
        raise AssertionError("packed")

    with saved_tensors_hooks(pack, lambda value: value):
        with nt.no_grad():
            x.exp()
        with nt.inference_mode():
            x.exp()
        nt.ones(2).exp()
        x + 1
        x.reshape(1, 2)


def test_an_error_of_the_pack_hook_comes_from_the_forward_call():
    def pack(tensor):
        raise OSError("disk full")

    x = nt.ones(2, requires_grad=True)
    with pytest.raises(OSError, match="disk full"), saved_tensors_hooks(pack, lambda value: value):
        x.exp()
    assert current.mode is TRACKED


def test_an_unpack_hook_must_return_a_tensor():
    x = nt.ones(2, requires_grad=True)
    with saved_tensors_hooks(to_numpy, lambda array: array):
        y = x.exp()
    with pytest.raises(TypeError, match="unpack hook must return a Tensor, it returned ndarray"):
        y.sum().backward()


def test_pack_runs_without_recording_and_without_hooks():
    x = nt.ones(2, requires_grad=True)
    seen = []

    def pack(tensor):
        seen.append(nt.is_grad_enabled())
        return (tensor * tensor).sqrt().detach()

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        y = x.exp()
    y.sum().backward()
    assert seen == [False]


def test_memory_of_the_saved_tensor_is_freed():
    x = nt.ones(1000, 1000, requires_grad=True)
    tracemalloc.start()
    try:
        with saved_tensors_hooks(lambda tensor: tensor.shape, lambda shape: nt.ones(*shape)):
            y = (x * 2).square().sum()
        current_size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The product of 4 MB was saved by its shape.
    assert current_size < 1_000_000
    y.backward()
    assert x.grad[0, 0].item() == 4.0
