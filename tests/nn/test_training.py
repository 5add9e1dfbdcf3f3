"""A network trains as in PyTorch: the same initial values, order of samples, losses and steps."""

import numpy as np
import pytest

import numtensor as nt
from numtensor import nn

from .. import recorded

RECORD = recorded.load("torch_nn")


def digit_like():
    """Ten prototypes of 28 x 28 pixels with noise, and which one it is."""
    stream = np.random.RandomState(0)
    prototypes = stream.rand(10, 784)
    labels = stream.randint(0, 10, 320)
    pixels = prototypes[labels] + stream.randn(320, 784) * 0.3
    return nt.from_numpy(pixels.astype(np.float32)), nt.from_numpy(labels.astype(np.int64))


def test_the_losses_of_a_network_equal_those_of_torch():
    data = nt.utils.data.TensorDataset(*digit_like())
    nt.manual_seed(0)
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    optimizer = nt.optim.Adam(model.parameters())
    losses = []
    for x, y in nt.utils.data.DataLoader(data, batch_size=32, shuffle=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    # float32 sums of 784 products are added in another order than PyTorch's, and ten steps carry that on.
    np.testing.assert_allclose(losses, RECORD["losses"], rtol=1e-4)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_every_optimizer_finds_a_minimum(name):
    x = nn.Parameter(nt.tensor([3.0, -2.0]))
    optimizer = getattr(nt.optim, name)([x], lr=0.5 if name == "Adagrad" else 0.05)
    for _ in range(300):
        optimizer.zero_grad()
        ((x - nt.tensor([1.0, 1.0])) ** 2).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(x.detach().numpy(), [1.0, 1.0], atol=0.05)


def test_evaluation_in_inference_mode_between_training_steps():
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 1))
    optimizer = nt.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    x = nt.ones(2, 4)
    for _ in range(3):
        model.train()
        optimizer.zero_grad()
        model(x).sum().backward()
        optimizer.step()
        model.eval()
        with nt.inference_mode():
            result = model(x)
        assert result.is_inference() and result.tolist() == model(x).tolist()
