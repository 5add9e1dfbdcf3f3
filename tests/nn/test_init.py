"""Initial values equal PyTorch's for a seed."""

import numpy as np
import pytest

import numtensor as nt

from .. import recorded

RECORD = recorded.load("torch_nn")


@pytest.mark.parametrize("entry", RECORD["init"], ids=lambda e: f"{e['call']}-{e['options']}-{e['result']['shape']}")
@pytest.mark.filterwarnings("ignore:mean is more than 2 std:UserWarning")
def test_initial_values_equal_those_of_torch(entry):
    expected = recorded.array(entry["result"])
    tensor = nt.nn.Parameter(nt.zeros(*expected.shape, dtype=expected.dtype))
    nt.manual_seed(1)
    returned = getattr(nt.nn.init, entry["call"])(tensor, **entry["options"])
    assert returned is tensor
    # LAPACK's QR and the uniform draws' scaling may round otherwise in the last places.
    tolerance = 2e-6 if expected.dtype == np.float32 else 1e-13
    np.testing.assert_allclose(tensor.detach().numpy(), expected, rtol=tolerance, atol=tolerance)
    assert tensor.requires_grad
    assert tensor._version == 1


def test_uniform_and_normal_equal_those_of_torch_to_the_last_bit_in_float32():
    for entry in RECORD["init"]:
        expected = recorded.array(entry["result"])
        if entry["call"] in ("uniform_", "kaiming_uniform_", "normal_") and expected.dtype == np.float32:
            tensor = nt.zeros(*expected.shape)
            nt.manual_seed(1)
            getattr(nt.nn.init, entry["call"])(tensor, **entry["options"])
            np.testing.assert_array_equal(tensor.numpy(), expected)


@pytest.mark.parametrize("entry", RECORD["modules"], ids=lambda e: e["repr"])
def test_new_modules_equal_those_of_torch(entry):
    nt.manual_seed(2)
    module = getattr(nt.nn, entry["class"])(*entry["args"], **entry["options"])
    assert repr(module) == entry["repr"]
    state = module.state_dict()
    assert list(state) == list(entry["state"])
    for name, value in entry["state"].items():
        np.testing.assert_array_equal(state[name].numpy(), recorded.array(value))
        assert state[name].numpy().dtype == value["dtype"]


def test_a_generator_of_its_own_leaves_the_default_one_alone():
    before = nt.random.get_rng_state()
    first = nt.nn.init.normal_(nt.zeros(20), generator=nt.Generator().manual_seed(5))
    second = nt.nn.init.normal_(nt.zeros(20), generator=nt.Generator().manual_seed(5))
    assert (nt.random.get_rng_state() == before).all()
    assert first.tolist() == second.tolist()


def test_orthogonal_rows_are_orthonormal():
    weight = nt.nn.init.orthogonal_(nt.zeros(4, 2, 5, dtype=nt.float64)).numpy().reshape(4, 10)
    np.testing.assert_allclose(weight @ weight.T, np.eye(4), atol=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: nt.nn.init.kaiming_uniform_(nt.zeros(3)), ValueError, "fewer than 2 dimensions"),
        (lambda: nt.nn.init.kaiming_normal_(nt.zeros(3, 3), mode="fan"), ValueError, "Mode fan not supported"),
        (lambda: nt.nn.init.eye_(nt.zeros(3)), ValueError, "2 dimensions"),
        (lambda: nt.nn.init.orthogonal_(nt.zeros(3)), ValueError, "2 or more dimensions"),
        (lambda: nt.nn.init.trunc_normal_(nt.zeros(3), a=1.0, b=1.0), ValueError, "ascending"),
        (lambda: nt.nn.init.calculate_gain("cosine"), ValueError, "Unsupported nonlinearity"),
        (lambda: nt.nn.init.calculate_gain("leaky_relu", "x"), ValueError, "not a valid number"),
    ],
)
def test_bad_input_is_refused(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_an_inference_tensor_cannot_be_filled_outside_and_is_left_as_it_was():
    with nt.inference_mode():
        tensor = nt.zeros(2, 2)
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode"):
        nt.nn.init.ones_(tensor)
    assert tensor.tolist() == [[0.0, 0.0], [0.0, 0.0]]
