"""F: inference tensors in recorded ops. An op that would save one for backward refuses it when it is called."""

import copy

import pytest

from .library import E_MOD, E_SAVE, differs, nt, raises
from .tensors import inference, inference_leaf, inference_module, leaf

F = nt.nn.functional

SQUARE = ((1.0, 2.0), (4.0, 8.0))


def gradient(result, *tensors):
    """Return the gradients of the sum of `result` as lists."""
    return [one.tolist() for one in nt.autograd.grad(result.sum(), tensors)]


# ---------------------------------------------------------------------------------------------------------------------
# Refused


@pytest.mark.parametrize("op", [lambda x, i: x * i, lambda x, i: i * x], ids=["x * i", "i * x"])
def test_F01_product_with_an_inference_operand_is_refused(op):
    with raises(E_SAVE):
        op(leaf(), inference())


@pytest.mark.parametrize("op", [lambda x, i: x / i, lambda x, i: i / x], ids=["x / i", "i / x"])
def test_F02_quotient_with_an_inference_operand_is_refused(op):
    with raises(E_SAVE):
        op(leaf(), inference())


@pytest.mark.parametrize("op", [lambda x, i: x @ i, lambda x, i: i @ x], ids=["x @ i", "i @ x"])
@pytest.mark.parametrize("values", [SQUARE, SQUARE[0]], ids=["matrix", "vector"])
def test_F03_matrix_product_with_an_inference_operand_is_refused(op, values):
    with raises(E_SAVE):
        op(leaf(SQUARE), inference(values))


def test_F04_the_refusal_comes_from_the_forward_call():
    x = leaf()
    with raises(E_SAVE):
        x * inference()
    # Nothing is left behind: x goes on as if the call had not been made.
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0, 2.0]


def test_F05_the_message_suggests_clone():
    with raises("clone"):
        leaf() * inference()


def test_F09_linear_layer_with_trainable_weight_refuses_an_inference_input():
    layer = nt.nn.Linear(3, 2)
    with raises(E_SAVE):
        layer(inference())


@pytest.mark.parametrize(
    "take",
    [
        lambda x, k: x[k],
        lambda x, k: nt.gather(x, 0, k),
        lambda x, k: nt.index_select(x, 0, k),
        lambda x, k: nt.scatter(x, 0, k, nt.ones(2)),
        lambda x, k: F.embedding(k, x.view(3, 1)),
    ],
    ids=["x[k]", "gather", "index_select", "scatter", "embedding"],
)
def test_F10_inference_index_is_refused(take):
    with raises(E_SAVE):
        take(leaf(), inference((2, 0)))


def test_F10_inference_mask_is_refused():
    with raises(E_SAVE):
        leaf()[inference((True, False, True))]


def test_F11_inference_condition_of_where_is_refused():
    with raises(E_SAVE):
        nt.where(inference((True, False, True)), leaf(), nt.zeros(3))


def test_F11_inference_mask_of_masked_fill_is_refused():
    with raises(E_SAVE):
        leaf().masked_fill(inference((True, False, True)), 0.0)


def test_F13_inference_target_of_mse_loss_is_refused():
    with raises(E_SAVE):
        F.mse_loss(leaf(), inference())


def test_F14_inference_class_target_of_cross_entropy_is_refused():
    with raises(E_SAVE):
        F.cross_entropy(leaf(SQUARE), inference((0, 1)))


def test_F16_detach_does_not_make_a_normal_tensor():
    with raises(E_SAVE):
        leaf() * inference().detach()


@pytest.mark.parametrize(
    "view",
    [lambda i: i[:], lambda i: i.view(3), lambda i: i.unbind(0)[0], lambda i: i.expand(2, 3), lambda i: i.detach()[0]],
    ids=["slice", "view", "unbind", "expand", "detach"],
)
def test_F18_view_of_an_inference_tensor_is_refused(view):
    with raises(E_SAVE):
        leaf() * view(inference())


def test_F23_inplace_product_with_an_inference_operand_is_refused():
    a = leaf() * 1
    with raises(E_SAVE):
        a.mul_(inference())
    assert a.tolist() == [1.0, 2.0, 4.0]
    assert a._version == 0


# ---------------------------------------------------------------------------------------------------------------------
# Allowed


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        (lambda x, i: x + i, 1.0),
        (lambda x, i: i + x, 1.0),
        (lambda x, i: x - i, 1.0),
        (lambda x, i: i - x, -1.0),
    ],
    ids=["x + i", "i + x", "x - i", "i - x"],
)
def test_F06_sum_and_difference_have_right_gradients(op, expected):
    x = leaf()
    assert gradient(op(x, inference()), x) == [[expected] * 3]


def test_F06_broadcast_inference_operand_has_no_part_in_the_gradient():
    x = leaf()
    assert gradient(x + inference(((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))), x) == [[2.0, 2.0, 2.0]]


def test_F07_the_normal_result_may_be_saved():
    x = leaf()
    y = x + inference()
    assert not y.is_inference()
    assert gradient(y * y, x) == [[8.0, 14.0, 22.0]]


def test_F08_cat_takes_an_inference_part():
    x = leaf()
    y = nt.cat([x * 2, inference()])
    assert not y.is_inference()
    assert y.tolist() == [2.0, 4.0, 8.0, 3.0, 5.0, 7.0]
    assert gradient(y, x) == [[2.0, 2.0, 2.0]]


def test_F12_where_takes_an_inference_value():
    x = leaf()
    condition = nt.tensor([True, False, True])
    assert gradient(nt.where(condition, x, inference()), x) == [[1.0, 0.0, 1.0]]
    assert gradient(nt.where(condition, inference(), x), x) == [[0.0, 1.0, 0.0]]


def test_F15_clone_makes_a_tensor_that_can_be_saved():
    x = leaf()
    assert gradient(x * inference().clone(), x) == [[3.0, 5.0, 7.0]]


def test_F17_item_makes_a_number_that_can_be_saved():
    x = leaf()
    assert gradient(x * inference((3.0,)).item(), x) == [[3.0, 3.0, 3.0]]


def test_F19_no_refusal_under_no_grad():
    with nt.no_grad():
        y = leaf() * inference()
    assert not y.is_inference()
    assert not y.requires_grad


def test_F19_no_refusal_inside():
    x, i = leaf(), inference()
    with nt.inference_mode():
        y = x * i
    assert y.is_inference()
    assert not y.requires_grad


def test_F20_no_refusal_when_no_operand_requires_grad():
    y = nt.ones(3) * inference()
    assert not y.requires_grad
    assert y.tolist() == [3.0, 5.0, 7.0]


@pytest.mark.parametrize(
    "op",
    [lambda i: i * 2, lambda i: i + i, lambda i: i.exp(), lambda i: i.sum(), lambda i: i > 4, lambda i: nt.cat([i, i])],
    ids=["mul", "add", "exp", "sum", "gt", "cat"],
)
def test_F21_result_outside_is_normal(op):
    y = op(inference())
    assert not y.is_inference()
    # An inference tensor's would raise. PyTorch's sum has changed its result once already.
    assert y._version >= 0


def test_F22_result_outside_can_be_saved():
    x = leaf()
    assert gradient(x * (inference() * 2), x) == [[6.0, 10.0, 14.0]]


def test_F24_inplace_sum_with_an_inference_operand():
    x = leaf()
    a = x * 2
    assert a.add_(inference()) is a
    assert a.tolist() == [5.0, 9.0, 15.0]
    assert gradient(a * a, x) == [[20.0, 36.0, 60.0]]


@pytest.mark.parametrize(
    "use",
    [lambda x, i: x.view_as(i), lambda x, i: x.expand_as(i), lambda x, i: x.reshape(i.shape), lambda x, i: x[: len(i)]],
    ids=["view_as", "expand_as", "reshape", "len"],
)
def test_F25_shape_only_use(use):
    x = leaf()
    assert gradient(use(x, inference()), x) == [[1.0, 1.0, 1.0]]


def test_F25_comparison():
    x = leaf((1.0, 5.0, 9.0))
    assert (x == inference()).tolist() == [False, True, False]
    assert (inference() > x).tolist() == [True, False, False]


# ---------------------------------------------------------------------------------------------------------------------
# Inference tensors that require grad


@differs("PyTorch gives such a leaf a gradient here, and none elsewhere")
@pytest.mark.parametrize(
    "op",
    [lambda x, i: x + i, lambda x, i: i - x, lambda x, i: nt.cat([x, i]), lambda x, i: (x * 1).add_(i)],
    ids=["x + i", "i - x", "cat", "add_"],
)
def test_F26_inference_leaf_that_requires_grad_is_refused_where_a_graph_is_recorded(op):
    with raises("is an inference tensor that requires grad"):
        op(leaf(), inference_leaf())


@differs("PyTorch records nothing, without a word")
@pytest.mark.parametrize(
    "op",
    [
        lambda i: i.exp(),
        lambda i: i + i,
        lambda i: -i,
        lambda i: i.sum(),
        lambda i: i.view(3, 1),
        lambda i: i[0],
        lambda i: i.unbind(0),
        lambda i: i.sort(),
        lambda i: nt.ones(3).copy_(i),
        lambda i: nt.ones(3).__setitem__(0, i[0]),
        lambda i: nt.ones(3).add_(i),
    ],
    ids=["exp", "i + i", "-i", "sum", "view", "i[0]", "unbind", "sort", "copy_", "item assignment", "add_"],
)
def test_F27_op_on_such_leaves_alone_is_refused(op):
    with raises("is an inference tensor that requires grad"):
        op(inference_leaf())


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (lambda i: i.argmax().item(), 2),
        (lambda i: (i > 4).tolist(), [False, True, True]),
        (lambda i: i.detach().requires_grad, False),
        (lambda i: i.tolist(), [3.0, 5.0, 7.0]),
        (repr, "tensor([3., 5., 7.], requires_grad=True)"),
    ],
    ids=["argmax", "comparison", "detach", "tolist", "repr"],
)
def test_F27_what_records_nothing_is_allowed(use, expected):
    assert use(inference_leaf()) == expected


def test_F27_such_leaves_may_be_used_under_no_grad():
    with nt.no_grad():
        y = inference_leaf().exp() + inference_leaf()
    assert not y.requires_grad
    assert not y.is_inference()


@differs("PyTorch trains the bias and leaves the weight without a gradient")
def test_F30_layer_built_inside_and_trained_outside_is_refused():
    layer = inference_module(lambda: nt.nn.Linear(3, 2))
    with raises("is an inference tensor that requires grad"):
        layer(nt.ones(3))


@differs("PyTorch records W * 2 alone, and loses the gradient of the others")
@pytest.mark.parametrize(
    "op",
    [lambda w: w * 2, lambda w: w.exp(), lambda w: w + w, lambda w: -w, lambda w: w.sum(), lambda w: w.t()],
    ids=["W * 2", "W.exp()", "W + W", "-W", "W.sum()", "W.t()"],
)
def test_F30_every_op_on_such_a_weight_is_refused(op):
    with raises("is an inference tensor that requires grad"):
        op(inference_leaf(SQUARE))


@differs("PyTorch refuses neither the weight nor its clone, and trains neither")
def test_F30_the_message_names_ways_out_that_work():
    w, x = inference_leaf(), leaf()
    with raises("copy.deepcopy()") as caught:
        w * x
    assert "detach().clone()" in str(caught.value)
    trainable = copy.deepcopy(w)
    assert gradient(trainable * x, trainable, x) == [[1.0, 2.0, 4.0], [3.0, 5.0, 7.0]]
    assert gradient(w.detach().clone() * x, x) == [[3.0, 5.0, 7.0]]
    # A clone would silently be one that does not require grad.
    with raises("is an inference tensor that requires grad"):
        w.clone()


# ---------------------------------------------------------------------------------------------------------------------
# What ops save


def test_F28_function_that_saves_an_inference_tensor_is_refused():
    class Product(nt.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx, grad):
            x, y = ctx.saved_tensors
            return grad * y, grad * x

    with raises(E_SAVE):
        Product.apply(leaf(), inference())
    assert not Product.apply(nt.ones(3), inference()).requires_grad


# op, whether a change of its input before backward is an error, whether one of its result is.
SAVED = {
    "exp": (lambda x: x.exp(), False, True),
    "expm1": (lambda x: x.expm1(), False, True),
    "sigmoid": (lambda x: x.sigmoid(), False, True),
    "tanh": (lambda x: x.tanh(), False, True),
    "relu": (lambda x: x.relu(), False, True),
    "sqrt": (lambda x: x.sqrt(), False, True),
    "rsqrt": (lambda x: x.rsqrt(), False, True),
    "reciprocal": (lambda x: x.reciprocal(), False, True),
    "softmax": (lambda x: x.softmax(0), False, True),
    "log_softmax": (lambda x: x.log_softmax(0), False, True),
    "log": (lambda x: x.log(), True, False),
    "log1p": (lambda x: x.log1p(), True, False),
    "sin": (lambda x: x.sin(), True, False),
    "abs": (lambda x: x.abs(), True, False),
    "pow": (lambda x: x**3, True, False),
    "pow 1": (lambda x: x**1, True, False),
    "clamp": (lambda x: x.clamp(2.0, 3.0), True, False),
    "square": (lambda x: x.square(), True, False),
    "gelu": (lambda x: F.gelu(x), True, False),
    "silu": (lambda x: F.silu(x), True, False),
    "softplus": (lambda x: F.softplus(x), True, False),
    "leaky_relu": (lambda x: F.leaky_relu(x), True, False),
    "max": (lambda x: x.max(), True, True),
    "std": (lambda x: x.std(), True, True),
    "prod": (lambda x: x.prod(), True, True),
    "logsumexp": (lambda x: x.logsumexp(0), True, True),
    "norm": (lambda x: x.norm(), True, True),
    "add": (lambda x: x + 1, False, False),
    "sub": (lambda x: x - 1, False, False),
    "neg": (lambda x: -x, False, False),
    "scalar mul": (lambda x: x * 2, False, False),
    "scalar div": (lambda x: x / 2, False, False),
    "sum": (lambda x: x.sum(), False, False),
    "mean": (lambda x: x.mean(), False, False),
    "cumsum": (lambda x: x.cumsum(0), False, False),
    "cat": (lambda x: nt.cat([x, x]), False, False),
    "where": (lambda x: nt.where(nt.tensor([True, False, True]), x, x), False, False),
}


def refuses_backward(op, change):
    """Whether backward refuses after a change: ``change(input, result)``."""
    x = leaf()
    given = x * 1
    result = op(given)
    with nt.no_grad():
        change(given, result)
    try:
        result.sum().backward()
    except RuntimeError as error:
        assert E_MOD in str(error)
        return True
    return False


@pytest.mark.parametrize("name", SAVED)
def test_F29_saved_input(name):
    op, saves_input, _ = SAVED[name]
    assert refuses_backward(op, lambda given, result: given.add_(1)) == saves_input


@pytest.mark.parametrize("name", SAVED)
def test_F29_saved_result(name):
    op, _, saves_result = SAVED[name]
    assert refuses_backward(op, lambda given, result: result.add_(1)) == saves_result


# op, then whether an inference operand is refused: (as the second operand, as the first).
OPERANDS = {
    "mul": (lambda x, y: x * y, True, True),
    "div": (lambda x, y: x / y, True, True),
    "matmul": (lambda x, y: x @ y, True, True),
    "dot": (nt.dot, True, True),
    "pow": (lambda x, y: x**y, True, True),
    "maximum": (nt.maximum, True, True),
    "minimum": (nt.minimum, True, True),
    "max": (nt.max, True, True),
    "min": (nt.min, True, True),
    "clamp": (lambda x, y: nt.clamp(x, y, None), True, True),
    "binary_cross_entropy_with_logits": (F.binary_cross_entropy_with_logits, True, True),
    "add": (lambda x, y: x + y, False, False),
    "sub": (lambda x, y: x - y, False, False),
    "cat": (lambda x, y: nt.cat([x, y]), False, False),
}


@pytest.mark.parametrize("name", OPERANDS)
def test_F29_inference_second_operand(name):
    op, refused, _ = OPERANDS[name]
    if refused:
        with raises(E_SAVE):
            op(leaf(), inference())
    else:
        assert op(leaf(), inference()).requires_grad


@pytest.mark.parametrize("name", OPERANDS)
def test_F29_inference_first_operand(name):
    op, _, refused = OPERANDS[name]
    if refused:
        with raises(E_SAVE):
            op(inference(), leaf())
    else:
        assert op(inference(), leaf()).requires_grad


@pytest.mark.parametrize("op", [lambda x, y: x * y, lambda x, y: x @ y], ids=["mul", "matmul"])
def test_F29_product_saves_only_what_the_other_gradient_needs(op):
    x, y = leaf(), nt.ones(3)
    result = op(x, y)
    with nt.no_grad():
        x.add_(1)
    assert gradient(result, x) == [[1.0, 1.0, 1.0]]


def test_F29_quotient_saves_the_dividend_only_for_the_divisors_gradient():
    x = leaf()
    dividend = x * 1
    result = dividend / nt.full((3,), 2.0)
    with nt.no_grad():
        dividend.add_(1)
    assert gradient(result, x) == [[0.5, 0.5, 0.5]]


def test_F29_linear_takes_an_inference_bias():
    x = leaf()
    assert gradient(F.linear(x, nt.ones(2, 3), inference((1.0, 2.0))), x) == [[2.0, 2.0, 2.0]]


@differs("PyTorch composes this loss of other ops, each of which saves its own")
def test_F29_inference_target_of_l1_loss_is_refused():
    with raises(E_SAVE):
        F.l1_loss(leaf(), inference())


def test_F01_an_inference_operand_that_once_required_grad_is_refused_too():
    with nt.inference_mode():
        once = nt.ones(3, requires_grad=True).requires_grad_(False)
    with raises(E_SAVE):
        leaf() * once
