"""Arrays as they may lie in memory, for the tests of what reads them by their address."""

import numpy as np


class Special(np.ndarray):
    """A subclass: it may do anything when it is read or written to."""


def misaligned(array):
    """Return a copy whose elements do not begin where the processor wants them."""
    memory = np.zeros(array.nbytes + 1, np.uint8)
    moved = memory[1:].view(array.dtype).reshape(array.shape)
    moved[...] = array
    return moved


LAYOUTS = {
    "contiguous": lambda x: x,
    "a number": lambda x: x.reshape(-1)[:1].reshape(()),
    "a number, read-only": lambda x: np.broadcast_to(x.reshape(-1)[0], ()),
    "transposed": lambda x: x.T.copy().T,
    "every other": lambda x: np.repeat(x, 2, -1)[..., ::2],
    "reversed": lambda x: x[::-1].copy()[::-1],
    "a row": lambda x: x[:1],
    "a column": lambda x: x[:, :1],
    "misaligned": misaligned,
    "other byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "a subclass": lambda x: x.view(Special),
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
}
"""Of matrices, by name."""

NATIVE = {name: layout for name, layout in LAYOUTS.items() if name != "other byte order"}
"""Those that a tensor's array may have."""
