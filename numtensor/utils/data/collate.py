"""From a list of samples to a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...modes import current
from ...ops.creation import from_numpy
from ...tensor import Tensor, wrap


def default_collate(batch: list[Any]) -> Any:
    """Stack samples: tensors, arrays and numbers along a new first dimension, collections part by part.

    Args:
        batch: a list of samples of one structure.

    Returns:
        For tensors and arrays a tensor of shape ``(len(batch), ...)``; for Python floats one of float64, for ints one
        of int64; strings stay a list; a dict gives a dict, a named tuple one of its kind, a tuple or list a list.

    Raises:
        RuntimeError: shapes or lengths differ.
        TypeError: samples are of a kind that cannot be stacked.

    Reference: ``torch.utils.data.default_collate``.

    Example:
        >>> import numtensor as nt
        >>> nt.utils.data.default_collate([(1, 0.5), (2, 1.5)])
        [tensor([1, 2]), tensor([0.5000, 1.5000], dtype=numtensor.float64)]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return _stack(batch)
    if isinstance(first, np.ndarray):
        return _from_arrays([np.asarray(one) for one in batch])
    if isinstance(first, np.generic) and first.dtype.kind in "biuf":
        return _from_arrays(batch)
    if isinstance(first, float):
        return wrap(np.array(batch, np.float64))
    if isinstance(first, bool):
        return wrap(np.array(batch, np.bool_))
    if isinstance(first, int):
        return wrap(np.array(batch, np.int64))
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        made = {key: default_collate([one[key] for one in batch]) for key in first}
        return made if type(first) is dict else _same_kind(first, made)
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(default_collate(parts) for parts in zip(*batch, strict=True)))
    if isinstance(first, Sequence):
        if any(len(one) != len(first) for one in batch):
            raise RuntimeError("default_collate: each element in list of batch should be of equal size")
        return [default_collate(parts) for parts in zip(*batch, strict=True)]
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{type(first).__name__}"
    )


def _same_kind(like, made):
    try:
        return type(like)(made)
    except TypeError:
        return made


def _stack(batch):
    """Stack tensors; where no gradient is at stake, their arrays."""
    if any(one.requires_grad for one in batch):
        return current.mode.stack(list(batch), 0)
    return _from_arrays([one._array for one in batch])


def _from_arrays(arrays):
    try:
        stacked = np.stack(arrays)
    except ValueError:
        shapes = sorted({np.shape(one) for one in arrays})
        raise RuntimeError(
            f"default_collate: stack expects each tensor to be equal size, but the shapes are {shapes}"
        ) from None
    return from_numpy(stacked)


def default_convert(data: Any) -> Any:
    """Make tensors of the arrays in a sample, without a copy; leave the rest as it is.

    Args:
        data: a sample.

    Reference: ``torch.utils.data.default_convert``.

    Example:
        >>> import numtensor as nt
        >>> import numpy as np
        >>> nt.utils.data.default_convert({"x": np.zeros(2), "name": "a"})
        {'x': tensor([0., 0.], dtype=numtensor.float64), 'name': 'a'}
    """
    if isinstance(data, np.ndarray) and data.dtype in dtypes.FROM_NUMPY:
        return from_numpy(data)
    if isinstance(data, Mapping):
        return _same_kind(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return [default_convert(value) for value in data]
    return data
