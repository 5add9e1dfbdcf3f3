"""``saved_tensors_hooks``: what backward needs, kept in another form: on disk, in half the bytes, or as a recipe.

A wrapper of the mode: after an op has recorded its node, what that saved is packed, and the node's op is replaced by
one that unpacks first. No op knows of it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from ..graph import FREED, Output
from ..modes import Observer, current, set_mode
from ..tensor import Tensor, from_array

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Packed:
    """What a hook made of a saved tensor, and how to get it back."""

    __slots__ = ("as_array", "unpack", "value")

    def __init__(self, tensor, as_array):
        pack, self.unpack = SAVED.state[-1]
        self.as_array = as_array
        before = current.mode
        set_mode(before.with_grad[False].without(SAVED))
        try:
            self.value = pack(tensor)
        finally:
            set_mode(before)

    def tensor(self):
        """Return the tensor that the hook gives back.

        Raises:
            TypeError: it gives something else.
        """
        found = self.unpack(self.value)
        if not isinstance(found, Tensor):
            raise TypeError(
                f"saved_tensors_hooks: the unpack hook must return a Tensor, it returned {type(found).__name__}"
            )
        return found

    def get(self):
        """Return what stood in the node."""
        array = self.tensor()._array
        # Another tensor, since versions of the hook's own say nothing.
        return array if self.as_array else from_array(array)


def are_set():
    """Whether hooks are set in this thread, and active in its mode."""
    return SAVED.state is not None and SAVED in current.mode.active


class SavedHooks(Observer):
    """Packs what each node has saved, as soon as it is recorded.

    Its state is a tuple of the pairs of hooks, innermost last.
    """

    def __repr__(self):
        return "SavedHooks()"

    def __reduce__(self):
        return "SAVED"

    def made(self, op, arguments, result):
        if self.state is None:
            return
        for one in result if isinstance(result, tuple) else (result,):
            node = one._meta.node if isinstance(one, Tensor) and one._meta is not None else None
            node = node.node if type(node) is Output else node
            # Some other op's node: the op gave its input back. A user's function packs what it saves itself.
            if node is not None and node.op is op and node.saved is not FREED and hasattr(op, "parameters"):
                _pack_node(node)


SAVED = SavedHooks()


def _pack_node(node):
    if not any(isinstance(value, (Tensor, np.ndarray, list)) for value in node.saved):
        return
    node.saved = tuple(_pack(value) for value in node.saved)
    # The hook's own business from now on, as in PyTorch.
    node.versions = None
    node.op = Unpacking(node.op)


def _pack(value):
    if isinstance(value, Tensor):
        return Packed(value, as_array=False)
    if isinstance(value, np.ndarray):
        return Packed(from_array(value), as_array=True)
    if isinstance(value, (list, tuple)) and any(isinstance(one, (Tensor, np.ndarray)) for one in value):
        return type(value)(map(_pack, value))
    return value


def _unpack(value):
    if isinstance(value, Packed):
        return value.get()
    if isinstance(value, (list, tuple)) and any(isinstance(one, Packed) for one in value):
        return type(value)(map(_unpack, value))
    return value


class Unpacking:
    """The op of a node whose saved values are packed."""

    def __init__(self, op):
        self._op = op

    def __getattr__(self, name):
        return getattr(self._op, name)

    def backward_arrays(self, node, grad):
        """Unpack, and run the op's backward."""
        return self._run(self._op.backward_arrays, node, grad)

    def backward_tensors(self, node, grad):
        """Unpack, and run the op's vjp."""
        return self._run(self._op.backward_tensors, node, grad)

    @staticmethod
    def _run(rule, node, grad):
        packed = node.saved
        saved = tuple(map(_unpack, packed))
        # The rule looks at the node itself, to which gradients of gradients lead; another thread may run it, too.
        with _one_at_a_time:
            counter = node.counter
            # Whether a saved result was changed since is the hook's business.
            node.saved, node.counter = saved, None
            try:
                return rule(node, grad)
            finally:
                node.saved, node.counter = packed, counter


_one_at_a_time = threading.RLock()


class saved_tensors_hooks:
    """Keep what backward needs in another form, inside a block.

    Args:
        pack_hook: called with each tensor that an op saves; returns anything. Must not change the tensor.
        unpack_hook: called with that when backward needs it; returns a tensor of the same values.

    Reference: ``torch.autograd.graph.saved_tensors_hooks``.

    Example:
        >>> import numtensor as nt
        >>> x = nt.tensor([1.0, 2.0], requires_grad=True)
        >>> with nt.autograd.graph.saved_tensors_hooks(lambda t: t.tolist(), nt.tensor):
        ...     y = (x * x).sum()
        >>> y.backward()
        >>> x.grad
        tensor([2., 4.])
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        SAVED.state = (*(SAVED.state or ()), (self.pack_hook, self.unpack_hook))
        set_mode(current.mode.inside(SAVED))

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        SAVED.state = SAVED.state[:-1] or None
        if SAVED.state is None:
            set_mode(current.mode.without(SAVED))
