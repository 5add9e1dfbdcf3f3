"""How tensors print: PyTorch's layout (``tensor([1., 2.])``, 4 digits, summarised beyond 1000 elements)."""

import math

import numpy as np

from . import dtypes

EDGE_ITEMS = 3
THRESHOLD = 1000
PRECISION = 4
LINE_WIDTH = 80


def tensor_repr(tensor):
    """Return what ``repr`` shows of a tensor.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([[1.0, 2.5], [3.0, -4.0]])
        tensor([[ 1.0000,  2.5000],
                [ 3.0000, -4.0000]])
    """
    prefix = "Parameter containing:\ntensor(" if type(tensor).__name__ == "Parameter" else "tensor("
    array = tensor._array
    suffixes = []
    if array.size == 0:
        body = "[]"
        if array.ndim != 1:
            suffixes.append(f"size={tuple(array.shape)}")
        if array.dtype != dtypes.get_default_dtype().numpy:
            suffixes.append(f"dtype={tensor.dtype!r}")
    else:
        body = _body(array, 7)
        implied = (dtypes.get_default_dtype().numpy, np.dtype("int64"), np.dtype("bool"))
        if array.dtype not in implied:
            suffixes.append(f"dtype={tensor.dtype!r}")
    node = tensor.grad_fn
    if node is not None:
        suffixes.append(f"grad_fn={node!r}")
    elif tensor.requires_grad:
        suffixes.append("requires_grad=True")
    text = prefix + body
    last = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if last + len(suffix) + 2 > LINE_WIDTH:
            text += ",\n" + " " * 7 + suffix
            last = 7 + len(suffix)
        else:
            text += ", " + suffix
            last += len(suffix) + 2
    return text + ")"


def _body(array, indent):
    summarise = array.size > THRESHOLD
    shown = _edges(array) if summarise else array
    return _nested(array, _formatter(shown), indent, summarise)


def _edges(array):
    """Return the elements that a summary shows."""
    for axis in range(array.ndim):
        if array.shape[axis] > 2 * EDGE_ITEMS:
            head, tail = [slice(None)] * array.ndim, [slice(None)] * array.ndim
            head[axis], tail[axis] = slice(EDGE_ITEMS), slice(-EDGE_ITEMS, None)
            array = np.concatenate([array[tuple(head)], array[tuple(tail)]], axis)
    return array


def _formatter(array):
    """Return the width of elements, and a function that renders one."""
    if array.dtype.kind != "f":
        width = max(len(str(v)) for v in array.ravel().tolist())
        return width, lambda v: f"{v!s:>{width}}"
    finite = np.abs(array[np.isfinite(array) & (array != 0)]).astype(np.float64)
    if finite.size == 0:
        style = "{:.0f}."
    else:
        high, low = float(finite.max()), float(finite.min())
        integral = bool(np.all(np.ceil(finite) == finite))
        if integral:
            style = f"{{:.{PRECISION}e}}" if high / low > 1000.0 or high > 1e8 else "{:.0f}."
        elif high / low > 1000.0 or high > 1e8 or low < 1e-4:
            style = f"{{:.{PRECISION}e}}"
        else:
            style = f"{{:.{PRECISION}f}}"

    def plain(value):
        if math.isfinite(value):
            return style.format(value)
        return str(value)

    # Zeros, infinities and NaN do not count for the width: PyTorch's layout.
    width = max((len(style.format(v)) for v in array.ravel().tolist() if v and math.isfinite(v)), default=1)
    return width, lambda v: f"{plain(v):>{width}}"


def _nested(array, formatter, indent, summarise):
    width, render = formatter
    if array.ndim == 0:
        return render(array.item())
    cut = summarise and array.shape[0] > 2 * EDGE_ITEMS
    if array.ndim == 1:
        values = array.tolist()
        if cut:
            values = [*map(render, values[:EDGE_ITEMS]), " ...", *map(render, values[-EDGE_ITEMS:])]
        else:
            values = [*map(render, values)]
        per_line = max(1, (LINE_WIDTH - indent) // (width + 2))
        rows = [", ".join(values[i : i + per_line]) for i in range(0, len(values), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(rows) + "]"
    items = [*array[:EDGE_ITEMS], None, *array[-EDGE_ITEMS:]] if cut else [*array]
    parts = ["..." if one is None else _nested(one, formatter, indent + 1, summarise) for one in items]
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"
