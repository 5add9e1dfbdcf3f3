"""What a function transform differentiates with respect to: stand-ins for the arguments, each in its own graph.

A transform runs the function with recording on, whatever the caller's mode, and gives results that are part of the
caller's graph only where they depend on something of it.
"""

import contextlib

from ..graph import Metadata, Output
from ..modes import current, set_mode
from ..tensor import Tensor
from .backward import edge_of, grad
from .tangents import zeros_for


@contextlib.contextmanager
def recording():
    """Record, also where the caller does not, and also in inference mode."""
    before = current.mode
    set_mode(before.with_inference[False] if before.inference else before.with_grad[True])
    try:
        yield
    finally:
        set_mode(before)


@contextlib.contextmanager
def making_normal():
    """Make normal tensors, also in inference mode, and record no more than the caller does."""
    before = current.mode
    if before.inference:
        set_mode(before.with_inference[False].with_grad[False])
    try:
        yield
    finally:
        set_mode(before)


def variable(op, tensor):
    """Return a tensor on the same values that requires grad: connected to the tensor's graph if it has one.

    Call it while `recording`.

    Raises:
        ValueError: it is no tensor.
        RuntimeError: it is not floating-point.
    """
    if not isinstance(tensor, Tensor):
        raise ValueError(f"{op}: can differentiate with respect to a Tensor only, got {type(tensor).__name__}")
    if not tensor.is_floating_point():
        raise RuntimeError(f"{op}: can differentiate with respect to floating-point tensors only, got {tensor.dtype}")
    made = _copy(tensor) if tensor.is_inference() else tensor[...]
    return made if made.requires_grad else made.requires_grad_()


def _copy(tensor):
    """Return a normal tensor of the values of an inference tensor, which one on its memory could change."""
    # No graph leads to one that requires grad.
    return (tensor.detach() if tensor.requires_grad else tensor).clone()


def depends_outside(tensors, variables):
    """Whether the graph of tensors leads to any leaf but those of the variables."""
    own = {v._meta for v in variables if v._meta.node is None}
    stack = [edge_of(t) for t in tensors if t.requires_grad]
    seen = set()
    while stack:
        target = stack.pop()
        if target is None:
            continue
        if type(target) is Output:
            target = target.node
        if isinstance(target, Metadata):
            if target not in own:
                return True
        elif target not in seen:
            seen.add(target)
            stack.extend(target.edges)
    return False


def gradients(outputs, variables, seeds, connected):
    """Return the gradient of each variable, None where the outputs do not depend on it; the graph stays.

    Args:
        outputs: tensors; those that do not require grad, and None, contribute nothing.
        variables: tensors that require grad.
        seeds: the gradient of each output.
        connected: whether the results are recorded.
    """
    pairs = [(o, seed) for o, seed in zip(outputs, seeds, strict=True) if o is not None and o.requires_grad]
    if not pairs:
        return (None,) * len(variables)
    outputs, seeds = zip(*pairs, strict=True)
    return grad(outputs, variables, seeds, retain_graph=True, create_graph=connected, allow_unused=True)


def filled(tensors, like):
    """Return the tensors, with zeros for None."""
    return tuple(zeros_for(other) if one is None else one for one, other in zip(tensors, like, strict=True))


def settled(tensor):
    """Return a tensor's values without its graph; what a mode's wrapper knows of it (a tangent) stays."""
    if not tensor.requires_grad:
        return tensor
    if not current.mode.active:
        return tensor.detach()
    before = current.mode
    set_mode(before.with_grad[False])
    try:
        return tensor.clone()
    finally:
        set_mode(before)
