"""Reductions of large arrays, in parts that several threads may take.

Where several results are computed, parts are of those. Where there is one, or one row of them, it is what is reduced
that is cut into blocks, of which one thread computes each, and their results are combined. Blocks depend on the shape
alone, and are the same for one thread: so are the result's bits.
"""

import functools
import math

import numpy as np

from ..threads.division import divided, in_parts
from .reduce_loops import result_dtypes
from .silent import silent

BLOCKS = 32
"""How many blocks there are, at most."""

LEAST = 256
"""Elements that are reduced to one in a block, at least: what is combined is so many times smaller than the array."""


def large_kernels(loops, dtype):
    """Return the pair of functions that stands for ``loops[dtype]`` where an array is large."""
    rows, columns = loops.kernels(dtype)
    return (
        functools.partial(_reduce_rows, rows, loops.combine),
        None if columns is None else functools.partial(_reduce_middle, columns, loops.combine),
    )


def _reduce_rows(kernel, combine, array, *numbers):
    """Reduce the last dimension."""
    if not array.flags.c_contiguous:
        return divided(kernel.loops[array.dtype])(array, *numbers)
    *kept, reduced = array.shape
    results = _reduce_middle(kernel, combine, array.reshape(math.prod(kept), reduced), *numbers)
    return tuple([one.reshape(kept) for one in results]) if type(results) is tuple else results.reshape(kept)


def _reduce_middle(kernel, combine, array, *numbers):
    """Reduce the second dimension of a C-contiguous array."""
    dtype = array.dtype
    if len(array) == 1 and combine is not None and array.shape[1] > LEAST:
        return np.asarray(_reduce_blocks(kernel, combine, array[0], *numbers))[None]
    outs = [np.empty((len(array), *array.shape[2:]), kind) for kind in result_dtypes(kernel, dtype)]

    def run(start, stop):
        kernel.run(dtype, array[start:stop], *numbers, *[out[start:stop] for out in outs])

    in_parts(run, len(array), array.nbytes)
    return outs[0] if len(outs) == 1 else tuple(outs)


def _reduce_blocks(kernel, combine, array, *numbers):
    """Reduce the first dimension of a C-contiguous array block by block."""
    extent, *inner = array.shape
    size = max(LEAST, -(-extent // BLOCKS))
    whole, rest = divmod(extent, size)
    (kind,) = result_dtypes(kernel, array.dtype)
    partials = np.empty((whole + (rest > 0), *inner), kind)
    decisive = None if inner else DECISIVE.get(combine)
    if decisive is not None:
        partials.fill(not decisive)

    def run(start, stop):
        last = min(stop, whole)
        if start < last:
            blocks = array[start * size : last * size].reshape(last - start, size, *inner)
            kernel.run(array.dtype, blocks, *numbers, partials[start:last])
        if stop > whole:
            kernel.run(array.dtype, array[whole * size :][None], *numbers, partials[whole:])

    def run_until_decided(start, stop):
        # All its blocks at once, because the kernel stops at the first element that decides.
        if decisive not in partials:
            kernel.run(array.dtype, array[None, start * size : stop * size], partials[start : start + 1])

    in_parts(run if decisive is None else run_until_decided, len(partials), array.nbytes)
    return combine(kernel, partials, extent, size, *numbers)


# ---------------------------------------------------------------------------------------------------------------------
# What makes one result of those of blocks: of the kernel, its results in the first dimension, the elements that all of
# them are of, how many each is of (but the last, which may be of fewer), and the kernel's further arguments


def repeat(kernel, partials, extent, size, *numbers):
    """Reduce them like elements: the largest of all is the largest of the largest."""
    result = np.empty(partials.shape[1:], partials.dtype)
    kernel.run(partials.dtype, partials[None], *numbers, result[None])
    return result


def add(kernel, partials, extent, size):
    """Add sums, or counts."""
    return repeat(kernel, partials, extent, size) if partials.dtype.kind == "f" else np.add.reduce(partials)


def average(kernel, partials, extent, size):
    """Average means, each as often as it has elements."""
    if extent % size == 0:
        return repeat(kernel, partials, extent, size)
    return silent.run(_average, partials, extent, size)


def _average(partials, extent, size):
    whole, rest = divmod(extent, size)
    # In float64, so that only the result is rounded.
    total = np.add.reduce(partials[:whole], 0, np.float64) * size + np.multiply(partials[whole], rest, dtype=np.float64)
    return (total / extent).astype(partials.dtype)


def any_of(kernel, partials, extent, size):
    """Return whether one is true."""
    return np.logical_or.reduce(partials)


def all_of(kernel, partials, extent, size):
    """Return whether all are true."""
    return np.logical_and.reduce(partials)


DECISIVE = {any_of: True, all_of: False}
"""Results of a block after which it does not matter what those of others are."""
