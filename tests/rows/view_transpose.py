"""Rows of numtensor/ops/view_transpose.py."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..op_table import ALL, Row, S, T


def every_other(array):
    return array[::2]


def windows(array):
    return sliding_window_view(array, 2)


def embedded(array, shape, replay):
    whole = np.zeros(shape, array.dtype)
    positions = replay(np.arange(whole.size).reshape(shape))
    np.add.at(whole.reshape(-1), positions.ravel(), array.ravel())
    return whole


ROWS = [
    Row(
        "ops.embed",
        [S(T(2), (4,), every_other), S(T(3, 2), (4,), windows), S(T(0, 2), (0, 2), every_other)],
        embedded,
    ),
    Row(
        "ops.extract",
        [S(T(4), every_other), S(T(4, 2), every_other), S(T(4), windows)],
        lambda array, replay: replay(array),
        dtypes=ALL,
    ),
]
