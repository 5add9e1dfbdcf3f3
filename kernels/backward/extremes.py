"""Gradients of the extremes in ``forward/extremes.py``.

Gradient and result are broadcast: they keep the reduced dimensions with extent 1.
"""

from ..declare import elementwise


@elementwise
def share(grad, x, best, ties):
    """grad / ties where x is the best one (NaN where that is NaN), 0 elsewhere."""
    return grad / ties if x == best or (best != best and x != x) else type(x)(0)
