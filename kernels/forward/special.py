"""Special functions: the error function. ``backward/special.py`` mirrors this file."""

from .. import elementary
from ..declare import elementwise


@elementwise
def erf(x):
    """The error function."""
    return elementary.erf(x)


@elementwise
def erfc(x):
    """1 - erf(x), accurate where erf(x) is near 1."""
    return elementary.erfc(x)
