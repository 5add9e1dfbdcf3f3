"""`Function`: differentiable operations that users write, with a forward and a backward of their own."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from ..graph import (
    FREED,
    NO_VERSION,
    Metadata,
    MultiNode,
    Output,
    counter_of,
    make_metadata,
    make_node,
    make_view_metadata,
    next_sequence_number,
)
from ..modes import Mode, current, no_grad, set_mode
from ..ops.declaration import modified_error, refuse_recording, refuse_saving
from ..ops.inplace import adopt
from ..ops.operands import sum_to_shape
from ..tensor import Tensor, from_array, new
from . import saved_hooks
from .backward import edge_of
from .forward_ad import carry_through

if TYPE_CHECKING:
    from typing import Any


def _is_inference(tensor):
    meta = tensor._meta
    return meta is None or meta.counter is NO_VERSION


class FunctionCtx(MultiNode):
    """What forward hands to backward: the first argument of both. It is the node of the graph, too.

    Attributes of the user's own may be set on it.

    Attributes:
        needs_input_grad: for each argument of ``apply``, whether it is a tensor that requires grad.
    """

    # No __slots__: users keep what they like on it.

    def __init__(self, op, needs_input_grad):
        super().__init__(op, (), (), None, None, 1)
        self.needs_input_grad = needs_input_grad
        self._to_save = ()
        self._dirty = ()
        self._non_differentiable = ()
        self._materialize = True
        self._for_forward = ()
        self._in_jvp = False

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors (or None) for backward, where ``ctx.saved_tensors`` gives them.

        Results may be saved without keeping themselves alive, and a change in place is noticed.

        Raises:
            TypeError: one is neither a tensor nor None.
        """
        for position, tensor in enumerate(tensors):
            if tensor is not None and not isinstance(tensor, Tensor):
                raise TypeError(
                    f"save_for_backward: can only save tensors, but argument {position} is of type "
                    f"{type(tensor).__name__}; keep it as an attribute of ctx"
                )
        self._to_save = tensors

    def save_for_forward(self, *tensors):
        """Keep tensors (or None) for `jvp`, where ``ctx.saved_tensors`` gives them."""
        self._for_forward = tensors

    def call_jvp(self, function, *tangents):
        """Call the ``jvp`` of a `Function`, with the tensors that were saved for it."""
        self._in_jvp = True
        try:
            return function.jvp(self, *tangents)
        finally:
            self._in_jvp = False

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Declare the inputs that forward changed in place; they must be returned."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Declare the results that carry no gradient."""
        self._non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Choose whether backward gets zeros (the default) or None for a result whose gradient is missing."""
        self._materialize = bool(value)

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors given to `save_for_backward`.

        Raises:
            RuntimeError: they were freed by an earlier backward, or changed in place since.
        """
        if self._in_jvp:
            return self._for_forward
        if self.saved is FREED:
            raise RuntimeError(
                f"{self.op.name}: Trying to backward through the graph a second time (or directly access saved tensors "
                "after they have already been freed). Specify retain_graph=True if you need to backward through the "
                "graph a second time."
            )
        if self.edges == ():
            # Nothing was recorded: forward, or setup_context, looks at what it saved itself.
            return tuple(self._to_save)
        return tuple(None if entry is None else self._unpack(entry) for entry in self.saved)

    def _unpack(self, entry):
        tensor, edge, counter, version = entry
        if isinstance(tensor, saved_hooks.Packed):
            tensor = tensor.get()
            if edge is None:
                return from_array(tensor)
            if isinstance(edge, Metadata):
                made = new(Tensor)
                made._array, made._meta = tensor, edge
                return made
            counter = None
        elif counter.value != version:
            shape = (tensor if isinstance(tensor, np.ndarray) else tensor._array).shape
            raise modified_error(self, "saved tensor", counter, version, shape)
        if not isinstance(tensor, np.ndarray):
            return tensor
        made = new(Tensor)
        made._array = tensor
        made._meta = make_metadata(edge is not None, counter)
        if type(edge) is int:
            # One of the results.
            edge = self if self.outputs == 1 else Output(self, edge)
        made._meta.node = edge
        return made

    def _keep(self, arguments, results):
        """Replace the saved tensors by what backward can make them from, without a cycle through a result."""
        numbers = {id(result): number for number, result in enumerate(results)}
        packs = saved_hooks.are_set()
        kept = []
        for tensor in self._to_save:
            if tensor is None:
                kept.append(None)
                continue
            if _is_inference(tensor):
                names = {id(a): f"{k}" for k, a in enumerate(arguments)}
                refuse_saving(self.op, names.get(id(tensor), "(an intermediate)"), tensor)
            meta = tensor._meta
            counter = counter_of(meta)
            is_result = id(tensor) in numbers
            edge = None
            if meta.requires_grad and (is_result or packs):
                edge = numbers[id(tensor)] if is_result else edge_of(tensor)
            value = tensor._array if is_result else tensor
            if packs:
                value = saved_hooks.Packed(tensor, as_array=True)
            kept.append((value, edge, counter, counter.value))
        self.saved = tuple(kept)
        self._to_save = ()


class _FunctionOp:
    """Stands in a node for a user's `Function` class, as a declaration does for an op."""

    def __init__(self, function):
        self.function = function
        self.name = function.__name__
        self.node_name = f"{function.__name__}Backward"

    def _call(self, node, grads):
        """Call the user's backward; return one gradient (or None) per tensor argument, checked."""
        grads = [grads] if node.outputs == 1 else list(grads)
        if node._materialize:
            for number, (one, form) in enumerate(zip(grads, node.extra[1], strict=True)):
                if one is None and form is not None:
                    grads[number] = from_array(np.zeros(*form))
        found = self.function.backward(node, *grads)
        found = list(found) if isinstance(found, (tuple, list)) else [found]
        forms = node.extra[0]
        while len(found) > len(forms) and found[-1] is None:
            found.pop()
        if len(found) != len(forms):
            raise RuntimeError(
                f"{self.name}: function {self.node_name} returned an incorrect number of gradients (expected "
                f"{len(forms)}, got {len(found)})"
            )
        results = []
        for position, (one, form) in enumerate(zip(found, forms, strict=True)):
            if form is None:
                if one is not None:
                    raise RuntimeError(
                        f"{self.name}: function {self.node_name} returned a gradient different from None at position "
                        f"{position}, but the corresponding forward input was not a Tensor"
                    )
                continue
            results.append(None if one is None else self._fit(one, position, *form))
        return results

    def _fit(self, gradient, position, shape, dtype):
        if not isinstance(gradient, Tensor):
            raise TypeError(
                f"{self.name}: {self.node_name} returned {type(gradient).__name__} at position {position}; expected a "
                "Tensor or None"
            )
        found = gradient._array.shape
        if found != shape:
            try:
                expandable = np.broadcast_shapes(found, shape) == found
            except ValueError:
                expandable = False
            if not expandable:
                raise RuntimeError(
                    f"{self.name}: function {self.node_name} returned an invalid gradient at index {position} - got "
                    f"{list(found)} but expected shape compatible with {list(shape)}"
                )
            if current.mode.grad:
                gradient = gradient.sum_to_size(*shape)
            else:
                gradient = from_array(np.asarray(sum_to_shape(gradient._array, shape)))
        if gradient._array.dtype != dtype:
            gradient = gradient.to(dtype)
        return gradient

    def backward_arrays(self, node, grad):
        grads = (
            from_array(grad) if node.outputs == 1 else tuple(None if g is None else from_array(g) for g in grad)
        )
        # A user's function may return what it saved, or keep what it returns: a view makes the engine copy it
        # before it becomes somebody's grad.
        return [None if one is None else one._array.view() for one in self._call(node, grads)]

    def backward_tensors(self, node, grad):
        return self._call(node, grad)


class Function:
    """A differentiable operation written by hand: subclass it, and call it by ``apply``.

    ``forward(ctx, *args)`` runs without recording and returns a tensor or a tuple; ``backward(ctx, *grads)`` gets one
    gradient per result and returns one per argument, None for what is no tensor. Alternatively ``forward(*args)``
    and ``setup_context(ctx, inputs, output)``. Written with differentiable operations, backward can itself be
    differentiated.

    Reference: ``torch.autograd.Function``.

    Example:
        >>> import numtensor as nt
        >>> class Square(nt.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x * x
        ...
        ...     @staticmethod
        ...     def backward(ctx, grad):
        ...         (x,) = ctx.saved_tensors
        ...         return grad * x * 2
        >>> x = nt.tensor(3.0, requires_grad=True)
        >>> Square.apply(x).backward()
        >>> x.grad
        tensor(6.)
    """

    _op = None

    def __init__(self):
        raise RuntimeError(
            f"{type(self).__name__}: a Function is not instantiated: make forward and backward static methods and call "
            f"{type(self).__name__}.apply(...)"
        )

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._op = _FunctionOp(cls)

    # The three rules take anything here, so that a subclass's own parameters are no wrong override to a type checker.

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the result; see the class."""
        raise NotImplementedError("Function: a subclass must implement the static method forward")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Save what backward needs, when forward takes no ``ctx``."""
        raise NotImplementedError("Function: setup_context")

    @staticmethod
    def jvp(*args: Any, **kwargs: Any) -> Any:
        """Compute the tangents of the results, for forward-mode differentiation; None for one that is zero.

        Gets ``ctx`` and one tangent per argument, None where it has none; ``ctx.saved_tensors`` is what
        `save_for_forward` kept.
        """
        raise NotImplementedError(
            "Function: a subclass must implement the static method jvp to be used with forward-mode differentiation"
        )

    @staticmethod
    def backward(*args: Any, **kwargs: Any) -> Any:
        """Compute the gradients from ``ctx`` and a gradient per result; see the class."""
        raise NotImplementedError("Function: a subclass must implement the static method backward to be differentiated")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run forward, and record the result for backward where a tensor among the arguments requires grad.

        Raises:
            RuntimeError: an inference tensor would be saved, or a tensor marked dirty may not be changed in place.
        """
        tensors = [(position, a) for position, a in enumerate(args) if isinstance(a, Tensor)]
        ctx = FunctionCtx(cls._op, tuple(isinstance(a, Tensor) and a.requires_grad for a in args))
        mode = current.mode
        # Forward has no graph, and no tangents of its own: `jvp` gives them.
        set_mode(Mode(False, mode.inference, False, mode.wrappers) if mode.wrappers else mode.with_grad[False])
        try:
            if cls.setup_context is not Function.setup_context:
                output = cls.forward(*args)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args)
        finally:
            set_mode(mode)
        results = list(output) if isinstance(output, tuple) else [output]
        records = mode.path == "tracked" and any(ctx.needs_input_grad)
        if not records and not mode.active:
            return output
        changed, still = ctx._dirty, {id(tensor) for tensor in ctx._non_differentiable}
        carrying = [isinstance(one, Tensor) and one.is_floating_point() and id(one) not in still for one in results]
        if records:
            _record(ctx, args, tensors, results)
        else:
            # The input is not what has the tangent that `jvp` gives.
            kept = [a for _, a in tensors if not _is_inference(a) and not any(a is one for one in changed)]
            results = [_alias(one) if any(one is a for a in kept) else one for one in results]
        for wrapper in mode.active:
            wrapper.made(cls._op, args, tuple(results))
        if mode.active:
            carried = [one if carries else None for one, carries in zip(results, carrying, strict=True)]
            carry_through(cls.__name__, args, functools.partial(ctx.call_jvp, cls), carried, changed)
        return tuple(results) if isinstance(output, tuple) else results[0]


def _record(ctx, args, tensors, results):
    """Make `ctx` the node of the results, which are replaced in place where they must be."""
    op = ctx.op
    edges = []
    for position, tensor in tensors:
        if tensor.requires_grad and tensor._meta.counter is NO_VERSION:
            refuse_recording(op, str(position), tensor)
        edges.append(edge_of(tensor) if tensor.requires_grad else None)
    ctx.edges = tuple(edges)
    ctx.outputs = len(results)
    ctx.sequence = next_sequence_number()
    ctx.extra = (
        [(a._array.shape, a._array.dtype) if isinstance(a, Tensor) else None for a in args],
        [(r._array.shape, r._array.dtype) if isinstance(r, Tensor) else None for r in results],
    )
    inputs = {id(tensor) for _, tensor in tensors}
    dirty = {id(tensor) for tensor in ctx._dirty}
    still = {id(tensor) for tensor in ctx._non_differentiable}
    if not dirty <= {id(result) for result in results}:
        raise RuntimeError(
            f"{op.name}: some elements marked as dirty during the forward method were not returned as output; the "
            "inputs that are modified inplace must all be outputs of the Function"
        )
    saved_as = list(results)
    for number, result in enumerate(results):
        if not isinstance(result, Tensor):
            continue
        if id(result) in dirty:
            meta = result._meta
            if meta is not None and meta.requires_grad and meta.node is None and meta.base is None:
                raise RuntimeError(
                    f"{op.name}: a leaf Variable that requires grad is being used in an in-place operation (shape "
                    f"{result._array.shape})"
                )
        elif _is_inference(result):
            # The result is an ordinary one; on memory of its own, because others may hold the inference tensor.
            result = results[number] = from_array(result._array.copy())
        elif id(result) in inputs:
            result = results[number] = _alias(result)
        if id(saved_as[number]) in still or not result.is_floating_point():
            if id(result) not in dirty:
                result._meta.requires_grad = False
            continue
        edge = ctx if ctx.outputs == 1 else Output(ctx, number)
        if id(result) in dirty:
            stand_in = from_array(result._array)
            stand_in._meta.node = edge
            adopt(result, stand_in)
        else:
            result._meta.requires_grad = True
            result._meta.node = edge
    # A saved tensor that forward returned is the result, unless it is an input that was returned as it is.
    ctx._keep(args, [r if s is r or id(s) not in inputs else None for s, r in zip(saved_as, results, strict=True)])
    ctx._dirty = ctx._non_differentiable = ()


def _alias(tensor):
    """Return another tensor on the same memory and counter, for an input that is returned as it is."""
    made = new(Tensor)
    made._array = tensor._array
    made._meta = make_view_metadata(tensor, _same)
    return made


def _same(array):
    return array


class _Once:
    """The op of a node that stands for a derivative which was declared not to be differentiable."""

    name = "once_differentiable"
    node_name = "ErrorBackward"

    @staticmethod
    def backward_arrays(node, grad):
        raise RuntimeError(
            "once_differentiable: trying to differentiate twice a function that was marked with @once_differentiable"
        )

    backward_tensors = backward_arrays


_ONCE = _Once()


def once_differentiable(function):
    """Decorate a `Function`'s backward that is not written with differentiable operations.

    It runs without recording, and differentiating what it returns raises instead of giving a wrong result.

    Reference: ``torch.autograd.function.once_differentiable``.

    Example:
        >>> import numtensor as nt
        >>> class Double(nt.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         return x * 2
        ...
        ...     @staticmethod
        ...     @nt.autograd.function.once_differentiable
        ...     def backward(ctx, grad):
        ...         return nt.tensor(grad.numpy() * 2)
        >>> x = nt.tensor(3.0, requires_grad=True)
        >>> nt.autograd.grad(Double.apply(x), x)
        (tensor(2.),)
    """

    @functools.wraps(function)
    def wrapper(ctx, *grads):
        with no_grad():
            found = function(ctx, *grads)
        if not current.mode.grad:
            return found
        saved = [t for t in ctx.saved_tensors if t is not None]
        edges = tuple(edge_of(t) for t in (*grads, *saved) if isinstance(t, Tensor) and t.requires_grad)
        # Inputs that were not saved lead here too: what backward computed may depend on them.
        edges += tuple(edge for edge in ctx.edges if edge is not None)
        several = isinstance(found, (tuple, list))
        results = []
        for one in found if several else (found,):
            if isinstance(one, Tensor):
                one = from_array(one._array)
                one._meta.requires_grad = True
                one._meta.node = make_node(_ONCE, edges, ())
            results.append(one)
        return tuple(results) if several else results[0]

    return wrapper
