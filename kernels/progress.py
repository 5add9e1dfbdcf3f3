"""A line on the terminal that says for what a program waits while kernels are compiled: once ever, for each of them.

On standard error, if that is a terminal, from half a second on; rewritten in place, and gone when nothing more is
compiled. ``NUMTENSOR_PROGRESS=0`` turns it off. The line is written by a timer's thread, which has ended before
anybody may fork: kernels are compiled under the store's lock.
"""

import contextlib
import os
import sys
import threading
import time

_DELAY = 0.5
# Kernels compiled one soon after the other are one wait: each alone may be too short to be told of.
_PAUSE = 1.0
_lock = threading.Lock()


class _Wait:
    """The wait that is going on, or the last one.

    Attributes:
        since, until: when it began, and when its last kernel was ready.
    """

    since = until = float("-inf")


def turn_off():
    """Say nothing in this process."""
    os.environ["NUMTENSOR_PROGRESS"] = "0"


@contextlib.contextmanager
def shown(label):
    """Show that the kernel of this label is compiled, if it takes long enough to wonder.

    Args:
        label: name and dtype, as in ``forward.exponential.exp-float32``.
    """
    stream = _terminal()
    if stream is None:
        yield
        return
    now = time.monotonic()
    if now - _Wait.until > _PAUSE:
        _Wait.since = now
    line = _Line(stream, f"numtensor: compiling {' '.join(label.rsplit('-', 1))} ...")
    timer = threading.Timer(max(0, _DELAY - (now - _Wait.since)), line.write)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        line.erase()
        _Wait.until = time.monotonic()


def _terminal():
    if os.environ.get("NUMTENSOR_PROGRESS", "1") == "0":
        return None
    stream = sys.stderr
    try:
        return stream if stream.isatty() else None
    except (AttributeError, ValueError):  # there is none, or it is closed
        return None


class _Line:
    """One line that is written at most once, and not after it was erased."""

    def __init__(self, stream, text):
        self.stream, self.text = stream, text
        self.written = self.over = False

    def write(self):
        """Write the line."""
        with _lock:
            if not self.over:
                self.written = True
                # A line that is wrapped could not be erased.
                self.text = self.text[: _columns(self.stream) - 1]
                self._put(f"\r{self.text}")

    def erase(self):
        """Erase the line if it was written, and see that it is not written any more."""
        with _lock:
            self.over = True
            if self.written:
                self._put(f"\r{' ' * len(self.text)}\r")

    def _put(self, text):
        # A terminal that is gone is no reason to fail.
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(text)
            self.stream.flush()


def _columns(stream):
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (AttributeError, OSError, ValueError):
        return 80
