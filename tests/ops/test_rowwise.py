"""What the test table cannot say of the row-wise ops: state that batch_norm changes, warnings, refusals in backward."""

import numpy as np
import pytest

import numtensor as nt

F = nt.nn.functional


def _statistics():
    return nt.tensor([1.0, 2.0]), nt.tensor([3.0, 4.0])


def test_training_moves_the_running_statistics_in_place():
    x = np.random.default_rng(0).normal(size=(4, 2, 3)).astype(np.float32)
    mean, variance = _statistics()
    F.batch_norm(nt.from_numpy(x), mean, variance, training=True, momentum=0.3)
    expected = 0.7 * np.array([1.0, 2.0]) + 0.3 * x.mean(axis=(0, 2))
    np.testing.assert_allclose(mean.numpy(), expected, rtol=1e-6)
    expected = 0.7 * np.array([3.0, 4.0]) + 0.3 * x.var(axis=(0, 2), ddof=1)
    np.testing.assert_allclose(variance.numpy(), expected, rtol=1e-6)
    assert mean._version == 1 and variance._version == 1


def test_evaluation_leaves_the_running_statistics():
    mean, variance = _statistics()
    F.batch_norm(nt.ones(4, 2), mean, variance, training=False)
    assert mean.tolist() == [1.0, 2.0] and variance.tolist() == [3.0, 4.0]
    assert mean._version == 0 and variance._version == 0


def test_backward_of_training_after_a_second_training_step():
    """What backward needs is not the running statistics, so another step in between does no harm."""
    mean, variance = _statistics()
    x = nt.tensor([[1.0, 2.0], [3.0, 5.0]], requires_grad=True)
    out = F.batch_norm(x, mean, variance, training=True)
    F.batch_norm(x * 2, mean, variance, training=True)
    out.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.zeros((2, 2)), atol=1e-6)


def test_backward_of_evaluation_notices_changed_statistics():
    mean, variance = _statistics()
    x = nt.ones(4, 2, requires_grad=True)
    out = F.batch_norm(x, mean, variance, training=False)
    F.batch_norm(nt.tensor([[1.0, 2.0], [3.0, 5.0]]), mean, variance, training=True)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        out.sum().backward()


def test_refused_change_writes_nothing():
    mean, variance = _statistics()
    with nt.inference_mode():
        frozen = variance.clone()
    with pytest.raises(RuntimeError, match="batch_norm: Inplace update to inference tensor"):
        F.batch_norm(nt.tensor([[1.0, 2.0], [3.0, 5.0]]), mean, frozen, training=True)
    assert mean.tolist() == [1.0, 2.0] and mean._version == 0


def test_softmax_warns_of_an_implicit_dim():
    with pytest.warns(UserWarning, match="softmax: Implicit dimension"):
        assert F.softmax(nt.zeros(2, 4)).tolist() == [[0.25] * 4] * 2


def test_padding_row_of_embedding_gets_no_gradient():
    weight = nt.ones(3, 2, requires_grad=True)
    F.embedding(nt.tensor([0, 2, 2, 1]), weight, padding_idx=-1).sum().backward()
    assert weight.grad.tolist() == [[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]]


def test_class_weight_that_requires_grad_is_refused():
    weight = nt.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="nll_loss: not differentiable with respect to argument 'weight'"):
        F.nll_loss(nt.zeros(2, 3), nt.tensor([0, 1]), weight).backward()


def test_old_reduction_arguments_warn():
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert F.mse_loss(nt.ones(3), nt.zeros(3), size_average=False).item() == 3.0
