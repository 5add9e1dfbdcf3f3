"""Changes of a tensor's own shape: values, the graph, and the views that were taken before.

Each program runs on numtensor; what PyTorch 2.13 gave for it is recorded below.
"""

import numpy as np
import pytest

import numtensor as nt
from numtensor.ops.layouts import replay_of


def leaf(*shape):
    return weights(nt.zeros(*shape)).clone().requires_grad_()


def weights(like):
    """Return 1, 2, 3 ... in the shape of a tensor."""
    return nt.arange(1.0, like.numel() + 1, dtype=nt.float64).reshape(tuple(like.shape))


CHANGES = {
    "transpose_": lambda x: x.transpose_(0, -1),
    "swapaxes_": lambda x: x.swapaxes_(0, 1),
    "swapdims_": lambda x: x.swapdims_(-1, 1),
    "squeeze_": lambda x: x.squeeze_(),
    "squeeze_(dim)": lambda x: x.squeeze_(1),
    "squeeze_(dims)": lambda x: x.squeeze_((1, -1)),
    "unsqueeze_": lambda x: x.unsqueeze_(0),
    "unsqueeze_(-1)": lambda x: x.unsqueeze_(-1),
    "t_": lambda x: x[:, 0, :, 0].t_(),
}
each_change = pytest.mark.parametrize("name", CHANGES)


def out_of_place(name, x):
    """Return what the change `name` makes of `x`, by the op that leaves it as it is."""
    if name == "t_":
        return x[:, 0, :, 0].t()
    arguments = {
        "transpose_": (0, -1),
        "swapaxes_": (0, 1),
        "swapdims_": (-1, 1),
        "squeeze_(dim)": (1,),
        "squeeze_(dims)": ((1, -1),),
        "unsqueeze_": (0,),
        "unsqueeze_(-1)": (-1,),
    }.get(name, ())
    return getattr(x, name.partition("_")[0])(*arguments)


@each_change
@pytest.mark.parametrize("mode", [nt.enable_grad, nt.no_grad, nt.inference_mode])
def test_value_and_version(name, mode):
    x = weights(nt.zeros(2, 1, 3, 1))
    expected = out_of_place(name, x.clone())
    with mode():
        changed = CHANGES[name](x)
    assert changed.shape == expected.shape
    assert changed.tolist() == expected.tolist()
    assert changed._version == x._version == 1
    assert changed.data_ptr() == x.data_ptr()
    assert (changed is x) == (name != "t_")
    assert not changed.requires_grad


@each_change
def test_gradient(name):
    w = leaf(2, 1, 3, 1)
    expected = out_of_place(name, w * 1)
    (wanted,) = nt.autograd.grad((expected * weights(expected)).sum(), w)
    changed = CHANGES[name](w * 1)
    assert not changed.is_leaf
    for create_graph in (False, True):
        product = (changed * weights(changed)).sum()
        (found,) = nt.autograd.grad(product, w, retain_graph=True, create_graph=create_graph)
        assert found.tolist() == wanted.tolist()


@each_change
def test_inference_tensor(name):
    with nt.inference_mode():
        x = weights(nt.zeros(2, 1, 3, 1))
        changed = CHANGES[name](x)
        expected = out_of_place(name, weights(nt.zeros(2, 1, 3, 1)))
    assert changed.is_inference()
    assert changed.tolist() == expected.tolist()


def older_view_of_a_result():
    w = leaf(2, 3)
    x = w * 2
    v = x[0]
    x.t_()
    (v * weights(v)).sum().backward()
    return x, v, w.grad


def older_view_changed_afterwards():
    w = leaf(2, 3)
    x = w * 2
    v = x[0, 1:]
    x.transpose_(0, 1)
    v.mul_(weights(v))
    x[2].mul_(3)
    (x * weights(x)).sum().backward(retain_graph=True)
    first = w.grad.clone()
    (v * v).sum().backward()
    return x, v, first, w.grad


def many_changes_and_views_between():
    w = leaf(2, 1, 3)
    x = w * 1
    a = x[1]
    x.squeeze_(1)
    b = x[:, 1:]
    x.t_()
    c = x[0]
    x.unsqueeze_(-1)
    d = x.select(1, 1)
    a.mul_(2)
    b.add_(1)
    c.mul_(3)
    d.mul_(weights(d))
    (x * weights(x)).sum().backward(retain_graph=True)
    first = w.grad.clone()
    ((a * a).sum() + (b * 2).sum() + (c * 3).sum() + (d * 5).sum()).backward()
    return x, a, b, c, d, first, w.grad


def constant_gets_history_through_an_older_view():
    x = nt.zeros(2, 3, dtype=nt.float64)
    v = x[0]
    x.t_()
    w = leaf(3)
    v.copy_(w * 2)
    x[0].mul_(w[:2])
    (x * weights(x)).sum().backward()
    return x, v, x.requires_grad, w.grad


def view_becomes_another_view():
    w = leaf(2, 3)
    x = w * 2
    v = x[:, 1:]
    inner = v[0]
    v.t_()
    v.mul_(weights(v))
    inner.add_(1)
    (x * weights(x)).sum().backward(retain_graph=True)
    first = w.grad.clone()
    (v * weights(v)).sum().backward()
    return x, v, inner, first, w.grad, v._is_view(), v._base is x


def view_of_a_view():
    w = leaf(2, 3, 2)
    x = w * 1
    v = x[1]
    u = v[1:]
    u.transpose_(0, 1)
    v.unsqueeze_(1)
    x.transpose_(0, 2)
    u.mul_(weights(u))
    v.mul_(2)
    (x * weights(x)).sum().backward()
    return x, v, u, w.grad


def leaf_under_no_grad():
    w = leaf(2, 3)
    with nt.no_grad():
        w.t_()
    (w * weights(w)).sum().backward()
    return w, w.grad, w.is_leaf, w.requires_grad, w._version


def view_under_no_grad():
    w = leaf(2, 3)
    x = w * 2
    v = x[0]
    with nt.no_grad():
        v.unsqueeze_(1)
    return v, v.requires_grad


def layout_with_extent_zero():
    x = nt.zeros(0, 3, 1)
    v = x[:, 1]
    x.squeeze_().t_()
    x.copy_(leaf(3, 1)[:, :0])
    return tuple(x.shape), tuple(v.shape), v.requires_grad


RECORDED = {
    "older_view_of_a_result": [
        [[2.0, 8.0], [4.0, 10.0], [6.0, 12.0]],
        [2.0, 4.0, 6.0],
        [[2.0, 4.0, 6.0], [0.0, 0.0, 0.0]],
    ],
    "older_view_changed_afterwards": [
        [[2.0, 8.0], [4.0, 10.0], [36.0, 36.0]],
        [4.0, 36.0],
        [[2.0, 6.0, 60.0], [4.0, 8.0, 36.0]],
        [[2.0, 22.0, 924.0], [4.0, 8.0, 36.0]],
    ],
    "many_changes_and_views_between": [
        [[[3.0], [24.0]], [[3.0], [22.0]], [[4.0], [39.0]]],
        [[24.0, 22.0, 39.0]],
        [[3.0, 4.0], [22.0, 39.0]],
        [3.0, 24.0],
        [[24.0], [22.0], [39.0]],
        [[[3.0, 3.0, 5.0]], [[12.0, 16.0, 36.0]]],
        [[[12.0, 5.0, 7.0]], [[348.0, 220.0, 546.0]]],
    ],
    "constant_gets_history_through_an_older_view": [
        [[2.0, 0.0], [4.0, 0.0], [6.0, 0.0]],
        [2.0, 4.0, 6.0],
        True,
        [4.0, 6.0, 10.0],
    ],
    "view_becomes_another_view": [
        [[2.0, 5.0, 19.0], [8.0, 20.0, 48.0]],
        [[5.0, 20.0], [19.0, 48.0]],
        [5.0, 19.0],
        [[2.0, 4.0, 18.0], [8.0, 20.0, 48.0]],
        [[2.0, 6.0, 36.0], [8.0, 28.0, 80.0]],
        True,
        True,
    ],
    "view_of_a_view": [
        [[[1.0, 14.0], [3.0, 18.0], [5.0, 44.0]], [[2.0, 16.0], [4.0, 60.0], [6.0, 96.0]]],
        [[[14.0, 16.0]], [[18.0, 60.0]], [[44.0, 96.0]]],
        [[18.0, 44.0], [60.0, 96.0]],
        [[[1.0, 7.0], [3.0, 9.0], [5.0, 11.0]], [[4.0, 16.0], [8.0, 60.0], [24.0, 96.0]]],
    ],
    "leaf_under_no_grad": [[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], True, True, 1],
    "view_under_no_grad": [[[2.0], [4.0], [6.0]], True],
    "layout_with_extent_zero": [(3, 0), (0, 1), True],
}


def as_plain(value):
    return value.tolist() if isinstance(value, nt.Tensor) else value


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_program(name):
    assert [as_plain(value) for value in globals()[name]()] == RECORDED[name]


def test_view_under_no_grad_keeps_its_gradient():
    """PyTorch finds in backward that the gradient has another shape."""
    w = leaf(2, 3)
    x = w * 2
    v = x[0]
    with nt.no_grad():
        v.unsqueeze_(1)
    (v * weights(v)).sum().backward()
    assert w.grad.tolist() == [[2, 4, 6], [0, 0, 0]]


@pytest.mark.parametrize("manager", [nt.no_grad, nt.inference_mode])
def test_result_of_a_graph_keeps_its_shape_while_nothing_is_recorded(manager):
    w = leaf(2, 3)
    x = w * 2
    with manager(), pytest.raises(RuntimeError, match="t_: the shape of a tensor that has a grad_fn"):
        x.t_()
    assert x.shape == (2, 3) and x._version == 0
    x.sum().backward()
    assert w.grad.tolist() == [[2, 2, 2], [2, 2, 2]]


@pytest.mark.parametrize("manager", [nt.no_grad, nt.inference_mode])
def test_graph_recorded_before_a_leaf_changed_its_shape(manager):
    w = leaf(2, 3)
    total = (w * 2).sum()
    calls = []
    w.register_hook(lambda grad: calls.append(tuple(grad.shape)))
    with manager():
        w.transpose_(0, 1)
    with pytest.raises(RuntimeError, match="the shape of a leaf was changed in place"):
        total.backward()
    assert w.grad is None
    w.sum().backward()
    assert calls == [(3, 2)]


def test_gradient_of_a_leaf_changes_shape_with_it():
    w = leaf(2, 3)
    (w * weights(w)).sum().backward()
    with nt.no_grad():
        w.t_()
    assert w.grad.tolist() == [[1, 4], [2, 5], [3, 6]]
    (w * weights(w)).sum().backward()
    assert w.grad.tolist() == [[2, 6], [5, 9], [8, 12]]


def test_saved_tensor_is_protected():
    for op in (lambda x: x * x, lambda x: x.exp()):
        x = leaf(2, 2) * 1
        y = op(x)
        total = y.sum()
        x.t_()
        y.t_()
        with pytest.raises(RuntimeError, match="changed last by t_"):
            total.backward()


def test_in_place_op_after_the_change_is_noticed():
    y = leaf(2, 3).exp()
    total = y.sum()
    y.t_().add_(1)
    with pytest.raises(RuntimeError, match="version 2; expected version 0 instead; changed last by add_"):
        total.backward()


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (lambda x: x.transpose_(0, 5), IndexError, "transpose"),
        (lambda x: x.unsqueeze_(7), IndexError, "unsqueeze"),
        (lambda x: x.squeeze_(-4), IndexError, "squeeze"),
        (lambda x: x.squeeze_((0, 0)), RuntimeError, "squeeze"),
        (lambda x: x.t_(), RuntimeError, "t: expects a tensor with <= 2 dimensions"),
    ],
)
def test_refused_arguments_change_nothing(change, error, match):
    w = leaf(1, 2, 3)
    for x in (nt.zeros(1, 2, 3), w * 1, (w * 1)[:], nt.nn.Parameter(nt.zeros(1, 2, 3))):
        with nt.set_grad_enabled(not x.is_leaf or not x.requires_grad), pytest.raises(error, match=match):
            change(x)
        assert x.shape == (1, 2, 3) and x._version == 0


def test_refused_tensors_change_nothing():
    w = leaf(2, 1)
    result = w * 1
    with nt.no_grad():
        blind = result[:]
    for x, match in [
        (w, "squeeze_: a leaf Variable that requires grad"),
        (w[:], "squeeze_: a view of a leaf Variable that requires grad"),
        (result.split(1)[0], "squeeze_: A view is the output of a function that returns multiple views"),
        (blind, "squeeze_: A view was created in no_grad mode"),
    ]:
        shape = x.shape
        with pytest.raises(RuntimeError, match=match):
            x.squeeze_()
        assert x.shape == shape and x._version == 0


def test_memory_that_is_not_written_may_be_shared_or_read_only():
    assert nt.zeros(3).expand(2, 3).t_().shape == (3, 2)
    assert nt.from_numpy(np.zeros((2, 3))).t_().is_contiguous() is False
    array = np.zeros((2, 3))
    array.flags.writeable = False
    assert nt.from_numpy(array).t_().shape == (3, 2)


def test_parameter_stays_one():
    parameter = nt.nn.Parameter(nt.zeros(2, 3))
    with nt.no_grad():
        assert parameter.t_() is parameter
    assert isinstance(parameter, nt.nn.Parameter)
    assert parameter.shape == (3, 2) and parameter.requires_grad and parameter.is_leaf


def test_tangent():
    with nt.autograd.forward_ad.dual_level():
        for make in (lambda x: x, lambda x: x * 1, lambda x: nt.stack([x, x])[1]):
            values = weights(nt.zeros(2, 3))
            x = make(nt.autograd.forward_ad.make_dual(values, values * 10))
            v = x[0]
            x.t_()
            v.mul_(2)
            x.unsqueeze_(0).add_(1)
            primal, tangent = nt.autograd.forward_ad.unpack_dual(x)
            assert primal.tolist() == [[[3, 5], [5, 6], [7, 7]]]
            assert tangent.tolist() == [[[20, 40], [40, 50], [60, 60]]]
            assert nt.autograd.forward_ad.unpack_dual(v).tangent.tolist() == [20, 40, 60]


def test_changes_without_end_keep_few_layouts():
    x = nt.zeros(2, 3, 1)
    v = x[1]
    for _ in range(20):
        x.transpose_(0, 1).squeeze_(2).unsqueeze_(0)
        x.transpose_(0, 2)
    assert len(x._meta.layouts) <= 12
    assert np.shares_memory(replay_of(v)(x._array), v._array)


def test_view_of_a_base_whose_data_was_replaced():
    x = nt.zeros(2, 3)
    v = x[0]
    x.t_()
    x.data = nt.zeros(3, 2)
    with pytest.raises(RuntimeError, match="view: the base of a view"):
        v.copy_(nt.ones(3, requires_grad=True) * 1)
