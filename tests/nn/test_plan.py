"""Sequential under inference mode: the same bits as its layers called one by one, whatever changes in between."""

import copy
import itertools
import pickle
import threading
import tracemalloc

import numpy as np
import pytest

import numtensor as nt
from numtensor import nn
from numtensor.debug import set_debug
from numtensor.nn import plan

ACTIVATIONS = {
    "relu": nn.ReLU,
    "relu inplace": lambda: nn.ReLU(inplace=True),
    "leaky": nn.LeakyReLU,
    "leaky by an int": lambda: nn.LeakyReLU(2),
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "gelu tanh": lambda: nn.GELU("tanh"),
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "softmax": lambda: nn.Softmax(-1),
    "identity": nn.Identity,
    "dropout": lambda: nn.Dropout().eval(),
    "flatten": nn.Flatten,
    "softplus": nn.Softplus,
}
# Intermediates that are not kept, that are, and that are too large: 200 columns. 64 rows are few to a large weight.
BATCHES = (0, 1, 2, 7, 64, 100, 700, 1500)


def network(activation=nn.ReLU, dtype=nt.float32, bias=True):
    nt.manual_seed(0)
    return nn.Sequential(
        nn.Linear(30, 200, bias=bias, dtype=dtype),
        activation(),
        nn.Linear(200, 200, bias=bias, dtype=dtype),
        activation(),
        nn.Linear(200, 5, bias=bias, dtype=dtype),
    )


def images(*shape, dtype=np.float32):
    return nt.from_numpy(np.random.default_rng(0).standard_normal((*shape, 30)).astype(dtype))


def one_by_one(model, x):
    for module in model:
        x = module(x)
    return x


def assert_same(model, x, rtol=0):
    """Compare the plan's result, new and kept, with that of the modules, bit by bit."""
    with nt.inference_mode():
        expected = one_by_one(model, x)
        for _ in range(2):
            result = model(x)
            assert type(result) is type(expected) and result.is_inference() == expected.is_inference()
            assert result.dtype is expected.dtype and result.shape == expected.shape
            np.testing.assert_allclose(result.numpy(), expected.numpy(), rtol)
    return result


def is_planned(model):
    """Say whether every affine map of the model ran as a step in the last call."""
    return all(entry[4] is not None for entry in model.__dict__["_inference_plan"].entries if entry[5])


# ---------------------------------------------------------------------------------------------------------------------
# Equal results


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_equals_its_modules(name, batch):
    # In some runs the last bits of the modules' own results differed between calls; why is not known yet.
    rtol = 1e-5 if name == "softmax" else 0
    assert_same(network(ACTIVATIONS[name]), images(batch), rtol)
    last = nn.Sequential(nn.Linear(30, 40), ACTIVATIONS[name]())
    assert_same(last, images(batch), rtol)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [nt.float32, nt.float64])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (0, 3), (2, 1, 3), (400,)])
def test_equals_its_modules_for_every_rank_and_dtype(shape, dtype, bias):
    model = network(nn.GELU, dtype, bias)
    assert_same(model, images(*shape, dtype=dtype.numpy))


@pytest.mark.parametrize("batch", [1, 4, 5, 8, 64, 65, 512])
def test_equals_its_modules_with_a_large_weight(batch):
    nt.manual_seed(0)
    model = nn.Sequential(nn.Linear(30, 300), nn.ReLU(), nn.Linear(300, 300), nn.Tanh(), nn.Linear(300, 7))
    result = assert_same(model, images(batch)).numpy()
    x = images(batch).numpy().astype(np.float64)
    for layer, activation in ((model[0], lambda y: np.maximum(y, 0)), (model[2], np.tanh), (model[4], lambda y: y)):
        x = activation(x @ layer.weight.detach().numpy().T + layer.bias.detach().numpy())
    np.testing.assert_allclose(result, x, rtol=1e-4, atol=1e-5)


def test_equals_its_modules_on_strided_input():
    model = network()
    assert_same(model, images(20)[::2])
    assert_same(model, nt.from_numpy(np.asfortranarray(images(20).numpy())))


def test_equals_its_modules_around_modules_without_a_step():
    nt.manual_seed(0)
    inner = nn.Sequential(nn.Linear(8, 8), nn.Tanh())
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(30, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 8), inner, nn.LayerNorm(8), nn.Tanh()
    ).eval()
    assert_same(model, images(4, 1))


def test_a_step_is_taken_where_there_is_one():
    calls = []

    class Counted(nn.Linear):
        def forward(self, input):
            calls.append(input)
            return super().forward(input)

    model = nn.Sequential(nn.Linear(30, 8), nn.ReLU(), Counted(8, 8), nn.ReLU())
    assert_same(model, images(3))
    assert len(calls) == 3
    with nt.inference_mode():
        model(images(3))
    assert all(type(x) is nt.Tensor for x in calls)


def test_input_is_left_as_it_is():
    model = nn.Sequential(nn.Identity(), nn.Dropout(), nn.ReLU(), nn.Linear(30, 4)).eval()
    x = images(5)
    before = x.numpy().copy()
    assert_same(model, x)
    np.testing.assert_array_equal(x.numpy(), before)
    with nt.inference_mode():
        assert nn.Sequential(nn.Identity(), nn.Flatten())(x) is x


def test_a_first_inplace_activation_changes_the_input_as_ever():
    x = images(5)
    with nt.inference_mode():
        nn.Sequential(nn.ReLU(inplace=True), nn.Linear(30, 4))(x)
    assert (x.numpy() >= 0).all()


# ---------------------------------------------------------------------------------------------------------------------
# What invalidates


CHANGES = {
    "a value": lambda m: m[0].weight._array.__imul__(2),
    "a weight": lambda m: setattr(m[0], "weight", nn.Parameter(nt.ones(200, 30))),
    "a weight's memory": lambda m: setattr(m[0].weight, "data", nt.ones(200, 30)),
    "a bias": lambda m: setattr(m[2], "bias", nn.Parameter(nt.ones(200))),
    "a bias's memory": lambda m: setattr(m[2].bias, "data", nt.ones(200)),
    "no bias": lambda m: setattr(m[4], "bias", None),
    "a module": lambda m: m.__setitem__(2, nn.Linear(200, 200)),
    "the activation": lambda m: m.__setitem__(1, nn.Tanh()),
    "the members": lambda m: m._modules.__setitem__("1", nn.Sigmoid()),
    "one more": lambda m: m.append(nn.Tanh()),
    "one less": lambda m: m.pop(3),
    "one between": lambda m: m.insert(2, nn.Softplus()),
    "a forward": lambda m: setattr(m[2], "forward", lambda x: x + 1),
    "a class": lambda m: setattr(m[1], "__class__", nn.Tanh),
    "loaded": lambda m: m.load_state_dict({k: v * 2 for k, v in m.state_dict().items()}),
    "assigned": lambda m: m.load_state_dict({k: v * 2 for k, v in m.state_dict().items()}, assign=True),
    "a smaller slope": lambda m: m.__setitem__(1, nn.LeakyReLU(0.5)),
    "drawn anew": lambda m: m[0].reset_parameters(),
    "a pre-hook": lambda m: m[2].register_forward_pre_hook(lambda module, args: (args[0] + 1,)),
    "a hook": lambda m: m[1].register_forward_hook(lambda module, args, output: output + 1),
    "a hook of the whole": lambda m: m[4].register_forward_hook(lambda module, args, output: output + 1),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen(name):
    model, x = network(), images(3)
    before = assert_same(model, x)
    CHANGES[name](model)
    after = assert_same(model, x)
    assert before.shape != after.shape or (before.numpy() != after.numpy()).any(), "changed nothing"


def test_another_order_of_the_same_modules_is_seen():
    model = nn.Sequential({"a": nn.Linear(30, 30), "b": nn.ReLU(), "c": nn.Sigmoid()})
    x = images(3)
    before = assert_same(model, x)
    module = model.b
    del model.b
    model.b = module
    assert list(model._modules) == ["a", "c", "b"]
    assert (assert_same(model, x).numpy() != before.numpy()).any()


def test_settings_of_activations_are_read_in_every_call():
    model, x = nn.Sequential(nn.Linear(30, 20), nn.LeakyReLU(0.5), nn.GELU(), nn.Dropout()).eval(), images(3)
    assert_same(model, x)
    model[1].negative_slope = 0.25
    assert_same(model, x)
    model[2].approximate = "tanh"
    assert_same(model, x)
    model.train()
    with nt.inference_mode():
        assert (model(x) == 0).sum().item() > 0
    model.eval()
    assert_same(model, x)


def test_a_forward_of_the_class_is_seen(monkeypatch):
    model, x = network(), images(3)
    assert_same(model, x)
    monkeypatch.setattr(nn.ReLU, "forward", lambda self, input: input * 2)
    assert_same(model, x)


def test_another_dtype_is_seen():
    model = network()
    assert_same(model, images(3))
    assert assert_same(model.double(), images(3, dtype=np.float64)).dtype is nt.float64
    assert_same(model.float(), images(3))


def test_plans_again_after_a_change():
    model, x = network(), images(3)
    assert_same(model, x)
    model[0].weight = nn.Parameter(nt.ones(200, 30))
    assert_same(model, x)
    entry = model.__dict__["_inference_plan"].entries[0]
    assert entry[4](x._array) is not None and is_planned(model)


@pytest.mark.parametrize("manager", [nt.no_grad, nt.enable_grad, lambda: nt.inference_mode(False)])
def test_other_modes_are_left_alone(manager):
    model, x = network(), images(3)
    with manager():
        model(x)
    assert "_inference_plan" not in model.__dict__


def test_wrapped_modes_are_left_alone():
    model, x = network(), images(3)
    with nt.inference_mode(), set_debug(True):
        model(x)
    assert "_inference_plan" not in model.__dict__


def test_a_mode_that_a_module_leaves_open_is_seen():
    class Leaves(nn.Module):
        def forward(self, input):
            nt.inference_mode(False).__enter__()
            return input.clone()

    model = nn.Sequential(nn.Linear(30, 4), Leaves(), nn.Linear(4, 4))
    with nt.inference_mode():
        assert model(images(3)).requires_grad


# ---------------------------------------------------------------------------------------------------------------------
# Errors


@pytest.mark.parametrize(
    "x",
    [
        nt.ones(3, 29),
        nt.ones(()),
        nt.ones(29),
        nt.ones(2, 3, 31),
        nt.ones(3, 30, dtype=nt.float64),
        nt.ones(3, 30, dtype=nt.int64),
        nt.ones(3, 30, dtype=nt.bool),
        np.ones((3, 29), np.float32),
        None,
        "x",
    ],
    ids=lambda x: f"{type(x).__name__} {getattr(x, 'shape', '')} {getattr(x, 'dtype', '')}",
)
def test_errors_are_those_of_the_modules(x):
    model = network()
    assert_same(model, images(2))
    with nt.inference_mode():
        with pytest.raises(Exception) as expected:
            one_by_one(model, x)
        with pytest.raises(type(expected.value)) as found:
            model(x)
    assert str(found.value) == str(expected.value)
    assert_same(model, images(2))


def test_errors_in_the_middle_are_those_of_the_modules():
    model = nn.Sequential(nn.Linear(30, 8), nn.ReLU(), nn.Linear(9, 4))
    with nt.inference_mode():
        with pytest.raises(RuntimeError) as expected:
            one_by_one(model, images(2))
        with pytest.raises(RuntimeError) as found:
            model(images(2))
    assert str(found.value) == str(expected.value)


def test_a_missing_parameter_and_an_odd_one_are_the_modules_business():
    model, x = network(), images(2)
    assert_same(model, x)
    del model[2].weight
    with nt.inference_mode(), pytest.raises(AttributeError, match="weight"):
        model(x)
    model = nn.Sequential(nn.Linear(30, 30), nn.Linear(30, 30, bias=False))
    model[1].weight = nn.Parameter(nt.ones(30))
    assert assert_same(model, x).shape == (2,)
    model = nn.Sequential(nn.Linear(30, 30), nn.GELU())
    model[1].approximate = "other"
    with nt.inference_mode(), pytest.raises(RuntimeError, match="approximate"):
        model(x)


# ---------------------------------------------------------------------------------------------------------------------
# Memory


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("name", ["relu", "tanh", "softplus", "identity"])
def test_results_stay_as_they_are(name, batch):
    model = network(ACTIVATIONS[name])[:4]
    x = images(batch)
    with nt.inference_mode():
        results = [model(x * factor) for factor in range(5)]
        expected = [one_by_one(model, x * factor) for factor in range(5)]
    for result, one in zip(results, expected, strict=True):
        np.testing.assert_array_equal(result.numpy(), one.numpy())
    for first, second in itertools.pairwise(results):
        assert not np.shares_memory(first.numpy(), second.numpy())


def test_what_a_module_keeps_stays_as_it_is():
    kept = []

    class Keeps(nn.Module):
        def forward(self, input):
            kept.append(input)
            return input

    model = nn.Sequential(nn.Linear(30, 200), nn.ReLU(), Keeps(), nn.Tanh(), nn.Linear(200, 200), nn.ReLU())
    x = images(300)
    with nt.inference_mode():
        for factor in range(4):
            model(x * factor)
        for factor, tensor in enumerate(kept):
            np.testing.assert_array_equal(tensor.numpy(), model[0](x * factor).relu().numpy())


def peak(function):
    """Return by how many bytes the memory grows at most while `function` runs."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_intermediates_are_not_allocated_again():
    model, x = network(), images(700)
    each = 700 * 200 * 4
    plan._free.clear()
    with nt.inference_mode():
        first = peak(lambda: model(x))
        second = peak(lambda: model(x))
        modules = peak(lambda: one_by_one(model, x))
    assert 2 * each < first < 2.2 * each
    assert second < 0.1 * each
    assert modules > 2 * each


def test_little_is_kept():
    model = network()
    plan._free.clear()
    with nt.inference_mode():
        for batch in range(80, 1400, 40):
            model(images(batch))
            model(images(batch))
    arrays = [array for kept in plan._free.values() for array in kept]
    assert len(arrays) <= plan.SHAPES_KEPT * plan.EACH_KEPT
    assert all(plan.SMALLEST_KEPT <= array.nbytes <= plan.LARGEST_KEPT for array in arrays)
    before = len(plan._free)
    with nt.inference_mode():
        model(images(4))
        model(images(3000))
    assert len(plan._free) == before


def test_threads_share_a_model():
    model = network(nn.GELU)
    inputs = [images(batch) * factor for factor in (1, 2) for batch in (1, 64, 300, 700)]
    with nt.inference_mode():
        expected = [one_by_one(model, x).numpy() for x in inputs]
    failures = []

    def serve(number):
        with nt.inference_mode():
            for turn in range(40):
                at = (number + turn) % len(inputs)
                if not np.array_equal(model(inputs[at]).numpy(), expected[at]):
                    failures.append((number, turn))

    threads = [threading.Thread(target=serve, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


# ---------------------------------------------------------------------------------------------------------------------
# What else a Sequential does


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_plan_for_themselves(make):
    model, x = network(), images(3)
    text, names = repr(model), list(model.state_dict())
    before = assert_same(model, x)
    made = make(model)
    assert repr(model) == repr(made) == text and list(made.state_dict()) == names
    np.testing.assert_array_equal(assert_same(made, x).numpy(), before.numpy())
    made[0] = nn.Linear(30, 200)
    assert_same(made, x)
    assert_same(model, x)


def test_trains_after_inference():
    model, x = network(), images(3)
    assert_same(model, x)
    model(x).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    with nt.no_grad():
        for p in model.parameters():
            p -= p.grad
    assert_same(model, x)


def test_a_subclass_with_its_own_forward_is_asked():
    class Doubled(nn.Sequential):
        def forward(self, input):
            return super().forward(input) * 2

    model = Doubled(nn.Linear(30, 4), nn.ReLU())
    with nt.inference_mode():
        np.testing.assert_array_equal(model(images(3)).numpy(), (one_by_one(model, images(3)) * 2).numpy())
