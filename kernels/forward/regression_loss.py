"""Losses of differences. ``backward/regression_loss.py`` mirrors this file."""

from ..declare import elementwise, gufunc
from ..intrinsics import fabs
from ..rows import row_difference_squares


@gufunc("(n),(n),()->()", "T,T,float64->T")
def mse_total(x, y, divisor, out):
    """The sum of (x - y)^2 / divisor, without an array between."""
    out[0] = row_difference_squares(x, y) / divisor


@elementwise
def mse_loss(x, y):
    """(x - y)^2."""
    d = x - y
    return d * d


@elementwise
def l1_loss(x, y):
    """abs(x - y)."""
    return fabs(x - y)


@elementwise
def smooth_l1_loss(x, y, beta: float):
    """(x - y)^2 / (2 beta) where abs(x - y) < beta, else abs(x - y) - beta / 2."""
    d = fabs(x - y)
    half = type(x)(0.5)
    return half * d * d / beta if d < beta else d - half * beta


@elementwise
def huber_loss(x, y, delta: float):
    """(x - y)^2 / 2 where abs(x - y) < delta, else delta * (abs(x - y) - delta / 2)."""
    d = fabs(x - y)
    half = type(x)(0.5)
    return half * d * d if d < delta else delta * (d - half * delta)
