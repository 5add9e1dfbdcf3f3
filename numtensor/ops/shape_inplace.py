"""Changes of a tensor's own shape: ``transpose_``, ``t_``, ``squeeze_``, ``unsqueeze_``. No element moves.

A view becomes another view of its base. Any other tensor takes the place of the result in the graph; views that were
taken of it before still show the same elements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..graph import LeafHooks, counter_of, make_metadata
from ..modes import current
from ..tensor import Tensor
from .inplace import bump_version, check_recordable, check_writable, move, requires_recording, stand_in
from .layouts import RelaidMetadata, earlier_layouts, way_back
from .shape import squeeze, unsqueeze
from .transpose import t, transpose

if TYPE_CHECKING:
    from typing_extensions import Self

    from .._types import Dims

_NOTHING = np.empty(0)


def _change_shape(name, op, target, *arguments):
    """Let `target` become what the view op makes of it; everything is checked before."""
    check_writable(name, target, _NOTHING)
    recording = requires_recording(target)
    if recording:
        check_recordable(name, target)
    else:
        _check_unrecorded(name, target)
    compute = getattr(current.mode, op.name)
    if target.is_inference():
        target._array = compute(target, *arguments)._array
        return target
    old = target._meta
    if old.base is not None:
        result = compute(target, *arguments)
        target._meta = _metadata_of_view(old, result, recording)
    else:
        source = target
        if recording:
            source = stand_in(target, target._array)
            for wrapper in current.mode.active:
                wrapper.stands_for(source, target)
        back = way_back(op._forward, target._array.shape, arguments)
        result = compute(source, *arguments)
        target._meta = _metadata_of_base(old, result, back, recording)
    target._array = result._array
    if old.grad is not None:
        target._meta.grad = compute(old.grad, *arguments)
    if old.requires_grad and old.node is None:
        _leave_leaf(old, target._meta)
    bump_version(target, name)
    if recording and old.base is not None:
        # The change is the view's own: its node knows it.
        target._meta.version = target._meta.counter.value
    for wrapper in current.mode.active:
        wrapper.stands_for(target, result)
        wrapper.changed(name, target, target)
    return target


def _check_unrecorded(name, target):
    """Raise if the tensor is the result of a graph that would not learn of its new shape."""
    meta = target._meta
    if meta is not None and meta.node is not None and (meta.base is None or meta.path != "tracked"):
        raise RuntimeError(
            f"{name}: the shape of a tensor that has a grad_fn (shape {tuple(target._array.shape)}) cannot be changed "
            "in place while gradients are disabled, because its gradient has the old one; use the out-of-place form"
        )


def _metadata_of_view(old, result, recording):
    """Return the metadata of a view that becomes the view `result` of it."""
    meta = result._meta
    # What may be done to a view depends on how it was made, and on how right its node is, not on its shape.
    meta.path = old.path
    if recording:
        move(meta, meta.node, old)
    else:
        meta.own = old.own and old.node is None
        # A node that it has is for the old shape: it is made anew when it is needed.
        meta.version = old.version if old.node is None else -1
    return meta


def _metadata_of_base(old, result, back, recording):
    """Return the metadata of a tensor that is no view, after the change that `back` undoes."""
    meta = make_metadata(old.requires_grad, counter_of(old), RelaidMetadata)
    meta.layouts = earlier_layouts(old, back)
    if recording:
        move(meta, result._meta.node, old)
    return meta


def _leave_leaf(old, meta):
    """Let gradients go to a leaf's new metadata alone; graphs that know its old shape lead to the old."""
    meta.hooks = old.hooks
    old.hooks = LeafHooks()
    old.hooks.tensor[0] = _refuse_gradient


def _refuse_gradient(grad):
    """Stop the backward pass of a graph that knows a leaf by its old shape."""
    raise RuntimeError(
        f"backward: the shape of a leaf was changed in place since the graph was recorded (its gradient has shape "
        f"{tuple(grad.shape)}); run the forward pass again"
    )


def transpose_(self, dim0: int, dim1: int) -> Self:
    """Swap two dimensions of this tensor, in place: see `transpose`.

    Args:
        dim0, dim1: the dimensions.

    Returns:
        The tensor itself.

    Raises:
        IndexError: a dimension is out of range.
        RuntimeError: the tensor may not be changed in place.

    Reference: ``torch.Tensor.transpose_``.

    Example:
        >>> import numtensor as nt
        >>> nt.zeros(2, 3).transpose_(0, 1).shape
        numtensor.Size([3, 2])
    """
    return _change_shape("transpose_", transpose, self, dim0, dim1)


def swapaxes_(self, axis0: int, axis1: int) -> Self:
    """Swap two dimensions of this tensor, in place: another name of `transpose_`.

    Reference: ``torch.Tensor.swapaxes_``.
    """
    return _change_shape("swapaxes_", transpose, self, axis0, axis1)


def swapdims_(self, dim0: int, dim1: int) -> Self:
    """Swap two dimensions of this tensor, in place: another name of `transpose_`.

    Reference: ``torch.Tensor.swapdims_``.
    """
    return _change_shape("swapdims_", transpose, self, dim0, dim1)


def t_(self) -> Self:
    """Transpose this matrix in place; a vector or a number stays as it is.

    Returns:
        The tensor itself.

    Raises:
        RuntimeError: it has more than two dimensions, or may not be changed in place.

    Reference: ``torch.Tensor.t_``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensor([[1, 2], [3, 4]]).t_()
        tensor([[1, 3],
                [2, 4]])
    """
    return _change_shape("t_", t, self)


def squeeze_(self, dim: Dims | None = None) -> Self:
    """Drop dimensions of extent 1 of this tensor, in place: see `squeeze`.

    Args:
        dim: the dimension or dimensions to drop where their extent is 1; None for all.

    Returns:
        The tensor itself.

    Raises:
        IndexError: a dimension is out of range.
        RuntimeError: one appears twice, or the tensor may not be changed in place.

    Reference: ``torch.Tensor.squeeze_``.

    Example:
        >>> import numtensor as nt
        >>> nt.zeros(1, 3, 1).squeeze_().shape
        numtensor.Size([3])
    """
    return _change_shape("squeeze_", squeeze, self, dim)


def unsqueeze_(self, dim: int) -> Self:
    """Insert a dimension of extent 1 into this tensor, in place: see `unsqueeze`.

    Args:
        dim: its position in the result.

    Returns:
        The tensor itself.

    Raises:
        IndexError: `dim` is out of range.
        RuntimeError: the tensor may not be changed in place.

    Reference: ``torch.Tensor.unsqueeze_``.

    Example:
        >>> import numtensor as nt
        >>> nt.zeros(3).unsqueeze_(1).shape
        numtensor.Size([3, 1])
    """
    return _change_shape("unsqueeze_", unsqueeze, self, dim)


Tensor.transpose_ = transpose_
Tensor.swapaxes_ = swapaxes_
Tensor.swapdims_ = swapdims_
Tensor.t_ = t_
Tensor.squeeze_ = squeeze_
Tensor.unsqueeze_ = unsqueeze_
