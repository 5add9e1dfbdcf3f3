"""Full backward hooks: two steps that pass values and gradients through, around a module's ``forward``.

The step before the module sees the gradients of all inputs at once, the one after it those of all outputs.
"""

import warnings

from ..graph import MultiNode, Output, counter_of, make_metadata
from ..lean import wrap_normal
from ..modes import current
from ..ops.inplace import refresh_view
from ..tensor import Tensor, new


class PassThrough:
    """The op of a node that shows the gradients of several tensors to a function before they go on.

    The function, the node's ``extra``, takes and returns a list of tensors, None where there is no gradient.
    """

    name = "module_backward_hook"
    node_name = "BackwardHookFunctionBackward"

    @staticmethod
    def backward_arrays(node, grad):
        arrays = [grad] if node.outputs == 1 else grad
        shown = [None if array is None else wrap_normal(array) for array in arrays]
        results = []
        for array, tensor, changed in zip(arrays, shown, node.extra(list(shown)), strict=True):
            # The engine may give a leaf what it gets here for good, so a hook's own tensor is copied.
            results.append(array if changed is tensor else None if changed is None else changed._array.copy())
        return results

    @staticmethod
    def backward_tensors(node, grad):
        return node.extra([grad] if node.outputs == 1 else list(grad))


PASS_THROUGH = PassThrough()


def _pass_through(tensors, function):
    """Return the tensors as results of a node that calls `function` on their gradients."""
    edges = []
    for tensor in tensors:
        meta = tensor._meta
        if meta is None or not meta.requires_grad:
            edges.append(None)
        else:
            edges.append((refresh_view(tensor) if meta.base is not None else meta.node) or meta)
    node = MultiNode(PASS_THROUGH, tuple(edges), (), None, function, len(tensors))
    passed = []
    for number, tensor in enumerate(tensors):
        if edges[number] is None:
            passed.append(tensor)
            continue
        made = new(Tensor)
        made._array = tensor._array
        made._meta = make_metadata(True, counter_of(tensor._meta))
        made._meta.node = node if node.outputs == 1 else Output(node, number)
        passed.append(made)
    return passed


class BackwardHooks:
    """The backward hooks of one call of one module."""

    def __init__(self, module, hooks, pre_hooks):
        self.module = module
        self.hooks = hooks
        self.pre_hooks = pre_hooks
        self.grad_outputs = None
        self.input_count = 0
        self.watches_inputs = False

    def watch_inputs(self, args):
        """Return the arguments, passed through a node if any of them needs a gradient."""
        self.input_count = len(args)
        positions, passed = self._pass(args, self._see_inputs)
        self.watches_inputs = bool(positions)
        return passed

    def watch_outputs(self, output):
        """Return the output, passed through a node."""
        several = isinstance(output, (tuple, list))
        if not several and not isinstance(output, Tensor):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
                f"{type(output)}",
                stacklevel=3,
            )
            return output
        passed = self._pass(output if several else (output,), self._see_outputs)[1]
        return type(output)(passed) if several else passed[0]

    def _pass(self, values, see):
        positions = [k for k, value in enumerate(values) if isinstance(value, Tensor)]
        if current.mode.path != "tracked" or not any(values[k].requires_grad for k in positions):
            return [], values
        count = len(values)

        def function(grads):
            everything = [None] * count
            for position, grad in zip(positions, grads, strict=True):
                everything[position] = grad
            changed = see(tuple(everything))
            return [changed[position] for position in positions]

        passed = list(values)
        for position, tensor in zip(positions, _pass_through([values[k] for k in positions], function), strict=True):
            passed[position] = tensor
        return positions, tuple(passed)

    def _see_outputs(self, grads):
        for hook in self.pre_hooks:
            changed = hook(self.module, grads)
            if changed is not None:
                grads = _as_tuple(changed, len(grads), "full backward pre hook", "grad_output")
        self.grad_outputs = grads
        if not self.watches_inputs:
            # No gradient will come out at the inputs, so this is all that will be known.
            for hook in self.hooks:
                if hook(self.module, (None,) * self.input_count, grads) is not None:
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return None or None "
                        "for all gradients."
                    )
        return grads

    def _see_inputs(self, grads):
        for hook in self.hooks:
            changed = hook(self.module, grads, self.grad_outputs)
            if changed is not None:
                grads = _as_tuple(changed, len(grads), "full backward hook", "grad_input")
        self.grad_outputs = None
        return grads


def _as_tuple(value, count, what, name):
    value = value if isinstance(value, (tuple, list)) else (value,)
    if len(value) != count:
        raise RuntimeError(f"{what} got an invalid result: {name} has {count} elements, it returned {len(value)}")
    return tuple(value)
