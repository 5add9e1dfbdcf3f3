"""How a tensor lay in memory before its shape was changed in place: older views of it start from there."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..graph import Metadata


class RelaidMetadata(Metadata):
    """The metadata of a tensor whose shape was changed in place, and which may have older views.

    Attributes:
        layouts: a set of how to get back from the present layout to earlier ones: for each dimension there, which
            one it is now, or None for one of extent 1 that is gone.
    """

    __slots__ = ("layouts",)


def way_back(forward, shape, arguments):
    """Return how to get back to `shape` from what a stride operation makes of it, as in `RelaidMetadata`."""
    # Strides tell the dimensions apart; nothing is read.
    marks = tuple(range(1, len(shape) + 1))
    after = forward(as_strided(np.empty(1, np.int8), shape, marks), *arguments).strides
    return tuple([after.index(mark) if mark in after else None for mark in marks])


def earlier_layouts(metadata, back):
    """Return `layouts` after one more change, which `back` undoes."""
    before = metadata.layouts if type(metadata) is RelaidMetadata else ()
    return {back, *(tuple([None if dim is None else back[dim] for dim in layout]) for layout in before)}


def _relaid(array, layout):
    """Return the view of an array in another layout."""
    used = [dim for dim in layout if dim is not None]
    gone = [dim for dim in range(array.ndim) if dim not in used]
    array = array.transpose(used + gone)[(slice(None),) * len(used) + (0,) * len(gone) + (...,)]
    return array[(*[None if dim is None else slice(None) for dim in layout], ...)]


class RelaidReplay:
    """Takes a view of an array like the base's present one, by way of an earlier layout."""

    __slots__ = ("layout", "replay")

    def __init__(self, layout, replay):
        self.layout = layout
        self.replay = replay

    def __call__(self, array):
        return self.replay(_relaid(array, self.layout))

    def earlier_shape(self, shape):
        """Return what shape the base had in the earlier layout."""
        return tuple([1 if dim is None else shape[dim] for dim in self.layout])

    def to_present(self, array, ndim):
        """Return the present layout of an array, with `ndim` dimensions, that lies in the earlier one."""
        layout = self.layout
        return _relaid(array, tuple([layout.index(dim) if dim in layout else None for dim in range(ndim)]))


def _memory_order(array):
    """Return the dimensions from the one with the longest stride on, None for row-major."""
    if array.flags.c_contiguous:
        return None
    dims = tuple(range(array.ndim))
    order = tuple(sorted(dims, key=lambda dim: -array.strides[dim]))
    return None if order == dims else order


def order_of(replay):
    """Return in which order the dimensions of an array must lie for a replay, None for row-major."""
    return getattr(replay, "order", None)


def in_order(array, order):
    """Return the array, which is of permuted dimensions, with its dimensions where they belong."""
    return array if order is None else array.transpose(np.argsort(order))


def arranged(array, replay):
    """Return a copy of an array like a base's that lies so in memory that `replay` can take its view of it."""
    if type(replay) is RelaidReplay:
        return replay.to_present(arranged(_relaid(array, replay.layout), replay.replay), array.ndim)
    order = order_of(replay)
    return array.copy() if order is None else in_order(array.transpose(order).copy(), order)


def showable(array, replay):
    """Return the array if `replay` surely can take its view of it, else a copy that lies otherwise."""
    row_major = type(replay) is not RelaidReplay and order_of(replay) is None
    return array if row_major and array.flags.c_contiguous else arranged(array, replay)


def _place(array):
    """Return what two views of one memory have in common if they are the same view."""
    steps = [step for step, extent in zip(array.strides, array.shape, strict=True) if extent > 1]
    return array.shape, array.size and (array.__array_interface__["data"][0], steps)


def replay_of(tensor):
    """Return a function from an array like the base's, as it is now, to the same view of it as `tensor` is."""
    replay = tensor._meta.replay
    metadata = tensor._meta.base._meta
    base = tensor._meta.base._array
    if type(metadata) is not RelaidMetadata:
        replay.order = _memory_order(base)
        return replay
    place = _place(tensor._array)
    for candidate in (replay, *(RelaidReplay(layout, replay) for layout in metadata.layouts)):
        try:
            if _place(candidate(base)) == place:
                replay.order = _memory_order(base if candidate is replay else _relaid(base, candidate.layout))
                return candidate
        except (IndexError, ValueError, RuntimeError):
            # The view was not taken of this layout.
            continue
    raise RuntimeError(
        f"view: the base of a view of shape {tensor._array.shape} has other memory by now: its data was replaced after "
        "the view was taken; take the view again"
    )
