"""Gradients of the norms in ``forward/norm.py``.

Gradient and result keep the reduced dimensions with extent 1, or are one number per row.
"""

from .. import elementary
from ..declare import elementwise
from ..intrinsics import copysign, fabs


@elementwise(repeated=("grad", "output"))
def logsumexp(grad, x, output):
    """grad * exp(x - output)."""
    return grad * elementary.exp(x - output)


@elementwise(repeated=("grad", "output"))
def norm_2(grad, x, output):
    """grad * x / output; 0 where the norm is 0."""
    return type(x)(0) if output == type(x)(0) else grad * (x / output)


@elementwise
def norm_1(grad, x, output):
    """grad * sign(x)."""
    return grad * copysign(type(x)(1), x) if x != type(x)(0) else type(x)(0)


@elementwise
def norm_extreme(grad, x, output, ties):
    """grad * sign(x) / ties where abs(x) is the norm, 0 elsewhere; for the orders inf and -inf."""
    hit = fabs(x) == output or (x != x and output != output)
    return grad / ties * copysign(type(x)(1), x) if hit and x != type(x)(0) else type(x)(0)


@elementwise
def norm_p(grad, x, output, p: float):
    """grad * sign(x) * (abs(x) / output)**(p - 1); 0 where x is 0."""
    if x == type(x)(0):
        return type(x)(0)
    return grad * copysign(elementary.pow(fabs(x) / output, p - type(x)(1)), x)
