"""Rows of numtensor/ops/variance.py."""

import numpy as np

from ..op_table import Bad, Row, S, T
from ..reduction_samples import OUT_OF_RANGE, TWICE, numpy_axis


def _moments(function):
    def reference(x, dim=None, unbiased=None, keepdim=False, correction=None):
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        correction = (1 if unbiased in (None, True) else 0) if correction is None else correction
        return function(x, axis=numpy_axis(dim), keepdims=keepdim, ddof=correction)

    return reference


def _and_mean(function):
    def reference(x, dim=None, unbiased=None, keepdim=False, correction=None):
        spread = _moments(function)(x, dim, unbiased, keepdim, correction)
        mean = np.mean(x, axis=None if isinstance(dim, bool) else numpy_axis(dim), keepdims=keepdim)
        return np.asarray(spread), np.asarray(mean)

    return reference


ROWS = [
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
]
