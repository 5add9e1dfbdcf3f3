"""Names for the types in annotations and stubs; nothing imports this module when a program runs."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from . import dtypes
from .tensor import Tensor

Operand: TypeAlias = "Tensor | float | np.ndarray[Any, Any] | np.generic[Any]"
"""What an elementwise op computes on; an int or a bool is a float to a type checker."""

DType: TypeAlias = dtypes.dtype | np.dtype[Any] | type[Any] | str
"""What names a dtype: see `dtypes.as_dtype`."""

Dims: TypeAlias = int | Sequence[int]
"""One or several dimensions."""

Shape: TypeAlias = int | Sequence[int]
"""The extents of a tensor; an int is that of its only dimension."""
