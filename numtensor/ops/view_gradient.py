"""The transpose of taking a view, on arrays: what the gradients of views and of in-place changes are made of."""

import numpy as np

from ..kernels.forward import scatter as kernels
from .layouts import RelaidReplay, in_order, order_of


def may_overlap(array):
    """Return False if surely no two elements of the array are one memory location; judged by its strides alone."""
    if not array.size:
        return False
    reach = array.itemsize
    for step, extent in sorted((abs(s), n) for s, n in zip(array.strides, array.shape, strict=True) if n > 1):
        if step < reach:
            return True
        reach += step * (extent - 1)
    return False


def embed_array(array, shape, replay):
    """Return zeros of `shape` whose part that `replay` shows holds `array`, summed where elements coincide."""
    if type(replay) is RelaidReplay:
        return replay.to_present(embed_array(array, replay.earlier_shape(shape), replay.replay), len(shape))
    order = order_of(replay)
    extents = shape if order is None else [shape[dim] for dim in order]
    memory = np.zeros(extents, array.dtype)
    whole = in_order(memory, order)
    part = replay(whole)
    if not may_overlap(part):
        np.copyto(part, array)
        return whole
    positions = replay(in_order(np.arange(memory.size).reshape(extents), order)).ravel()
    values = np.ascontiguousarray(array).reshape(-1)
    kernels.add_along.loops[array.dtype](values, positions, out=(memory.reshape(-1), None))
    return whole
