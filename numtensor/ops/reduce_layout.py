"""From ``dim`` and ``keepdim`` to the views that reduction kernels walk.

Any set of dimensions becomes (outer, reduced, inner): of a C-contiguous array it is a reshape when the dimensions
are neighbours. An array that is C-contiguous after a transposition is walked in that order. What has no such view is
copied once. With no inner dimension the kernel is the one for rows, ``(n)->()``, else ``(o,r,i)->(o,i)``.
"""

import functools
import math

import numpy as np

from ..threads.division import large_or_not
from ..threads.limits import process
from .dims import normalise_dims
from .reduce_blocks import large_kernels
from .reduce_loops import LAST

_empty = np.empty

# Below so many elements NumPy walks any strides in less time than it takes to find a better order.
FEW = 2048


def is_full(dim):
    """Return whether `dim` means every dimension: None, or an empty sequence."""
    return dim is None or (type(dim) is not int and isinstance(dim, (tuple, list)) and not dim)


def reduce(op, loops, array, dim, keepdim, *numbers, staged=False):
    """Reduce over dimensions.

    Args:
        op: name of the op, for messages.
        loops: the `Loops` of its kernels: ``(n)->()``, with as many results as it likes, and ``(o,r,i)->(o,i)``, or
            None if there is none: such layouts are copied.
        array: of one of the dtypes of `loops`.
        dim: an int, a sequence of ints, or None for all.
        keepdim: whether reduced dimensions stay, with extent 1.
        numbers: further arguments of both kernels, 0-d arrays.
        staged: whether reducing dimension after dimension gives the same as all at once.

    Returns:
        An array, or a tuple of them.
    """
    builtins = loops.builtins[array.dtype]
    kind = builtins.result
    # A small call costs what stands around its kernel: what is asked for most often comes first.
    run = None
    if dim is None:
        run = builtins.flat
        kept = (1,) * array.ndim if keepdim else ()
    elif type(dim) is int:
        axis, kept = _along(array.shape, dim, keepdim)
        if axis is not None:
            run = builtins.along[axis]
    if run is not None and array.nbytes < builtins.large:
        if kind is None:
            first, second = builtins.kinds
            outs = _empty(kept, first), _empty(kept, second)
            if run(array, *numbers, *outs):
                return outs
        else:
            out = _empty(kept, kind)
            if run(array, *numbers, out) if numbers else run(array, out):
                return out
    if array.dtype.kind == "b":
        array = array.view(np.uint8)
    return builtins.choose(_reduce_any(op, loops, array, dim, keepdim, numbers, staged))


@functools.lru_cache(maxsize=1024)
def _along(shape, dim, keepdim):
    """Return the dimension to reduce, `LAST` or counted from the front, and the result's shape.

    The dimension is None where a builtin function is not what reduces it: it is out of range, or has extents of 1
    behind it, with which it may be the last in memory.
    """
    last = len(shape) - 1
    axis = dim + last + 1 if dim < 0 else dim
    if not 0 <= axis <= last or (axis < last and shape[last] == 1):
        return None, None
    kept = (*shape[:axis], *(1,) * bool(keepdim), *shape[axis + 1 :])
    return LAST if axis == last else axis, kept


def _reduce_any(op, loops, array, dim, keepdim, numbers, staged):
    """Reduce over any dimensions of any array that is not of bools."""
    rows, columns = large_kernels(loops, array.dtype) if array.nbytes >= process.blocks else loops[array.dtype]
    ndim = array.ndim
    if is_full(dim):
        result = rows(array.ravel() if loops.ordered else array.ravel("K"), *numbers)
        return _reshape(result, (1,) * ndim) if keepdim else result
    dims = normalise_dims(op, dim, ndim)
    if ndim == 0:
        return rows(array.reshape(1), *numbers)
    if len(dims) == 1:
        axis = dims[0]
        if axis == ndim - 1 and (array.size < FEW or array.strides[axis] == array.itemsize):
            result = rows(array, *numbers)
            return _reshape(result, _kept(array.shape, dims)) if keepdim else result
    shape = array.shape
    kept = _kept(shape, dims) if keepdim else tuple(n for axis, n in enumerate(shape) if axis not in dims)
    return _reshape(_reduce(rows, columns, array, dims, numbers, staged), kept)


def _reduce(rows, columns, array, dims, numbers, staged):
    """Reduce over sorted dimensions; the result has the kept ones in order, their extents perhaps merged."""
    ndim = array.ndim
    first, last = dims[0], dims[-1]
    if len(dims) == ndim:
        return rows(array.ravel("K"), *numbers)
    if not array.flags.c_contiguous:
        return _reduce_strided(rows, columns, array, dims, numbers, staged)
    shape = array.shape
    if last - first + 1 == len(dims):
        outer, reduced = math.prod(shape[:first]), math.prod(shape[first : last + 1])
        inner = math.prod(shape[last + 1 :])
        if inner == 1:
            return rows(array.reshape(outer, reduced), *numbers)
        if columns is not None:
            return columns(array.reshape(outer, reduced, inner), *numbers)
    elif staged:
        run = last
        while run - 1 in dims:
            run -= 1
        rest = tuple(axis for axis in dims if axis < run)
        partial = _reduce(rows, columns, array, tuple(range(run, last + 1)), numbers, False)
        partial = partial.reshape(shape[:run] + shape[last + 1 :])
        return _reduce(rows, columns, partial, rest, numbers, True)
    return rows(_reduced_last(array, dims), *numbers)


def _reduce_strided(rows, columns, array, dims, numbers, staged):
    ndim = array.ndim
    order = sorted(range(ndim), key=lambda axis: -abs(array.strides[axis]))
    walked = array.transpose(order)
    kept = [axis for axis in order if axis not in dims]
    if walked.flags.c_contiguous:
        result = _reduce(rows, columns, walked, tuple(k for k in range(ndim) if order[k] in dims), numbers, staged)
        if kept == sorted(kept):
            return result
        shape = tuple(array.shape[axis] for axis in kept)
        back = [kept.index(axis) for axis in sorted(kept)]

        def restore(one):
            return np.ascontiguousarray(one.reshape(shape).transpose(back))

        return tuple(map(restore, result)) if type(result) is tuple else restore(result)
    if len(dims) == 1 and (order[-1] == dims[0] or array.size < FEW):
        return rows(_turned(array, dims), *numbers)
    return _reduce(rows, columns, np.ascontiguousarray(array), dims, numbers, staged)


def _reduced_last(array, dims):
    """Return a contiguous copy whose last dimension is what is reduced."""
    turned = _turned(array, dims)
    return turned.reshape(*turned.shape[: -len(dims)], math.prod(turned.shape[-len(dims) :]))


def _turned(array, dims):
    """Return a view whose last dimensions are what is reduced: `np.moveaxis` takes 3 us."""
    return array.transpose([*[axis for axis in range(array.ndim) if axis not in dims], *dims])


def _kept(shape, dims):
    return tuple(1 if axis in dims else extent for axis, extent in enumerate(shape))


def _reshape(result, shape):
    if type(result) is tuple:
        return tuple(_reshape(one, shape) for one in result)
    if type(result) is not np.ndarray:
        result = np.asarray(result)
    return result if result.shape == shape else result.reshape(shape)


def kept_shape(op, shape, dim):
    """Return `shape` with extent 1 for the reduced dimensions."""
    if is_full(dim):
        return (1,) * len(shape)
    return _kept(shape, normalise_dims(op, dim, len(shape)))


def count(op, shape, dim):
    """Return how many elements are reduced to one."""
    if is_full(dim):
        return math.prod(shape)
    return math.prod(shape[axis] for axis in normalise_dims(op, dim, len(shape)) if shape)


def keep_dims(op, reduced, shape, dim, keepdim):
    """Return the array or tensor of a reduction of `shape` with the reduced dimensions at extent 1, to broadcast."""
    if keepdim or not shape:
        return reduced
    return reduced.reshape(kept_shape(op, shape, dim))


def spread(op, grad, shape, dim, keepdim):
    """Return `grad` repeated over the reduced dimensions: a read-only view, for a sum's gradient."""
    strides = None
    if grad.flags.c_contiguous:
        if is_full(dim):
            strides = (0,) * len(shape)
        elif type(dim) is int and shape:
            axis = dim + len(shape) if dim < 0 else dim
            strides = (*grad.strides[:axis], 0, *grad.strides[axis + bool(keepdim) :])
    if strides is None:
        return np.broadcast_to(keep_dims(op, grad, shape, dim, keepdim), shape)
    # What np.broadcast_to does, in a tenth of the time.
    repeated = np.ndarray(shape, grad.dtype, grad, 0, strides)
    repeated.flags.writeable = False
    return repeated


def spread_tensor(op, grad, shape, dim, keepdim):
    """Return the same as `spread` for tensors."""
    return keep_dims(op, grad, shape, dim, keepdim).expand(shape)


def call_spread(kernel, x, *arguments):
    """Call the backward kernel of a reduction: elementwise, with operands that are one number per reduced run.

    Args:
        kernel: an `Elementwise` kernel that names these operands; they keep the reduced dimensions, with extent 1.
        x: the reduction's input, for its extents.
        arguments: all of the kernel's, in order.

    Returns:
        An array of the shape of `x`.
    """
    repeated = kernel.repeated
    first = arguments[kernel.parameters.index(repeated[0])]
    if x.size < FEW or first.size == 1 or first.shape[-1] != 1:
        return np.asarray(large_or_not(kernel.loops[x.dtype], x)(*arguments))
    # The other dimensions broadcast.
    numbers = [a[..., 0] if name in repeated else a for name, a in zip(kernel.parameters, arguments, strict=True)]
    return large_or_not(kernel.rows[x.dtype], x)(*numbers)


def require_elements(op, shape, dim):
    """Raise where a reduction without identity has no element to choose from.

    Raises:
        RuntimeError: every dimension is reduced and the tensor is empty.
        IndexError: a reduced dimension has extent 0.
    """
    if is_full(dim):
        if 0 in shape:
            raise RuntimeError(
                f"{op}: Expected reduction dim to be specified for input.numel() == 0 (shape {shape}). Specify the "
                "reduction dim with the 'dim' argument, one that is not empty."
            )
        return
    for axis in normalise_dims(op, dim, len(shape)):
        if shape and shape[axis] == 0:
            raise IndexError(f"{op}: Expected reduction dim {axis} to have non-zero size (shape {shape})")
