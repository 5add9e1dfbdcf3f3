"""How a sample of the test table becomes a call: data is drawn, laid out in memory, and wrapped in tensors."""

import zlib
from dataclasses import dataclass

import numpy as np

from numtensor import random
from numtensor.dtypes import dtype as Dtype
from numtensor.ops.declaration import OPS
from numtensor.tensor import Tensor, from_array

from .op_table import T

# Ops that only overwrite their tensor are no functions: tests/test_overwrite.py has their cases.
BY_PUBLIC_NAME = {op.public_name: op for op in OPS.values() if op.kind != "overwrite"}


@dataclass
class Operand:
    """A tensor argument: its specification, its values, and whether gradients reach it."""

    spec: T
    array: np.ndarray
    differentiable: bool


def walk(value, leaf):
    """Return `value` with `leaf` of each `T`, `Operand` or `Tensor` in it, sequences and dicts included."""
    if isinstance(value, (T, Operand, Tensor)):
        return leaf(value)
    if type(value) in (list, tuple):
        return type(value)(walk(v, leaf) for v in value)
    if type(value) is dict:
        return {k: walk(v, leaf) for k, v in value.items()}
    return value


def leaves(value):
    """Return every `T`, `Operand` or `Tensor` in `value`, in order."""
    found = []
    walk(value, found.append)
    return found


def draw(spec, dtype, domain, rng):
    """Draw the values of a `T`: uniform in the domain, integers with both ends, bools freely."""
    dtype = np.dtype(spec.dtype or dtype)
    if spec.values is not None:
        return np.array(spec.values, dtype)
    low, high = spec.domain or domain
    if dtype.kind == "b":
        return np.asarray(rng.integers(0, 2, spec.shape).astype(bool))
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        low, high = max(int(np.ceil(low)), int(info.min)), min(int(np.floor(high)), int(info.max))
        return np.asarray(rng.integers(min(low, high), high, spec.shape, endpoint=True).astype(dtype))
    return np.asarray(rng.uniform(low, high, spec.shape).astype(dtype))


def parameter_of(op, args, kwargs):
    """Return which parameter of the op each tensor argument is given for, in the order of `leaves`."""
    names = []
    for position, value in enumerate(args):
        name = op.parameters[position] if position < len(op.parameters) else None
        names += [name] * len(leaves(value))
    for name, value in kwargs.items():
        names += [name] * len(leaves(value))
    return names


def gets_gradient(op, spec, name, dtype):
    """Whether gradients with respect to this argument are checked."""
    kind = np.dtype(spec.dtype or dtype).kind
    # A composite op declares nothing: whatever is floating may get a gradient.
    return spec.grad and kind == "f" and (op.kind == "composite" or name in op.differentiable)


class Call:
    """One call of an op: arguments with an `Operand` for each tensor.

    Args:
        op: the declaration.
        row: of the table.
        sample: its `S`.
        dtype: name of the working dtype.
    """

    def __init__(self, op, row, sample, dtype):
        self.op, self.row, self.sample, self.dtype = op, row, sample, dtype
        rng = np.random.default_rng(zlib.crc32(f"{row.name}{sample!r}".encode()))
        names = iter(parameter_of(op, sample.args, sample.kwargs))

        def operand(spec):
            array = draw(spec, dtype, row.domain, rng)
            return Operand(spec, array, gets_gradient(op, spec, next(names), dtype))

        self.args = walk(tuple(sample.args), operand)
        self.kwargs = walk(dict(sample.kwargs), operand)

    @property
    def operands(self):
        """The tensor arguments, in order."""
        return leaves((self.args, self.kwargs))

    @property
    def differentiable(self):
        """The tensor arguments whose gradients are checked."""
        return [operand for operand in self.operands if operand.differentiable]

    def tensors(self, make):
        """Return (args, kwargs) with ``make(operand)`` for each operand, made once each and in order."""
        made = iter([make(operand) for operand in self.operands])
        return walk((self.args, self.kwargs), lambda operand: next(made))

    def arrays(self, widen=True):
        """Return (args, kwargs) for the reference: floating arrays as float64, our dtypes as NumPy's."""

        def plain(operand):
            array = operand.array
            return array.astype(np.float64) if widen and array.dtype.kind == "f" else array.copy()

        args, kwargs = walk((self.args, self.kwargs), plain)
        return [_numpy_dtype(a) for a in args], {k: _numpy_dtype(v) for k, v in kwargs.items()}

    def run(self, make=None, function=None):
        """Call the op (or another form of it) on tensors made by `make`; random ops draw the same each time."""
        args, kwargs = self.tensors(make or plain)
        return self.call(args, kwargs, function)

    def call(self, args, kwargs, function=None):
        """Call the op (or another form of it) on ready arguments; random ops draw the same each time."""
        if self.row.check is not None:
            random.manual_seed(0)
        return (function or self.op.public)(*args, **kwargs)

    def function_of(self):
        """Return (function, tensors): the call as a function of its differentiable arguments, and those."""
        args, kwargs = self.tensors(lambda operand: operand)
        variables = [requiring(operand) for operand in self.differentiable]
        rest = {id(operand): plain(operand) for operand in self.operands if not operand.differentiable}

        def function(*tensors):
            given = iter(tensors)
            filled = walk((args, kwargs), lambda o: next(given) if o.differentiable else rest[id(o)])
            return tuple(t for t in flatten(self.call(*filled)) if isinstance(t, Tensor))

        return function, variables


def _numpy_dtype(value):
    return value.numpy if isinstance(value, Dtype) else value


def flatten(result):
    """Return the tensors (or plain values) of a result, however nested, in order."""
    if isinstance(result, (tuple, list)) and not _is_plain(result):
        return [one for part in result for one in flatten(part)]
    return [result]


def _is_plain(result):
    """Whether a sequence is a value by itself: a shape, a list of numbers."""
    return bool(result) and all(isinstance(v, (int, float, str)) for v in result)


# ---------------------------------------------------------------------------------------------------------------------
# Tensors of operands


def plain(operand):
    """Return a tensor with its own copy of the values, contiguous."""
    return from_array(operand.array.copy())


def requiring(operand):
    """Return the same as a leaf that requires grad, if gradients reach it."""
    tensor = plain(operand)
    return tensor.requires_grad_() if operand.differentiable else tensor


def transposed(array):
    """Return the values in reversed memory order."""
    return array.T.copy().T


def strided(array):
    """Return the values as every second element of each dimension of a larger array."""
    if array.ndim == 0:
        return np.array([array, array])[1:].reshape(())
    space = np.zeros([2 * n + 1 for n in array.shape], array.dtype)
    part = space[tuple(slice(1, 2 * n + 1, 2) for n in array.shape)]
    part[...] = array
    return part


def offset(array):
    """Return the values inside a longer memory, not at its beginning."""
    space = np.zeros(array.size + 3, array.dtype)
    part = space[3:].reshape(array.shape)
    part[...] = array
    return part


def read_only(array):
    """Return the values on memory that must not be written."""
    array = array.copy()
    array.flags.writeable = False
    return array


LAYOUTS = {"transposed": transposed, "strided": strided, "offset": offset, "read_only": read_only}


def expanded(array):
    """Return the first row repeated without memory of its own: stride 0."""
    if array.ndim == 0 or array.shape[0] == 0:
        return array.copy()
    return np.broadcast_to(array[:1].copy(), array.shape)
