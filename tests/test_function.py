"""`autograd.Function`: operations that users write."""

import gc
import weakref

import numpy as np
import pytest

import numtensor as nt
from numtensor.autograd import Function, gradcheck, gradgradcheck
from numtensor.autograd.function import once_differentiable


def leaf(*values, dtype=nt.float64):
    return nt.tensor(values[0] if len(values) == 1 else list(values), dtype=dtype, requires_grad=True)


def close(tensor, expected):
    np.testing.assert_allclose(tensor.numpy(), expected, rtol=1e-12, atol=1e-12)


class Square(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x * 2


class Exponential(Function):
    """Saves its result."""

    @staticmethod
    def forward(ctx, x):
        result = x.exp()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, grad):
        (result,) = ctx.saved_tensors
        return grad * result


class SumAndProduct(Function):
    """New style: setup_context apart from forward; several results."""

    @staticmethod
    def forward(x, y, scale):
        return (x + y) * scale, x * y

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, y, ctx.scale = inputs
        ctx.save_for_backward(x, y)

    @staticmethod
    def backward(ctx, grad_sum, grad_product):
        x, y = ctx.saved_tensors
        both = grad_sum * ctx.scale
        return both + grad_product * y, both + grad_product * x, None


def identity(rule, setup=None):
    """Return a Function whose forward copies and whose backward is `rule`."""

    class Identity(Function):
        @staticmethod
        def forward(ctx, *args):
            if setup is not None:
                setup(ctx)
            return args[0].clone()

        backward = staticmethod(rule)

    return Identity.apply


# ---------------------------------------------------------------------------------------------------------------------
# What it computes


@pytest.mark.parametrize("function", [Square.apply, Exponential.apply])
def test_derivatives(function):
    x = leaf(0.5, 1.0, 2.0)
    assert gradcheck(function, x)
    assert gradgradcheck(function, x)


def test_several_arguments_and_results():
    def function(x, y):
        return SumAndProduct.apply(x, y, 3.0)

    inputs = leaf(1.0, 2.0), leaf(3.0, 4.0)
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)


def test_only_one_result_is_used():
    x, y = leaf(2.0), leaf(5.0)
    SumAndProduct.apply(x, y, 3.0)[1].backward()
    close(x.grad, 5.0)
    close(y.grad, 2.0)


def test_three_orders():
    x = leaf(2.0)
    (first,) = nt.autograd.grad(Square.apply(x) * x, x, create_graph=True)
    (second,) = nt.autograd.grad(first, x, create_graph=True)
    (third,) = nt.autograd.grad(second, x)
    close(first.detach(), 12.0)
    close(second.detach(), 12.0)
    close(third, 6.0)


def test_forward_runs_without_recording():
    flags = []

    class Asks(Function):
        @staticmethod
        def forward(ctx, x):
            flags.append(nt.is_grad_enabled())
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            flags.append(nt.is_grad_enabled())
            return grad * 2

    x = leaf(1.0)
    Asks.apply(x).backward()
    nt.autograd.grad(Asks.apply(x), x, create_graph=True)
    assert flags == [False, False, False, True]
    assert nt.is_grad_enabled()


def test_the_mode_is_restored_after_an_error_in_forward():
    class Fails(Function):
        @staticmethod
        def forward(ctx, x):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Fails.apply(leaf(1.0))
    assert nt.is_grad_enabled()


def test_without_a_tensor_that_requires_grad_nothing_is_recorded():
    y = Square.apply(nt.ones(2))
    assert not y.requires_grad and y.grad_fn is None


def test_under_no_grad_nothing_is_recorded_and_the_result_is_normal():
    with nt.no_grad():
        y = Square.apply(leaf(1.0))
    assert not y.requires_grad and not y.is_inference()


def test_inside_inference_mode_it_is_untracked_and_sees_it():
    seen = []

    class Asks(Function):
        @staticmethod
        def forward(ctx, x):
            seen.append((nt.is_inference_mode_enabled(), nt.is_grad_enabled()))
            return x * 2

    with nt.inference_mode():
        y = Asks.apply(leaf(1.0))
    assert seen == [(True, False)]
    assert y.is_inference() and not y.requires_grad


def test_a_result_made_in_inference_mode_by_forward_is_a_normal_tensor():
    class Fast(Function):
        @staticmethod
        def forward(ctx, x):
            with nt.inference_mode():
                return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = leaf(1.0, 2.0)
    y = Fast.apply(x)
    assert not y.is_inference() and y.requires_grad
    (y * y).backward(nt.ones(2))
    close(x.grad, [8.0, 16.0])


def test_results_that_are_no_tensors_pass_through():
    class WithNumber(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, "text"

        @staticmethod
        def backward(ctx, grad, nothing):
            assert nothing is None
            return grad * 2

    x = leaf(1.0)
    y, text = WithNumber.apply(x)
    assert text == "text"
    y.backward()
    close(x.grad, 2.0)


# ---------------------------------------------------------------------------------------------------------------------
# ctx


def test_needs_input_grad():
    seen = []

    class Asks(Function):
        @staticmethod
        def forward(ctx, x, y, number):
            seen.append(ctx.needs_input_grad)
            return x * y

        @staticmethod
        def backward(ctx, grad):
            seen.append(ctx.needs_input_grad)
            return grad, None, None

    Asks.apply(leaf(1.0), nt.tensor(2.0), 3).backward()
    assert seen == [(True, False, False)] * 2


def test_attributes_of_ctx():
    class Scaled(Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.factor = factor
            return x * factor

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.factor, None

    x = leaf(1.0)
    y = Scaled.apply(x, 5.0)
    assert y.grad_fn.factor == 5.0
    y.backward()
    close(x.grad, 5.0)


def test_saved_none_and_no_tensor():
    class SavesNone(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(None, x)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            nothing, x = ctx.saved_tensors
            assert nothing is None and x.tolist() == 1.0
            return grad * 2

    SavesNone.apply(leaf(1.0)).backward()
    with pytest.raises(TypeError, match="can only save tensors, but argument 0 is of type int"):
        identity(lambda ctx, g: g, lambda ctx: ctx.save_for_backward(3))(leaf(1.0))


def test_saved_tensors_are_the_arguments_themselves():
    x = leaf(1.0)
    (saved,) = Square.apply(x).grad_fn.saved_tensors
    assert saved is x


def test_saved_tensors_changed_since_are_noticed():
    other = nt.tensor([3.0, 4.0], dtype=nt.float64)
    x = leaf(1.0, 2.0)
    y, product = SumAndProduct.apply(x, other, 1.0)
    other.add_(1)
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation.*version 1; expected version 0"):
        product.backward(nt.ones(2))
    result = Exponential.apply(x)
    result.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.backward(nt.ones(2))
    del y


def test_backward_twice_needs_retain_graph():
    x = leaf(3.0)
    y = Square.apply(x)
    y.backward(retain_graph=True)
    y.backward()
    close(x.grad, 12.0)
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        _ = y.grad_fn.saved_tensors


def test_an_inference_tensor_is_not_saved_for_backward():
    with nt.inference_mode():
        frozen = nt.ones(2)
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        SumAndProduct.apply(leaf(1.0, 2.0), frozen, 1.0)
    SumAndProduct.apply(nt.ones(2), frozen, 1.0)
    with nt.no_grad():
        SumAndProduct.apply(leaf(1.0, 2.0), frozen, 1.0)


def test_missing_gradients_are_zeros_unless_told_otherwise():
    seen = []

    class Pair(Function):
        @staticmethod
        def forward(ctx, x, materialize):
            ctx.set_materialize_grads(materialize)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, first, second):
            seen.append(second)
            return first * 2, None

    Pair.apply(leaf(1.0, 2.0), True)[0].backward(nt.ones(2))
    Pair.apply(leaf(1.0, 2.0), False)[0].backward(nt.ones(2))
    close(seen[0], [0.0, 0.0])
    assert seen[0].dtype is nt.float64 and seen[1] is None


def test_mark_non_differentiable():
    class Split(Function):
        @staticmethod
        def forward(ctx, x):
            kept, dropped, flags = x * 2, x * 3, x > 1
            ctx.mark_non_differentiable(dropped)
            return kept, dropped, flags

        @staticmethod
        def backward(ctx, grad, zeros, nothing):
            close(zeros, [0.0, 0.0])
            return grad * 2

    x = leaf(1.0, 2.0)
    kept, dropped, flags = Split.apply(x)
    assert kept.requires_grad and not dropped.requires_grad and not flags.requires_grad
    kept.backward(nt.ones(2))
    close(x.grad, [2.0, 2.0])


# ---------------------------------------------------------------------------------------------------------------------
# In place, views, inputs returned


class Doubled(Function):
    """In place."""

    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)

    @staticmethod
    def backward(ctx, grad):
        return grad * 2


def test_mark_dirty():
    x = leaf(1.0, 2.0)
    y = x * 3
    z = Doubled.apply(y)
    assert z is y
    (z * z).backward(nt.ones(2))
    close(x.grad, [72.0, 144.0])


def test_mark_dirty_of_a_leaf_and_of_what_is_not_returned():
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place"):
        Doubled.apply(leaf(1.0))

    class Forgets(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2) * 1

    with pytest.raises(RuntimeError, match="marked as dirty during the forward method were not returned"):
        Forgets.apply(leaf(1.0) * 1)


def test_mark_dirty_makes_a_constant_tracked():
    class Overwrite(Function):
        @staticmethod
        def forward(ctx, target, source):
            ctx.mark_dirty(target)
            return target.copy_(source)

        @staticmethod
        def backward(ctx, grad):
            return grad * 0, grad

    target, source = nt.zeros(2, dtype=nt.float64), leaf(1.0, 2.0)
    Overwrite.apply(target, source)
    (target * 3).backward(nt.ones(2))
    close(source.grad, [3.0, 3.0])


def test_an_input_returned_as_it_is():
    class Reverse(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * -1

    x = leaf(1.0, 2.0)
    y = Reverse.apply(x)
    assert y is not x and np.shares_memory(y.detach().numpy(), x.detach().numpy())
    y.backward(nt.ones(2))
    close(x.grad, [-1.0, -1.0])
    assert x.is_leaf


def test_a_view_of_an_input_returned():
    class Column(Function):
        @staticmethod
        def forward(ctx, x):
            return x.view(2, 1)

        @staticmethod
        def backward(ctx, grad):
            return grad.view(2) * 5

    x = leaf(1.0, 2.0)
    y = Column.apply(x)
    assert y.grad_fn.name() == "ColumnBackward"
    y.backward(nt.ones((2, 1)))
    close(x.grad, [5.0, 5.0])


def test_backward_may_return_what_it_saved():
    class Odd(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return ctx.saved_tensors[0]

    x = leaf(1.0, 2.0)
    Odd.apply(x).backward(nt.ones(2))
    x.grad.zero_()
    close(x.detach(), [1.0, 2.0])


def test_backward_may_return_one_tensor_twice():
    class Twice(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, grad):
            return grad, grad

    x, y = leaf(1.0), leaf(2.0)
    Twice.apply(x, y).backward()
    x.grad.zero_()
    close(y.grad, 1.0)


# ---------------------------------------------------------------------------------------------------------------------
# What backward returns


def test_wrong_number_of_gradients():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"incorrect number of gradients \(expected 1, got 2\)"):
        identity(lambda ctx, g: (g, g))(x).backward(nt.ones(2))
    with pytest.raises(RuntimeError, match=r"incorrect number of gradients \(expected 2, got 1\)"):
        identity(lambda ctx, g: g)(x, 3).backward(nt.ones(2))
    identity(lambda ctx, g: (g, None, None))(x).backward(nt.ones(2))
    close(x.grad, [1.0, 1.0])


def test_wrong_shape_of_a_gradient():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"invalid gradient at index 0 - got \[3\] but expected shape compatible"):
        identity(lambda ctx, g: nt.ones(3))(x).backward(nt.ones(2))


def test_a_broadcast_gradient_is_summed():
    x = leaf(1.0, 2.0)
    rule = identity(lambda ctx, g: nt.ones((3, 2), dtype=nt.float64) * g)
    rule(x).backward(nt.ones(2))
    close(x.grad, [3.0, 3.0])
    (found,) = nt.autograd.grad(rule(x), x, nt.ones(2), create_graph=True)
    close(found.detach(), [3.0, 3.0])


def test_a_gradient_of_another_dtype_is_converted():
    x = leaf(1.0, 2.0)
    identity(lambda ctx, g: g.to(nt.float32))(x).backward(nt.ones(2))
    assert x.grad.dtype is nt.float64


def test_a_gradient_for_what_is_no_tensor():
    with pytest.raises(RuntimeError, match="gradient different from None at position 1"):
        identity(lambda ctx, g: (g, g))(leaf(1.0), 3).backward()


def test_a_gradient_that_is_no_tensor():
    with pytest.raises(TypeError, match="expected a Tensor or None"):
        identity(lambda ctx, g: 3.0)(leaf(1.0)).backward()


def test_none_means_no_gradient():
    x = leaf(1.0)
    identity(lambda ctx, g: None)(x).backward()
    assert x.grad is None


# ---------------------------------------------------------------------------------------------------------------------
# The class


def test_a_function_is_not_instantiated():
    with pytest.raises(RuntimeError, match=r"Square.apply"):
        Square()


def test_methods_that_are_missing():
    class Nothing(Function):
        pass

    class OnlyForward(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    with pytest.raises(NotImplementedError, match="forward"):
        Nothing.apply(leaf(1.0))
    with pytest.raises(NotImplementedError, match="backward"):
        OnlyForward.apply(leaf(1.0)).backward()


def test_names():
    y = Square.apply(leaf(1.0))
    assert y.grad_fn.name() == "SquareBackward"
    assert "SquareBackward" in repr(y.grad_fn)
    assert y.grad_fn.next_functions[0][1] == 0


def test_once_differentiable():
    class Doubles(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        @once_differentiable
        def backward(ctx, grad):
            assert not nt.is_grad_enabled()
            return nt.tensor(grad.numpy() * 2)

    x = leaf(3.0)
    y = Doubles.apply(x)
    y.backward(retain_graph=True)
    close(x.grad, 2.0)
    (first,) = nt.autograd.grad(y, x, create_graph=True)
    close(first.detach(), 2.0)
    with pytest.raises(RuntimeError, match="marked with @once_differentiable"):
        nt.autograd.grad(first, x)


@pytest.mark.parametrize("function", [Square.apply, Exponential.apply, lambda x: SumAndProduct.apply(x, x, 2.0)[0]])
def test_no_reference_cycles(function):
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0, 2.0)
        y = function(x)
        node = weakref.ref(y.grad_fn)
        del y
        assert node() is None, "only the garbage collector would free the graph"
        y = function(x)
        node = weakref.ref(y.grad_fn)
        y.backward(nt.ones(2))
        del y
        assert node() is None
    finally:
        gc.enable()


def test_hooks_and_several_results_of_a_function():
    x, y, seen = leaf(2.0), leaf(5.0), []
    total, product = SumAndProduct.apply(x, y, 1.0)
    product.register_hook(lambda g: seen.append(g.item()))
    product.retain_grad()
    (total + product * 3).backward()
    assert seen == [3.0]
    close(product.grad, 3.0)
    close(x.grad, 16.0)
