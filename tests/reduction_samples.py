"""What the rows of reductions share."""

import math

from .op_table import Bad, S, T


def numpy_axis(dim):
    """Return NumPy's axis of PyTorch's dim, where an empty sequence means all."""
    if dim is None or dim == ():
        return None
    return tuple(dim) if isinstance(dim, (tuple, list)) else dim


def plain(function):
    return lambda x, dim=None, keepdim=False: function(x, axis=numpy_axis(dim), keepdims=keepdim)


DIMS = [
    S(T(3, 4)),
    S(T()),
    S(T(5)),
    S(T(3, 4), 0),
    S(T(3, 4), -1),
    S(T(3, 4), 1, True),
    S(T(2, 3, 4), 1),
    S(T(2, 3, 4), dim=1, keepdim=True),
]
SEVERAL = [
    S(T(2, 3, 4), (0, 1)),
    S(T(2, 3, 4), (2, 1), True),
    S(T(2, 3, 4), [0, 2]),
    S(T(2, 3, 4, 2), (1, -1)),
    S(T(2, 3, 4), (0, 1, 2), True),
]
# More rows than are added at a time, more columns than one strip, and more elements than one block.
LARGE = [S(T(37, 5), 0, grad=False), S(T(2, 21, 700), 1, grad=False), S(T(1500), grad=False)]
OUT_OF_RANGE = [Bad(S(T(3, 4), 2), IndexError, "range"), Bad(S(T(3, 4), -3), IndexError, "range")]
NO_INT = [Bad(S(T(3, 4), "x"), TypeError, "dim")]
TWICE = [Bad(S(T(3, 4), (0, -2)), RuntimeError, "multiple")]
NAN = {"values": [[1.0, math.nan, 3.0], [math.nan, 2.0, math.nan]], "dtype": "float64"}
INFINITE = {"values": [[1.0, math.inf, 3.0], [-math.inf, -math.inf, -math.inf]], "dtype": "float64"}
