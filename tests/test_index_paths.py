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


SETS = {
    "x[rows] = s": (lambda t: t["rows"], lambda t: t["s"]),
    "x[rows] = 0": (lambda t: t["rows"], lambda t: 0.0),
    "x[rows, labels] = 1": (lambda t: (t["rows"], t["labels"]), lambda t: 1),
    "x[few] = s[0]": (lambda t: t["few"], lambda t: t["s"][0]),
    "x[mask] = 0": (lambda t: t["mask"], lambda t: 0.0),
    "x[mask] = values": (lambda t: t["mask"], lambda t: t["s"][t["mask"]]),
    "x[row mask] = 0": (lambda t: t["mask"][:, 0].contiguous(), lambda t: nt.tensor(-0.0, dtype=nt.float64)),
}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("kind", ["float32", "float64", "int64", "int16", "bool"])
def test_assignments(name, kind, data):
    index, value = SETS[name]
    found = []
    for ways in ({}, {"narrow": True}, {"gaps": True}, {"grad": True}):
        given = tensors(data, **ways)
        target = (given["x"] * 3).to(getattr(nt, kind))
        target[index(given)] = value(given)
        found.append(target.detach().numpy())
    expected = np.array(data["x"] * 3).astype(kind) if kind != "bool" else data["x"] * 3 != 0
    plain = tensors(data)
    key = index(plain)
    key = tuple(one.numpy() for one in key) if type(key) is tuple else key.numpy()
    put = value(plain)
    expected[key] = put.numpy().astype(kind) if isinstance(put, nt.Tensor) else put
    for other in found:
        np.testing.assert_array_equal(other, expected)
        if kind.startswith("float"):
            np.testing.assert_array_equal(np.signbit(other), np.signbit(expected))


@pytest.mark.parametrize("far", [ROWS, -ROWS - 1])
def test_a_refused_assignment_has_written_nothing(far, data):
    for index in (("rows",), ("rows", "labels"), ("few",)):
        given = tensors(data)
        given[index[0]].view(-1)[2] = far
        version = given["x"]._version
        with pytest.raises(IndexError, match=f"setitem: index {far} is out of bounds for dimension 0 with size {ROWS}"):
            given["x"][tuple(given[name] for name in index)] = 5.0
        np.testing.assert_array_equal(given["x"].numpy(), data["x"])
        assert given["x"]._version == version


def test_an_assignment_by_its_own_elements():
    x = nt.tensor([2, 0, 1, 3])
    x[x] = nt.tensor([10, 20, 30, 40])
    assert x.tolist() == [20, 30, 10, 40]
    flags = nt.tensor([True, False, True])
    flags[flags] = False
    assert flags.tolist() == [False, False, False]
