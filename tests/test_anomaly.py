"""``detect_anomaly``: the op and the line behind an error or a NaN in backward."""

import pickle
import re

import pytest

import numtensor as nt
from numtensor.modes import TRACKED, current


def test_on_and_off():
    assert not nt.autograd.is_anomaly_enabled()
    with nt.autograd.detect_anomaly():
        assert nt.autograd.is_anomaly_enabled()
        with nt.autograd.set_detect_anomaly(False):
            assert not nt.autograd.is_anomaly_enabled()
        assert nt.autograd.is_anomaly_enabled()
    assert not nt.autograd.is_anomaly_enabled()
    nt.autograd.set_detect_anomaly(True)
    assert nt.autograd.is_anomaly_enabled()
    nt.autograd.set_detect_anomaly(False)
    assert current.mode is TRACKED
    assert current.states == {}


def test_constructing_detect_anomaly_does_nothing():
    nt.autograd.detect_anomaly()
    assert not nt.autograd.is_anomaly_enabled()


def test_anything_but_a_bool_is_refused():
    with pytest.raises(TypeError, match="set_detect_anomaly"):
        nt.autograd.set_detect_anomaly(1)


@pytest.mark.parametrize("create_graph", [False, True])
def test_nan_names_the_op_and_the_line(create_graph):
    x = nt.tensor([0.0, 1.0], requires_grad=True)
    with nt.autograd.detect_anomaly():
        y = x.sqrt()
        with pytest.raises(RuntimeError) as caught:
            (y * 0).sum().backward(create_graph=create_graph)
    text = str(caught.value)
    assert "Function 'SqrtBackward' returned nan values in its 0th output." in text
    line = re.escape(__file__) + r"\", line \d+, in test_nan_names_the_op_and_the_line\n\s+y = x.sqrt\(\)"
    assert re.search(line, text)


def test_nan_may_be_allowed():
    x = nt.tensor([0.0], requires_grad=True)
    with nt.autograd.detect_anomaly(check_nan=False):
        (x.sqrt() * 0).sum().backward()
    assert x.grad.isnan().all()
    with nt.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="nan"):
        (x.sqrt() * 0).sum().backward()


def test_nan_is_no_error_while_off():
    x = nt.tensor([0.0], requires_grad=True)
    (x.sqrt() * 0).sum().backward()
    assert x.grad.isnan().all()


def test_forward_without_detection():
    x = nt.tensor([0.0], requires_grad=True)
    y = (x.sqrt() * 0).sum()
    with nt.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="during the forward pass"):
        y.backward()


class Fails(nt.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        raise ValueError("of the user")


def test_an_error_in_backward_gets_the_line_and_keeps_its_type():
    x = nt.ones(2, requires_grad=True)
    with nt.autograd.detect_anomaly():
        y = Fails.apply(x)
        with pytest.raises(ValueError, match="of the user") as caught:
            y.sum().backward()
    assert "y = Fails.apply(x)" in str(caught.value)
    assert str(caught.value).count("forward call") == 1


def test_inplace_error_gets_the_line_of_what_saved():
    x = nt.ones(2, requires_grad=True)
    with nt.autograd.detect_anomaly():
        y = x.exp()
        y.add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
            y.sum().backward()
    assert "y = x.exp()" in str(caught.value)


def test_gradients_are_the_same():
    x = nt.randn(4, 3, requires_grad=True)

    def gradient():
        return nt.autograd.grad((x.softmax(1).log() * x).sum(), x)[0].tolist()

    plain = gradient()
    with nt.autograd.detect_anomaly():
        assert gradient() == plain


def test_the_mode_pickles():
    with nt.autograd.detect_anomaly():
        assert pickle.loads(pickle.dumps(current.mode)) is current.mode


def test_allowing_nan_ends_with_its_block_and_is_entered_again():
    allowed = nt.autograd.set_detect_anomaly(True, check_nan=False)
    for _ in range(2):
        with allowed:
            x = nt.tensor([0.0], requires_grad=True)
            (x.sqrt() * 0).sum().backward()
        assert not nt.autograd.is_anomaly_enabled()
        assert current.states == {}
        with nt.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="nan"):
            (nt.tensor([0.0], requires_grad=True).sqrt() * 0).sum().backward()
