"""Views and in-place changes: which tensors see a change, where gradients flow, and what is refused.

Each program runs on numtensor; what PyTorch 2.13 gave for it is recorded below.
"""

import numpy as np
import pytest

import numtensor as nt


def leaf(values, shape=None):
    x = nt.tensor(np.asarray(values, "float64"))
    if shape is not None:
        x = x.reshape(*shape)
    return x.clone().requires_grad_()


def view_then_base():
    w = leaf([1, 2, 3, 4])
    x = w * 2
    v = x[1:3]
    v.mul_(10)
    (x * x).sum().backward()
    return x, w.grad


def base_then_older_view():
    w = leaf([1, 2, 3, 4])
    x = w * 2
    v = x[:2]
    x.mul_(3)
    (v * v).sum().backward()
    return v, w.grad


def chain_of_views():
    w = leaf([1, 2, 3, 4, 5, 6])
    x = w * 1
    a = x.view(2, 3)
    b = a.t()
    c = b[1]
    c.mul_(w[:2])
    b[0].add_(7)
    (a * nt.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=nt.float64)).sum().backward()
    return x, a, c, w.grad


def two_overlapping_views():
    w = leaf([1, 2, 3, 4])
    x = w * 1
    a, b = x[:3], x[1:]
    a.mul_(3)
    b.mul_(5)
    a.add_(1)
    (a.sum() * 2 + b.sum() * 3).backward()
    return x, w.grad


def constant_base_gets_history():
    x = nt.zeros(4, dtype=nt.float64)
    old = x[2:]
    y = leaf([1, 2])
    x[:2].copy_(y * 3)
    z = x * 2
    # PyTorch takes `old` for a leaf until somebody asks for its history.
    assert old.grad_fn is not None
    old.mul_(2)
    (z.sum() + x.sum() + old.sum()).backward()
    return x, x.requires_grad, old.requires_grad, y.grad


def overwritten_part():
    w = leaf([1, 2, 3, 4])
    x = w * 2
    v = x[:2]
    before = v.sum()
    v.zero_()
    (before + 5 * v.sum() + x.sum()).backward()
    return x, w.grad


def diagonal_written():
    w = leaf([2, 3, 4])
    x = nt.ones(3, 3, dtype=nt.float64)
    x.diagonal().mul_(w)
    (x * x).sum().backward()
    return x, w.grad


def expanded_older_view():
    w = leaf([1, 2, 3])
    x = w * 1
    e = x.expand(2, 3)
    x.mul_(w)
    (e * nt.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=nt.float64)).sum().backward()
    return e, w.grad


def unfolded_older_view():
    w = leaf([1, 2, 3, 4])
    x = w * 1
    u = x.unfold(0, 2, 1)
    x.mul_(2)
    (u * u).sum().backward()
    return u, w.grad


def transposed_older_view():
    w = leaf([1, 2, 3, 4, 5, 6], (2, 3))
    x = w * 1
    p = x.permute(1, 0)
    r = p[1:]
    x[1].mul_(w[0])
    r[0].mul_(2)
    (p * p).sum().backward()
    return p, r, w.grad


def item_assignment_of_number():
    w = leaf([1, 2, 3, 4])
    x = w * w
    x[1] = 7
    x[-1] = w[0]
    x.sum().backward()
    return x, w.grad


def item_assignment_chain():
    w = leaf([1, 2, 3, 4, 5, 6], (2, 3))
    x = w * 2
    row = x[0]
    row[1:] = w[1, :2]
    x[:, 0] *= 3
    (x * x).sum().backward()
    return x, row, w.grad


def advanced_assignment():
    w = leaf([1, 2, 3, 4, 5, 6], (2, 3))
    x = w * 2
    x[0, [0, 2]] = w[1, 1:] * 3
    x[x > 9] = -1
    (x * x).sum().backward()
    return x, w.grad


def advanced_assignment_through_view():
    w = leaf([1, 2, 3, 4, 5, 6], (2, 3))
    x = w * 2
    x.t()[[0, 1]] = w[0, 0] * 5
    (x * x).sum().backward()
    return x, w.grad


def accumulate_duplicates():
    w = leaf([1, 2, 3])
    x = w * 1
    x.index_put_((nt.tensor([0, 0, 2]),), w * w, accumulate=True)
    (x * x).sum().backward()
    return x, w.grad


def masked_fill_in_view():
    w = leaf([1, 2, 3, 4])
    x = w * 2
    v = x.view(2, 2)
    v.masked_fill_(v > 5, 0.5)
    (x * w).sum().backward()
    return x, w.grad


def ops_without_gradient():
    w = leaf([1, -2, 3, -4])
    x = w * 2
    x[:2].fill_(9)
    x[3:].lt_(0)
    (x * w).sum().backward()
    return x, w.grad


def scatter_in_place():
    w = leaf([1, 2, 3])
    x = nt.zeros(2, 3, dtype=nt.float64)
    x.scatter_(1, nt.tensor([[2, 0, 1]]), (w * w).view(1, 3))
    x[1].scatter_add_(0, nt.tensor([1, 1, 0]), w)
    (x * x).sum().backward()
    return x, w.grad


def loop_over_steps():
    w = leaf([0.5])
    out = nt.zeros(4, dtype=nt.float64)
    state = nt.ones(1, dtype=nt.float64)
    for step in range(4):
        state = state * w
        out[step] = state[0]
    out.sum().backward()
    return out, w.grad


def grad_of_the_view_itself():
    w = leaf([1, 2, 3, 4])
    x = w * 2
    v = x[:2]
    x.mul_(w)
    gradient = nt.autograd.grad((v * v).sum(), v)[0]
    return gradient


def split_and_join():
    w = leaf([1, 2, 3, 4, 5, 6], (2, 3))
    a, b = w.split([1, 2], 1)
    rows = [row * (i + 1) for i, row in enumerate(w)]
    c = nt.cat([b * 2, a * 3], 1) + nt.stack(rows)
    (c * c).sum().backward()
    return c, w.grad


RECORDED = {
    "view_then_base": [[2.0, 40.0, 60.0, 8.0], [8.0, 1600.0, 2400.0, 32.0]],
    "base_then_older_view": [[6.0, 12.0], [72.0, 144.0, 0.0, 0.0]],
    "chain_of_views": [
        [8.0, 2.0, 3.0, 11.0, 10.0, 6.0],
        [[8.0, 2.0, 3.0], [11.0, 10.0, 6.0]],
        [2.0, 10.0],
        [5.0, 27.0, 3.0, 4.0, 10.0, 6.0],
    ],
    "two_overlapping_views": [[4.0, 31.0, 46.0, 20.0], [6.0, 75.0, 75.0, 15.0]],
    "constant_base_gets_history": [[3.0, 6.0, 0.0, 0.0], True, True, [9.0, 9.0]],
    "overwritten_part": [[0.0, 0.0, 6.0, 8.0], [2.0, 2.0, 2.0, 2.0]],
    "diagonal_written": [[[2.0, 1.0, 1.0], [1.0, 3.0, 1.0], [1.0, 1.0, 4.0]], [4.0, 6.0, 8.0]],
    "expanded_older_view": [[[1.0, 4.0, 9.0], [1.0, 4.0, 9.0]], [10.0, 28.0, 54.0]],
    "unfolded_older_view": [[[2.0, 4.0], [4.0, 6.0], [6.0, 8.0]], [8.0, 32.0, 48.0, 32.0]],
    "transposed_older_view": [
        [[1.0, 4.0], [4.0, 20.0], [3.0, 18.0]],
        [[4.0, 20.0], [3.0, 18.0]],
        [[34.0, 416.0, 222.0], [8.0, 160.0, 108.0]],
    ],
    "item_assignment_of_number": [[1.0, 7.0, 9.0, 1.0], [3.0, 0.0, 6.0, 0.0]],
    "item_assignment_chain": [
        [[6.0, 4.0, 5.0], [24.0, 10.0, 12.0]],
        [6.0, 4.0, 5.0],
        [[72.0, 0.0, 0.0], [296.0, 50.0, 48.0]],
    ],
    "advanced_assignment": [[[-1.0, 4.0, -1.0], [8.0, -1.0, -1.0]], [[0.0, 16.0, 0.0], [32.0, 0.0, 0.0]]],
    "advanced_assignment_through_view": [[[5.0, 5.0, 6.0], [5.0, 5.0, 12.0]], [[200.0, 0.0, 24.0], [0.0, 0.0, 48.0]]],
    "accumulate_duplicates": [[6.0, 2.0, 12.0], [36.0, 52.0, 168.0]],
    "masked_fill_in_view": [[2.0, 4.0, 0.5, 0.5], [4.0, 8.0, 0.5, 0.5]],
    "ops_without_gradient": [[9.0, 9.0, 6.0, 1.0], [9.0, 9.0, 12.0, 1.0]],
    "scatter_in_place": [[[4.0, 9.0, 1.0], [3.0, 3.0, 0.0]], [10.0, 38.0, 114.0]],
    "loop_over_steps": [[0.5, 0.25, 0.125, 0.0625], [3.25]],
    "grad_of_the_view_itself": [4.0, 16.0],
    "split_and_join": [[[5.0, 8.0, 6.0], [18.0, 22.0, 24.0]], [[46.0, 36.0, 44.0], [216.0, 160.0, 184.0]]],
}


def as_plain(value):
    if isinstance(value, nt.Tensor):
        return value.tolist()
    return [as_plain(one) for one in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("name", RECORDED)
def test_program_gives_what_pytorch_gives(name):
    assert as_plain(globals()[name]()) == RECORDED[name]


# ---------------------------------------------------------------------------------------------------------------------
# What a view is


VIEWS = {
    "int": lambda x: x[1],
    "negative int": lambda x: x[-1],
    "slice": lambda x: x[1:],
    "step": lambda x: x[:, ::2],
    "tuple": lambda x: x[1, ..., 1:],
    "none": lambda x: x[None],
    "ellipsis": lambda x: x[...],
    "0-d index tensor": lambda x: x[nt.tensor(1)],
    "element": lambda x: x[1, 2],
    "view": lambda x: x.view(6),
    "view_as": lambda x: x.view_as(nt.zeros(3, 2)),
    "reshape": lambda x: x.reshape(3, -1),
    "flatten": lambda x: x.flatten(),
    "unflatten": lambda x: x.unflatten(1, (3, 1)),
    "squeeze": lambda x: x.squeeze(),
    "unsqueeze": lambda x: x.unsqueeze(-1),
    "transpose": lambda x: x.transpose(0, 1),
    "t": lambda x: x.t(),
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "permute": lambda x: x.permute(1, 0),
    "movedim": lambda x: x.movedim(0, 1),
    "expand": lambda x: x.expand(4, 2, 3),
    "diagonal": lambda x: x.diagonal(),
    "select": lambda x: x.select(1, 0),
    "narrow": lambda x: x.narrow(1, 1, 2),
    "unfold": lambda x: x.unfold(1, 2, 1),
    "unbind": lambda x: x.unbind(1)[2],
    "split": lambda x: x.split(2, 1)[0],
    "chunk": lambda x: x.chunk(2)[1],
    "iteration": lambda x: list(x)[1],
    "view of view": lambda x: x.t()[1:].unsqueeze(0)[0, 0],
}
MULTIPLE = ("unbind", "split", "chunk", "iteration")
SHARED = ("expand", "unfold")


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("tracked", [True, False])
def test_view_shares_memory_version_and_root(name, tracked):
    source = leaf(np.arange(6.0), (2, 3))
    x = source * 1 if tracked else source.detach()
    v = VIEWS[name](x)
    assert v._is_view()
    assert v._base is x
    assert np.shares_memory(v._array, x._array)
    assert v.requires_grad is tracked
    assert v.is_leaf is not tracked
    if name in MULTIPLE + SHARED and (tracked or name in SHARED):
        with pytest.raises(RuntimeError, match=r"multiple views|single memory location"):
            v.add_(1)
        return
    before = x._version
    v.add_(1)
    assert x._version == v._version == before + 1
    assert x.sum().item() == 15 + v.numel()


@pytest.mark.parametrize("name", VIEWS)
def test_view_in_inference_mode(name):
    normal = leaf(np.arange(6.0), (2, 3))
    with nt.inference_mode():
        v = VIEWS[name](normal)
        assert not v.is_inference()
        assert v._is_view()
        assert v._base is normal
        assert v.requires_grad
        assert v.grad_fn is None
        inside = nt.ones(2, 3)
        w = VIEWS[name](inside)
        assert w.is_inference()
        assert not w._is_view()
        assert np.shares_memory(w._array, inside._array)
    assert VIEWS[name](inside).is_inference()


@pytest.mark.parametrize("name", VIEWS)
def test_first_and_second_derivative(name):
    x = leaf(np.arange(1.0, 7.0), (2, 3))
    nt.autograd.gradcheck(VIEWS[name], (x,))
    nt.autograd.gradgradcheck(VIEWS[name], (x,))


@pytest.mark.parametrize("name", [name for name in VIEWS if name not in MULTIPLE])
def test_older_view_after_change_of_base(name):
    """The view's gradient after its base was changed is that of the view taken afresh, to second order."""

    def older(w):
        x = w * 1
        v = VIEWS[name](x)
        x.mul_(w)
        return v * v

    x = leaf(np.arange(1.0, 7.0), (2, 3))
    afresh = VIEWS[name](x * x)
    assert np.array_equal(older(x)._array, (afresh * afresh)._array)
    nt.autograd.gradcheck(older, (x,))
    nt.autograd.gradgradcheck(older, (x,))


@pytest.mark.parametrize("name", [name for name in VIEWS if name not in MULTIPLE + SHARED])
def test_change_of_view_seen_by_base(name):
    def changed(w):
        x = w * 1
        v = VIEWS[name](x)
        v.mul_(v.detach() + 2)
        v.mul_(w[0, 1])
        return x * x

    x = leaf(np.arange(1.0, 7.0), (2, 3))
    expected = np.arange(1.0, 7.0).reshape(2, 3)
    mask = nt.zeros(2, 3)
    VIEWS[name](mask).fill_(1)
    expected = np.where(mask._array == 1, (expected + 2) * expected * 2, expected) ** 2
    assert np.array_equal(changed(x)._array, expected)


@pytest.mark.parametrize("name", [name for name in VIEWS if name not in MULTIPLE + SHARED])
def test_gradient_through_change_of_view(name):
    def changed(w):
        x = w * 1
        v = VIEWS[name](x)
        v.mul_(w[0, 1])
        return x * x

    x = leaf(np.arange(1.0, 7.0), (2, 3))
    nt.autograd.gradcheck(changed, (x,))
    nt.autograd.gradgradcheck(changed, (x,))


# ---------------------------------------------------------------------------------------------------------------------
# What is refused, and then has written nothing


def refuses(match, change, *watched):
    before = [(one.tolist(), None if one.is_inference() else one._version) for one in watched]
    with pytest.raises(RuntimeError, match=match):
        change()
    assert [(one.tolist(), None if one.is_inference() else one._version) for one in watched] == before


def test_leaf_and_its_views():
    w = leaf([1, 2, 3, 4])
    refuses("a leaf Variable that requires grad", lambda: w.add_(1), w)
    refuses("a view of a leaf Variable", lambda: w[:2].add_(1), w)
    refuses("setitem: a leaf Variable", lambda: w.__setitem__(0, 5.0), w)
    refuses("setitem: a leaf Variable", lambda: w.__setitem__([0, 1], 5.0), w)
    with nt.no_grad():
        w[0] = 5.0
        w[1:3].add_(1)
    assert w.tolist() == [5, 3, 4, 4]
    assert w.is_leaf
    assert w._version == 2


def test_view_that_became_a_leaf():
    v = nt.zeros(3, 3)[0].requires_grad_()
    refuses("a view of a leaf Variable", lambda: v.mul_(2), v)


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (lambda x: x.mul_(3), [[5, 5, 5], [5, 5, 5]]),
        (lambda x: x.zero_(), [[5, 5, 5], [5, 5, 5]]),
        (lambda x: x[0].mul_(3), [[5, 5, 5], [5, 5, 5]]),
        (lambda x: x.__setitem__((0, [0, 2]), 3.0), [[5, 5, 5], [5, 5, 5]]),
        (lambda x: x.t_(), [[5, 5], [5, 5], [5, 5]]),
    ],
    ids=["mul_", "zero_", "part", "setitem", "t_"],
)
def test_retained_gradient_is_of_the_tensor_as_it_is_now(change, kept):
    x = leaf([1, 2, 3, 4, 5, 6], (2, 3)) * 2
    x.retain_grad()
    change(x)
    assert x.retains_grad
    (x * 5).sum().backward()
    assert x.grad.tolist() == kept


@pytest.mark.parametrize("change", [lambda v: v.mul_(3), lambda v: v.unsqueeze_(0)], ids=["mul_", "unsqueeze_"])
def test_retained_gradient_of_a_view_that_was_changed(change):
    x = leaf([1, 2, 3, 4, 5, 6], (2, 3)) * 2
    v = x[0]
    v.retain_grad()
    change(v)
    assert v.retains_grad
    (v * 5).sum().backward()
    assert v.grad.shape == v.shape
    assert v.grad.reshape(3).tolist() == [5, 5, 5]


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("relay", [False, True])
def test_change_through_a_view_that_the_gradient_does_not_allow(create_graph, relay):
    """The base is contiguous and its gradient is not, so `view` cannot be taken of that as it lies."""
    w = leaf([1, 2, 3, 4, 5, 6], (2, 3))
    x = w * 1
    v = x.view(-1)
    if relay:
        x.t_()
    factors = nt.arange(6.0, dtype=nt.float64)
    v.mul_(factors)
    product = (x if relay else x.t()) * factors.view(3, 2)
    (gradient,) = nt.autograd.grad(product.sum(), w, create_graph=create_graph)
    assert gradient.tolist() == [[0, 2, 8], [3, 12, 25]]


@pytest.mark.parametrize("manager", [nt.no_grad, nt.inference_mode])
def test_view_made_without_recording(manager):
    mode = "inference mode" if manager is nt.inference_mode else "no_grad mode"
    w = leaf([1, 2, 3, 4])
    x = w * 2
    with manager():
        v = x[:2]
    refuses(f"A view was created in {mode}", lambda: v.add_(1), x)
    refuses(f"A view was created in {mode}", lambda: v[:1].add_(1), x)
    refuses(f"A view was created in {mode}", lambda: v.__setitem__(0, 1.0), x)
    x.mul_(3)
    with pytest.raises(RuntimeError, match=f"{mode} and its base or another view of its base has been modified"):
        v * 2
    with pytest.raises(RuntimeError, match=f"{mode} and its base"):
        _ = v.grad_fn


@pytest.mark.parametrize("manager", [nt.no_grad, nt.inference_mode])
def test_view_made_without_recording_of_a_constant(manager):
    x = nt.zeros(4, dtype=nt.float64)
    w = leaf([1, 2])
    with manager():
        v = x[:2]
    v.add_(1)
    refuses("A view was created in", lambda: v.mul_(w), x)
    refuses("A view was created in", lambda: v.copy_(w), x)
    refuses("A view was created in", lambda: v.__setitem__(slice(None), w), x)
    assert x.tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("manager", [nt.no_grad, nt.inference_mode])
def test_gradient_of_a_view_made_without_recording_reaches_the_base(manager):
    """PyTorch loses it without a word."""
    w = leaf([1, 2, 3, 4])
    with manager():
        v = w[1:3]
    assert v.is_leaf
    (v * v).sum().backward()
    assert w.grad.tolist() == [0, 4, 6, 0]
    assert v.is_leaf


def test_requires_grad_of_the_base_shows_in_its_views():
    x = nt.zeros(4)
    outside = x[:2]
    with nt.inference_mode():
        inside = x[:2]
    x.requires_grad_()
    assert outside.requires_grad
    assert inside.requires_grad
    (outside * 3 + inside).sum().backward()
    assert x.grad.tolist() == [4, 4, 0, 0]


def test_results_of_multiple_views():
    x = leaf([1, 2, 3, 4]) * 2
    a, b = x.split(2)
    refuses("multiple views", lambda: a.add_(1), x)
    refuses("multiple views", lambda: a[:1].add_(1), x)
    refuses("multiple views", lambda: a.__setitem__(0, 1.0), x)
    for row in x.view(2, 2):
        refuses("multiple views", lambda row=row: row.add_(1), x)
    x.mul_(2)
    with pytest.raises(RuntimeError, match="multiple views and its base"):
        b * 2


def test_results_of_multiple_views_of_a_constant():
    x = nt.zeros(4, dtype=nt.float64)
    a, b = x.split(2)
    a.add_(1)
    refuses("multiple views", lambda: b.mul_(leaf([1, 2])), x)
    assert x.tolist() == [1, 1, 0, 0]


def test_saved_values_changed_through_views():
    w = leaf([1, 2, 3, 4])
    x = w * 1
    y = x * x
    x[0].zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    x = w * 1
    y = x.exp()
    y[1:].zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_refused_assignment_writes_nothing():
    x = nt.zeros(2, 3)
    for index, value in [
        (0, nt.ones(2)),
        (0, nt.ones(2, 3)),
        ((0, 0), nt.ones(2)),
        ([0, 1], nt.ones(2)),
        (0, [1, 2, 3]),
        (0, "a"),
        (0, None),
        (5, 1.0),
        ([0, 5], 1.0),
        (slice(None, None, -1), 1.0),
        ((0, 0, 0), 1.0),
        (1.0, 1.0),
        (nt.tensor([True, False, True]), 1.0),
    ]:
        with pytest.raises((RuntimeError, IndexError, TypeError, ValueError), match=r"^setitem|^getitem"):
            x[index] = value
        assert x._version == 0
        assert not x._array.any()


def test_inference_tensors_are_changed_only_inside():
    with nt.inference_mode():
        x = nt.zeros(2, 2)
        x[0] = 1.0
        x[[1], [0]] = 2.0
    assert x.tolist() == [[1, 1], [2, 0]]
    refuses("Inplace update to inference tensor", lambda: x.__setitem__(0, 3.0), x)
    refuses("Inplace update to inference tensor", lambda: x[0].add_(3.0), x)
    with nt.inference_mode(False):
        refuses("Inplace update to inference tensor", lambda: x.__setitem__([0], 3.0), x)


def test_one_version_per_assignment():
    x = nt.zeros(2, 3)
    for count, (index, value) in enumerate([(0, 1.0), ([0, 1], 2), (slice(0, 0), 3), (x > 5, 4.0), (..., x)], start=1):
        x[index] = value
        assert x._version == count


@pytest.mark.parametrize("layout", [lambda a: a.T, np.asfortranarray, lambda a: a.reshape(2, 2, 3).transpose(2, 0, 1)])
@pytest.mark.parametrize("repeated", [False, True])
def test_views_across_dimensions_of_a_base_that_is_not_row_major(layout, repeated):
    """A change through a view that only the base's own memory order has goes back through gradients in any order."""
    values = layout(np.arange(12.0).reshape(3, 4))
    base = nt.from_numpy(values.copy(order="K"))
    order = sorted(range(base.ndim), key=lambda dim: -base.stride(dim))
    factors = nt.arange(1.0, 13.0, dtype=nt.float64).requires_grad_()
    flat = base.permute(order).view(12)
    older = flat.expand(2, 12) if repeated else flat[2:]
    numbers = nt.tensor(flat.tolist(), dtype=nt.float64)
    flat.mul_(factors)
    loss = (base * base).sum() + (older * older).sum()
    (first,) = nt.autograd.grad(loss, factors, create_graph=True)
    counts = nt.full((12,), 3.0 if repeated else 2.0, dtype=nt.float64)
    if not repeated:
        counts[:2] = 1.0
    expected = 2 * counts * numbers * numbers * factors
    np.testing.assert_allclose(first.tolist(), expected.tolist())
    (second,) = nt.autograd.grad(first.sum(), factors)
    np.testing.assert_allclose(second.tolist(), (2 * counts * numbers * numbers).tolist())
