"""``backward`` and ``grad``: the engine's two entrances, and what tensors know of the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import lean
from ..graph import Output
from ..modes import NO_GRAD, TRACKED, Mode, current, set_mode
from ..ops.inplace import refresh_view, view_node
from ..tensor import Tensor, from_array
from . import engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..graph import Node


def edge_of(tensor):
    """Return where the gradient of a tensor that requires grad goes."""
    meta = tensor._meta
    node = refresh_view(tensor) if meta.base is not None else meta.node
    return node or meta


def grad_fn(self) -> Node | None:
    """The node that made this tensor, or None for a leaf."""
    meta = self._meta
    if meta is None:
        return None
    node = view_node(self) if meta.base is not None else meta.node
    return node.node if type(node) is Output else node


def _as_tuple(op, value):
    if isinstance(value, Tensor):
        return (value,)
    try:
        return tuple(value)
    except TypeError:
        raise TypeError(f"{op}: expected Tensor or a sequence of them, not {type(value).__name__}") from None


def _roots(op, tensors, gradients):
    """Check what is differentiated; return edges and seed gradients as tensors."""
    if gradients is None:
        gradients = (None,) * len(tensors)
    if len(gradients) != len(tensors):
        raise RuntimeError(f"{op}: got {len(tensors)} tensors and {len(gradients)} gradients")
    edges, seeds = [], []
    for position, (tensor, gradient) in enumerate(zip(tensors, gradients, strict=True)):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{op}: element {position} must be Tensor, not {type(tensor).__name__}")
        meta = tensor._meta
        if meta is None or not meta.requires_grad:
            raise RuntimeError(
                f"{op}: element {position} of tensors does not require grad and does not have a grad_fn (shape "
                f"{tensor._array.shape}); it was made of no tensor that requires grad, or under no_grad() or "
                "inference_mode()"
            )
        if gradient is None:
            if tensor._array.size != 1:
                raise RuntimeError(
                    f"{op}: grad can be implicitly created only for scalar outputs, got shape {tensor._array.shape}; "
                    "reduce it, for example with sum(), or give its gradient"
                )
            # Half the time of ones().
            ones = np.empty(tensor._array.shape, tensor._array.dtype)
            ones.fill(1)
            gradient = from_array(ones)
        else:
            if not isinstance(gradient, Tensor):
                raise TypeError(f"{op}: gradient {position} must be Tensor or None, not {type(gradient).__name__}")
            if gradient._array.shape != tensor._array.shape:
                raise RuntimeError(
                    f"{op}: Mismatch in shape: gradient {position} has shape {gradient._array.shape}, its tensor "
                    f"{tensor._array.shape}"
                )
            if gradient._array.dtype != tensor._array.dtype:
                gradient = gradient.to(tensor.dtype)
        edges.append(edge_of(tensor))
        seeds.append(gradient)
    return edges, seeds


def _run(edges, seeds, retain_graph, create_graph, captures=None):
    """Run the engine in the mode that backward rules expect, whatever the caller's."""
    retain_graph = create_graph if retain_graph is None else retain_graph
    before = current.mode
    mode = TRACKED if create_graph else NO_GRAD
    as_ops = create_graph
    if before.wrappers:
        mode = Mode(create_graph, False, before.forward_ad, before.wrappers)
        as_ops = as_ops or any(wrapper.backward_as_ops for wrapper in mode.active)
    if as_ops:
        policy = engine.Tensors
    else:
        policy = engine.Arrays(lean.wrap("no_grad"))
        seeds = [seed._array for seed in seeds]
        policy.shared.update(map(id, seeds))
    watched = policy
    for wrapper in mode.active:
        watched = wrapper.watch(watched)
    set_mode(mode)
    try:
        if create_graph:
            # What is recorded saves them, and an inference tensor cannot be saved.
            seeds = [seed.clone() if seed.is_inference() else seed for seed in seeds]
        engine.run(edges, seeds, watched, retain_graph, captures)
    finally:
        set_mode(before)
    return policy


def backward(
    self,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Compute the gradients of this tensor with respect to the leaves, and add them to their ``grad``.

    Args:
        gradient: of some scalar with respect to this tensor, of its shape; may be omitted for one element.
        retain_graph: keep what was saved, for another pass; defaults to `create_graph`.
        create_graph: record the backward pass, so that gradients can be differentiated.
        inputs: tensors into which alone to accumulate; None for every leaf.

    Raises:
        RuntimeError: nothing was recorded, the shapes differ, or saved values were freed or changed.

    Reference: ``torch.Tensor.backward``.

    Example:
        >>> import numtensor as nt
        >>> x = nt.tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        tensor([2., 4.])
    """
    if inputs is None:
        edges, seeds = _roots("backward", (self,), (gradient,))
        _run(edges, seeds, retain_graph, create_graph)
    else:
        backward_all((self,), (gradient,), retain_graph, create_graph, inputs)


def backward_all(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Compute the gradients of the sum of several tensors; see `Tensor.backward`.

    Reference: ``torch.autograd.backward``.
    """
    tensors = _as_tuple("backward", tensors)
    grad_tensors = None if grad_tensors is None else _as_tuple("backward", grad_tensors)
    edges, seeds = _roots("backward", tensors, grad_tensors)
    if inputs is None:
        _run(edges, seeds, retain_graph, create_graph)
        return
    inputs = _as_tuple("backward", inputs)
    if not inputs:
        raise RuntimeError("backward: inputs argument to backward cannot be empty")
    found = grad(tensors, inputs, grad_tensors, retain_graph, create_graph, allow_unused=True)
    before = current.mode
    # As in `_run`: what is added up is a normal tensor, whatever the caller's mode.
    set_mode(TRACKED if create_graph else NO_GRAD)
    try:
        policy = engine.Tensors if create_graph else engine.Arrays(lean.wrap("no_grad"))
        for tensor, gradient in zip(inputs, found, strict=True):
            if gradient is not None:
                engine.add_to_grad(tensor._meta, gradient if create_graph else gradient._array, policy)
    finally:
        set_mode(before)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """Compute and return the gradients of the sum of outputs with respect to inputs.

    Args:
        outputs: a tensor, or a sequence of them.
        inputs: a tensor, or a sequence of them; they need not be leaves.
        grad_outputs: the gradient of each output, of its shape; None for ones of one element.
        retain_graph: keep what was saved, for another pass; defaults to `create_graph`.
        create_graph: record the backward pass, so that the result can be differentiated.
        allow_unused: give None for an input that no output depends on, instead of raising.
        materialize_grads: give zeros for such an input.

    Returns:
        A tuple of tensors, one per input.

    Raises:
        RuntimeError: an output or input does not require grad, or an input is unused and not allowed to be.

    Reference: ``torch.autograd.grad``.

    Example:
        >>> import numtensor as nt
        >>> x = nt.tensor(3.0, requires_grad=True)
        >>> (first,) = nt.autograd.grad(x**3, x, create_graph=True)
        >>> nt.autograd.grad(first, x)
        (tensor(18.),)
    """
    outputs, inputs = _as_tuple("grad", outputs), _as_tuple("grad", inputs)
    if allow_unused is False and materialize_grads:
        raise ValueError("grad: Expected allow_unused to be True or not passed when materialize_grads=True")
    edges, seeds = _roots("grad", outputs, None if grad_outputs is None else _as_tuple("grad", grad_outputs))
    keys = []
    for position, tensor in enumerate(inputs):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"grad: input {position} must be Tensor, not {type(tensor).__name__}")
        if not tensor.requires_grad:
            raise RuntimeError(f"grad: One of the differentiated Tensors does not require grad (input {position})")
        edge = edge_of(tensor)
        keys.append((edge.node, edge.number) if type(edge) is Output else (edge, 0))
    captures = dict.fromkeys(keys)
    policy = _run(edges, seeds, retain_graph, create_graph, captures)
    results, handed_out = [], set()
    for position, key in enumerate(keys):
        found = captures[key]
        if found is None:
            if not (allow_unused or materialize_grads):
                raise RuntimeError(
                    f"grad: One of the differentiated Tensors appears to not have been used in the graph (input "
                    f"{position}). Set allow_unused=True if this is the desired behavior."
                )
            if materialize_grads:
                array = inputs[position]._array
                found = from_array(np.zeros(array.shape, array.dtype))
        elif not create_graph:
            if id(found) in handed_out and isinstance(policy, engine.Arrays):
                policy.shared.add(id(found))
            handed_out.add(id(found))
            found = policy.own(found)
        elif found.is_inference():
            # A seed, or what a hook returned, that came through as it is.
            found = from_array(found._array.copy())
        results.append(found)
    return tuple(results)


Tensor.grad_fn = property(grad_fn)
Tensor.backward = backward
