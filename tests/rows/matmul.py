"""Rows of numtensor/ops/matmul.py."""

import numpy as np

from ..op_table import FLOATING, Bad, Row, S, T

# Integers are multiplied by NumPy's loops, floats by BLAS.
DTYPES = ("uint8", "int32", "int64", *FLOATING)


def linear(input, weight, bias=None):
    result = np.matmul(input, weight.T)
    return result if bias is None else result + bias


def added(input, first, second, beta=1, alpha=1):
    product = alpha * np.matmul(first, second)
    return product if beta == 0 else beta * input + product


ROWS = [
    Row(
        "matmul",
        [
            S(T(3, 4), T(4, 5)),
            S(T(4), T(4)),
            S(T(3, 4), T(4)),
            S(T(4), T(4, 5)),
            S(T(2, 3, 4), T(4, 5)),
            S(T(2, 3, 4), T(4)),
            S(T(4), T(2, 4, 5)),
            S(T(3, 4), T(2, 4, 5)),
            S(T(2, 3, 4), T(2, 4, 5)),
            S(T(3, 1, 2, 4), T(5, 4, 2)),
            S(T(3, 0), T(0, 2)),
            S(T(0, 3), T(3, 2)),
            S(T(2, 0, 3), T(3, 2)),
            S(T(0), T(0)),
        ],
        np.matmul,
        dtypes=DTYPES,
        bad=[
            Bad(S(T(3, 4), T(3, 4)), RuntimeError, r"\(3, 4\) and \(3, 4\) cannot be multiplied"),
            Bad(S(T(2, 3, 4), T(3, 4, 5)), RuntimeError, r"\(2, 3, 4\) and \(3, 4, 5\) do not match"),
            Bad(S(T(), T(3)), RuntimeError, "at least 1D"),
            Bad(S(T(3, 3), T(3, 3, dtype="int64")), RuntimeError, "expected m1 and m2 to have the same dtype"),
            Bad(S(T(2, 2, dtype="bool"), T(2, 2, dtype="bool")), NotImplementedError, "bool"),
            Bad(S(T(2, 2), 3), TypeError, "other"),
        ],
    ),
    Row(
        "mm",
        [S(T(3, 4), T(4, 5)), S(T(1, 4), T(4, 1)), S(T(3, 0), T(0, 2)), S(T(0, 3), T(3, 2))],
        np.matmul,
        dtypes=DTYPES,
        bad=[
            Bad(S(T(3), T(3)), RuntimeError, "2 and 2 dimensions"),
            Bad(S(T(3, 4), T(3, 4)), RuntimeError, "cannot be multiplied"),
        ],
    ),
    Row(
        "bmm",
        [S(T(2, 3, 4), T(2, 4, 5)), S(T(0, 3, 4), T(0, 4, 5)), S(T(2, 3, 0), T(2, 0, 5))],
        np.matmul,
        dtypes=DTYPES,
        bad=[
            Bad(S(T(3, 4), T(4, 5)), RuntimeError, "3 and 3 dimensions"),
            Bad(S(T(1, 3, 4), T(2, 4, 5)), RuntimeError, "first sizes"),
            Bad(S(T(2, 3, 4), T(2, 3, 4)), RuntimeError, "cannot be multiplied"),
        ],
    ),
    Row(
        "mv",
        [S(T(3, 4), T(4)), S(T(0, 4), T(4)), S(T(3, 0), T(0))],
        np.matmul,
        dtypes=DTYPES,
        bad=[
            Bad(S(T(3, 4), T(4, 1)), RuntimeError, "2 and 1 dimensions"),
            Bad(S(T(3, 4), T(3)), RuntimeError, "cannot be multiplied"),
        ],
    ),
    Row(
        "dot",
        [S(T(4), T(4)), S(T(0), T(0))],
        np.dot,
        dtypes=DTYPES,
        bad=[
            Bad(S(T(4), T(1)), RuntimeError, "first sizes"),
            Bad(S(T(2, 2), T(2)), RuntimeError, "1 and 1 dimensions"),
        ],
    ),
    Row(
        "outer",
        [S(T(3), T(4)), S(T(0), T(4)), S(T(1), T(1))],
        np.outer,
        dtypes=DTYPES,
        bad=[Bad(S(T(2, 2), T(2)), RuntimeError, "1-D")],
    ),
    Row(
        "nn.functional.linear",
        [
            S(T(3, 4), T(5, 4), T(5)),
            S(T(3, 4), T(5, 4)),
            S(T(4), T(5, 4), T(5)),
            S(T(2, 3, 4), T(5, 4), T(5)),
            S(T(2, 3, 4), T(4)),
            S(T(3, 4), T(5, 4), T(1)),
            S(T(0, 4), T(5, 4), T(5)),
            S(T(3, 0), T(5, 0), T(5)),
        ],
        linear,
        dtypes=DTYPES,
        bad=[
            Bad(S(T(3, 4), T(4, 5)), RuntimeError, r"input \(3, 4\) and weight \(4, 5\)"),
            Bad(S(T(3, 4), T(5, 4), T(4)), RuntimeError, r"bias of shape \(4,\)"),
            Bad(S(T(3, 4), T(5, 4), T(5, dtype="int64")), RuntimeError, "dtype"),
            Bad(S(T(3, 4), T(5, 4, dtype="int64")), RuntimeError, "same dtype"),
            Bad(S(T(), T(5, 4)), RuntimeError, "shapes"),
            Bad(S(T(3, 4), T(2, 5, 4)), RuntimeError, "shapes"),
        ],
    ),
    Row(
        "addmm",
        [
            S(T(3, 5), T(3, 4), T(4, 5)),
            S(T(5), T(3, 4), T(4, 5), beta=0.5, alpha=2.0),
            S(T(1, values=[np.nan], grad=False), T(3, 4), T(4, 5), beta=0),
        ],
        added,
        bad=[Bad(S(T(2, 3, 5), T(3, 4), T(4, 5)), RuntimeError, "does not expand")],
    ),
    Row(
        "addmv",
        [S(T(3), T(3, 4), T(4)), S(T(), T(3, 4), T(4), beta=0.5, alpha=2.0)],
        added,
        bad=[Bad(S(T(2, 3), T(3, 4), T(4)), RuntimeError, "does not expand")],
    ),
    Row(
        "baddbmm",
        [S(T(2, 3, 5), T(2, 3, 4), T(2, 4, 5)), S(T(3, 1), T(2, 3, 4), T(2, 4, 5), beta=0.5, alpha=2.0)],
        added,
        bad=[Bad(S(T(2, 2, 3, 5), T(2, 3, 4), T(2, 4, 5)), RuntimeError, "does not expand")],
    ),
]
