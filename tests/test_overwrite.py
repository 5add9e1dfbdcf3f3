"""In-place ops that do not look at what they change: fills, copies and random fills."""

import numpy as np
import pytest

import numtensor as nt
from numtensor.ops.declaration import OPS

# (op, arguments, what the tensor holds afterwards); random ones draw from the stream of seed 0.
STREAM = nt.Generator


def drawn(method, *arguments, **options):
    return lambda a: getattr(STREAM().manual_seed(0), method)(a.shape, *arguments, dtype=a.dtype, **options)


CASES = [
    ("zero_", (), lambda a: np.zeros_like(a)),
    ("fill_", (2.5,), lambda a: np.full_like(a, 2.5)),
    ("fill_", (nt.tensor(3),), lambda a: np.full_like(a, 3)),
    ("copy_", (nt.tensor([1, 2, 3]),), lambda a: np.broadcast_to(np.array([1, 2, 3], a.dtype), a.shape)),
    ("copy_", (4,), lambda a: np.full_like(a, 4)),
    ("copy_", (np.arange(6.0).reshape(2, 3),), lambda a: np.arange(6.0).reshape(2, 3).astype(a.dtype)),
    ("uniform_", (-1, 2), drawn("uniform", -1, 2)),
    ("normal_", (1, 2), drawn("normal", 1, 2)),
    ("exponential_", (2,), drawn("exponential", 2)),
    ("bernoulli_", (0.3,), drawn("bernoulli_scalar", 0.3)),
    ("random_", (10,), lambda a: STREAM().manual_seed(0).randint(0, 10, a.shape, a.dtype)),
    ("random_", (5, 10), lambda a: STREAM().manual_seed(0).randint(5, 10, a.shape, a.dtype)),
]
IDS = [f"{name}{arguments!r}"[:40] for name, arguments, _ in CASES]


def test_every_overwriting_op_is_tested():
    declared = {name for name, op in OPS.items() if op.kind == "overwrite"}
    assert declared == {name for name, _, _ in CASES}


@pytest.mark.parametrize("dtype", [nt.float32, nt.float64], ids=["float32", "float64"])
@pytest.mark.parametrize(("name", "arguments", "expected"), CASES, ids=IDS)
def test_value(name, arguments, expected, dtype):
    target = nt.ones(2, 3, dtype=dtype)
    right = expected(target.numpy().copy())
    nt.manual_seed(0)
    assert getattr(target, name)(*arguments) is target
    assert target.dtype is dtype and target._version == 1
    np.testing.assert_array_equal(target.numpy(), right)


@pytest.mark.parametrize(("name", "arguments", "expected"), CASES, ids=IDS)
def test_strided_target_and_its_neighbours(name, arguments, expected):
    whole = np.full((2, 6), 7.0)
    nt.manual_seed(0)
    getattr(nt.from_numpy(whole)[:, ::2], name)(*arguments)
    np.testing.assert_array_equal(whole[:, ::2], expected(np.ones((2, 3))))
    assert (whole[:, 1::2] == 7).all()


@pytest.mark.parametrize(("name", "arguments", "expected"), CASES, ids=IDS)
def test_what_may_be_changed(name, arguments, expected):
    leaf = nt.ones(2, 3, requires_grad=True)
    with pytest.raises(RuntimeError, match=f"{name}: a leaf Variable that requires grad"):
        getattr(leaf, name)(*arguments)
    assert (leaf.detach() == 1).all() and leaf._version == 0
    with nt.no_grad():
        getattr(leaf, name)(*arguments)
    assert leaf._version == 1 and leaf.requires_grad and leaf.is_leaf
    with nt.inference_mode():
        inside = nt.ones(2, 3)
        getattr(inside, name)(*arguments)
        assert inside.is_inference()
    before = inside.tolist()
    with pytest.raises(RuntimeError, match=f"{name}: Inplace update to inference tensor outside InferenceMode"):
        getattr(inside, name)(*arguments)
    assert inside.tolist() == before
    with pytest.raises(RuntimeError, match=rf"{name}: .*more than one element"):
        getattr(nt.ones(1, 3).expand(2, 3), name)(*arguments)
    frozen = np.ones((2, 3))
    frozen.flags.writeable = False
    with pytest.raises(RuntimeError, match=rf"{name}: .*read-only"):
        getattr(nt.from_numpy(frozen), name)(*arguments)


@pytest.mark.parametrize(("name", "arguments", "expected"), CASES, ids=IDS)
def test_the_old_value_gets_no_gradient(name, arguments, expected):
    x = nt.ones(2, 3, requires_grad=True)
    y = x * 2
    getattr(y, name)(*arguments)
    assert y.requires_grad and y.grad_fn is not None
    (y * 3).sum().backward()
    assert x.grad.tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize(("name", "arguments", "expected"), CASES, ids=IDS)
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_part_is_cut_out_of_the_gradient(name, arguments, expected, create_graph):
    x = nt.ones(3, 3, requires_grad=True)
    y = x * 2
    getattr(y[1:], name)(*arguments)
    (gradient,) = nt.autograd.grad((y * 3).sum(), x, create_graph=create_graph)
    assert gradient.tolist() == [[6.0] * 3, [0.0] * 3, [0.0] * 3]


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("shape", [(2, 3), (3,), (1, 3), ()])
@pytest.mark.parametrize("dtype", [nt.float32, nt.float64])
def test_the_gradient_of_what_is_copied_in(shape, dtype, create_graph):
    source = nt.ones(*shape, dtype=dtype, requires_grad=True) if shape else nt.tensor(1.0, dtype=dtype).requires_grad_()
    target = nt.zeros(2, 3, dtype=nt.float64)
    target.copy_(source * 2)
    weights = nt.arange(6.0, dtype=nt.float64).reshape(2, 3)
    (gradient,) = nt.autograd.grad((target * weights).sum(), source, create_graph=create_graph)
    assert gradient.dtype is dtype and gradient.shape == shape
    expected = 2 * (weights.numpy().sum(0) if len(shape) < 2 or shape[0] == 1 else weights.numpy())
    np.testing.assert_array_equal(gradient.detach().numpy(), expected.sum() if not shape else expected.reshape(shape))


def test_copying_into_a_part_makes_the_whole_tracked():
    source = nt.ones(3, requires_grad=True)
    whole = nt.zeros(2, 3)
    whole[0].copy_(source)
    assert whole.requires_grad
    (whole * nt.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])).sum().backward()
    assert source.grad.tolist() == [1.0, 2.0, 3.0]


def test_filling_with_a_tensor_gives_it_the_sum_of_gradients():
    value = nt.tensor(2.0, requires_grad=True)
    filled = nt.zeros(2, 3).fill_(value)
    (filled * filled).sum().backward()
    assert value.grad.item() == 24.0


def test_copying_is_differentiable_twice():
    x = nt.tensor([1.0, 2.0, 3.0], dtype=nt.float64).requires_grad_()

    def function(x):
        return (nt.zeros(2, 3, dtype=nt.float64).copy_(x) ** 3).sum()

    assert nt.autograd.gradcheck(function, x)
    assert nt.autograd.gradgradcheck(function, x)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda t: t.copy_(nt.ones(2)), RuntimeError, "copy_: src of shape"),
        (lambda t: t.copy_(nt.ones(2, 2, 3)), RuntimeError, "copy_: src of shape"),
        (lambda t: t.copy_("x"), TypeError, "copy_: argument 'src'"),
        (lambda t: t.fill_(nt.ones(1)), RuntimeError, "fill_: only a number or a 0-d tensor"),
        (lambda t: t.fill_("x"), TypeError, "fill_"),
        (lambda t: t.uniform_(2, 1), RuntimeError, "uniform_"),
        (lambda t: t.normal_(0, -1), RuntimeError, "normal_"),
        (lambda t: t.exponential_(0), RuntimeError, "exponential_"),
        (lambda t: t.bernoulli_(2.0), RuntimeError, "bernoulli_"),
        (lambda t: t.random_(5, 5), RuntimeError, "random"),
    ],
)
def test_refused_calls_write_nothing(call, error, match):
    target = nt.full((2, 3), 7.0)
    with pytest.raises(error, match=match):
        call(target)
    assert (target == 7).all() and target._version == 0


@pytest.mark.parametrize(
    ("kind", "value", "held"),
    [(nt.int64, 2.7, 2), (nt.uint8, -1, 255), (nt.bool, 3, True), (nt.float32, float("inf"), float("inf"))],
)
def test_numbers_are_converted_like_pytorch(kind, value, held):
    assert nt.zeros(1, dtype=kind).fill_(value).tolist() == [held]


@pytest.mark.parametrize(
    ("kind", "value"), [(nt.uint8, 256), (nt.int8, -129), (nt.float32, 1e39), (nt.int64, float("nan"))]
)
def test_numbers_that_do_not_fit_are_refused(kind, value):
    with pytest.raises(RuntimeError, match=r"fill_: .*without overflow"):
        nt.zeros(1, dtype=kind).fill_(value)




# torch.zeros(3, dtype=...).random_() after torch.manual_seed(0)
WHOLE_RANGE = {
    "bool": [False, True, True],
    "uint8": [172, 47, 117],
    "int8": [44, 47, 117],
    "int16": [2732, 10799, 9845],
    "int32": [209652396, 398764591, 924231285],
    "int64": [900450186894289455, 3969543146641149120, 1895649597198586619],
    "float32": [8325664.0, 12888472.0, 1484222.0],
    "float64": [8737460674930124.0, 6375474555111176.0, 4137753702977065.0],
}


@pytest.mark.parametrize(("kind", "expected"), WHOLE_RANGE.items())
def test_random_without_bounds_covers_the_dtype(kind, expected):
    nt.manual_seed(0)
    assert nt.zeros(3, dtype=kind).random_().tolist() == expected


@pytest.mark.parametrize("name", [name for name, _, _ in CASES if name != "copy_"])
def test_empty_target(name):
    arguments = (2,) if name == "fill_" else ()
    assert getattr(nt.ones(0, 3), name)(*arguments).shape == (0, 3)
