"""What the builtin function of an elementwise kernel is bound to, for the files that make it and read it."""

import numpy as np

from .builtin import word
from .scalar import scalar

# What a builtin function is bound to: an array of these words, and then the dtype and size of each operand's elements.
LOOP, DATA_OF_LOOP, UFUNC, UNLIKE, INPUTS, OUTPUTS, NDARRAY, NEW_LIKE = (np.int64(k) for k in range(8))
VECTORCALL, INCREF, DECREF, NEW_TUPLE, SET_ITEM, SAVE, RESTORE, EMPTY = (np.int64(k) for k in range(8, 16))
WORDS = np.int64(16)

# What `try_elements` answers where it has done nothing: that only the ufunc can tell what the operands are good for;
# that they are the kernel's own, but need broadcasting or copying; that they lie unalike. No object is there.
STRANGE, UNFIT, UNALIKE = np.int64(1), np.int64(2), np.int64(3)


@scalar
def dtype_of(recipe, operand):
    """The address of an operand's dtype."""
    return word(recipe, WORDS + 2 * operand)


@scalar
def itemsize_of(recipe, operand):
    """Bytes of an operand's element."""
    return word(recipe, WORDS + 2 * operand + 1)
