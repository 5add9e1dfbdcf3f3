"""Factories: tensors from data, and tensors filled with something."""

import numpy as np

from .. import dtypes
from ..tensor import Tensor, wrap


def tensor(data, *, dtype=None, requires_grad=False):
    """Make a tensor by copying data.

    Args:
        data: nested sequences of numbers, an array, or a tensor.
        dtype: of the result; otherwise arrays keep theirs, ints give int64, floats the default dtype, bools bool.
        requires_grad: whether gradients are computed for it.

    Returns:
        A leaf tensor with its own memory.

    Raises:
        TypeError: the data is no rectangle of numbers, or its dtype is unsupported.

    Reference: ``torch.tensor``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([[1, 2], [3, 4]])
        tensor([[1, 2],
                [3, 4]])
    """
    if isinstance(data, Tensor):
        array = np.array(data._array)
    else:
        array = np.array(data)
        if not isinstance(data, (np.ndarray, np.generic)) and array.dtype.kind == "f":
            array = array.astype(dtypes.get_default_dtype().numpy)
    if dtype is not None:
        array = array.astype(dtypes.as_dtype(dtype, "tensor").numpy)
    dtypes.from_numpy_dtype(array.dtype, "tensor")
    made = wrap(array)
    return made.requires_grad_() if requires_grad else made
