"""Rounding to whole numbers. The gradients are zero."""

from .. import intrinsics
from ..declare import elementwise


@elementwise
def floor(x):
    """The largest integer not above x."""
    return intrinsics.floor(x)


@elementwise
def ceil(x):
    """The smallest integer not below x."""
    return intrinsics.ceil(x)


@elementwise
def round(x):
    """The nearest integer, ties to even."""
    return intrinsics.rint(x)


@elementwise
def trunc(x):
    """x without its fraction."""
    return intrinsics.trunc(x)
