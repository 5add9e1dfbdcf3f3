"""Dimension arguments: checked, counted from the front."""

import itertools
import operator


def normalise_dim(op, dim, ndim):
    """Return `dim` counted from the front; a 0-d tensor has the dimensions 0 and -1, as in PyTorch.

    Args:
        op: name of the op, for the message.
        dim: an integer in [-ndim, ndim).
        ndim: the number of dimensions.

    Raises:
        TypeError: it is not an integer.
        IndexError: it is out of range.
    """
    extent = ndim or 1
    if type(dim) is not int:
        try:
            if isinstance(dim, bool):
                raise TypeError
            dim = operator.index(dim)
        except TypeError:
            raise TypeError(f"{op}: dim must be an int, not {type(dim).__name__}") from None
    if not -extent <= dim < extent:
        raise IndexError(
            f"{op}: Dimension out of range (expected to be in range of [{-extent}, {extent - 1}], but got {dim})"
        )
    return dim if dim >= 0 else dim + extent


def normalise_dims(op, dims, ndim):
    """Return the dimensions of an int, a sequence of them, or None (all), sorted and counted from the front.

    Raises:
        TypeError: one is not an integer.
        IndexError: one is out of range.
        RuntimeError: one appears twice.
    """
    if dims is None:
        return tuple(range(ndim))
    if isinstance(dims, (tuple, list)):
        found = sorted(normalise_dim(op, dim, ndim) for dim in dims)
        for first, second in itertools.pairwise(found):
            if first == second:
                raise RuntimeError(f"{op}: dim {first} appears multiple times in the list of dims {tuple(dims)}")
        return tuple(found)
    return (normalise_dim(op, dims, ndim),)
