"""Gradients of the formulas in ``forward/choice.py``: one result per differentiable input."""

from ..declare import elementwise


@elementwise(results=("T", "T"))
def maximum(grad, x, y):
    """grad for the larger one, half of it for each at a tie."""
    tied = grad * type(grad)(0.5)
    zero = type(grad)(0)
    return tied if x == y else (zero if x < y else grad), tied if x == y else (zero if x > y else grad)


@elementwise(results=("T", "T"))
def minimum(grad, x, y):
    """grad for the smaller one, half of it for each at a tie."""
    tied = grad * type(grad)(0.5)
    zero = type(grad)(0)
    return tied if x == y else (zero if x > y else grad), tied if x == y else (zero if x < y else grad)


@elementwise(results=("T", "T", "T"))
def clamp(grad, x, low, high):
    """grad for x inside the limits and on them; for a limit where it is the result."""
    zero = type(grad)(0)
    return (
        grad if x >= low and x <= high else zero,
        grad if x < low and low < high else zero,
        grad if x > high or high < low else zero,
    )


@elementwise(results=("T", "T"))
def clamp_min(grad, x, low):
    """grad for x where it is not below the limit, for the limit elsewhere."""
    zero = type(grad)(0)
    return grad if x >= low else zero, grad if x < low else zero


@elementwise(results=("T", "T"))
def clamp_max(grad, x, high):
    """grad for x where it is not above the limit, for the limit elsewhere."""
    zero = type(grad)(0)
    return grad if x <= high else zero, grad if x > high else zero


@elementwise(results=("T", "T"))
def where(grad, condition: bool):
    """grad where each is chosen, 0 elsewhere: nothing of the branch that is not chosen enters."""
    zero = type(grad)(0)
    return grad if condition else zero, zero if condition else grad


@elementwise
def replace_nonfinite(grad, x):
    """grad where x is finite, 0 elsewhere."""
    return grad if x - x == type(x)(0) else type(x)(0)
