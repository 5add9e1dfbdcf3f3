"""Tensors of equally spaced numbers."""

import math

import numpy as np

from ..random.rounding import fma32, fma64
from ..tensor import Tensor
from .factory_arguments import numpy_dtype
from .factory_kind import factory


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
