"""G: requires_grad, clone and detach of inference tensors."""

import numpy as np

from .library import E_INP, E_RG, nt, raises
from .tensors import inference, inference_leaf, leaf


def test_G01_requires_grad_of_an_inference_tensor_outside():
    i = inference()
    with raises(E_RG):
        i.requires_grad_()
    with nt.no_grad(), raises(E_RG):
        i.requires_grad_()
    with nt.inference_mode(), nt.inference_mode(False), raises(E_RG):
        i.requires_grad_()
    assert not i.requires_grad


def test_G02_assigning_requires_grad_outside():
    i = inference()
    with raises(E_RG):
        i.requires_grad = True
    assert i.requires_grad is False


def test_G03_requires_grad_may_be_set_false_outside():
    i, owner = inference(), inference_leaf()
    assert i.requires_grad_(False) is i
    i.requires_grad = False
    owner.requires_grad_(False)
    assert not i.requires_grad and not owner.requires_grad
    assert i.is_inference() and owner.is_inference()


def test_G04_requires_grad_inside():
    i = inference()
    with nt.inference_mode():
        assert i.requires_grad_() is i
        assert i.requires_grad and i.is_leaf and i.is_inference()
    assert i.requires_grad and i.is_leaf and i.is_inference()
    with nt.no_grad(), raises(E_INP):
        i.add_(0)


def test_G05_a_normal_tensor_made_rg_inside_is_an_ordinary_leaf():
    x = nt.tensor([1.0, 2.0])
    with nt.inference_mode():
        x.requires_grad_()
        assert not (x * x).requires_grad
    (x * x).sum().backward()
    assert x.is_leaf and not x.is_inference() and x._version == 0
    assert x.grad.tolist() == [2, 4] and not x.grad.is_inference()


def test_G06_integers_cannot_require_grad():
    whole = nt.arange(3)
    with raises("floating point"):
        whole.requires_grad_()
    with nt.inference_mode():
        for tensor in (whole, nt.arange(3)):
            with raises("floating point"):
                tensor.requires_grad_()
            with raises("floating point"):
                tensor.requires_grad = True
            assert not tensor.requires_grad


def test_G07_a_clone_outside_is_a_normal_leaf_with_its_own_memory():
    i = inference()
    made = i.clone()
    assert not made.is_inference() and made.is_leaf and not made.requires_grad
    assert not made._is_view() and made.data_ptr() != i.data_ptr()
    made.add_(1)
    assert i.tolist() == [3, 5, 7] and made.tolist() == [4, 6, 8]


def test_G08_a_clone_can_be_trained():
    weight = inference().clone().requires_grad_()
    optimizer = nt.optim.SGD([weight], lr=0.5)
    (weight * weight).sum().backward()
    optimizer.step()
    assert weight.tolist() == [0, 0, 0] and weight.grad.tolist() == [6, 10, 14]


def test_G09_a_clone_under_no_grad_is_normal():
    i = inference()
    with nt.no_grad():
        made = i.clone()
        assert not made.is_inference()
    made.add_(1)
    assert made.requires_grad_().requires_grad


def test_G10_a_clone_under_nested_inference_mode_false_is_normal():
    with nt.inference_mode():
        i = nt.tensor([3.0])
        with nt.inference_mode(False):
            made = i.clone()
        assert i.is_inference() and not made.is_inference()
    assert made.requires_grad_().requires_grad


def test_G11_detach_outside_is_still_an_inference_tensor():
    for i in (inference(), inference_leaf()):
        made = i.detach()
        assert made.is_inference() and not made.requires_grad and made.data_ptr() == i.data_ptr()
        with raises(E_RG):
            made.requires_grad_()


def test_G12_rebuilding_from_values_outside_is_normal():
    i = inference()
    for made in (nt.tensor(i.tolist()), nt.from_numpy(i.numpy().copy()), nt.tensor(np.array(i))):
        assert not made.is_inference() and made._version == 0
        made.add_(1)
        assert made.requires_grad_().requires_grad
    assert i.tolist() == [3, 5, 7]


def test_G13_a_non_leaf_keeps_requiring_grad():
    y = leaf() * 2
    for wrapped in (nt.enable_grad, nt.no_grad, nt.inference_mode):
        with wrapped():
            with raises("leaf"):
                y.requires_grad_(False)
            with raises("leaf"):
                y.requires_grad = False
    assert y.requires_grad and y.requires_grad_(True) is y


def test_G14_hooks_need_a_gradient():
    for tensor in (nt.ones(2), inference(), leaf().detach()):
        with raises("requires_grad=False"):
            tensor.retain_grad()
        with raises("doesn't require gradient"):
            tensor.register_hook(print)


def test_G15_setting_what_is_set_raises_outside_too():
    owner = inference_leaf()
    with raises(E_RG):
        owner.requires_grad_(True)
    with raises(E_RG):
        owner.requires_grad = True
    assert owner.requires_grad
