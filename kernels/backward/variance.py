"""Gradients of the variances in ``forward/variance.py``.

Gradient and results keep the reduced dimensions with extent 1, or are one number per row.
"""

from ..declare import elementwise


@elementwise(repeated=("grad", "mean"))
def var(grad, x, mean, factor: float):
    """grad * factor * (x - mean), where factor is 2 / (n - correction)."""
    return grad * (factor * (x - mean))


@elementwise(repeated=("grad", "mean", "output"))
def std(grad, x, mean, output, factor: float):
    """grad / output * factor * (x - mean), where factor is 1 / (n - correction); 0 where the output is 0."""
    return type(x)(0) if output == type(x)(0) else grad / output * (factor * (x - mean))
