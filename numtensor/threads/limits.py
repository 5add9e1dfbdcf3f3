"""How many threads an op may use: of the process, and of a block in one thread."""

from __future__ import annotations

import math
import os
import sys
import threading
from typing import TYPE_CHECKING

from ..modes import Manager, current, leave
from . import products

if TYPE_CHECKING:
    from typing_extensions import Self

LARGE = 8 << 20
"""Bytes of an operand from which on a call is divided: below, waking a thread costs more than it saves."""

LIGHT = 4
"""How many times larger operands are from which on a call is divided that does little with each element. As long as it
reads from the processor's caches and writes past them, one thread is as quick as two."""

# Parts of a call that is just large enough, at most.
_CELLS = 3

# Elements of a gufunc's results up to which NumPy keeps the GIL, however much work they are.
_KEPT = 500

NEVER = sys.maxsize


def _quota():
    """Return how many processors the process's control group may use at once, None for all."""
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()
        return None if quota == "max" else max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        # Not Linux, or an old one.
        return None


def _first_number():
    """Return the number of threads that OMP_NUM_THREADS asks for, else that of the processors there are to use."""
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if asked.isdecimal() and int(asked):
        return int(asked)
    try:
        available = len(os.sched_getaffinity(0))
    except AttributeError:
        # Only Linux tells which processors are this process's.
        available = os.cpu_count() or 1
    return min(available, _quota() or available)


class _Process:
    """What holds for the whole process.

    Attributes:
        number: how many threads an op may use where the thread has no limit of its own.
        asks: whether ops ask for their operands' size at all: not while nothing may be divided, since asking takes
            20 ns of every small call.
        threshold: bytes of an operand from which on a call is divided, while ops ask.
        large: what ops compare with: `threshold`, or more than there can be.
        light: what ops compare with that do little with each element.
        blocks: the same whatever the number of threads: from so many bytes on, reductions combine those of blocks.
        cell: bytes of the smallest part, of the largest operand, of a call.
        released: elements of a result from which on a part is worth a thread: NumPy releases the GIL.
        listeners: functions to call when `asks` or `large` is another.
    """

    def __init__(self):
        self.number = _first_number()
        self.asks = self.number > 1
        self.threshold = LARGE
        self.large = LARGE if self.asks else NEVER
        self.light = LIGHT * LARGE if self.asks else NEVER
        self.blocks = LIGHT * LARGE
        self.cell = LARGE // _CELLS
        self.released = _KEPT
        self.listeners = []
        self.changing = threading.RLock()

    def ask(self, asks, threshold):
        """Let ops ask for sizes from now on, or no more."""
        with self.changing:
            if (asks, threshold) != (self.asks, self.threshold):
                self.asks, self.threshold = asks, threshold
                self.large = threshold if asks else NEVER
                self.light = LIGHT * threshold if asks else NEVER
                self.blocks = LIGHT * threshold
                self.cell = max(1, threshold // _CELLS)
                # What divides small operands, in tests, divides small results as well.
                self.released = min(_KEPT, threshold // 4096)
                for listener in self.listeners:
                    listener()


process = _Process()


class _Own(threading.local):
    """The running thread's own limit, in ``own.number``; None where it has none."""

    number = None


own = _Own()


def available():
    """Return how many threads a call of the running thread may use."""
    return process.number if own.number is None else own.number


def get_num_threads() -> int:
    """Return how many threads an op on large tensors may use in this thread.

    Returns:
        An int: of the innermost `num_threads` around the call, else what `set_num_threads` said last, else
        ``OMP_NUM_THREADS``, else how many processors the process may use.

    Reference: ``torch.get_num_threads``.

    Example:
        >>> import numtensor as nt
        >>> with nt.num_threads(2):
        ...     nt.get_num_threads()
        2
    """
    return available()


def _checked(name, number):
    if type(number) is not int:
        raise RuntimeError(f"{name} expects an int, but got {type(number).__name__}")
    if number < 1:
        raise RuntimeError(f"{name} expects a positive integer, got {number}")
    return number


def set_num_threads(number: int) -> None:
    """Choose how many threads an op on large tensors may use, in all threads of the process.

    Matrix products get as many, where their library is OpenBLAS or MKL and can be told. What is computed does not
    depend on it, except by those products.

    Args:
        number: at least 1, which lets every op run in the thread that calls it.

    Raises:
        RuntimeError: it is no positive int.

    Reference: ``torch.set_num_threads``.

    Example:
        >>> import numtensor as nt
        >>> before = nt.get_num_threads()
        >>> nt.set_num_threads(1)
        >>> nt.get_num_threads()
        1
        >>> nt.set_num_threads(before)
    """
    process.number = _checked("set_num_threads", number)
    products.set_threads(number)
    process.ask(number > 1, process.threshold)


class num_threads(Manager):
    """Limit how many threads the ops of this thread may use: in a block, or as a decorator in a function.

    Other threads, and those started inside, keep theirs. Matrix products do not follow: their library has one number
    for the process, which `set_num_threads` sets.

    Args:
        number: at least 1, which lets every op run in the calling thread.

    Raises:
        RuntimeError: it is no positive int.

    Example:
        >>> import numtensor as nt
        >>> with nt.num_threads(1):
        ...     nt.get_num_threads()
        1
        >>> @nt.num_threads(1)
        ... def serve(x):
        ...     return nt.get_num_threads()
        >>> serve(nt.ones(2))
        1
    """

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = _checked("num_threads", number)

    def __enter__(self) -> None:
        current.entered.append((self, own.number))
        own.number = self.number
        if self.number > 1:
            # Another thread's small calls ask from now on, too: a thread has no texts of its own.
            process.ask(True, process.threshold)

    def __exit__(self, kind: object, value: object, traceback: object) -> None:
        own.number = leave(self)

    def clone(self) -> Self:
        """Return a new manager of the same number."""
        return type(self)(self.number)

    def __repr__(self):
        return f"numtensor.num_threads({self.number})"
