"""The copy of a matrix whose columns lie in order into one whose rows do: squares of elements, turned in registers.

Element by element either side would touch a line of memory for each; NumPy's copy does, in two to five times as long.
"""

import functools

import numpy as np

from . import emit, memory, store, ufunc

SIDES = {1: 16, 2: 16, 4: 8, 8: 8}
"""Extent of a square by item size."""

# Fewer elements are copied before the gufunc is called.
_WORTH = 1 << 12


@functools.cache
def transposing(itemsize):
    """Return a gufunc ``(m,n)->(m,n)`` that copies unsigned integers of this size; the input's m should be dense."""
    kind = f"uint{8 * itemsize}"
    write = functools.partial(write_loop, itemsize=itemsize)

    def build(symbol):
        from . import compiler

        return compiler.compile_module(symbol, write)

    label = f"transposing-{kind}"
    address = store.load(label, store.entry_key(write_loop, kind), build)
    return ufunc.make_ufunc(address, label, [kind], [kind], "(m,n)->(m,n)")


def write_loop(module, name, itemsize):
    """Write the inner loop of the gufunc under this name."""
    from llvmlite import ir

    word, byte_pointer = ir.IntType(64), ir.IntType(8).as_pointer()
    words = word.as_pointer()
    function = ir.Function(
        module, ir.FunctionType(ir.VoidType(), [byte_pointer.as_pointer(), words, words, byte_pointer]), name
    )
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    args, dims, steps, _ = function.args

    def item(array, index):
        return builder.load(builder.gep(array, [word(index)]))

    element, side = ir.IntType(8 * itemsize), SIDES[itemsize]
    vector = ir.VectorType(element, side)
    m, n = item(dims, 1), item(dims, 2)
    x_step, y_step, x_row, x_column, y_row, y_column = (item(steps, index) for index in range(6))
    size = word(itemsize)
    dense = builder.and_(builder.icmp_unsigned("==", x_row, size), builder.icmp_unsigned("==", y_column, size))

    def along(base, row, row_step, column, column_step):
        return builder.gep(base, [builder.add(builder.mul(row, row_step), builder.mul(column, column_step))])

    def copy_items(x, y, first_row, rows, first_column, columns):
        with emit.counting(builder, rows) as i:
            row = builder.add(first_row, i)
            with emit.counting(builder, columns) as j:
                column = builder.add(first_column, j)
                value = builder.load(builder.bitcast(along(x, row, x_row, column, x_column), element.as_pointer()))
                target = builder.bitcast(along(y, row, y_row, column, y_column), element.as_pointer())
                builder.store(value, target)

    def turn_square(x, y, row, column):
        lines = []
        for k in range(side):
            source = along(x, row, x_row, builder.add(column, word(k)), x_column)
            lines.append(builder.load(builder.bitcast(source, vector.as_pointer()), align=itemsize))
        # In each round lines that are `half` apart exchange the halves of their runs of twice as many elements.
        half = 1
        while half < side:
            keep = [c if not c & half else side + c - half for c in range(side)]
            give = [c + half if not c & half else side + c for c in range(side)]
            masks = [ir.Constant(ir.VectorType(ir.IntType(32), side), mask) for mask in (keep, give)]
            for k in range(side):
                if not k & half:
                    pair = lines[k], lines[k + half]
                    lines[k], lines[k + half] = (builder.shuffle_vector(*pair, mask) for mask in masks)
            half *= 2
        for k in range(side):
            target = along(y, builder.add(row, word(k)), y_row, column, y_column)
            builder.store(lines[k], builder.bitcast(target, vector.as_pointer()), align=itemsize)

    # A band of rows is a cache line of the input wide.
    band = max(side, 64 // itemsize)
    with emit.counting(builder, item(dims, 0)) as outer:
        x = builder.gep(item(args, 0), [builder.mul(outer, x_step)])
        y = builder.gep(item(args, 1), [builder.mul(outer, y_step)])
        whole_rows = builder.select(dense, builder.and_(m, word(-side)), word(0))
        whole_columns = builder.and_(n, word(-side))
        bands = builder.udiv(builder.add(whole_rows, word(band - 1)), word(band))
        with emit.counting(builder, bands) as number:
            first = builder.mul(number, word(band))
            squares = builder.udiv(emit.smaller(builder, word(band), builder.sub(whole_rows, first)), word(side))
            columns = builder.udiv(n, word(side))
            with emit.counting(builder, columns) as j, emit.counting(builder, squares) as i:
                row = builder.add(first, builder.mul(i, word(side)))
                turn_square(x, y, row, builder.mul(j, word(side)))
        copy_items(x, y, word(0), whole_rows, whole_columns, builder.sub(n, whole_columns))
        copy_items(x, y, whole_rows, builder.sub(m, whole_rows), word(0), n)
    builder.ret_void()


def ordered_copy(array):
    """Return a C-contiguous copy of an array."""
    if array.size >= _WORTH and not array.flags.c_contiguous:
        axis = dense_axis(array)
        if axis is not None:
            out = np.empty(array.shape, array.dtype)
            copy(array, axis, out)
            return out
    return array.copy()


def dense_axis(array):
    """Return the dimension, not the last, along which the elements lie one after the other; None if there is none."""
    size = array.itemsize
    if array.ndim < 2 or array.strides[-1] == size:
        return None
    for axis, (stride, extent) in enumerate(zip(array.strides[:-1], array.shape, strict=False)):
        if stride == size and extent >= SIDES[size] <= array.shape[-1]:
            return axis
    return None


def copy(array, axis, out):
    """Copy an array, dense along this axis, into a C-contiguous one of the same shape and dtype."""
    kind = memory.UNSIGNED[array.itemsize]
    transposing(array.itemsize)(array.view(kind).swapaxes(axis, -2), out.view(kind).swapaxes(axis, -2))
