"""An elementwise kernel called on few elements that do not lie alike: broadcast, transposed, every other one.

NumPy takes a microsecond to find out how to walk such operands. Here neighbouring dimensions that all operands walk in
even steps become one; one of those that are left is the loop's own, the others are counted around it. The result lies
as NumPy would have it: in the operands' order if they agree on one, else in row-major order. Orders that are neither
row-major nor column-major are left to NumPy, and many elements to what looks for the quickest way; see ``unlike.py``.
"""

import numpy as np

from .builtin import (
    ADDRESS_OF,
    ALIGNED,
    BYTES,
    CALL,
    DATA,
    DESCR,
    FLAGS,
    MOMENT,
    MOST_OPERANDS,
    NDIM,
    NOTHING,
    REVERSED,
    SHAPE,
    STRIDES,
    TYPE,
    word,
)
from .memory import StackArray, load
from .recipes import (
    DATA_OF_LOOP,
    EMPTY,
    INCREF,
    INPUTS,
    LOOP,
    NDARRAY,
    NEW_LIKE,
    OUTPUTS,
    RESTORE,
    SAVE,
    UNALIKE,
    UNFIT,
    dtype_of,
)
from .scalar import scalar
from .unlike import LARGE

# Dimensions of the result that are walked.
MOST = np.int64(6)
# Of the loop's own dimension: with fewer elements a longer one is better, though it may be walked in larger steps.
_ENOUGH = np.int64(16)

# NPY_FORTRANORDER.
_COLUMN_MAJOR = np.int64(1)

_load_word, _load_half = load("int64"), load("int32")
_shape, _order = StackArray("int64", int(MOST)), StackArray("int64", int(MOST))
_steps = StackArray("int64", int(MOST) * MOST_OPERANDS)
_starts, _addresses, _loop_steps = (StackArray("int64", MOST_OPERANDS) for _ in range(3))
_count = StackArray("int64", 1)


@scalar
def broadcast(recipe, operands, shape):
    """Enter the shape of the result; its number of dimensions, or -1 for operands that are left to others."""
    ndim = np.int64(0)
    for axis in range(MOST):
        shape[axis] = 1
    for k in range(word(recipe, INPUTS)):
        operand = word(operands, k)
        if operand == NOTHING:
            continue
        known = _load_word(operand, TYPE) == word(recipe, NDARRAY) and _load_word(operand, DESCR) == dtype_of(recipe, k)
        own = np.int64(_load_half(operand, NDIM)) if known else MOST + 1
        if own > MOST or not np.int64(_load_half(operand, FLAGS)) & ALIGNED:
            return np.int64(-1)
        extents = _load_word(operand, SHAPE)
        ndim = max(ndim, own)
        for j in range(own):
            # Counted from the last.
            axis, extent = MOST - 1 - j, word(extents, own - 1 - j)
            if shape[axis] == 1:
                shape[axis] = extent
            elif extent != 1 and extent != shape[axis]:
                return np.int64(-1)
    return ndim


@scalar
def enter_steps(operand, steps, place):
    """Enter by how many bytes an operand walks along each dimension; whether nowhere backwards."""
    own = NOTHING if operand == NOTHING else np.int64(_load_half(operand, NDIM))
    forward = True
    for j in range(MOST):
        step = NOTHING
        if j < own and word(_load_word(operand, SHAPE), own - 1 - j) != 1:
            step = word(_load_word(operand, STRIDES), own - 1 - j)
        steps[place * MOST + MOST - 1 - j] = step
        forward = forward and step >= 0
    return forward


@scalar
def is_row_major(inputs, steps):
    """Whether NumPy would let the result lie in row-major order.

    It puts a dimension inside those after it where every operand that walks along both walks along it in smaller steps.
    """
    for j in range(MOST):
        axis = MOST - 1 - j
        for inner in range(axis + 1, MOST):
            known, inside = False, True
            for k in range(inputs):
                step, inner_step = steps[k * MOST + axis], steps[k * MOST + inner]
                if step != 0 and inner_step != 0:
                    known = True
                    inside = inside and step < inner_step
            if known:
                if inside:
                    return False
                break
    return True


@scalar
def make_result(recipe, operands, ndim, shape, steps):
    """Make the result; `NOTHING` and an exception, or `UNFIT` for one in another order."""
    inputs = word(recipe, INPUTS)
    dtype = dtype_of(recipe, inputs)
    if is_row_major(inputs, steps):
        # NumPy takes a reference to the dtype.
        CALL(word(recipe, INCREF), dtype, NOTHING, NOTHING, NOTHING)
        return CALL(word(recipe, EMPTY), ndim, ADDRESS_OF(shape) + BYTES * (MOST - ndim), dtype, NOTHING)
    model = NOTHING
    for k in range(inputs):
        operand = word(operands, k)
        if operand != NOTHING and _load_half(operand, NDIM) != 0:
            if not np.int64(_load_half(operand, FLAGS)) & REVERSED or np.int64(_load_half(operand, NDIM)) != ndim:
                return UNFIT
            for axis in range(ndim):
                if word(_load_word(operand, SHAPE), axis) != shape[MOST - ndim + axis]:
                    return UNFIT
            model = operand
    CALL(word(recipe, INCREF), dtype, NOTHING, NOTHING, NOTHING)
    return CALL(word(recipe, NEW_LIKE), model, _COLUMN_MAJOR, dtype, NOTHING)


@scalar
def merge(walked, shape, steps):
    """Make one of dimensions that everything walks in even steps; the number of those left, which come first."""
    left = np.int64(0)
    for axis in range(MOST):
        if shape[axis] == 1:
            continue
        even = left > 0
        for k in range(walked):
            even = even and steps[k * MOST + left - 1] == steps[k * MOST + axis] * shape[axis]
        place = left - 1 if even else left
        shape[place] = shape[axis] * (shape[place] if even else np.int64(1))
        for k in range(walked):
            steps[k * MOST + place] = steps[k * MOST + axis]
        left = place + 1
    if left == 0:
        shape[0] = 1
        left += 1
    return left


@scalar
def put_inner_last(walked, dims, shape, steps):
    """Exchange the last dimension for the longest one if it has few elements."""
    last = dims - 1
    longest = last
    for axis in range(last):
        if shape[last] < _ENOUGH and shape[axis] > shape[longest]:
            longest = axis
    shape[last], shape[longest] = shape[longest], shape[last]
    for k in range(walked):
        place = k * MOST
        steps[place + last], steps[place + longest] = steps[place + longest], steps[place + last]


@scalar
def walk(recipe, walked, dims, shape, steps, starts):
    """Run the loop along the last dimension, for all positions in the others."""
    addresses, loop_steps, extent = _addresses(), _loop_steps(), _count()
    inner = dims - 1
    extent[0] = shape[inner]
    for k in range(walked):
        loop_steps[k] = steps[k * MOST + inner]
    runs = np.int64(1)
    for axis in range(inner):
        runs *= shape[axis]
    elements = runs * shape[inner]
    state = CALL(word(recipe, SAVE), NOTHING, NOTHING, NOTHING, NOTHING) if elements > MOMENT else NOTHING
    loop, data = word(recipe, LOOP), word(recipe, DATA_OF_LOOP)
    for number in range(runs):
        for k in range(walked):
            addresses[k] = starts[k]
        rest = number
        for j in range(inner):
            axis = inner - 1 - j
            position = rest % shape[axis]
            rest //= shape[axis]
            for k in range(walked):
                addresses[k] += position * steps[k * MOST + axis]
        CALL(loop, ADDRESS_OF(addresses), ADDRESS_OF(extent), ADDRESS_OF(loop_steps), data)
    if elements > MOMENT:
        CALL(word(recipe, RESTORE), state, NOTHING, NOTHING, NOTHING)


@scalar
def try_strided(recipe, operands, numbers):
    """Run the loop on few elements that do not lie alike.

    Args:
        recipe, operands, numbers: as of `calls.try_elements`, of which all inputs are given and no result.

    Returns:
        The address of a new reference to the result, or `NOTHING` and an exception is set; else why not.
    """
    shape, steps, starts = _shape(), _steps(), _starts()
    inputs = word(recipe, INPUTS)
    if word(recipe, OUTPUTS) != 1:
        return UNALIKE
    ndim = broadcast(recipe, operands, shape)
    if ndim < 0:
        return UNFIT
    elements = np.int64(1)
    for axis in range(MOST):
        elements *= shape[axis]
    if elements >= LARGE:
        return UNALIKE
    for k in range(inputs):
        operand = word(operands, k)
        starts[k] = numbers + BYTES * k if operand == NOTHING else _load_word(operand, DATA)
        if not enter_steps(operand, steps, k):
            return UNFIT
    result = make_result(recipe, operands, ndim, shape, steps)
    if result in (NOTHING, UNFIT) or elements == 0:
        return result
    starts[inputs] = _load_word(result, DATA)
    enter_steps(result, steps, inputs)
    dims = merge(inputs + 1, shape, steps)
    put_inner_last(inputs + 1, dims, shape, steps)
    walk(recipe, inputs + 1, dims, shape, steps, starts)
    return result
