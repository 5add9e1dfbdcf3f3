"""Formulas of the optimizers' steps: the new parameter and the new state of one element, in one pass over memory.

A step is called with ``out=`` the parameter and the state arrays themselves. What depends on the step alone (bias
corrections) is computed outside in double precision and comes in as numbers, and so do complements such as
``1 - beta``: in float32 they would lose digits. Hence a step has more parameters than other kernels.
"""

from .. import elementary, intrinsics
from ..declare import elementwise
from ..scalar import scalar


@scalar
def decayed(param, grad, decay):
    """grad + decay * param, and grad itself for no decay: a parameter may be infinite."""
    return grad + decay * param if decay != type(decay)(0) else grad


@scalar
def lerp(x, y, weight):
    """x + weight * (y - x), from the nearer end."""
    difference = y - x
    if weight < type(x)(0.5):
        return x + weight * difference
    return y - difference * (type(x)(1) - weight)


@scalar
def mean_square(average, grad, weight):
    """(1 - weight) * average + weight * grad**2; subtracting a small weight from 1 is exact enough, not the reverse."""
    return (type(weight)(1) - weight) * average + weight * (grad * grad)


@elementwise
def sgd(param, grad, rate: float, decay: float):
    """param - rate * (grad + decay * param)."""
    return param - rate * decayed(param, grad, decay)


@elementwise(results=("T", "T"))
def sgd_momentum(param, grad, buffer, rate: float, decay: float, momentum: float, share: float):
    """buffer = momentum * buffer + share * grad; param - rate * buffer."""
    buffer = momentum * buffer + share * decayed(param, grad, decay)
    return param - rate * buffer, buffer


@elementwise(results=("T", "T"))
def sgd_nesterov(param, grad, buffer, rate: float, decay: float, momentum: float, share: float):
    """buffer = momentum * buffer + share * grad; param - rate * (grad + momentum * buffer)."""
    grad = decayed(param, grad, decay)
    buffer = momentum * buffer + share * grad
    return param - rate * (grad + momentum * buffer), buffer


@elementwise(results=("T", "T", "T"))
def adam(
    param, grad, exp_avg, exp_avg_sq, weight1: float, weight2: float, rate: float, eps: float, decay: float
):
    """Running means of grad and its square; param - rate * mean / (sqrt(mean of squares) + eps).

    The bias corrections are in `rate` and `eps`.
    """
    grad = decayed(param, grad, decay)
    exp_avg = lerp(exp_avg, grad, weight1)
    exp_avg_sq = mean_square(exp_avg_sq, grad, weight2)
    return param - rate * (exp_avg / (elementary.sqrt(exp_avg_sq) + eps)), exp_avg, exp_avg_sq


@elementwise(results=("T", "T", "T"))
def adamw(
    param, grad, exp_avg, exp_avg_sq, weight1: float, weight2: float, rate: float, eps: float, keep: float
):
    """As `adam`, but the parameter shrinks to keep * param before the step, which the running means do not see."""
    exp_avg = lerp(exp_avg, grad, weight1)
    exp_avg_sq = mean_square(exp_avg_sq, grad, weight2)
    return keep * param - rate * (exp_avg / (elementary.sqrt(exp_avg_sq) + eps)), exp_avg, exp_avg_sq


@elementwise(results=("T", "T", "T", "T"))
def adam_amsgrad(
    param, grad, exp_avg, exp_avg_sq, largest, weight1: float, weight2: float, rate: float, eps: float, decay: float
):
    """As `adam`, with the largest mean of squares so far."""
    grad = decayed(param, grad, decay)
    exp_avg = lerp(exp_avg, grad, weight1)
    exp_avg_sq = mean_square(exp_avg_sq, grad, weight2)
    largest = intrinsics.maximum(largest, exp_avg_sq)
    return param - rate * (exp_avg / (elementary.sqrt(largest) + eps)), exp_avg, exp_avg_sq, largest


@elementwise(results=("T", "T", "T", "T"))
def adamw_amsgrad(
    param, grad, exp_avg, exp_avg_sq, largest, weight1: float, weight2: float, rate: float, eps: float, keep: float
):
    """As `adamw`, with the largest mean of squares so far."""
    exp_avg = lerp(exp_avg, grad, weight1)
    exp_avg_sq = mean_square(exp_avg_sq, grad, weight2)
    largest = intrinsics.maximum(largest, exp_avg_sq)
    return keep * param - rate * (exp_avg / (elementary.sqrt(largest) + eps)), exp_avg, exp_avg_sq, largest


@elementwise(results=("T", "T"))
def rmsprop(param, grad, square_avg, weight: float, rate: float, eps: float, decay: float):
    """param - rate * grad / (sqrt(mean of grad**2) + eps)."""
    grad = decayed(param, grad, decay)
    square_avg = mean_square(square_avg, grad, weight)
    return param - rate * (grad / (elementary.sqrt(square_avg) + eps)), square_avg


@elementwise(results=("T", "T", "T"))
def rmsprop_momentum(
    param, grad, square_avg, buffer, weight: float, rate: float, eps: float, decay: float, momentum: float
):
    """buffer = momentum * buffer + grad / (sqrt(mean of grad**2) + eps); param - rate * buffer."""
    grad = decayed(param, grad, decay)
    square_avg = mean_square(square_avg, grad, weight)
    buffer = momentum * buffer + grad / (elementary.sqrt(square_avg) + eps)
    return param - rate * buffer, square_avg, buffer


@elementwise(results=("T", "T", "T"))
def rmsprop_centered(param, grad, square_avg, grad_avg, weight: float, rate: float, eps: float, decay: float):
    """As `rmsprop`, with the deviation of grad from its mean instead of the mean square."""
    grad = decayed(param, grad, decay)
    square_avg = mean_square(square_avg, grad, weight)
    grad_avg = lerp(grad_avg, grad, weight)
    deviation = elementary.sqrt(square_avg - grad_avg * grad_avg)
    return param - rate * (grad / (deviation + eps)), square_avg, grad_avg


@elementwise(results=("T", "T", "T", "T"))
def rmsprop_centered_momentum(
    param, grad, square_avg, grad_avg, buffer, weight: float, rate: float, eps: float, decay: float, momentum: float
):
    """As `rmsprop_momentum`, with the deviation of grad from its mean instead of the mean square."""
    grad = decayed(param, grad, decay)
    square_avg = mean_square(square_avg, grad, weight)
    grad_avg = lerp(grad_avg, grad, weight)
    deviation = elementary.sqrt(square_avg - grad_avg * grad_avg)
    buffer = momentum * buffer + grad / (deviation + eps)
    return param - rate * buffer, square_avg, grad_avg, buffer


@elementwise(results=("T", "T"))
def adagrad(param, grad, total, rate: float, eps: float, decay: float):
    """total = total + grad**2; param - rate * grad / (sqrt(total) + eps)."""
    grad = decayed(param, grad, decay)
    total = total + grad * grad
    return param - rate * (grad / (elementary.sqrt(total) + eps)), total
