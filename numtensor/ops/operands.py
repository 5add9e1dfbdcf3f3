"""What an op's arguments become before its kernel sees them: arrays of one exact dtype, numbers as 0-d arrays."""

import math

import numpy as np

from .. import dtypes
from ..graph import make_metadata
from ..modes import current
from ..tensor import Tensor, from_array, new
from .silent import silent


def _constant(value, kind):
    array = np.array(value).astype(kind.numpy)
    array.flags.writeable = False
    return array


# 0.0 and -0.0, which are one key of a dict but two numbers.
ZEROS = {kind.numpy: (_constant(0.0, kind), _constant(-0.0, kind)) for kind in dtypes.ALL}


class OperandError(TypeError):
    """An argument is nothing that an op can work on. Operators answer it with NotImplemented."""


class Constants(dict):
    """Python numbers as 0-d arrays of one dtype: a number given to a ufunc costs 250 ns more than such an array."""

    __slots__ = ("high", "kind", "low")

    # A loop over many different numbers must not keep them all.
    LIMIT = 4096

    def __init__(self, kind):
        self.kind = kind
        self.low, self.high = -math.inf, math.inf
        if kind.numpy.kind in "iu":
            limits = np.iinfo(kind.numpy)
            self.low, self.high = limits.min, limits.max

    def __missing__(self, value):
        if value == 0 and type(value) in (float, int, bool):
            return ZEROS[self.kind.numpy][math.copysign(1.0, value) < 0]
        try:
            if not self.low <= value <= self.high and value == value:
                # NumPy 1 would let it wrap around.
                raise OverflowError
            # Too large a float is infinite, without a word, as in PyTorch.
            with np.errstate(over="ignore"):
                made = np.array(value, self.kind.numpy)
        except OverflowError:
            raise RuntimeError(f"value {value} cannot be converted to type {self.kind.name} without overflow") from None
        made.flags.writeable = False
        # NaN is never found again.
        if value != 0 and value == value:
            if len(self) >= self.LIMIT:
                self.clear()
            self[value] = made
        return made


class Wrapped(Constants):
    """Numbers beside a tensor of their own category: an int out of the dtype's range wraps around, as in PyTorch."""

    __slots__ = ()

    def __missing__(self, value):
        try:
            return super().__missing__(value)
        except RuntimeError:
            try:
                wide = np.array(value, np.int64)
            except OverflowError:
                raise RuntimeError(f"value {value} is out of the range of int64") from None
            return wide.astype(self.kind.numpy)


CONSTANTS = {kind.numpy: Constants(kind) for kind in dtypes.ALL}

# Which numbers take which tensors' dtypes: a number promotes only where its category is the higher one.
WEAK = {
    float: {kind.numpy: CONSTANTS[kind.numpy] for kind in dtypes.FLOATING},
    int: {kind.numpy: Wrapped(kind) for kind in dtypes.INTEGRAL}
    | {kind.numpy: CONSTANTS[kind.numpy] for kind in dtypes.FLOATING},
    bool: CONSTANTS,
}

# The same for ops that refuse a number which the tensor's dtype cannot hold.
WEAK_STRICT = WEAK | {int: {kind.numpy: CONSTANTS[kind.numpy] for kind in dtypes.NUMERIC}}

# The same for ops that compute integers in the default dtype: there a number is that of the default dtype, too.
WEAK_FLOATING = {
    float: WEAK[float],
    int: {kind.numpy: CONSTANTS[kind.numpy] for kind in dtypes.FLOATING},
    bool: {kind.numpy: CONSTANTS[kind.numpy] for kind in dtypes.FLOATING},
}


def as_operand(op, name, value):
    """Return `value` as a tensor: a tensor itself, or a NumPy array or number.

    Raises:
        TypeError: it is nothing of the kind; names the op and the argument.
    """
    if isinstance(value, Tensor):
        return value
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        dtypes.from_numpy_dtype(array.dtype, op)
    elif isinstance(value, (bool, int, float)):
        array = np.array(value, dtypes.scalar_dtype(value).numpy)
    else:
        raise OperandError(f"{op}: argument '{name}' must be Tensor or Number, not {type(value).__name__}")
    made = new(Tensor)
    made._array = array
    made._meta = make_metadata()
    return made


def as_number(op, name, value):
    """Return `value` as a Python number: a NumPy number or a tensor of one element.

    Raises:
        TypeError: it is nothing of the kind; names the op and the argument.
    """
    if isinstance(value, (bool, int, float)):
        return float(value) if isinstance(value, float) else int(value)
    if isinstance(value, (Tensor, np.generic, np.ndarray)) and not getattr(value, "shape", ()):
        return value.item()
    raise TypeError(f"{op}: argument '{name}' must be a number, not {type(value).__name__}")


def unwrap(op, name, value):
    """Return the array of a tensor argument that may not be a plain number."""
    try:
        return value._array
    except AttributeError:
        if isinstance(value, np.ndarray):
            dtypes.from_numpy_dtype(value.dtype, op)
            return value
        raise TypeError(f"{op}: argument '{name}' must be Tensor, not {type(value).__name__}") from None


def result_dtype(op, operands):
    """Return the dtype in which PyTorch computes an op of these operands (tensors, arrays, numbers)."""
    dimensioned, zero_dim, scalars = [], [], []
    for value in operands:
        if isinstance(value, Tensor):
            array = value._array
            (dimensioned if array.ndim else zero_dim).append(dtypes.FROM_NUMPY[array.dtype])
        elif isinstance(value, np.ndarray):
            (dimensioned if value.ndim else zero_dim).append(dtypes.from_numpy_dtype(value.dtype, op))
        else:
            scalars.append(dtypes.scalar_dtype(value))
    return dtypes.combine(dimensioned, zero_dim, scalars)


def promote(op, names, values):
    """Return the operands as tensors of their common dtype; conversions are recorded like any op."""
    operands = [as_operand(op, name, value) for name, value in zip(names, values, strict=True)]
    return _converted(operands, values, result_dtype(op, values))


def promote_floating(op, names, values):
    """Return the operands as tensors of their common dtype, or of the default dtype if that is not a floating one."""
    operands = [as_operand(op, name, value) for name, value in zip(names, values, strict=True)]
    kind = result_dtype(op, values)
    return _converted(operands, values, kind if kind.is_floating_point else dtypes.get_default_dtype())


def _converted(operands, values, kind):
    """Return operands as tensors of one dtype; a Python float straight from its value, not by way of another dtype."""
    return [
        tensor
        if tensor._array.dtype is kind.numpy
        else from_array(CONSTANTS[kind.numpy][value])
        if type(value) is float and kind.is_floating_point
        else current.mode.to_dtype(tensor, kind)
        for tensor, value in zip(operands, values, strict=True)
    ]


def broadcast_error(op, error, *arrays):
    """Return the exception for shapes that do not broadcast, or the error itself if that is not the cause."""
    try:
        np.broadcast_shapes(*(a.shape for a in arrays))
    except ValueError:
        shapes = " and ".join(str(a.shape) for a in arrays)
        return RuntimeError(
            f"{op}: the shapes {shapes} do not match: sizes must be equal or 1, compared from the last dimension"
        )
    return error


def sum_to_shape(array, shape):
    """Return `array` summed over what broadcasting to it had repeated: the transpose of broadcasting `shape`."""
    if array.shape == shape:
        return array
    lead = array.ndim - len(shape)
    axes = (*range(lead), *(lead + i for i, extent in enumerate(shape) if extent == 1 != array.shape[lead + i]))
    return silent.run(np.add.reduce, array, axes, keepdims=True).reshape(shape)
