"""Anomaly detection: an error or a NaN in backward names the op and the line of the forward call that led to it.

Reference: ``torch.autograd.anomaly_mode``.
"""

import linecache
import weakref

import numpy as np

from ..debug import user_frame
from ..graph import Output
from ..modes import Observer, Switch, current
from ..tensor import Tensor

_forward_calls = weakref.WeakKeyDictionary()
"""Where each node was recorded: file, line and function of the user's innermost frames, outermost first."""

FRAMES = 20


class Anomaly(Observer):
    """Remembers where nodes were recorded, and looks at what backward computes.

    Its state is False where a NaN is no error.
    """

    def __repr__(self):
        return "Anomaly()"

    def __reduce__(self):
        return "ANOMALY"

    def made(self, op, arguments, result):
        for one in result if isinstance(result, tuple) else (result,):
            node = one._meta.node if isinstance(one, Tensor) and one._meta is not None else None
            node = node.node if type(node) is Output else node
            if node is not None and node not in _forward_calls:
                _forward_calls[node] = _stack(user_frame())

    def watch(self, policy):
        return Watched(policy, self.state is not False)


ANOMALY = Anomaly()


def _stack(frame):
    found = []
    while frame is not None and len(found) < FRAMES:
        found.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        frame = frame.f_back
    return found[::-1]


class Watched:
    """An engine's policy that adds the forward call to errors, and raises where a gradient is NaN."""

    def __init__(self, policy, check_nan):
        self._policy = policy
        self._check_nan = check_nan

    def __getattr__(self, name):
        return getattr(self._policy, name)

    def call(self, node, grad):
        """Run a node's backward."""
        try:
            results = self._policy.call(node, grad)
        except Exception as error:
            if not getattr(error, "_names_the_forward_call", False):
                error._names_the_forward_call = True
                error.args = (f"{error}\n{_where(node)}", *error.args[1:])
            raise
        if self._check_nan:
            for position, result in enumerate(results):
                array = result._array if isinstance(result, Tensor) else result
                if array is not None and array.dtype.kind == "f" and np.isnan(array).any():
                    raise RuntimeError(
                        f"Function '{node.name()}' returned nan values in its {position}th output.\n{_where(node)}"
                    )
        return results


def _where(node):
    """Say where a node was recorded."""
    call = _forward_calls.get(node)
    if call is None:
        return (
            f"No information about the forward call of {node.name()} was kept: enable anomaly detection during the "
            "forward pass, too."
        )
    # As a traceback does, without its module: that would add to the time of every import.
    lines = [
        f'  File "{name}", line {line}, in {function}\n    {linecache.getline(name, line).strip()}\n'
        for name, line, function in call
    ]
    return f"{node.name()} was recorded by this forward call:\n{''.join(lines)}"


class set_detect_anomaly(Switch):
    """Detect anomalies in backward: at once when called, until the end of the block when used as a manager.

    The forward passes meanwhile remember where each op was called (some 10 microseconds each); a backward pass
    meanwhile that raises, or computes NaN, says so. Of this thread.

    Args:
        mode: a bool.
        check_nan: whether a NaN is an error.

    Raises:
        TypeError: `mode` is not a bool.

    Reference: ``torch.autograd.set_detect_anomaly``.

    Example:
        >>> import numtensor as nt
        >>> x = nt.tensor(0.0, requires_grad=True)
        >>> with nt.autograd.set_detect_anomaly(True):
        ...     try:
        ...         (x.sqrt() * 0).backward()
        ...     except RuntimeError as error:
        ...         print(str(error).splitlines()[0])
        Function 'SqrtBackward' returned nan values in its 0th output.
    """

    __slots__ = ("_before_state", "check_nan")
    wrapper = ANOMALY

    def __init__(self, mode: bool, check_nan: bool = True):
        self._before_state = ANOMALY.state
        self.check_nan = check_nan
        super().__init__(mode)

    def _turn(self, on):
        super()._turn(on)
        ANOMALY.state = False if on and not self.check_nan else None

    def __exit__(self, kind, value, traceback) -> None:
        super().__exit__(kind, value, traceback)
        ANOMALY.state = self._before_state


class detect_anomaly(set_detect_anomaly):
    """Detect anomalies in backward inside a block: see `set_detect_anomaly`.

    Reference: ``torch.autograd.detect_anomaly``.

    Example:
        >>> import numtensor as nt
        >>> with nt.autograd.detect_anomaly():
        ...     nt.autograd.is_anomaly_enabled()
        True
    """

    __slots__ = ()

    def __init__(self, check_nan: bool = True):
        self.check_nan = check_nan

    def __enter__(self) -> None:
        super().__init__(True, self.check_nan)


def is_anomaly_enabled() -> bool:
    """Return whether anomaly detection is on in this thread."""
    return ANOMALY in current.mode.wrappers
