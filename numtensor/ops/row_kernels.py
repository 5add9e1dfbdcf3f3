"""Row-wise kernels as ops call them: builtin functions on arrays that lie in order, gufuncs on all others."""

import numpy as np

from ..kernels import boxed_loops
from ..kernels.declare import KernelTable
from ..threads.division import call as divide
from ..threads.limits import process


class RowKernel:
    """A gufunc whose first result has the shape and dtype of its first operand, and is all that is wanted.

    Args:
        kernel: the `GUfunc`.

    Attributes:
        builtins: its builtin functions by floating dtype, each made when it is first asked for.
    """

    __slots__ = ("_table", "builtins", "kernel")

    def __init__(self, kernel):
        unwanted = tuple(range(1, len(kernel.output_types)))
        self.kernel = kernel
        self._table = boxed_loops.LoopTable()

        def make(dtype):
            made = kernel.builtin(dtype, unwanted=unwanted)
            self._table.enter(dtype, boxed_loops.LAST, made)
            return made

        self.builtins = KernelTable(make)

    def on_tensors(self, op, layout):
        """Make the builtin function that an op is on small tensors: of (input, dim[, dtype])."""
        return boxed_loops.make_call(
            op.name,
            layout,
            op.records(),
            self._table,
            len(op.parameters),
            keepdim=0,
            large=process.large,
            full=0,
            wanted=(0,),
            collect=None,
        )

    def run(self, *operands):
        """Return the result for arrays of rows, their last dimension."""
        first = operands[0]
        dtype = first.dtype
        if process.asks and first.nbytes >= process.large:
            results = divide(self.kernel.loops[dtype], *operands)
        else:
            out = np.empty(first.shape, dtype)
            if self.builtins[dtype](*operands, out):
                return out
            results = self.kernel.loops[dtype](*operands)
        return results[0] if type(results) is tuple else results

    def first(self, rule):
        """Make a forward rule of one that knows all cases: rows that lie in order are done here.

        Args:
            rule: a function of an array, a dimension, and perhaps a dtype, to which the array was converted before.
        """
        find = self.builtins.get
        empty = np.empty
        of_dtype = rule.__code__.co_argcount == 3

        # No starred parameter: Python calls a function that has one 40 ns later.
        def forward(input, dim, dtype=None):
            kind = input.dtype
            run = find(kind)
            if run is not None and type(dim) is int and (dim == input.ndim - 1 or dim == -1):
                out = empty(input.shape, kind)
                if run(input, out):
                    return out
            return rule(input, dim, dtype) if of_dtype else rule(input, dim)

        return forward
