"""Carry the caller's mode into other threads, which begin in the default one."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING

from ..modes import current, decorate, set_mode

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..modes import F

_HAVE_STEPS = (inspect.isgeneratorfunction, inspect.iscoroutinefunction, inspect.isasyncgenfunction)


class _InMode:
    """A block in a whole mode: all its flags, what stands around its ops, and what that keeps in the thread."""

    __slots__ = ("before", "mode", "states")

    def __init__(self, mode, states):
        self.mode = mode
        self.states = states

    def __enter__(self):
        self.before = current.mode, current.states
        set_mode(self.mode)
        current.states = self.states

    def __exit__(self, kind, value, traceback):
        mode, current.states = self.before
        set_mode(mode)


def _call(mode, states, function, /, *args, **kwargs):
    with _InMode(mode, states):
        return function(*args, **kwargs)


def wrap_mode(fn: F) -> F:
    """Return `fn` bound to the mode of now: it runs in it whichever thread, or task, calls it.

    Args:
        fn: a function; also a generator or coroutine function, which then runs in the mode at each step.

    Returns:
        A callable with the signature of `fn`. The caller's mode is back when it returns. It pickles if `fn` does and
        has no steps, so that a pool of processes takes it, too.

    Raises:
        TypeError: `fn` is a class, or nothing that can be called.

    Example:
        >>> import numtensor as nt
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> with ThreadPoolExecutor() as pool, nt.inference_mode():
        ...     for function in nt.ones, nt.utils.wrap_mode(nt.ones):
        ...         print(pool.submit(function, 2).result().is_inference())
        False
        True
    """
    mode, states = current.mode, current.states
    decorated = decorate(lambda: _InMode(mode, states), fn, "wrap_mode")
    if not inspect.isfunction(decorated) or any(has_steps(decorated) for has_steps in _HAVE_STEPS):
        return decorated
    return functools.update_wrapper(functools.partial(_call, mode, states, fn), fn)


def _begin_in(mode, states):
    set_mode(mode)
    current.states = states


def mode_initializer() -> Callable[[], None]:
    """Return an initializer for an executor, whose workers then start in the mode of the thread that called this.

    Returns:
        A callable without arguments that sets the mode of the thread it is called in, for good. It pickles, so that
        a pool of processes takes it, too.

    Example:
        >>> import numtensor as nt
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> with nt.no_grad():
        ...     pool = ThreadPoolExecutor(initializer=nt.utils.mode_initializer())
        >>> with pool:
        ...     pool.submit(nt.is_grad_enabled).result()
        False
    """
    return functools.partial(_begin_in, current.mode, current.states)
