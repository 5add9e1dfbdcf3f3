"""Rows of numtensor/ops/filled.py."""

import numpy as np

from numtensor import dtypes

from ..op_table import ALL, Bad, Row, S, T

SIZES = [S(2, 3), S((2, 3)), S([4]), S(()), S(0, 2), S(5), S(size=(2, 1))]
TYPED = [S(2, 3, dtype=kind) for kind in dtypes.ALL]
BAD_SIZES = [
    Bad(S(2, -1), RuntimeError, "negative dimension"),
    Bad(S(2.5), TypeError, "must be ints"),
    Bad(S(None), TypeError, "must be ints"),
    Bad(S(2, dtype=dtypes.int64, requires_grad=True), RuntimeError, "floating point"),
    Bad(S(2, dtype="complex64"), TypeError, "unsupported dtype"),
    Bad(S(2, device="cuda"), RuntimeError, "device 'cuda' is not available"),
]
LIKE = [S(T(2, 3)), S(T()), S(T(0, 2)), S(T(3), dtype=dtypes.float64), S(T(3), dtype=dtypes.bool_)]


def filled(value):
    """Return a reference that fills a shape given in any form."""

    def reference(*size, **options):
        size = options.get("size", size[0] if len(size) == 1 else size)
        return np.full(size, value, options.get("dtype", np.float32))

    return reference


def filled_like(value):
    return lambda input, dtype=None: np.full(input.shape, value, dtype or input.dtype)


def same_shape(result, input, dtype=None):
    assert result.shape == input.shape
    assert result.dtype == (input.dtype if dtype is None else dtype)


def empty_shape(result, *size, **options):
    assert result.shape == np.empty(options.get("size", size[0] if len(size) == 1 else size)).shape
    assert result.dtype == options.get("dtype", np.float32)


def full(size, value, dtype=None):
    kinds = {bool: np.bool_, int: np.int64, float: np.float32}
    return np.full(size, value, dtype or kinds[type(value)])


def full_like(input, value, dtype=None):
    return np.full(input.shape, value).astype(dtype or input.dtype)


ROWS = [
    Row("zeros", [*SIZES, *TYPED], filled(0), dtypes=("float32",), bad=BAD_SIZES),
    Row("ones", [*SIZES, *TYPED], filled(1), dtypes=("float32",), bad=BAD_SIZES),
    Row("empty", [S(0, 2), S(0), S(0, dtype=dtypes.int8)], check=empty_shape, dtypes=("float32",), bad=BAD_SIZES),
    Row(
        "full",
        [
            S((2, 3), 1.5),
            S((2,), 3),
            S((), True),
            S([0, 2], 1.0),
            S(3, 2),
            *(S((2,), 1, dtype=kind) for kind in dtypes.ALL),
            S((2,), 2.7, dtype=dtypes.int64),
        ],
        full,
        dtypes=("float32",),
        bad=[
            Bad(S((2,), 300, dtype=dtypes.uint8), RuntimeError, "without overflow"),
            Bad(S((2,), 1e300, dtype=dtypes.float32), RuntimeError, "without overflow"),
            Bad(S((2,), float("nan"), dtype=dtypes.int64), RuntimeError, "without overflow"),
            Bad(S((2,), "x"), TypeError, "number"),
            Bad(S((-2,), 1), RuntimeError, "negative dimension"),
        ],
    ),
    Row("zeros_like", LIKE, filled_like(0), dtypes=ALL, grad=False),
    Row("ones_like", LIKE, filled_like(1), dtypes=ALL, grad=False),
    Row("empty_like", [S(T(0, 2)), S(T(0), dtype=dtypes.int8)], check=same_shape, dtypes=ALL, grad=False),
    Row(
        "full_like",
        [S(T(2, 3), 1), S(T(), 1), S(T(0, 2), 1), S(T(3), 2.5, dtype=dtypes.float64)],
        full_like,
        dtypes=ALL,
        grad=False,
        bad=[Bad(S(T(2, dtype="int8"), 300), RuntimeError, "without overflow")],
    ),
    Row(
        "eye",
        [S(3), S(2, 4), S(0), S(2, dtype=dtypes.int64), S(3, 2, dtype=dtypes.bool_)],
        lambda n, m=None, dtype=np.float32: np.eye(n, m, dtype=dtype),
        dtypes=("float32",),
        bad=[Bad(S(-1), RuntimeError, "negative dimension")],
    ),
]
