"""In-place ops that do not look at what they change: ``zero_``, ``fill_``, ``copy_`` and the random fills.

What the tensor held before gets no gradient. What is copied in may get one.
"""

import numpy as np

from .. import dtypes
from ..graph import NO_VERSION, make_metadata, make_node
from ..modes import current
from ..tensor import Tensor, new
from .declaration import Declaration, refuse_recording
from .direct import array_to_write, count_write
from .inplace import adopt, bump_version, check_recordable, check_writable, refresh_view
from .operands import sum_to_shape


class OverwriteOp(Declaration):
    """An op that replaces what a tensor holds; its rule writes into the array.

    Attributes:
        source: the parameter that may be a tensor with a gradient, or None. It broadcasts to the target.
    """

    kind = "overwrite"

    def __init__(self, function, *, source=None, **options):
        self.source = source
        self._forward = None
        tensors = ("input",) if source is None else ("input", source)
        super().__init__(function, namespace="Tensor", tensors=tensors, **options)

    def forward(self, rule):
        """Give the rule: ``rule(array, *parameters)`` checks everything, then writes into the array."""
        self._forward = rule
        return rule

    def specialise(self, path):
        """Return this op's callable for the modes of `path`."""
        self.quicken(path)
        name, rule = self.name, self._forward

        def overwrite(target, *arguments):
            source = arguments[0] if self.source else None
            array = array_to_write(target)
            if array is not None and not (path == "tracked" and isinstance(source, Tensor) and source.requires_grad):
                rule(array, *arguments)
                count_write(target, name)
                return target
            if not isinstance(target, Tensor):
                raise TypeError(f"{name}: the tensor to change must be a Tensor, not {type(target).__name__}")
            check_writable(name, target)
            source_edge = _edge(self, source) if path == "tracked" and isinstance(source, Tensor) else None
            if source_edge is not None:
                check_recordable(name, target)
            rule(target._array, *arguments)
            bump_version(target, name)
            if path == "tracked":
                _record(self, target, source, source_edge)
            return target

        return overwrite

    # -----------------------------------------------------------------------------------------------------------------
    # Backward

    def backward_arrays(self, node, grad):
        """Return zeros for the old value, and the gradient of what was copied in."""
        shape, kind = node.saved
        old, source = node.edges
        grad_source = None
        if source is not None:
            grad_source = sum_to_shape(grad, shape)
            if grad_source.dtype is not kind.numpy:
                grad_source = grad_source.astype(kind.numpy)
        return None if old is None else np.zeros(grad.shape, grad.dtype), grad_source

    def backward_tensors(self, node, grad):
        """Return the same as tensors, recorded."""
        shape, kind = node.saved
        old, source = node.edges
        grad_source = None if source is None else grad.sum_to_size(shape).to(kind)
        return None if old is None else current.mode.zeros_like(grad), grad_source


def _edge(op, source):
    """Return where the gradient of what is copied in goes, None if it needs none."""
    meta = source._meta
    if meta is None or not meta.requires_grad:
        return None
    if meta.counter is NO_VERSION:
        refuse_recording(op, op.source, source)
    return (refresh_view(source) if meta.base is not None else meta.node) or meta


def _record(op, target, source, source_edge):
    """Let the graph know that `target` was overwritten."""
    meta = target._meta
    # A view requires grad as soon as its base does.
    tracked = meta.requires_grad
    if not tracked and source_edge is None:
        return
    result = new(Tensor)
    result._array = target._array
    result._meta = make_metadata(True)
    # The base of a view cuts its old value itself.
    old_edge = None if meta.base is not None or not meta.requires_grad else meta.node or meta
    saved = ((), None) if source_edge is None else (source._array.shape, dtypes.FROM_NUMPY[source._array.dtype])
    if meta.base is None or source_edge is not None:
        result._meta.node = make_node(op, (old_edge, source_edge), saved)
    adopt(target, result)


def overwrite(**options):
    """Declare an op that replaces what a tensor holds; ``@op.forward`` gives its rule."""
    return lambda function: OverwriteOp(function, **options)
