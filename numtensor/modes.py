"""Gradient modes: the thread's mode object, and the managers that swap it.

A `Mode` is an immutable combination of three flags with one ready-made callable per op: ``current.mode.mul(x, y)``.
The callable is specialised for the mode when the op is first used in it, so no flag is tested on the way of a call.
What a program does around every op (carry tangents, look for NaN) is a `Wrapper` in the mode, which costs nothing
outside it. The thread's mode is set by `set_mode` alone: machine code has to know it, too.
What the modes promise is in docs/modes.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
import threading
from typing import TYPE_CHECKING, ClassVar, overload

from .kernels import thread_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from typing_extensions import Self

    # What is decorated keeps its type.
    F = TypeVar("F", bound=Callable[..., Any] | classmethod[Any, Any, Any] | staticmethod[Any, Any])


_making = threading.RLock()
if hasattr(os, "register_at_fork"):
    # A child forked while another thread makes modes would wait for ever for a thread it does not have.
    os.register_at_fork(before=_making.acquire, after_in_parent=_making.release, after_in_child=_making.release)


class Mode:
    """One combination of the three flags, and of what stands around it, with the callables of every op used in it.

    Attributes:
        grad: whether gradients are enabled (`is_grad_enabled`).
        inference: whether this is inference mode.
        forward_ad: whether forward-mode differentiation is enabled.
        wrappers: what was put around every op's callable, innermost first.
        active: those of the wrappers that have something to do with these flags.
        path: which specialisation of an op runs here: ``tracked``, ``no_grad`` or ``inference``.
        with_grad: the modes that differ in the grad flag at most, by that flag.
        with_inference: what `inference_mode` enters from here, by its argument.
    """

    _made: ClassVar[dict] = {}
    # Those of which one leads to the next, until all are there: another thread must not see one without the others.
    _unfinished: ClassVar[dict] = {}

    def __new__(cls, grad, inference, forward_ad, wrappers=()):
        key = (grad, inference, forward_ad, wrappers)
        found = cls._made.get(key)
        if found is not None:
            return found
        with _making:
            found = cls._made.get(key) or cls._unfinished.get(key)
            if found is None:
                first = not cls._unfinished
                found = cls._unfinished[key] = object.__new__(cls)
                try:
                    found._finish(*key)
                    if first:
                        cls._made.update(cls._unfinished)
                finally:
                    if first:
                        cls._unfinished.clear()
        return found

    def _finish(self, grad, inference, forward_ad, wrappers):
        self.grad, self.inference, self.forward_ad, self.wrappers = grad, inference, forward_ad, wrappers
        self.path = "inference" if inference else "tracked" if grad else "no_grad"
        self.active = tuple(wrapper for wrapper in wrappers if wrapper.applies(self))
        for op in _ops.values():
            _bind_lazily(self, op)
        self.with_grad = {grad: self, not grad: Mode(not grad, inference, forward_ad, wrappers)}
        self.with_inference = {
            True: Mode(False, True, False, wrappers),
            False: Mode(True, False, True, wrappers),
        }

    def inside(self, wrapper):
        """Return this mode with `wrapper` around all its ops; itself, if it is there already."""
        if wrapper in self.wrappers:
            return self
        return Mode(self.grad, self.inference, self.forward_ad, (*self.wrappers, wrapper))

    def without(self, wrapper):
        """Return this mode without `wrapper`."""
        rest = tuple(other for other in self.wrappers if other is not wrapper)
        return Mode(self.grad, self.inference, self.forward_ad, rest)

    def __repr__(self):
        wrappers = f", wrappers={self.wrappers}" if self.wrappers else ""
        return f"Mode(grad={self.grad}, inference={self.inference}, forward_ad={self.forward_ad}{wrappers})"

    def __reduce__(self):
        return Mode, (self.grad, self.inference, self.forward_ad, self.wrappers)


class Wrapper:
    """What a mode puts around every op: forward-mode differentiation, debugging, hooks on saved tensors.

    There is one object of each; what belongs to one use of it is its state in the running thread, which goes with the
    mode into other threads. Code that writes into tensors tells the active wrappers of it, since it computes first and
    writes then.
    """

    backward_as_ops = False
    """Whether backward has to run as ops of the mode, because the wrapper would miss what runs on plain arrays."""

    @property
    def state(self):
        """What the running thread keeps for this wrapper; None where it has nothing of it."""
        return current.states.get(self)

    @state.setter
    def state(self, value):
        # Never changed: what carries the mode into another thread holds on to it.
        states = {wrapper: kept for wrapper, kept in current.states.items() if wrapper is not self}
        if value is not None:
            states[self] = value
        current.states = states

    def applies(self, mode):
        """Whether there is anything to do where these flags hold."""
        return True

    def wrap(self, op, inner):
        """Return the callable of the declaration `op` around ``getattr(inner, op.name)``, of a mode without this."""
        raise NotImplementedError

    def made(self, op, arguments, result):
        """Learn that the declaration `op`, or a user's function, returned `result`: a tensor, or a tuple."""

    def watch(self, policy):
        """Return what the engine of backward uses in place of its policy."""
        return policy

    def stands_for(self, stand_in, tensor):
        """Learn that `stand_in` is computed with in the place of `tensor`, whose values and history it has."""

    def changed(self, name, target, source):
        """Learn that the op `name` wrote the tensor `source` into the tensor `target` (itself: changed its shape)."""

    def cut(self, tensor):
        """Learn that a tensor was detached in place from what made it."""


class Observer(Wrapper):
    """A wrapper that looks at what ops return."""

    def wrap(self, op, inner):
        if op.kind == "composite":
            # Its ops come here one by one.
            return op.specialise(inner.path)
        name = op.name

        def call(*arguments, **keywords):
            result = getattr(inner, name)(*arguments, **keywords)
            if op.kind == "overwrite":
                self.changed(name, result, None)
            else:
                self.made(op, arguments, result)
            return result

        return call


class Switch:
    """Whether a wrapper is on: at once when constructed, until the end of the block when used as a manager.

    A subclass is made for each wrapper: ``set_debug(True)``.

    Raises:
        TypeError: the mode is not a bool.
    """

    __slots__ = ("_before", "mode")
    wrapper = None

    def __init__(self, mode: bool):
        if type(mode) is not bool:
            raise TypeError(f"{type(self).__name__}: mode must be a bool, got {mode!r}")
        self.mode = mode
        self._before = self.wrapper in current.mode.wrappers
        self._turn(mode)

    def _turn(self, on):
        set_mode(current.mode.inside(self.wrapper) if on else current.mode.without(self.wrapper))

    def __enter__(self) -> None:
        # Again, for one that is entered a second time.
        self._turn(self.mode)

    def __exit__(self, kind, value, traceback) -> None:
        self._turn(self._before)


_ops = {}


def register_op(op):
    """Let every mode have a callable of the op: ``op.specialise(path)``, as ``mode.<op.name>``."""
    with _making:
        _ops[op.name] = op
        for mode in Mode._made.values():
            _bind_lazily(mode, op)


def _bind_lazily(mode, op):
    """Let the first call of ``mode.<name>`` build the callable and take its own place.

    A ``__getattr__`` on the class would do it with less, but costs every later access 20 ns.
    """

    def build(*args, **kwargs):
        made = _build(mode, op)
        setattr(mode, op.name, made)
        return made(*args, **kwargs)

    setattr(mode, op.name, build)


def _build(mode, op):
    if not mode.active:
        return op.specialise(mode.path)
    wrapper = mode.active[-1]
    return wrapper.wrap(op, Mode(mode.grad, mode.inference, mode.forward_ad, mode.active[:-1]))


TRACKED = Mode(True, False, True)
NO_GRAD = TRACKED.with_grad[False]
INFERENCE = TRACKED.with_inference[True]

CHOICE = thread_words.make_key() if thread_words.supported() else None
"""The key of the word by which machine code knows the running thread's mode; None where it cannot."""


class _Current(threading.local):
    def __init__(self):
        # First, since what is destroyed after it may use tensors.
        self.ending = None if CHOICE is None else thread_words.Ending(CHOICE)
        self.mode = TRACKED
        # What wrappers keep, by wrapper.
        self.states = {}
        # What was entered and not left: (manager, mode before), innermost last.
        self.entered = []


current = _Current()
"""The running thread's mode, in ``current.mode``."""


def set_mode(mode):
    """Let the running thread be in a mode."""
    _choose(mode)


def _choose(mode):
    """Set the mode for Python and for machine code, with no interrupt between: a builtin function, once it is made."""
    global _choose
    _choose = set_for_python if CHOICE is None else thread_words.make_chooser(CHOICE, current, "mode")
    _choose(mode)


def set_for_python(mode):
    """Set the mode where no machine code asks for it."""
    current.mode = mode


def is_grad_enabled() -> bool:
    """Return whether gradients are enabled in this thread.

    Example:
        >>> import numtensor as nt
        >>> with nt.no_grad():
        ...     nt.is_grad_enabled()
        False
    """
    return current.mode.grad


def is_inference_mode_enabled() -> bool:
    """Return whether this thread is in inference mode.

    Example:
        >>> import numtensor as nt
        >>> with nt.inference_mode():
        ...     nt.is_inference_mode_enabled()
        True
    """
    return current.mode.inference


class Manager:
    """A context manager and decorator that swaps the thread's mode.

    What was before stands on the thread's own stack, so that an object may be entered again while inside it, and by
    several threads. Only `__exit__` restores, so a dropped temporary stays in force.
    """

    __slots__ = ("__weakref__",)

    def __exit__(self, kind: object, value: object, traceback: object) -> None:
        before = leave(self)
        set_mode(current.mode.with_grad[before.grad])

    def clone(self) -> Self:
        """Return a new manager of the same class and mode."""
        return type(self)()

    @overload
    def __call__(self, function: F, /) -> F: ...

    # To mypy before 2.2, what the bare class decorates is a manager: calling that is no error.
    @overload
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

    def __call__(self, function):
        """Decorate `function` to run in the mode, in whichever thread it is called."""
        return decorate(lambda: self, function, type(self).__name__)


def leave(manager):
    """Take the newest entry of a manager off the thread's stack, and return the mode before it."""
    entered = current.entered
    if entered:
        # Blocks end in the reverse order nearly always: looking at the newest alone costs half of the search.
        newest, before = entry = entered.pop()
        if newest is manager:
            return before
        entered.append(entry)
    for position in range(len(entered) - 1, -1, -1):
        if entered[position][0] is manager:
            return entered.pop(position)[1]
    raise RuntimeError(f"{type(manager).__name__}: left more often than entered in this thread")


def _can_be_decorated(value):
    return callable(value) or isinstance(value, (staticmethod, classmethod))


def _body(function):
    """Return the function that runs when `function` is called: below partial objects and callable instances."""
    while isinstance(function, functools.partial):
        function = function.func
    return function if inspect.isroutine(function) else type(function).__call__


def decorate(make, function, name):
    """Return `function` decorated to run in ``make()``, a new or re-entrant manager: step by step, if it has steps.

    Raises:
        TypeError: `function` is a class, or nothing that can be called. The error begins with `name`.
    """
    if isinstance(function, type):
        raise TypeError(
            f"{name}: a class cannot be decorated (only its construction would run in the mode); "
            "decorate its methods instead"
        )
    if not _can_be_decorated(function):
        raise TypeError(f"{name}: expected a function to decorate, got {type(function).__name__}")
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(decorate(make, function.__func__, name))
    body = _body(function)
    if inspect.iscoroutinefunction(body):
        return _decorate_coroutine(make, function)
    if inspect.isasyncgenfunction(body):
        return _decorate_async_generator(make, function)
    if inspect.isgeneratorfunction(body):
        return _decorate_generator(make, function)

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        with make():
            return function(*args, **kwargs)

    return wrapper


def _decorate_generator(make, function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        generator = function(*args, **kwargs)
        return (yield from _Stepped(make, generator))

    return wrapper


class _Stepped:
    """Runs each step of a generator or coroutine in a mode, and gives the caller's back between steps."""

    def __init__(self, make, steps):
        self.make = make
        self.steps = steps

    def __iter__(self):
        return self

    __await__ = __iter__

    def __next__(self):
        return self.send(None)

    def send(self, value):
        with self.make():
            return self.steps.send(value)

    def throw(self, *error):
        with self.make():
            return self.steps.throw(*error)

    def close(self):
        with self.make():
            return self.steps.close()


def _decorate_coroutine(make, function):
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        return await _Stepped(make, function(*args, **kwargs).__await__())

    return wrapper


def _decorate_async_generator(make, function):
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        generator = function(*args, **kwargs)
        # The event loop closes what it knows of in any order: it may know this wrapper, but not the body below it,
        # which would then be closed in the loop's mode.
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(None, None)
        try:
            step = generator.__anext__()
        finally:
            sys.set_asyncgen_hooks(*hooks)
        try:
            while True:
                try:
                    value = await _Stepped(make, step.__await__())
                except StopAsyncIteration:
                    return
                try:
                    sent = yield value
                except GeneratorExit:
                    raise
                except BaseException as error:
                    step = generator.athrow(error)
                else:
                    step = generator.asend(sent)
        finally:
            await _Stepped(make, generator.aclose().__await__())

    return wrapper


class _SetsGrad(Manager):
    __slots__ = ()
    _grad = None

    @overload
    def __new__(cls, function: None = None, /) -> Self: ...

    @overload
    def __new__(cls, function: F, /) -> F: ...  # type: ignore[misc]

    def __new__(cls, function=None, /):
        if function is not None:
            if not _can_be_decorated(function):
                raise TypeError(f"{cls.__name__}: takes no argument but a function to decorate, got {function!r}")
            return cls()(function)
        return object.__new__(cls)

    def __enter__(self) -> None:
        mode = current.mode
        current.entered.append((self, mode))
        set_mode(mode.with_grad[self._grad])


class no_grad(_SetsGrad):
    """Disable gradients: results have metadata (versions, views) but no graph.

    Use it as ``with no_grad():``, ``@no_grad()`` or ``@no_grad``.

    Reference: ``torch.no_grad``.

    Example:
        >>> import numtensor as nt
        >>> x = nt.ones(2, requires_grad=True)
        >>> with nt.no_grad():
        ...     (x * 2).requires_grad
        False
    """

    __slots__ = ()
    _grad = False


class enable_grad(_SetsGrad):
    """Enable gradients inside `no_grad`; inside inference mode nothing is recorded all the same.

    Reference: ``torch.enable_grad``.

    Example:
        >>> import numtensor as nt
        >>> x = nt.ones(2, requires_grad=True)
        >>> with nt.no_grad(), nt.enable_grad():
        ...     (x * 2).requires_grad
        True
    """

    __slots__ = ()
    _grad = True


class set_grad_enabled(Manager):
    """Enable or disable gradients: at once when called, until the end of the block when used as a manager.

    Args:
        mode: a bool.

    Raises:
        TypeError: `mode` is not a bool.

    Reference: ``torch.set_grad_enabled``.

    Example:
        >>> import numtensor as nt
        >>> with nt.set_grad_enabled(False):
        ...     nt.is_grad_enabled()
        False
    """

    __slots__ = ("_before", "_thread", "mode")

    def __init__(self, mode: bool) -> None:
        if type(mode) is not bool:
            raise TypeError(f"set_grad_enabled: mode must be a bool, got {mode!r}")
        self.mode = mode
        self._before = current.mode
        self._thread = threading.get_ident()
        set_mode(current.mode.with_grad[mode])

    def _take_before(self):
        """Return the mode that construction saw: once, and in its own thread; afterwards and elsewhere today's."""
        if self._before is None or self._thread != threading.get_ident():
            return current.mode
        before, self._before = self._before, None
        return before

    def __enter__(self) -> None:
        # Constructed and entered in one statement: what was before is what construction saw.
        current.entered.append((self, self._take_before()))
        set_mode(current.mode.with_grad[self.mode])

    def clone(self) -> Self:
        """Return a new manager of the same mode; constructing it sets the mode."""
        return set_grad_enabled(self.mode)

    def __call__(self, function: F) -> F:  # type: ignore[override]
        """Decorate `function`; the mode that construction changed is put back."""
        set_mode(current.mode.with_grad[self._take_before().grad])
        return decorate(enable_grad if self.mode else no_grad, function, "set_grad_enabled")

    def __repr__(self):
        return f"numtensor.set_grad_enabled(mode={self.mode})"


class inference_mode(Manager):
    """Run without any autograd bookkeeping: results are inference tensors, which have no metadata.

    Use it as ``with inference_mode():``, ``@inference_mode()``, ``@inference_mode`` or with ``mode=False`` to leave
    an outer inference mode.

    Args:
        mode: True for inference mode, False for ordinary tracking; or the function to decorate.

    Raises:
        TypeError: `mode` is neither a bool nor callable.

    Reference: ``torch.inference_mode``.

    Example:
        >>> import numtensor as nt
        >>> @nt.inference_mode()
        ... def doubler(x):
        ...     return x * 2
        >>> doubler(nt.ones(2, requires_grad=True)).requires_grad
        False
    """

    __slots__ = ("mode",)

    @overload
    def __new__(cls, mode: bool = True) -> Self: ...

    @overload
    def __new__(cls, function: F, /) -> F: ...  # type: ignore[misc]

    def __new__(cls, mode=True):
        if mode is not True and mode is not False:
            if not _can_be_decorated(mode):
                raise TypeError(f"inference_mode: mode must be a bool, or a function to decorate, got {mode!r}")
            return cls()(mode)
        manager = object.__new__(cls)
        manager.mode = mode
        return manager

    def __enter__(self) -> None:
        before = current.mode
        current.entered.append((self, before))
        set_mode(before.with_inference[self.mode])

    def __exit__(self, kind: object, value: object, traceback: object) -> None:
        set_mode(leave(self))

    def clone(self) -> Self:
        """Return a new manager of the same mode."""
        return inference_mode(self.mode)
