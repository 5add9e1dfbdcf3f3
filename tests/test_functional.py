"""``autograd.functional``: values, the structures of results, graphs, strictness, errors; H17 has the modes.

Runs against PyTorch, too: ``NUMTENSOR_RULES=torch``.
"""

import importlib

import numpy as np
import pytest

from .rules.library import IS_TORCH, NAME, differs, nt, raises

functional = importlib.import_module(f"{NAME}.autograd.functional")

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning")] if IS_TORCH else []

# What a vector can be multiplied with, and of what it has to have the shape.
PRODUCTS = {"vjp": "output", "jvp": "input", "vhp": "input", "hvp": "input"}
FORWARD = {"vectorize": True, "strategy": "forward-mode"}


def vector(*values, **options):
    return nt.tensor(values, dtype=nt.float64, **options)


def close(found, expected):
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-9, atol=1e-12)


def energy(x, y):
    """Return a number whose derivatives mix all elements of two vectors."""
    return (x**2).sum() * y.exp().sum() + (x.sum() * y).prod()


def both(x, y):
    return x * y.sum(), (x.sum() * y).sin()


# ---------------------------------------------------------------------------------------------------------------------
# Values


@pytest.mark.parametrize("options", [{}, {"vectorize": True}, FORWARD], ids=["rows", "vectorized", "columns"])
def test_jacobian(options):
    x, y = vector(1.0, 2.0, 3.0), vector(0.5, -1.0)
    found = functional.jacobian(both, (x, y), **options)
    close(found[0][0], np.eye(3) * -0.5)
    close(found[0][1], [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    cosines = np.cos(6.0 * y.numpy())
    close(found[1][0], np.outer(cosines * y.numpy(), [1.0, 1.0, 1.0]))
    close(found[1][1], np.diag(cosines * 6.0))


@pytest.mark.parametrize("strategy", ["reverse-mode", "forward-mode"])
def test_hessian(strategy):
    x, y = vector(1.0, 2.0), vector(0.5, -1.0)
    found = functional.hessian(energy, (x, y), vectorize=True, outer_jacobian_strategy=strategy)
    a, b, s, e = x.numpy(), y.numpy(), 3.0, np.exp([0.5, -1.0])
    # The second term is s^2 y0 y1, of s = x0 + x1.
    close(found[0][0], 2 * e.sum() * np.eye(2) + 2 * b.prod())
    mixed = np.outer(2 * a, e) + 2 * s * b[::-1]
    close(found[0][1], mixed)
    close(found[1][0], mixed.T)
    close(found[1][1], (a**2).sum() * np.diag(e) + s**2 * np.array([[0.0, 1.0], [1.0, 0.0]]))


def test_products_are_those_of_the_matrices():
    inputs, v = (vector(1.0, 2.0), vector(0.5, -1.0)), (vector(1.0, 10.0), vector(-3.0, 2.0))
    jacobian, hessian = functional.jacobian(both, inputs), functional.hessian(energy, inputs)
    output, product = functional.vjp(both, inputs, v)
    for position in (0, 1):
        close(output[position], both(*inputs)[position])
        close(product[position], sum(v[k] @ jacobian[k][position] for k in (0, 1)))
    output, product = functional.jvp(both, inputs, v)
    for position in (0, 1):
        close(output[position], both(*inputs)[position])
        close(product[position], sum(jacobian[position][k] @ v[k] for k in (0, 1)))
    for name in ("vhp", "hvp"):
        output, product = getattr(functional, name)(energy, inputs, v)
        close(output, energy(*inputs))
        for position in (0, 1):
            close(product[position], sum(hessian[position][k] @ v[k] for k in (0, 1)))


def test_the_vector_may_be_omitted_for_one_element():
    x = vector(2.0)
    for name, expected in (("vjp", 12.0), ("jvp", 12.0), ("vhp", 12.0), ("hvp", 12.0)):
        _, product = getattr(functional, name)(lambda x: x.pow(3).sum(), x)
        close(product, [expected])


def test_what_an_input_has_no_influence_on_is_zero():
    x, y = vector(1.0, 2.0), vector(3.0)
    close(functional.jacobian(lambda x, y: x * x, (x, y))[1], [[0.0], [0.0]])
    close(functional.hessian(lambda x, y: (x * 2).sum(), (x, y))[0][0], np.zeros((2, 2)))
    close(functional.vjp(lambda x, y: (x * x).sum(), (x, y))[1][1], [0.0])
    close(functional.jvp(lambda x: nt.ones(3, dtype=nt.float64), x, x)[1], [0.0, 0.0, 0.0])
    close(functional.vhp(lambda x: x.sum(), x, x)[1], [0.0, 0.0])
    close(functional.hvp(lambda x: x.sum(), x, x)[1], [0.0, 0.0])


@differs("PyTorch cannot stack no rows")
def test_empty_inputs_and_outputs():
    empty = nt.zeros(0, dtype=nt.float64)
    assert functional.jacobian(lambda x: x * x, empty).shape == (0, 0)
    assert functional.jacobian(lambda x: x * x, empty, strategy="forward-mode").shape == (0, 0)
    assert functional.hessian(lambda x: (x * x).sum(), empty).shape == (0, 0)


# ---------------------------------------------------------------------------------------------------------------------
# Structures


def shapes(found):
    """Return the shapes of the tensors in nested tuples."""
    return tuple(map(shapes, found)) if isinstance(found, tuple) else list(found.shape)


def test_structure_of_a_jacobian():
    x, y = vector(1.0, 2.0, 3.0), vector(1.0)
    assert shapes(functional.jacobian(lambda x: x[:2], x)) == [2, 3]
    assert shapes(functional.jacobian(lambda x: x[:2], (x,))) == ([2, 3],)
    assert shapes(functional.jacobian(lambda x: (x[:2],), x)) == ([2, 3],)
    assert shapes(functional.jacobian(lambda x: (x[:2],), (x,))) == (([2, 3],),)
    assert shapes(functional.jacobian(lambda x, y: x[:2] * y, (x, y))) == ([2, 3], [2, 1])
    assert shapes(functional.jacobian(lambda x, y: (x[:2] * y, y.sum()), (x, y))) == (([2, 3], [2, 1]), ([3], [1]))


def test_structure_of_a_hessian():
    x, y = vector(1.0, 2.0, 3.0), vector(1.0)
    assert shapes(functional.hessian(lambda x: (x * x).sum(), x)) == [3, 3]
    assert shapes(functional.hessian(lambda x: (x * x).sum(), (x,))) == (([3, 3],),)
    assert shapes(functional.hessian(lambda x, y: (x * x * y).sum(), (x, y))) == (([3, 3], [3, 1]), ([1, 3], [1, 1]))


def test_structure_of_products():
    x = vector(1.0, 2.0)
    assert shapes(functional.vjp(lambda x: x * x, (x,), x)) == ([2], ([2],))
    assert shapes(functional.vjp(lambda x: (x * x, x.sum()), x, (x, vector(1.0).sum()))) == (([2], []), [2])
    assert shapes(functional.jvp(lambda x: (x * x, x.sum()), x, x)) == (([2], []), ([2], []))
    assert shapes(functional.hvp(lambda x: (x * x).sum(), (x,), (x,))) == ([], ([2],))


def test_dtypes():
    x = nt.ones(2, dtype=nt.float64)
    assert functional.jacobian(lambda x: x.to(nt.float32), x).dtype is nt.float64
    assert functional.jacobian(lambda x: x.to(nt.float32), x, **FORWARD).dtype is nt.float32


# ---------------------------------------------------------------------------------------------------------------------
# Graphs


def results(name, x, **options):
    """Return the results of one of the six for a cube, as a list."""
    function = (lambda x: (x**3).sum()) if name != "jacobian" else (lambda x: x**3)
    if name in ("jacobian", "hessian"):
        return [getattr(functional, name)(function, x, **options)]
    v = None if name == "vjp" else vector(1.0, 1.0)
    return list(getattr(functional, name)(function, x, v, **options))


ALL = ["jacobian", "hessian", *PRODUCTS]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_results_have_no_graph_unless_asked_for(name, requires_grad):
    x = vector(1.0, 2.0, requires_grad=requires_grad)
    for one in results(name, x):
        assert not one.requires_grad
        assert one.grad_fn is None
    assert x.requires_grad is requires_grad
    assert x.grad is None


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("manager", [nt.enable_grad, nt.no_grad])
def test_create_graph_connects_the_results_with_the_inputs(name, manager):
    x = vector(1.0, 2.0, requires_grad=True)
    with manager():
        found = results(name, x, create_graph=True)
    (gradient,) = nt.autograd.grad(found[-1].sum(), x, retain_graph=True)
    # The derivative of 3 x^2, or of 6 x.
    close(gradient, [6.0, 12.0] if name in ("jacobian", "vjp", "jvp") else [6.0, 6.0])
    if len(found) == 2:
        close(nt.autograd.grad(found[0], x)[0], [3.0, 12.0])


def test_create_graph_by_forward_mode():
    x = vector(1.0, 2.0, requires_grad=True)
    if IS_TORCH:
        with pytest.raises(NotImplementedError):
            functional.jacobian(lambda x: x**3, x, create_graph=True, **FORWARD)
        return
    found = functional.jacobian(lambda x: x**3, x, create_graph=True, **FORWARD)
    close(nt.autograd.grad(found.sum(), x)[0], [6.0, 12.0])


def test_a_captured_tensor_is_part_of_the_graph():
    x, w = vector(1.0, 2.0), vector(3.0, 4.0, requires_grad=True)
    found = functional.jacobian(lambda x: x * x * w, x, create_graph=True)
    close(nt.autograd.grad(found.sum(), w)[0], [2.0, 4.0])
    assert not functional.jacobian(lambda x: x * x * w, x).requires_grad
    # An input that the function captures too is another variable than its argument.
    close(functional.jacobian(lambda y: y * w, w), [[3.0, 0.0], [0.0, 4.0]])


def test_the_vector_is_part_of_the_graph():
    x, v = vector(1.0, 2.0), vector(3.0, 4.0, requires_grad=True)
    for name in ("jvp", "vjp"):
        _, product = getattr(functional, name)(lambda x: x * x, x, v, create_graph=True)
        close(nt.autograd.grad(product.sum(), v)[0], [2.0, 4.0])


@pytest.mark.parametrize("name", ALL)
def test_a_custom_function_needs_no_jvp(name):
    class Cube(nt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            return grad * 3 * ctx.saved_tensors[0] ** 2

    x = vector(2.0)
    arguments = (lambda x: Cube.apply(x).sum(), x)
    found = getattr(functional, name)(*arguments)
    close((found if name in ("jacobian", "hessian") else found[1]).reshape(()), 12.0)


# ---------------------------------------------------------------------------------------------------------------------
# Errors


def call(name, function, inputs, v=None, **options):
    arguments = (function, inputs) if name in ("jacobian", "hessian") else (function, inputs, v)
    return getattr(functional, name)(*arguments, **options)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("inputs", [3.0, [vector(1.0)], (vector(1.0), 3.0)], ids=["number", "list", "in a tuple"])
def test_inputs_must_be_tensors(name, inputs):
    with raises("must be either a Tensor or a tuple of Tensors", TypeError):
        call(name, lambda *x: x[0].sum(), inputs)


@pytest.mark.parametrize("name", ALL)
def test_outputs_must_be_tensors(name):
    with raises("outputs of the user-provided function", TypeError):
        call(name, lambda x: 3.0, vector(1.0))


@pytest.mark.parametrize("name", ALL)
def test_integers_cannot_be_differentiated(name):
    with pytest.raises(RuntimeError):
        call(name, lambda x: x * 1.0, nt.tensor([1]))


@pytest.mark.parametrize("name", ["hessian", "vhp", "hvp"])
def test_a_hessian_wants_one_number(name):
    x = vector(1.0, 2.0)
    with raises("should return a single Tensor"):
        call(name, lambda x: (x.sum(),), x, x)
    with raises("should contain a single element"):
        call(name, lambda x: x * x, x, x)


@pytest.mark.parametrize(("name", "like"), PRODUCTS.items())
def test_the_vector_must_fit(name, like):
    x = vector(1.0, 2.0)
    function = (lambda x: x * x) if name in ("vjp", "jvp") else (lambda x: (x * x).sum())
    with raises("The vector v can only be None if"):
        call(name, function, x)
    with raises("v has invalid size"):
        call(name, function, x, vector(1.0, 2.0, 3.0))
    with raises("should contain a single Tensor"):
        call(name, function, x, (x, x))
    with raises("The v given to", TypeError):
        call(name, function, x, [x])
    if like == "input":
        with raises("v is a tuple of invalid length: should be 1 but got 2"):
            call(name, function, (x,), (x, x))
        with raises("Entry 0 in v has invalid size"):
            call(name, function, (x,), (vector(1.0),))


@pytest.mark.parametrize("strategy", ["forward", "", None])
def test_unknown_strategies_are_refused(strategy):
    with raises("Expected strategy to be either", AssertionError):
        functional.jacobian(lambda x: x, vector(1.0), strategy=strategy)
    with raises("Expected strategy to be either", AssertionError):
        functional.hessian(lambda x: x, vector(1.0), outer_jacobian_strategy=strategy)


# ---------------------------------------------------------------------------------------------------------------------
# Strictness


@pytest.mark.parametrize("name", ALL)
def test_strict_refuses_an_output_without_graph(name):
    x = vector(1.0)
    with raises("does not require gradients"):
        call(name, lambda x: nt.ones(1, dtype=nt.float64), x, x, strict=True)


@pytest.mark.parametrize("name", ALL)
def test_strict_refuses_an_input_without_influence(name):
    x, y = vector(1.0), vector(2.0)
    v = x if name == "vjp" else (x, y)
    with raises("independent of"):
        call(name, lambda x, y: x**3, (x, y), v, strict=True)


@pytest.mark.parametrize("name", ["hessian", "vhp", "hvp"])
def test_strict_refuses_a_constant_gradient(name):
    x = vector(1.0)
    with raises("independent of"):
        call(name, lambda x: x * 2, x, x, strict=True)


@pytest.mark.parametrize("name", ALL)
def test_strict_refuses_a_constant_derivative_that_is_to_be_differentiated(name):
    x = vector(1.0, requires_grad=True)
    function = (lambda x: x * 2) if name in ("jacobian", "vjp", "jvp") else (lambda x: x * x)
    v = vector(1.0)
    call(name, function, x, v, strict=True)
    with raises("independent of"):
        call(name, function, x, v, strict=True, create_graph=True)


@pytest.mark.parametrize("name", ALL)
def test_strict_accepts_what_depends_on_everything(name):
    x, y = vector(1.0, requires_grad=True), vector(2.0, requires_grad=True)
    v = x if name == "vjp" else (x, y)
    for create_graph in (False, True):
        call(name, lambda x, y: (x * y) ** 3, (x, y), v, strict=True, create_graph=create_graph)


@differs("PyTorch cannot be strict by forward mode")
def test_strict_by_forward_mode():
    x = vector(1.0, 2.0)
    close(functional.jacobian(lambda x: x * x, x, strict=True, **FORWARD), [[2.0, 0.0], [0.0, 4.0]])
    with raises("Output 1 of the user-provided function is independent of input 0"):
        functional.jacobian(lambda x: (x * x, nt.ones(1)), x, strict=True, strategy="forward-mode")
