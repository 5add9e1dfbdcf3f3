"""Dtypes: their names, families, and PyTorch's rules for which dtype a result has."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import Any

    from ._types import DType


class dtype:
    """The type of a tensor's elements, such as ``numtensor.float32``.

    Attributes:
        name: as NumPy spells it.
        itemsize: bytes per element.
        is_floating_point, is_signed: as in PyTorch.
        category: 0 boolean, 1 integral, 2 floating; a higher one wins in type promotion.
        numpy: the ``numpy.dtype``.
    """

    __slots__ = ("category", "is_floating_point", "is_signed", "itemsize", "name", "numpy")

    name: str
    itemsize: int
    is_floating_point: bool
    is_signed: bool
    category: int
    numpy: np.dtype[Any]
    is_complex = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.numpy = np.dtype(name)
        self.itemsize = self.numpy.itemsize
        self.is_floating_point = self.numpy.kind == "f"
        self.is_signed = self.numpy.kind in "if"
        self.category = {"b": 0, "i": 1, "u": 1, "f": 2}[self.numpy.kind]

    def __repr__(self) -> str:
        return f"numtensor.{self.name}"

    def __reduce__(self):
        return as_dtype, (self.name,)


bool_ = dtype("bool")
uint8 = dtype("uint8")
int8 = dtype("int8")
int16 = dtype("int16")
int32 = dtype("int32")
int64 = dtype("int64")
float32 = dtype("float32")
float64 = dtype("float64")

ALL = (bool_, uint8, int8, int16, int32, int64, float32, float64)
BOOLEAN = (bool_,)
INTEGRAL = (uint8, int8, int16, int32, int64)
FLOATING = (float32, float64)
NUMERIC = INTEGRAL + FLOATING

FROM_NUMPY = {kind.numpy: kind for kind in ALL}
"""The dtype of a NumPy dtype; byte-swapped and foreign ones are missing."""

_BY_NAME = {kind.name: kind for kind in ALL}
_PYTHON = {bool: bool_, int: int64}

ALIASES = {"float": float32, "double": float64, "long": int64, "int": int32, "short": int16}
"""PyTorch's other names."""


class _Default(threading.local):
    dtype = float32


# PyTorch's default dtype is one for the process; a test or a library that changes it in a thread means that thread.
_default = _Default()


def get_default_dtype() -> dtype:
    """Return the dtype of floats that come from Python numbers.

    Returns:
        A floating dtype, float32 unless changed.

    Example:
        >>> import numtensor as nt
        >>> nt.get_default_dtype()
        numtensor.float32
    """
    return _default.dtype


def set_default_dtype(d: DType) -> None:
    """Choose the dtype of floats that come from Python numbers, for this thread.

    Args:
        d: float32 or float64.

    Raises:
        TypeError: `d` is not a floating dtype.

    Example:
        >>> import numtensor as nt
        >>> nt.set_default_dtype(nt.float64)
        >>> nt.tensor(1.5).dtype
        numtensor.float64
        >>> nt.set_default_dtype(nt.float32)
    """
    kind = as_dtype(d, "set_default_dtype")
    if not kind.is_floating_point:
        raise TypeError(f"set_default_dtype: only floating-point types are supported as the default type, got {kind}")
    _default.dtype = kind


def as_dtype(kind: DType, op: str = "dtype") -> dtype:
    """Return the dtype that a user means: ours, a NumPy dtype or type, a name, or a Python type.

    Raises:
        TypeError: there is none; names the op.
    """
    if type(kind) is dtype:
        return kind
    if isinstance(kind, type) and kind in _PYTHON:
        return _PYTHON[kind]
    try:
        return FROM_NUMPY[np.dtype(kind)]
    except (TypeError, KeyError):
        names = ", ".join(d.name for d in ALL)
        raise TypeError(f"{op}: unsupported dtype {kind!r}; supported are {names}") from None


def from_numpy_dtype(kind: np.dtype[Any], op: str = "tensor") -> dtype:
    """Return the dtype of a NumPy dtype that a tensor can hold without a copy.

    Raises:
        TypeError: tensors do not hold it; says what to do.
    """
    found = FROM_NUMPY.get(kind)
    # A dtype with the other byte order is a different key.
    if found is None or not kind.isnative:
        names = ", ".join(d.name for d in ALL)
        raise TypeError(
            f"{op}: an array of dtype {kind} cannot become a tensor; supported are {names} in native byte order: "
            "convert it with .astype(...)"
        )
    return found


def finfo(kind: DType | None = None) -> np.finfo[Any]:
    """Return NumPy's ``finfo`` of a floating dtype (the default dtype if None)."""
    return np.finfo((get_default_dtype() if kind is None else as_dtype(kind, "finfo")).numpy)


def iinfo(kind: DType) -> np.iinfo[Any]:
    """Return NumPy's ``iinfo`` of an integral dtype."""
    return np.iinfo(as_dtype(kind, "iinfo").numpy)


def promote_types(type1: DType, type2: DType) -> dtype:
    """Return the dtype to which both can be converted, as two tensors with dimensions promote.

    An integral with a floating dtype gives the floating one (NumPy would widen).

    Example:
        >>> import numtensor as nt
        >>> nt.promote_types(nt.int64, nt.float32)
        numtensor.float32
    """
    a, b = as_dtype(type1, "promote_types"), as_dtype(type2, "promote_types")
    if a.category != b.category:
        return a if a.category > b.category else b
    return FROM_NUMPY[np.promote_types(a.numpy, b.numpy)]


def scalar_dtype(value):
    """Return the dtype that a Python or NumPy number has on its own."""
    if isinstance(value, (bool, np.bool_)):
        return bool_
    if isinstance(value, (int, np.integer)):
        return int64
    return get_default_dtype()


def combine(dimensioned, zero_dim, scalars):
    """Return PyTorch's result dtype of operands by rank: dimensions outrank 0-d tensors, which outrank numbers.

    A lower rank counts only where its category (bool < integral < floating) is higher.

    Args:
        dimensioned, zero_dim, scalars: the dtypes of each rank, each possibly empty.
    """
    result = None
    for rank in (dimensioned, zero_dim, scalars):
        best = None
        for kind in rank:
            best = kind if best is None else promote_types(best, kind)
        if best is not None and (result is None or best.category > result.category):
            # A wrapped number of a higher category takes the default dtype of that category.
            result = best if rank is not scalars or result is None or best.category < 2 else get_default_dtype()
    return result
