"""Layers, activations, losses and containers: what modules add to the functions that they call."""

import pickle

import numpy as np
import pytest

import numtensor as nt
from numtensor import nn

from .. import recorded

RECORD = recorded.load("torch_nn")
F = nn.functional


@pytest.mark.parametrize("entry", RECORD["batch_norm"], ids=lambda e: f"momentum={e['momentum']}")
def test_batch_norm_follows_torch_through_training_and_evaluation(entry):
    norm = nn.BatchNorm1d(3, momentum=entry["momentum"])
    stream = np.random.RandomState(0)
    for expected in entry["outputs"]:
        result = norm(nt.from_numpy(stream.randn(5, 3).astype(np.float32)))
        np.testing.assert_allclose(result.detach().numpy(), recorded.array(expected), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(norm.running_mean.numpy(), recorded.array(entry["mean"]), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(norm.running_var.numpy(), recorded.array(entry["var"]), rtol=1e-5)
    assert norm.num_batches_tracked.item() == entry["count"]
    norm.eval()
    result = norm(nt.from_numpy(stream.randn(5, 3).astype(np.float32)))
    np.testing.assert_allclose(result.detach().numpy(), recorded.array(entry["eval"]), rtol=1e-5, atol=1e-6)
    assert norm.num_batches_tracked.item() == entry["count"]


def test_batch_norm_options():
    x = nt.tensor([[1.0, 2.0], [3.0, 6.0]])
    plain = nn.BatchNorm1d(2, affine=False, track_running_stats=False)
    assert list(plain.state_dict()) == [] and [*plain.parameters()] == []
    np.testing.assert_allclose(plain.eval()(x).numpy(), [[-1, -1], [1, 1]], atol=1e-4)
    assert nn.BatchNorm1d(2, bias=False).bias is None
    with pytest.raises(ValueError, match=r"expected 2D or 3D input \(got 1D input\)"):
        nn.BatchNorm1d(2)(nt.zeros(2))


def test_linear_without_bias_and_of_another_dtype():
    layer = nn.Linear(2, 3, bias=False, dtype=nt.float64)
    assert layer.bias is None and layer.weight.dtype is nt.float64
    x = nt.ones(4, 2, dtype=nt.float64)
    np.testing.assert_array_equal(layer(x).detach().numpy(), x.numpy() @ layer.weight.detach().numpy().T)


def test_embedding_looks_up_rows_and_gives_no_gradient_to_the_padding():
    layer = nn.Embedding(4, 2, padding_idx=1)
    assert layer.weight[1].tolist() == [0.0, 0.0]
    layer(nt.tensor([0, 1, 1, 0])).sum().backward()
    assert layer.weight.grad.tolist() == [[2.0, 2.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    with pytest.raises(AssertionError, match="within num_embeddings"):
        nn.Embedding(4, 2, padding_idx=4)


def test_embedding_from_a_table_shares_it():
    table = nt.tensor([[1.0, 2.0], [3.0, 4.0]])
    layer = nn.Embedding.from_pretrained(table)
    assert np.shares_memory(layer.weight.numpy(), table.numpy()) and not layer.weight.requires_grad
    assert layer(nt.tensor(1)).tolist() == [3.0, 4.0] and layer.num_embeddings == 2


def test_dropout_drops_in_training_only():
    layer = nn.Dropout(0.5)
    x = nt.ones(1000)
    dropped = layer(x).numpy()
    assert set(dropped.tolist()) == {0.0, 2.0} and 400 < (dropped == 0).sum() < 600
    assert layer.eval()(x) is x
    with pytest.raises(ValueError, match=r"between 0 and 1, but got 1\.5"):
        nn.Dropout(1.5)


def test_inplace_modules_change_their_input():
    x = nt.tensor([-1.0, 2.0])
    assert nn.ReLU(inplace=True)(x) is x and x.tolist() == [0.0, 2.0]
    x = nt.tensor([-1.0, 2.0])
    assert nn.LeakyReLU(0.5, inplace=True)(x) is x and x.tolist() == [-0.5, 2.0]
    x = nt.ones(50)
    assert nn.Dropout(0.5, inplace=True)(x) is x and 0.0 in x.tolist()


def test_layer_norm_takes_several_dimensions():
    layer = nn.LayerNorm((2, 2), bias=False)
    assert layer.bias is None and layer.weight.shape == (2, 2)
    result = layer(nt.tensor([[[1.0, 2.0], [3.0, 4.0]]])).detach().numpy()
    np.testing.assert_allclose([result.mean(), result.var()], [0.0, 1.0], atol=1e-4)


def test_flatten_and_unflatten_are_inverse():
    x = nt.arange(24).reshape(2, 3, 4)
    flat = nn.Flatten()(x)
    assert flat.shape == (2, 12) and nn.Flatten(0, 1)(x).shape == (6, 4)
    assert nn.Unflatten(1, (3, -1))(flat).tolist() == x.tolist()
    assert nn.Unflatten(-1, (3, 4))(flat).shape == (2, 3, 4)
    with pytest.raises(IndexError, match="Unflatten"):
        nn.Unflatten(2, (3, 4))(flat)


ACTIVATIONS = [
    (nn.GELU(), F.gelu, {}),
    (nn.GELU("tanh"), F.gelu, {"approximate": "tanh"}),
    (nn.SiLU(), F.silu, {}),
    (nn.Tanh(), F.tanh, {}),
    (nn.Sigmoid(), F.sigmoid, {}),
    (nn.Softplus(2.0, 3.0), F.softplus, {"beta": 2.0, "threshold": 3.0}),
    (nn.LeakyReLU(0.3), F.leaky_relu, {"negative_slope": 0.3}),
    (nn.Softmax(dim=0), F.softmax, {"dim": 0}),
    (nn.LogSoftmax(dim=-1), F.log_softmax, {"dim": -1}),
    (nn.Identity(), lambda x: x, {}),
]


@pytest.mark.parametrize(("module", "function", "options"), ACTIVATIONS, ids=[repr(row[0]) for row in ACTIVATIONS])
def test_activations_pass_their_options_on(module, function, options):
    x = nt.tensor([[-2.0, 0.5, 3.0], [1.0, -0.1, 0.0]])
    assert module(x).tolist() == function(x, **options).tolist()


def test_softmax_without_a_dimension_warns():
    with pytest.warns(UserWarning, match="Implicit dimension choice for Softmax"):
        assert nn.Softmax()(nt.zeros(1, 2)).tolist() == [[0.5, 0.5]]


WEIGHT = nt.tensor([1.0, 3.0, 0.5])
LOSSES = [
    (nn.MSELoss, F.mse_loss, {}, "values"),
    (nn.L1Loss, F.l1_loss, {}, "values"),
    (nn.SmoothL1Loss, F.smooth_l1_loss, {"beta": 0.3}, "values"),
    (nn.HuberLoss, F.huber_loss, {"delta": 0.3}, "values"),
    (nn.NLLLoss, F.nll_loss, {"weight": WEIGHT, "ignore_index": 2}, "classes"),
    (nn.CrossEntropyLoss, F.cross_entropy, {"weight": WEIGHT, "label_smoothing": 0.1}, "classes"),
    (nn.BCELoss, F.binary_cross_entropy, {"weight": WEIGHT}, "values"),
    (nn.BCEWithLogitsLoss, F.binary_cross_entropy_with_logits, {"weight": WEIGHT, "pos_weight": WEIGHT}, "values"),
    (nn.KLDivLoss, F.kl_div, {"log_target": True}, "values"),
]


@pytest.mark.parametrize(("module", "function", "options", "target"), LOSSES, ids=lambda v: getattr(v, "__name__", ""))
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_losses_pass_their_options_on(module, function, options, target, reduction):
    x = nt.tensor([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]])
    target = nt.tensor([0, 2]) if target == "classes" else nt.tensor([[0.0, 1.0, 0.5], [0.2, 0.9, 1.0]])
    loss = module(reduction=reduction, **options)(x, target)
    assert loss.tolist() == function(x, target, reduction=reduction, **options).tolist()
    assert loss.tolist() != module(reduction=reduction)(x, target).tolist() or not options


def test_weights_of_losses_are_buffers_and_wrong_reductions_are_refused():
    assert list(nn.CrossEntropyLoss(weight=WEIGHT).state_dict()) == ["weight"]
    with pytest.raises(ValueError, match="average is not a valid value for reduction"):
        nn.MSELoss(reduction="average")
    # Which of the losses divides by the batch alone.
    assert nn.KLDivLoss(reduction="batchmean").reduction == "batchmean"
    with pytest.raises(ValueError, match="batchmean is not a valid value for reduction"):
        nn.MSELoss(reduction="batchmean")


def test_distances_pass_their_options_on():
    x, y = nt.tensor([[1.0, 0.0], [0.0, 2.0]]), nt.tensor([[3.0, 3.0], [1.0, 0.0]])
    assert nn.CosineSimilarity(dim=0, eps=5.0)(x, y).tolist() == F.cosine_similarity(x, y, 0, 5.0).tolist()
    distance = nn.PairwiseDistance(p=1.0, eps=0.5, keepdim=True)(x, y)
    assert distance.tolist() == F.pairwise_distance(x, y, 1.0, 0.5, True).tolist()
    assert distance.shape == (2, 1)


# ---------------------------------------------------------------------------------------------------------------------
# Containers


def test_sequential_is_a_list():
    model = nn.Sequential(nn.Identity(), nn.ReLU(), nn.Tanh())
    assert len(model) == 3 and isinstance(model[-1], nn.Tanh)
    assert [type(m).__name__ for m in model[1:]] == ["ReLU", "Tanh"]
    assert list(model[1:].state_dict()) == [] and list(model[1:]._modules) == ["1", "2"]
    assert model.append(nn.Sigmoid()) is model and len(model) == 4
    del model[0]
    assert list(model._modules) == ["0", "1", "2"] and isinstance(model[0], nn.ReLU)
    model.insert(0, nn.GELU())
    model[1] = nn.Identity()
    assert [type(m).__name__ for m in model] == ["GELU", "Identity", "Tanh", "Sigmoid"]
    assert isinstance(model.pop(-1), nn.Sigmoid) and len(model + nn.Sequential(nn.ReLU())) == 4
    with pytest.raises(IndexError, match="index 3 is out of range"):
        model[3]


def test_sequential_takes_names():
    model = nn.Sequential({"a": nn.Linear(1, 1), "b": nn.ReLU()})
    assert list(model.state_dict()) == ["a.weight", "a.bias"] and isinstance(model.b, nn.ReLU)
    assert nn.Sequential()(5) == 5


def test_module_list_and_dict_register_what_they_hold():
    layers = nn.ModuleList([nn.Linear(1, 1)])
    layers += [nn.Linear(1, 2)]
    layers.extend(nn.Sequential(nn.ReLU()))
    assert len([*layers.parameters()]) == 4 and len(layers[:2]) == 2 and layers[1].out_features == 2
    named = nn.ModuleDict({"x": nn.Linear(1, 1)})
    named["y"] = nn.ReLU()
    named.update([("z", nn.Tanh())])
    assert list(named) == ["x", "y", "z"] and "y" in named and list(named.state_dict()) == ["x.weight", "x.bias"]
    assert isinstance(named.pop("y"), nn.ReLU) and len(named) == 2
    with pytest.raises(TypeError, match="not a Module subclass"):
        named["w"] = 5


def test_parameter_list_and_dict_register_what_they_hold():
    values = nn.ParameterList([nt.tensor([1.0]), nn.Parameter(nt.tensor([2.0]))])
    values.append(nt.tensor([3.0]))
    assert [p.item() for p in values.parameters()] == [1.0, 2.0, 3.0] and len(values[1:]) == 2
    values[0] = nt.tensor([9.0])
    assert values[0].item() == 9.0 and list(values.state_dict()) == ["0", "1", "2"]
    named = nn.ParameterDict({"a": nt.tensor([1.0])})
    named["b"] = nn.Parameter(nt.tensor([2.0]))
    assert list(named.state_dict()) == ["a", "b"] and named["a"].requires_grad
    assert "Parameter containing: [numtensor.float32 of size 1]" in repr(named)


# ---------------------------------------------------------------------------------------------------------------------
# nn.utils


def gradients(*values):
    parameters = [nn.Parameter(nt.zeros(len(v))) for v in values] + [nn.Parameter(nt.zeros(1))]
    for parameter, value in zip(parameters, values, strict=False):
        parameter.grad = nt.tensor(value)
    return parameters


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0, float("inf")])
def test_clip_grad_norm_scales_to_the_norm(order):
    parameters = gradients([3.0, -4.0], [12.0])
    flat = np.array([3.0, -4.0, 12.0])
    total = nn.utils.clip_grad_norm_(parameters, 2.0, norm_type=order)
    norm = np.linalg.norm(flat, order)
    np.testing.assert_allclose(total.item(), norm, rtol=1e-6)
    clipped = np.concatenate([parameters[0].grad.numpy(), parameters[1].grad.numpy()])
    np.testing.assert_allclose(clipped, flat * 2.0 / norm, rtol=1e-5)
    assert parameters[0].grad._version == 1 and parameters[2].grad is None


def test_clip_grad_norm_leaves_small_gradients_and_refuses_infinite_ones():
    parameters = gradients([0.3], [0.4])
    assert nn.utils.clip_grad_norm_(parameters, 1.0).item() == pytest.approx(0.5)
    assert parameters[0].grad.item() == np.float32(0.3)
    parameters[0].grad = nt.tensor([float("inf")])
    with pytest.raises(RuntimeError, match="non-finite"):
        nn.utils.clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)
    assert parameters[1].grad.item() == np.float32(0.4)
    assert nn.utils.clip_grad_norm_([], 1.0).item() == 0.0


def test_clip_grad_value():
    parameters = gradients([3.0, -0.5, -9.0])
    nn.utils.clip_grad_value_(parameters, 1.0)
    assert parameters[0].grad.tolist() == [1.0, -0.5, -1.0]


def test_parameters_to_a_vector_and_back():
    layer = nn.Linear(2, 2)
    vector = nn.utils.parameters_to_vector(layer.parameters())
    assert vector.shape == (6,) and vector.requires_grad
    nn.utils.vector_to_parameters(nt.arange(6.0), layer.parameters())
    assert layer.weight.tolist() == [[0.0, 1.0], [2.0, 3.0]] and layer.bias.tolist() == [4.0, 5.0]
    assert layer.weight.requires_grad and layer.weight.is_leaf
    with pytest.raises(RuntimeError, match="5 elements, the parameters 6"):
        nn.utils.vector_to_parameters(nt.zeros(5), layer.parameters())


@pytest.mark.parametrize("rows", [1, 4, 5, 31, 64, 65])
@pytest.mark.parametrize("dtype", [nt.float32, nt.float64])
def test_linear_with_a_large_weight_is_contiguous_whichever_way_it_is_multiplied(rows, dtype):
    stream = np.random.RandomState(0)
    layer = nn.Linear(300, 260, dtype=dtype)
    x = nt.from_numpy(stream.randn(300, rows).astype(dtype.numpy)).t()
    result = layer(x)
    assert result.is_contiguous() and result.shape == (rows, 260)
    expected = x.numpy() @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    np.testing.assert_allclose(result.detach().numpy(), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(RuntimeError, match=r"linear: the shapes of input"):
        layer(x[:, 1:])


@pytest.mark.parametrize("dtype", [nt.float32, nt.float64])
def test_large_weights_begin_at_a_cache_line(dtype):
    """And are otherwise like any other tensor."""
    for size in (10, 64, 333):
        layer = nn.Linear(100, size, dtype=dtype)
        weight = layer.weight
        assert weight._array.nbytes < 1 << 14 or weight._array.ctypes.data % 64 == 0
        assert weight.shape == (size, 100) and weight.dtype is dtype and weight.is_contiguous()
        assert weight.storage_offset() == 0 and weight._base is None and weight.is_leaf
        assert weight._array.flags.writeable and weight._array.flags.aligned
        assert weight.abs().max() > 0, "it is initialised where it lies"
        copy = pickle.loads(pickle.dumps(layer))
        assert nt.equal(copy.weight, weight) and copy.weight.storage_offset() == 0
