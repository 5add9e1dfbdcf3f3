"""Large operands that do not lie alike: the same results as NumPy's way through the same loop."""

import numpy as np
import pytest

import numtensor as nt
from numtensor.kernels import transposition, unlike
from numtensor.kernels.declare import REGISTRY
from tests.kernels.test_element_loop import same_bits

DTYPES = ["bool", "uint8", "int16", "int32", "float32", "int64", "float64"]


def numbers(shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).integers(0, 2 if dtype == "bool" else 99, shape).astype(dtype)


def both_ways(name, *operands, dtype="float32"):
    """Return what the quick call does and what the ufunc does."""
    kernel = REGISTRY[name]
    return kernel.calls[np.dtype(dtype)](*operands), kernel.loops[np.dtype(dtype)](*operands)


# ---------------------------------------------------------------------------------------------------------------------
# Transposed


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (7, 9), (16, 16), (33, 65), (40, 8), (100, 201)])
def test_a_transposed_copy(dtype, shape):
    x = numbers(shape, dtype).T
    out = np.empty(x.shape, dtype)
    transposition.copy(x, 0, out)
    same_bits(out, np.ascontiguousarray(x))


@pytest.mark.parametrize("axes", [(0, 2, 1), (1, 2, 0), (2, 1, 0), (2, 0, 1), (1, 0, 2)])
@pytest.mark.parametrize("part", [slice(None), slice(3, -2), slice(None, None, 2), slice(None, None, -1)])
def test_an_ordered_copy(axes, part):
    x = numbers((40, 24, 36)).transpose(axes)[part, 1:]
    copied = transposition.ordered_copy(x)
    assert copied.flags.c_contiguous
    assert not np.shares_memory(copied, x)
    same_bits(copied, np.ascontiguousarray(x))


def test_an_ordered_copy_of_few_of_nothing_and_of_repeated_elements():
    for x in (numbers((3, 4)).T, np.empty((0, 5000)).T, np.broadcast_to(numbers(5000), (3, 5000)).T, np.array(3.0)):
        same_bits(transposition.ordered_copy(x), np.ascontiguousarray(x).reshape(x.shape))


def test_it_copies_what_is_not_dense_too():
    x = numbers((50, 60))[::2, ::3].T
    out = np.empty(x.shape, x.dtype)
    transposition.copy(x, 0, out)
    same_bits(out, np.ascontiguousarray(x))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "uint8"])
@pytest.mark.parametrize("shape", [(130, 140), (1000, 70), (70, 1000), (8, 2100), (12, 40, 50), (1000, 130)])
def test_a_transposed_operand(shape, dtype):
    x, y = numbers(shape, dtype), numbers(shape[::-1], dtype, seed=1)
    assert x.size >= unlike.LARGE
    for operands in ((x.T, y), (y, x.T)):
        found, expected = both_ways("forward.arithmetic.sub", *operands, dtype=dtype)
        assert found.flags.c_contiguous
        same_bits(found, expected)


def test_transposed_operands_and_numbers_with_several_results():
    x, y = numbers((150, 160)), numbers((160, 150), seed=1)
    same_bits(*both_ways("backward.arithmetic.mul", y, x.T, y))
    same_bits(*both_ways("forward.choice.clamp", x.T, np.array(3, np.float32), y))
    same_bits(*both_ways("forward.choice.where", (x > 30).T, x.T, y))


def test_operands_that_are_neither():
    x, y = numbers((150, 160)), numbers((160, 150), seed=1)
    for operands in ((x.T, x.T), (x.T, y[::-1]), (x[::2, ::-1].T, y[:, ::2]), (x.T, y[:1]), (x.T, y[:, :1])):
        same_bits(*both_ways("forward.arithmetic.sub", *operands))


def test_an_operand_that_is_the_other_one_transposed():
    x = numbers((150, 150))
    same_bits(*both_ways("forward.arithmetic.sub", x, x.T))
    into = x.copy()
    REGISTRY["forward.arithmetic.sub"].calls[x.dtype](into, into.T, into)
    same_bits(into, x - x.T)


# ---------------------------------------------------------------------------------------------------------------------
# Broadcast

SHAPES = [
    ((200, 100), (100,)),
    ((200, 100), (1, 100)),
    ((200, 100), (200, 1)),
    ((200, 1), (1, 100)),
    ((20, 1, 100), (1, 30, 1)),
    ((8, 16, 13, 13), (16, 1, 1)),
    ((8, 16, 13, 13), (1, 16, 1, 13)),
    ((8, 16, 13, 13), (8, 1, 1, 1)),
    ((2000, 10), (10,)),
    ((2, 9000), (2, 1)),
    ((1, 20000), (3, 1)),
    ((20000,), (1,)),
    ((20000,), ()),
    ((20000, 1), (20,)),
]


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_broadcast_operands(shapes, dtype):
    x, y = numbers(shapes[0], dtype), numbers(shapes[1], dtype, seed=1)
    for operands in ((x, y), (y, x)):
        same_bits(*both_ways("forward.arithmetic.sub", *operands, dtype=dtype))
        same_bits(*both_ways("forward.comparison.gt", *operands, dtype=dtype))


@pytest.mark.parametrize("shapes", [((200, 100), (100,), (200, 1)), ((50, 1, 40), (10, 1), ()), ((200, 100), (), ())])
def test_three_broadcast_operands(shapes):
    operands = [numbers(shape, seed=k) for k, shape in enumerate(shapes)]
    same_bits(*both_ways("forward.choice.clamp", *operands))
    same_bits(*both_ways("forward.choice.where", operands[0] > 30, *operands[1:]))
    same_bits(*both_ways("backward.arithmetic.mul", *operands))


def test_numbers_of_the_formula_are_one_for_all_rows():
    x, y = numbers((200, 100)), numbers((100,), seed=1)
    beta = np.array(0.3, np.float32)
    same_bits(*both_ways("forward.regression_loss.huber_loss", x, y, beta))


def test_shapes_that_do_not_broadcast_are_refused():
    x = nt.ones(300, 100)
    with nt.inference_mode(), pytest.raises(RuntimeError, match=r"sub: .*\(300, 100\).*\(99,\)"):
        x - nt.ones(99)


def test_gradients_of_large_unlike_operands():
    x = nt.from_numpy(numbers((200, 150), "float64")).requires_grad_()
    y = nt.from_numpy(numbers((150, 200), "float64", seed=1)).requires_grad_()
    w = nt.from_numpy(numbers(200, "float64", seed=2)).requires_grad_()
    (x.T * y * w).sum().backward()
    a, b, c = x.detach().numpy(), y.detach().numpy(), w.detach().numpy()
    np.testing.assert_allclose(x.grad.numpy(), (b * c).T)
    np.testing.assert_allclose(y.grad.numpy(), a.T * c)
    np.testing.assert_allclose(w.grad.numpy(), (a.T * b).sum(0))
