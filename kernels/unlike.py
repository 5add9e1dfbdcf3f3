"""Elementwise kernels of large operands that do not lie alike: broadcast, or transposed.

NumPy copies, element by element, what has not one stride throughout, such as a row broadcast over a matrix; and where
one matrix is transposed it walks one of the two across its lines. Here the first becomes a call row by row, of the same
loop as a gufunc; of the second some rows at a time are turned into a buffer that stays in the cache.
"""

import functools
import math

import numpy as np

from . import transposition

LARGE = np.int64(1 << 14)
"""Elements from which on this is worth a microsecond; with fewer it is not asked."""

# Of shorter rows the call of the loop takes as long as its work, and longer ones NumPy does not copy.
_SHORT, _LONG = 32, 8192
# Elements of the buffer: a quarter of what the second cache holds.
_TILE = 1 << 16


def make_call(ufunc, walked, make_rows):
    """Make the function that does what the ufunc does, quicker for large operands that lie unalike.

    Args:
        ufunc: of an elementwise kernel.
        walked: how many operands are arrays; those after them are numbers of the formula.
        make_rows: returns the gufunc ``(n),(n),...->(n)`` of the ufunc's loop, in which numbers have no core dimension.

    Returns:
        A function of the operands, arrays of the ufunc's dtypes.
    """
    if walked == 1:
        return ufunc
    make_rows = functools.cache(make_rows)

    def call(*operands):
        ordered = [operand.flags.c_contiguous for operand in operands]
        if False in ordered:
            turned = _turned(operands, ordered)
            if turned is not None:
                return _by_tiles(ufunc, operands, turned)
        else:
            plan = _plan_rows(tuple([operand.shape for operand in operands[:walked]]))
            if plan is not None:
                return _by_rows(make_rows(), plan, operands)
        return ufunc(*operands)

    return call


def _turned(operands, ordered):
    """Return {position: dense dimension} of transposed operands beside ordered ones of the same shape, else None."""
    shape = operands[ordered.index(False)].shape
    turned, straight = {}, False
    for position, operand in enumerate(operands):
        if not operand.ndim:
            continue
        if operand.shape != shape:
            return None
        if ordered[position]:
            straight = True
        else:
            turned[position] = transposition.dense_axis(operand)
    return turned if straight and None not in turned.values() else None


def _by_tiles(ufunc, operands, turned):
    shape = operands[next(iter(turned))].shape
    outputs = [np.empty(shape, np.dtype(code)) for code in ufunc.types[0].partition("->")[2]]
    rows = min(shape[0], max(16, _TILE * shape[0] // math.prod(shape) & -16))
    buffers = {position: np.empty((rows, *shape[1:]), operands[position].dtype) for position in turned}
    for start in range(0, shape[0], rows):
        part = slice(start, start + rows)
        parts = [operand[part] if operand.ndim else operand for operand in operands]
        for position, axis in turned.items():
            buffer = buffers[position][: len(parts[position])]
            transposition.copy(parts[position], axis, buffer)
            parts[position] = buffer
        ufunc(*parts, out=tuple([output[part] for output in outputs]))
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


def _by_rows(rows, plan, operands):
    forms, shape = plan
    if forms:
        operands = list(operands)
        for position, form, strides in forms:
            array = operands[position]
            if strides is None:
                operands[position] = array.reshape(form)
            else:
                size = array.itemsize
                operands[position] = np.ndarray(form, array.dtype, array, 0, [step * size for step in strides])
    results = rows(*operands)
    if shape is None:
        return results
    if type(results) is tuple:
        return tuple([result.reshape(shape) for result in results])
    return results.reshape(shape)


@functools.lru_cache(maxsize=256)
def _plan_rows(shapes):
    """Return how C-contiguous operands of these shapes become rows; None if they do not.

    Returns:
        A list of (position of an operand that must change, shape, strides in elements or None to reshape it), and the
        result's shape, None if that of the rows.
    """
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        # The ufunc says it better.
        return None
    shapes = [(1,) * (len(shape) - len(own)) + own for own in shapes]
    start = _start_of_rows(shape, shapes)
    length = math.prod(shape[start:])
    if start == 0 or not _SHORT <= length <= _LONG:
        return None
    joined = start < len(shape) - 1
    forms = []
    for position, own in enumerate(shapes):
        form = (*own[:start], length)
        if own[start:] != shape[start:]:
            # One number per row: it has no stride.
            strides, step = [0], 1
            for extent in reversed(own[:start]):
                strides.append(step)
                step *= extent
            forms.append((position, form, strides[::-1]))
        elif joined:
            forms.append((position, form, None))
    return forms, shape if joined else None


def _start_of_rows(shape, shapes):
    """Return the dimension from which on each operand has all extents, or one element."""
    start = len(shape)
    having = None
    while start:
        extent = shape[start - 1]
        if extent > 1:
            found = [own[start - 1] == extent for own in shapes]
            if having is not None and found != having:
                break
            having = found
        start -= 1
    return start
