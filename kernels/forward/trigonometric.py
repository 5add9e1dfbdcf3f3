"""Trigonometric functions and their inverses, in radians. ``backward/trigonometric.py`` mirrors this file."""

from .. import elementary
from ..declare import elementwise
from ..elementary.trigonometric import REDUCTION_LIMIT


@elementwise(limit=("x", REDUCTION_LIMIT))
def sin(x):
    """The sine of radians."""
    return elementary.sin(x)


@elementwise(limit=("x", REDUCTION_LIMIT))
def cos(x):
    """The cosine of radians."""
    return elementary.cos(x)


@elementwise(limit=("x", REDUCTION_LIMIT))
def tan(x):
    """The tangent of radians."""
    return elementary.tan(x)


@elementwise
def asin(x):
    """The arc sine in radians; nan outside [-1, 1]."""
    return elementary.asin(x)


@elementwise
def acos(x):
    """The arc cosine in radians; nan outside [-1, 1]."""
    return elementary.acos(x)


@elementwise
def atan(x):
    """The arc tangent in radians."""
    return elementary.atan(x)


@elementwise
def atan2(y, x):
    """The angle of the point (x, y) in radians."""
    return elementary.atan2(y, x)
