"""The whole library in five seconds: if this fails, look here first."""

import numpy as np

import numtensor as nt


def test_tensors_and_numpy():
    array = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    x = nt.from_numpy(array)
    assert x.shape == (2, 3) and x.dtype is nt.float32
    x.mul_(2)
    assert array[1, 2] == 10.0, "memory is shared"
    assert (x.t() @ x).shape == (3, 3)
    assert nt.tensor([1, 2]).dtype is nt.int64 and nt.tensor([1.0]).dtype is nt.float32


def test_gradients():
    x = nt.tensor([1.0, 2.0, 3.0], requires_grad=True)
    ((x * x).sum() + x.exp().mean()).backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.array([1, 2, 3]) + np.exp([1, 2, 3]) / 3, rtol=1e-5)
    y = nt.tensor(2.0, requires_grad=True)
    (first,) = nt.autograd.grad(y**3, y, create_graph=True)
    assert nt.autograd.grad(first, y)[0].item() == 12.0


def test_modes():
    x = nt.ones(3, requires_grad=True)
    with nt.no_grad():
        assert not (x * 2).requires_grad
    with nt.inference_mode():
        y = x * 2
    assert y.is_inference() and not y.requires_grad and (x * 2).requires_grad

    @nt.inference_mode()
    def predict(x):
        return (x * 2).sum()

    assert predict(x).item() == 6.0


def test_training_a_classifier():
    rng = np.random.default_rng(0)
    points = nt.from_numpy(rng.normal(size=(64, 2)).astype(np.float32))
    labels = (points[:, 0] * points[:, 1] > 0).to(nt.int64)
    nt.manual_seed(0)
    model = nt.nn.Sequential(nt.nn.Linear(2, 16), nt.nn.Tanh(), nt.nn.Linear(16, 2))
    optimizer = nt.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = nt.nn.functional.cross_entropy(model(points), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
    model.eval()
    with nt.inference_mode():
        accuracy = (model(points).argmax(dim=1) == labels).to(nt.float32).mean().item()
    assert accuracy > 0.9


def test_a_bad_call_names_the_op_and_the_shapes():
    try:
        nt.ones(2, 3) @ nt.ones(2, 3)
    except RuntimeError as error:
        assert "matmul" in str(error) and "(2, 3)" in str(error)
    else:
        raise AssertionError("shapes that do not fit were multiplied")
