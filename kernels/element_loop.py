"""The loop around a formula of numbers, written in LLVM's language: one loop that vectorises, whatever the layout.

The formula stands in it once. Operands whose elements lie one after the other are read and written where they are. Of
the others a block of elements at a time is gathered into a buffer on the stack, which the first cache holds; results
that do not lie so are scattered from one; a number that is broadcast is a buffer filled once. So every layout has the
vector loop's speed and exactly its bits, and there is one loop to compile, not one for each combination of strides.

A formula that is much simpler for moderate numbers has two such loops: every block is looked at, and where it has no
large number the loop is one compiled for moderate ones.

Results larger than their share of the last cache leave through such a buffer, too: written past the caches, they need
not be read from memory before they are overwritten.
"""

import dataclasses

from . import emit, intrinsics, memory, moves

BLOCK = 256
"""Elements of a buffer: 2 KB at most, and a multiple of every vector and cache line."""

WATCHED = 1024
"""Elements that are compared with a limit at a time: few enough to be in the first cache when they are read again."""


@dataclasses.dataclass(frozen=True)
class ElementLoop:
    """A ufunc inner loop to be compiled.

    Attributes:
        formula: the kernel's formula, a scalar function.
        types: dtype names of the formula's parameters.
        results: dtype names of what it returns.
        kept: positions of the parameters that are operands; the others are zero, no chosen result depends on them.
        chosen: positions of the results that are outputs.
        numbers: positions of the parameters that are one number for the whole loop, or row.
        uniform: (position of a parameter, values): where that operand is one of these numbers for all elements, a
            loop is taken in which it is a constant; or None.
        limit: (position of a parameter, magnitude): for blocks in which that operand is nowhere above it, a loop is
            taken that is compiled for it; or None.
        light: whether the formula is so short that memory, not arithmetic, is what the loop waits for.
    """

    formula: object
    types: tuple
    results: tuple
    kept: tuple
    chosen: tuple
    numbers: frozenset
    uniform: tuple | None = None
    limit: tuple | None = None
    light: bool = False


class _Operand:
    """One operand of the loop that is being written.

    Attributes:
        kind: its dtype's name.
        base, row_stride: where its rows are.
        address, stride: where the elements of a row are.
        number: its value, if it is one number for the loop; then it has no buffer.
        buffer: where blocks of its elements are gathered, or computed.
        buffered: whether they are.
        repeated: whether the buffer holds one number, again and again.
        gathered, scattered: whether each block is copied from, or to, elements that lie otherwise.
    """

    def __init__(self, kind, position=None):
        self.kind = kind
        self.itemsize = memory.ITEMSIZE[kind]
        self.position = position


class LoopWriter:
    """Writes an `ElementLoop` as a function ``void(char **args, intp *dims, intp *steps, void *data)``.

    It is the inner loop of a ufunc, and of a gufunc ``(),(n),...->(n)`` in which the numbers have no core dimension:
    `data`, an address from `moves.table`, says which.

    Args:
        loop: the `ElementLoop`.
        module: an ``llvmlite.ir.Module``.
        call: ``call(builder, values)`` writes a call of the formula and returns its results, in their declared types.
    """

    def __init__(self, loop, module, call):
        from llvmlite import ir

        self.ir = ir
        self.loop = loop
        self.module = module
        self.call = call
        self.word = ir.IntType(64)
        self.pointer = ir.IntType(8).as_pointer()
        self.inputs = [_Operand(loop.types[position], position) for position in loop.kept]
        self.outputs = [_Operand(loop.results[index]) for index in loop.chosen]
        self.walked = [operand for operand in self.inputs if operand.position not in loop.numbers]

    def write(self, name):
        """Write the function under this name."""
        ir, word = self.ir, self.word
        words = word.as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [self.pointer.as_pointer(), words, words, self.pointer])
        function = ir.Function(self.module, kind, name)
        builder = self.builder = ir.IRBuilder(function.append_basic_block("entry"))
        args, dims, steps, data = function.args
        operands = [*self.inputs, *self.outputs]
        for operand in (*self.walked, *self.outputs):
            buffer = builder.alloca(ir.ArrayType(ir.IntType(8), BLOCK * operand.itemsize))
            buffer.align = moves.LINE
            operand.buffer = builder.bitcast(buffer, self.pointer)
        table = builder.bitcast(data, words)
        self.limit, move, rows = (self._item(table, index) for index in range(3))
        self.move = builder.inttoptr(move, moves.types().as_pointer())
        # A ufunc's loop is one row: its strides come first, and those from row to row do not matter.
        of_rows = builder.icmp_unsigned("!=", rows, word(0))
        arrays = [*self.walked, *self.outputs]
        for slot, operand in enumerate(operands):
            operand.base = self._item(args, slot)
            operand.row_stride = builder.select(of_rows, self._item(steps, slot), word(0))
            if operand in arrays:
                core = word(len(operands) + arrays.index(operand))
                operand.stride = self._item(steps, builder.select(of_rows, core, word(slot)))
        length = self._item(dims, rows)
        with emit.counting(builder, builder.select(of_rows, self._item(dims, 0), word(1))) as row:
            for operand in operands:
                operand.address = builder.gep(operand.base, [builder.mul(row, operand.row_stride)])
            self._write_row(length)
        if any(operand.kind.startswith("float") for operand in operands):
            memory.emit_clear_flags(builder)
        builder.ret_void()

    # -----------------------------------------------------------------------------------------------------------------
    # A row: elements that have one stride

    def _write_row(self, length):
        # Of no elements not even the first may be read.
        with self.builder.if_then(self.builder.icmp_unsigned("!=", length, self.word(0))):
            self._write_some(length)

    def _write_some(self, length):
        builder, word = self.builder, self.word
        for operand in self.inputs:
            if operand not in self.walked:
                operand.number = memory.emit_load(builder, operand.kind, operand.address, word(0))
        arrays = [*self.walked, *self.outputs]
        in_place = [builder.icmp_unsigned("==", array.stride, word(array.itemsize)) for array in arrays]
        straight = builder.icmp_unsigned("==", length, word(1))
        straight = builder.or_(straight, emit.all_of(builder, in_place))
        streams = self._streams(emit.all_of(builder, in_place[len(self.walked) :]), length)
        for array, contiguous in zip(arrays, in_place, strict=True):
            array.buffered = builder.not_(builder.or_(straight, contiguous))
        for output in self.outputs:
            output.scattered = output.buffered
            output.buffered = builder.or_(output.buffered, streams)
        whole = length if self.loop.limit is None else word(WATCHED)
        block = builder.select(builder.and_(straight, builder.not_(streams)), whole, word(BLOCK))
        smallest = emit.smaller(builder, block, length)
        for array in self.walked:
            array.repeated = builder.and_(array.buffered, builder.icmp_unsigned("==", array.stride, word(0)))
            array.gathered = builder.and_(array.buffered, builder.not_(array.repeated))
        # The first block ends where a cache line of the result does, so that the others are whole lines.
        before = builder.and_(builder.ptrtoint(self.outputs[0].address, word), word(moves.LINE - 1))
        before = builder.udiv(before, word(self.outputs[0].itemsize))
        first = builder.select(streams, builder.sub(word(BLOCK), before), block)
        cases, case = self._cases()
        for array in self.walked:
            # Where the number is known to the case that is taken, its buffer is not read.
            known = [number for number, values in enumerate(cases) if array.position in values]
            needed = [builder.icmp_unsigned("!=", case, word(number)) for number in known]
            with builder.if_then(emit.all_of(builder, [array.repeated, *needed])):
                self._move(array, array.buffer, None, array.address, array.stride, smallest)

        header = builder.append_basic_block("block")
        body = builder.append_basic_block("body")
        end = builder.append_basic_block("end")
        entry = builder.basic_block
        builder.branch(header)
        builder.position_at_end(header)
        done = builder.phi(word)
        done.add_incoming(word(0), entry)
        size = builder.phi(word)
        size.add_incoming(first, entry)
        builder.cbranch(builder.icmp_unsigned("<", done, length), body, end)
        builder.position_at_end(body)
        count = emit.smaller(builder, size, builder.sub(length, done))
        self._write_block(done, count, streams, cases, case)
        done.add_incoming(builder.add(done, count), builder.basic_block)
        size.add_incoming(block, builder.basic_block)
        builder.branch(header)
        builder.position_at_end(end)
        with builder.if_then(streams, likely=False):
            # Only a fence orders such writes before what other threads do next.
            builder.fence("seq_cst")

    def _streams(self, contiguous, length):
        """Whether results are written past the caches: where they are large, and lie one after the other."""
        builder, word = self.builder, self.word
        size = builder.mul(length, word(sum(output.itemsize for output in self.outputs)))
        return builder.and_(contiguous, builder.icmp_unsigned(">", size, self.limit))

    def _cases(self):
        """Return the loops there are, each as {position of an operand that is repeated: its value}, and which to take.

        Beside the general one those for the numbers of `uniform`, and for any other number in their place; and of a
        light formula of two or three operands those for all but one being numbers, because there each load counts.
        """
        builder, word = self.builder, self.word
        cases, chosen = [{}], word(0)
        for array in self.walked:
            array.value = memory.emit_load(builder, array.kind, array.address, word(0))
        # Of three it is the first: clamp(x, 0, 1), where(condition, 1, 0).
        single = {2: self.walked, 3: self.walked[:1]}.get(len(self.walked), ()) if self.loop.light else ()
        for array in single:
            others = [other for other in self.walked if other is not array]
            found = emit.all_of(builder, [other.repeated for other in others])
            chosen = builder.select(found, word(len(cases)), chosen)
            cases.append({other.position: other.value for other in others})
        for array in self.walked:
            if self.loop.uniform is not None and array.position == self.loop.uniform[0]:
                # Any other number, on which much of the formula may depend alone.
                chosen = builder.select(array.repeated, word(len(cases)), chosen)
                cases.append({array.position: array.value})
                compare = builder.fcmp_ordered if array.kind.startswith("float") else builder.icmp_signed
                for number in self.loop.uniform[1]:
                    number = array.value.type(number)
                    found = builder.and_(array.repeated, compare("==", array.value, number))
                    chosen = builder.select(found, word(len(cases)), chosen)
                    cases.append({array.position: number})
        return cases, chosen

    def _write_block(self, done, count, streams, cases, case):
        builder = self.builder
        for array in (*self.walked, *self.outputs):
            array.here = builder.gep(array.address, [builder.mul(done, array.stride)])
            array.start = builder.select(array.buffered, array.buffer, array.here)
        for array in self.walked:
            with builder.if_then(array.gathered):
                self._move(array, array.buffer, None, array.here, array.stride, count)
        end = builder.append_basic_block("computed")
        blocks = [builder.append_basic_block(f"case{number}") for number in range(len(cases))]
        switch = builder.switch(case, blocks[0])
        for number, (block, values) in enumerate(zip(blocks, cases, strict=True)):
            if number:
                switch.add_case(self.word(number), block)
            builder.position_at_end(block)
            self._call_elements(number, values, count)
            builder.branch(end)
        builder.position_at_end(end)
        for output in self.outputs:
            with builder.if_then(output.scattered):
                self._move(output, output.here, output.stride, output.buffer, None, count)
            with builder.if_then(streams, likely=False):
                nothing, size = self.word(0), builder.mul(count, self.word(output.itemsize))
                builder.call(self.move, [output.here, nothing, output.buffer, nothing, size, nothing])

    def _move(self, operand, target, target_stride, source, source_stride, count):
        """Write a copy of elements; where the stride is None they lie one after the other."""
        size = self.word(operand.itemsize)
        self.builder.call(self.move, [target, target_stride or size, source, source_stride or size, count, size])

    def _call_elements(self, number, values, count):
        """Write the loop that vectorises and a call of it, or two of which one is for moderate numbers.

        Args:
            number: of the case.
            values: {position: value} of repeated operands; one that is a constant is known inside.
            count: how many elements.
        """
        position, limit = self.loop.limit or (None, None)
        watched = [operand for operand in self.walked if operand.position == position and position not in values]
        if not watched:
            self._call_loop(f"elements{number}", values, count)
            return
        (operand,) = watched
        limit = self.ir.Constant(memory.value_type(operand.kind), limit)
        with self.builder.if_else(self._call_finder(f"beyond{number}", operand, limit, count)) as (beyond, within):
            with beyond:
                self._call_loop(f"elements{number}", values, count)
            with within:
                self._call_loop(f"moderate{number}", values, count, {position: limit})

    def _call_finder(self, name, operand, limit, count):
        """Write a function that says whether an operand is anywhere above the limit in this block, and a call of it."""
        truth = self.ir.IntType(1)
        function = self._function(name, [operand.start.type, self.word], truth)
        builder = self.ir.IRBuilder(function.append_basic_block("entry"))
        found = builder.alloca(truth)
        builder.store(truth(0), found)
        with emit.counting(builder, function.args[1]) as i:
            offset = builder.mul(i, self.word(operand.itemsize))
            number = memory.emit_load(builder, operand.kind, function.args[0], offset)
            within = intrinsics.within.emit(builder, [number, limit], truth)
            builder.store(builder.select(within, builder.load(found), truth(1)), found)
        builder.ret(builder.load(found))
        return self.builder.call(function, [operand.start, count])

    def _call_loop(self, name, values, count, limits=()):
        """Write the loop that vectorises, a function of its own so that LLVM leaves it alone, and a call of it.

        Args:
            name: of the function.
            values, count: as in `_call_elements`.
            limits: {position: limit} that the operand is known not to be above.
        """
        ir, loop, outer = self.ir, self.loop, self.builder
        values = {operand.position: operand.number for operand in self.inputs if operand not in self.walked} | values
        parts = [values.get(operand.position, getattr(operand, "start", None)) for operand in self.inputs]
        passed = [part for part in parts if not isinstance(part, ir.Constant)]
        passed += [output.start for output in self.outputs]
        function = self._function(name, [*(part.type for part in passed), self.word])
        if loop.light:
            # Vectors of half a cache line straddle two lines half as often: numbers lie at multiples of 16 bytes.
            set.add(function.attributes, '"prefer-vector-width"="256"')
        inside = iter(function.args)
        places = [part if isinstance(part, ir.Constant) else next(inside) for part in parts]
        results = [next(inside) for _ in self.outputs]
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        arguments = [ir.Constant(memory.value_type(kind), 0) for kind in loop.types]
        for operand, place in zip(self.inputs, places, strict=True):
            if operand.position in values and not isinstance(place, ir.Constant):
                self._leave_to_others(builder, operand, place)
        with emit.counting(builder, function.args[-1]) as i:
            for operand, place in zip(self.inputs, places, strict=True):
                if operand.position not in values:
                    place = memory.emit_load(builder, operand.kind, place, builder.mul(i, self.word(operand.itemsize)))
                if operand.position in limits:
                    place = intrinsics.promised_within.emit(builder, [place, limits[operand.position]], place.type)
                arguments[operand.position] = place
            found = self.call(builder, arguments)
            for slot, (output, index, place) in enumerate(zip(self.outputs, loop.chosen, results, strict=True)):
                offset = builder.mul(i, self.word(output.itemsize))
                memory.emit_store(builder, output.kind, slot, place, offset, found[index])
        builder.ret_void()
        outer.call(function, [*passed, count])

    def _leave_to_others(self, builder, operand, number):
        """Return where a number has a loop of its own: it is never called so, and LLVM drops what is for them."""
        position, others = self.loop.uniform or (None, ())
        compare = builder.fcmp_ordered if operand.kind.startswith("float") else builder.icmp_signed
        for other in others if operand.position == position else ():
            with builder.if_then(compare("==", number, number.type(other))):
                builder.ret_void()

    def _function(self, name, parameters, result=None):
        kind = self.ir.FunctionType(result or self.ir.VoidType(), parameters)
        function = self.ir.Function(self.module, kind, name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        function.attributes.add("nounwind")
        return function

    def _item(self, array, index):
        return self.builder.load(self.builder.gep(array, [self.word(index) if isinstance(index, int) else index]))
