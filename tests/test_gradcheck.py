"""gradcheck must fail on a wrong rule: each kind of mistake is planted and has to be found."""

import itertools

import numpy as np
import pytest

import numtensor as nt
from numtensor.autograd import Function, GradcheckError, gradcheck, gradgradcheck


def leaf(*values, dtype=nt.float64):
    return nt.tensor(list(values), dtype=dtype, requires_grad=True)


def product(backward):
    """Return x * y as a function whose backward is ``backward(ctx, grad, x, y)``."""

    class Product(Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx, grad):
            return backward(ctx, grad, *ctx.saved_tensors)

    return Product.apply


def right(ctx, grad, x, y):
    return grad * y, grad * x


X, Y = (1.0, 2.0, 3.0), (4.0, 5.0, 6.0)


def test_right_rules_pass():
    assert gradcheck(product(right), (leaf(*X), leaf(*Y)))
    assert gradgradcheck(product(right), (leaf(*X), leaf(*Y)))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda ctx, grad, x, y: (grad * y * 1.01, grad * x),
        lambda ctx, grad, x, y: (grad * y, grad * x * -1.0),
        lambda ctx, grad, x, y: (y * 1.0, grad * x),
        lambda ctx, grad, x, y: (grad * y, None),
        lambda ctx, grad, x, y: (grad * x, grad * y),
        lambda ctx, grad, x, y: (grad * y + 1e-3, grad * x),
    ],
    ids=["scale", "sign", "forgets grad", "missing term", "swapped", "offset"],
)
def test_wrong_rules_fail(wrong):
    inputs = (leaf(*X), leaf(*Y))
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to input"):
        gradcheck(product(wrong), inputs)
    assert gradcheck(product(wrong), inputs, raise_exception=False) is False


def test_a_wrong_broadcasting_sum_fails():
    class Scale(Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx, grad):
            x, y = ctx.saved_tensors
            # Takes the first element where the sum over the broadcast dimension is right.
            return grad * y, (grad * x).unbind()[0].reshape(1)

    with pytest.raises(GradcheckError, match="with respect to input 1"):
        gradcheck(Scale.apply, (leaf(*X), leaf(4.0)))


def test_the_message_shows_operation_and_both_jacobians():
    wrong = product(lambda ctx, grad, x, y: (grad * y * 2, grad * x))
    with pytest.raises(GradcheckError, match=r"(?s)ProductBackward.*numerical:.*analytical:"):
        gradcheck(wrong, (leaf(*X), leaf(*Y)))


def test_a_wrong_second_derivative_passes_the_first_check_only():
    def constant_in_x(ctx, grad, x, y):
        return grad * y, grad * x.detach()

    inputs = (leaf(*X), leaf(*Y))
    assert gradcheck(product(constant_in_x), inputs)
    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        gradgradcheck(product(constant_in_x), inputs)
    assert gradgradcheck(product(constant_in_x), inputs, raise_exception=False) is False


def test_a_backward_that_forgets_grad_in_second_order_fails():
    def detached(ctx, grad, x, y):
        return grad.detach() * y, grad.detach() * x

    inputs = (leaf(*X), leaf(*Y))
    assert gradcheck(product(detached), inputs)
    with pytest.raises(GradcheckError):
        gradgradcheck(product(detached), inputs)


def test_a_backward_that_is_not_deterministic_fails():
    count = itertools.count()

    def drifting(ctx, grad, x, y):
        return grad * y + next(count) * 1e-9, grad * x

    with pytest.raises(GradcheckError, match="not deterministic"):
        gradcheck(product(drifting), (leaf(*X), leaf(*Y)))
    assert gradcheck(product(drifting), (leaf(*X), leaf(*Y)), nondet_tol=1e-6)


def test_a_forward_that_is_detached_fails():
    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        gradcheck(lambda x: x.detach() * 2, leaf(*X))


def test_a_constant_passes():
    assert gradcheck(lambda x: x.detach() * 0, leaf(*X))


def test_every_output_and_every_input_is_checked():
    wrong = product(lambda ctx, grad, x, y: (grad * y, grad * x * 2))
    with pytest.raises(GradcheckError, match="output 1 with respect to input 1"):
        gradcheck(lambda x, y: (x * y, wrong(x, y)), (leaf(*X), leaf(*Y)))


def test_an_undefined_gradient_that_is_not_zero_fails():
    class Pair(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, first, second):
            if first is None:
                return second * 3 + 1.0
            return first * 2 + (0 if second is None else second * 3)

    with pytest.raises(GradcheckError, match=r"undefined gradient|Jacobian mismatch"):
        gradcheck(Pair.apply, leaf(*X))
    assert gradcheck(lambda x: Pair.apply(x)[0], leaf(*X))


def test_several_outputs_pass_with_undefined_gradients():
    assert gradcheck(lambda x, y: (x * y, x.exp(), y + 1.0), (leaf(*X), leaf(*Y)))
    assert gradgradcheck(lambda x, y: (x * y, x.exp(), y + 1.0), (leaf(*X), leaf(*Y)))


def test_arguments_that_are_no_tensors_or_need_no_gradient():
    scale = nt.tensor([2.0, 3.0, 4.0], dtype=nt.float64)
    assert gradcheck(lambda x, factor, s: x * factor * s, (leaf(*X), 2.0, scale))


def test_views_and_strides_of_inputs():
    x = nt.tensor(np.arange(1.0, 7.0).reshape(2, 3), requires_grad=True)
    assert gradcheck(lambda x: x * x, x.t())
    assert gradgradcheck(lambda x: (x * x).t(), x)


def test_empty_and_zero_dim_inputs():
    assert gradcheck(lambda x: x * x, nt.tensor(3.0, dtype=nt.float64, requires_grad=True))
    assert gradcheck(lambda x: x * x, nt.ones((0, 3), dtype=nt.float64, requires_grad=True))
    assert gradgradcheck(lambda x: x * x, nt.ones((0, 3), dtype=nt.float64, requires_grad=True))


def test_integer_results_are_passed_over():
    assert gradcheck(lambda x: (x * 2, x > 1), leaf(*X))


def test_inside_inference_mode_the_derivative_is_checked_all_the_same():
    inputs = (leaf(*X), leaf(*Y))
    with nt.inference_mode():
        assert gradcheck(product(right), inputs)
        with pytest.raises(GradcheckError):
            gradcheck(product(lambda ctx, grad, x, y: (grad, grad)), inputs)


def test_inputs_stay_as_they_were():
    x = leaf(*X)
    gradcheck(lambda x: x * x, x)
    assert x.grad is None and x.tolist() == list(X) and x._version == 0


def test_without_anything_to_check():
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(lambda x: x * 2, nt.ones(2, dtype=nt.float64))
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradgradcheck(lambda x: x * 2, nt.ones(2, dtype=nt.float64))


def test_single_precision_is_warned_of():
    with pytest.warns(UserWarning, match="not a double precision"):
        gradcheck(lambda x: x * 1.0, leaf(*X, dtype=nt.float32), atol=1.0)


def test_wrong_dtype_of_a_gradient():
    assert gradcheck(lambda x: x.to(nt.float64) * 2, leaf(*X), check_grad_dtypes=True)


def test_given_grad_outputs():
    seed = nt.tensor([1.0, 2.0, 3.0], dtype=nt.float64, requires_grad=True)
    assert gradgradcheck(lambda x: x * x * x, leaf(*X), seed)


# ---------------------------------------------------------------------------------------------------------------------
# Forward mode


def pushed_product(jvp):
    """Return x * y and x / y as a function whose jvp is ``jvp(dx, dy, x, y)``; its backward is right."""

    class Both(Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            ctx.save_for_forward(x, y)
            return x * y, x / y

        @staticmethod
        def backward(ctx, first, second):
            x, y = ctx.saved_tensors
            return first * y + second / y, first * x - second * x / y**2

        @staticmethod
        def jvp(ctx, dx, dy):
            return jvp(dx, dy, *ctx.saved_tensors)

    return Both.apply


def test_a_right_jvp_passes():
    apply = pushed_product(lambda dx, dy, x, y: (dx * y + dy * x, dx / y - dy * x / y**2))
    assert gradcheck(apply, (leaf(*X), leaf(*Y)), check_forward_ad=True)
    assert gradcheck(lambda x: (x.exp(), x.sum(), x > 0), leaf(*X), check_forward_ad=True)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda dx, dy, x, y: (dx * y - dy * x, dx / y - dy * x / y**2),
        lambda dx, dy, x, y: (dx * y + dy * x, dx / y),
        lambda dx, dy, x, y: (dx * y + dy * x, None),
        lambda dx, dy, x, y: (dx * y, dx / y - dy * x / y**2),
        lambda dx, dy, x, y: (dx * y + dy * x + 1e-3, dx / y - dy * x / y**2),
    ],
    ids=["sign", "missing term", "missing tangent", "one input", "offset"],
)
def test_a_wrong_jvp_fails(wrong):
    apply, inputs = pushed_product(wrong), (leaf(*X), leaf(*Y))
    # Backward is right, so it shows in forward mode alone.
    assert gradcheck(apply, inputs)
    with pytest.raises(GradcheckError, match=r"by forward mode for output \d with respect to input"):
        gradcheck(apply, inputs, check_forward_ad=True)
    assert gradcheck(apply, inputs, check_forward_ad=True, raise_exception=False) is False


def test_forward_mode_alone():
    def wrong(ctx, grad, x, y):
        return grad, grad

    with pytest.raises(NotImplementedError, match="jvp"):
        gradcheck(product(wrong), (leaf(*X), leaf(*Y)), check_forward_ad=True, check_backward_ad=False)
    assert gradcheck(lambda x: x * x, leaf(*X), check_forward_ad=True, check_backward_ad=False)


def test_forward_mode_inside_inference_mode():
    apply = pushed_product(lambda dx, dy, x, y: (dx * y, dx / y))
    inputs = leaf(*X), leaf(*Y)
    with nt.inference_mode(), pytest.raises(GradcheckError, match="by forward mode"):
        gradcheck(apply, inputs, check_forward_ad=True)
