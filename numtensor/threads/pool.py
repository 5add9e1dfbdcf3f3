"""The pool: threads that wait for parts of a call, and the call that they help with.

One call at a time has the pool; another thread's, and one that a signal handler makes meanwhile, does its work alone. A
thread that wakes too late finds nothing left to do, and nobody waits for it. Threads are started by the first call that
wants them, as daemons, for which the interpreter does not wait when it exits; a forked child starts its own.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from queue import Empty, SimpleQueue

# How often the caller yields, some 30 us in all, before it sleeps until the others are done: waking takes as long.
_YIELDS = 40

# Seconds after which the caller looks again whether all have left; matters only to one that was interrupted in between.
_LOOK_AGAIN = 0.05


class Pool:
    """Threads, and the parts of the one call that they help with.

    Attributes:
        busy: a lock that the call holds.
        size: how many threads there are.
    """

    def __init__(self):
        self._inside = 0
        self._owner = self._error = None
        self.renew()

    def renew(self):
        """Begin anew without threads. In a forked child nobody comes back who was helping this thread's call."""
        self.size = 0
        self.busy = threading.Lock()
        # Held by who enters, leaves or gives out work.
        self._door = threading.Lock()
        self._run, self._parts = None, []
        # An item wakes one of the threads, or the caller, who waits for the last of them.
        self._wake, self._last = SimpleQueue(), SimpleQueue()
        self._waiting = False
        inside, self._inside = self._inside, 0
        if inside and self._owner == threading.get_ident():
            self._error = RuntimeError("numtensor: an op was under way in the thread that forked the process")

    def do(self, run, parts, threads):
        """Do the parts with up to so many threads, of which the calling one is the first.

        Args:
            run: a function of the two numbers of a part, called from several threads at once. It keeps alive what it
                writes into.
            parts: list of such pairs, taken from its end.
            threads: how many.

        Returns:
            Whether they were done; False if the pool is busy.

        Raises:
            BaseException: what a part raised, or what came from outside (KeyboardInterrupt), when nobody is in a part
                any more.
        """
        busy = self.busy
        if not busy.acquire(blocking=False):
            return False
        # An interrupt on this very line would leave the pool busy: ops would run without it from then on.
        try:
            helpers = min(threads, len(parts)) - 1
            if self.size < helpers:
                self._grow(helpers)
                helpers = min(helpers, self.size)
            self._owner = threading.get_ident()
            start, stop = parts.pop()
            with self._door:
                self._run, self._parts = run, parts
            # Waking takes 30 us: whoever was woken by the call before and is not here yet will do.
            for _ in range(helpers - self._wake.qsize()):
                self._wake.put(None)
            run(start, stop)
            _do(run, parts)
        finally:
            try:
                self._finish(parts)
            finally:
                # The arrays are nobody's here any more.
                self._run = None
                busy.release()
        return True

    def _finish(self, parts):
        """Wait until nobody is in a part any more; parts that nobody took are given up.

        Raises:
            BaseException: what came from outside meanwhile, or what a part raised elsewhere.
        """
        interrupt = None
        while True:
            try:
                parts.clear()
                for _ in range(_YIELDS):
                    if not self._inside:
                        break
                    time.sleep(0)
                with self._door:
                    self._waiting = self._inside > 0
                while self._inside:
                    with contextlib.suppress(Empty):
                        self._last.get(timeout=_LOOK_AGAIN)
                break
            except BaseException as error:
                interrupt = error
        error = interrupt or self._error
        if error is not None:
            # Its traceback leads to this frame: a cycle would keep the arrays for a while.
            interrupt = self._error = None
            try:
                raise error
            finally:
                del error

    def _grow(self, size):
        """Start threads until there are so many, or as many as the system gives."""
        while self.size < size:
            try:
                threading.Thread(target=self._help, name=f"numtensor-{self.size + 1}", daemon=True).start()
            except RuntimeError:
                # There are no more, or none any more, because the interpreter is about to exit.
                return
            self.size += 1

    def _help(self):
        """Help with one call after the other, for ever: what a thread of the pool does."""
        wake, door, last = self._wake, self._door, self._last
        while True:
            wake.get()
            with door:
                if not self._parts:
                    continue
                run, parts = self._run, self._parts
                self._inside += 1
            try:
                _do(run, parts)
            except BaseException as error:
                self._error = error
                parts.clear()
            # While it sleeps it must not keep the arrays.
            del run, parts
            with door:
                self._inside -= 1
                if self._waiting and not self._inside:
                    self._waiting = False
                    last.put(None)


def _do(run, parts):
    """Do parts until none is left."""
    while parts:
        try:
            # One step of the interpreter: no two threads get the same part.
            start, stop = parts.pop()
        except IndexError:
            # Another thread was quicker.
            return
        run(start, stop)


pool = Pool()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=pool.renew)
