"""Tensors from data: Python numbers and sequences, NumPy arrays, other libraries' arrays.

Constants stand in ``filled.py``, ranges in ``ranges.py``, random numbers in ``random_ops.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..dtypes import as_dtype, from_numpy_dtype, get_default_dtype
from ..tensor import Tensor, wrap
from .factory_arguments import kind_minimum
from .factory_kind import check_device, require_grad

if TYPE_CHECKING:
    from typing import Any

    from .._types import DType


def tensor(data: Any, *, dtype: DType | None = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
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


def as_tensor(data: Any, dtype: DType | None = None, device: str | None = None) -> Tensor:
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


def asarray(
    obj: Any,
    *,
    dtype: DType | None = None,
    device: str | None = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
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


def from_numpy(ndarray: np.ndarray[Any, Any]) -> Tensor:
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


def from_dlpack(ext_tensor: Any) -> Tensor:
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
    if isinstance(ext_tensor, Tensor) and ext_tensor.is_inference():
        # A normal tensor on the memory of an inference tensor could change it outside inference mode.
        return ext_tensor.data
    return from_numpy(np.from_dlpack(ext_tensor))
