"""Memory shared with NumPy may change unseen between forward and backward: an index out of range must not be used."""

import numpy as np
import pytest

import numtensor as nt
from numtensor.nn import functional as F

FAR = 10**8


def shared(values):
    """Return a tensor, and the array on its memory."""
    array = np.array(values)
    return nt.from_numpy(array), array


@pytest.mark.parametrize("far", [FAR, -FAR])
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    "loss",
    [
        lambda scores, index: F.cross_entropy(scores, index),
        lambda scores, index: F.cross_entropy(scores, index, reduction="none").sum(),
        lambda scores, index: F.cross_entropy(scores.T[..., None], index[:2, None]),
        lambda scores, index: F.nll_loss(F.log_softmax(scores, 1), index),
        lambda scores, index: F.nll_loss(F.log_softmax(scores, 1), index, nt.ones(2)),
        lambda scores, index: F.embedding(index, scores).square().sum(),
        lambda scores, index: scores.gather(1, index[:, None]).square().sum(),
        lambda scores, index: scores.index_select(0, index).square().sum(),
        lambda scores, index: scores[index].square().sum(),
        lambda scores, index: scores.take_along_dim(index[:, None], 1).square().sum(),
        lambda scores, index: nt.scatter(scores, 1, index[:, None], scores[:, :1] * 2).square().sum(),
        lambda scores, index: nt.index_add(scores, 0, index, scores).square().sum(),
    ],
)
def test_an_index_that_left_its_range_raises_or_was_copied(loss, create_graph, far):
    scores = nt.randn(3, 2, requires_grad=True)
    index, array = shared([1, 0, 1])
    expected = nt.autograd.grad(loss(scores, index), scores)[0].tolist()
    result = loss(scores, index)
    array[1] = far
    try:
        found = nt.autograd.grad(result, scores, create_graph=create_graph)[0].tolist()
    except (IndexError, RuntimeError) as error:
        assert str(far) in str(error) or "out of range" in str(error) or "out of bounds" in str(error)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-5)
