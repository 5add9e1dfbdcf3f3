"""``checkpoint``: compute again in backward what is too large to keep.

What the function's ops save is replaced by its number; the first of them that backward asks for runs the function
again, in the mode and with the random numbers of the first time, and keeps what is saved then.

Reference: ``torch.utils.checkpoint``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..autograd.saved_hooks import saved_tensors_hooks
from ..modes import current, set_mode
from ..random import fork_rng, get_rng_state, set_rng_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..tensor import Tensor


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Call a function whose intermediate results are not kept for backward, but computed again there.

    Args:
        function: differentiable; must compute the same each time. It may use tensors other than its arguments.
        args, kwargs: its arguments.
        use_reentrant: accepted as PyTorch's; there is one implementation, which `autograd.grad` can use, too.
        preserve_rng_state: draw the same random numbers again, so that dropout drops the same.

    Returns:
        What the function returns.

    Raises:
        RuntimeError: in backward, if the function saved less the second time than the first.

    Reference: ``torch.utils.checkpoint.checkpoint``.

    Example:
        >>> import numtensor as nt
        >>> x = nt.tensor([1.0, 2.0], requires_grad=True)
        >>> nt.utils.checkpoint.checkpoint(lambda x: (x.exp() * x).sum(), x).backward()
        >>> x.grad
        tensor([ 5.4366, 22.1672])
    """
    if current.mode.path != "tracked":
        return function(*args, **kwargs)
    again = _Again(function, args, kwargs, current.mode, get_rng_state() if preserve_rng_state else None)
    with saved_tensors_hooks(again.pack, again.unpack):
        return function(*args, **kwargs)


class _Again:
    """Runs a function a second time, to see what it saves."""

    def __init__(self, function, args, kwargs, mode, rng_state):
        self.function, self.args, self.kwargs = function, args, kwargs
        self.mode, self.rng_state = mode, rng_state
        self.count = 0
        self.saved = {}

    def pack(self, tensor):
        number, self.count = self.count, self.count + 1
        return number

    def unpack(self, number):
        if number not in self.saved:
            self.run()
        try:
            # Each is asked for once, unless the graph is retained: then the function runs again.
            return self.saved.pop(number)
        except KeyError:
            raise RuntimeError(
                "checkpoint: the function saved fewer tensors when it was computed again than the first time; it must "
                "compute the same each time"
            ) from None

    def run(self):
        saved = []

        def keep(tensor):
            saved.append(tensor.detach())
            return None

        before = current.mode
        set_mode(self.mode)
        try:
            with fork_rng(enabled=self.rng_state is not None):
                if self.rng_state is not None:
                    set_rng_state(self.rng_state)
                with saved_tensors_hooks(keep, _not_for_backward):
                    self.function(*self.args, **self.kwargs)
        finally:
            set_mode(before)
        self.saved = dict(enumerate(saved))


def _not_for_backward(value):
    raise RuntimeError("checkpoint: backward ran through a graph that was only made to see what is saved")


def checkpoint_sequential(
    functions: Sequence[Callable[[Any], Any]], segments: int, input: Tensor, use_reentrant: bool | None = None
) -> Any:
    """Call functions one after the other, as in ``Sequential``, in checkpointed segments.

    Args:
        functions: a ``Sequential``, or a list of functions of one argument.
        segments: into how many they are divided; the last is not checkpointed.
        input: the argument of the first.
        use_reentrant: see `checkpoint`.

    Returns:
        What the last function returns.

    Reference: ``torch.utils.checkpoint.checkpoint_sequential``.

    Example:
        >>> import numtensor as nt
        >>> layers = nt.nn.Sequential(nt.nn.Linear(2, 2), nt.nn.ReLU(), nt.nn.Linear(2, 1))
        >>> nt.utils.checkpoint.checkpoint_sequential(layers, 2, nt.ones(1, 2)).shape
        numtensor.Size([1, 1])
    """
    functions = list(functions)
    if segments < 1:
        raise ValueError(f"checkpoint_sequential: segments must be at least 1, got {segments}")
    size = max(1, len(functions) // segments)

    def run(start, stop):
        def segment(value):
            for function in functions[start:stop]:
                value = function(value)
            return value

        return segment

    start = 0
    for _ in range(segments - 1):
        input = checkpoint(run(start, start + size), input)
        start += size
    return run(start, len(functions))(input)
