"""One call of a kernel as calls on parts of its operands.

Elementwise kernels are divided anywhere; gufuncs along their loop dimensions or, if they have none, along the core
dimension that is named ``o``: the outer one, independent by convention, of the kernels for columns. Along the inner one
parts would be strided, for which kernels are several times slower. Results lie in memory as NumPy would have laid them
out.
"""

from __future__ import annotations

import functools
import math
import re
from types import BuiltinFunctionType

import numpy as np

from ..kernels.calls import ufunc_of
from .limits import available, process
from .pool import pool

# With fewer steps along a dimension parts would be too unequal: then it is the longest that is divided.
_MANY = 32

_OUTER = "o"


def divided(kernel):
    """Return a function that calls a kernel by `call`."""
    return functools.partial(call, kernel)


class Deferred:
    """A kernel that is made when it is first called.

    Args:
        table: kernels by dtype.
        dtype: the one it is for.
    """

    __slots__ = ("dtype", "table")

    def __init__(self, table, dtype):
        self.table = table
        self.dtype = dtype

    def __call__(self, *operands):
        return self.table[self.dtype](*operands)


def large_or_not(kernel, array):
    """Return the kernel, `divided` if the array, its largest operand, is large."""
    return divided(kernel) if array.nbytes >= process.large else kernel


def in_parts(run, steps, nbytes):
    """Call ``run(start, stop)`` for parts of so many steps, by several threads if they have time, or for all at once.

    Args:
        run: a function that may be called by several threads at once.
        steps: how many there are.
        nbytes: how many bytes they read or write together.
    """
    threads = available()
    cell = max(1, process.cell * steps // nbytes)
    if threads == 1 or steps <= cell or not pool.do(run, _parts(steps, cell, threads), threads):
        run(0, steps)


def call(kernel, *operands, out=None, **options):
    """Return ``kernel(*operands)``, computed by several threads if they have time.

    Whoever calls this has found an operand of ``process.large`` bytes.

    Args:
        kernel: a ufunc of ours or what stands before it; whatever else computes something of arrays is just called.
        operands: arrays of the ufunc's exact dtypes. Those that a part does not get a part of are only read.
        out: None, or for each result the array to write into.
        options: further keywords of the ufunc.
    """
    if type(kernel) is Deferred:
        kernel = kernel.table[kernel.dtype]
    elif type(kernel) is BuiltinFunctionType:
        kernel = ufunc_of(kernel)
    threads = available()
    if threads > 1 and type(kernel) is np.ufunc and not pool.busy.locked():
        division = (_divide_flat(kernel, operands) if out is None else None) or _divide(kernel, operands, out)
        if division is not None:
            arrays, steps, cell, results = division

            def run(start, stop):
                part = slice(start, stop)
                kernel(*[array if lead is None else array[(*lead, part)] for array, lead in arrays], **options)

            if pool.do(run, _parts(steps, cell, threads), threads):
                return results[0] if len(results) == 1 else tuple(results)
    if out is None:
        return kernel(*operands, **options)
    return kernel(*operands, out=out, **options)


@functools.cache
def _form(ufunc):
    """Return (core dimensions of each operand, results last; dtype of each result) of a ufunc with one loop."""
    results = [np.dtype(code) for code in ufunc.types[0].partition("->")[2]]
    if ufunc.signature is None:
        return [()] * ufunc.nargs, results
    return [tuple(re.findall(r"\w+", core)) for core in re.findall(r"\(([^)]*)\)", ufunc.signature)], results


def _divide_flat(ufunc, operands):
    """Return what `_divide` does, sooner, where operands lie in row-major order and have one shape, or are 0-d.

    Large arrays drive Python itself out of the processor's caches: each line here costs ten times what it would.
    """
    if ufunc.signature is not None:
        return None
    shape = ()
    for array in operands:
        if array.ndim:
            if (shape and array.shape != shape) or not array.flags.c_contiguous:
                return None
            shape = array.shape
    results = [np.empty(shape, dtype) for dtype in _form(ufunc)[1]]
    arrays = [*operands, *results]
    if len(shape) > 1:
        arrays = [array.reshape(-1) if array.ndim else array for array in arrays]
    steps = results[0].size
    cell = max(1, process.cell // results[0].itemsize)
    return ([(array, () if array.ndim else None) for array in arrays], steps, cell, results) if steps > cell else None


def _divide(ufunc, operands, out):
    """Return how a call is divided, or None if it may not be.

    Returns:
        (arrays, results last, each with the index before that of a part, or None if it has no parts; the number of
        steps; those of a cell, which is the smallest part; the results as the caller sees them). What is divided, and
        how many steps are a cell, depends on shapes alone.
    """
    cores, dtypes = _form(ufunc)
    given = () if out is None else out
    arrays = [*operands, *given]
    loops = [array.shape[: array.ndim - len(core)] for array, core in zip(arrays, cores, strict=False)]
    shape = loops[0]
    if any(loop != shape and loop for loop in loops):
        try:
            shape = np.broadcast_shapes(*loops)
        except ValueError:
            # The kernel says it better.
            return None
    ndim = len(shape)
    # One more dimension in front changes nothing for NumPy, and here lets all have the same number.
    arrays = [
        array.reshape((1,) * (ndim - len(loop)) + array.shape) if len(loop) < ndim else array
        for array, loop in zip(arrays, loops, strict=True)
    ]
    if 0 in shape or any(loop != shape for loop in loops[ufunc.nin :]) or _overlap(operands, given):
        # There is nothing to do, or the kernel says what is wrong, or NumPy copies what must be read before.
        return None
    order = _memory_order(arrays, shape)
    if order is None:
        return None
    back = None
    if order != (*range(ndim),):
        arrays = [array.transpose(*order, *range(ndim, array.ndim)) for array in arrays]
        shape = tuple([shape[axis] for axis in order])
        back = [order.index(axis) for axis in range(ndim)]
    extents = {}
    for array, core in zip(arrays, cores, strict=False):
        extents.update(zip(core, array.shape[ndim:], strict=True))
    if out is None:
        results = [
            np.empty(shape + tuple([extents[name] for name in core]), dtype)
            for core, dtype in zip(cores[ufunc.nin :], dtypes, strict=True)
        ]
        if back is not None:
            results = [_turned(result, back, ndim) for result in results]
            arrays += [result.transpose(*order, *range(ndim, result.ndim)) for result in results]
        else:
            arrays += results
    else:
        results = out
    flat = _flattened(arrays, shape) if ndim > 1 else None
    if flat is not None:
        arrays, shape, ndim = flat, (math.prod(shape),), 1
    steps, leads = _steps(arrays, cores, shape, extents)
    cell = max(1, process.cell * steps // max([array.nbytes for array in arrays]))
    if ufunc.signature is not None:
        cell = max(cell, process.released * steps // max([result.size for result in results]) + 1)
    return ([*zip(arrays, leads, strict=True)], steps, cell, results) if steps > cell else None


def _turned(result, back, ndim):
    """Return an array that lies in memory like `result` with its loop dimensions back in their places.

    It is no view: a gradient that is one would be copied before it is kept.
    """
    return np.empty_like(result.transpose(*back, *range(ndim, result.ndim)))


def _overlap(operands, given):
    """Whether an operand shares memory with an array to write into that is not the same array."""
    return any(
        np.may_share_memory(operand, result)
        and (operand.ctypes.data, operand.strides, operand.shape) != (result.ctypes.data, result.strides, result.shape)
        for operand in operands
        for result in given
    )


def _memory_order(arrays, shape):
    """Return the loop dimensions in the order in which NumPy would lay out a result: longest strides first.

    None where operands lie so differently that this is not worth finding out.
    """
    order = (*range(len(shape)),)
    if all(array.flags.c_contiguous or _descends(array, order) for array in arrays):
        return order
    first = next((array for array in arrays if array.shape[: len(shape)] == shape), None)
    if first is None:
        return None
    order = tuple(sorted(order, key=lambda axis: -first.strides[axis]))
    return order if all(_descends(array, order) for array in arrays) else None


def _descends(array, order):
    """Whether the array's strides become no longer along dimensions in this order."""
    last = None
    for axis in order:
        stride = array.strides[axis]
        if array.shape[axis] > 1 and stride:
            if stride < 0 or (last is not None and stride > last):
                return False
            last = stride
    return True


def _flattened(arrays, shape):
    """Return the arrays with one loop dimension, or none where they have one element along all; None if they cannot."""
    ndim = len(shape)
    flat = []
    for array in arrays:
        loop = array.shape[:ndim]
        if loop == shape and array.flags.c_contiguous:
            flat.append(array.reshape(-1, *array.shape[ndim:]))
        elif not any(array.strides[:ndim]) or math.prod(loop) == 1:
            flat.append(array[(*(0,) * ndim, ...)])
        else:
            return None
    return flat


def _steps(arrays, cores, shape, extents):
    """Return along how many steps arrays are divided, and for each what `_divide` says."""
    if math.prod(shape) > 1:
        axis = next((axis for axis, extent in enumerate(shape) if extent >= _MANY), None)
        if axis is None:
            axis = shape.index(max(shape))
        lead = (slice(None),) * axis
        steps = shape[axis]
        return steps, [
            lead if array.ndim - len(core) > axis and array.shape[axis] == steps else None
            for array, core in zip(arrays, cores, strict=False)
        ]
    return extents.get(_OUTER, 1), [
        (slice(None),) * (array.ndim - len(core) + core.index(_OUTER)) if _OUTER in core else None
        for array, core in zip(arrays, cores, strict=False)
    ]


def _parts(steps, cell, threads):
    """Return (start, stop) of parts, the first ones last: whole cells, ever fewer, so that all threads end together."""
    parts = []
    start = 0
    while start < steps:
        stop = min(steps, start + max(1, (steps - start) // (2 * threads * cell)) * cell)
        parts.append((start, stop))
        start = stop
    parts.reverse()
    return parts
