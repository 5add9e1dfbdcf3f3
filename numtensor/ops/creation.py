"""Factories: tensors from data, and tensors filled with something that is not random."""

import math

import numpy as np

from .. import dtypes
from ..dtypes import _default, as_dtype, from_numpy_dtype, get_default_dtype
from ..modes import current
from ..random import fma32, fma64
from ..tensor import Tensor, wrap
from .factory_kind import check_device, factory, require_grad
from .operands import CONSTANTS, unwrap

# ----------------------------------------------------------------------------------------------------------------------
# Shared by the factories


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


def _allocate(op, make, size, dtype):
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


# ----------------------------------------------------------------------------------------------------------------------
# From data


def tensor(data, *, dtype=None, device=None, requires_grad=False):
    """Make a tensor by copying data.

    Args:
        data: nested sequences of numbers, an array, or a tensor.
        dtype: of the result; otherwise arrays keep theirs, ints give int64, floats the default dtype, bools bool.
        device: None or ``"cpu"``.
        requires_grad: whether gradients are computed for it.

    Returns:
        A leaf tensor with its own memory.

    Raises:
        ValueError: the sequences are ragged.
        TypeError: an element is no number, or the dtype is unsupported.

    Reference: ``torch.tensor``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([[1, 2], [3, 4]])
        tensor([[1, 2],
                [3, 4]])
    """
    if device is not None:
        check_device("tensor", device)
    made = wrap(_copy_data("tensor", data, dtype))
    if requires_grad:
        require_grad("tensor", made)
    return made


def _copy_data(op, data, dtype):
    """Return data as a new array of the dtype that PyTorch gives it."""
    if isinstance(data, Tensor):
        array = data._array
    elif isinstance(data, (np.ndarray, np.generic)):
        array = np.asarray(data)
        if dtype is None:
            from_numpy_dtype(array.dtype, op)
    else:
        array = _from_sequence(op, data)
        if dtype is None and array.dtype.kind == "f" and not _holds_arrays(data):
            dtype = get_default_dtype()
    kind = array.dtype if dtype is None else as_dtype(dtype, op).numpy
    if kind is array.dtype and array.base is None and not isinstance(data, (Tensor, np.ndarray)):
        return array
    with np.errstate(all="ignore"):
        made = np.array(array, kind, order="C")
    if kind.kind in "iu" and array.dtype.kind in "iu" and not isinstance(data, (Tensor, np.ndarray, np.generic)):
        _check_fits(op, array, made)
    return made


def _check_fits(op, array, made):
    low, high = int(array.min(initial=0)), int(array.max(initial=0))
    if low < kind_minimum(made.dtype) or high > np.iinfo(made.dtype).max:
        raise RuntimeError(f"{op}: a value cannot be converted to type {made.dtype.name} without overflow")


def kind_minimum(kind):
    """Return the least integer that PyTorch converts to an integral dtype: negative ones wrap in an unsigned one."""
    info = np.iinfo(kind)
    return -int(info.max) if kind.kind == "u" else int(info.min)


def _holds_arrays(data):
    """Whether the innermost elements of nested sequences are NumPy numbers or tensors, whose dtype counts."""
    while isinstance(data, (list, tuple)) and len(data):
        data = data[0]
    return isinstance(data, (np.ndarray, np.generic, Tensor))


def _from_sequence(op, data):
    """Return nested sequences as an array of int64, float64, bool, or of the elements' own dtype."""
    if isinstance(data, (list, tuple)) and not len(data):
        return np.empty(0, get_default_dtype().numpy)
    try:
        array = np.array(_without_tensors(data))
    except ValueError:
        raise ValueError(
            f"{op}: expected sequences of equal lengths at each depth, but the data is ragged; pad it, or make a list "
            "of tensors"
        ) from None
    except OverflowError as error:
        raise ValueError(f"{op}: {error}") from None
    if array.dtype.kind == "O" or (array.dtype.kind == "u" and array.dtype.itemsize == 8):
        flat = array.ravel().tolist()
        if all(isinstance(v, int) for v in flat):
            raise ValueError(f"{op}: Overflow when unpacking long long: an int needs more than 64 bits")
        kinds = sorted({type(v).__name__ for v in flat if not isinstance(v, (int, float))})
        raise RuntimeError(f"{op}: Could not infer dtype of {', '.join(kinds)}: the elements must be numbers")
    if array.dtype.kind in "SU":
        raise TypeError(f"{op}: the elements must be numbers, got {array.dtype.type.__name__.rstrip('_')}")
    if array.size == 0 and array.dtype.kind == "f":
        return array.astype(get_default_dtype().numpy)
    from_numpy_dtype(array.dtype, op)
    return array


def _without_tensors(data):
    """Return nested sequences with tensors replaced by their arrays; the data itself if there are none."""
    if isinstance(data, Tensor):
        return data._array
    if isinstance(data, (list, tuple)) and any(isinstance(v, (Tensor, list, tuple)) for v in data):
        return [_without_tensors(v) for v in data]
    return data


def as_tensor(data, dtype=None, device=None):
    """Make a tensor of data, sharing memory where that is possible.

    Args:
        data: a tensor, an array, nested sequences of numbers, or anything with ``__array__`` or ``__dlpack__``.
        dtype: of the result; None keeps the data's, as `tensor` does.
        device: None or ``"cpu"``.

    Returns:
        The tensor itself if the dtype fits, a tensor on the array's memory if the dtype fits, else a copy.

    Raises:
        ValueError: the sequences are ragged.
        TypeError: an element is no number, or the dtype is unsupported.

    Reference: ``torch.as_tensor``.

    Example:
        >>> import numpy as np
        >>> import numtensor as nt
        >>> array = np.zeros(2)
        >>> t = nt.as_tensor(array)
        >>> array[0] = 1.0
        >>> t
        tensor([1., 0.], dtype=numtensor.float64)
    """
    if device is not None:
        check_device("as_tensor", device)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(as_dtype(dtype, "as_tensor"))
    if not isinstance(data, (np.ndarray, np.generic, bool, int, float, list, tuple)):
        if hasattr(data, "__array__"):
            data = np.asarray(data)
        elif hasattr(data, "__dlpack__"):
            data = np.from_dlpack(data)
    if isinstance(data, np.ndarray) and (dtype is None or data.dtype == as_dtype(dtype, "as_tensor").numpy):
        return from_numpy(data)
    return tensor(data, dtype=dtype)


def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False):
    """Make a tensor of an object, sharing memory unless that is impossible or a copy is asked for.

    Args:
        obj: what `as_tensor` takes.
        dtype: of the result; None keeps the data's.
        device: None or ``"cpu"``.
        copy: True to copy always, False to raise where a copy is needed, None to copy where needed.
        requires_grad: whether gradients are computed for the result.

    Returns:
        A tensor. One made of a tensor is detached unless `requires_grad`.

    Raises:
        ValueError: `copy` is False and a copy is needed.

    Reference: ``torch.asarray``.

    Example:
        >>> import numtensor as nt
        >>> nt.asarray([1, 2], dtype=nt.float32)
        tensor([1., 2.])
    """
    if device is not None:
        check_device("asarray", device)
    made = as_tensor(obj, dtype)
    shares = made is obj or np.shares_memory(made._array, obj) if isinstance(obj, (Tensor, np.ndarray)) else False
    if copy is False and not shares:
        raise ValueError(f"asarray: cannot alias a {type(obj).__name__} as asked (copy=False); leave copy out")
    if copy and shares:
        made = made.clone()
    if isinstance(obj, Tensor) and obj.requires_grad and not requires_grad:
        made = made.detach()
    elif requires_grad and not made.requires_grad:
        made = made.detach() if made is obj else made
        require_grad("asarray", made)
    return made


def from_numpy(ndarray):
    """Make a tensor on the memory of a NumPy array: each sees the other's changes.

    Args:
        ndarray: an array of a dtype that tensors have, in native byte order. Any strides do; a tensor on read-only
            memory cannot be changed in place.

    Returns:
        A tensor of the same shape and dtype, without a copy.

    Raises:
        TypeError: it is no array, or its dtype is unsupported.

    Reference: ``torch.from_numpy``, which refuses negative strides and warns of read-only memory.

    Example:
        >>> import numpy as np
        >>> import numtensor as nt
        >>> array = np.array([1.0, 2.0])
        >>> nt.from_numpy(array).mul_(2)
        tensor([2., 4.], dtype=numtensor.float64)
        >>> array
        array([2., 4.])
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: expected np.ndarray (got {type(ndarray).__name__}); see as_tensor")
    kind = from_numpy_dtype(ndarray.dtype, "from_numpy")
    # A subclass would answer to operators its own way; a dtype with metadata is not the one that ops look up.
    array = ndarray.view(kind.numpy, np.ndarray) if type(ndarray) is not np.ndarray else ndarray
    if array.dtype is not kind.numpy:
        array = array.view(kind.numpy)
    return wrap(array)


def from_dlpack(ext_tensor):
    """Make a tensor on the memory of another library's array, by the DLPack protocol.

    Args:
        ext_tensor: an object with ``__dlpack__`` and ``__dlpack_device__`` whose memory the CPU reaches.

    Returns:
        A tensor of the same shape and dtype, without a copy.

    Raises:
        TypeError: it does not speak the protocol, or its dtype is unsupported.

    Reference: ``torch.from_dlpack``.

    Example:
        >>> import numpy as np
        >>> import numtensor as nt
        >>> nt.from_dlpack(np.arange(3))
        tensor([0, 1, 2])
    """
    if not hasattr(ext_tensor, "__dlpack__"):
        raise TypeError(f"from_dlpack: {type(ext_tensor).__name__} has no __dlpack__; see as_tensor")
    return from_numpy(np.from_dlpack(ext_tensor))


# ----------------------------------------------------------------------------------------------------------------------
# Filled


@factory()
def zeros(*size, dtype=None, requires_grad=False, device=None):
    """Make a tensor of zeros.

    Args:
        size: the extents, as several ints or one sequence.
        dtype: of the result; None for the default dtype.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of that shape.

    Raises:
        RuntimeError: an extent is negative, or `requires_grad` with a dtype that is not floating.

    Reference: ``torch.zeros``.

    Example:
        >>> import numtensor as nt
        >>> nt.zeros(2, 3)
        tensor([[0., 0., 0.],
                [0., 0., 0.]])
    """


@zeros.forward
def _(size, dtype):
    if dtype is None and type(size) is tuple and size and type(size[0]) is int:
        # Plain extents, the usual call: nothing to find out. Errors are found out by the other way.
        try:
            return np.zeros(size, _default.dtype.numpy)
        except (TypeError, ValueError):
            pass
    return _allocate("zeros", np.zeros, size, dtype)


@factory()
def ones(*size, dtype=None, requires_grad=False, device=None):
    """Make a tensor of ones.

    Args:
        size: the extents, as several ints or one sequence.
        dtype: of the result; None for the default dtype.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of that shape.

    Raises:
        RuntimeError: an extent is negative, or `requires_grad` with a dtype that is not floating.

    Reference: ``torch.ones``.

    Example:
        >>> import numtensor as nt
        >>> nt.ones((2,), dtype=nt.int64)
        tensor([1, 1])
    """


@ones.forward
def _(size, dtype):
    array = _allocate("ones", np.empty, size, dtype)
    array.fill(1)
    return array


@factory()
def empty(*size, dtype=None, requires_grad=False, device=None):
    """Make a tensor whose elements are whatever the memory holds.

    Args:
        size: the extents, as several ints or one sequence.
        dtype: of the result; None for the default dtype.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of that shape.

    Raises:
        RuntimeError: an extent is negative, or `requires_grad` with a dtype that is not floating.

    Reference: ``torch.empty``.

    Example:
        >>> import numtensor as nt
        >>> nt.empty(2, 3).shape
        numtensor.Size([2, 3])
    """


@empty.forward
def _(size, dtype):
    return _allocate("empty", np.empty, size, dtype)


@factory()
def full(size, fill_value, *, dtype=None, requires_grad=False, device=None):
    """Make a tensor that holds one number everywhere.

    Args:
        size: a sequence of extents.
        fill_value: the number, or a 0-d tensor.
        dtype: of the result; None for that of the number: bool, int64 or the default dtype.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of that shape.

    Raises:
        RuntimeError: an extent is negative, the number does not fit the dtype, or `requires_grad` with a dtype that
            is not floating.

    Reference: ``torch.full``.

    Example:
        >>> import numtensor as nt
        >>> nt.full((2,), 1.5)
        tensor([1.5000, 1.5000])
    """


@full.forward
def _(size, fill_value, dtype):
    if dtype is None:
        # A tensor counts as the number that it holds.
        dtype = dtypes.scalar_dtype(fill_value.item() if isinstance(fill_value, Tensor) else fill_value)
    value = _fill_value("full", fill_value, numpy_dtype("full", dtype))
    array = _allocate("full", np.empty, size, dtype)
    array.fill(value)
    return array


_fill_value = fill_value


def _like(op, input, dtype):
    """Return a new array of the shape, memory order and, unless another is given, dtype of a tensor."""
    array = unwrap(op, "input", input)
    return np.empty_like(array, array.dtype if dtype is None else as_dtype(dtype, op).numpy)


@factory(tensors=("input",), differentiable=())
def zeros_like(input, *, dtype=None, requires_grad=False, device=None):
    """Make a tensor of zeros in the shape of another.

    Args:
        input: the tensor whose shape and memory order the result has.
        dtype: of the result; None for that of `input`.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.zeros_like``.

    Example:
        >>> import numtensor as nt
        >>> nt.zeros_like(nt.tensor([1, 2]))
        tensor([0, 0])
    """


@zeros_like.forward
def _(input, dtype):
    array = _like("zeros_like", input, dtype)
    array.fill(0)
    return array


@factory(tensors=("input",), differentiable=())
def ones_like(input, *, dtype=None, requires_grad=False, device=None):
    """Make a tensor of ones in the shape of another.

    Args:
        input: the tensor whose shape and memory order the result has.
        dtype: of the result; None for that of `input`.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.ones_like``.

    Example:
        >>> import numtensor as nt
        >>> nt.ones_like(nt.tensor([1, 2]), dtype=nt.float32)
        tensor([1., 1.])
    """


@ones_like.forward
def _(input, dtype):
    array = _like("ones_like", input, dtype)
    array.fill(1)
    return array


@factory(tensors=("input",), differentiable=())
def empty_like(input, *, dtype=None, requires_grad=False, device=None):
    """Make a tensor in the shape of another whose elements are whatever the memory holds.

    Args:
        input: the tensor whose shape and memory order the result has.
        dtype: of the result; None for that of `input`.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.empty_like``.

    Example:
        >>> import numtensor as nt
        >>> nt.empty_like(nt.ones(2, 3)).shape
        numtensor.Size([2, 3])
    """


@empty_like.forward
def _(input, dtype):
    return _like("empty_like", input, dtype)


@factory(tensors=("input",), differentiable=())
def full_like(input, fill_value, *, dtype=None, requires_grad=False, device=None):
    """Make a tensor in the shape of another that holds one number everywhere.

    Args:
        input: the tensor whose shape and memory order the result has.
        fill_value: the number, or a 0-d tensor.
        dtype: of the result; None for that of `input`.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of the same shape.

    Raises:
        RuntimeError: the number does not fit the dtype.

    Reference: ``torch.full_like``.

    Example:
        >>> import numtensor as nt
        >>> nt.full_like(nt.ones(2), 7)
        tensor([7., 7.])
    """


@full_like.forward
def _(input, fill_value, dtype):
    array = _like("full_like", input, dtype)
    array.fill(_fill_value("full_like", fill_value, array.dtype))
    return array


# ----------------------------------------------------------------------------------------------------------------------
# Ranges


def _number(op, name, value):
    """Return a Python number for a number, NumPy number or 0-d tensor."""
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (Tensor, np.ndarray, np.generic)) and value.ndim == 0:
        return value.item()
    raise TypeError(f"{op}: argument '{name}' must be a number, not {type(value).__name__}")


@factory()
def arange(start=0, end=None, step=1, *, dtype=None, requires_grad=False, device=None):
    """Make a 1-d tensor of equally spaced numbers: start, start + step, ... up to but without end.

    Args:
        start: the first number. A single argument is the end, and the start is 0.
        end: the bound, excluded.
        step: the distance, not 0.
        dtype: of the result; None for int64 if all numbers are ints, else for the default dtype.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of ceil((end - start) / step) elements.

    Raises:
        RuntimeError: step is 0 or leads away from end, or a bound is not finite.

    Reference: ``torch.arange``.

    Example:
        >>> import numtensor as nt
        >>> nt.arange(1, 8, 3)
        tensor([1, 4, 7])
    """


@arange.forward
def _(start, end, step, dtype):
    if end is None:
        start, end = 0, start
    start, end, step = (
        v if type(v) is int else _number("arange", name, v)
        for name, v in (("start", start), ("end", end), ("step", step))
    )
    integral = not (isinstance(start, float) or isinstance(end, float) or isinstance(step, float))
    kind = np.dtype(np.int64) if dtype is None and integral else numpy_dtype("arange", dtype)
    if kind.kind == "b":
        raise RuntimeError("arange: not implemented for dtype bool")
    if not integral and not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"arange: unsupported range: {start} -> {end}")
    if not step or step != step:
        raise RuntimeError(f"arange: step must be nonzero, got {step}")
    if (end - start) * step < 0:
        raise RuntimeError(
            f"arange: upper bound and lower bound inconsistent with step sign: from {start} to {end} by {step}"
        )
    if kind.kind == "i" and kind.itemsize == 8:
        # Asked for by name, int64 takes the bounds as ints, too.
        start, end, step = int(start), int(end), int(step)
        if not step:
            raise RuntimeError("arange: step must be nonzero")
    if integral or (kind.kind == "i" and kind.itemsize == 8):
        if kind.kind == "i" and kind.itemsize == 8:
            return np.arange(start, end, step, kind)
        values = np.arange(start, end, step, np.int64)
    elif kind.kind == "f":
        # Each number from the start, not from the number before: rounding must not add up.
        values = np.arange(math.ceil((end - start) / step)) * float(step)
        values += start
    else:
        values = np.arange(math.ceil((end - start) / step)) * int(step) + int(start)
    return values.astype(kind, copy=False)


@factory()
def linspace(start, end, steps, *, dtype=None, requires_grad=False, device=None):
    """Make a 1-d tensor of `steps` equally spaced numbers from start to end, both included.

    Args:
        start: the first number.
        end: the last number.
        steps: how many; a single one is the start.
        dtype: of the result; None for the default dtype.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of `steps` elements.

    Raises:
        RuntimeError: `steps` is negative.

    Reference: ``torch.linspace``.

    Example:
        >>> import numtensor as nt
        >>> nt.linspace(0, 1, 5)
        tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """


@linspace.forward
def _(start, end, steps, dtype):
    return _linspace("linspace", start, end, steps, numpy_dtype("linspace", dtype))


def _linspace(op, start, end, steps, kind):
    start, end = _number(op, "start", start), _number(op, "end", end)
    try:
        steps = steps.__index__()
    except AttributeError:
        raise TypeError(f"{op}: argument 'steps' must be int, not {type(steps).__name__}") from None
    if steps < 0:
        raise RuntimeError(f"{op}: number of steps must be non-negative, got {steps}")
    if steps == 1:
        with np.errstate(all="ignore"):
            return np.array([start]).astype(kind)
    # Counted from the nearer end, so that both ends are met exactly, with one rounding each, as PyTorch does.
    values = np.empty(steps, kind)
    half = steps // 2
    ahead, back = np.arange(half), np.arange(steps - half)[::-1]
    with np.errstate(all="ignore"):
        if kind.kind in "iu":
            start, end = int(start), int(end)
            step = np.float32(end - start) / np.float32(steps - 1 or 1)
            values[:half] = np.float32(start) + step * ahead.astype(np.float32)
            values[half:] = np.float32(end) - step * back.astype(np.float32)
        else:
            start, end = kind.type(start), kind.type(end)
            step = (end - start) / kind.type(steps - 1 or 1)
            multiply_add = fma32 if kind.itemsize == 4 else fma64
            values[:half] = multiply_add(ahead.astype(np.float64), float(step), float(start))
            values[half:] = multiply_add(back.astype(np.float64), float(-step), float(end))
    return values


@factory()
def logspace(start, end, steps, base=10.0, *, dtype=None, requires_grad=False, device=None):
    """Make a 1-d tensor of `steps` numbers from base**start to base**end with equal ratios.

    Args:
        start: the exponent of the first number.
        end: the exponent of the last number.
        steps: how many; a single one has the exponent `start`.
        base: the base of the powers.
        dtype: of the result; None for the default dtype.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of `steps` elements.

    Raises:
        RuntimeError: `steps` is negative.

    Reference: ``torch.logspace``.

    Example:
        >>> import numtensor as nt
        >>> nt.logspace(0, 2, 3)
        tensor([  1.,  10., 100.])
    """


@logspace.forward
def _(start, end, steps, base, dtype):
    kind = numpy_dtype("logspace", dtype)
    exponents = _linspace("logspace", start, end, steps, np.dtype(np.float64))
    with np.errstate(all="ignore"):
        return np.power(float(_number("logspace", "base", base)), exponents).astype(kind)


@factory()
def eye(n, m=None, *, dtype=None, requires_grad=False, device=None):
    """Make a matrix with ones on the diagonal and zeros elsewhere.

    Args:
        n: the number of rows.
        m: the number of columns; None for `n`.
        dtype: of the result; None for the default dtype.
        requires_grad: whether gradients are computed for it.
        device: None or ``"cpu"``.

    Returns:
        A tensor of shape (n, m).

    Raises:
        RuntimeError: a size is negative.

    Reference: ``torch.eye``.

    Example:
        >>> import numtensor as nt
        >>> nt.eye(2)
        tensor([[1., 0.],
                [0., 1.]])
    """


@eye.forward
def _(n, m, dtype):
    array = _allocate("eye", np.zeros, (n, n if m is None else m), dtype)
    np.fill_diagonal(array, 1)
    return array


# ----------------------------------------------------------------------------------------------------------------------
# Methods that make a tensor of the dtype of another


def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False):
    """Make a tensor by copying data, of this tensor's dtype unless another is given; see `tensor`."""
    return tensor(data, dtype=self.dtype if dtype is None else dtype, device=device, requires_grad=requires_grad)


def new_zeros(self, *size, dtype=None, device=None, requires_grad=False):
    """Make zeros of this tensor's dtype unless another is given; see `zeros`."""
    return current.mode.zeros(size, self.dtype if dtype is None else dtype, requires_grad, device)


def new_ones(self, *size, dtype=None, device=None, requires_grad=False):
    """Make ones of this tensor's dtype unless another is given; see `ones`."""
    return current.mode.ones(size, self.dtype if dtype is None else dtype, requires_grad, device)


def new_empty(self, *size, dtype=None, device=None, requires_grad=False):
    """Make a tensor without values of this tensor's dtype unless another is given; see `empty`."""
    return current.mode.empty(size, self.dtype if dtype is None else dtype, requires_grad, device)


def new_full(self, size, fill_value, *, dtype=None, device=None, requires_grad=False):
    """Make a tensor of one number, of this tensor's dtype unless another is given; see `full`."""
    return current.mode.full(size, fill_value, self.dtype if dtype is None else dtype, requires_grad, device)


for _method in (new_tensor, new_zeros, new_ones, new_empty, new_full):
    setattr(Tensor, _method.__name__, _method)
