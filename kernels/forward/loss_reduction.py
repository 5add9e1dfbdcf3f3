"""What losses share: their sum or mean."""

from ..declare import gufunc
from ..rows import row_sum


@gufunc("(n),()->()", "T,float64->T")
def total(losses, divisor, out):
    """The sum of the losses / divisor; NaN where nothing is divided by 0."""
    out[0] = row_sum(losses) / divisor
