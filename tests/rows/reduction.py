"""Rows of numtensor/ops/reduction.py."""

import math

import numpy as np

import numtensor as nt

from ..op_table import ALL, FLOATING, NUMERIC, Bad, Row, S, T


def _axis(dim):
    """Return NumPy's axis of PyTorch's dim, where an empty sequence means all."""
    if dim is None or dim == ():
        return None
    return tuple(dim) if isinstance(dim, (tuple, list)) else dim


def _widened(function):
    """Return a NumPy reduction with PyTorch's parameters; integers and bools are computed in int64."""

    def reference(x, dim=None, keepdim=False, dtype=None):
        wide = x.astype(dtype) if dtype is not None else x if x.dtype.kind == "f" else x.astype(np.int64)
        result = function(wide, axis=_axis(dim), keepdims=keepdim)
        return result if dtype is None else result.astype(dtype)

    return reference


def _plain(function):
    return lambda x, dim=None, keepdim=False: function(x, axis=_axis(dim), keepdims=keepdim)


def _with_positions(values, positions):
    def reference(x, dim=None, keepdim=False):
        if dim is None:
            return values(x)
        return values(x, axis=dim, keepdims=keepdim), positions(x, axis=dim, keepdims=keepdim)

    return reference


def _positions(function):
    return lambda x, dim=None, keepdim=False: function(x, axis=dim, keepdims=keepdim)


def _moments(function):
    def reference(x, dim=None, unbiased=None, keepdim=False, correction=None):
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        correction = (1 if unbiased in (None, True) else 0) if correction is None else correction
        return function(x, axis=_axis(dim), keepdims=keepdim, ddof=correction)

    return reference


def _and_mean(function):
    def reference(x, dim=None, unbiased=None, keepdim=False, correction=None):
        spread = _moments(function)(x, dim, unbiased, keepdim, correction)
        mean = np.mean(x, axis=None if isinstance(dim, bool) else _axis(dim), keepdims=keepdim)
        return np.asarray(spread), np.asarray(mean)

    return reference


def _logsumexp(x, dim, keepdim=False):
    x = x.astype(np.float64)
    return np.log(np.sum(np.exp(x), axis=_axis(dim), keepdims=keepdim))


def _norm(x, p="fro", dim=None, keepdim=False, dtype=None):
    size, axis = np.abs(x), _axis(dim)
    if p == math.inf:
        return np.max(size, axis=axis, keepdims=keepdim)
    if p == -math.inf:
        return np.min(size, axis=axis, keepdims=keepdim)
    if p == 0:
        return np.sum(x != 0, axis=axis, keepdims=keepdim).astype(np.float64)
    p = 2 if p == "fro" else p
    return np.sum(size**p, axis=axis, keepdims=keepdim) ** (1 / p)


def _running(function):
    def reference(x, dim, dtype=None):
        wide = x.astype(dtype) if dtype is not None else x if x.dtype.kind == "f" else x.astype(np.int64)
        return function(wide, axis=dim, dtype=wide.dtype)

    return reference


DIMS = [
    S(T(3, 4)),
    S(T()),
    S(T(5)),
    S(T(3, 4), 0),
    S(T(3, 4), -1),
    S(T(3, 4), 1, True),
    S(T(2, 3, 4), 1),
    S(T(2, 3, 4), dim=1, keepdim=True),
]
SEVERAL = [
    S(T(2, 3, 4), (0, 1)),
    S(T(2, 3, 4), (2, 1), True),
    S(T(2, 3, 4), [0, 2]),
    S(T(2, 3, 4, 2), (1, -1)),
    S(T(2, 3, 4), (0, 1, 2), True),
]
# More rows than are added at a time, more columns than one strip, and more elements than one block.
LARGE = [S(T(37, 5), 0, grad=False), S(T(2, 21, 700), 1, grad=False), S(T(1500), grad=False)]
EMPTY = [S(T(0)), S(T(0, 3), 0), S(T(2, 0, 3), 1), S(T(0, 3), 1)]
OUT_OF_RANGE = [Bad(S(T(3, 4), 2), IndexError, "range"), Bad(S(T(3, 4), -3), IndexError, "range")]
NO_INT = [Bad(S(T(3, 4), "x"), TypeError, "dim")]
TWICE = [Bad(S(T(3, 4), (0, -2)), RuntimeError, "multiple")]
TIES = {"values": [[1.0, 3.0, 3.0], [2.0, 2.0, 0.0]]}
NAN = {"values": [[1.0, math.nan, 3.0], [math.nan, 2.0, math.nan]], "dtype": "float64"}
INFINITE = {"values": [[1.0, math.inf, 3.0], [-math.inf, -math.inf, -math.inf]], "dtype": "float64"}



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
        "amax",
        [*DIMS, *SEVERAL, *LARGE, S(T(0, 3), 1), S(T(**TIES), 1), S(T(**NAN), 1, grad=False), S(T(**INFINITE), 1)],
        _plain(np.amax),
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
        _plain(np.amin),
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
        _plain(np.any),
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
        _plain(np.all),
        dtypes=("bool", "int8", "int32", "int64", *FLOATING),
        grad=False,
        bad=[*OUT_OF_RANGE, *NO_INT],
    ),
    Row(
        "count_nonzero",
        [S(T(3, 4)), S(T()), S(T(3, 4), 0), S(T(2, 3, 4), (0, 2)), S(T(0, 3), 0), S(T(**NAN), 1), S(T(3, 4), ())],
        lambda x, dim=None: np.asarray(np.count_nonzero(x, axis=_axis(dim))),
        dtypes=ALL,
        grad=False,
        bad=OUT_OF_RANGE,
    ),
    *(
        Row(
            name,
            [
                S(T(3, 4)),
                S(T(3, 4), 0),
                S(T(3, 4), -1, True),
                S(T(3, 4), 1, False, True),
                S(T(3, 4), False),
                S(T(3, 4), unbiased=False),
                S(T(2, 3, 4), (0, 2), correction=2),
                S(T(2, 3, 4), 1, keepdim=True, correction=0.5),
                S(T(2, 3, 4), ()),
                S(T(5, domain=(1e6, 1e6 + 1), dtype="float64", grad=False)),
                S(T(700), grad=False),
                S(T(21, 700), 0, grad=False),
                S(T(1), grad=False),
                S(T(0), grad=False),
                S(T(0, 3), 0, grad=False),
                S(T(2), 0, correction=3, grad=False),
            ],
            reference,
            # The data of one sample has a mean of a million standard deviations: it costs six digits.
            tolerance={"float64": (1e-9, 1e-11)},
            bad=[
                *OUT_OF_RANGE,
                *TWICE,
                Bad(S(T(3, dtype="int64")), RuntimeError, "floating"),
                Bad(S(T(3), 0, True, correction=1), TypeError, "not both"),
            ],
        )
        for name, reference in (("var", _moments(np.var)), ("std", _moments(np.std)))
    ),
    *(
        Row(
            name,
            [S(T(3, 4)), S(T(3, 4), 0), S(T(3, 4), -1, keepdim=True, correction=0), S(T(3, 4), False)],
            reference,
        )
        for name, reference in (("var_mean", _and_mean(np.var)), ("std_mean", _and_mean(np.std)))
    ),
    Row(
        "logsumexp",
        [
            S(T(3, 4), 0),
            S(T(3, 4), -1, True),
            S(T(2, 3, 4), 1),
            S(T(2, 3, 4), (0, 2)),
            S(T(2, 3, 4), ()),
            S(T(0, 3), 0),
            S(T(2, 0), 1),
            S(T(1500), 0, grad=False),
            S(T(3, 700), 0, grad=False),
            S(T(**INFINITE), 1, grad=False),
            S(T(**INFINITE), 0, grad=False),
            S(T(**NAN), 1, grad=False),
            S(T(3, dtype="int64"), 0),
        ],
        _logsumexp,
        bad=[*OUT_OF_RANGE, Bad(S(T(3), None), TypeError, "dim")],
    ),
    Row(
        "norm",
        [
            S(T(3, 4)),
            S(T()),
            S(T(3, 4), "fro", 0),
            S(T(3, 4), 2, -1, True),
            S(T(2, 3, 4), 1, 1),
            S(T(2, 3, 4), 3, (0, 2)),
            S(T(2, 3, 4), 1.5, ()),
            S(T(3, 4), 0.5, 1),
            S(T(3, 4), -1, 1),
            S(T(3, 4), math.inf, 1),
            S(T(3, 4), -math.inf, 0, True),
            S(T(3, 4), 0, 1, grad=False),
            S(T(0)),
            S(T(0, 3), 1, 0),
            S(T(1500), grad=False),
            S(T(1500), 1, grad=False),
            S(T(700), 3, grad=False),
            S(T(**NAN), math.inf, 1, grad=False),
        ],
        _norm,
        bad=[
            Bad(S(T(3, 4), 2, 2), IndexError, "range"),
            Bad(S(T(3, dtype="int64")), RuntimeError, "floating"),
            Bad(S(T(3), "nuc"), RuntimeError, "order"),
            Bad(S(T(0), math.inf), RuntimeError, "identity"),
        ],
    ),
    Row(
        "cumsum",
        [
            S(T(5), 0),
            S(T(3, 4), 0),
            S(T(3, 4), -1),
            S(T(2, 3, 4), 1),
            S(T(0, 3), 0),
            S(T(3, 700), 0, grad=False),
            S(T(4), 0, nt.float64),
        ],
        _running(np.cumsum),
        dtypes=ALL,
        bad=[*OUT_OF_RANGE, *NO_INT],
    ),
    Row(
        "cumprod",
        [
            S(T(5), 0),
            S(T(3, 4), 0),
            S(T(3, 4), -1),
            S(T(2, 3, 4), 1),
            S(T(0, 3), 0),
            S(T(4, values=[2.0, 0.0, 3.0, 4.0]), 0),
            S(T(4, values=[2.0, 0.0, 3.0, 0.0]), 0),
            S(T(2, 3, values=[[2.0, 0.0, 3.0], [0.0, 0.0, 1.0]]), 0),
            S(T(4), 0, nt.float64),
        ],
        _running(np.cumprod),
        dtypes=ALL,
        bad=[*OUT_OF_RANGE, *NO_INT],
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
