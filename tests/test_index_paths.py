"""What index ops and class losses give does not depend on the way they take.

Contiguous arrays and int64 indices, without recording, go a short way; other layouts, int32 indices and recorded calls
a longer one. Values, gradients and errors are the same.
"""

import numpy as np
import pytest

import numtensor as nt
from numtensor.nn import functional as F

ROWS, COLUMNS = 7, 5


def strided(array):
    """Return a tensor of the same elements on memory with gaps, walked backwards."""
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::-2] = array
    return nt.from_numpy(wide[..., ::-2]) if wide.size else nt.tensor(array)


@pytest.fixture
def data():
    random = np.random.default_rng(5)
    return {
        "x": random.standard_normal((ROWS, COLUMNS)).astype(np.float32),
        "s": random.standard_normal((ROWS, COLUMNS)).astype(np.float32),
        "columns": random.integers(0, COLUMNS, (ROWS, COLUMNS)),
        "few": random.integers(0, COLUMNS, (ROWS, 1)),
        "down": random.integers(0, ROWS, (3, COLUMNS)),
        "labels": random.integers(0, COLUMNS, ROWS),
        "rows": random.integers(0, ROWS, ROWS),
        "mask": random.random((ROWS, COLUMNS)) < 0.5,
    }


CALLS = {
    "gather": lambda t: nt.gather(t["x"], 1, t["columns"]),
    "gather, last dim by -1": lambda t: nt.gather(t["x"], -1, t["few"]),
    "gather, first dim": lambda t: nt.gather(t["x"], 0, t["down"]),
    "take_along_dim": lambda t: nt.take_along_dim(t["x"], t["columns"], 1),
    "take_along_dim, broadcast": lambda t: nt.take_along_dim(t["x"], t["few"], 1),
    "take": lambda t: nt.take(t["x"], t["columns"]),
    "index_select": lambda t: nt.index_select(t["x"], 0, t["rows"]),
    "index_select, last dim": lambda t: nt.index_select(t["x"], 1, t["labels"]),
    "embedding": lambda t: F.embedding(t["rows"], t["x"]),
    "x[rows]": lambda t: t["x"][t["rows"]],
    "x[rows, labels]": lambda t: t["x"][t["rows"], t["labels"]],
    "x[down]": lambda t: t["x"][t["down"]],
    "x[mask]": lambda t: t["x"][t["mask"]],
    "masked_select": lambda t: nt.masked_select(t["x"], t["mask"]),
    "scatter": lambda t: nt.scatter(t["x"], 1, t["columns"], t["s"]),
    "scatter, first dim": lambda t: nt.scatter(t["x"], 0, t["down"], t["s"]),
    "scatter_add": lambda t: nt.scatter_add(t["x"], 1, t["columns"], t["s"]),
    "scatter_add, first dim": lambda t: nt.scatter_add(t["x"], 0, t["down"], t["s"]),
    "index_add": lambda t: nt.index_add(t["x"], 0, t["rows"], t["s"]),
    "cross_entropy": lambda t: F.cross_entropy(t["x"], t["labels"]),
    "cross_entropy, none": lambda t: F.cross_entropy(t["x"], t["labels"], reduction="none"),
    "nll_loss": lambda t: F.nll_loss(t["x"], t["labels"]),
    "nll_loss, none": lambda t: F.nll_loss(t["x"], t["labels"], reduction="none"),
}


def tensors(data, *, narrow=False, gaps=False, grad=False):
    made = {}
    for name, array in data.items():
        array = array.astype(np.int32) if narrow and array.dtype == np.int64 else array
        made[name] = strided(array) if gaps else nt.tensor(array)
    if grad:
        made["x"].requires_grad_()
    return made


@pytest.mark.parametrize("name", CALLS)
def test_the_way_does_not_show(name, data):
    call = CALLS[name]
    with nt.inference_mode():
        expected = call(tensors(data)).numpy()
    assert expected.size
    for ways in ({"narrow": True}, {"gaps": True}, {"narrow": True, "gaps": True}, {"grad": True}):
        found = call(tensors(data, **ways))
        np.testing.assert_array_equal(found.detach().numpy(), expected, err_msg=str(ways))
        assert found.detach().numpy().flags.c_contiguous


@pytest.mark.parametrize("name", CALLS)
def test_gradients_neither(name, data):
    call = CALLS[name]
    found = []
    for ways in ({}, {"narrow": True}, {"gaps": True}, {"narrow": True, "gaps": True}):
        given = tensors(data, grad=True, **ways)
        result = call(given)
        result.backward(nt.arange(result.numel(), dtype=nt.float32).reshape(result.shape) + 1)
        found.append(given["x"].grad.numpy())
        given = tensors(data, grad=True, **ways)
        result = call(given)
        weights = nt.arange(result.numel(), dtype=nt.float32).reshape(result.shape) + 1
        found.append(nt.autograd.grad(result, given["x"], weights, create_graph=True)[0].detach().numpy())
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in CALLS if "mask" not in name])
@pytest.mark.parametrize("far", [ROWS, 10**9, -ROWS - 1])
def test_errors_neither(name, far, data):
    """Each index in turn is out of range."""
    call = CALLS[name]
    for index in ("columns", "few", "down", "labels", "rows"):
        bad = data | {index: data[index].copy()}
        bad[index].flat[2] = far
        messages = set()
        for ways in ({}, {"narrow": True}, {"gaps": True}, {"grad": True}):
            try:
                call(tensors(bad, **ways))
                messages.add(None)
            except (IndexError, RuntimeError) as error:
                messages.add((type(error), str(error)))
        assert len(messages) == 1, messages
        (message,) = messages
        assert message is None or str(far) in message[1]


@pytest.mark.parametrize("call", ["scatter_", "scatter_add_"])
def test_a_refused_call_in_place_has_written_nothing(call, data):
    given = tensors(data)
    given["columns"][3, 2] = COLUMNS
    with pytest.raises(RuntimeError, match="out of bounds"):
        getattr(given["x"], call)(1, given["columns"], given["s"])
    np.testing.assert_array_equal(given["x"].numpy(), data["x"])
    given["rows"][2] = ROWS
    with pytest.raises(RuntimeError, match="out of bounds"):
        given["x"].index_add_(0, given["rows"], given["s"])
    np.testing.assert_array_equal(given["x"].numpy(), data["x"])
