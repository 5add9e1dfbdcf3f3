"""The pairs of kernels that reductions choose from, and what their rules share."""

import inspect

import numpy as np

from .. import dtypes
from ..kernels import boxed_loops
from ..kernels.builtin import ANY_ORDER, FLAT, refuse
from ..kernels.declare import WORKING, KernelTable
from ..modes import current
from ..tensor import from_array
from ..threads.division import Deferred
from ..threads.limits import process


class Loops(dict):
    """(rows, columns) ufuncs by NumPy dtype, made when first asked for; the one for columns when first called.

    That one takes longest to compile of all kernels, and many programs never reduce but the last dimension.

    Args:
        floating: names of the kernels for floating dtypes.
        integral: names of the kernels for integral dtypes and, as uint8, for bool; None if there are none.
        ordered: whether the order of the elements matters (positions in it are results).
        unwanted: positions of results that nobody asks for.
        combine: what makes the result of those of blocks, one of ``reduce_blocks.py``; None if nothing there does.

    Attributes:
        builtins: by NumPy dtype, `Builtins` for arrays whose elements lie in order.
    """

    def __init__(self, floating, integral=None, ordered=False, unwanted=(), combine=None):
        self.floating = floating
        self.integral = integral
        self.ordered = ordered
        self.unwanted = unwanted
        self.combine = combine
        self.builtins = KernelTable(self._make_builtins)
        self._table = boxed_loops.LoopTable()
        process.listeners.append(self.builtins.clear)

    def kernels(self, dtype):
        """Return the kernels, (rows, columns), for a dtype."""
        return self.floating if dtype.kind == "f" else self.integral

    def __missing__(self, dtype):
        rows, columns = self.kernels(dtype)
        if dtype.kind == "b":
            dtype = np.dtype(np.uint8)
        deferred = None if columns is None else Deferred(columns.loops, dtype)
        made = self[dtype] = (rows.loops[dtype], deferred)
        return made

    def _make_builtins(self, dtype):
        rows, columns = self.kernels(dtype)
        return Builtins(rows, columns, dtype, FLAT if self.ordered else ANY_ORDER, self.unwanted, self._table)

    def on_tensors(self, op, layout):
        """Make the builtin function that an op is on small tensors: of (input, dim[, keepdim][, dtype])."""
        full = {inspect.Parameter.empty: 0, None: 1, (): 2}[op.signature.parameters["dim"].default]
        several = op.results > 1
        return boxed_loops.make_call(
            op.name,
            layout,
            op.records(),
            self._table,
            len(op.parameters),
            keepdim=op.parameters.index("keepdim") if "keepdim" in op.parameters else 0,
            large=process.blocks,
            full=full,
            wanted=[position for position in range(2) if position not in self.unwanted],
            collect=op.collect if several else None,
        )


# Of `Builtins.along`: the last dimension, whichever its number.
LAST = -1


class Builtins:
    """Builtin functions that reduce arrays of one dtype whose elements lie in order; see ``kernels/builtin.py``.

    Attributes:
        large: bytes of an array from which on it is not theirs, but ``reduce_blocks.py``'s.
        flat: all elements.
        along: by dimension, over that one: made when first asked for.
        result: dtype of the result; None if two are wanted.
        kinds: dtypes of the results that are wanted.
    """

    __slots__ = ("along", "flat", "kinds", "large", "positions", "result")

    def __init__(self, rows, columns, dtype, flat, unwanted, table):
        self.large = process.blocks
        self.flat = rows.builtin(dtype, flat, unwanted)
        self.along = Along(columns, dtype, unwanted, table)
        self.along[LAST] = rows.builtin(dtype, unwanted=unwanted)
        table.enter(dtype, boxed_loops.ALL, self.flat)
        table.enter(dtype, boxed_loops.LAST, self.along[LAST])
        kinds = result_dtypes(rows, dtype)
        self.positions = [position for position in range(len(kinds)) if position not in unwanted]
        self.kinds = [kinds[position] for position in self.positions]
        self.result = self.kinds[0] if len(self.kinds) == 1 else None

    def choose(self, results):
        """Return the wanted ones of a ufunc's results, in their dtypes: those of bools are bools, computed as uint8."""
        results = results if type(results) is tuple else (results,)
        wanted = zip(self.positions, self.kinds, strict=True)
        chosen = tuple([np.asarray(results[position]).view(kind) for position, kind in wanted])
        return chosen if self.result is None else chosen[0]


def result_dtypes(kernel, dtype):
    """Return the dtypes of a kernel's results for arrays of one dtype."""
    return [dtype if name == WORKING else np.dtype(name) for name in kernel.output_types]


class Along(dict):
    """A kernel's builtin functions by the dimension that it reduces."""

    def __init__(self, kernel, dtype, unwanted, table):
        self.kernel = kernel
        self.dtype = dtype
        self.unwanted = unwanted
        self.table = table

    def __missing__(self, axis):
        made = refuse
        if self.kernel is not None:
            made = self.kernel.builtin(self.dtype, axis)
            self.table.enter(self.dtype, boxed_loops.EARLIER, made)
            for position in self.unwanted:
                place = len(self.kernel.input_types) + position
                made = _with_scratch(made, place, result_dtypes(self.kernel, self.dtype)[position])
        self[axis] = made
        return made


def _with_scratch(run, place, kind):
    """Return `run` with memory for a result that nobody wants put in at this place."""

    def run_with_scratch(*operands):
        return run(*operands[:place], np.empty(operands[-1].shape, kind), *operands[place:])

    return run_with_scratch


def as_numbers(array):
    """Return bools as the uint8 that they are in memory."""
    return array.view(np.uint8) if array.dtype.kind == "b" else array


def to_result(op, result, dtype):
    """Convert the int64 result of an integral reduction to the dtype that was asked for."""
    return result if dtype is None else np.asarray(result).astype(dtypes.as_dtype(dtype, op).numpy)


def quotient(x, y):
    """Return x / y, and 0 where y is 0, as a differentiable expression."""
    zero = y._array == 0
    if not zero.any():
        return x / y
    where = current.mode.where
    nothing = from_array(np.zeros((), y._array.dtype))
    mask = from_array(np.asarray(zero))
    return where(mask, nothing, x / where(mask, from_array(np.ones((), y._array.dtype)), y))
