"""In-place ops that write at once: which do, and that the others still do all that they have to."""

import numpy as np
import pytest

import numtensor as nt
from numtensor.ops import inplace


@pytest.fixture
def direct_only(monkeypatch):
    """Let every in-place op fail that computes a second tensor first."""

    def refuse(target, array, name):
        raise AssertionError(f"{name} went the general way")

    monkeypatch.setattr(inplace, "write", refuse)


CALLS = {
    "add_": lambda x, y: x.add_(y),
    "__iadd__": lambda x, y: x.__iadd__(y),
    "sub_ a number": lambda x, y: x.sub_(2.5),
    "mul_ by a row": lambda x, y: x.mul_(y[0]),
    "div_ by a 0-d tensor": lambda x, y: x.div_(nt.tensor(4.0)),
    "exp_": lambda x, y: x.exp_(),
    "pow_": lambda x, y: x.pow_(2),
}


def operands(requires_grad=False):
    random = np.random.default_rng(3)
    return [nt.tensor(random.standard_normal((3, 4)).astype(np.float32), requires_grad=requires_grad) for _ in "xy"]


@pytest.mark.parametrize("mode", [nt.enable_grad, nt.no_grad, nt.inference_mode], ids=lambda mode: mode.__name__)
@pytest.mark.parametrize("name", CALLS)
def test_plain_tensors_are_written_at_once(direct_only, name, mode):
    with mode():
        x, y = operands()
        expected = CALLS[name](*(t.numpy().copy() for t in (x, y))) if name == "__iadd__" else None
        memory, values = x.data_ptr(), x.clone()
        assert CALLS[name](x, y) is x
        assert x.data_ptr() == memory and not x.equal(values)
        if expected is not None:
            np.testing.assert_array_equal(x.numpy(), expected)


@pytest.mark.parametrize("name", CALLS)
def test_the_values_are_those_of_the_general_way(name):
    x, y = operands()
    base = nt.zeros(3, 8)
    view = base[:, ::2]
    view.copy_(x)
    assert CALLS[name](view, y) is view
    assert CALLS[name](x, y).equal(view)


def test_a_change_counts_once_and_backward_notices_it():
    x, _ = operands(requires_grad=True)
    buffer = nt.ones(3, 4)
    product = x * buffer
    before = buffer._version
    with nt.no_grad():
        buffer.add_(1.0)
    assert buffer._version == before + 1
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        product.sum().backward()


def test_what_requires_grad_is_recorded():
    x, y = operands(requires_grad=True)
    target = nt.zeros(3, 4)
    target.add_(x)
    assert target.requires_grad and target.grad_fn is not None
    target.mul_(y)
    target.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())


def test_a_view_tells_its_base():
    x, _ = operands(requires_grad=True)
    base = nt.zeros(3, 4)
    base[0].add_(x[0])
    assert base.requires_grad


def test_leaves_and_inference_tensors_are_refused_as_ever():
    x, _ = operands(requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable"):
        x.add_(1.0)
    with nt.inference_mode():
        made = nt.ones(3)
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor"):
        made.add_(1.0)
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor"):
        made.zero_()


def test_nothing_is_written_when_a_call_fails():
    x, _ = operands()
    before = x.clone()
    for call in (
        lambda: x.add_(nt.ones(2, 3, 4)),
        lambda: x.add_(nt.ones(3)),
        lambda: x.add_("y"),
        lambda: nt.ones(3, dtype=nt.int64).add_(0.5),
        lambda: x.copy_(nt.ones(5)),
        lambda: nt.from_numpy(np.broadcast_to(np.float32(1), (3,))).add_(1.0),
    ):
        with pytest.raises((RuntimeError, TypeError)):
            call()
    assert x.equal(before) and x._version == 0


def test_operands_that_overlap_are_read_before_they_are_written():
    x = nt.arange(6.0)
    expected = np.arange(6.0) + np.arange(6.0)[::-1]
    x.add_(nt.from_numpy(x.numpy()[::-1]))
    np.testing.assert_array_equal(x.numpy(), expected)


@pytest.mark.parametrize("mode", [nt.enable_grad, nt.no_grad, nt.inference_mode], ids=lambda mode: mode.__name__)
def test_overwriting_keeps_history_and_versions_right(mode):
    x = nt.ones(3, requires_grad=True) * 2
    version = x._version
    with mode():
        x.zero_()
        x.fill_(3)
        x.copy_(nt.ones(3))
    assert x._version == version + 3
    # Recorded, the overwritten tensor has no gradient to give; unrecorded, its node stays.
    (grad,) = nt.autograd.grad(x.sum(), [x]) if x.requires_grad else (nt.ones(3),)
    np.testing.assert_array_equal(grad.numpy(), 1)
