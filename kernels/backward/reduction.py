"""Gradients of the reductions in ``forward/reduction.py``. A sum's gradient is the gradient repeated: no kernel.

The elementwise ones broadcast the gradient and the result, which keep the reduced dimensions with extent 1.
"""

import numpy as np

from .. import elementary
from ..declare import elementwise, gufunc
from ..intrinsics import copysign, fabs


@elementwise
def share(grad, x, best, ties):
    """grad / ties where x is the best one (NaN where that is NaN), 0 elsewhere."""
    return grad / ties if x == best or (best != best and x != x) else type(x)(0)


@gufunc("(),(n)->(n)", "T,T->T")
def prod(grad, x, out):
    """grad times the product of all other elements: before it times after it, so zeros are no special case."""
    n = x.shape[0]
    before = 1.0
    for i in range(n):
        out[i] = grad * before
        before *= np.float64(x[i])
    after = 1.0
    for k in range(n):
        i = n - 1 - k
        out[i] = out[i] * after
        after *= np.float64(x[i])


@gufunc("(n),(n)->(n)", "T,T->T")
def cumprod(grad, x, out):
    """The product before element k times s[k], where s[k] = grad[k] + x[k + 1] s[k + 1]."""
    n = x.shape[0]
    before = 1.0
    for i in range(n):
        out[i] = before
        before *= np.float64(x[i])
    rest = 0.0
    for k in range(n):
        i = n - 1 - k
        rest += np.float64(grad[i])
        out[i] = out[i] * rest
        rest *= np.float64(x[i])


@elementwise(repeated=("grad", "mean"))
def var(grad, x, mean, factor: float):
    """grad * factor * (x - mean), where factor is 2 / (n - correction)."""
    return grad * (factor * (x - mean))


@elementwise(repeated=("grad", "mean", "output"))
def std(grad, x, mean, output, factor: float):
    """grad / output * factor * (x - mean), where factor is 1 / (n - correction); 0 where the output is 0."""
    return type(x)(0) if output == type(x)(0) else grad / output * (factor * (x - mean))


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
