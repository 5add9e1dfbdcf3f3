"""Conversions from one dtype to the working dtype, between those that programs convert most."""

import numpy as np

from ..declare import elementwise


@elementwise
def from_float32(x: np.float32):
    """x, rounded towards zero to an integer; one out of range is what the processor makes of it."""
    return x


@elementwise
def from_float64(x: np.float64):
    """x, rounded to float32, or towards zero to an integer."""
    return x


@elementwise
def from_int32(x: np.int32):
    """x, rounded to a floating dtype."""
    return x


@elementwise
def from_int64(x: np.int64):
    """x, rounded to a floating dtype; of integers the low bits."""
    return x
