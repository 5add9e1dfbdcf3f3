"""Forward-mode differentiation: dual tensors, whose tangents go along with the ops.

A level keeps the tangents, by the tensors' metadata: a tensor has no field for one, and outside a level nothing asks.
Inside, the mode is wrapped: each op runs as it would, and then gives its result a tangent.

Reference: ``torch.autograd.forward_ad``.
"""

from __future__ import annotations

import collections
import contextlib
import weakref
from typing import ClassVar

import numpy as np

from ..graph import NO_VERSION, Output, make_metadata, make_view_metadata
from ..modes import Manager, Wrapper, current, set_mode
from ..ops.layouts import replay_of
from ..ops.overwrite_kind import OverwriteOp
from ..tensor import Tensor, new
from .tangents import differentiable_tensors, has_tangent, result_tangents, zeros_for

UnpackedDualTensor = collections.namedtuple("UnpackedDualTensor", ["primal", "tangent"])
UnpackedDualTensor.__doc__ = "What `unpack_dual` returns: the primal and its tangent, or None."


class Level:
    """The tangents of one level of differentiation, gone with it.

    It may outlive its block: in a function that `wrap_mode` bound to the mode.
    """

    def __init__(self):
        self.ended = False
        self._by_metadata = weakref.WeakKeyDictionary()
        # What backward saved of a result is a new tensor with the result's place in the graph.
        self._by_node = weakref.WeakKeyDictionary()

    def tangent(self, tensor):
        """Return the tangent of a tensor, or None."""
        meta = tensor._meta
        if meta is None:
            return None
        if meta in self._by_metadata:
            return self._by_metadata[meta]
        node = meta.node
        if node is not None:
            node, number = (node.node, node.number) if type(node) is Output else (node, 0)
            found = self._by_node.get(node)
            if found is not None and number in found:
                return found[number]
        if meta.base is not None:
            # Taken before its base got a tangent.
            whole = self.tangent(meta.base)
            return None if whole is None else _view_of(whole, replay_of(tensor))
        return None

    def give(self, tensor, tangent):
        """Let a tensor have a tangent, or (None) have none whatever its base has."""
        meta = tensor._meta
        if meta is None:
            # An inference tensor, outside inference mode.
            meta = tensor._meta = make_metadata(False, NO_VERSION)
        self._by_metadata[meta] = tangent
        node = meta.node
        if node is not None:
            node, number = (node.node, node.number) if type(node) is Output else (node, 0)
            self._by_node.setdefault(node, {})[number] = tangent

    def end(self):
        """Forget all tangents."""
        self.ended = True
        self._by_metadata.clear()
        self._by_node.clear()

    def __reduce__(self):
        raise TypeError("forward_ad: a dual level belongs to its process; carry no mode out of it inside a level")

    def overwrite(self, tensor, tangent):
        """Give a tensor that was changed in place the tangent of its new values, None for zeros."""
        old = self.tangent(tensor)
        base = tensor._meta.base
        if old is None:
            if tangent is None:
                return
            if base is None:
                self.give(tensor, _own(tangent, (), tensor))
                return
            whole = zeros_for(base)
            self.give(base, whole)
            old = _view_of(whole, replay_of(tensor))
        elif base is None and old._meta.counter is None:
            # No view shares it: no need to write into what a graph may have saved.
            self.give(tensor, zeros_for(tensor) if tangent is None else _own(tangent, (), tensor))
            return
        if tangent is None:
            old.zero_()
        else:
            old.copy_(tangent)
        self.give(tensor, old)


def _view_of(whole, replay):
    """Return the part of a tangent that a view shows of its base."""
    part = new(Tensor)
    part._array = replay(whole._array)
    part._meta = make_view_metadata(whole, replay)
    return part


def _own(tangent, others, primal):
    """Return a tangent that shares memory with no other and lies like its primal, whose views it will follow."""
    alike = tangent._array.strides == primal._array.strides
    if alike and tangent._array.base is None and not any(tangent is other for other in others):
        return tangent
    tangent = tangent.clone()
    if tangent._array.strides != primal._array.strides:
        laid_out = np.empty_like(primal._array)
        np.copyto(laid_out, tangent._array)
        tangent._array = laid_out
    return tangent


class Dual(Wrapper):
    """Gives the results of ops their tangents at one level; within it, inner levels differentiate further."""

    backward_as_ops = True
    _made: ClassVar[dict] = {}

    def __new__(cls, depth):
        found = cls._made.get(depth)
        if found is None:
            found = object.__new__(cls)
            found.depth = depth
            found = cls._made.setdefault(depth, found)
        return found

    def __reduce__(self):
        return Dual, (self.depth,)

    def __repr__(self):
        return f"Dual({self.depth})"

    def applies(self, mode):
        return mode.forward_ad

    @contextlib.contextmanager
    def beside(self):
        """Run what computes tangents in the mode without this wrapper."""
        before = current.mode
        set_mode(before.without(self))
        try:
            yield
        finally:
            set_mode(before)

    def wrap(self, op, inner):
        if op.kind == "composite":
            # Its ops come here one by one.
            return op.specialise(inner.path)
        name = op.name

        def call(*arguments, **keywords):
            result = getattr(inner, name)(*arguments, **keywords)
            level = self.state
            if level is not None:
                if len(arguments) != len(op.parameters):
                    arguments = op.bind(arguments, keywords)
                self.carry(op, level, arguments, result)
            return result

        def overwrite(target, *arguments, **keywords):
            result = getattr(inner, name)(target, *arguments, **keywords)
            source = arguments[0] if op.source and isinstance(arguments[0], Tensor) else None
            self.changed(name, target, source)
            return result

        if isinstance(op, OverwriteOp):
            return overwrite
        if not has_tangent(op):
            return op.specialise(inner.path) if not inner.active else lambda *a, **k: getattr(inner, name)(*a, **k)
        return call

    def carry(self, op, level, arguments, result):
        """Give the results of an op their tangents, if any of its tensors has one."""
        tensors = differentiable_tensors(op, arguments)
        tangents = [level.tangent(t) if isinstance(t, Tensor) else None for t in tensors]
        if all(tangent is None for tangent in tangents):
            return
        with self.beside():
            found = result_tangents(op, arguments, tangents, result)
            results = result if isinstance(result, tuple) else (result,)
            for one, tangent in zip(results, found, strict=True):
                if tangent is None or not one.is_floating_point():
                    continue
                if tangent._array.dtype != one._array.dtype:
                    tangent = tangent.to(one.dtype)
                if tangent._array.shape != one._array.shape:
                    tangent = tangent.expand(one._array.shape)
                if one._meta is None or one._meta.base is None or not _on_same_memory(tangent, tangents):
                    tangent = _own(tangent, tangents, one)
                level.give(one, tangent)

    def stands_for(self, stand_in, tensor):
        level = self.state
        tangent = None if level is None else level.tangent(tensor)
        if tangent is not None:
            if stand_in._array is not tensor._array:
                # The tensor's own tangent is about to be overwritten, like the tensor.
                with self.beside():
                    tangent = tangent.clone()
            level.give(stand_in, tangent)

    def changed(self, name, target, source):
        level = self.state
        # What was written into itself has the tangent that it had.
        if level is None or source is target:
            return
        with self.beside():
            tangent = level.tangent(source) if source is not None else None
            if tangent is not None and tangent._array.shape != target._array.shape:
                tangent = tangent.expand(target._array.shape)
            level.overwrite(target, tangent)

    def cut(self, tensor):
        level = self.state
        if level is not None:
            level.give(tensor, None)


def _on_same_memory(tangent, tangents):
    return any(t is not None and np.may_share_memory(tangent._array, t._array) for t in tangents)


def carry_through(op, values, rule, results, changed):
    """Give the results of what is no op of the table their tangents, at every level at which an input has one.

    Args:
        op: its name, for the error.
        values: the inputs; those that are tensors may have tangents.
        rule: ``rule(*tangents)`` returns the tangents of the results.
        results: what was computed, a list: tensors that can have tangents, and None.
        changed: the inputs among the results that were changed in place.

    Raises:
        RuntimeError: the rule returns another number of tangents than there are results, or none fits.
        TypeError: it returns something else than tensors.
    """
    for dual in current.mode.active:
        level = dual.state if isinstance(dual, Dual) else None
        if level is None:
            continue
        tangents = [level.tangent(value) if isinstance(value, Tensor) else None for value in values]
        if all(tangent is None for tangent in tangents):
            continue
        with dual.beside():
            found = rule(*tangents)
            found = found if isinstance(found, tuple) else (found,)
            if len(found) != len(results):
                raise RuntimeError(f"{op}: jvp returned {len(found)} tangents for {len(results)} results")
            for one, tangent in zip(results, found, strict=True):
                if one is None:
                    continue
                if tangent is not None:
                    _check_tangent(op, tangent, one)
                if any(one is other for other in changed):
                    level.overwrite(one, tangent)
                elif tangent is not None:
                    # The rule may return one of its tangents, or what it keeps.
                    level.give(one, tangent.to(one.dtype, copy=True))


def _check_tangent(op, tangent, result):
    if not isinstance(tangent, Tensor):
        raise TypeError(f"{op}: jvp must return tensors and None, it returned {type(tangent).__name__}")
    if tangent._array.shape != result._array.shape:
        raise RuntimeError(
            f"{op}: jvp returned a tangent of shape {tangent._array.shape}, the result has {result._array.shape}"
        )


# ---------------------------------------------------------------------------------------------------------------------
# Levels


def _duals():
    """Return the wrappers of this thread's levels, innermost last."""
    return [wrapper for wrapper, kept in current.states.items() if isinstance(wrapper, Dual) and not kept.ended]


def _push_level():
    """Begin a level inside those that there are, and return its wrapper."""
    before = _duals()
    dual = Dual(before[-1].depth + 1 if before else 0)
    dual.state = Level()
    set_mode(current.mode.inside(dual))
    return dual


def _pop_level(dual):
    """End a level; its tangents are gone."""
    set_mode(current.mode.without(dual))
    dual.state.end()
    dual.state = None


@contextlib.contextmanager
def inner_level():
    """Run at a level of its own inside those that there are: function transforms nest."""
    dual = _push_level()
    try:
        yield
    finally:
        _pop_level(dual)


def enter_dual_level() -> int:
    """Begin a level of forward-mode differentiation, and return its number.

    Raises:
        RuntimeError: there is one already.

    Reference: ``torch.autograd.forward_ad.enter_dual_level``.
    """
    if _duals():
        raise RuntimeError(
            "enter_dual_level: Nested forward mode AD is not supported; func.jvp and func.jacfwd nest within each other"
        )
    return _push_level().depth


def exit_dual_level(*, level: int | None = None) -> None:
    """End the level of forward-mode differentiation; tangents of its dual tensors are gone.

    Raises:
        RuntimeError: there is no such level.

    Reference: ``torch.autograd.forward_ad.exit_dual_level``.
    """
    duals = _duals()
    if not duals or level not in (None, duals[-1].depth):
        raise RuntimeError(f"exit_dual_level: there is no level {0 if level is None else level} to exit")
    _pop_level(duals[-1])


class dual_level(Manager):
    """A block, or decorated function, in which dual tensors can be made and carry their tangents along.

    It belongs to its thread: what runs there between the steps of a generator or coroutine that is inside one is inside
    it, too. `wrap_mode` takes it into another thread.

    Raises:
        RuntimeError: on entering it inside another.

    Reference: ``torch.autograd.forward_ad.dual_level``.

    Example:
        >>> import numtensor as nt
        >>> from numtensor.autograd import forward_ad
        >>> with forward_ad.dual_level():
        ...     x = forward_ad.make_dual(nt.tensor(3.0), nt.tensor(1.0))
        ...     forward_ad.unpack_dual(x * x).tangent
        tensor(6.)
    """

    __slots__ = ()

    def __enter__(self):
        return enter_dual_level()

    def __exit__(self, kind, value, traceback):
        exit_dual_level()


# ---------------------------------------------------------------------------------------------------------------------
# Dual tensors


def _dual_of(op, level):
    duals = _duals()
    if not duals:
        raise RuntimeError(f"{op}: no dual level exists: work inside `with forward_ad.dual_level():`")
    for dual in duals:
        if level in (None, dual.depth):
            return duals[-1] if level is None else dual
    raise RuntimeError(f"{op}: there is no level {level}")


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """Return a tensor on the same memory that carries a tangent: its derivative in some direction.

    Args:
        tensor: the primal; floating-point.
        tangent: of the same shape.
        level: number of the level; the innermost one by default.

    Returns:
        A tensor; in inference mode, where no tangents are carried, one without a tangent.

    Raises:
        RuntimeError: there is no level, the shapes differ, or the primal has a tangent already.
        ValueError: the primal or the tangent is not floating-point.
        TypeError: one of them is no tensor.

    Reference: ``torch.autograd.forward_ad.make_dual``.
    """
    dual = _dual_of("make_dual", level)
    for what, one in (("primal", tensor), ("tangent", tangent)):
        if not isinstance(one, Tensor):
            raise TypeError(f"make_dual: the {what} must be Tensor, not {type(one).__name__}")
        if not one.is_floating_point():
            raise ValueError(f"make_dual: Expected {what} to be floating point, but got: {one.dtype}")
    if tangent._array.shape != tensor._array.shape:
        raise RuntimeError(
            f"make_dual: Expected the tangent to have the size {tensor._array.shape} of the primal, got "
            f"{tangent._array.shape}"
        )
    if not current.mode.forward_ad:
        return tensor[...]
    where = dual.state
    if where.tangent(tensor) is not None:
        raise RuntimeError("make_dual: the primal already has a tangent at this level; unpack_dual() it first")
    with dual.beside():
        made = _alias(tensor)
        carried = _own(tangent.to(tensor.dtype), (tangent,), tensor)
    where.give(made, carried)
    return made


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """Return a tensor's primal and its tangent.

    Args:
        tensor: any tensor.
        level: number of the level; the innermost one by default.

    Returns:
        A named pair ``(primal, tangent)``; the tangent is None where there is none, and outside a level, where the
        primal is the tensor itself.

    Reference: ``torch.autograd.forward_ad.unpack_dual``.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"unpack_dual: expected Tensor, got {type(tensor).__name__}")
    if level is None and not _duals():
        return UnpackedDualTensor(tensor, None)
    dual = _dual_of("unpack_dual", level)
    if not current.mode.forward_ad:
        return UnpackedDualTensor(tensor[...], None)
    with dual.beside():
        tangent = dual.state.tangent(tensor)
        primal = _alias(tensor)
    dual.state.give(primal, None)
    return UnpackedDualTensor(primal, tangent)


def _alias(tensor):
    """Return another tensor on the same memory and in the same place of the graph."""
    made = tensor[...]
    if made is tensor or made._meta is tensor._meta:
        made = new(Tensor)
        made._array = tensor._array
        made._meta = None
    return made
