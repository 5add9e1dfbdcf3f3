"""``func``: values against known derivatives and each other, nesting, structures, graphs, errors, modules.

Runs against PyTorch, too: ``NUMTENSOR_RULES=torch``.
"""

import collections
import importlib

import numpy as np
import pytest

from .rules.library import IS_TORCH, NAME, differs, nt, raises

func = importlib.import_module(f"{NAME}.func")

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning")] if IS_TORCH else []

Pair = collections.namedtuple("Pair", ["first", "second"])


def vector(*values, **options):
    return nt.tensor(values, dtype=nt.float64, **options)


def number(value, **options):
    return nt.tensor(value, dtype=nt.float64, **options)


def close(found, expected, rtol=1e-9, atol=1e-12):
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=rtol, atol=atol)


def numeric_jacobian(function, x, eps=1e-6):
    """Return the Jacobian of a function of one tensor by central differences."""
    columns = []
    for position in np.ndindex(*x.shape):
        step = np.zeros(tuple(x.shape))
        step[position] = eps
        above, below = (function(nt.tensor(x.numpy() + sign * step)).numpy() for sign in (1, -1))
        columns.append((above - below) / (2 * eps))
    return np.stack(columns, -1).reshape(columns[0].shape + tuple(x.shape))


def change_in_place(x):
    y = x.clone()
    y[0] = x[1] * x[2]
    y[1:].mul_(x[0])
    y += x.sum()
    return y


# Functions of a vector of three positive numbers.
FUNCTIONS = {
    "square": lambda x: x * x,
    "number": lambda x: (x**3).sum(),
    "outer": lambda x: x.unsqueeze(1) * x.sin(),
    "matmul": lambda x: (x.unsqueeze(1) @ x.unsqueeze(0)).exp(),
    "softmax": lambda x: nt.softmax(x, 0),
    "logsumexp": lambda x: nt.logsumexp(x, 0),
    "sort": lambda x: nt.sort(x * nt.tensor([1.0, -1.0, 1.0]), 0)[0],
    "cumprod": lambda x: nt.cumprod(x, 0),
    "cat and stack": lambda x: nt.stack([nt.cat([x, x * x]), nt.cat([x.exp(), x])]),
    "where": lambda x: nt.where(x > 1.0, x * x, x.sin()),
    "max": lambda x: x.max(0)[0] * x,
    "norm": lambda x: (x * x).sum().sqrt(),
    "std": lambda x: x.std(),
    "power": lambda x: x**x,
    "indexing": lambda x: x[[0, 0, 2]] * x[1],
    "in place": change_in_place,
    "linear": lambda x: nt.nn.functional.linear(x, nt.ones(2, 3, dtype=nt.float64)),
    "layer_norm": lambda x: nt.nn.functional.layer_norm(x, (3,)),
    "gelu": lambda x: nt.nn.functional.gelu(x),
    "einsum": lambda x: nt.einsum("i,j,j->i", x, x, x),
}
each_function = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS.keys())


def point():
    return vector(0.5, 1.25, 2.0)


# ---------------------------------------------------------------------------------------------------------------------
# Values


@each_function
def test_jacobians_are_those_of_central_differences(function):
    expected = numeric_jacobian(function, point())
    close(func.jacrev(function)(point()), expected, rtol=1e-6, atol=1e-8)
    close(func.jacfwd(function)(point()), expected, rtol=1e-6, atol=1e-8)


@each_function
def test_products_are_those_of_the_jacobian(function):
    x, direction = point(), vector(1.0, -2.0, 0.5)
    jacobian = func.jacrev(function)(x)
    output, pushed = func.jvp(function, (x,), (direction,))
    close(output, function(x))
    close(pushed, (jacobian * direction).sum(-1))
    output, pull = func.vjp(function, x)
    close(output, function(x))
    covector = nt.ones_like(output) * 2
    (pulled,) = pull(covector)
    close(pulled, (jacobian * 2).reshape(-1, 3).sum(0))
    # The graph stays.
    close(pull(covector)[0], pulled)


@each_function
def test_second_derivatives_are_the_same_by_all_compositions(function):
    if IS_TORCH and function is FUNCTIONS["layer_norm"]:
        pytest.skip("forward mode through PyTorch's derivative of layer_norm gives another Hessian than differences do")

    def loss(x):
        return (function(x) ** 3).sum()

    expected = numeric_jacobian(func.grad(loss), point())
    for outer in (func.jacrev, func.jacfwd):
        for inner in (func.jacrev, func.jacfwd, func.grad):
            close(outer(inner(loss))(point()), expected, rtol=1e-4, atol=1e-7)
    close(func.hessian(loss)(point()), expected, rtol=1e-4, atol=1e-7)


def test_gradient_and_value():
    gradient, value = func.grad_and_value(lambda x: (x**3).sum())(vector(1.0, 2.0))
    close(gradient, [3.0, 12.0])
    close(value, 9.0)


@pytest.mark.parametrize("dtype", [nt.float32, nt.float64])
def test_derivatives_have_the_dtype_of_the_argument(dtype):
    x = nt.ones(2, dtype=dtype)
    for transform in (func.grad, func.jacrev, func.jacfwd, func.hessian):
        assert transform(lambda x: (x * x).sum())(x).dtype is dtype


def test_dtypes_of_a_jacobian_between_dtypes():
    # Rows are gradients of the argument, columns tangents of the output.
    x = nt.ones(2, dtype=nt.float64)
    assert func.jacrev(lambda x: x.to(nt.float32))(x).dtype is nt.float64
    assert func.jacfwd(lambda x: x.to(nt.float32))(x).dtype is nt.float32


def test_numbers_and_empty_tensors():
    assert func.jacrev(lambda x: x * x)(number(3.0)).tolist() == 6.0
    assert func.jacfwd(lambda x: x * x)(number(3.0)).tolist() == 6.0
    assert func.hessian(lambda x: x**3)(number(2.0)).tolist() == 12.0
    empty = nt.zeros(0, dtype=nt.float64)
    assert func.grad(lambda x: x.sum())(empty).shape == (0,)
    assert func.jvp(lambda x: x * x, (empty,), (empty,))[1].shape == (0,)


@differs("PyTorch fails on a Jacobian without columns")
def test_a_jacobian_without_elements_has_its_shape():
    empty = nt.zeros(0, dtype=nt.float64)
    assert func.jacrev(lambda x: x * x)(empty).shape == (0, 0)
    assert func.jacfwd(lambda x: nt.cat([x, x.sum().reshape(1)]))(empty).shape == (1, 0)
    assert func.hessian(lambda x: (x * x).sum())(empty).shape == (0, 0)


def test_what_an_argument_has_no_influence_on_is_zero():
    x, y = vector(1.0, 2.0), vector(3.0)
    first, second = func.grad(lambda x, y: (x * x).sum(), argnums=(0, 1))(x, y)
    assert (first.tolist(), second.tolist()) == ([2.0, 4.0], [0.0])
    constant = nt.ones(3, dtype=nt.float64)
    assert func.jacrev(lambda x: constant)(x).tolist() == [[0.0, 0.0]] * 3
    assert func.jacfwd(lambda x: constant)(x).tolist() == [[0.0, 0.0]] * 3
    assert func.jvp(lambda x: constant, (x,), (x,))[1].tolist() == [0.0] * 3
    assert func.vjp(lambda x: constant, x)[1](constant)[0].tolist() == [0.0, 0.0]
    assert func.jacfwd(lambda x: x > 1.5)(x).tolist() == [[0.0, 0.0]] * 2


# ---------------------------------------------------------------------------------------------------------------------
# Nesting


def test_derivatives_of_a_power_one_in_another():
    derivative, expected = lambda x: x**4, [32.0, 48.0, 48.0, 24.0]
    for value in expected:
        derivative = func.grad(derivative)
        close(derivative(number(2.0)), value)


def test_forward_mode_in_forward_mode():
    derivative, expected = lambda x: x**4, [32.0, 48.0, 48.0, 24.0]
    for value in expected:
        derivative = func.jacfwd(derivative)
        close(derivative(number(2.0)), value)


@pytest.mark.parametrize("outer", ["grad", "jacrev", "jacfwd"])
@pytest.mark.parametrize("inner", ["grad", "jacrev", "jacfwd"])
def test_perturbations_are_not_confused(outer, inner):
    outer, inner = getattr(func, outer), getattr(func, inner)
    # d/dx x (d/dy (x + y)) = 1: an inner derivative that took x for its own variable would give 2.
    close(outer(lambda x: x * inner(lambda y: x + y)(number(1.0)))(number(3.0)), 1.0)
    # d/dx (x d/dy (x y)) = d/dx x^2.
    close(outer(lambda x: x * inner(lambda y: x * y)(number(2.0)))(number(3.0)), 6.0)
    # The same variable at both levels.
    close(outer(lambda x: x * inner(lambda y: y * y)(x))(number(3.0)), 12.0)
    # The inner function is constant in its own argument.
    close(outer(lambda x: inner(lambda y: x * x)(x) + x)(number(3.0)), 1.0)


def test_jvp_of_grad_is_the_product_with_the_hessian():
    def f(x):
        return (x**3).prod()

    x, v = vector(1.0, 2.0), vector(1.0, 10.0)
    hessian = func.hessian(f)(x)
    gradient, product = func.jvp(func.grad(f), (x,), (v,))
    close(gradient, func.grad(f)(x))
    close(product, (hessian @ v))
    close(func.grad(lambda x: func.jvp(f, (x,), (v,))[1])(x), hessian @ v)
    close(func.vjp(func.grad(f), x)[1](v)[0], hessian @ v)


def test_derivative_with_respect_to_the_direction():
    x = vector(1.0, 2.0)
    close(func.grad(lambda v: func.jvp(lambda x: (x**3).sum(), (x,), (v,))[1])(x), [3.0, 12.0])
    _, pull = func.vjp(lambda x: x**3, x)
    close(func.jacrev(lambda c: pull(c)[0])(x), [[3.0, 0.0], [0.0, 12.0]])


def test_an_inner_function_changes_an_outer_tensor_in_place():
    def outer(x):
        total = x * 0

        def inner(y):
            return (y * x).sum()

        total += func.grad(inner)(x * 3)
        return (total * x).sum()

    close(func.grad(outer)(vector(1.0, 2.0)), [2.0, 4.0])
    close(func.jacfwd(outer)(vector(1.0, 2.0)), [2.0, 4.0])


# ---------------------------------------------------------------------------------------------------------------------
# Arguments and results


@pytest.mark.parametrize("transform", ["grad", "jacrev", "jacfwd"])
def test_argnums(transform):
    transform = getattr(func, transform)
    x, y = vector(1.0, 2.0), vector(3.0, 4.0)

    def f(x, y):
        return (x * x * y).sum()

    close(transform(f, argnums=0)(x, y), [6.0, 16.0])
    close(transform(f, argnums=1)(x, y), [1.0, 4.0])
    first, second = transform(f, argnums=(1, 0))(x, y)
    close(first, [1.0, 4.0])
    close(second, [6.0, 16.0])
    (alone,) = transform(f, argnums=(0,))(x, y)
    close(alone, [6.0, 16.0])


def test_negative_argnums():
    x, y = vector(1.0, 2.0), vector(3.0, 4.0)
    for transform in (func.grad, func.jacrev):
        close(transform(lambda x, y: (x * x * y).sum(), argnums=-1)(x, y), [1.0, 4.0])


@differs("PyTorch gives zeros")
def test_negative_argnums_by_forward_mode():
    x, y = vector(1.0, 2.0), vector(3.0, 4.0)
    close(func.jacfwd(lambda x, y: (x * x * y).sum(), argnums=-1)(x, y), [1.0, 4.0])


def test_hessian_of_several_arguments():
    (xx, xy), (yx, yy) = func.hessian(lambda x, y: x * x * y, argnums=(0, 1))(number(2.0), number(3.0))
    assert [one.item() for one in (xx, xy, yx, yy)] == [6.0, 4.0, 4.0, 0.0]


@pytest.mark.parametrize("argnums", [2, -3, (0, 2), (0, 0), (0, -2), (), "x", [0]])
def test_wrong_argnums_are_refused(argnums):
    with pytest.raises(RuntimeError):
        func.grad(lambda x, y: (x * y).sum(), argnums=argnums)(vector(1.0), vector(2.0))


@pytest.mark.parametrize("transform", ["grad", "grad_and_value", "jacrev", "jacfwd"])
def test_aux(transform):
    x = vector(1.0, 2.0)
    found = getattr(func, transform)(lambda x: ((x * x).sum(), {"double": x * 2}), has_aux=True)(x)
    if transform == "grad_and_value":
        derivative, (value, aux) = found
        close(value, 5.0)
    else:
        derivative, aux = found
    close(derivative, [2.0, 4.0])
    close(aux["double"], [2.0, 4.0])
    assert not aux["double"].requires_grad
    with pytest.raises(RuntimeError):
        getattr(func, transform)(lambda x: x.sum(), has_aux=True)(x)


def test_aux_of_products():
    x = vector(1.0, 2.0)
    _, pull, aux = func.vjp(lambda x: (x * x, x + 1), x, has_aux=True)
    close(aux, [2.0, 3.0])
    close(pull(x)[0], [2.0, 8.0])
    output, derivative, aux = func.jvp(lambda x: (x * x, x + 1), (x,), (x,), has_aux=True)
    close(aux, [2.0, 3.0])
    close(derivative, [2.0, 8.0])
    close(output, [1.0, 4.0])


@differs("PyTorch takes nothing but tensors for aux of grad")
def test_aux_may_be_anything():
    _, aux = func.grad(lambda x: (x.sum(), {"name": "loss", "steps": 3}), has_aux=True)(vector(1.0))
    assert aux == {"name": "loss", "steps": 3}


def test_keywords_are_passed_on():
    gradient = func.grad(lambda x, *, factor: (x * factor).sum())(vector(1.0, 2.0), factor=vector(3.0, 4.0))
    close(gradient, [3.0, 4.0])


@differs("PyTorch's Jacobians take no keywords")
@pytest.mark.parametrize("transform", ["jacrev", "jacfwd", "hessian"])
def test_jacobians_pass_keywords_on(transform):
    found = getattr(func, transform)(lambda x, *, factor: x**3 * factor)(number(2.0), factor=5.0)
    assert found.item() == 60.0


def test_gradients_have_the_structure_of_the_arguments():
    tree = {"b": [vector(1.0), (vector(2.0), vector(3.0))], "a": Pair(vector(4.0), vector(5.0))}

    def f(tree):
        first, (second, third) = tree["b"]
        return (first * second * third * tree["a"].first * tree["a"].second).sum()

    found = func.grad(f)(tree)
    assert isinstance(found["a"], Pair)
    assert isinstance(found["b"][1], tuple)
    assert [found["b"][0].item(), *(one.item() for one in found["b"][1])] == [120.0, 60.0, 40.0]
    assert [one.item() for one in found["a"]] == [30.0, 24.0]
    _, derivative = func.jvp(f, (tree,), (tree,))
    assert derivative.item() == 600.0


@pytest.mark.parametrize("transform", ["jacrev", "jacfwd"])
def test_jacobians_have_the_structure_of_output_and_argument(transform):
    def f(tree):
        return {"product": tree["x"] * tree["y"], "sums": (tree["y"].sum(), tree["x"].sum())}

    found = getattr(func, transform)(f)({"x": vector(1.0, 2.0), "y": vector(3.0, 4.0)})
    close(found["product"]["x"], [[3.0, 0.0], [0.0, 4.0]])
    close(found["product"]["y"], [[1.0, 0.0], [0.0, 2.0]])
    close(found["sums"][0]["x"], [0.0, 0.0])
    close(found["sums"][1]["x"], [1.0, 1.0])


def test_covectors_have_the_structure_of_the_output():
    x = vector(1.0, 2.0)
    _, pull = func.vjp(lambda x: {"a": x * 2, "b": (x * x,)}, x)
    close(pull({"a": x, "b": (x,)})[0], [4.0, 12.0])
    for wrong in (x, {"a": x}, {"a": x, "c": (x,)}, {"a": x, "b": x}, {"a": x, "b": [x]}, {"a": x, "b": (x, x)}):
        with pytest.raises(RuntimeError):
            pull(wrong)


@differs("PyTorch refuses dicts in another order")
def test_dicts_are_matched_by_key():
    x, zeros = vector(1.0, 2.0), vector(0.0, 0.0)
    _, pull = func.vjp(lambda x: {"a": x * 2, "b": x * x}, x)
    close(pull({"b": x, "a": zeros})[0], [2.0, 8.0])
    _, derivative = func.jvp(lambda d: d["a"] * d["b"], ({"a": x, "b": x},), ({"b": zeros, "a": x},))
    close(derivative, [1.0, 4.0])


def test_a_vjp_of_several_primals():
    output, pull = func.vjp(lambda x, y: x * y, vector(1.0, 2.0), vector(3.0, 4.0))
    first, second = pull(nt.ones_like(output))
    close(first, [3.0, 4.0])
    close(second, [1.0, 2.0])


# ---------------------------------------------------------------------------------------------------------------------
# Errors


@pytest.mark.parametrize("transform", ["grad", "grad_and_value", "jacrev", "jacfwd", "hessian"])
def test_integer_arguments_are_refused(transform):
    with pytest.raises((RuntimeError, ValueError)):
        getattr(func, transform)(lambda x: (x * x).sum())(nt.tensor([1, 2]))


@pytest.mark.parametrize("transform", ["grad", "grad_and_value", "jacrev"])
def test_arguments_that_are_no_tensors_are_refused(transform):
    with raises("Tensor", ValueError):
        getattr(func, transform)(lambda x: x * x)(3.0)


@pytest.mark.parametrize(
    "output",
    [lambda x: x, lambda x: x.reshape(1, 2)[:, :1], lambda x: (x.sum(),), lambda x: 3.0, lambda x: None],
    ids=["vector", "one element", "tuple", "number", "None"],
)
def test_only_a_scalar_has_a_gradient(output):
    with pytest.raises(RuntimeError):
        func.grad(output)(vector(1.0, 2.0))


@pytest.mark.parametrize("transform", ["jacrev", "jacfwd"])
@pytest.mark.parametrize("output", [lambda x: (), lambda x: 3.0, lambda x: (x, None)], ids=["empty", "number", "None"])
def test_outputs_that_are_no_tensors_are_refused(transform, output):
    with pytest.raises(RuntimeError):
        getattr(func, transform)(output)(vector(1.0, 2.0))


def test_reverse_mode_refuses_integer_outputs():
    with raises("floating-point"):
        func.jacrev(lambda x: x.argmax())(vector(1.0, 2.0))
    with raises("floating-point"):
        func.vjp(lambda x: x.argmax(), vector(1.0, 2.0))


def test_wrong_covectors_are_refused():
    _, pull = func.vjp(lambda x: x * 2, vector(1.0, 2.0))
    with pytest.raises(RuntimeError):
        pull(vector(1.0))
    with pytest.raises(TypeError):
        pull(vector(1.0, 2.0), vector(1.0, 2.0))


@pytest.mark.parametrize(
    ("primals", "tangents"),
    [
        ([vector(1.0)], [vector(1.0)]),
        (vector(1.0), vector(1.0)),
        ((), ()),
        ((vector(1.0),), ()),
        ((vector(1.0),), (vector(1.0), vector(1.0))),
        ((vector(1.0),), (vector(1.0, 2.0),)),
        ((vector(1.0),), ((vector(1.0),),)),
        ((1.0,), (1.0,)),
    ],
    ids=["lists", "tensors", "empty", "too few", "too many", "shape", "structure", "numbers"],
)
def test_wrong_primals_and_tangents_are_refused(primals, tangents):
    with pytest.raises(RuntimeError):
        func.jvp(lambda *x: x[0] * 2, primals, tangents)


def test_strict_jvp_refuses_what_does_not_depend_on_the_primals():
    x = vector(1.0)
    with pytest.raises(RuntimeError):
        func.jvp(lambda x: nt.ones(2), (x,), (x,), strict=True)
    close(func.jvp(lambda x: x * 2, (x,), (x,), strict=True)[1], [2.0])


@pytest.mark.parametrize("transform", ["grad", "jacrev", "jacfwd", "hessian"])
def test_an_error_in_the_function_ends_the_transform(transform):
    def fails(x):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        getattr(func, transform)(fails)(vector(1.0))
    # Neither a level nor a mode is left behind.
    assert nt.is_grad_enabled()
    found = getattr(func, transform)(lambda x: (x * x).sum())(number(3.0))
    close(found, 2.0 if transform == "hessian" else 6.0)


# ---------------------------------------------------------------------------------------------------------------------
# The caller's graph and mode


def test_results_do_not_require_grad():
    x = vector(1.0, 2.0)
    results = [
        func.grad(lambda x: (x * x).sum())(x),
        *func.grad_and_value(lambda x: (x * x).sum())(x),
        func.jacrev(lambda x: x * x)(x),
        func.jacfwd(lambda x: x * x)(x),
        func.hessian(lambda x: (x * x).sum())(x),
        func.vjp(lambda x: x * x, x)[0],
        *func.vjp(lambda x: x * x, x)[1](x),
        *func.jvp(lambda x: x * x, (x,), (x,)),
    ]
    assert not any(one.requires_grad for one in results)
    assert not x.requires_grad
    assert x.grad is None


TRANSFORMS = {
    "grad": lambda f, x: func.grad(lambda x: f(x).sum())(x),
    "jacrev": lambda f, x: func.jacrev(lambda x: f(x).sum())(x),
    "jacfwd": lambda f, x: func.jacfwd(lambda x: f(x).sum())(x),
    "vjp": lambda f, x: func.vjp(f, x)[1](nt.ones_like(x))[0],
    "jvp": lambda f, x: func.jvp(f, (x,), (nt.ones_like(x),))[1],
}
each_transform = pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS.keys())


@each_transform
def test_a_captured_tensor_gets_its_gradient(transform):
    w = vector(3.0, 4.0, requires_grad=True)
    found = transform(lambda x: x * x * w, vector(1.0, 2.0))
    assert found.requires_grad
    found.sum().backward()
    # The derivative is 2 x w.
    assert w.grad.tolist() == [2.0, 4.0]


@each_transform
def test_an_argument_that_requires_grad_gets_its_gradient(transform):
    x = vector(1.0, 2.0, requires_grad=True)
    found = transform(lambda x: x**3, x)
    assert found.requires_grad
    found.sum().backward()
    assert x.grad.tolist() == [6.0, 12.0]


@each_transform
def test_nothing_is_recorded_under_no_grad(transform):
    w = vector(3.0, 4.0, requires_grad=True)
    with nt.no_grad():
        found = transform(lambda x: x * x * w, vector(1.0, 2.0))
    assert found.tolist() == [6.0, 16.0]
    assert not found.requires_grad
    assert w.grad is None


def test_no_grad_in_the_function_cuts_for_reverse_mode():
    def f(x):
        with nt.no_grad():
            y = x * x
        return (y * x).sum()

    close(func.grad(f)(vector(1.0, 2.0)), [1.0, 4.0])


def test_detaching_in_the_function_cuts():
    for transform in (func.grad, func.jacrev, func.jacfwd):
        close(transform(lambda x: (x.detach() * x).sum())(vector(1.0, 2.0)), [1.0, 2.0])


def test_the_value_can_be_differentiated_outside():
    w = vector(3.0, 4.0, requires_grad=True)
    _, value = func.grad_and_value(lambda x: (x * w).sum())(vector(1.0, 2.0))
    value.backward()
    assert w.grad.tolist() == [1.0, 2.0]


def test_names_and_docstrings_stay():
    def energy(x):
        """Half the square."""
        return (x * x).sum() / 2

    for transform in (func.grad, func.grad_and_value, func.jacrev, func.jacfwd):
        transformed = transform(energy)
        assert (transformed.__name__, transformed.__doc__) == ("energy", "Half the square.")


def test_decorated_functions_are_transformed():
    @nt.enable_grad()
    def f(x):
        return (x * x).sum()

    with nt.no_grad():
        close(func.grad(f)(vector(1.0, 2.0)), [2.0, 4.0])
        close(func.jacfwd(f)(vector(1.0, 2.0)), [2.0, 4.0])
    close(nt.no_grad()(func.grad(f))(vector(1.0, 2.0)), [2.0, 4.0])


# ---------------------------------------------------------------------------------------------------------------------
# Modules


class Tied(nt.nn.Module):
    """Two layers with the same weight, and a buffer."""

    def __init__(self):
        super().__init__()
        self.first = nt.nn.Linear(2, 2, bias=False)
        self.second = nt.nn.Linear(2, 2, bias=False)
        self.second.weight = self.first.weight
        self.register_buffer("scale", nt.ones(2))

    def forward(self, x, shift=0.0):
        return self.second(self.first(x)) * self.scale + shift


DOUBLE, UNIT = [[2.0, 0.0], [0.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]]


def test_a_module_is_called_with_other_tensors():
    layer = nt.nn.Linear(2, 1)
    before = {name: parameter.clone() for name, parameter in layer.named_parameters()}
    given = {"weight": nt.tensor([[2.0, 3.0]]), "bias": nt.tensor([1.0])}
    assert func.functional_call(layer, given, nt.tensor([10.0, 100.0])).tolist() == [321.0]
    for name, parameter in layer.named_parameters():
        assert parameter.tolist() == before[name].tolist()
        assert parameter.requires_grad


def test_gradients_with_respect_to_parameters():
    layer, x = nt.nn.Linear(2, 1), nt.tensor([10.0, 100.0])
    parameters = {name: parameter.detach() for name, parameter in layer.named_parameters()}
    found = func.grad(lambda p: func.functional_call(layer, p, (x,)).sum())(parameters)
    assert found["weight"].tolist() == [[10.0, 100.0]]
    assert found["bias"].tolist() == [1.0]
    assert all(parameter.grad is None for parameter in layer.parameters())


def test_tied_weights_are_replaced_together():
    module, x = Tied(), nt.tensor([1.0, 10.0])
    for name in ("first.weight", "second.weight"):
        assert func.functional_call(module, {name: nt.tensor(DOUBLE)}, x).tolist() == [4.0, 40.0]
    both = {"first.weight": nt.tensor(DOUBLE), "second.weight": nt.tensor(UNIT)}
    with raises("tied", ValueError):
        func.functional_call(module, both, x)
    assert func.functional_call(module, both, x, tie_weights=False).tolist() == [2.0, 20.0]


def test_buffers_keywords_and_several_dicts():
    module, x = Tied(), nt.tensor([1.0, 10.0])
    weights, buffers = {"first.weight": nt.tensor(UNIT)}, {"scale": nt.tensor([1.0, 3.0])}
    assert func.functional_call(module, (weights, buffers), x).tolist() == [1.0, 30.0]
    assert func.functional_call(module, {**weights, **buffers}, (x,), {"shift": 5.0}).tolist() == [6.0, 35.0]
    assert func.functional_call(module, {**weights, **buffers}, kwargs={"x": x}).tolist() == [1.0, 30.0]
    with pytest.raises(ValueError):
        func.functional_call(module, (weights, weights), x)
    assert module.scale.tolist() == [1.0, 1.0]


def test_strict_calls_want_every_name():
    layer, x = nt.nn.Linear(2, 1), nt.ones(2)
    with pytest.raises(RuntimeError):
        func.functional_call(layer, {"weight": nt.ones(1, 2)}, x, strict=True)
    with pytest.raises(RuntimeError):
        func.functional_call(layer, {"weight": nt.ones(1, 2), "bias": nt.ones(1), "other": x}, x, strict=True)
    both = {"weight": nt.ones(1, 2), "bias": nt.ones(1)}
    assert func.functional_call(layer, both, x, strict=True).tolist() == [3.0]


@differs("PyTorch ignores them")
def test_unknown_names_are_refused():
    with raises("other", KeyError):
        func.functional_call(nt.nn.Linear(2, 1), {"other": nt.ones(1)}, nt.ones(2))


def test_a_module_that_fails_has_its_parameters_back():
    module = Tied()
    before = module.first.weight
    with pytest.raises(TypeError):
        func.functional_call(module, {"first.weight": nt.tensor(DOUBLE)}, (nt.ones(2), 0.0, "one too many"))
    assert module.first.weight is before
    assert module.second.weight is before


def test_what_a_call_writes_into_a_given_buffer_stays_there():
    class Counts(nt.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("count", nt.zeros(1))

        def forward(self, x):
            self.count += 1
            return x

    module, count = Counts(), nt.tensor([5.0])
    func.functional_call(module, {"count": count}, nt.ones(1))
    assert count.tolist() == [6.0]
    assert module.count.tolist() == [0.0]
