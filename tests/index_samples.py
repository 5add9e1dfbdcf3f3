"""What the rows of views share with those of ops that read and write by position."""

import numpy as np

from .op_table import T

DIM = r"Dimension out of range"
OUT_OF_BOUNDS = r"index -?\d+ is out of bounds for dimension \d with size \d"


def index(*values):
    return T(*np.shape(values), dtype="int64", values=list(values))


def put(array, indices, values, accumulate=False):
    result = array.copy()
    key = tuple([slice(None) if one is None else one for one in indices])
    if accumulate:
        np.add.at(result, key, values)
    else:
        result[key] = values
    return result
