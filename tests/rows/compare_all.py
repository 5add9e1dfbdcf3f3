"""Rows of numtensor/ops/compare_all.py."""

import numpy as np

from ..op_table import ALL, Bad, Row, S, T

ODD = T(6, values=[1.0, np.inf, -np.inf, np.nan, 0.0, 100.0], dtype="float64")
NEAR = T(6, values=[1.0 + 5e-6, np.inf, np.inf, np.nan, 1e-9, 100.002], dtype="float64")


def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    return np.isclose(input.astype(np.float64), other.astype(np.float64), rtol, atol, equal_nan)


ROWS = [
    Row(
        "isclose",
        [
            S(T(3, 4), T(3, 4)),
            S(T(3, 1), T(4)),
            S(T(), T()),
            S(T(0), T(0)),
            S(T(3, 4), T(3, 4), 0.5, 1.0),
            S(T(3, 4), T(3, 4), rtol=0, atol=0),
            S(ODD, NEAR),
            S(ODD, NEAR, equal_nan=True),
            S(ODD, NEAR, 1e-3),
            S(ODD, ODD, equal_nan=True),
        ],
        isclose,
        dtypes=ALL,
        grad=False,
        bad=[
            Bad(S(T(3), T(3, dtype="int64")), RuntimeError, "did not match"),
            Bad(S(T(3), T(3), -1.0), RuntimeError, "greater than or equal to zero"),
            Bad(S(T(3), T(4)), RuntimeError, "shapes"),
            Bad(S(T(3), 1.0), TypeError, "other"),
        ],
    ),
]
