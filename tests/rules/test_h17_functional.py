"""H17: `autograd.functional` and `func` give the right derivative in inference mode, and normal tensors."""

import importlib

import pytest

from .library import NAME, differs, nt
from .tensors import inference, leaf

functional = importlib.import_module(f"{NAME}.autograd.functional")
func = importlib.import_module(f"{NAME}.func")


def cubes(x):
    return (x**3).sum()


def vector():
    return nt.tensor([1.0, 10.0, 100.0])


def basis(diagonal):
    return [[value if i == j else 0.0 for j in range(3)] for i, value in enumerate(diagonal)]


# At (1, 2, 4): the gradient is (3, 12, 48), the Hessian the diagonal of (6, 12, 24).
DERIVATIVES = {
    "functional.jacobian": (lambda x: functional.jacobian(cubes, x), [3.0, 12.0, 48.0]),
    "functional.hessian": (lambda x: functional.hessian(cubes, x), basis([6.0, 12.0, 24.0])),
    "functional.vjp": (lambda x: functional.vjp(cubes, x)[1], [3.0, 12.0, 48.0]),
    "functional.jvp": (lambda x: functional.jvp(cubes, x, vector())[1], 3.0 + 120.0 + 4800.0),
    "functional.vhp": (lambda x: functional.vhp(cubes, x, vector())[1], [6.0, 120.0, 2400.0]),
    "functional.hvp": (lambda x: functional.hvp(cubes, x, vector())[1], [6.0, 120.0, 2400.0]),
    "jacobian by forward mode": (
        lambda x: functional.jacobian(cubes, x, vectorize=True, strategy="forward-mode"),
        [3.0, 12.0, 48.0],
    ),
    "hessian by forward mode": (
        lambda x: functional.hessian(cubes, x, vectorize=True, outer_jacobian_strategy="forward-mode"),
        basis([6.0, 12.0, 24.0]),
    ),
    "func.grad": (lambda x: func.grad(cubes)(x), [3.0, 12.0, 48.0]),
    "func.vjp": (lambda x: func.vjp(cubes, x)[1](nt.tensor(1.0))[0], [3.0, 12.0, 48.0]),
    "func.jvp": (lambda x: func.jvp(cubes, (x,), (vector(),))[1], 3.0 + 120.0 + 4800.0),
    "func.jacrev": (lambda x: func.jacrev(cubes)(x), [3.0, 12.0, 48.0]),
    "func.jacfwd": (lambda x: func.jacfwd(cubes)(x), [3.0, 12.0, 48.0]),
    "func.hessian": (lambda x: func.hessian(cubes)(x), basis([6.0, 12.0, 24.0])),
}
VALUES = {
    "functional.vjp": lambda x: functional.vjp(cubes, x)[0],
    "functional.jvp": lambda x: functional.jvp(cubes, x, vector())[0],
    "functional.vhp": lambda x: functional.vhp(cubes, x, vector())[0],
    "functional.hvp": lambda x: functional.hvp(cubes, x, vector())[0],
    "func.grad_and_value": lambda x: func.grad_and_value(cubes)(x)[1],
    "func.vjp": lambda x: func.vjp(cubes, x)[0],
    "func.jvp": lambda x: func.jvp(cubes, (x,), (vector(),))[0],
}
ARGUMENTS = {
    "normal": lambda: nt.tensor([1.0, 2.0, 4.0]),
    "leaf": leaf,
    "inference": lambda: inference((1.0, 2.0, 4.0)),
    "inference leaf": lambda: inference((1.0, 2.0, 4.0), requires_grad=True),
}

# What PyTorch has repaired.
RIGHT_IN_BOTH = {"func.grad", "func.grad_and_value", "func.vjp", "func.jvp"}


def each_of(names, both):
    """Parametrize by name; in those that are not in `both` numtensor differs."""
    better = differs("PyTorch gives zeros silently, inference tensors, or results that require grad")
    return pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in both else better) for name in names])


@pytest.mark.parametrize("argument", ARGUMENTS)
@each_of(DERIVATIVES, both=RIGHT_IN_BOTH)
def test_H17_derivative_inside_is_right_and_normal(name, argument):
    compute, expected = DERIVATIVES[name]
    x = ARGUMENTS[argument]()
    with nt.inference_mode():
        found = compute(x)
        assert nt.is_inference_mode_enabled()
        assert not nt.is_grad_enabled()
    assert found.tolist() == expected
    assert not found.is_inference()
    assert not found.requires_grad
    # Nothing keeps it from taking part in a graph.
    found.mul_(nt.ones((), requires_grad=True))
    assert found.requires_grad


@each_of(VALUES, both=RIGHT_IN_BOTH - {"func.jvp"})
def test_H17_value_inside_is_right_and_normal(name):
    with nt.inference_mode():
        found = VALUES[name](nt.tensor([1.0, 2.0, 4.0]))
    assert found.item() == 73.0
    assert not found.is_inference()
    found.mul_(nt.ones((), requires_grad=True))
    assert found.requires_grad


@each_of(DERIVATIVES, both=DERIVATIVES.keys() - {"hessian by forward mode"})
def test_H17_derivative_under_no_grad_is_right(name):
    compute, expected = DERIVATIVES[name]
    with nt.no_grad():
        found = compute(nt.tensor([1.0, 2.0, 4.0]))
    assert found.tolist() == expected
    assert not found.requires_grad


@differs("PyTorch gives zeros without a graph")
@pytest.mark.parametrize("name", ["jacobian", "hessian"])
def test_H17_create_graph_inside_records(name):
    x = leaf()
    with nt.inference_mode():
        found = getattr(functional, name)(cubes, x, create_graph=True)
    (gradient,) = nt.autograd.grad(found.sum(), x)
    assert gradient.tolist() == ([6.0, 12.0, 24.0] if name == "jacobian" else [6.0, 6.0, 6.0])


@pytest.mark.parametrize("name", DERIVATIVES)
def test_H17_a_function_that_fails_inside_leaves_the_mode_as_it_was(name, monkeypatch):
    def fails(x):
        raise ZeroDivisionError

    monkeypatch.setitem(globals(), "cubes", fails)
    with nt.inference_mode():
        with pytest.raises(ZeroDivisionError):
            DERIVATIVES[name][0](nt.ones(3))
        assert nt.is_inference_mode_enabled()
        assert not nt.is_grad_enabled()
    assert not nt.is_inference_mode_enabled()
