"""Python's ints as machine code reads them."""

import numpy as np

from .builtin import ADDRESS_OF, CALL, NOTHING
from .memory import StackArray
from .scalar import scalar

READER = "PyLong_AsLongLongAndOverflow"
"""Name of the function of CPython that reads an int, whose address machine code is given."""

TOO_LARGE = np.int64(-(2**63))
"""For an int that has no 64 bits; or is this one, which is left to Python with them."""

NO_DIM = np.int64(-1)

_overflow = StackArray("int64", 1)


@scalar
def read_int(reader, number):
    """The value of an int, an object that is exactly one, or `TOO_LARGE`."""
    overflow = _overflow()
    overflow[0] = 0
    value = CALL(reader, number, ADDRESS_OF(overflow), NOTHING, NOTHING)
    return value if overflow[0] == 0 else TOO_LARGE


@scalar
def read_dim(reader, number, ndim):
    """The dimension that an int means, counted from the front; `NO_DIM` if it is out of range."""
    dim = read_int(reader, number)
    if -ndim <= dim < 0:
        dim += ndim
    return dim if 0 <= dim < ndim else NO_DIM
