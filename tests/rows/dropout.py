"""Rows of numtensor/ops/dropout.py."""

import numpy as np

from ..op_table import Bad, Row, S, T


def check_dropout(result, x, p=0.5, training=True, inplace=False):
    if not training or p == 0:
        np.testing.assert_array_equal(result, x)
        return
    kept = result != 0
    np.testing.assert_allclose(result[kept], x[kept] / (1 - p), rtol=1e-6)
    if x.size >= 1000:
        # Four standard deviations of the share that is kept.
        assert abs(kept.mean() - (1 - p)) <= 4 * np.sqrt(p * (1 - p) / x.size)


POSITIVE = (0.5, 3.0)

ROWS = [
    Row(
        "dropout",
        [
            S(T(3, 4)),
            S(T(50, 40), 0.3, grad=False),
            S(T(3, 4), 0.0),
            S(T(3, 4), 1.0),
            S(T(3, 4), 0.5, training=False),
            S(T()),
            S(T(0, 3)),
        ],
        check=check_dropout,
        domain=POSITIVE,
        bad=[
            Bad(S(T(3), 1.5), ValueError, "between 0 and 1"),
            Bad(S(T(3), -0.5), ValueError, "between 0 and 1"),
            Bad(S(T(3, dtype="int64"), 0.5), RuntimeError, "int64"),
        ],
    ),
]
