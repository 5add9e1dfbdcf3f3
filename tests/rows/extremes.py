"""Rows of numtensor/ops/extremes.py."""

import numpy as np

from ..op_table import ALL, NUMERIC, Bad, Row, S, T
from ..reduction_samples import DIMS, INFINITE, LARGE, NAN, OUT_OF_RANGE, SEVERAL, TWICE, plain


def _with_positions(values, positions):
    def reference(x, dim=None, keepdim=False):
        if dim is None:
            return values(x)
        return values(x, axis=dim, keepdims=keepdim), positions(x, axis=dim, keepdims=keepdim)

    return reference


def _positions(function):
    return lambda x, dim=None, keepdim=False: function(x, axis=dim, keepdims=keepdim)


TIES = {"values": [[1.0, 3.0, 3.0], [2.0, 2.0, 0.0]]}


ROWS = [
    Row(
        "amax",
        [*DIMS, *SEVERAL, *LARGE, S(T(0, 3), 1), S(T(**TIES), 1), S(T(**NAN), 1, grad=False), S(T(**INFINITE), 1)],
        plain(np.amax),
        dtypes=ALL,
        gradgrad=False,  # Constant almost everywhere: there is no second derivative to compare.
        bad=[
            *OUT_OF_RANGE,
            *TWICE,
            Bad(S(T(0, 3), 0), IndexError, "non-zero size"),
            Bad(S(T(0, 3)), RuntimeError, "Specify the reduction dim"),
        ],
    ),
    Row(
        "amin",
        [*DIMS, *SEVERAL, *LARGE, S(T(0, 3), 1), S(T(**TIES), 1), S(T(**NAN), 1, grad=False), S(T(**INFINITE), 1)],
        plain(np.amin),
        dtypes=ALL,
        gradgrad=False,
        bad=[
            *OUT_OF_RANGE,
            *TWICE,
            Bad(S(T(0, 3), 0), IndexError, "non-zero size"),
            Bad(S(T(0, 3)), RuntimeError, "Specify the reduction dim"),
        ],
    ),
    Row(
        "max",
        [*DIMS, *LARGE, S(T(0, 3), 1), S(T(**TIES, grad=False), 1), S(T(**NAN, grad=False), 1)],
        _with_positions(np.max, np.argmax),
        dtypes=ALL,
        gradgrad=False,
        bad=[*OUT_OF_RANGE, Bad(S(T(0, 3), 0), IndexError, "size"), Bad(S(T(0)), RuntimeError, "reduction dim")],
    ),
    Row(
        "min",
        [*DIMS, *LARGE, S(T(0, 3), 1), S(T(**TIES, grad=False), 1), S(T(**NAN, grad=False), 1)],
        _with_positions(np.min, np.argmin),
        dtypes=ALL,
        gradgrad=False,
        bad=[*OUT_OF_RANGE, Bad(S(T(0, 3), 0), IndexError, "size"), Bad(S(T(0)), RuntimeError, "reduction dim")],
    ),
    Row(
        "_reduction.max_dim",
        [S(T(3, 4), 0), S(T(3, 4), -1, True), S(T(2, 3, 4), 1), S(T(0, 3), 1)],
        _with_positions(np.max, np.argmax),
        dtypes=ALL,
        gradgrad=False,
    ),
    Row(
        "_reduction.min_dim",
        [S(T(3, 4), 0), S(T(3, 4), -1, True), S(T(2, 3, 4), 1), S(T(0, 3), 1)],
        _with_positions(np.min, np.argmin),
        dtypes=ALL,
        gradgrad=False,
    ),
    Row(
        "argmax",
        [*DIMS, *LARGE, S(T(3, 4), None, True), S(T(**TIES), 1), S(T(**NAN), 1), S(T(**NAN)), S(T(**INFINITE), 0)],
        _positions(np.argmax),
        dtypes=NUMERIC,
        grad=False,
        bad=[
            *OUT_OF_RANGE,
            Bad(S(T(3, dtype="bool")), RuntimeError, "bool"),
            Bad(S(T(0)), IndexError, "reduction dim"),
            Bad(S(T(0, 3), 0), IndexError, "non-zero size"),
            Bad(S(T(3, 4), (0, 1)), TypeError, "dim"),
        ],
    ),
    Row(
        "argmin",
        [*DIMS, *LARGE, S(T(3, 4), None, True), S(T(**TIES), 1), S(T(**NAN), 1), S(T(**NAN)), S(T(**INFINITE), 0)],
        _positions(np.argmin),
        dtypes=NUMERIC,
        grad=False,
        bad=[
            *OUT_OF_RANGE,
            Bad(S(T(3, dtype="bool")), RuntimeError, "bool"),
            Bad(S(T(0)), IndexError, "reduction dim"),
            Bad(S(T(0, 3), 0), IndexError, "non-zero size"),
        ],
    ),
]
