"""What the rows of elementwise ops share."""

import numpy as np

from .op_table import Bad, Row, S, T

INF = float("inf")
NAN = float("nan")
SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 1e-30, -1e30, INF, -INF, NAN]

# Each value beside each other one, in both precisions.
PAIRS = [
    S(T(dtype=dtype, values=[[v] for v in SPECIAL]), T(dtype=dtype, values=SPECIAL)) for dtype in ("float32", "float64")
]
SHAPES = [S(T(3, 4)), S(T()), S(T(0, 3)), S(T(2, 1, 5))]
TWO_SHAPES = [
    S(T(3, 4), T(3, 4)),
    S(T(3, 4), T(4)),
    S(T(3, 1), T(1, 4)),
    S(T(), T()),
    S(T(2, 3), T()),
    S(T(0, 3), T(3)),
    S(T(5), 2),
    S(2, T(5)),
]
MISMATCH = Bad(S(T(3), T(4)), RuntimeError, "shapes")
NOT_A_NUMBER = Bad(S(T(3), "x"), TypeError, "other")


def special(values=SPECIAL):
    """Return samples of special values in both precisions, for values only."""
    return [S(T(dtype=dtype, values=values)) for dtype in ("float32", "float64")]


def unary(name, reference, domain=(-3.0, 3.0), values=SPECIAL):
    """Return the row of a function that is differentiable on its domain, and that computes integers as floats."""

    def of_floats(x):
        return reference(np.asarray(x, float))

    integral = [S(T(dtype="int64", values=[0, 1, 2])), S(T(dtype="bool", values=[True, False]))]
    samples = [*SHAPES, *special(values), *integral]
    return Row(name, samples, of_floats, domain=domain, bad=[Bad(S("x"), TypeError, "input")])
