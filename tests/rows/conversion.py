"""Rows of numtensor/ops/conversion.py."""

import numpy as np

from numtensor import dtypes

from ..op_table import ALL, INTEGRAL, Bad, Row, S, T


def to(input, target=None, other=None, copy=False, dtype=None, device=None):
    for kind in (target, other, dtype):
        if isinstance(kind, np.ndarray):
            kind = kind.dtype
        if kind is not None and not isinstance(kind, (str, bool)):
            return input.astype(kind)
    return input




ROWS = [
    Row(
        "autograd.to_dtype",
        [S(T(3, 4), dtypes.float64), S(T(), dtypes.float64), S(T(0), dtypes.float64)],
        lambda input, dtype: input.astype(dtype),
        # Gradients through a change of precision are in test_conversion.py.
        dtypes=("bool", *INTEGRAL, "float32"),
        domain=(0.0, 3.0),
        bad=[Bad(S(T(3), dtypes.float32), ValueError, "already")],
    ),
    Row(
        "autograd.to_integral",
        [*(S(T(3, 4), kind) for kind in (dtypes.bool_, *dtypes.INTEGRAL)), S(T(), dtypes.int8), S(T(0), dtypes.bool_)],
        lambda input, dtype: input.astype(dtype),
        dtypes=ALL,
        domain=(0.0, 3.0),
        grad=False,
    ),
    Row(
        "Tensor.to",
        [
            S(T(3, 4), dtypes.float64),
            S(T(3, 4), dtype=dtypes.int64),
            S(T(3), "cpu", dtypes.float64),
            S(T(3), device="cpu", dtype=dtypes.int8),
            S(T(), T(2, dtype="int16")),
            S(T(0), dtypes.bool_),
        ],
        to,
        dtypes=ALL,
        domain=(0.0, 3.0),
        result_dtype=lambda name: None,
        bad=[
            Bad(S(T(3), "complex64"), RuntimeError, "device 'complex64' is not available"),
            Bad(S(T(3), "cuda"), RuntimeError, "device 'cuda' is not available"),
            Bad(S(T(3), dtype="complex64"), TypeError, "unsupported dtype"),
        ],
    ),
    Row(
        "Tensor.type_as",
        [S(T(3, 4), T(2)), S(T(3), T(2, dtype="int8"))],
        lambda input, other: input.astype(other.dtype),
        dtypes=ALL,
        domain=(0.0, 3.0),
        result_dtype=lambda name: None,
        bad=[Bad(S(T(3), 2), TypeError, "other")],
    ),
    Row("clone", [S(T(3, 4)), S(T()), S(T(0, 2))], np.copy, dtypes=ALL),
    Row("detach", [S(T(3, 4)), S(T()), S(T(0, 2))], np.copy, dtypes=ALL, grad=False),
    Row("Tensor.contiguous", [S(T(3, 4)), S(T()), S(T(0, 2))], np.copy, dtypes=ALL),
]
