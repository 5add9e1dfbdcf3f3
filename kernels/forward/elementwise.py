"""Formulas of elementwise ops. ``backward/elementwise.py`` mirrors this file."""

from ..declare import elementwise


@elementwise
def mul(x, y):
    """x * y."""
    return x * y
