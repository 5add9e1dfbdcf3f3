"""Exponentials and logarithms. ``backward/exponential.py`` mirrors this file."""

from .. import elementary, intrinsics
from ..declare import elementwise


@elementwise
def exp(x):
    """e**x."""
    return elementary.exp(x)


@elementwise
def exp2(x):
    """2**x."""
    return elementary.exp2(x)


@elementwise
def expm1(x):
    """e**x - 1, accurate near 0."""
    return elementary.expm1(x)


@elementwise
def log(x):
    """The natural logarithm; -inf at 0, nan below."""
    return elementary.log(x)


@elementwise
def log1p(x):
    """log(1 + x), accurate near 0."""
    return elementary.log1p(x)


@elementwise
def log2(x):
    """The logarithm to base 2."""
    return elementary.log2(x)


@elementwise
def log10(x):
    """The logarithm to base 10."""
    return elementary.log10(x)


@elementwise
def logaddexp(x, y):
    """log(e**x + e**y) without overflow."""
    larger = x if x >= y else y
    # Of equal infinities the difference is nan.
    distance = type(x)(0) if x == y else intrinsics.fabs(x - y)
    return larger + elementary.log1p(elementary.exp(-distance))
