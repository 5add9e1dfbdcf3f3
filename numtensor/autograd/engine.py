"""The backward pass: nodes in descending sequence order, gradients added where they meet.

Iterative, so the depth of a graph does not matter, and every gradient and saved value is dropped once used.
Ordinary gradients are plain arrays; with ``create_graph`` they are tensors, and each op's ``vjp`` records.
"""

from heapq import heappop, heappush

import numpy as np

from ..graph import FREED, Metadata, Node, Output
from ..kernels.forward.arithmetic import add
from ..ops.inplace import bump_version
from ..threads.division import call as divide
from ..threads.limits import process


class Arrays:
    """How the engine treats gradients when no graph of them is wanted."""

    def __init__(self, wrap):
        self.wrap = wrap
        # Identities of arrays that more than one place may hold: a leaf copies these before it keeps them.
        self.shared = set()

    @staticmethod
    def add(a, b):
        # Our kernel, because NumPy's own would warn of inf - inf.
        kernel = add.loops[a.dtype]
        if process.asks and a.nbytes >= process.light:
            return divide(kernel, a, b)
        return np.asarray(kernel(a, b))

    def accumulate(self, tensor, grad):
        """Add a gradient to the ``grad`` of a leaf, in place; return the sum."""
        array = tensor._array
        if tensor.is_inference():
            # One that the user assigned: nothing outside inference mode may change it.
            return self.wrap(self.add(array, grad))
        kernel = add.loops[array.dtype]
        # Counted first: an interrupt comes when something is written.
        bump_version(tensor, "backward")
        if process.asks and array.nbytes >= process.light:
            divide(kernel, array, grad, out=(array,))
        else:
            kernel(array, grad, array)
        return tensor

    def call(self, node, grad):
        """Return the gradients of a node's inputs.

        An op gives fresh arrays, the incoming gradient itself, or views.
        """
        results = node.op.backward_arrays(node, grad)
        if len(results) == 1 and node.outputs == 1:
            if results[0] is grad:
                self.shared.add(id(grad))
            return results
        # All of these live until the end, so no two have one identity.
        seen = {id(grad)} if node.outputs == 1 else set(map(id, grad))
        for result in results:
            if result is not None:
                identity = id(result)
                if identity in seen:
                    self.shared.add(identity)
                else:
                    seen.add(identity)
        return results

    def own(self, grad):
        """Return the gradient as a tensor that shares memory with nothing."""
        return self.wrap(grad.copy() if grad.base is not None or id(grad) in self.shared else grad)

    def kept(self, grad):
        """Return a gradient that goes on, too, as a tensor that shares memory with nothing."""
        return self.wrap(grad.copy())

    def hook(self, function, grad):
        """Call a hook on a tensor of the gradient; return the gradient that goes on."""
        changed = function(self.wrap(grad))
        self.shared.add(id(grad))
        if changed is None:
            return grad
        self.shared.add(id(changed._array))
        return changed._array


class Tensors:
    """How the engine treats gradients that are themselves to be differentiated, or whose ops a mode has to see."""

    @staticmethod
    def add(a, b):
        return a + b

    accumulate = add

    @staticmethod
    def call(node, grad):
        return node.op.backward_tensors(node, grad)

    @staticmethod
    def own(grad):
        """Return the gradient as a normal tensor that shares memory with nothing."""
        return grad.clone()

    kept = own

    @staticmethod
    def hook(function, grad):
        changed = function(grad)
        return grad if changed is None else changed


def _target(edge):
    """Return (node or leaf metadata, output number) of an edge."""
    if type(edge) is Output:
        return edge.node, edge.number
    return edge, 0


def run(roots, grads, policy, retain_graph, captures=None):
    """Push gradients from the roots to the leaves.

    Args:
        roots: edges of the tensors that are differentiated.
        grads: a gradient for each, as the policy's kind.
        policy: `Arrays` or `Tensors`.
        retain_graph: whether saved values stay for another pass.
        captures: None to accumulate into every leaf's ``grad``; else a dict whose keys are the (node or leaf
            metadata, output number) that are wanted, and whose values become their gradients. Only nodes that lead
            to them run then.

    Raises:
        RuntimeError: a node was used by an earlier pass that freed what it saved.
    """
    needed = None if captures is None else _leading_to(roots, captures)
    pending, leaves, heap = {}, {}, []
    call, add = policy.call, policy.add
    # Where gradients go, and which: the seeds first, then what each node gives.
    edges, results = roots, grads
    node = None
    while True:
        if len(edges) != len(results):
            raise RuntimeError(f"{node.op.name}: backward gave {len(results)} gradients for {len(edges)} inputs")
        for edge, grad in zip(edges, results):  # noqa: B905 -- just compared, in a third of the time
            if edge is None or grad is None:
                continue
            kind = type(edge)
            target, number = (edge.node, edge.number) if kind is Output else (edge, 0)
            if needed is not None and target not in needed:
                continue
            if kind is Metadata or (kind is not Node and isinstance(target, Metadata)):
                found = leaves.get(target)
                leaves[target] = grad if found is None else add(found, grad)
                continue
            found = pending.get(target)
            if found is None:
                heappush(heap, (-target.sequence, target))
            if kind is Node or target.outputs == 1:
                pending[target] = grad if found is None else add(found, grad)
            else:
                if found is None:
                    found = pending[target] = [None] * target.outputs
                found[number] = grad if found[number] is None else add(found[number], grad)
        if not heap:
            break
        node = heappop(heap)[1]
        grad = pending.pop(node)
        if node.hooks is not None:
            grad = _run_node_hooks(node, grad, policy)
        edges = node.edges
        if captures is not None:
            _capture(node, grad, captures)
            if not any(_target(edge)[0] in needed for edge in edges if edge is not None):
                edges = results = ()
                continue
        if node.saved is FREED:
            raise RuntimeError(
                f"{node.op.name}: Trying to backward through the graph a second time (or directly access saved "
                "tensors after they have already been freed). Saved intermediate values of the graph are freed when "
                "you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through "
                "the graph a second time."
            )
        results = call(node, grad)
        if not retain_graph:
            node.saved = FREED
    for leaf, grad in leaves.items():
        if captures is not None:
            _capture_leaf(leaf, grad, captures, policy)
        elif leaf.hooks is not None:
            _accumulate(leaf, grad, policy)
        else:
            add_to_grad(leaf, grad, policy)


def _leading_to(roots, captures):
    """Return the set of nodes and leaves on a path from the roots to one of the captured."""
    wanted = {target for target, _ in captures}
    order, seen, stack = [], set(), [_target(edge)[0] for edge in roots]
    while stack:
        target = stack.pop()
        if target in seen:
            continue
        seen.add(target)
        order.append(target)
        if isinstance(target, Node):
            stack.extend(_target(edge)[0] for edge in target.edges if edge is not None)
    leading = set(wanted)
    # Consumers come after producers in sequence, so ascending order sees a node's edges before the node.
    for target in sorted((t for t in order if isinstance(t, Node)), key=lambda t: t.sequence):
        if any(edge is not None and _target(edge)[0] in leading for edge in target.edges):
            leading.add(target)
    return leading


def _run_node_hooks(node, grad, policy):
    single = node.outputs == 1
    grads = [grad] if single else grad
    for number, function in list(node.hooks.tensor.values()):
        if grads[number] is not None:
            grads[number] = policy.hook(function, grads[number])
    for number, meta in node.hooks.retained.items():
        if grads[number] is not None:
            # The gradient goes on to the node, so what is kept is a copy.
            kept = policy.kept(grads[number])
            meta.grad = kept if meta.grad is None else meta.grad + kept
    return grads[0] if single else grads


def _capture(node, grad, captures):
    for number in range(node.outputs):
        key = (node, number)
        if key in captures:
            captures[key] = grad if node.outputs == 1 else grad[number]


def _capture_leaf(leaf, grad, captures, policy):
    if (leaf, 0) in captures:
        if leaf.hooks is not None:
            for function in list(leaf.hooks.tensor.values()):
                grad = policy.hook(function, grad)
        captures[leaf, 0] = grad


def _accumulate(leaf, grad, policy):
    for function in list(leaf.hooks.tensor.values()):
        grad = policy.hook(function, grad)
    add_to_grad(leaf, grad, policy)


def add_to_grad(leaf, grad, policy):
    """Add a gradient to what `leaf`, the metadata of a tensor, has in ``grad``."""
    leaf.grad = policy.own(grad) if leaf.grad is None else policy.accumulate(leaf.grad, grad)
    if leaf.hooks is not None:
        for tensor, function in list(leaf.hooks.after.values()):
            function(tensor)
