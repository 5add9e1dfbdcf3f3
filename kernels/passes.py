"""Passes over a run of elements that LLVM does not make vectors of, or not good ones: they are written with vectors.

A pass that must not lose NaN compares more often than one that looks for NaN beside the comparisons; one that ends
where something is found stays scalar. Each pass reads whole vectors and, last, those that end where the run does: what
is read twice changes neither the extreme nor the first index.
"""

import functools

import numpy as np

from . import emit
from .memory import NumbaForm

# Bytes of a long vector: four registers of AVX-512, so that no comparison waits for the one before; and of a short one.
_LONG, _SHORT = 256, 64
# Elements of a vector that is put together from elements that lie apart.
_APART = 8
# Elements of which one word says which they are.
_WORD = 64


class _Pass(NumbaForm):
    """A pass: a function of an array, the first and last index of a run of at least one element, and more.

    Args:
        build: returns the Numba function.
        twin: the Python function that means the same.
    """

    def __init__(self, build, twin):
        super().__init__(build)
        self.twin = twin

    def __call__(self, *args):
        return self.twin(*args)


class _Run:
    """The elements of an array of which a pass is being written.

    Args:
        context, builder: Numba's.
        array: the array's Numba type.
        value: its value.
    """

    def __init__(self, context, builder, array, value):
        from llvmlite import ir
        from numba.np.arrayobj import make_array

        header = make_array(array)(context, builder, value)
        self.ir = ir
        self.builder = builder
        self.word = ir.IntType(64)
        self.kind = context.get_data_type(array.dtype)
        self.itemsize = array.dtype.bitwidth // 8
        self.floating = isinstance(self.kind, (ir.FloatType, ir.DoubleType))
        self.signed = getattr(array.dtype, "signed", True)
        self.data = builder.bitcast(header.data, ir.IntType(8).as_pointer())
        self.stride = None if array.layout == "C" else builder.extract_value(header.strides, 0)

    def lengths(self, most=_LONG):
        """Return how many elements the vectors of a pass have, the longest first."""
        if self.stride is not None:
            return _APART, 1
        return tuple(sorted({min(size // self.itemsize, most) for size in (_LONG, _SHORT)} | {1}, reverse=True))

    def load(self, index, length):
        """Write a load of this many elements."""
        builder = self.builder
        vector = self.ir.VectorType(self.kind, length)
        if self.stride is None:
            offset = builder.mul(index, self.word(self.itemsize))
            return builder.load(emit.place(builder, vector, self.data, offset), align=self.itemsize)
        value = self.ir.Constant(vector, self.ir.Undefined)
        for k in range(length):
            offset = builder.mul(builder.add(index, self.word(k)), self.stride)
            element = builder.load(emit.place(builder, self.kind, self.data, offset))
            value = builder.insert_element(value, element, self.ir.IntType(32)(k))
        return value

    def compare(self, sign, x, y):
        """Write a comparison, false where there is a NaN."""
        if self.floating:
            return self.builder.fcmp_ordered(sign, x, y)
        return (self.builder.icmp_signed if self.signed else self.builder.icmp_unsigned)(sign, x, y)

    def nans(self, x, y):
        """Write whether one of two floats is NaN."""
        return self.builder.fcmp_unordered("uno", x, y)

    def part(self, value, start, stop):
        """Write the vector of the elements [start, stop) of another."""
        places = self.ir.Constant(self.ir.VectorType(self.ir.IntType(32), stop - start), list(range(start, stop)))
        return self.builder.shuffle_vector(value, self.ir.Constant(value.type, self.ir.Undefined), places)

    def halves(self, value):
        """Write the two halves of a vector; of one element, that twice."""
        length = value.type.count
        return self.part(value, 0, max(length // 2, 1)), self.part(value, length // 2, length)

    def repeated(self, element, length):
        """Write a vector of one element."""
        nothing = self.ir.Constant(self.ir.VectorType(self.kind, length), self.ir.Undefined)
        value = self.builder.insert_element(nothing, element, self.ir.IntType(32)(0))
        places = self.ir.Constant(self.ir.VectorType(self.ir.IntType(32), length), [0] * length)
        return self.builder.shuffle_vector(value, nothing, places)

    def bits(self, truths):
        """Write the integer that has a vector of truth values as its bits."""
        return self.builder.bitcast(truths, self.ir.IntType(truths.type.count))

    def of_any_length(self, start, stop, lengths, write):
        """Write ``write(length)`` for each length of vectors, and that the longest one that fits is taken."""
        builder = self.builder
        end = builder.append_basic_block("passed")
        results = []

        def write_one(length):
            results.append((write(length), builder.basic_block))
            builder.branch(end)

        elements = builder.sub(stop, start)
        for length in lengths[:-1]:
            with builder.if_then(builder.icmp_unsigned(">=", elements, self.word(length))):
                write_one(length)
        write_one(lengths[-1])
        builder.position_at_end(end)
        result = builder.phi(results[0][0].type)
        for value, block in results:
            result.add_incoming(value, block)
        return result


def _write_extreme(run, start, stop, length, sign):
    from numba.core import cgutils

    builder, ir = run.builder, run.ir

    def better(x, y):
        return builder.select(run.compare(sign, x, y), x, y)

    first = run.load(start, length)
    best = cgutils.alloca_once_value(builder, first)
    lost = cgutils.alloca_once_value(builder, run.nans(*run.halves(first))) if run.floating else None

    def look_at(index):
        value = run.load(index, length)
        # Written so, it is one instruction of x86, which yields the second where one is NaN.
        builder.store(better(value, builder.load(best)), best)
        if run.floating:
            builder.store(builder.or_(builder.load(lost), run.nans(*run.halves(value))), lost)

    before = builder.sub(builder.sub(stop, start), run.word(1))
    with emit.counting(builder, builder.udiv(before, run.word(length))) as k:
        look_at(builder.add(start, builder.mul(k, run.word(length))))
    look_at(builder.sub(stop, run.word(length)))
    result = builder.load(best)
    while result.type.count > 1:
        result = better(*run.halves(result))
    result = builder.extract_element(result, ir.IntType(32)(0))
    if not run.floating:
        return result
    found = run.bits(builder.load(lost))
    return builder.select(builder.icmp_unsigned("!=", found, found.type(0)), ir.Constant(run.kind, np.nan), result)


def _build_extreme(sign):
    from numba.extending import intrinsic

    @intrinsic
    def extreme(context, x, start, stop):
        def codegen(context, builder, signature, args):
            run = _Run(context, builder, x, args[0])

            def write(length):
                return _write_extreme(run, *args[1:], length, sign)

            return run.of_any_length(*args[1:], run.lengths(), write)

        return x.dtype(x, start, stop), codegen

    return extreme


def _write_first(run, start, stop, length, test):
    builder = run.builder
    last = builder.sub(stop, run.word(length))
    entry = builder.basic_block
    header, following, end = (builder.append_basic_block(name) for name in ("look", "following", "found"))
    builder.branch(header)
    builder.position_at_end(header)
    index = builder.phi(run.word)
    index.add_incoming(start, entry)
    here = emit.smaller(builder, index, last)
    found = run.bits(test(run.load(here, length)))
    builder.cbranch(builder.icmp_unsigned("!=", found, found.type(0)), end, following)
    builder.position_at_end(following)
    index.add_incoming(builder.add(index, run.word(length)), following)
    builder.branch(header)
    builder.position_at_end(end)
    place = builder.cttz(found, run.ir.IntType(1)(1))
    return builder.add(here, place if length == _WORD else builder.zext(place, run.word))


def _build_first():
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    @intrinsic
    def first(context, x, start, stop, value):
        def codegen(context, builder, signature, args):
            run = _Run(context, builder, x, args[0])
            _, start, stop, value = args
            result = cgutils.alloca_once(builder, run.word)

            def write(test):
                builder.store(run.of_any_length(start, stop, run.lengths(_WORD), test), result)

            def by_value(length):
                values = run.repeated(value, length)
                return _write_first(run, start, stop, length, lambda vector: run.compare("==", vector, values))

            def by_nan(length):
                return _write_first(run, start, stop, length, lambda vector: run.nans(vector, vector))

            if run.floating:
                with builder.if_else(run.nans(value, value)) as (nan, number):
                    with nan:
                        write(by_nan)
                    with number:
                        write(by_value)
            else:
                write(by_value)
            return builder.load(result)

        return types.uintp(x, start, stop, x.dtype), codegen

    return first


def _first(x, start, stop, value):
    return next(i for i in range(start, stop) if x[i] == value or x[i] != x[i])


# ``highest(x, start, stop)`` of x[start:stop]: NaN if there is one; of zeros of both signs, either.
highest = _Pass(functools.partial(_build_extreme, ">"), lambda x, start, stop: x[start:stop].max())
lowest = _Pass(functools.partial(_build_extreme, "<"), lambda x, start, stop: x[start:stop].min())
# ``first_of(x, start, stop, value)``: the first index in x[start:stop] that holds the value or NaN; one does.
first_of = _Pass(_build_first, _first)
