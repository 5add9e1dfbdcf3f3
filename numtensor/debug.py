"""``set_debug``: where tensors were made and changed, for the errors that would otherwise start a search.

A mode of its own: nothing is asked or kept while it is off.
"""

import itertools
import linecache
import os
import sys
import warnings
import weakref

from .graph import FREED, Output, counter_of
from .modes import Observer, Switch, current
from .tensor import Tensor

# The last is what generated functions are named.
_OURS = (os.path.dirname(__file__) + os.sep, "numtensor-")

# By id, since a tensor's == compares its elements; an entry goes with its tensor.
_origins = {}


def user_frame():
    """Return the innermost frame on the stack that is not numtensor's own."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith(_OURS):
            return frame
        frame = frame.f_back
    return sys._getframe(1)


def place(frame):
    """Say where a frame stands: file, line, and the line's text."""
    name, line = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(name, line).strip()
    return f"{name}:{line}" + (f": {text}" if text else "")


def origin(tensor):
    """Say where a tensor was made, for an error message: empty unless it was made while debugging."""
    found = _origins.get(id(tensor))
    return f" It was made by {found[1]}." if found is not None and found[0]() is tensor else ""


class Debug(Observer):
    """Remembers where inference tensors were made, where tensors were changed, and warns of graphs that grow."""

    def __repr__(self):
        return "Debug()"

    def __reduce__(self):
        return "DEBUG"

    def made(self, op, arguments, result):
        frame = None
        for one in result if isinstance(result, tuple) else (result,):
            if isinstance(one, Tensor) and one.is_inference():
                frame = frame or user_frame()
                _remember(one, f"{op.name} at {place(frame)}")
        if not isinstance(result, tuple) and isinstance(result, Tensor) and result.requires_grad:
            _warn_of_growth(op, arguments, result)

    def changed(self, name, target, source):
        if not target.is_inference():
            counter_of(target._meta).last_op = f"{name} at {place(user_frame())}"


DEBUG = Debug()


def _remember(tensor, text):
    key = id(tensor)
    _origins[key] = (weakref.ref(tensor, lambda gone: _origins.pop(key, None)), text)


def _warn_of_growth(op, arguments, result):
    """Warn if a number whose graph backward has used already becomes part of another graph."""
    if result._array.size != 1 or op.name not in ("add", "sub"):
        return
    for value in arguments:
        meta = value._meta if isinstance(value, Tensor) else None
        node = None if meta is None else meta.node
        node = node.node if type(node) is Output else node
        if node is None:
            continue
        parents = [edge.node if type(edge) is Output else edge for edge in node.edges if edge is not None]
        if any(getattr(one, "saved", None) is FREED for one in itertools.chain([node], parents)):
            warnings.warn(
                f"{op.name} at {place(user_frame())}: a number that backward() has used already becomes part of "
                "another graph. A loss that is added up so keeps the graphs of all steps in memory; add loss.item() or "
                "loss.detach() instead.",
                UserWarning,
                stacklevel=_stack_level(),
            )
            return


def _stack_level():
    """Return the level at which `warnings.warn`, called by the caller, points to the user's line."""
    level, frame, wanted = 1, sys._getframe(1), user_frame()
    while frame is not None and frame is not wanted:
        level, frame = level + 1, frame.f_back
    return level


class set_debug(Switch):
    """Remember where tensors are made and changed, so that errors tell it; of this thread.

    With it, an error about an inference tensor that cannot be saved or changed names the file and line where that was
    made; one about a tensor "modified by an inplace operation" names the line that modified it; and a loss that is
    added up together with its graph is warned of. Costs some microseconds per op, and nothing while off.

    Args:
        mode: a bool. Acts at once, until changed; as a manager until the end of the block.

    Raises:
        TypeError: `mode` is not a bool.

    Example:
        >>> import numtensor as nt
        >>> with nt.set_debug(True):
        ...     nt.is_debug_enabled()
        True
        >>> nt.is_debug_enabled()
        False
    """

    __slots__ = ()
    wrapper = DEBUG


def is_debug_enabled() -> bool:
    """Return whether `set_debug` is on in this thread."""
    return DEBUG in current.mode.wrappers
