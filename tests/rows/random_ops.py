"""Rows of numtensor/ops/random_ops.py: the numbers themselves are compared with PyTorch's in test_random_streams."""

import numpy as np

from numtensor import dtypes
from numtensor import random as streams

from ..op_table import FLOATING, Bad, Row, S, T

SIZES = [S(2, 3), S((2, 3)), S([4]), S(()), S(0, 2), S(20, dtype=dtypes.float64), S(size=(17,))]
BAD_SIZES = [
    Bad(S(2, -1), RuntimeError, "negative dimension"),
    Bad(S(2.5), TypeError, "must be ints"),
    Bad(S(2, dtype=dtypes.int64), NotImplementedError, "int64"),
    Bad(S(2, device="cuda"), RuntimeError, "device 'cuda' is not available"),
]
LIKE = [S(T(2, 3)), S(T()), S(T(0, 2)), S(T(20), dtype=dtypes.float64)]
BAD_LIKE = [Bad(S(T(3, dtype="int64")), NotImplementedError, "int64")]


def stream():
    """Return a generator in the state in which the op drew: the table seeds each call with 0."""
    return streams.Generator().manual_seed(0)


def shape_of(size, options):
    return options.get("size", size[0] if len(size) == 1 else size)


def same(result, expected):
    np.testing.assert_array_equal(result, expected, strict=True)


def check_rand(result, *size, **options):
    same(result, stream().rand(shape_of(size, options), options.get("dtype", np.float32)))


def check_randn(result, *size, **options):
    same(result, stream().randn(shape_of(size, options), options.get("dtype", np.float32)))


def check_randint(result, low=0, high=None, size=None, dtype=np.int64):
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    same(result, stream().randint(low, high, size, dtype))


def check_randint_like(result, input, low, high=None, dtype=None):
    low, high = (0, low) if high is None else (low, high)
    same(result, stream().randint(low, high, input.shape, dtype or input.dtype))


def check_bernoulli(result, input, p=None):
    assert set(np.unique(result)) <= {0.0, 1.0}
    same(result, stream().bernoulli(input) if p is None else stream().bernoulli_scalar(input.shape, p, input.dtype))


def check_normal(result, mean, std=1.0, size=None, dtype=np.float32):
    arrays = [v for v in (mean, std) if isinstance(v, np.ndarray)]
    if not arrays:
        same(result, stream().normal(size, mean, std, dtype))
        return
    drawn = stream().randn(np.broadcast_shapes(*(a.shape for a in arrays)), arrays[0].dtype)
    np.testing.assert_allclose(result, drawn * std + mean, rtol=1e-6)
    assert result.dtype == arrays[0].dtype


ROWS = [
    Row("rand", SIZES, check=check_rand, dtypes=("float32",), bad=BAD_SIZES),
    Row("randn", SIZES, check=check_randn, dtypes=("float32",), bad=BAD_SIZES),
    Row(
        "randint",
        [
            S(10, (2, 3)),
            S(-3, 10, (4,)),
            S(low=3, high=10, size=(4,)),
            S(high=10, size=[2]),
            S(10, (0,)),
            S(0, 2, (5,), dtype=dtypes.float32),
            S(100, (5,), dtype=dtypes.uint8),
        ],
        check=check_randint,
        dtypes=("int64",),
        bad=[
            Bad(S(10, 3, (2,)), RuntimeError, "to be less than"),
            Bad(S(0, 300, (2,), dtype=dtypes.uint8), RuntimeError, "out of bounds"),
            Bad(S("a", 3, (2,)), TypeError, "low"),
            Bad(S(3, (-2,)), RuntimeError, "negative dimension"),
        ],
    ),
    Row(
        "randperm",
        [S(10), S(0), S(1), S(100, dtype=dtypes.int32)],
        check=lambda result, n, dtype=np.int64: same(result, stream().randperm(n, dtype)),
        dtypes=("int64",),
        bad=[Bad(S(-1), RuntimeError, "negative dimension")],
    ),
    Row(
        "rand_like",
        LIKE,
        check=lambda result, input, dtype=None: same(result, stream().rand(input.shape, dtype or input.dtype)),
        bad=BAD_LIKE,
        grad=False,
    ),
    Row(
        "randn_like",
        LIKE,
        check=lambda result, input, dtype=None: same(result, stream().randn(input.shape, dtype or input.dtype)),
        bad=BAD_LIKE,
        grad=False,
    ),
    Row(
        "randint_like",
        [S(T(2, 3), 10), S(T(4), -3, 10), S(T(4), 10, dtype=dtypes.int64)],
        check=check_randint_like,
        dtypes=("int8", "int64", *FLOATING),
        bad=[Bad(S(T(2), 3, 3), RuntimeError, "to be less than")],
        grad=False,
    ),
    Row(
        "bernoulli",
        [S(T(40)), S(T(3, 4)), S(T()), S(T(0)), S(T(40), 0.3)],
        check=check_bernoulli,
        domain=(0.0, 1.0),
        grad=False,
        bad=[
            Bad(S(T(1, values=[1.5])), RuntimeError, "p_in"),
            Bad(S(T(2), 1.5), RuntimeError, r"\[0, 1\]"),
            Bad(S(T(2, dtype="int64")), NotImplementedError, "int64"),
        ],
    ),
    Row(
        "multinomial",
        [S(T(5), 3), S(T(2, 5), 5), S(T(2, 5), 9, True), S(T(1, 3), 1)],
        check=lambda result, input, *rest: same(result, stream().multinomial(input, *rest)),
        domain=(0.1, 1.0),
        grad=False,
        bad=[
            Bad(S(T(3), 4), RuntimeError, "without replacement"),
            Bad(S(T(2, values=[1.0, -1.0]), 1), RuntimeError, "element < 0"),
            Bad(S(T(3, dtype="int64"), 1), RuntimeError, "int64"),
        ],
    ),
    Row(
        "normal",
        [
            S(0.0, 1.0, (2, 3)),
            S(5.0, 2.0, size=(20,)),
            S(0.0, 1.0, (3,), dtype=dtypes.float64),
            S(T(20), 0.5),
            S(1.5, T(20)),
            S(T(3, 1), T(4)),
            S(T(0)),
        ],
        check=check_normal,
        domain=(0.5, 2.0),
        grad=False,
        bad=[
            Bad(S(0.0, 1.0), TypeError, "size"),
            Bad(S(T(3), T(4)), RuntimeError, "broadcast"),
            Bad(S(0.0, T(1, values=[-1.0])), RuntimeError, "std"),
            Bad(S(0.0, -1.0, (2,)), RuntimeError, "std"),
            Bad(S(T(3), 1.0, (3,)), TypeError, "size"),
        ],
    ),
]
