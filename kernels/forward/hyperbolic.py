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
