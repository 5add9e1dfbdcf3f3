"""Forward mode where it could go wrong: changes in place, several results, conversions, functions, threads, memory.

Tangents of whole functions are compared with central differences, so that no rule is its own witness.
"""

import gc
import pickle
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import numtensor as nt
from numtensor.autograd import Function, forward_ad
from numtensor.modes import TRACKED, current
from numtensor.utils import mode_initializer, wrap_mode

PRIMAL, TANGENT = [0.5, 1.25, 2.0], [1.0, -2.0, 0.5]


def dual(primal=PRIMAL, tangent=TANGENT, dtype=nt.float64):
    return forward_ad.make_dual(nt.tensor(primal, dtype=dtype), nt.tensor(tangent, dtype=dtype))


def tangent(tensor):
    return forward_ad.unpack_dual(tensor).tangent


def values(tensor):
    """Return the tangent as lists, None where there is none."""
    found = tangent(tensor)
    return None if found is None else found.tolist()


def check(function, eps=1e-6):
    """Compare the tangents of all results of a function of a vector with central differences."""
    sides = [function(nt.tensor(np.array(PRIMAL) + sign * eps * np.array(TANGENT))) for sign in (1, -1)]
    with forward_ad.dual_level():
        results = function(dual())
        tangents = [tangent(one) for one in results]
    for one, found, above, below in zip(results, tangents, *sides, strict=True):
        if not one.is_floating_point():
            assert found is None
            continue
        expected = (above.numpy() - below.numpy()) / (2 * eps)
        found = np.zeros(one.shape) if found is None else found.numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


def new(x, *shape):
    """Return zeros of the dtype of a tensor."""
    return nt.zeros(*shape, dtype=x.dtype)


# ---------------------------------------------------------------------------------------------------------------------
# Changes in place


def views_before_and_after(x):
    whole = new(x, 4)
    before = whole[1:]
    inner = before[1:]
    inner.add_(x[:2])
    before.mul_(2.0)
    after = whole[:3]
    after[0] = x[2] * x[2]
    return whole, before, inner, after


def a_view_of_a_dual(x):
    y = x * 1
    row = y.view(1, 3)
    y.mul_(x)
    row[0, 1:].exp_()
    return y, row


def a_transposed_view(x):
    y = x.unsqueeze(0) * x.unsqueeze(1)
    y.t()[0].mul_(x)
    y.diagonal().add_(x)
    return y, y.t()


def changes_of_shape(x):
    y = x.unsqueeze(0) * x.unsqueeze(1)
    y.transpose_(0, 1)
    y[0] *= x
    y.unsqueeze_(0)
    y.squeeze_()
    return (y,)


def elements(x):
    y = x * 2
    element = y[0]
    y[0] = 9.0
    y[1] = x[2] * x[0]
    return y, element


def by_index(x):
    y, z = new(x, 3), x * 1
    y[[2, 0]] = x[:2] * x[1:]
    z[nt.tensor([1])] = 7.0
    z[x > 1.5] = x[x > 1.5] ** 2
    w = new(x, 3)
    w.index_put_((nt.tensor([0, 0, 1]),), x * x, accumulate=True)
    return y, z, w


def masked(x):
    y, z = x * x, x * x
    y.masked_fill_(x > 1.0, 0.0)
    z.masked_fill_(x > 1.0, x[0])
    return y, z, x.masked_fill(x > 1.0, 3.0), nt.masked_select(x * x, x > 1.0)


def filled(x):
    y, z, w, v = x * 1, x * 1, x * 1, x * 1
    y.fill_(2.0)
    z.zero_()
    w.fill_(x[1])
    v[1:].zero_()
    return y, z, w, v


def copied(x):
    y, z, w = new(x, 3), nt.ones(2, 3, dtype=x.dtype), x * 1
    y.copy_(x * x)
    z.copy_(x)
    w.copy_(nt.ones(3, dtype=x.dtype))
    return y, z, w


def out(x):
    y, z, part, empty = new(x, 3), x * 1, new(x, 4), nt.empty(0, dtype=x.dtype)
    nt.mul(x, x, out=y)
    nt.exp(nt.ones(3, dtype=x.dtype), out=z)
    nt.exp(x, out=part[1:])
    nt.sin(x, out=empty)
    return y, z, part, empty


def augmented(x):
    y = x * 1
    y += x
    y -= 1
    y *= y
    y /= x
    y **= 3
    return (y,)


def unary(x):
    y = x * 1
    y.exp_().sin_().clamp_(0.2, 0.9)
    z = x * 1
    z.sqrt_().log_().tanh_().neg_().sigmoid_()
    return y, z


def scattered(x):
    indices = nt.tensor([1, 1, 0])
    y, z, w = x * 1, new(x, 3), new(x, 3)
    y.index_add_(0, indices, x * x)
    z.scatter_add_(0, indices, x * x)
    w.index_copy_(0, nt.tensor([1, 2, 0]), x * x)
    return y, z, w


def what_had_no_tangent(x):
    y, z = new(x, 3), nt.ones(3, dtype=x.dtype)
    y += x
    z.mul_(x)
    return y, z


def rows_one_by_one(x):
    y = new(x, 3, 3)
    for i in range(3):
        y[i] = (x if i == 0 else y[i - 1]) * x
    return y, y.sum(1)


def random_ops(x):
    nt.manual_seed(7)
    y = x * 1
    y.normal_()
    return nt.nn.functional.dropout(x * x, 0.5), y


IN_PLACE = [
    views_before_and_after, a_view_of_a_dual, a_transposed_view, changes_of_shape, elements, by_index, masked, filled,
    copied, out, augmented, unary, scattered, what_had_no_tangent, rows_one_by_one, random_ops,
]  # fmt: skip


@pytest.mark.parametrize("function", IN_PLACE, ids=lambda function: function.__name__)
def test_changes_in_place(function):
    check(function)


@pytest.mark.parametrize("function", IN_PLACE, ids=lambda function: function.__name__)
def test_changes_in_place_under_no_grad(function):
    with nt.no_grad():
        check(function)


def test_changes_in_place_while_recording():
    # The tangent of a gradient: forward over reverse through recorded changes.
    def function(x):
        w = nt.tensor([1.0, 2.0, 3.0], dtype=nt.float64, requires_grad=True)
        y = w * 1
        y.mul_(x)
        y[1:].exp_()
        y[0] = x[1] * w[2]
        (gradient,) = nt.autograd.grad((y * y).sum(), w)
        return gradient, y.detach()[:0]

    check(function)


def test_changing_a_dual_changes_its_tangent():
    with forward_ad.dual_level():
        x = dual([1.0, 2.0], [1.0, 10.0])
        view = x[1:]
        x.mul_(x)
        assert values(x) == [2.0, 40.0]
        assert values(view) == [40.0]


def test_a_tangent_given_by_the_user_is_left_alone():
    primal, given = nt.tensor([1.0, 2.0]), nt.tensor([1.0, 10.0])
    with forward_ad.dual_level():
        x = forward_ad.make_dual(primal, given)
        x[0].mul_(5.0)
        assert values(x) == [5.0, 10.0]
    assert given.tolist() == [1.0, 10.0]


def test_detaching_in_place_drops_the_tangent():
    with forward_ad.dual_level():
        x = dual() * 2
        assert tangent(x.detach_()) is None
        assert tangent(x * 2) is None


# ---------------------------------------------------------------------------------------------------------------------
# Results of all kinds


def square(x):
    return x.unsqueeze(0) * x.unsqueeze(1) + x


OUT_OF_PLACE = {
    "cat": lambda x: (nt.cat([x, nt.ones(2, dtype=x.dtype)]), nt.cat([x, x * x]), nt.stack([x, x.exp()], 1)),
    "einsum": lambda x: (nt.einsum("i,j->ij", x, x), nt.einsum("ij,j,i->i", square(x), x, x)),
    "where": lambda x: (nt.where(x > 1.0, x * x, 0.0), nt.where(x > 1.0, 1.0, x), nt.where(x > 1.0, x, x * x)),
    "conversion": lambda x: (x.double(), x.long(), x > 1.0, x.reshape(3, 1).t(), x.clone()),
    "sort": lambda x: (*nt.sort(x * x, descending=True), *nt.topk(x, 2), nt.argsort(x)),
    "extremes": lambda x: (*nt.max(square(x), 1), x.max(), *nt.min(square(x), 0), x.amin(0), nt.maximum(x, x * x)),
    "split": lambda x: (*square(x).split(2, 1), *square(x).unbind(0), *square(x).chunk(2)),
    "variance": lambda x: (*nt.var_mean(x), x.std()),
    "broadcast": lambda x: (x + nt.zeros(2, 3, dtype=x.dtype), nt.ones(2, 1, dtype=x.dtype) * x, x.expand(2, 3)),
    "numbers": lambda x: (2 * x, 1 - x, 3 / x, x**2, 2**x, x % 0.75, x // 0.75, x * nt.tensor(2)),
    "integers": lambda x: (nt.arange(3) * x, nt.tensor([True, False, True]) * x),
    "indices": lambda x: (x[[0, 0]], square(x)[:, 1], x[..., None], x[1], nt.gather(x, 0, nt.tensor([2, 2]))),
    "no tangent": lambda x: (x.argmax(), (x + 0.1).floor(), nt.ones_like(x), nt.zeros_like(x), nt.sign(x)),
    "scans": lambda x: (x.cumsum(0), x.cumprod(0), x.flip(0).cumsum(0)),
    "matmul": lambda x: (square(x) @ x, x @ square(x), nt.dot(x, x), square(x) @ square(x)),
    "networks": lambda x: (
        nt.nn.functional.layer_norm(x, (3,)),
        nt.nn.functional.linear(x, square(x), x),
        nt.nn.functional.cross_entropy(square(x), nt.tensor([0, 2, 1])),
        nt.nn.functional.embedding(nt.tensor([1, 1]), square(x)),
    ),
}


@pytest.mark.parametrize("function", OUT_OF_PLACE.values(), ids=OUT_OF_PLACE.keys())
def test_results(function):
    check(function)


def test_dtypes_of_tangents():
    with forward_ad.dual_level():
        x = dual(dtype=nt.float32)
        results = [
            x.double(),
            x.double().float(),
            x * nt.ones(3, dtype=nt.float64),
            x * nt.tensor(2.0, dtype=nt.float64),
            x * 2,
            nt.where(x > 1.0, x, nt.zeros(3, dtype=nt.float64)),
            nt.cat([x, nt.ones(1, dtype=nt.float64)]),
            nt.ones(3, dtype=nt.float32).mul_(dual(dtype=nt.float64)),
            nt.zeros(3, dtype=nt.float64).copy_(x),
        ]
        for one in results:
            assert tangent(one).dtype is one.dtype
            assert tangent(one).shape == one.shape


def test_a_layer_s_buffers_get_no_tangent():
    layer = nt.nn.BatchNorm1d(2)
    with forward_ad.dual_level():
        y = layer(dual([[1.0, 2.0], [3.0, 5.0]], [[1.0, 0.0], [0.0, 0.0]], nt.float32))
        assert tangent(y) is not None
        assert tangent(layer.running_mean) is None
    assert layer.running_mean.tolist() == pytest.approx([0.2, 0.35])


# ---------------------------------------------------------------------------------------------------------------------
# Functions


class Several(Function):
    """Square, a multiple, and a result that carries no derivative."""

    @staticmethod
    def forward(ctx, x, factor):
        ctx.save_for_forward(x)
        kept, largest = x + 0, x.argmax()
        ctx.mark_non_differentiable(kept, largest)
        return x * x, x * factor, kept, largest

    @staticmethod
    def jvp(ctx, dx, factor):
        assert factor is None
        (x,) = ctx.saved_tensors
        return 2 * x * dx, None, dx, None


class Twice(Function):
    """Doubles its argument in place."""

    @staticmethod
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, grad):
        return grad * 2

    @staticmethod
    def jvp(ctx, dx):
        return dx * 2


class TwiceInPlace(Twice):
    @staticmethod
    def jvp(ctx, dx):
        return dx.mul_(2)


class Same(Function):
    """Returns its argument as it is; its tangent tells that `jvp` was asked."""

    @staticmethod
    def forward(ctx, x):
        return x

    @staticmethod
    def backward(ctx, grad):
        return grad

    @staticmethod
    def jvp(ctx, dx):
        return dx


def test_a_function_of_several_results():
    with forward_ad.dual_level():
        x = dual([1.0, 2.0], [1.0, 10.0])
        square, multiple, kept, largest = Several.apply(x, 3.0)
        assert values(square) == [2.0, 40.0]
        assert [values(one) for one in (multiple, kept, largest)] == [None] * 3


@pytest.mark.parametrize("function", [Twice, TwiceInPlace])
@pytest.mark.parametrize("requires_grad", [False, True])
def test_a_function_that_changes_its_argument(function, requires_grad):
    with forward_ad.dual_level():
        x = dual([1.0, 2.0], [1.0, 10.0]) * nt.ones(2, requires_grad=requires_grad)
        assert function.apply(x) is x
        assert values(x) == [2.0, 20.0]
        assert values(x * 1) == [2.0, 20.0]


@pytest.mark.parametrize("function", [Twice, TwiceInPlace])
def test_a_function_that_changes_a_view(function):
    with forward_ad.dual_level():
        x = dual([1.0, 2.0], [1.0, 10.0]) * 1
        function.apply(x[1:])
        assert values(x) == [1.0, 20.0]


@pytest.mark.parametrize("requires_grad", [False, True])
def test_a_function_s_result_has_a_tangent_of_its_own(requires_grad):
    with forward_ad.dual_level():
        x = dual([1.0, 2.0], [1.0, 10.0]) * nt.ones(2, requires_grad=requires_grad)
        y = Same.apply(x)
        assert y is not x
        forward_ad.unpack_dual(y).tangent.zero_()
        assert values(x) == [1.0, 10.0]


@pytest.mark.parametrize(
    ("wrong", "kind", "phrase"),
    [
        (lambda dx: nt.ones(3), RuntimeError, "shape"),
        (lambda dx: (dx, dx), RuntimeError, "2 tangents for 1 results"),
        (lambda dx: 3.0, TypeError, "float"),
    ],
    ids=["shape", "number", "type"],
)
def test_a_wrong_jvp_is_refused(wrong, kind, phrase):
    class Wrong(Same):
        @staticmethod
        def jvp(ctx, dx):
            return wrong(dx)

    with forward_ad.dual_level(), pytest.raises(kind, match=f"Wrong: .*{phrase}"):
        Wrong.apply(dual([1.0, 2.0], [1.0, 10.0]))


def test_the_tangent_of_a_function_has_its_result_s_dtype():
    class Doubled(Same):
        @staticmethod
        def jvp(ctx, dx):
            return dx.double()

    with forward_ad.dual_level():
        assert tangent(Doubled.apply(dual(dtype=nt.float32))).dtype is nt.float32


def test_a_function_nests():
    class Exp(Function):
        @staticmethod
        def forward(x):
            return x.exp()

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_forward(*inputs)

        @staticmethod
        def jvp(ctx, dx):
            return dx * ctx.saved_tensors[0].exp()

    found = nt.func.jacfwd(nt.func.jacfwd(lambda x: Exp.apply(x * 2).sum()))(nt.zeros(2))
    assert found.tolist() == [[4.0, 0.0], [0.0, 4.0]]


# ---------------------------------------------------------------------------------------------------------------------
# Levels


def test_an_error_ends_the_level():
    with pytest.raises(ZeroDivisionError), forward_ad.dual_level():
        x = dual()
        raise ZeroDivisionError
    assert current.mode is TRACKED
    assert current.states == {}
    assert tangent(x) is None


def test_an_error_in_an_op_leaves_the_level_as_it_was():
    with forward_ad.dual_level():
        x = dual([1.0, 2.0], [1.0, 10.0])
        before = current.mode
        with pytest.raises(RuntimeError):
            x @ nt.ones(3, dtype=nt.float64)
        assert current.mode is before
        assert values(x * 2) == [2.0, 20.0]


def test_entering_and_leaving_by_hand():
    level = forward_ad.enter_dual_level()
    try:
        assert values(forward_ad.make_dual(nt.ones(1), nt.ones(1), level=level) * 2) == [2.0]
        with pytest.raises(RuntimeError, match="no level 1"):
            forward_ad.make_dual(nt.ones(1), nt.ones(1), level=1)
        with pytest.raises(RuntimeError, match="no level 1 to exit"):
            forward_ad.exit_dual_level(level=1)
    finally:
        forward_ad.exit_dual_level(level=level)
    with pytest.raises(RuntimeError, match="no level 0 to exit"):
        forward_ad.exit_dual_level()


def test_a_decorated_function_has_a_level():
    @forward_ad.dual_level()
    def derivative():
        return values(dual([1.0], [3.0]) * 2)

    assert derivative() == derivative() == [6.0]
    assert current.mode is TRACKED


def test_a_level_in_a_generator_lasts_from_step_to_step():
    def steps():
        with forward_ad.dual_level():
            x = dual([1.0], [3.0])
            yield values(x * 2)
            yield values(x * 3)

    generator = steps()
    try:
        assert (next(generator), next(generator)) == ([6.0], [9.0])
    finally:
        generator.close()
    assert current.mode is TRACKED


def test_transforms_nest_in_a_level():
    with forward_ad.dual_level():
        x = dual([2.0], [10.0])
        # d/dx (x^3)' = 6 x.
        assert values(nt.func.jvp(lambda x: x**3, (x,), (nt.ones(1, dtype=nt.float64),))[1]) == [120.0]
        assert values(nt.func.grad(lambda x: (x**3).sum())(x)) == [120.0]


def test_nothing_keeps_tangents_after_the_level():
    with forward_ad.dual_level():
        x = dual()
        y = (x * nt.ones(3, requires_grad=True)).exp()
        view = y[1:]
        kept = [weakref.ref(tangent(one)._meta) for one in (x, y, view)]
        assert all(reference() is not None for reference in kept)
    gc.collect()
    assert all(reference() is None for reference in kept)


def test_nothing_keeps_the_tangent_of_a_tensor_that_is_gone():
    with forward_ad.dual_level():
        x = dual()
        for w in nt.ones(3), nt.ones(3, requires_grad=True):
            y = x * w
            kept = weakref.ref(tangent(y)._meta)
            del y
            gc.collect()
            assert kept() is None


# ---------------------------------------------------------------------------------------------------------------------
# Threads


def test_a_wrapped_function_takes_the_level_into_a_thread():
    with ThreadPoolExecutor(2) as pool, forward_ad.dual_level():
        x = dual([1.0, 2.0], [1.0, 10.0])
        y = pool.submit(wrap_mode(lambda: x * x)).result()
        assert values(y) == [2.0, 40.0]
        made = pool.submit(wrap_mode(lambda: dual([1.0], [3.0]))).result()
        assert values(made * 2) == [6.0]
        # A function that is not wrapped runs in the thread's own mode, where there is no level.
        assert values(pool.submit(lambda: x * x).result()) is None


def test_a_worker_that_was_initialized_in_a_level_has_it():
    with forward_ad.dual_level():
        x = dual([1.0, 2.0], [1.0, 10.0])
        with ThreadPoolExecutor(1, initializer=mode_initializer()) as pool:
            assert values(pool.submit(lambda: x * x).result()) == [2.0, 40.0]


def test_a_level_that_ended_is_gone_in_every_thread():
    def level_of_its_own():
        with forward_ad.dual_level():
            return values(dual([1.0], [3.0]) * 2)

    with forward_ad.dual_level():
        x = dual([1.0, 2.0], [1.0, 10.0])
        wrapped, make, again = wrap_mode(lambda: tangent(x * x)), wrap_mode(dual), wrap_mode(level_of_its_own)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(wrapped).result() is None
        with pytest.raises(RuntimeError, match="no dual level"):
            pool.submit(make).result()
        assert pool.submit(again).result() == [6.0]
    assert wrapped() is None
    assert current.mode is TRACKED


def test_threads_compute_at_levels_of_their_own():
    started = threading.Barrier(4)

    def derivative(power):
        started.wait()
        return [nt.func.jacfwd(nt.func.jacfwd(lambda x: x**power))(nt.tensor(2.0)).item() for _ in range(20)]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(derivative, range(2, 6)))
    assert found == [[power * (power - 1) * 2.0 ** (power - 2)] * 20 for power in range(2, 6)]


def test_transforms_in_a_thread_nest_in_the_carried_level():
    with ThreadPoolExecutor(1) as pool, forward_ad.dual_level():
        x = dual([2.0], [10.0])
        second = wrap_mode(lambda: nt.func.jvp(lambda x: x**3, (x,), (nt.ones(1, dtype=nt.float64),))[1])
        assert values(pool.submit(second).result()) == [120.0]


def test_a_level_does_not_leave_its_process():
    with forward_ad.dual_level():
        for carrier in mode_initializer(), wrap_mode(nt.exp):
            with pytest.raises(TypeError, match="a dual level belongs to its process"):
                pickle.dumps(carrier)
