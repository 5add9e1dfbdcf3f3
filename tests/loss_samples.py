"""What the rows of losses share."""

from .op_table import S, T


def reduced(losses, reduction, divisor=None):
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses.sum() / (losses.size if divisor is None else divisor)


REDUCTIONS = [S(T(3, 4), T(3, 4)), S(T(3, 4), T(3, 4), reduction="sum"), S(T(3, 4), T(3, 4), reduction="none")]
SHAPES = [
    S(T(), T()),
    S(T(), T(), reduction="none"),
    S(T(0), T(0), reduction="sum"),
    S(T(1100, 2), T(1100, 2), grad=False),
]
