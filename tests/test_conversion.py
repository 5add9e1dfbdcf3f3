"""Conversions that the table cannot say: what is returned unchanged, gradients between precisions, forms of `to`."""

import numpy as np
import pytest

import numtensor as nt

METHODS = {
    "bool": nt.bool,
    "byte": nt.uint8,
    "char": nt.int8,
    "short": nt.int16,
    "int": nt.int32,
    "long": nt.int64,
    "float": nt.float32,
    "double": nt.float64,
}


@pytest.mark.parametrize(("name", "kind"), METHODS.items())
def test_named_conversions(name, kind):
    for source in METHODS.values():
        tensor = nt.tensor([0, 1, 2]).to(source)
        converted = getattr(tensor, name)()
        assert converted.dtype is kind
        assert (converted is tensor) == (source is kind)
        np.testing.assert_array_equal(converted.numpy(), tensor.numpy().astype(kind.name))


def test_forms_of_to():
    x = nt.ones(2)
    assert x.to("cpu") is x and x.cpu() is x and x.to(nt.float32) is x and x.to(x) is x and x.contiguous() is x
    for converted in (
        x.to(nt.float64),
        x.to("cpu", nt.float64),
        x.to(device="cpu", dtype=nt.float64),
        x.to(nt.ones(1, dtype=nt.float64)),
        x.to("cpu", nt.float64, False, True),
        x.to(np.float64),
        x.to("float64"),
        x.type(nt.float64),
    ):
        assert converted.dtype is nt.float64
    assert x.to(nt.float32, copy=True) is not x
    assert x.type() == "numtensor.FloatTensor"


@pytest.mark.parametrize(("source", "target"), [(nt.float32, nt.float64), (nt.float64, nt.float32)])
def test_gradient_between_precisions(source, target):
    x = nt.tensor([1.0, 2.0], dtype=source, requires_grad=True)
    (first,) = nt.autograd.grad((x.to(target) ** 3).sum(), x, create_graph=True)
    assert first.dtype is source and first.tolist() == [3.0, 12.0]
    (second,) = nt.autograd.grad(first.sum(), x)
    assert second.dtype is source and second.tolist() == [6.0, 12.0]


@pytest.mark.parametrize("kind", [nt.int64, nt.bool, nt.uint8])
def test_no_gradient_through_integers(kind):
    x = nt.ones(2, requires_grad=True)
    assert not x.to(kind).requires_grad
    assert not x.to(kind).float().requires_grad


def test_conversions_are_silent():
    big = nt.tensor([1e300, -1e300, float("nan")], dtype=nt.float64)
    assert big.float().tolist()[:2] == [float("inf"), -float("inf")]
    assert big.long().dtype is nt.int64


def test_detach_shares_memory_and_versions_but_is_no_view():
    x = nt.ones(2, requires_grad=True)
    y = x * 2
    z = y.detach()
    assert not z.requires_grad and z.is_leaf and not z._is_view() and z._base is None
    z.mul_(5)
    assert y.tolist() == [10.0, 10.0] and y._version == 1
    with nt.inference_mode():
        i = nt.ones(1)
        assert not y.detach().is_inference()
    assert i.detach().is_inference()


def test_detach_in_place():
    x = nt.ones(2, requires_grad=True)
    y = x * 2
    assert y.detach_() is y and y.is_leaf and not y.requires_grad
    with pytest.raises(RuntimeError, match="detach_: Can't detach views in-place"):
        (x * 2)[0].detach_()


def test_contiguous_copies_only_what_is_not():
    x = nt.ones(2, 3).t()
    assert not x.is_contiguous() and x.contiguous().is_contiguous()
    assert x.clone().is_contiguous()
