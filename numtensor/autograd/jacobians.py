"""What Jacobians are put together from: unit vectors, rows by reverse mode, and stacks of rows or columns."""

import numpy as np

from ..modes import current
from ..tensor import from_array
from .tangents import zeros_for
from .variables import recording


def unit(like, element):
    """Return zeros like a tensor, but 1 at one of its elements, counted in row-major order."""
    made = zeros_for(like)
    made._array.reshape(-1)[element] = 1
    return made


def rows(output, variables, pull):
    """Return the Jacobian of one output with respect to each variable.

    Args:
        output: a tensor.
        variables: tensors.
        pull: ``pull(seed)`` returns the gradient of each variable, from that of the output.
    """
    found = [pull(unit(output, element)) for element in range(output._array.size)]
    by_variable = zip(*found, strict=True) if found else [()] * len(variables)
    return [
        stacked(parts, 0, output.shape + variable.shape, variable._array.dtype)
        for parts, variable in zip(by_variable, variables, strict=True)
    ]


def stacked(parts, dim, shape, dtype):
    """Return the rows (`dim` 0) or columns (-1) of a Jacobian as one tensor, recorded if one of them requires grad.

    Args:
        parts: tensors; none if the Jacobian has no elements.
        dim: where they are stacked, before the result gets its shape.
        shape: of the result: the output's, then the variable's.
        dtype: of the result, NumPy's.
    """
    if not parts:
        return from_array(np.zeros(shape, dtype))
    # A view that reshape makes where nothing is recorded could not be changed in place later.
    with recording():
        return current.mode.stack(list(parts), dim).reshape(shape)
