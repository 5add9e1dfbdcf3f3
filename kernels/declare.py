"""How a kernel is written down.

``@elementwise`` takes a formula of numbers; the loop around it comes from ``element_loop``::

    @elementwise
    def softplus(x, beta: float, threshold: float):
        scaled = beta * x
        return x if scaled > threshold else log1p(exp(scaled)) / beta

A parameter without annotation is an element of the working dtype; ``float`` is one number of the working dtype for
the whole call; a string or ``bool`` is an element of that dtype. ``@gufunc`` takes a core loop over arrays.
Nothing compiles here: a kernel's ufunc for a dtype is made when it is first asked for.
"""

import functools

import numpy as np

from . import builtin, calls, moves, store, unlike
from .scalar import ScalarFunction

REGISTRY = {}
"""Every declared kernel by name, such as ``forward.exponential.exp``: what ``numtensor warmup`` walks."""

WORKING = "T"
"""Stands for the working dtype in a kernel's types."""

CARRIERS = {kind.itemsize: kind for kind in map(np.dtype, (np.int8, np.int16, np.int32, np.int64))}
"""By item size, the dtype for which a kernel is compiled that only moves elements."""


class KernelTable(dict):
    """The ufuncs of one kernel by working dtype, each made when it is first asked for."""

    __slots__ = ("make",)

    def __init__(self, make):
        self.make = make

    def __missing__(self, dtype):
        made = self[dtype] = self.make(np.dtype(dtype))
        return made


class Kernel:
    """What both kinds of kernel have: a name, and one ufunc per working dtype in ``loops``."""

    def __init__(self, function, fastmath=False):
        functools.update_wrapper(self, function)
        self.function = function
        self.name = f"{function.__module__.removeprefix(__package__ + '.')}.{function.__name__}"
        self.formula = ScalarFunction(function)
        self.formula.fastmath = fastmath
        self.loops = KernelTable(self._make)
        if self.name in REGISTRY:
            raise ValueError(f"two kernels are named {self.name}")
        REGISTRY[self.name] = self

    def __call__(self, *args):
        """Run the formula as Python: how a kernel is debugged."""
        return self.function(*args)

    def __repr__(self):
        return f"<{type(self).__name__} kernel {self.name}>"

    def assembly(self, dtype):
        """Return the assembly of the kernel's loop for a working dtype: look before you believe that it vectorised.

        Args:
            dtype: name of the working dtype.
        """
        return self._compile("loop", np.dtype(dtype), assembly=True)

    def _find(self, variant, dtype, compile_loop):
        """Return the address of a loop, compiled by ``compile_loop(symbol)`` unless it is in the store."""
        key = store.entry_key(self.function, type(self).__name__, variant, dtype.name)
        return store.load(f"{self.name}{variant}-{dtype.name}", key, compile_loop)

    def _make_ufunc(self, address, variant, dtype, inputs, outputs, signature=None, data=None):
        from . import ufunc

        return ufunc.make_ufunc(address, f"{self.name}{variant}-{dtype.name}", inputs, outputs, signature, data)


def _types(names, dtype):
    return [dtype.name if name == WORKING else name for name in names]


class Elementwise(Kernel):
    """A formula of numbers, applied to every element.

    Attributes:
        parameters: names of the formula's parameters: first the arrays, then the scalars.
        array_types, scalar_types, result_types: dtype names, ``"T"`` for the working dtype.
        light: whether the formula has no elementary function, so that memory is what its loop waits for.
        calls: the same as functions without keywords, quicker for few elements; see `calls.make_call`.
        uniform: (position of a parameter, values): where that operand is one of these numbers for all elements, the
            loop is compiled for it; None if there is no such parameter.
        limit: (position of a parameter, magnitude): blocks in which that operand is nowhere above it have a loop
            compiled for it; None if there is no such parameter. No result depends on the loop taken.
        repeated: names of the parameters that are one number per row in the gufuncs of `rows`.
        rows: the gufuncs ``(),(n),...->(n)`` by working dtype, None if not declared. Broadcast over a row of some
            hundred elements, numbers would be copied, element by element: that is what NumPy's iterator does with
            operands that do not have one stride throughout. Of a row that is broadcast, each use is a call of the loop.
        rows_builtins: the same as builtin functions, which are given the result; see `builtin.make_builtin`.
    """

    def __init__(self, function, results, uniform, limit, repeated):
        super().__init__(function)
        self.repeated = repeated
        self.rows = None if repeated is None else KernelTable(self._make_rows)
        self.rows_builtins = None if repeated is None else KernelTable(self._make_rows_builtin)
        self.result_types = (results,) if isinstance(results, str) else tuple(results)
        self.parameters = function.__code__.co_varnames[: function.__code__.co_argcount]
        # Formulas of elementary functions keep the processor busy; others wait for memory.
        self.light = "elementary" not in function.__code__.co_names
        self.array_types, self.scalar_types = [], []
        for name in self.parameters:
            annotation = function.__annotations__.get(name, WORKING)
            if annotation in (float, "float"):
                self.scalar_types.append(WORKING)
            elif self.scalar_types:
                raise TypeError(f"kernel {self.name}: array parameter {name!r} after a scalar one")
            else:
                self.array_types.append(annotation if isinstance(annotation, str) else annotation.__name__)
        self.uniform = None if uniform is None else (self.parameters.index(uniform[0]), uniform[1])
        self.limit = None if limit is None else (self.parameters.index(limit[0]), limit[1])
        self._variants, self._made = {}, {}
        self.calls = KernelTable(functools.partial(self._make_call, None, None))

    def _make(self, dtype):
        return self._make_variant(None, None, dtype)[1]

    def variant(self, kept, chosen):
        """Return the table of a variant that computes only some results from only some operands.

        Args:
            kept: names of the parameters that are passed; the chosen results do not depend on the others.
            chosen: positions of the results that are wanted.

        Returns:
            A `KernelTable` like ``calls``, of functions that take the kept operands in the order of ``parameters``.
        """
        key = (tuple(self.parameters.index(name) for name in kept), tuple(chosen))
        found = self._variants.get(key)
        if found is None:
            key = (tuple(sorted(key[0])), key[1])
            found = self._variants[key] = KernelTable(functools.partial(self._make_call, *key))
        return found

    def _rows_loop(self, dtype):
        """Return (address of the loop, dtypes of its inputs, of its results, its signature)."""
        types = _types(self.array_types + self.scalar_types, dtype)
        numbers = {*map(self.parameters.index, self.repeated), *range(len(self.array_types), len(types))}
        address = self._find("[rows]", dtype, functools.partial(self._compile, dtype=dtype, numbers=numbers))
        cores = ",".join("()" if position in numbers else "(n)" for position in range(len(types)))
        results = _types(self.result_types, dtype)
        return address, types, results, f"{cores}->(n)"

    def _make_rows(self, dtype):
        address, types, results, signature = self._rows_loop(dtype)
        return self._make_ufunc(address, "[rows]", dtype, types, results, signature, moves.table(rows=True))

    def _make_rows_builtin(self, dtype):
        address, types, results, signature = self._rows_loop(dtype)
        return builtin.make_builtin(address, self.name, types, results, signature, data=moves.table(rows=True))

    def _compile(self, symbol, dtype, kept=None, chosen=None, numbers=None, assembly=False):
        from . import compiler
        from .element_loop import ElementLoop

        types = _types(self.array_types + self.scalar_types, dtype)
        loop = ElementLoop(
            self.formula,
            types,
            _types(self.result_types, dtype),
            range(len(types)) if kept is None else kept,
            range(len(self.result_types)) if chosen is None else chosen,
            range(len(self.array_types), len(types)) if numbers is None else numbers,
            uniform=self.uniform,
            limit=self.limit,
        )
        return compiler.compile_elements(symbol, loop, dtype.name, assembly)

    def _make_variant(self, kept, chosen, dtype):
        """Return (address of the loop, ufunc, dtypes of its inputs, of its outputs, what makes the ufunc)."""
        found = self._made.get((kept, chosen, dtype))
        if found is None:
            types = _types(self.array_types + self.scalar_types, dtype)
            results = _types(self.result_types, dtype)
            inputs = types if kept is None else [types[position] for position in kept]
            outputs = results if chosen is None else [results[index] for index in chosen]
            compile_loop = functools.partial(self._compile, dtype=dtype, kept=kept, chosen=chosen)
            variant = "" if kept is None else f"[{','.join(map(str, kept))}-{','.join(map(str, chosen))}]"
            address = self._find(variant, dtype, compile_loop)
            make = functools.partial(self._make_ufunc, address, variant, dtype, inputs, outputs)
            found = self._made[kept, chosen, dtype] = (address, make(data=moves.table()), inputs, outputs, make)
        return found

    def _make_call(self, kept, chosen, dtype):
        address, ufunc, inputs, outputs, make = self._make_variant(kept, chosen, dtype)
        walked = len(inputs) - len(self.scalar_types)
        cores = ["(n)"] * walked + ["()"] * (len(inputs) - walked)
        signature = f"{','.join(cores)}->{','.join(['(n)'] * len(outputs))}"
        make_rows = functools.partial(make, signature, moves.table(rows=True))
        otherwise = unlike.make_call(ufunc, walked, make_rows)
        return calls.make_call(address, ufunc, otherwise, inputs, outputs, moves.table())


class GUfunc(Kernel):
    """A core loop over arrays, applied along NumPy's outer dimensions.

    Attributes:
        signature: of the core dimensions, such as ``(n),()->(n)``.
        input_types, output_types: dtype names, ``"T"`` for the working dtype.
        contiguous: whether core arrays are C-contiguous in every call, so that no other core loop is compiled.
        moves: whether elements of the working dtype are only moved: one compiled loop then serves all dtypes of a
            size.
    """

    def __init__(self, function, signature, types, fastmath, contiguous, moves):
        super().__init__(function, fastmath)
        self.contiguous = contiguous
        self.moves = moves
        self.signature = signature.replace(" ", "")
        inputs, outputs = types.replace(" ", "").split("->")
        self.input_types = inputs.split(",")
        self.output_types = outputs.split(",")
        self._addresses = KernelTable(self._find_loop)
        self._builtins = {}
        self._plain = KernelTable(self.builtin)

    def run(self, dtype, *operands):
        """Run the loop on arrays for all operands, those of the results too: without the ufunc if they lie in order.

        Args:
            dtype: the working dtype.
            operands: the inputs, of the kernel's dtypes, then the results, memory of their own.
        """
        if not self._plain[dtype](*operands):
            self.loops[dtype](*operands)

    def _compile(self, symbol, dtype, assembly=False):
        from . import compiler, loops

        inputs, outputs = _types(self.input_types, dtype), _types(self.output_types, dtype)
        floating = any(np.dtype(kind).kind == "f" for kind in inputs + outputs)
        text, namespace = loops.gufunc_loop(
            symbol, self.formula, self.signature, inputs, outputs, floating, self.contiguous
        )
        return compiler.compile_loop(symbol, text, namespace, dtype.name, assembly)

    def _find_loop(self, dtype):
        return self._find("", dtype, functools.partial(self._compile, dtype=dtype))

    def _make(self, dtype):
        inputs, outputs = _types(self.input_types, dtype), _types(self.output_types, dtype)
        address = self._addresses[CARRIERS[dtype.itemsize] if self.moves else dtype]
        return self._make_ufunc(address, "", dtype, inputs, outputs, self.signature)

    def builtin(self, dtype, view=builtin.AS_IS, unwanted=()):
        """Return the builtin function that calls the loop on arrays in order; see `builtin.make_builtin`.

        Args:
            dtype: the working dtype; bool is the loop of uint8, which is what bools are in memory.
            view: how the first operand is seen.
            unwanted: positions of results without core dimensions that are not kept.
        """
        dtype = np.dtype(dtype)
        key = (dtype, view, unwanted)
        found = self._builtins.get(key)
        if found is None:
            carrier = CARRIERS[dtype.itemsize] if self.moves else np.dtype(np.uint8) if dtype.kind == "b" else dtype
            loop = self._addresses[carrier]
            inputs, outputs = _types(self.input_types, dtype), _types(self.output_types, dtype)
            found = builtin.make_builtin(loop, self.name, inputs, outputs, self.signature, view, unwanted)
            self._builtins[key] = found
        return found


def elementwise(function=None, *, results=WORKING, uniform=None, limit=None, repeated=None):
    """Declare a kernel by its formula of numbers.

    Args:
        function: the formula. It returns one number, or a tuple of as many as `results` has types.
        results: dtype name of the result, ``"T"`` for the working dtype; a tuple for several results.
        uniform: (name of an array parameter, values) for which the formula is much simpler: where that operand is
            one such number for all elements, a loop is taken in which it is a constant.
        limit: (name of an array parameter, magnitude) up to which the formula is much simpler, which it finds out by
            `intrinsics.within`: where that operand is nowhere above it in a block, a loop is taken that knows so.
        repeated: names of array parameters that are often one number per row, to have `Elementwise.rows`; none, ``()``,
            for a kernel that is often given a row for all rows.

    Returns:
        An `Elementwise` kernel.
    """
    if function is None:
        return functools.partial(elementwise, results=results, uniform=uniform, limit=limit, repeated=repeated)
    return Elementwise(function, results, uniform, limit, repeated)


def gufunc(signature, types, *, fastmath=False, contiguous=False, moves=False):
    """Declare a kernel by a core loop over arrays.

    Args:
        signature: of the core dimensions, such as ``(n),()->(n)``. The function's parameters are the inputs, then
            the outputs. An input without core dimensions is a number, an output without is an array of one element.
        types: dtype names of inputs and outputs, such as ``T,int64->T``.
        fastmath: LLVM flags; only a function that sums one block may have ``options.REASSOCIATE``.
        contiguous: whether every caller passes C-contiguous core arrays: the loop for others is left out, which is
            half of the work of compiling. Called with others, it leaves the results as they are.
        moves: whether elements of the working dtype are only moved (or zero is put in their place): the loop is then
            compiled once for all dtypes of a size.

    Returns:
        A decorator that makes a `GUfunc` kernel.
    """

    def declare(function):
        return GUfunc(function, signature, types, fastmath, contiguous, moves)

    return declare
