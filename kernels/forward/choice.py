"""Choosing between numbers. ``backward/choice.py`` mirrors this file."""

from ..declare import elementwise

_INF = float("inf")


@elementwise
def maximum(x, y):
    """The larger one; nan if either is nan."""
    return x if x >= y or x != x else y


@elementwise
def minimum(x, y):
    """The smaller one; nan if either is nan."""
    return x if x <= y or x != x else y


@elementwise
def clamp(x, low, high):
    """x limited to [low, high]; high where low > high; nan if any is nan."""
    # Each limit's nan is asked for apart from x: of a limit that is one number the answer is known before the loop.
    x = low if x < low else x
    x = low if low != low else x
    x = high if x > high else x
    return high if high != high else x


@elementwise
def where(condition: bool, x, y):
    """x where the condition holds, y elsewhere."""
    return x if condition else y


@elementwise
def replace_nonfinite(x, nan: float, posinf: float, neginf: float):
    """x, with other numbers in place of nan, inf and -inf."""
    x = nan if x != x else x
    finite = neginf if x == type(x)(-_INF) else x
    finite = posinf if x == type(x)(_INF) else finite
    return nan if x != x else finite
