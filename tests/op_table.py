"""The test table: one row per declared op. ``tests/rows/<family>.py`` has the rows of ``numtensor/ops/<family>.py``;
what several families share stands in ``tests/*_samples.py``.

From each row `tests/ops/test_table.py` checks, without another line: values against the reference in every dtype and
layout, equal bits in every mode, the method, in-place and ``out=`` forms, first and second derivatives, the backward
kernel against the vjp expression, and the documented errors. A declared op without a row fails the suite.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import rows


class T:
    """A tensor argument of a sample.

    Args:
        shape: its extents; ``T()`` is 0-d, ``T(0, 3)`` is empty.
        domain: the range of its values, instead of the row's.
        dtype: name of a fixed dtype, instead of each dtype of the row (for indices and masks).
        values: fixed values, nested lists, instead of drawn ones.
        grad: False if gradients with respect to it are not to be checked.
    """

    def __init__(self, *shape, domain=None, dtype=None, values=None, grad=True):
        self.shape = shape
        self.domain = domain
        self.dtype = dtype
        self.values = values
        self.grad = grad and dtype is None

    def __repr__(self):
        return f"T{self.shape}" + (f":{self.dtype}" if self.dtype else "")


class S:
    """One sample: positional and keyword arguments; a `T` (or a list of them) becomes a tensor, the rest is passed on.

    Args:
        grad: False if this sample is for values only (a tie, a kink).
    """

    def __init__(self, *args, grad=True, **kwargs):
        self.args = args
        self.kwargs = kwargs
        self.grad = grad

    def __repr__(self):
        parts = [repr(a) for a in self.args] + [f"{k}={v!r}" for k, v in self.kwargs.items()]
        return f"({', '.join(parts)})"


@dataclass
class Bad:
    """A call that must raise: the arguments, the exception, and a pattern of its message.

    The message must name the op, which is checked for every one.
    """

    sample: S
    exception: type
    match: str = ""


@dataclass
class Row:
    """What is tested of one op.

    Attributes:
        name: the op's public name, such as ``nn.functional.softplus``.
        samples: calls; include broadcast, 0-d and empty ones where the op takes them.
        reference: the same call on NumPy arrays (of float64 for floating dtypes), plain and slow; None where
            `check` does the comparing.
        dtypes: names of the dtypes for the `T` arguments without a fixed one.
        domain: range of drawn values; integers are drawn from its integral part, bools are drawn freely.
        tolerance: relative and absolute tolerance per dtype name; None for the default (float32 1e-5 and 1e-6,
            float64 1e-12 and 1e-12, the others exact). A looser one stands with its reason as a comment.
        grad: whether gradcheck runs (float64).
        gradgrad: whether gradgradcheck runs.
        check: ``check(result, *args, **kwargs)`` on NumPy arrays for what a reference cannot say (random ops).
        bad: calls that must raise.
        result_dtype: function of the dtype name to the result's, or None for "as the reference gives" being ignored.
    """

    name: str
    samples: list
    reference: Callable | None = None
    dtypes: tuple = ("float32", "float64")
    domain: tuple = (-3.0, 3.0)
    tolerance: dict | None = None
    grad: bool = True
    gradgrad: bool = True
    check: Callable | None = None
    bad: list = field(default_factory=list)
    result_dtype: Callable[[str], Any] | None = None


def all_rows():
    """Return the rows of every family by the op's public name.

    Raises:
        ValueError: two rows have one name.
    """
    found = {}
    for info in pkgutil.iter_modules(rows.__path__):
        for row in importlib.import_module(f"{rows.__name__}.{info.name}").ROWS:
            if row.name in found:
                raise ValueError(f"two rows for {row.name}")
            found[row.name] = row
    return found


FLOATING = ("float32", "float64")
INTEGRAL = ("uint8", "int8", "int16", "int32", "int64")
NUMERIC = (*INTEGRAL, *FLOATING)
ALL = ("bool", *NUMERIC)
