"""Rows of numtensor/ops/comparison.py."""

import numpy as np

from ..elementwise_samples import MISMATCH, NOT_A_NUMBER, PAIRS, SHAPES, TWO_SHAPES, special
from ..op_table import ALL, INTEGRAL, Bad, Row, S, T

BITS = ("bool", *INTEGRAL)
MIXED = [
    S(T(dtype="int64", values=[1, 2, 3]), T(dtype="float32", values=[1.5, 2.0, 2.5])),
    S(T(dtype="int64", values=[1, 2, 3]), 2.5),
    S(T(dtype="bool", values=[True, False]), 1),
]
BIT_SHAPES = [S(T(3, 4), T(4)), S(T(3, 1), T(1, 4)), S(T(), T()), S(T(0, 3), T(3))]
FLOATING_BITS = Bad(S(T(3, dtype="float32"), T(3, dtype="float32")), NotImplementedError, "float32")


def comparison(name, reference):
    """Return the row of a comparison."""
    samples = [*TWO_SHAPES, *MIXED, *PAIRS, S(T(3, 4), T(3, 4), grad=False)]
    return Row(name, samples, reference, dtypes=ALL, bad=[MISMATCH, NOT_A_NUMBER])


def test_of_value(name, reference):
    """Return the row of a test for special values."""
    return Row(name, [*SHAPES, *special()], reference, dtypes=ALL, bad=[Bad(S("x"), TypeError, "input")])


def logical(name, reference):
    """Return the row of a logical op."""
    return Row(name, [*TWO_SHAPES, *PAIRS], reference, dtypes=ALL, bad=[MISMATCH, NOT_A_NUMBER])


def bitwise(name, reference):
    """Return the row of a bitwise op."""
    samples = [*BIT_SHAPES, S(T(4, dtype="int32"), 5), S(5, T(4, dtype="int64")), S(T(3, dtype="bool"), True)]
    return Row(name, samples, reference, dtypes=BITS, bad=[MISMATCH, NOT_A_NUMBER, FLOATING_BITS])


ROWS = [
    comparison("eq", np.equal),
    comparison("ne", np.not_equal),
    comparison("lt", np.less),
    comparison("le", np.less_equal),
    comparison("gt", np.greater),
    comparison("ge", np.greater_equal),
    logical("logical_and", np.logical_and),
    logical("logical_or", np.logical_or),
    logical("logical_xor", np.logical_xor),
    Row("logical_not", [*SHAPES, *special()], np.logical_not, dtypes=ALL, bad=[Bad(S("x"), TypeError, "input")]),
    test_of_value("isnan", np.isnan),
    test_of_value("isinf", np.isinf),
    test_of_value("isfinite", np.isfinite),
    bitwise("bitwise_and", np.bitwise_and),
    bitwise("bitwise_or", np.bitwise_or),
    bitwise("bitwise_xor", np.bitwise_xor),
    Row(
        "bitwise_not",
        SHAPES,
        np.invert,
        dtypes=BITS,
        bad=[Bad(S(T(3, dtype="float32")), NotImplementedError, "float32")],
    ),
]
