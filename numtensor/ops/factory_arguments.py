"""What factories take: sizes, dtypes and fill values."""

import math

import numpy as np

from ..dtypes import _default, as_dtype, get_default_dtype
from ..tensor import Tensor
from .operands import CONSTANTS


def numpy_dtype(op, dtype):
    """Return the NumPy dtype of a factory's `dtype` argument: of the default dtype for None."""
    return (get_default_dtype() if dtype is None else as_dtype(dtype, op)).numpy


def extents(op, size):
    """Return the shape that a factory's ``*size`` means: several extents, or one sequence of them.

    Raises:
        TypeError: an extent is no integer.
        RuntimeError: an extent is negative.
    """
    if type(size) is not tuple:
        # A tensor has both: one of several elements is a sequence of extents.
        single = not hasattr(size, "__iter__") or (hasattr(size, "__index__") and not isinstance(size, Tensor))
        size = (size,) if single else tuple(size)
    elif len(size) == 1 and not hasattr(size[0], "__index__") and hasattr(size[0], "__iter__"):
        size = tuple(size[0])
    shape = []
    for extent in size:
        try:
            shape.append(extent.__index__())
        except (AttributeError, TypeError):
            raise TypeError(f"{op}: size must be ints, or one sequence of them, got {extent!r} in {size!r}") from None
    if any(extent < 0 for extent in shape):
        raise RuntimeError(f"{op}: Trying to create tensor with negative dimension: {shape}; sizes must be 0 or more")
    return tuple(shape)


def allocate(op, make, size, dtype):
    """Return ``make(size, dtype)``, where NumPy understands the size; errors are found out afterwards."""
    kind = _default.dtype.numpy if dtype is None else as_dtype(dtype, op).numpy
    if type(size) is tuple and len(size) == 1:
        size = size[0]
    if size is not None:
        try:
            return make(size, kind)
        except (TypeError, ValueError) as error:
            cause = error
            size = extents(op, size)
    else:
        raise TypeError(f"{op}: size must be ints, or one sequence of them, got None")
    raise RuntimeError(f"{op}: cannot make a tensor of shape {size}: {cause}")


def fill_value(op, value, kind):
    """Return a number, or a tensor or array of one element, as a 0-d array of the NumPy dtype `kind`.

    Raises:
        RuntimeError: it does not fit the dtype, or has several elements.
        TypeError: it is no number.
    """
    if isinstance(value, (bool, int, float)):
        try:
            made = CONSTANTS[kind][value]
            if kind.kind == "f" and abs(value) != math.inf and np.isinf(made):
                raise OverflowError
            return made
        except (OverflowError, ValueError, RuntimeError):
            if kind.kind == "u" and isinstance(value, int) and kind_minimum(kind) <= value < 0:
                # A negative number wraps, as in PyTorch.
                return np.array(value).astype(kind)
            raise RuntimeError(
                f"{op}: value {value} cannot be converted to type {kind.name} without overflow"
            ) from None
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        array = value._array if isinstance(value, Tensor) else np.asarray(value)
        if array.ndim == 0:
            with np.errstate(all="ignore"):
                return array.astype(kind)
        raise RuntimeError(f"{op}: only a number or a 0-d tensor fills a tensor, got shape {array.shape}")
    raise TypeError(f"{op}: fill value must be a number or a 0-d Tensor, not {type(value).__name__}")


def kind_minimum(kind):
    """Return the least integer that PyTorch converts to an integral dtype: negative ones wrap in an unsigned one."""
    info = np.iinfo(kind)
    return -int(info.max) if kind.kind == "u" else int(info.min)
