"""Sequential under inference mode: its affine maps and activations run on plain arrays, as one chain.

Nothing is recorded there, and nobody sees what one layer hands to the next. So an activation overwrites what the layer
before it made, no tensor is made in between, and the memory of a large intermediate serves again: in the same call, and
in the next. Results are bit-equal to those of the layers called one by one, whose products and kernels these are.

A plan has a step for each module that is plainly one of those below. A step is right only for what it was made of, and
that is looked at in every call: the module, its hooks, its ``forward``, its parameters and their arrays (not their
values, which are read where they are). Where anything else is found, the module is called as it always is. So nobody
has to tell a plan of changes; looking costs a tenth of a microsecond for each layer.
"""

import numpy as np

from .. import lean
from ..kernels.forward import arithmetic
from ..modes import INFERENCE, current
from ..ops import activation, hyperbolic
from ..ops.blas import AFFINE_ROW, SMALL, affine_in_tiles, product
from ..ops.matmul import affine, linear
from ..ops.operands import CONSTANTS
from ..tensor import Tensor
from . import activations, layers

FLOATING = {np.dtype(np.float32), np.dtype(np.float64)}

SMALLEST_KEPT, LARGEST_KEPT = 1 << 16, 1 << 20
"""Bytes: the allocator has smaller memory at hand, and the pages of larger memory are a small part of its product."""

SHAPES_KEPT, EACH_KEPT = 4, 4

_free = {}
"""Arrays that nobody uses, by shape and dtype: at most `SHAPES_KEPT` times `EACH_KEPT`.

Threads share it. Each step below is one operation of a dict or list, which other threads see done or not done; what
they do in between costs an allocation at most.
"""


def _take(shape, dtype):
    """Return an array that nobody uses, with any values."""
    kept = _free.get((shape, dtype))
    if kept:
        try:
            return kept.pop()
        except IndexError:
            # Another thread was quicker.
            pass
    return np.empty(shape, dtype)


def _give_back(array):
    """Keep an array of which no tensor was made, of `SMALLEST_KEPT` bytes, for `_take`, if it is of a kind taken."""
    if array.ndim != 2 or array.nbytes > LARGEST_KEPT:
        return
    key = array.shape, array.dtype
    kept = _free.get(key)
    if kept is None:
        if len(_free) >= SHAPES_KEPT:
            # Sizes changed. Which are in use shows at once.
            _free.clear()
        kept = _free.setdefault(key, [])
    if len(kept) < EACH_KEPT:
        kept.append(array)


# ---------------------------------------------------------------------------------------------------------------------
# Steps: functions of an array that return the module's result as an array; None to have the module itself called. The
# array is nobody else's and may be overwritten, except that of an affine map.


def _affine_step(module):
    member = module.__dict__.get
    weight, bias = member("weight"), member("bias")
    if weight is None or weight._array.ndim != 2 or weight._array.dtype not in FLOATING:
        return None
    matrix, row = weight._array, None if bias is None else bias._array
    dtype, width = matrix.dtype, len(matrix)
    if bias is not None and (row.dtype is not dtype or row.shape != (width,)):
        return None
    columns = matrix.T
    add, add_at_once = arithmetic.add.rows[dtype], arithmetic.add.rows_builtins[dtype]
    affine_at_once = AFFINE_ROW[dtype]
    # By the op itself, from tensors to a tensor in machine code, which takes less than what is around a product here.
    is_small, call, wrap = matrix.size < SMALL, linear.public, lean.wrap("inference")

    def step(array):
        if (
            member("weight") is not weight
            or weight._array is not matrix
            or member("bias") is not bias
            or (bias is not None and bias._array is not row)
            or array.dtype is not dtype
        ):
            return None
        try:
            rows, _ = array.shape
            if rows == 1:
                result = None if row is None else affine_at_once(array, matrix, row)
                return affine(array, matrix, row) if result is None else result
            if is_small:
                return call(wrap(array), weight, bias)._array
            kept = SMALLEST_KEPT <= rows * width * dtype.itemsize <= LARGEST_KEPT
            out = _take((rows, width), dtype) if kept else None
            result = None if row is None else affine_in_tiles(array, matrix, row, out)
            if result is not None:
                return result
            result = product(array, columns, out)
        except ValueError:
            # No matrix, or none of so many columns.
            return affine(array, matrix, row)
        if bias is not None and not add_at_once(result, row, result):
            add(result, row, result)
        return result

    return step


def _step_of(op):
    """Return what makes the step of a module that is an elementwise op without numbers."""

    def make(module):
        table = op.table

        def step(array):
            return table[array.dtype](array, array)

        return step

    return make


def _leaky_relu_step(module):
    table = activation.leaky_relu.table

    def step(array):
        slope = module.negative_slope
        if type(slope) is not float:
            return None
        dtype = array.dtype
        return table[dtype](array, CONSTANTS[dtype][slope], array)

    return step


def _gelu_step(module):
    tables = {"none": activation.gelu.table, "tanh": activation.gelu_tanh.table}

    def step(array):
        table = tables.get(module.approximate)
        return None if table is None else table[array.dtype](array, array)

    return step


def _identity_step(module):
    return lambda array: array


def _dropout_step(module):
    return lambda array: None if module.training else array


def _flatten_step(module):
    # Of a matrix it makes rows, which is what is there.
    return lambda array: array if array.ndim == 2 and module.start_dim == 1 and module.end_dim == -1 else None


MAKERS = {
    layers.Linear: _affine_step,
    layers.Identity: _identity_step,
    layers.Dropout: _dropout_step,
    layers.Flatten: _flatten_step,
    activations.ReLU: _step_of(activation.relu),
    activations.LeakyReLU: _leaky_relu_step,
    activations.SiLU: _step_of(activation.silu),
    activations.GELU: _gelu_step,
    activations.Tanh: _step_of(hyperbolic.tanh),
    activations.Sigmoid: _step_of(activation.sigmoid),
}
"""What makes the step of a module, None if it can have none; by the exact type."""

FORWARDS = {kind: kind.forward for kind in MAKERS}
"""What the steps stand for; none stands for another ``forward``."""


# ---------------------------------------------------------------------------------------------------------------------
# The chain


class Plan:
    """What is known of a Sequential from its last call.

    Attributes:
        names: of its modules, in order.
        entries: for each of them: name, module, its ``__dict__``, the class's ``forward``, the step or None, and
            whether that is an affine map.
        wrap: makes an array the result.
    """

    __slots__ = ("entries", "names", "wrap")

    def __init__(self, namespace):
        self.wrap = lean.wrap("inference")
        self.names = [*namespace["_module_names"]]
        self.entries = []
        for name in self.names:
            module = namespace[name]
            kind = type(module)
            make = MAKERS.get(kind)
            step = None if make is None else make(module)
            members = None if step is None else module.__dict__
            self.entries.append((name, module, members, FORWARDS.get(kind), step, kind is layers.Linear))

    def __reduce__(self):
        # Copies of a model make their own.
        return type(None), ()


def run(namespace, input):
    """Return what the modules of a Sequential, called one after the other, make of `input`, under inference mode.

    Args:
        namespace: the Sequential's ``__dict__``.
        input: the argument of the first module.
    """
    plan = namespace.get("_inference_plan")
    if type(plan) is not Plan or plan.names != [*namespace["_module_names"]]:
        plan = namespace["_inference_plan"] = Plan(namespace)
    # What stands for `input` since the last affine map, and is nobody else's; None where `input` itself counts.
    array = None
    for name, planned, members, forward, step, is_affine in plan.entries:
        module = namespace[name]
        if module is not planned:
            namespace["_inference_plan"] = None
        elif (
            step is not None
            and members["_hooks"] is None
            and "forward" not in members
            and type(module).forward is forward
        ):
            result = None
            if array is not None:
                result = step(array)
            elif is_affine and type(input) is Tensor and current.mode is INFERENCE:
                result = step(input._array)
            if result is not None:
                if array is not None and result is not array and array.nbytes >= SMALLEST_KEPT:
                    _give_back(array)
                array = result
                continue
            if is_affine:
                # Its parameters may be others.
                namespace["_inference_plan"] = None
        if array is not None:
            input, array = plan.wrap(array), None
        input = module(input)
    return input if array is None else plan.wrap(array)
