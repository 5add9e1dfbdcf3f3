"""How a tangent goes through an op: the directional derivative of its result, from those of its tensors.

Most ops need no rule of their own. An elementwise op's Jacobian is diagonal, so its vjp rule at a tangent is the jvp;
a linear op's tangent is the op at the tangent; and whatever has a differentiable vjp rule has a jvp, because the vjp is
linear in the gradient: what is transposed twice is itself. A declaration gives ``tangent=`` where that is dear.
"""

import numpy as np

from ..modes import current, set_mode
from ..tensor import Tensor, from_array
from .backward import grad


def result_tangents(op, arguments, tangents, result):
    """Return the tangents of an op's results, each a tensor or None.

    Args:
        op: its declaration.
        arguments: one per parameter.
        tangents: one per differentiable tensor, None where it has none; of a sequence one per element.
        result: what the op returned: a tensor, or a tuple.
    """
    results = result if isinstance(result, tuple) else (result,)
    if op.tangent_rule is not None:
        found = op.tangent_rule(tangents, result, *arguments)
    elif op.linear == "each":
        found = _multilinear(op, arguments, tangents)
    elif op.linear and op.kind != "elementwise":
        found = _linear(op, arguments, tangents)
    elif op.kind == "elementwise":
        found = _diagonal(op, arguments, tangents, result)
    else:
        return _transposed(op, arguments, tangents, results)
    return found if isinstance(found, tuple) else (found,)


def has_tangent(op):
    """Whether results of the op can have tangents at all."""
    return bool(op.differentiable) and (op.differentiates or bool(op.linear) or op.tangent_rule is not None)


def differentiable_tensors(op, arguments):
    """Return the values of an op's differentiable parameters, the elements of a sequence one by one."""
    found = []
    for name, value in zip(op.parameters, arguments, strict=True):
        if name in op.differentiable:
            found += value if name == op.sequence else [value]
    return found


def _with_replaced(op, arguments, values):
    """Return the arguments with other values for the differentiable tensors."""
    values = iter(values)
    replaced = []
    for name, value in zip(op.parameters, arguments, strict=True):
        if name in op.differentiable:
            value = [next(values) for _ in value] if name == op.sequence else next(values)
        replaced.append(value)
    return replaced


def _call(op, arguments):
    return getattr(current.mode, op.name)(*arguments)


def _linear(op, arguments, tangents):
    """Return the op at the tangents, zeros where there is none."""
    tensors = differentiable_tensors(op, arguments)
    filled = [
        zeros_for(tensor) if tangent is None and isinstance(tensor, Tensor) else tangent
        for tensor, tangent in zip(tensors, tangents, strict=True)
    ]
    return _call(op, _with_replaced(op, arguments, filled))


def _multilinear(op, arguments, tangents):
    """Return the sum of the op with one tensor at a time replaced by its tangent."""
    tensors = differentiable_tensors(op, arguments)
    total = None
    for position, tangent in enumerate(tangents):
        if tangent is not None:
            varied = [*tensors[:position], tangent, *tensors[position + 1 :]]
            term = _call(op, _with_replaced(op, arguments, varied))
            total = term if total is None else total + term
    return total


def _diagonal(op, arguments, tangents, result):
    """Return the sum over the inputs of the elementwise derivative times the tangent."""
    if op.saves_output:
        arguments = [*arguments, result]
    total = None
    for position, tangent in enumerate(tangents):
        if tangent is not None:
            alone = [other == position for other in range(len(tangents))]
            term = op.apply_vjp(tangent, alone, arguments)[position]
            total = term if total is None else total + term
    return total


def _transposed(op, arguments, tangents, results):
    """Return the jvp as the transpose of the vjp, which is linear in the gradient."""
    values = []
    for name, value in zip(op.parameters, arguments, strict=True):
        if name in op.tensors and value is not None:
            if name not in op.saves:
                # As in a node: of what is not saved only the shape.
                value = [t.shape for t in value] if name == op.sequence else tuple(value.shape)
            elif not isinstance(value, Tensor) and name != op.sequence:
                value = from_array(value)
        values.append(value)
    if op.saves_output:
        values.append(results if op.results != 1 else results[0])
    carrying = [r.is_floating_point() for r in results]
    needs = [tangent is not None for tangent in tangents]
    before = current.mode
    recording = before.grad
    set_mode(before.with_grad[True])
    try:
        covectors = [zeros_for(r).requires_grad_() if c else None for r, c in zip(results, carrying, strict=True)]
        pulled = op.apply_vjp(covectors[0] if op.results == 1 else tuple(covectors), needs, values)
        total = None
        for one, tangent in zip(pulled, tangents, strict=True):
            if one is not None and tangent is not None:
                term = (one * tangent).sum()
                total = term if total is None else total + term
        wanted = [c for c in covectors if c is not None]
        found = [None] * len(wanted)
        if total is not None and total.requires_grad:
            found = grad(total, wanted, create_graph=recording, allow_unused=True)
    finally:
        set_mode(before)
    found = iter(found)
    return tuple(next(found) if carries else None for carries in carrying)


def zeros_for(tensor):
    """Return zeros like a tensor."""
    return from_array(np.zeros(tensor._array.shape, tensor._array.dtype))
