"""Rows of numtensor/ops/rounding.py."""

import numpy as np

from ..elementwise_samples import INF, SHAPES, SPECIAL, special
from ..op_table import NUMERIC, Bad, Row, S, T


def rounding(name, reference, *more, bad=()):
    """Return the row of a function that rounds to integers."""
    samples = [*SHAPES, *special([*SPECIAL, 0.5, 1.5, -0.5, -1.5]), *more]
    bad = [Bad(S("x"), TypeError, "input"), Bad(S(T(2, dtype="bool")), NotImplementedError, "bool"), *bad]
    return Row(name, samples, reference, dtypes=NUMERIC, bad=bad)


def of_floats(function):
    """Return a NumPy function that leaves integers as they are: NumPy 1 makes floats of them."""
    return lambda x: function(x) if x.dtype.kind == "f" else x


ROWS = [
    rounding("floor", of_floats(np.floor)),
    rounding("ceil", of_floats(np.ceil)),
    rounding("trunc", of_floats(np.trunc)),
    rounding(
        "round",
        lambda x, decimals=0: np.round(x, decimals),
        S(T(dtype="float64", values=[0.125, 2.5, -12.345]), decimals=2),
        S(T(dtype="float64", values=[125.0, -375.0, 1234.5]), decimals=-1),
        bad=[Bad(S(T(2, dtype="int64"), decimals=-1), NotImplementedError, "int64")],
    ),
    Row(
        "frac",
        [*SHAPES, *special([v for v in SPECIAL if v not in (INF, -INF)])],
        lambda x: x - np.trunc(x),
        bad=[Bad(S("x"), TypeError, "input"), Bad(S(T(2, dtype="int64")), NotImplementedError, "int64")],
    ),
]
