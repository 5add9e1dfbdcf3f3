"""Rows of numtensor/ops/reduction.py."""

import numpy as np

import numtensor as nt

from ..op_table import ALL, FLOATING, Bad, Row, S, T
from ..reduction_samples import DIMS, LARGE, NAN, NO_INT, OUT_OF_RANGE, SEVERAL, TWICE, numpy_axis, plain


def _widened(function):
    """Return a NumPy reduction with PyTorch's parameters; integers and bools are computed in int64."""

    def reference(x, dim=None, keepdim=False, dtype=None):
        wide = x.astype(dtype) if dtype is not None else x if x.dtype.kind == "f" else x.astype(np.int64)
        result = function(wide, axis=numpy_axis(dim), keepdims=keepdim)
        return result if dtype is None else result.astype(dtype)

    return reference


EMPTY = [S(T(0)), S(T(0, 3), 0), S(T(2, 0, 3), 1), S(T(0, 3), 1)]


ROWS = [
    Row(
        "sum",
        [
            *DIMS,
            *SEVERAL,
            *LARGE,
            *EMPTY,
            S(T(3, 4), (), True),
            S(T(3, 4), dtype=nt.float64),
            S(T(4), 0, True, nt.int32),
        ],
        _widened(np.sum),
        dtypes=ALL,
        bad=[*OUT_OF_RANGE, *NO_INT, *TWICE],
    ),
    Row(
        "mean",
        [*DIMS, *SEVERAL, *LARGE, *EMPTY, S(T(3, 4, dtype="int64"), dtype=nt.float64)],
        _widened(np.mean),
        bad=[*OUT_OF_RANGE, *NO_INT, *TWICE, Bad(S(T(3, dtype="int64")), RuntimeError, "dtype")],
    ),
    Row(
        "prod",
        [
            *DIMS,
            *EMPTY,
            S(T(4, values=[2.0, 0.0, 3.0, 4.0])),
            S(T(4, values=[2.0, 0.0, 3.0, 0.0])),
            S(T(2, 3, values=[[2.0, 0.0, 3.0], [0.0, 0.0, 0.0]]), 1),
            S(T(2, 3, values=[[2.0, 0.0, 3.0], [0.0, 0.0, 0.0]]), 0, True),
            S(T(600, domain=(0.9, 1.1), dtype="float64"), grad=False),
            S(T(3, 4), 0, False, nt.float64),
        ],
        _widened(np.prod),
        dtypes=ALL,
        bad=[*OUT_OF_RANGE, Bad(S(T(3, 4), (0, 1)), TypeError, "dim")],
    ),
    Row(
        "any",
        [
            *DIMS,
            *SEVERAL,
            *EMPTY,
            S(T(1500, values=[0.0] * 1499 + [1.0])),
            S(T(700, values=[0.0] * 700)),
            S(T(**NAN), 1),
        ],
        plain(np.any),
        dtypes=("bool", "int8", "int32", "int64", *FLOATING),
        grad=False,
        bad=[*OUT_OF_RANGE, *NO_INT],
    ),
    Row(
        "all",
        [
            *DIMS,
            *SEVERAL,
            *EMPTY,
            S(T(1500, values=[1.0] * 1499 + [0.0])),
            S(T(700, values=[1.0] * 700)),
            S(T(**NAN), 1),
        ],
        plain(np.all),
        dtypes=("bool", "int8", "int32", "int64", *FLOATING),
        grad=False,
        bad=[*OUT_OF_RANGE, *NO_INT],
    ),
    Row(
        "count_nonzero",
        [S(T(3, 4)), S(T()), S(T(3, 4), 0), S(T(2, 3, 4), (0, 2)), S(T(0, 3), 0), S(T(**NAN), 1), S(T(3, 4), ())],
        lambda x, dim=None: np.asarray(np.count_nonzero(x, axis=numpy_axis(dim))),
        dtypes=ALL,
        grad=False,
        bad=OUT_OF_RANGE,
    ),
    Row(
        "nansum",
        [S(T(3, 4)), S(T(3, 4), 0), S(T(3, 4), -1, True), S(T(**NAN, grad=False), 1), S(T(**NAN, grad=False)), S(T(0))],
        _widened(np.nansum),
        dtypes=("int64", *FLOATING),
        bad=OUT_OF_RANGE,
    ),
    Row(
        "nanmean",
        [S(T(3, 4)), S(T(3, 4), 0), S(T(3, 4), -1, True), S(T(**NAN, grad=False), 1), S(T(**NAN, grad=False))],
        _widened(np.nanmean),
        bad=[Bad(S(T(3, dtype="int64")), RuntimeError, "dtype")],
    ),
]
