"""What autograd records: a tensor's metadata, version counters, and the nodes of the graph.

Knows no op and no tensor. A node points to the op that made it, and to where each of its gradients goes (its edges):
to the `Node` (or one output of it) that made the input, or to the `Metadata` of a leaf, which accumulates.
"""

from __future__ import annotations

import itertools


class Counter:
    """How often a memory was changed in place; shared by all tensors on it."""

    __slots__ = ("last_op", "value")

    def __init__(self, value=0):
        self.value = value
        self.last_op = None


NO_VERSION = Counter()
"""Stands for the missing counter of an inference leaf that requires grad."""


class Metadata:
    """What a tensor has besides its array. Inference tensors have none of it.

    Attributes:
        requires_grad: whether gradients are computed for it.
        node: the edge that its gradient takes: the `Node` that made it, an `Output` of one, or None for a leaf.
        counter: its `Counter`; None stands for version 0 that nobody shares yet; `NO_VERSION` for an inference leaf.
        grad: the accumulated gradient, a tensor.
        base: the tensor that owns the memory, if it is a view of another (`ViewMetadata`); else None.
        hooks: a `LeafHooks` if any are registered on a leaf.
    """

    # Without an __init__: every op makes one, and fills it itself, which is 40 ns sooner.
    __slots__ = ("__weakref__", "base", "counter", "grad", "hooks", "node", "requires_grad")


def make_metadata(requires_grad=False, counter=None, kind=Metadata):
    """Return metadata of a tensor without history; `kind` is its class."""
    meta = kind()
    meta.requires_grad = requires_grad
    meta.counter = counter
    meta.node = meta.grad = meta.base = meta.hooks = None
    return meta


def counter_of(meta):
    """Return the counter of a tensor that has one, made if nobody shared it before.

    The node that made the tensor learns of it, because it may have saved its result.
    """
    counter = meta.counter
    if counter is None:
        counter = meta.counter = Counter()
        if type(meta.node) is Node:
            meta.node.counter = counter
    return counter


class ViewMetadata(Metadata):
    """The metadata of a view, which requires grad as soon as its base does.

    Attributes:
        own: whether it requires grad whatever the base: it has a node, or the user asked for it.
        steps: how the view came from its base: (steps of the view that it was taken from, or None if that was the
            base; take; arguments; number). ``take(array, *arguments)`` is a view of the array, or several, of which
            this is the one with the number.
        path: of the mode in which it was made, or ``several`` if one op made several views; where that is ``tracked``,
            the path of the view that it was taken from. Only ``tracked`` views may be changed in place while recording.
        version: of the counter when the view's node was last right; the base may be changed in place after it.
        link: the node that leads from a view made without recording to its base, made when it is first needed.
    """

    __slots__ = ("link", "own", "path", "steps", "version")

    @property
    def requires_grad(self):
        """Whether gradients are computed for it."""
        return self.own or self.base._meta.requires_grad

    @requires_grad.setter
    def requires_grad(self, value):
        self.own = value

    @property
    def replay(self):
        """A function from an array like the base's to the same view of it; holds neither the base nor this view."""
        steps = []
        outer = self.steps
        while outer is not None:
            outer, *step = outer
            steps.append(step)
        return Replay(tuple(reversed(steps)))


def make_view_metadata(source, take, arguments=(), number=None, path="tracked"):
    """Return the metadata of a view of a normal tensor: shared counter, root base, inherited requires_grad.

    Args:
        source: the tensor of which it is a view.
        take, arguments, number: the step from the source's array to the view's; see `ViewMetadata`.
        path: of the mode.
    """
    outer = source._meta
    meta = ViewMetadata()
    meta.own = False
    meta.node = meta.grad = meta.hooks = meta.link = None
    meta.counter = counter_of(outer)
    meta.version = meta.counter.value
    if outer.base is None:
        meta.base = source
        meta.steps = (None, take, arguments, number)
    else:
        meta.base = outer.base
        meta.steps = (outer.steps, take, arguments, number)
        if path == "tracked":
            path = outer.path
    meta.path = "several" if number is not None and path == "tracked" else path
    return meta


class Replay:
    """Takes the same view of another array.

    Attributes:
        steps: of the views between, the base's first.
        order: the base's dimensions from the one with the longest stride on, None for row-major: an array must lie
            so in memory that every step surely is a view.
    """

    __slots__ = ("order", "steps")

    def __init__(self, steps, order=None):
        self.steps = steps
        self.order = order

    def __call__(self, array):
        for take, arguments, number in self.steps:
            array = take(array, *arguments)
            if number is not None:
                array = array[number]
        return array


class Freed:
    """In place of a node's saved values once backward has used them."""


FREED = Freed()

next_sequence_number = itertools.count().__next__


class Node:
    """One recorded step.

    Attributes:
        op: its declaration, which knows how to compute the gradients.
        edges: where the gradient of each differentiable input goes; None where none is needed.
        saved: what the op keeps for backward; `FREED` after it was used.
        versions: of the saved tensors, None if all were 0.
        counter: of its result, once anybody shares it: tells whether a saved result was changed.
        extra: what only this op's backward knows (shapes, dtypes), None if nothing.
        hooks: a `NodeHooks` if any are registered.
        sequence: grows with time, so descending order is a topological order.
    """

    # Without an __init__, like Metadata.
    __slots__ = ("__weakref__", "counter", "edges", "extra", "hooks", "op", "saved", "sequence", "versions")

    outputs = 1

    def name(self) -> str:
        """Return the name that `repr(tensor)` shows, such as ``MulBackward``."""
        return self.op.node_name

    @property
    def next_functions(self):
        """The edges as PyTorch shows them: pairs of node and output number."""
        return tuple(
            (edge.node, edge.number) if type(edge) is Output else (edge, 0) for edge in self.edges or ()
        )

    def __repr__(self):
        return f"<{self.name()}>"


def make_node(op, edges, saved, versions=None, extra=None):
    """Return the newest node of the graph."""
    node = Node()
    _fill(node, op, edges, saved, versions, extra)
    return node


def _fill(node, op, edges, saved, versions, extra):
    node.op = op
    node.edges = edges
    node.saved = saved
    node.versions = versions
    node.extra = extra
    node.counter = node.hooks = None
    node.sequence = next_sequence_number()


class MultiNode(Node):
    """A step with several results."""

    __slots__ = ("outputs",)

    def __init__(self, op, edges, saved, versions, extra, outputs):
        _fill(self, op, edges, saved, versions, extra)
        self.outputs = outputs


class Output:
    """One result of a `MultiNode`, as an edge."""

    __slots__ = ("node", "number")

    def __init__(self, node, number):
        self.node = node
        self.number = number


class NodeHooks:
    """Functions that see a non-leaf's gradient on its way.

    Attributes:
        tensor: dict from handle number to (output number, function); a function may return a new gradient.
        retained: dict from output number to the `Metadata` that keeps the gradient (`retain_grad`).
    """

    __slots__ = ("retained", "tensor")

    def __init__(self):
        self.tensor = {}
        self.retained = {}


class LeafHooks:
    """Functions that see a leaf's gradient, before it is added (``tensor``) and after (``after``)."""

    __slots__ = ("after", "tensor")

    def __init__(self):
        self.tensor = {}
        self.after = {}


class RemovableHandle:
    """Removes a hook: ``handle.remove()``, or use it as a context manager."""

    _numbers = itertools.count()

    def __init__(self, hooks):
        self._hooks = hooks
        self.id = next(self._numbers)

    def remove(self) -> None:
        """Remove the hook; a second call does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()
