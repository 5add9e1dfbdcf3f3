"""Copies and conversions: dtype, clone, detach, contiguous."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import lean
from ..dtypes import ALIASES, ALL, FROM_NUMPY, as_dtype, bool_, float32, float64, int8, int16, int32, int64, uint8
from ..dtypes import dtype as Dtype
from ..graph import NO_VERSION, counter_of, make_metadata
from ..kernels import boxed_calls, boxed_writes, transposition
from ..kernels.declare import KernelTable
from ..kernels.forward import conversion as kernels
from ..modes import current
from ..tensor import Tensor, new
from ..threads.division import call as divide
from ..threads.limits import process
from .declaration import Declaration
from .factory_arguments import fill_value
from .factory_kind import check_device
from .general_kind import composite, library
from .operands import unwrap
from .overwrite_kind import overwrite
from .silent import silent

if TYPE_CHECKING:
    from typing_extensions import Self

    from .._types import DType, Operand

_CASTS = "NumPy's casts are vectorised for every pair of dtypes; ours, of the commonest, leave large results sooner"



def _cast_table(source, kernel):
    def make(target):
        call = kernel.calls[target]
        _ON_TENSORS[target].enter(source, call)
        return call

    return KernelTable(make)


_KERNELS = {
    kind.numpy: _cast_table(kind.numpy, kernel)
    for kind, kernel in (
        (float32, kernels.from_float32),
        (float64, kernels.from_float64),
        (int32, kernels.from_int32),
        (int64, kernels.from_int64),
    )
}
"""Kernels by dtype and the dtype that they convert it to. To what else there is, or from it, NumPy converts."""

_ON_TENSORS = {target: boxed_calls.CallTable() for target in _KERNELS}


class _Casts(dict):
    """{dtype: a function that converts a small tensor to it, or answers None}, made when first asked for."""

    def __init__(self):
        # What is large may have changed.
        process.listeners.append(self.clear)

    def __missing__(self, kind):
        layout, table = lean.layout(), _ON_TENSORS.get(kind.numpy)
        made = lean.nothing
        if layout is not None and table is not None:
            made = boxed_calls.make_call("to", layout, True, table, 1, 0, process.light)
        self[kind] = made
        return made


_SMALL_CASTS = _Casts()


@library(_CASTS, method=None, namespace="autograd", linear=True)
def to_dtype(input, dtype):
    """Convert to another, floating dtype: a copy, through which the gradient flows. Users call `Tensor.to`.

    Args:
        input: a tensor.
        dtype: a dtype, not the tensor's own.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: the tensor has that dtype.

    Example:
        >>> import numtensor as nt
        >>> nt.autograd.to_dtype(nt.tensor([1, 2]), nt.float32)
        tensor([1., 2.])
    """


def _cast(input, dtype):
    target = dtype.numpy
    calls = _KERNELS.get(input.dtype)
    if calls is not None and target in _KERNELS:
        if process.asks and input.nbytes >= process.light:
            return divide(calls[target], input)
        return calls[target](input)
    # NumPy warns of NaN and of overflow where PyTorch is silent.
    return silent.run(input.astype, target)


@to_dtype.forward
def _(input, dtype):
    # The gradient is converted to the other of the two floating dtypes.
    if input.dtype is dtype.numpy:
        raise ValueError(f"to_dtype: the tensor is {dtype.name} already; use clone()")
    return _cast(input, dtype)



@to_dtype.vjp
def _(grad, needs, input, dtype):
    # The only gradients are between floating dtypes, and there are two of them.
    return grad.to(float64 if dtype is float32 else float32)


@library(_CASTS, method=None, namespace="autograd", differentiable=())
def to_integral(input, dtype):
    """Convert to an integral dtype or bool, where there is no gradient: always a copy. Users call `Tensor.to`.

    Args:
        input: a tensor.
        dtype: a dtype.

    Returns:
        A tensor of the same shape.

    Example:
        >>> import numtensor as nt
        >>> nt.autograd.to_integral(nt.tensor([1.5, 2.5]), nt.int64)
        tensor([1, 2])
    """


to_integral.forward(_cast)


@library("one memory copy", linear=True)
def clone(input, memory_format=None):
    """Copy, with its own memory; the gradient passes through.

    Args:
        input: a tensor.
        memory_format: ignored: copies are contiguous.

    Returns:
        A tensor of the same shape and dtype: an inference tensor inside inference mode, a normal one outside.

    Reference: ``torch.clone``.

    Example:
        >>> import numtensor as nt
        >>> nt.clone(nt.tensor([1.0, 2.0]))
        tensor([1., 2.])
    """


@clone.forward
def _(input, memory_format):
    return transposition.ordered_copy(input)


@clone.backward
def _(grad, needs, input, memory_format):
    return grad


@clone.vjp
def _(grad, needs, input, memory_format):
    return grad


_NAMES = frozenset((*(kind.name for kind in ALL), *ALIASES))


def _conversion_target(op, input, targets, dtype):
    """Return the dtype that the arguments of `to` name: a dtype, a device, or a tensor, in any order."""
    found = None if dtype is None else as_dtype(dtype, op)
    for target in targets:
        if target is None or isinstance(target, bool):
            continue
        if isinstance(target, Tensor):
            found = target.dtype
        elif getattr(target, "type", None) == "cpu" or (isinstance(target, str) and target not in _NAMES):
            check_device(op, target)
        else:
            found = as_dtype(target, op)
    return input.dtype if found is None else found


@composite(namespace="Tensor")
def to(
    input,
    target: DType | Tensor | None = None,
    other: DType | None = None,
    non_blocking: bool = False,
    copy: bool = False,
    dtype: DType | None = None,
    device: str | None = None,
    memory_format=None,
):
    """Convert to another dtype; the tensor itself if it has it already.

    Args:
        input: a tensor.
        target: a dtype, a tensor whose dtype is meant, or ``"cpu"``, the only device.
        other: the dtype, if `target` is the device.
        non_blocking: ignored: there is one device.
        copy: copy even if nothing changes.
        dtype: the dtype, by name.
        device: the device, by name.
        memory_format: ignored: results are contiguous.

    Returns:
        A tensor of the same shape, through which gradients flow between floating dtypes.

    Raises:
        TypeError: the dtype is unsupported.
        RuntimeError: the device is not the CPU.

    Reference: ``torch.Tensor.to``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([1, 2]).to(nt.float64)
        tensor([1., 2.], dtype=numtensor.float64)
    """
    kind = target
    if type(target) is not Dtype or other is not None or dtype is not None or device is not None:
        kind = _conversion_target("to", input, (target, other, device), dtype)
    made = _SMALL_CASTS[kind](input)
    if made is not None:
        return made
    if input._array.dtype is kind.numpy:
        return current.mode.clone(input) if copy else input
    return current.mode.to_dtype(input, kind) if kind.is_floating_point else current.mode.to_integral(input, kind)


@composite(namespace="Tensor")
def type_as(input, other: Tensor):
    """Convert to the dtype of another tensor; the tensor itself if it has it already.

    Args:
        input: a tensor.
        other: the tensor whose dtype is meant.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.Tensor.type_as``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([1.5]).type_as(nt.tensor([1]))
        tensor([1])
    """
    return to(input, FROM_NUMPY[unwrap("type_as", "other", other).dtype])


@composite(namespace="Tensor")
def contiguous(input, memory_format=None):
    """Return the tensor in row-major order without gaps: itself if it is, else a copy.

    Args:
        input: a tensor.
        memory_format: ignored: there is one.

    Returns:
        A tensor of the same shape and elements.

    Reference: ``torch.Tensor.contiguous``.

    Example:
        >>> import numtensor as nt
        >>> nt.eye(2)[:, 0].contiguous().stride()
        (1,)
    """
    return input if input._array.flags.c_contiguous else current.mode.clone(input)


def _type(self, dtype: DType | None = None) -> str | Tensor:
    """Return the name of this tensor's type, or the tensor converted to a dtype; see `Tensor.to`."""
    if dtype is None:
        names = {"float32": "Float", "float64": "Double", "int64": "Long", "int32": "Int", "int16": "Short"}
        names |= {"int8": "Char", "uint8": "Byte", "bool": "Bool"}
        return f"numtensor.{names[self.dtype.name]}Tensor"
    return self.to(dtype)


def _cpu(self) -> Tensor:
    """Return the tensor itself: the CPU is where it is."""
    return self


def _converter(name, kind):
    def convert(self, memory_format: object = None) -> Tensor:
        return to(self, kind)

    convert.__name__ = name
    convert.__qualname__ = f"Tensor.{name}"
    convert.__doc__ = f"Convert to {kind.name}; see `Tensor.to`."
    return convert


_NAMED = {"double": float64, "float": float32, "long": int64, "int": int32, "short": int16, "char": int8}
for _name, _kind in (_NAMED | {"byte": uint8, "bool": bool_}).items():
    setattr(Tensor, _name, _converter(_name, _kind))
Tensor.type = _type
Tensor.cpu = _cpu

# ----------------------------------------------------------------------------------------------------------------------
# Detached tensors


class DetachOp(Declaration):
    """The op that gives a tensor's memory without its history; it is no view, but it shares the version counter."""

    kind = "alias"

    def specialise(self, path):
        """Return the callable, the same for every mode: a detached tensor is an inference tensor if its source is."""

        def detach(input):
            if not isinstance(input, Tensor):
                unwrap("detach", "input", input)
                raise TypeError(f"detach: argument 'input' must be Tensor, not {type(input).__name__}")
            made = new(Tensor)
            made._array = input._array
            meta = input._meta
            made._meta = None if meta is None or meta.counter is NO_VERSION else make_metadata(False, counter_of(meta))
            return made

        return detach


def _detach(input):
    """Return the same memory as a tensor without history; in-place changes of either count for both.

    Args:
        input: a tensor.

    Returns:
        A tensor that does not require grad: an inference tensor if `input` is one, in any mode.

    Reference: ``torch.Tensor.detach``.

    Example:
        >>> import numtensor as nt
        >>> x = nt.ones(2, requires_grad=True)
        >>> (x * 2).detach()
        tensor([2., 2.])
    """


_detach.__name__ = "detach"
detach = DetachOp(_detach, differentiable=())


def detach_(self) -> Self:
    """Cut this tensor from the graph that made it, in place, and return it.

    Raises:
        RuntimeError: it is a view: its base would keep the history.
    """
    meta = self._meta
    if meta is not None:
        if meta.base is not None and meta.requires_grad:
            raise RuntimeError(
                f"detach_: Can't detach views in-place. Use detach() instead (shape {tuple(self._array.shape)})"
            )
        meta.requires_grad = False
        meta.node = None
    for wrapper in current.mode.active:
        wrapper.cut(self)
    return self


Tensor.detach_ = detach_

# ----------------------------------------------------------------------------------------------------------------------
# Overwriting


@overwrite(source="src")
def copy_(input, src: Operand, non_blocking=False):
    """Copy the elements of `src` into this tensor, broadcast and converted.

    Args:
        input: the tensor to change.
        src: a tensor, array or number that broadcasts to it; the gradient flows to it.
        non_blocking: ignored: there is one device.

    Returns:
        The tensor itself.

    Raises:
        RuntimeError: the shape does not broadcast, or the tensor may not be changed in place.

    Reference: ``torch.Tensor.copy_``.

    Example:
        >>> import numtensor as nt
        >>> nt.zeros(2, 2).copy_(nt.tensor([1, 2]))
        tensor([[1., 2.],
                [1., 2.]])
    """


@copy_.forward
def _(array, src, non_blocking):
    source = src if isinstance(src, (int, float)) else unwrap("copy_", "src", src)
    try:
        if type(source) is np.ndarray and source.dtype is array.dtype:
            np.copyto(array, source)
            return
        # NumPy warns of NaN and of overflow where PyTorch is silent.
        with np.errstate(all="ignore"):
            np.copyto(array, source, casting="unsafe")
    except ValueError:
        raise RuntimeError(
            f"copy_: src of shape {np.shape(source)} does not broadcast to the tensor's shape {array.shape}"
        ) from None


@overwrite(source="value")
def fill_(input, value):
    """Set every element of this tensor to one number.

    Args:
        input: the tensor to change.
        value: a number or a 0-d tensor, to which the gradient flows.

    Returns:
        The tensor itself.

    Raises:
        RuntimeError: the number does not fit the dtype, or the tensor may not be changed in place.

    Reference: ``torch.Tensor.fill_``.

    Example:
        >>> import numtensor as nt
        >>> nt.zeros(2).fill_(3)
        tensor([3., 3.])
    """


@fill_.forward
def _(array, value):
    array.fill(fill_value("fill_", value, array.dtype))


@copy_.on_tensors
@fill_.on_tensors
def _(op, layout):
    return boxed_writes.make_overwrite(op.name, layout, True)


@overwrite()
def zero_(input):
    """Set every element of this tensor to zero.

    Args:
        input: the tensor to change.

    Returns:
        The tensor itself.

    Raises:
        RuntimeError: the tensor may not be changed in place.

    Reference: ``torch.Tensor.zero_``.

    Example:
        >>> import numtensor as nt
        >>> nt.ones(2).zero_()
        tensor([0., 0.])
    """


@zero_.forward
def _(array):
    array.fill(0)


@zero_.on_tensors
def _(op, layout):
    return boxed_writes.make_overwrite(op.name, layout, False)
