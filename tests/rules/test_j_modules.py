"""J: parameters, modules and copies. A module's parameters are what they were built as, wherever they are used."""

import copy
import pickle

import pytest

from .library import E_INP, E_RG, E_SAVE, E_VER, differs, nt, raises
from .tensors import inference, inference_leaf, inference_module, leaf


def linear():
    """Return a layer with known weights."""
    layer = nt.nn.Linear(2, 1)
    layer.load_state_dict({"weight": nt.tensor([[2.0, 3.0]]), "bias": nt.tensor([1.0])})
    return layer


def trains(layer):
    """Whether a step of SGD on `layer`, outside, changes its parameters and leaves them normal."""
    before = [parameter.tolist() for parameter in layer.parameters()]
    layer(nt.ones(1, 2)).sum().backward()
    nt.optim.SGD(layer.parameters(), lr=1.0).step()
    after = [parameter.tolist() for parameter in layer.parameters()]
    assert not any(parameter.is_inference() or parameter.grad.is_inference() for parameter in layer.parameters())
    return all(a != b for a, b in zip(before, after, strict=True))


# ---------------------------------------------------------------------------------------------------------------------
# Parameters


def test_J01_parameter_of_a_tensor_made_inside_is_an_inference_leaf():
    with nt.inference_mode():
        p = nt.nn.Parameter(nt.ones(3))
    assert p.is_inference()
    assert p.requires_grad
    assert p.is_leaf
    with raises(E_VER):
        p._version  # noqa: B018


def test_J02_parameter_of_a_normal_tensor_inside_is_normal():
    t = nt.ones(3)
    with nt.inference_mode():
        p = nt.nn.Parameter(t)
    assert not p.is_inference()
    assert p.requires_grad
    p.sum().backward()
    assert p.grad.tolist() == [1.0, 1.0, 1.0]


def test_J03_parameter_of_an_inference_tensor_outside_is_refused():
    with raises(E_RG):
        nt.nn.Parameter(inference())


def test_J03_parameter_without_gradient_of_an_inference_tensor_is_allowed():
    p = nt.nn.Parameter(inference(), requires_grad=False)
    assert not p.requires_grad
    assert p.is_inference()


def test_J03_parameter_of_a_clone_is_normal():
    p = nt.nn.Parameter(inference().clone())
    assert not p.is_inference()
    (p * p).sum().backward()
    assert p.grad.tolist() == [6.0, 10.0, 14.0]


# ---------------------------------------------------------------------------------------------------------------------
# Modules in the modes


def test_J04_module_built_inside_has_inference_parameters_and_buffers():
    norm = inference_module(lambda: nt.nn.BatchNorm1d(2))
    assert all(p.is_inference() and p.requires_grad for p in norm.parameters())
    assert len(list(norm.buffers())) == 3
    assert all(b.is_inference() and not b.requires_grad for b in norm.buffers())


def test_J05_module_built_inside_works_inside():
    with nt.inference_mode():
        layer = linear()
        y = layer(nt.ones(1, 2))
    assert y.tolist() == [[6.0]]
    assert y.is_inference()


def test_J06_normal_module_inside_gives_untracked_inference_results():
    layer = linear()
    with nt.inference_mode():
        y = layer(nt.ones(1, 2))
    assert y.is_inference()
    assert not y.requires_grad
    assert all(p.requires_grad and not p.is_inference() and p.grad is None for p in layer.parameters())


def test_J06_normal_module_is_trainable_after_it_ran_inside():
    layer = linear()
    with nt.inference_mode():
        layer(nt.ones(1, 2))
    assert trains(layer)


def test_J07_same_numbers_in_every_mode():
    nt.manual_seed(0)
    layers = [nt.nn.Linear(7, 11), nt.nn.GELU(), nt.nn.LayerNorm(11), nt.nn.Linear(11, 5), nt.nn.Softmax(-1)]
    model = nt.nn.Sequential(*layers)
    x = nt.randn(13, 7)
    expected = model(x).tolist()
    for manager in (nt.no_grad, nt.inference_mode):
        with manager():
            assert model(x).tolist() == expected


def test_J08_inference_mode_is_not_eval():
    dropout = nt.nn.Dropout(0.5)
    with nt.inference_mode():
        y = dropout(nt.ones(1000))
        assert dropout.training
    assert 0 < (y == 0).sum().item() < 1000


def test_J09_batch_norm_statistics_updated_inside_stay_normal():
    norm = nt.nn.BatchNorm1d(2)
    with nt.inference_mode():
        norm(nt.tensor([[1.0, 2.0], [3.0, 6.0]]))
    assert norm.running_mean.tolist() == pytest.approx([0.2, 0.4])
    assert norm.num_batches_tracked.item() == 1
    assert not any(b.is_inference() for b in norm.buffers())
    # Training goes on outside.
    norm(nt.tensor([[1.0, 2.0], [3.0, 6.0]])).sum().backward()
    assert norm.num_batches_tracked.item() == 2


@differs("PyTorch counts the batch before it is refused")
def test_J09_refused_batch_changes_no_statistics():
    norm = inference_module(lambda: nt.nn.BatchNorm1d(2))
    with nt.no_grad(), raises(E_INP):
        norm(nt.tensor([[1.0, 2.0], [3.0, 6.0]]))
    assert norm.running_mean.tolist() == [0.0, 0.0]
    assert norm.running_var.tolist() == [1.0, 1.0]
    assert norm.num_batches_tracked.item() == 0
    norm = nt.nn.BatchNorm1d(2)
    norm.weight = inference_module(lambda: nt.nn.Parameter(nt.ones(2)))
    with pytest.raises(RuntimeError):
        norm(nt.tensor([[1.0, 2.0], [3.0, 6.0]]))
    assert norm.num_batches_tracked.item() == 0


@differs("PyTorch's fused kernel does not count its write")
def test_J29_batch_norm_counts_its_writes():
    norm = nt.nn.BatchNorm1d(2)
    before = [norm.running_mean._version, norm.running_var._version]
    norm(nt.tensor([[1.0, 2.0], [3.0, 6.0]]))
    assert [norm.running_mean._version, norm.running_var._version] == [before[0] + 1, before[1] + 1]


# ---------------------------------------------------------------------------------------------------------------------
# State dicts


def test_J10_state_dict_inside_gives_normal_tensors_on_the_same_memory():
    layer = linear()
    version = layer.weight._version
    with nt.inference_mode():
        state = layer.state_dict()
        assert not any(value.is_inference() for value in state.values())
        state["weight"].mul_(2)
    assert layer.weight.tolist() == [[4.0, 6.0]]
    assert layer.weight._version == version + 1


def test_J11_normal_module_loads_an_inference_state_dict():
    layer = linear()
    with nt.inference_mode():
        state = {"weight": nt.tensor([[5.0, 7.0]]), "bias": nt.tensor([9.0])}
    layer.load_state_dict(state)
    assert layer.weight.tolist() == [[5.0, 7.0]]
    assert not any(p.is_inference() for p in layer.parameters())
    assert trains(layer)
    assert state["weight"].tolist() == [[5.0, 7.0]]


def test_J12_inference_module_cannot_load_outside():
    layer = inference_module(linear)
    with raises(E_INP):
        layer.load_state_dict(nt.nn.Linear(2, 1).state_dict())


@pytest.mark.parametrize("manager", [nt.enable_grad, nt.no_grad, lambda: nt.inference_mode(False)])
@differs("PyTorch writes first and raises after")
def test_J12_refused_loading_has_written_nothing(manager):
    class Mixed(nt.nn.Module):
        def __init__(self):
            super().__init__()
            self.normal = linear()
            self.inside = inference_module(linear)

    model = Mixed()
    state = {name: nt.zeros(value.shape) for name, value in model.state_dict().items()}
    with manager(), raises(E_INP):
        model.load_state_dict(state)
    for layer in (model.normal, model.inside):
        assert layer.weight.tolist() == [[2.0, 3.0]]
        assert layer.bias.tolist() == [1.0]


def test_J13_both_directions_load_inside():
    normal, inside = nt.nn.Linear(2, 1), inference_module(lambda: nt.nn.Linear(2, 1))
    with nt.inference_mode():
        inside.load_state_dict(linear().state_dict())
        version = normal.weight._version
        normal.load_state_dict(inside.state_dict())
    assert normal.weight.tolist() == inside.weight.tolist() == [[2.0, 3.0]]
    assert normal.weight._version == version + 1
    assert all(p.is_inference() for p in inside.parameters())
    assert not any(p.is_inference() for p in normal.parameters())
    assert trains(normal)


def test_J28_assigned_inference_state_is_refused():
    layer = linear()
    with nt.inference_mode():
        state = nt.nn.Linear(2, 1).state_dict()
    with raises(E_RG):
        layer.load_state_dict(state, assign=True)


@differs("PyTorch refuses to copy it")
def test_J28_copy_of_an_inference_parameter_is_one():
    with nt.inference_mode():
        p = nt.nn.Parameter(nt.ones(3))
    made = copy.copy(p)
    assert type(made) is nt.nn.Parameter
    assert made.is_inference()
    assert made.requires_grad
    with nt.no_grad(), raises(E_INP):
        made.zero_()
    assert p.tolist() == [1.0, 1.0, 1.0]


# ---------------------------------------------------------------------------------------------------------------------
# Changes of the whole module


def test_J14_requires_grad_of_an_inference_module_is_refused():
    layer = inference_module(linear)
    with raises(E_RG):
        layer.requires_grad_(True)


def test_J14_requires_grad_false_of_an_inference_module_is_allowed():
    layer = inference_module(linear)
    assert layer.requires_grad_(False) is layer
    assert not any(p.requires_grad for p in layer.parameters())
    assert layer(nt.ones(1, 2)).tolist() == [[6.0]]


@pytest.mark.parametrize(
    "fill",
    [
        nt.nn.init.zeros_,
        nt.nn.init.ones_,
        lambda t: nt.nn.init.constant_(t, 3.0),
        nt.nn.init.uniform_,
        nt.nn.init.normal_,
        nt.nn.init.xavier_uniform_,
        nt.nn.init.kaiming_normal_,
        nt.nn.init.orthogonal_,
        nt.nn.init.trunc_normal_,
        nt.nn.init.eye_,
    ],
)
def test_J15_init_inside_changes_a_normal_parameter_in_place(fill):
    p = nt.nn.Parameter(nt.full((2, 3), 7.0))
    with nt.inference_mode():
        assert fill(p) is p
    assert p.tolist() != [[7.0] * 3] * 2
    assert p._version > 0
    assert not p.is_inference()
    assert p.requires_grad
    assert p.is_leaf


class Scaled(nt.nn.Module):
    """Makes what it multiplies by at its first call."""

    def __init__(self, build=nt.enable_grad):
        super().__init__()
        self.build = build
        self.cached = None

    def forward(self, x):
        if self.cached is None:
            with self.build():
                self.cached = nt.tensor([3.0, 5.0, 7.0])
        return x * self.cached


def test_J16_tensor_cached_inside_breaks_later_training():
    model = Scaled()
    with nt.inference_mode():
        model(nt.ones(3))
    with raises(E_SAVE):
        model(leaf())


def test_J17_tensor_cached_under_no_grad_does_not():
    model = Scaled()
    with nt.no_grad():
        model(nt.ones(3))
    x = leaf()
    model(x).sum().backward()
    assert x.grad.tolist() == [3.0, 5.0, 7.0]


def test_J18_building_it_under_inference_mode_false_is_the_cure():
    model = Scaled(lambda: nt.inference_mode(False))
    with nt.inference_mode():
        model(nt.ones(3))
    x = leaf()
    model(x).sum().backward()
    assert x.grad.tolist() == [3.0, 5.0, 7.0]


@pytest.mark.parametrize("convert", [lambda m: m.double(), lambda m: m.to(nt.float64), lambda m: m.type(nt.float64)])
@differs("PyTorch swaps storage of the wrong kind into the parameters")
def test_J27_converting_an_inference_module_outside_keeps_it_one(convert):
    layer = inference_module(lambda: nt.nn.Sequential(linear(), nt.nn.BatchNorm1d(1)))
    assert convert(layer) is layer
    assert all(p.dtype == nt.float64 and p.is_inference() and p.requires_grad for p in layer.parameters())
    assert all(b.is_inference() for b in layer.buffers())
    with nt.inference_mode():
        assert layer[0](nt.ones(1, 2, dtype=nt.float64)).tolist() == [[6.0]]
    with nt.no_grad():
        assert layer[0](nt.ones(1, 2, dtype=nt.float64)).tolist() == [[6.0]]
    with nt.no_grad(), raises(E_INP):
        layer[0].weight.zero_()


@pytest.mark.parametrize("convert", [lambda m: m.double(), lambda m: m.to(nt.float64), lambda m: m.type(nt.float64)])
@differs("PyTorch swaps storage of the wrong kind into the parameters")
def test_J27_converting_a_normal_module_inside_keeps_it_normal(convert):
    layer = nt.nn.Sequential(linear(), nt.nn.BatchNorm1d(1))
    layer[0](nt.ones(1, 2)).sum().backward()
    with nt.inference_mode():
        assert convert(layer) is layer
    assert all(p.dtype == nt.float64 and p.requires_grad for p in layer.parameters())
    members = [*layer.parameters(), *layer.buffers(), *(p.grad for p in layer[0].parameters())]
    assert not any(member.is_inference() for member in members)
    layer(nt.tensor([[1.0, 2.0], [4.0, 8.0]], dtype=nt.float64)).sum().backward()
    nt.optim.SGD(layer.parameters(), lr=1.0).step()


@differs("PyTorch goes on, and gives a float64 parameter a float32 gradient")
def test_J27_converting_a_module_in_the_middle_of_a_step_is_noticed():
    layer = linear()
    x = nt.ones(1, 2, requires_grad=True)
    y = layer(x)
    layer.double()
    with raises("has been modified by an inplace operation"):
        y.sum().backward()


# ---------------------------------------------------------------------------------------------------------------------
# Copies


@pytest.mark.parametrize("requires_grad", [True, False])
def test_J20_deepcopy_outside_of_an_inference_tensor_is_normal(requires_grad):
    i = inference(requires_grad=requires_grad)
    made = copy.deepcopy(i)
    assert not made.is_inference()
    assert made._version >= 0
    assert made.requires_grad == requires_grad
    assert made.is_leaf
    with nt.no_grad():
        made.zero_()
    assert i.tolist() == [3.0, 5.0, 7.0]


@pytest.mark.parametrize("make", [lambda: nt.ones(3), leaf, inference, inference_leaf])
def test_J21_deepcopy_inside_is_an_inference_tensor(make):
    t = make()
    with nt.inference_mode():
        made = copy.deepcopy(t)
    assert made.is_inference()
    assert made.requires_grad == t.requires_grad
    assert made.tolist() == t.tolist()


@pytest.mark.parametrize("make", [inference, inference_leaf])
def test_J22_unpickled_outside_it_is_normal(make):
    i = make()
    made = pickle.loads(pickle.dumps(i))
    assert not made.is_inference()
    assert made._version >= 0
    assert made.requires_grad == i.requires_grad
    assert made.tolist() == i.tolist()


@pytest.mark.parametrize("make", [lambda: nt.ones(3), leaf, inference, inference_leaf])
def test_J23_unpickled_inside_it_is_an_inference_tensor(make):
    t = make()
    with nt.inference_mode():
        made = pickle.loads(pickle.dumps(t))
    assert made.is_inference()
    assert made.requires_grad == t.requires_grad


def test_J22_unpickled_inference_module_is_trainable():
    layer = pickle.loads(pickle.dumps(inference_module(linear)))
    assert trains(layer)


def test_J24_loaded_outside_it_is_normal(tmp_path):
    path = tmp_path / "saved.npz"
    nt.save({"value": inference()}, path)
    made = nt.load(path)["value"]
    assert not made.is_inference()
    assert made.tolist() == [3.0, 5.0, 7.0]


def test_J24_loaded_inside_it_is_an_inference_tensor(tmp_path):
    path = tmp_path / "saved.npz"
    nt.save({"value": nt.ones(3)}, path)
    with nt.inference_mode():
        made = nt.load(path)["value"]
    assert made.is_inference()


def test_J25_deepcopy_outside_of_an_inference_module_is_normal_and_trainable():
    layer = inference_module(linear)
    made = copy.deepcopy(layer)
    assert not any(p.is_inference() for p in made.parameters())
    assert trains(made)
    assert layer.weight.tolist() == [[2.0, 3.0]]


def test_J26_deepcopy_of_a_tracked_non_leaf_is_refused():
    with raises("graph leaves"):
        copy.deepcopy(leaf() * 2)


@pytest.mark.parametrize("manager", [nt.no_grad, nt.inference_mode])
def test_J26_deepcopy_of_an_untracked_result_works(manager):
    x = leaf()
    with manager():
        y = x * 2
    made = copy.deepcopy(y)
    assert made.tolist() == [2.0, 4.0, 8.0]
    assert not made.requires_grad
    assert not made.is_inference()
