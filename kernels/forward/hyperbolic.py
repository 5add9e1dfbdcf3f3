"""Hyperbolic functions. ``backward/hyperbolic.py`` mirrors this file."""

from .. import elementary
from ..declare import elementwise


@elementwise
def sinh(x):
    """The hyperbolic sine."""
    return elementary.sinh(x)


@elementwise
def cosh(x):
    """The hyperbolic cosine."""
    return elementary.cosh(x)


@elementwise
def tanh(x):
    """The hyperbolic tangent."""
    return elementary.tanh(x)


@elementwise
def asinh(x):
    """The inverse hyperbolic sine."""
    return elementary.asinh(x)


@elementwise
def acosh(x):
    """The inverse hyperbolic cosine; nan below 1."""
    return elementary.acosh(x)


@elementwise
def atanh(x):
    """The inverse hyperbolic tangent; infinite at -1 and 1, nan outside."""
    return elementary.atanh(x)
