"""Rows of numtensor/ops/order.py."""

import math

import numpy as np

from ..op_table import FLOATING, NUMERIC, Bad, Row, S, T

NAN = T(
    2, 5, values=[[1.0, math.nan, 3.0, 0.0, -math.inf], [4.0, 2.0, math.inf, -1.0, 2.5]], dtype="float64", grad=False
)
TIES = T(5, values=[1.0, 2.0, 2.0, 2.0, 3.0], grad=False)
OUT_OF_RANGE = Bad(S(T(3, 4), dim=2), IndexError, "range")


def _kthvalue(x, k, dim=-1, keepdim=False):
    if not x.ndim:
        return x, np.zeros((), np.int64)
    positions = np.argsort(x, axis=dim, kind="stable").take([k - 1], axis=dim)
    values = np.take_along_axis(x, positions, dim)
    return (values, positions) if keepdim else (values.squeeze(dim), positions.squeeze(dim))


def _median(x, dim=None, keepdim=False):
    if dim is None:
        flat = x.reshape(-1)
        return np.asarray(np.nan if np.isnan(flat).any() or not flat.size else np.sort(flat)[(flat.size - 1) // 2])
    values, positions = _kthvalue(x, (x.shape[dim] + 1) // 2 if x.ndim else 1, dim, True)
    if x.ndim and np.isnan(x).any():
        nan = np.isnan(x).any(dim, keepdims=True)
        values, positions = (
            np.where(nan, np.nan, values),
            np.where(nan, np.isnan(x).argmax(dim, keepdims=True), positions),
        )
    return (values, positions) if keepdim or not x.ndim else (values.squeeze(dim), positions.squeeze(dim))


def _all_medians(result, x, dim, keepdim=False):
    np.testing.assert_array_equal(result[0], _median(x, dim, keepdim)[0])
    found = np.take_along_axis(x, np.asarray(result[1] if keepdim else np.expand_dims(result[1], dim)), dim)
    np.testing.assert_array_equal(found if keepdim else found.squeeze(dim), result[0])


def _quantile(x, q, dim=None, keepdim=False, interpolation="linear"):
    return np.quantile(x, q, axis=dim, keepdims=keepdim, method=interpolation)


ROWS = [
    Row(
        "kthvalue",
        [
            S(T(7), 3),
            S(T(3, 5), 2, 1),
            S(T(4, 5), 4, 0, True),
            S(T(2, 5, 3), 1, -2),
            S(T(), 1),
            S(NAN, 5, grad=False),
            S(NAN, 1, grad=False),
            S(T(0, 3), 2),
        ],
        _kthvalue,
        dtypes=FLOATING,
        bad=[
            Bad(S(T(3), 0), RuntimeError, "out of range"),
            Bad(S(T(3), 4), RuntimeError, "out of range"),
            Bad(S(T(3), 1.5), TypeError, "int"),
            Bad(S(T(3), 1, 1), IndexError, "range"),
            Bad(S(T(3, dtype="bool"), 1), NotImplementedError, "bool"),
        ],
    ),
    Row(
        "median",
        [
            S(T(7)),
            S(T(2, 4)),
            S(T()),
            S(T(0)),
            S(TIES),
            S(NAN, grad=False),
            S(T(3, 5), 1),
            S(T(4, 5), 0, True),
            S(T(2, 5, 3), -2),
            S(T(), 0),
            S(NAN, 1, grad=False),
            S(NAN, -1, True, grad=False),
            S(T(0, 3), 1),
        ],
        _median,
        dtypes=FLOATING,
        bad=[
            OUT_OF_RANGE,
            Bad(S("x"), TypeError, "input"),
            Bad(S(T(2, 0), 1), IndexError, "non-zero"),
            Bad(S(T(0, dtype="int64")), RuntimeError, "empty"),
            Bad(S(T(3, dtype="bool")), NotImplementedError, "bool"),
        ],
    ),
    Row(
        "_order.median_all",
        [S(T(7)), S(T(4))],
        lambda x: np.sort(x)[(x.size - 1) // 2],
        dtypes=NUMERIC,
    ),
    Row("_order.median_dim", [S(T(3, 5), 1), S(T(4, 5), 0, True)], check=_all_medians, dtypes=NUMERIC),
    Row(
        "quantile",
        [
            S(T(7), 0.3),
            S(T(2, 4), 0.5),
            S(T(), 0.2),
            S(T(3, 5), 0.9, 1),
            S(T(3, 5), 0.25, 0, True),
            S(T(3, 5), 0.0, -1),
            S(T(3, 5), 1.0, -1, True),
            S(T(3, 5), T(3, domain=(0, 1), grad=False), 1),
            S(T(2, 3, 5), T(2, domain=(0, 1), grad=False), 1, True),
            S(T(6), T(0, grad=False)),
            S(NAN, 0.5, 1, grad=False),
            *(S(T(3, 5), 0.4, 1, False, kind) for kind in ("lower", "higher", "nearest", "midpoint", "linear")),
            S(T(3, 5), 0.25, 1, interpolation="midpoint"),
        ],
        _quantile,
        tolerance={"float32": (1e-5, 1e-5)},  # The reference interpolates in float64, from float64 probabilities.
        bad=[
            Bad(S(T(3, 4), 0.5, 2), IndexError, "range"),
            Bad(S(T(3), 1.5), RuntimeError, "range"),
            Bad(S(T(3), T(2, 2)), RuntimeError, "1D"),
            Bad(S(T(3), 0.5, 0, False, "cubic"), RuntimeError, "interpolation"),
            Bad(S(T(0), 0.5), RuntimeError, "non-empty"),
            Bad(S(T(3, dtype="int64"), 0.5), RuntimeError, "float"),
            Bad(S(T(3, dtype="float32"), T(1, dtype="float64")), RuntimeError, "dtype"),
        ],
    ),
]
