"""Optimizers: steps and rates equal PyTorch's, and what modes, groups and state dicts promise."""

import copy
import pickle

import numpy as np
import pytest

import numtensor as nt
from numtensor import nn, optim

from .. import recorded

RECORD = recorded.load("torch_optim")


def stepped(entry):
    """Repeat a recorded run; return the parameter and its optimizer."""
    expected = recorded.array(entry["result"])
    stream = np.random.RandomState(0)
    parameter = nn.Parameter(nt.from_numpy(stream.randn(9).astype(expected.dtype)))
    optimizer = getattr(optim, entry["optimizer"])([parameter], **entry["options"])
    for _ in range(20):
        parameter.grad = nt.from_numpy(stream.randn(9).astype(expected.dtype))
        optimizer.step()
    return parameter, optimizer


@pytest.mark.parametrize(
    "entry", RECORD["steps"], ids=lambda e: f"{e['optimizer']}-{e['options']}-{e['result']['dtype']}"
)
def test_twenty_steps_equal_those_of_torch(entry):
    parameter, optimizer = stepped(entry)
    expected = recorded.array(entry["result"])
    # A few units in the last place of numbers near 1 over 20 steps; PyTorch fuses some multiplications and additions.
    tolerance = 16 * np.finfo(expected.dtype).eps
    np.testing.assert_allclose(parameter.detach().numpy(), expected, rtol=0, atol=tolerance * 2)
    state = optimizer.state_dict()["state"].get(0, {})
    assert set(state) == set(entry["state"])
    for name, value in entry["state"].items():
        assert state[name].numpy().dtype == value["dtype"]
        np.testing.assert_allclose(state[name].numpy(), recorded.array(value), rtol=tolerance, atol=tolerance * 4)


def quadratic(optimizer, x):
    optimizer.zero_grad()
    (x * x).sum().backward()
    optimizer.step()


def make(name, parameters, **options):
    return getattr(optim, name)(parameters, **{"lr": 0.1, **options})


NAMES = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"]
STATEFUL = [("SGD", {"momentum": 0.9}), ("Adam", {"amsgrad": True}), ("AdamW", {}), ("RMSprop", {}), ("Adagrad", {})]


@pytest.mark.parametrize("name", NAMES)
def test_a_step_is_counted_and_recorded_nowhere(name):
    x = nn.Parameter(nt.tensor([1.0, 2.0]))
    quadratic(make(name, [x]), x)
    assert x._version == 1 and x.is_leaf and x.requires_grad
    y = (x * x).sum()
    make(name, [x]).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


@pytest.mark.parametrize("name", NAMES)
def test_steps_are_the_same_in_every_mode_and_state_is_normal(name):
    results = []
    for manager in (nt.enable_grad, nt.no_grad, nt.inference_mode):
        x = nn.Parameter(nt.tensor([1.0, 2.0]))
        x.grad = nt.tensor([0.5, -1.0])
        optimizer = make(name, [x])
        with manager():
            optimizer.step()
        optimizer.step()
        results.append(x.tolist())
        for value in optimizer.state[x].values():
            assert not value.is_inference()
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("name", NAMES)
def test_an_inference_parameter_is_not_stepped_outside_and_neither_is_any_other(name):
    normal = nn.Parameter(nt.tensor([1.0]))
    normal.grad = nt.tensor([1.0])
    with nt.inference_mode():
        x = nn.Parameter(nt.tensor([1.0]))
        x.grad = nt.tensor([1.0])
        optimizer = make(name, [normal, x])
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode"):
        optimizer.step()
    assert normal.item() == 1.0 and x.item() == 1.0
    with nt.inference_mode():
        optimizer.step()
    assert x.item() != 1.0


@pytest.mark.parametrize("name", NAMES)
def test_layouts_and_extents(name):
    values = np.arange(12, dtype=np.float32).reshape(3, 4) / 10 + 0.5
    contiguous = nn.Parameter(nt.from_numpy(values.copy()))
    strided = nn.Parameter(nt.from_numpy(np.asfortranarray(values)))
    single, empty = nn.Parameter(nt.tensor(0.5)), nn.Parameter(nt.zeros(0, 3))
    parameters = [contiguous, strided, single, empty]
    optimizer = make(name, parameters)
    for _ in range(3):
        for parameter in parameters:
            parameter.grad = nt.from_numpy(np.full(parameter.shape, 0.25, np.float32))
        optimizer.step()
    assert contiguous.tolist() == strided.tolist()
    assert single.item() == contiguous[0, 0].item() and empty.shape == (0, 3)
    assert not strided.is_contiguous()


def test_parameters_without_gradient_are_left_alone():
    x, y = nn.Parameter(nt.tensor([1.0])), nn.Parameter(nt.tensor([1.0]))
    optimizer = optim.Adam([x, y], lr=0.1)
    x.grad = nt.tensor([1.0])
    optimizer.step()
    assert y.item() == 1.0 and y not in optimizer.state


def test_a_closure_runs_with_gradients_and_its_loss_comes_back():
    x = nn.Parameter(nt.tensor([1.0]))
    optimizer = optim.SGD([x], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    with nt.no_grad():
        assert optimizer.step(closure).item() == 1.0
    assert x.item() == pytest.approx(0.8)


def test_zero_grad():
    x = nn.Parameter(nt.tensor([1.0]))
    optimizer = optim.SGD([x], lr=0.1)
    x.grad = grad = nt.tensor([1.0])
    optimizer.zero_grad(set_to_none=False)
    assert x.grad is grad and grad.item() == 0.0
    optimizer.zero_grad()
    assert x.grad is None


def test_groups_have_options_of_their_own():
    x, y, z = (nn.Parameter(nt.tensor([1.0])) for _ in range(3))
    optimizer = optim.SGD([{"params": [x]}, {"params": y, "lr": 0.5}], lr=0.1)
    optimizer.add_param_group({"params": [("named", z)], "lr": 1.0})
    assert optimizer.param_groups[2]["param_names"] == ["named"]
    for parameter in (x, y, z):
        parameter.grad = nt.tensor([1.0])
    optimizer.param_groups[0]["lr"] = 0.25
    optimizer.step()
    assert [x.item(), y.item(), z.item()] == [0.75, 0.5, 0.0]
    assert "Parameter Group 1\n    dampening: 0\n    lr: 0.5" in repr(optimizer)


def test_wrong_parameters_and_options_are_refused():
    x = nn.Parameter(nt.tensor([1.0]))
    for wrong, error, match in [
        (x, TypeError, "should be an iterable of Tensors or dicts"),
        ([], ValueError, "empty parameter list"),
        ([1], TypeError, "can only optimize Tensors, but one of the params is int"),
        ([{"params": {x}}], TypeError, "ordered collections"),
        ([x * 2], ValueError, "non-leaf"),
        ([x, x], ValueError, "twice"),
        ([{"params": [x]}, {"params": [x]}], ValueError, "more than one parameter group"),
        ([("a", x), nn.Parameter(nt.tensor([1.0]))], ValueError, "with/without names"),
        ([{"params": [x]}, 5], TypeError, "must be a dict|not iterable"),
    ]:
        with pytest.raises(error, match=match):
            optim.SGD(wrong, lr=0.1)
    for make_one in (
        lambda: optim.SGD([x], lr=-1),
        lambda: optim.SGD([x], nesterov=True),
        lambda: optim.Adam([x], betas=(1.0, 0.9)),
        lambda: optim.Adam([x], eps=float("nan")),
        lambda: optim.RMSprop([x], alpha=-0.1),
        lambda: optim.Adagrad([x], initial_accumulator_value=-1),
    ):
        with pytest.raises(ValueError, match=r"Invalid|Nesterov"):
            make_one()


@pytest.mark.parametrize(("name", "options"), STATEFUL)
@pytest.mark.parametrize("how", ["state_dict", "deepcopy", "pickle", "file"])
def test_a_run_goes_on_from_its_state(name, options, how, tmp_path):
    def run(x, optimizer, steps):
        for _ in range(steps):
            quadratic(optimizer, x)
        return x.tolist()

    x = nn.Parameter(nt.tensor([1.0, -2.0]))
    optimizer = make(name, [x], **options)
    run(x, optimizer, 3)
    if how == "deepcopy":
        y, other = copy.deepcopy((x, optimizer))
    elif how == "pickle":
        y, other = pickle.loads(pickle.dumps((x, optimizer)))
    else:
        state = optimizer.state_dict()
        if how == "file":
            nt.save(state, tmp_path / "state.npz")
            state = nt.load(tmp_path / "state.npz")
        y = nn.Parameter(x.detach().clone())
        other = make(name, [y], lr=7.0)
        other.load_state_dict(state)
    assert run(y, other, 3) == run(x, optimizer, 3)
    for key, value in other.state[y].items():
        assert value is not optimizer.state[x][key]


def test_a_state_dict_that_does_not_fit_is_refused_and_changes_nothing():
    x, y = nn.Parameter(nt.tensor([1.0])), nn.Parameter(nt.tensor([1.0]))
    optimizer = optim.SGD([x], lr=0.1)
    with pytest.raises(ValueError, match="different number of parameter groups"):
        optimizer.load_state_dict(optim.SGD([{"params": [x]}, {"params": [y]}], lr=5).state_dict())
    with pytest.raises(ValueError, match="doesn't match the size"):
        optimizer.load_state_dict(optim.SGD([x, y], lr=5).state_dict())
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_loaded_state_takes_the_dtype_of_the_parameter():
    x = nn.Parameter(nt.tensor([1.0]))
    optimizer = optim.Adam([x])
    quadratic(optimizer, x)
    y = nn.Parameter(nt.tensor([1.0], dtype=nt.float64))
    other = optim.Adam([y])
    other.load_state_dict(optimizer.state_dict())
    assert other.state[y]["exp_avg"].dtype is nt.float64 and other.state[y]["step"].dtype is nt.float32
    quadratic(other, y)
    assert other.state[y]["step"].item() == 2.0


def test_a_model_converted_after_its_optimizer_says_what_is_wrong():
    layer = nn.Linear(2, 1)
    optimizer = optim.Adam(layer.parameters())
    layer(nt.ones(1, 2)).sum().backward()
    optimizer.step()
    layer.double()
    with pytest.raises(RuntimeError, match="Adam: the state of a parameter does not fit it"):
        optimizer.step()


# ---------------------------------------------------------------------------------------------------------------------
# Schedulers


@pytest.mark.parametrize("entry", RECORD["schedulers"], ids=lambda e: e["scheduler"])
def test_rates_equal_those_of_torch(entry):
    groups = [{"params": [nn.Parameter(nt.zeros(1))]}, {"params": [nn.Parameter(nt.zeros(1))], "lr": 0.3}]
    optimizer = optim.SGD(groups, lr=1.0)
    scheduler = getattr(optim.lr_scheduler, entry["scheduler"])(optimizer, **entry["options"])
    rates = []
    for _ in entry["rates"]:
        rates.append(scheduler.get_last_lr())
        optimizer.step()
        scheduler.step()
    np.testing.assert_allclose(rates, entry["rates"], rtol=1e-12)


@pytest.mark.parametrize("entry", RECORD["plateau"], ids=lambda e: str(e["options"]))
def test_reductions_on_a_plateau_equal_those_of_torch(entry):
    optimizer = optim.SGD([nn.Parameter(nt.zeros(1))], lr=1.0)
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, **entry["options"])
    rates = []
    for metric in RECORD["metrics"]:
        scheduler.step(nt.tensor(metric))
        rates.append(scheduler.get_last_lr()[0])
    np.testing.assert_allclose(rates, entry["rates"], rtol=1e-12)


def test_a_scheduler_goes_on_from_its_state():
    def new():
        optimizer = optim.SGD([nn.Parameter(nt.zeros(1))], lr=1.0)
        return optimizer, optim.lr_scheduler.MultiStepLR(optimizer, [2, 4], gamma=0.5)

    def run(optimizer, scheduler, steps):
        rates = []
        for _ in range(steps):
            optimizer.step()
            scheduler.step()
            rates += scheduler.get_last_lr()
        return rates

    first = new()
    run(*first, 3)
    second = new()
    second[0].load_state_dict(first[0].state_dict())
    second[1].load_state_dict(first[1].state_dict())
    assert run(*second, 3) == run(*first, 3) == [0.25, 0.25, 0.25]
    resumed = optim.lr_scheduler.StepLR(first[0], 2, last_epoch=4)
    assert resumed.last_epoch == 5 and resumed.get_last_lr() == [0.25]


def test_schedulers_refuse_what_they_cannot_do():
    optimizer = optim.SGD([nn.Parameter(nt.zeros(1))], lr=1.0)
    with pytest.raises(TypeError, match="int is not an Optimizer"):
        optim.lr_scheduler.StepLR(5, 1)
    with pytest.raises(KeyError, match="initial_lr"):
        optim.lr_scheduler.StepLR(optimizer, 1, last_epoch=3)
    with pytest.raises(ValueError, match="Expected 1 lr_lambdas"):
        optim.lr_scheduler.LambdaLR(optimizer, [abs, abs])
    scheduler = optim.lr_scheduler.StepLR(optimizer, 1)
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        scheduler.step()
