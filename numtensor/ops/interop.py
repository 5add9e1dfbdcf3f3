"""NumPy's ufuncs on tensors: ``np.exp(t)`` and ``ndarray * t`` are our ops, with gradients, in either operand order."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..modes import current
from ..tensor import Tensor
from .declaration import OPS

# NumPy's names of ufuncs whose op is named otherwise.
_NAMES = {
    "absolute": "abs",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "conjugate": "positive",
    "divide": "div",
    "equal": "eq",
    "fabs": "abs",
    "greater": "gt",
    "greater_equal": "ge",
    "invert": "bitwise_not",
    "left_shift": "bitwise_left_shift",
    "less": "lt",
    "less_equal": "le",
    "mod": "remainder",
    "multiply": "mul",
    "negative": "neg",
    "not_equal": "ne",
    "power": "pow",
    "right_shift": "bitwise_right_shift",
    "rint": "round",
    "subtract": "sub",
    "true_divide": "div",
}

# Same name, other meaning: NumPy's takes exponents, PyTorch's does not exist.
_FOREIGN = frozenset({"ldexp", "frexp", "modf", "divmod"})


def find_op(ufunc):
    """Return the declaration that computes what a NumPy ufunc does, or None."""
    name = ufunc.__name__
    if name in _FOREIGN:
        return None
    op = OPS.get(_NAMES.get(name, name))
    return op if op is not None and not op.namespace and len(op.tensors) == ufunc.nin else None


def array_ufunc(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
    """Run the op of a NumPy ufunc of which an operand is a tensor: what NumPy calls for ``np.exp(t)``.

    Returns:
        A tensor; or the array given as ``out=``, which then holds the result.

    Raises:
        TypeError: there is no such op, or NumPy's options are used.
        RuntimeError: the result requires grad and is to be written to an array.
    """
    name = f"np.{ufunc.__name__}"
    if not all(isinstance(v, (Tensor, np.ndarray, np.generic, bool, int, float)) for v in inputs):
        return NotImplemented
    op = find_op(ufunc) if method == "__call__" else None
    if op is None:
        called = name if method == "__call__" else f"{name}.{method}"
        raise TypeError(f"{called}: there is no such operation on tensors; use .detach().numpy() to compute with NumPy")
    if kwargs:
        raise TypeError(f"{name}: {', '.join(kwargs)}= does not apply to tensors; use .detach().numpy()")
    defaults = [op.signature.parameters[p].default for p in op.parameters[len(inputs) :]]
    result = getattr(current.mode, op.name)(*inputs, *defaults)
    if out is None:
        return result
    (target,) = out
    if isinstance(target, Tensor):
        return target.copy_(result)
    if target.shape != result._array.shape:
        raise ValueError(f"{name}: out has shape {target.shape}, the result {result._array.shape}")
    # numpy() refuses to lose a gradient.
    np.copyto(target, result.numpy(), casting="same_kind")
    return target


Tensor.__array_ufunc__ = array_ufunc
