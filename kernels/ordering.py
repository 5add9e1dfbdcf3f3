"""Integers that order as the numbers of an array do: floats are compared, sorted and searched by their bits.

Integer comparisons form no NaN, need no sign of zero and vectorise in reductions; those of floats do not, or take
several instructions each.
"""

import numpy as np

from .intrinsics import from_bits, to_bits
from .scalar import by_family, elementary, scalar

_SHIFT_32, _LOW_32 = np.int32(31), np.int32(2**31 - 1)
_SHIFT_64, _LOW_64 = np.int64(63), np.int64(2**63 - 1)


def _flip_32(bits):
    """See the float64 version."""
    return np.int32(bits ^ np.int32(np.int32(bits >> _SHIFT_32) & _LOW_32))


def _flip_64(bits):
    """Exchange the bits of a float and an integer of its order: of a negative number all bits but the sign turn over.

    -0. comes before 0.; NaN without sign after inf, with sign before -inf. It is its own inverse.
    """
    return bits ^ ((bits >> _SHIFT_64) & _LOW_64)


flip = elementary("flip", float32=_flip_32, float64=_flip_64)


@scalar
def _float_key(x):
    """The order of a float."""
    return flip(to_bits(x))


@scalar
def _float_of_key(key):
    """The float with this order."""
    return from_bits(flip(key))


@scalar
def _integer_key(x):
    """An integer orders itself."""
    return x


order_key = by_family(floating=_float_key, integral=_integer_key)
of_order_key = by_family(floating=_float_of_key, integral=_integer_key)


@scalar
def _float_sort_key(x):
    """See `sort_key`."""
    key = flip(to_bits(x + type(x)(0)))
    return flip(to_bits(type(x)(np.nan))) if x != x else key


# The order in which numbers are sorted: zeros are equal, and NaNs are, after all numbers.
sort_key = by_family(floating=_float_sort_key, integral=_integer_key)
