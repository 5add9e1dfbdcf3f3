"""Module: members, walking, state dicts, hooks, copies."""

import copy
import pickle

import numpy as np
import pytest

import numtensor as nt
from numtensor import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(nt.tensor([1.0, 2.0]))
        self.register_buffer("kept", nt.tensor([3.0]))
        self.register_buffer("dropped", nt.tensor([4.0]), persistent=False)
        self.register_parameter("none", None)
        self.inner = nn.Linear(2, 2)

    def forward(self, x):
        return self.inner(x) * self.weight


class Outer(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Block()
        self.second = self.first
        self.last = nn.Identity()

    def forward(self, x):
        return self.last(self.first(x))


# ---------------------------------------------------------------------------------------------------------------------
# Members


def test_assignments_become_members_of_their_kind():
    block = Block()
    assert list(block._parameters) == ["weight", "none"]
    assert list(block._buffers) == ["kept", "dropped"]
    assert list(block._modules) == ["inner"]
    block.extra = 5
    assert "extra" not in block._parameters and block.extra == 5


def test_a_member_can_be_replaced_by_one_of_another_kind():
    block = Block()
    block.kept = nn.Parameter(nt.tensor([9.0]))
    assert "kept" in block._parameters and "kept" not in block._buffers
    block.kept = nn.Identity()
    assert "kept" in block._modules and "kept" not in block._parameters
    block.plain = 3
    block.plain = nn.Parameter(nt.tensor([1.0]))
    assert "plain" in dict(block.named_parameters())


def test_members_of_a_kind_are_a_live_view():
    block = Block()
    block._parameters["weight"] = nn.Parameter(nt.tensor([7.0, 8.0]))
    assert block.weight.tolist() == [7.0, 8.0]
    del block._buffers["kept"]
    assert not hasattr(block, "kept")
    assert len(block._parameters) == 2
    with pytest.raises(KeyError):
        block._parameters["inner"]


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (lambda b: setattr(b, "weight", nt.tensor([1.0])), TypeError, "cannot assign 'Tensor' as parameter 'weight'"),
        (lambda b: setattr(b, "inner", 5), TypeError, "cannot assign 'int' as child module 'inner'"),
        (lambda b: setattr(b, "kept", 5), TypeError, "cannot assign 'int' as buffer 'kept'"),
        (lambda b: b.register_parameter("a.b", None), KeyError, "t contain"),
        (lambda b: b.register_parameter("", None), KeyError, "empty string"),
        (lambda b: b.register_parameter("forward", None), KeyError, "attribute 'forward' already exists"),
        (lambda b: b.register_parameter("kept", None), KeyError, "attribute 'kept' already exists"),
        (lambda b: b.register_parameter(3, None), TypeError, "should be a string"),
        (lambda b: b.register_parameter("new", nt.tensor([1.0])), TypeError, "numtensor.nn.Parameter or None required"),
        (lambda b: b.register_buffer("new", 5), TypeError, "numtensor.Tensor or None required"),
        (lambda b: b.add_module("new", 5), TypeError, "int is not a Module subclass"),
        (lambda b: b.missing, AttributeError, "'Block' object has no attribute 'missing'"),
        (lambda b: delattr(b, "missing"), AttributeError, "missing"),
        (lambda b: b.get_parameter("inner"), AttributeError, "not an nn.Parameter"),
        (lambda b: b.get_submodule("weight"), AttributeError, "not an nn.Module"),
        (lambda b: b.get_buffer("weight"), AttributeError, "not a buffer"),
        (lambda b: b.train("yes"), ValueError, "boolean"),
    ],
)
def test_wrong_members_are_refused(change, error, match):
    with pytest.raises(error, match=match):
        change(Block())


def test_members_before_init_are_refused():
    class Early(nn.Module):
        def __init__(self, value):
            self.member = value

    for value in (nn.Parameter(nt.tensor([1.0])), nn.Identity()):
        with pytest.raises(AttributeError, match=r"before Module.__init__\(\) call"):
            Early(value)
    assert Early(5).member == 5


def test_none_takes_the_place_of_a_member_and_can_be_replaced():
    block = Block()
    block.weight = None
    assert block.weight is None and "weight" in block._parameters
    block.weight = nn.Parameter(nt.tensor([1.0, 1.0]))
    assert "weight" in block.state_dict()


def test_delattr_forgets_the_member():
    block = Block()
    del block.weight
    assert not hasattr(block, "weight") and "weight" not in block.state_dict()


# ---------------------------------------------------------------------------------------------------------------------
# Walking


def test_shared_modules_and_parameters_come_once():
    outer = Outer()
    assert [name for name, _ in outer.named_parameters()] == ["first.weight", "first.inner.weight", "first.inner.bias"]
    assert len([*outer.named_parameters(remove_duplicate=False)]) == 6
    assert [name for name, _ in outer.named_modules()] == ["", "first", "first.inner", "last"]
    assert [name for name, _ in outer.named_children()] == ["first", "last"]
    assert [name for name, _ in outer.named_buffers(prefix="p")] == ["p.first.kept", "p.first.dropped"]
    assert [*outer.parameters(recurse=False)] == []
    assert len([*outer.modules()]) == 4


def test_dotted_names_lead_to_members():
    outer = Outer()
    assert outer.get_submodule("first.inner") is outer.first.inner
    assert outer.get_submodule("") is outer
    assert outer.get_parameter("first.inner.bias") is outer.first.inner.bias
    assert outer.get_buffer("first.kept") is outer.first.kept


def test_apply_visits_children_first():
    names = []
    outer = Outer()
    assert outer.apply(lambda module: names.append(type(module).__name__)) is outer
    assert names == ["Linear", "Block", "Identity", "Outer"]


def test_train_eval_and_requires_grad_reach_everything():
    outer = Outer()
    assert outer.eval() is outer
    assert not any(module.training for module in outer.modules())
    assert all(module.training for module in outer.train().modules())
    outer.requires_grad_(False)
    assert not any(parameter.requires_grad for parameter in outer.parameters())


def test_zero_grad_drops_or_zeroes():
    layer = nn.Linear(2, 1)
    layer(nt.ones(3, 2)).sum().backward()
    grad = layer.weight.grad
    layer.zero_grad(set_to_none=False)
    assert layer.weight.grad is grad and grad.tolist() == [[0.0, 0.0]]
    layer.zero_grad()
    assert layer.weight.grad is None


def test_conversion_keeps_the_parameters_themselves():
    block = Block()
    block.register_buffer("count", nt.tensor([1]))
    weight = block.weight
    weight.grad = nt.tensor([1.0, 1.0])
    assert block.double() is block
    assert block.weight is weight and weight.dtype is nt.float64 and weight.requires_grad and weight.is_leaf
    assert weight.grad.dtype is nt.float64
    assert block.kept.dtype is nt.float64 and block.count.dtype is nt.int64
    assert block.to(nt.float32).inner.weight.dtype is nt.float32
    assert block.to("cpu", nt.float64).weight.dtype is nt.float64
    assert block.to(nt.tensor([1.0])).weight.dtype is nt.float32
    with pytest.raises(TypeError, match="floating"):
        block.to(nt.int64)
    with pytest.raises(RuntimeError, match="cuda"):
        block.to("cuda")


def test_conversion_inside_inference_mode_leaves_a_module_that_can_be_trained():
    layer = nn.Linear(2, 1)
    with nt.inference_mode():
        layer.double()
    assert not layer.weight.is_inference()
    layer(nt.ones(1, 2, dtype=nt.float64)).sum().backward()
    assert layer.weight.grad.tolist() == [[1.0, 1.0]]


# ---------------------------------------------------------------------------------------------------------------------
# State dicts


def test_state_dict_shares_memory_and_leaves_out_what_is_not_persistent():
    block = Block()
    state = block.state_dict()
    assert list(state) == ["weight", "kept", "inner.weight", "inner.bias"]
    assert not state["weight"].requires_grad
    assert np.shares_memory(state["weight"].numpy(), block.weight.detach().numpy())
    assert block.state_dict(keep_vars=True)["weight"] is block.weight
    assert next(iter(block.state_dict(prefix="p."))) == "p.weight"


def test_load_state_dict_copies_and_counts():
    source, target = Block(), Block()
    source.weight.data.copy_(nt.tensor([5.0, 6.0]))
    before = target.weight._version
    result = target.load_state_dict(source.state_dict())
    assert repr(result) == "<All keys matched successfully>"
    assert target.weight.tolist() == [5.0, 6.0]
    assert not np.shares_memory(target.weight.detach().numpy(), source.weight.detach().numpy())
    assert target.weight._version == before + 1 and target.weight.requires_grad


def test_a_state_dict_that_does_not_fit_changes_nothing_and_says_all_that_is_wrong():
    block = Block()
    before = {name: value.tolist() for name, value in block.state_dict().items()}
    state = {"weight": nt.tensor([9.0, 9.0]), "inner.weight": nt.zeros(3, 2), "inner.bias": 4, "more": nt.zeros(1)}
    with pytest.raises(RuntimeError) as caught:
        block.load_state_dict(state)
    text = str(caught.value)
    assert text.startswith("Error(s) in loading state_dict for Block:\n\tMissing key(s) in state_dict: \"kept\". ")
    assert 'Unexpected key(s) in state_dict: "more". ' in text
    assert "size mismatch for inner.weight: copying a param with shape numtensor.Size([3, 2]) from checkpoint, " in text
    assert 'While copying the parameter named "inner.bias", expected' in text
    assert {name: value.tolist() for name, value in block.state_dict().items()} == before


def test_not_strict_returns_the_keys():
    block = Block()
    result = block.load_state_dict({"weight": nt.tensor([9.0, 9.0]), "more": nt.zeros(1)}, strict=False)
    assert result.missing_keys == ["kept", "inner.weight", "inner.bias"]
    assert result.unexpected_keys == ["more"]
    assert block.weight.tolist() == [9.0, 9.0]


def test_assign_takes_the_tensors_themselves():
    block, other = Block(), Block().double()
    block.load_state_dict(other.state_dict(), assign=True)
    assert block.weight.dtype is nt.float64 and isinstance(block.weight, nn.Parameter) and block.weight.requires_grad
    assert np.shares_memory(block.weight.detach().numpy(), other.weight.detach().numpy())


def test_arrays_are_taken_for_tensors_and_converted():
    layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": np.array([[1.0, 2.0]]), "bias": np.array([3])})
    assert layer.weight.tolist() == [[1.0, 2.0]] and layer.bias.dtype is nt.float32


def test_a_module_built_in_inference_mode_cannot_be_loaded_outside():
    with nt.inference_mode():
        layer = nn.Linear(2, 1)
    state = {"weight": nt.zeros(1, 2), "bias": nt.zeros(1)}
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor"):
        layer.load_state_dict(state)
    with nt.inference_mode():
        layer.load_state_dict(state)
    assert layer.weight.tolist() == [[0.0, 0.0]]


def test_a_state_dict_must_be_a_mapping():
    with pytest.raises(TypeError, match="dict-like"):
        Block().load_state_dict([1])


# ---------------------------------------------------------------------------------------------------------------------
# Hooks


def test_forward_hooks_see_and_replace():
    layer = nn.Identity()
    seen = []
    first = layer.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
    second = layer.register_forward_hook(lambda module, args, output: seen.append((args[0].item(), output.item())))
    third = layer.register_forward_hook(lambda module, args, output: output * 10)
    assert layer(nt.tensor(1.0)).item() == 20.0
    assert seen == [(2.0, 2.0)]
    first.remove()
    second.remove()
    third.remove()
    assert layer(nt.tensor(1.0)).item() == 1.0 and len(seen) == 1


def test_hooks_with_keywords_and_in_front():
    class Scale(nn.Module):
        def forward(self, x, factor=1):
            return x * factor

    layer, order = Scale(), []
    layer.register_forward_pre_hook(lambda m, args, kwargs: (args, {"factor": kwargs["factor"] + 1}), with_kwargs=True)
    layer.register_forward_hook(lambda m, args, kwargs, out: order.append(kwargs["factor"]), with_kwargs=True)
    layer.register_forward_hook(lambda m, args, out: order.append("first"), prepend=True)
    assert layer(nt.tensor(2.0), factor=2).item() == 6.0
    assert order == ["first", 3]


def test_an_always_called_hook_runs_when_forward_raises():
    class Broken(nn.Module):
        def forward(self):
            raise ZeroDivisionError

    layer, seen = Broken(), []
    layer.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
    layer.register_forward_hook(lambda m, args, out: seen.append("never"))
    with pytest.raises(ZeroDivisionError):
        layer()
    assert seen == [None]


def test_full_backward_hooks_see_the_gradients_of_inputs_and_outputs():
    class Product(nn.Module):
        def forward(self, x, y):
            return x * y

    layer, seen = Product(), []
    layer.register_full_backward_hook(lambda m, grad_input, grad_output: seen.append((grad_input, grad_output)))
    x, y = nt.tensor([2.0], requires_grad=True), nt.tensor([5.0], requires_grad=True)
    layer(x, y).sum().backward()
    ((grad_input, grad_output),) = seen
    assert [g.item() for g in grad_input] == [5.0, 2.0] and grad_output[0].item() == 1.0
    assert x.grad.item() == 5.0 and y.grad.item() == 2.0


def test_full_backward_hooks_replace_gradients():
    layer = nn.Linear(1, 1, bias=False)
    layer.load_state_dict({"weight": nt.tensor([[3.0]])})
    layer.register_full_backward_hook(lambda m, grad_input, grad_output: (grad_input[0] * 10,))
    handle = layer.register_full_backward_pre_hook(lambda m, grad_output: (grad_output[0] * 2,))
    x = nt.ones(1, 1, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.item() == 60.0 and layer.weight.grad.item() == 2.0
    handle.remove()
    x.grad = None
    layer(x).sum().backward()
    assert x.grad.item() == 30.0


def test_full_backward_hooks_are_differentiable():
    class Cube(nn.Module):
        def forward(self, x):
            return x * x * x

    layer, calls = Cube(), []
    layer.register_full_backward_hook(lambda m, grad_input, grad_output: calls.append(1))
    x = nt.tensor(2.0, requires_grad=True)
    (first,) = nt.autograd.grad(layer(x), x, create_graph=True)
    (second,) = nt.autograd.grad(first, x)
    assert (first.item(), second.item()) == (12.0, 12.0) and calls


def test_full_backward_hooks_without_an_input_that_needs_a_gradient():
    layer, seen = nn.Linear(2, 1), []
    layer.register_full_backward_hook(lambda m, grad_input, grad_output: seen.append((grad_input, len(grad_output))))
    layer(nt.ones(1, 2)).sum().backward()
    assert seen == [((None,), 1)]
    with nt.no_grad():
        layer(nt.ones(1, 2))
    assert len(seen) == 1


# ---------------------------------------------------------------------------------------------------------------------
# Copies and printing


@pytest.mark.parametrize("how", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_independent_and_keep_ties(how):
    outer = Outer()
    outer.first.inner.bias = outer.first.weight
    other = how(outer)
    assert other.first is other.second
    assert other.first.inner.bias is other.first.weight
    assert isinstance(other.first.weight, nn.Parameter) and other.first.weight.requires_grad
    assert other.first.weight.tolist() == outer.first.weight.tolist()
    assert not np.shares_memory(other.first.weight.detach().numpy(), outer.first.weight.detach().numpy())
    assert list(other.state_dict()) == list(outer.state_dict())


def test_repr_is_that_of_torch():
    assert repr(nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(inplace=True), nn.Dropout(0.1)))) == (
        "Sequential(\n"
        "  (0): Linear(in_features=2, out_features=3, bias=True)\n"
        "  (1): Sequential(\n"
        "    (0): ReLU(inplace=True)\n"
        "    (1): Dropout(p=0.1, inplace=False)\n"
        "  )\n"
        ")"
    )
    assert repr(nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Tanh()])) == (
        "ModuleList(\n  (0-1): 2 x ReLU()\n  (2): Tanh()\n)"
    )


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match='missing the required "forward"'):
        nn.Module()(1)


# ---------------------------------------------------------------------------------------------------------------------
# Parameter


def test_a_parameter_shares_memory_and_version_with_its_data():
    data = nt.tensor([1.0, 2.0])
    parameter = nn.Parameter(data)
    data.mul_(2)
    assert parameter.tolist() == [2.0, 4.0] and parameter._version == data._version == 1
    assert isinstance(parameter, nt.Tensor) and parameter.is_leaf and parameter.requires_grad
    assert type(parameter * 1) is nt.Tensor and type(parameter.detach()) is nt.Tensor
    assert repr(nn.Parameter(nt.tensor([1.0]))) == "Parameter containing:\ntensor([1.], requires_grad=True)"


def test_parameters_of_computed_and_integral_tensors():
    x = nt.tensor([1.0], requires_grad=True)
    assert nn.Parameter(x * 2).is_leaf
    assert nn.Parameter(nt.tensor([1]), requires_grad=False).dtype is nt.int64
    assert nn.Parameter().shape == (0,)
    with pytest.raises(RuntimeError, match="floating point"):
        nn.Parameter(nt.tensor([1]))
    with pytest.raises(TypeError, match="must be Tensor"):
        nn.Parameter([1.0])


def test_parameters_and_inference_mode():
    with nt.inference_mode():
        data = nt.tensor([1.0])
        assert nn.Parameter(data).is_inference() and nn.Parameter(data).requires_grad
    with pytest.raises(RuntimeError, match="Setting requires_grad=True on inference tensor outside InferenceMode"):
        nn.Parameter(data)
    assert nn.Parameter(data, requires_grad=False).is_inference()
    normal = nt.tensor([1.0])
    with nt.inference_mode():
        assert not nn.Parameter(normal).is_inference()


def test_a_parameter_of_a_module_built_in_inference_mode_raises_where_a_graph_is_recorded():
    with nt.inference_mode():
        layer = nn.Linear(2, 1)
        assert layer(nt.ones(1, 2)).shape == (1, 1)
    with pytest.raises(RuntimeError, match="inference tensor that requires grad"):
        layer(nt.ones(1, 2))


def test_unpickled_parameters_compute_in_their_dtype():
    parameter = pickle.loads(pickle.dumps(nn.Parameter(nt.tensor([1.0, 2.0]))))
    (parameter * parameter).sum().backward()
    assert parameter.grad.dtype is nt.float32


def test_deepcopy_of_plain_tensors():
    leaf = nt.tensor([1.0], requires_grad=True)
    leaf.grad = nt.tensor([2.0])
    other = copy.deepcopy(leaf)
    assert other.requires_grad and other.grad.item() == 2.0 and other.grad is not leaf.grad
    with pytest.raises(RuntimeError, match="graph leaves"):
        copy.deepcopy(leaf * 2)
    with nt.inference_mode():
        inference = nt.tensor([1.0])
    assert not copy.deepcopy(inference).is_inference()
    shallow = copy.copy(inference)
    assert shallow.is_inference() and np.shares_memory(shallow.numpy(), inference.numpy())
    assert copy.copy(leaf).requires_grad
