"""Gradients of the formulas in ``forward/elementwise.py``: one result per differentiable input."""

from ..declare import elementwise


@elementwise(results=("T", "T"))
def mul(grad, x, y):
    """grad * y, grad * x."""
    return grad * y, grad * x
