"""An affine map of several rows, x @ weight.T + bias, in tiles that BLAS multiplies as they lie.

The bias is copied to every row of the result first, and BLAS adds the products to it: a pass over the result less, and
no way through NumPy for each tile.
"""

import functools

import numpy as np

from . import builtin
from .affine_row import copy_bytes, fits
from .builtin import CALL, DATA, FLAGS, NOTHING, SHAPE, WRITEABLE, word
from .memory import NumbaForm, load
from .scalar import scalar

# What the builtin function is bound to begins as that of `affine_row`: what `fits` reads.
WIDE, PRODUCT, SAVE, RESTORE, INCREF, TRUE, FALSE, AS_INTEGER = (np.int64(k) for k in range(2, 10))

# CBLAS's names for matrices in row-major order, and for one that is taken as it lies or transposed.
_ROW_MAJOR, _AS_IT_LIES, _TRANSPOSED = 101, 111, 112

_load_word, _load_half = load("int64"), load("int32")
_add_product = NumbaForm(lambda: _build_add_product())


@scalar
def add_products(recipe, x, weight, result, extents, tile):
    """Add the product to the result, tile by tile.

    Args:
        x, weight, result: addresses of their elements.
        extents: (rows, columns of the result, columns of x).
        tile: (rows, columns, rows of a block: in each block a tile of the weight serves all rows while it is near).
    """
    rows, columns, depth = extents
    high, wide, block = tile
    itemsize = np.int64(8) if word(recipe, WIDE) else np.int64(4)
    # A range with a step could raise an exception, which no kernel can.
    start = np.int64(0)
    while start < rows:
        stop = min(rows, start + block)
        column = np.int64(0)
        while column < columns:
            row = start
            while row < stop:
                _add_product(
                    word(recipe, PRODUCT),
                    word(recipe, WIDE),
                    min(high, stop - row),
                    min(wide, columns - column),
                    depth,
                    x + row * depth * itemsize,
                    weight + column * depth * itemsize,
                    result + (row * columns + column) * itemsize,
                    columns,
                )
                row += high
            column += wide
        start = stop


@scalar
def call_tiles(builtin, args, given):
    """What runs when the builtin function is called; `builtin` is the address of its recipe's array."""
    recipe = _load_word(builtin, DATA)
    fit = given == 7
    for k in range(np.int64(4) if fit else NOTHING):
        fit = fit and fits(recipe, args[k], np.int64(1 if k == 2 else 2))
    if fit:
        row, matrix = _load_word(args[0], SHAPE), _load_word(args[1], SHAPE)
        bias, out = _load_word(args[2], SHAPE), _load_word(args[3], SHAPE)
        rows, depth = word(row, np.int64(0)), word(row, np.int64(1))
        columns = word(matrix, np.int64(0))
        fit = word(matrix, np.int64(1)) == depth and word(bias, np.int64(0)) == columns and depth > 0 and columns > 0
        fit = fit and word(out, np.int64(0)) == rows and word(out, np.int64(1)) == columns
        fit = fit and np.int64(_load_half(args[3], FLAGS)) & WRITEABLE != 0
    if fit:
        high = CALL(word(recipe, AS_INTEGER), args[4], NOTHING, NOTHING, NOTHING)
        wide = CALL(word(recipe, AS_INTEGER), args[5], NOTHING, NOTHING, NOTHING)
        block = CALL(word(recipe, AS_INTEGER), args[6], NOTHING, NOTHING, NOTHING)
        fit = high > 0 and wide > 0 and block > 0
    answer = word(recipe, TRUE if fit else FALSE)
    CALL(word(recipe, INCREF), answer, NOTHING, NOTHING, NOTHING)
    if fit:
        state = CALL(word(recipe, SAVE), NOTHING, NOTHING, NOTHING, NOTHING)
        size = columns * (np.int64(8) if word(recipe, WIDE) else np.int64(4))
        result, source = _load_word(args[3], DATA), _load_word(args[2], DATA)
        for k in range(rows):
            copy_bytes(result + k * size, source, size)
        x, weight = _load_word(args[0], DATA), _load_word(args[1], DATA)
        add_products(recipe, x, weight, result, (rows, columns, depth), (high, wide, block))
        CALL(word(recipe, RESTORE), state, NOTHING, NOTHING, NOTHING)
    return answer


def _build_add_product():
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic
    def add_product(context, function, wide, rows, columns, depth, x, weight, result, width):
        """result += x @ weight.T, by CBLAS's gemm."""
        whole, number = ir.IntType(64), ir.IntType(32)

        def call(builder, args, real):
            function, _, rows, columns, depth, x, weight, result, width = args
            kinds = [number] * 3 + [whole] * 3 + [real] + [whole] * 4 + [real] + [whole] * 2
            kind = ir.FunctionType(ir.VoidType(), kinds)
            names = [number(name) for name in (_ROW_MAJOR, _AS_IT_LIES, _TRANSPOSED)]
            one = real(1.0)
            arguments = [*names, rows, columns, depth, one, x, depth, weight, depth, one, result, width]
            builder.call(builder.inttoptr(function, kind.as_pointer()), arguments)

        def codegen(context, builder, signature, args):
            is_wide = builder.icmp_unsigned("!=", args[1], args[1].type(0))
            with builder.if_else(is_wide) as (then, otherwise):
                with then:
                    call(builder, args, ir.DoubleType())
                with otherwise:
                    call(builder, args, ir.FloatType())
            return context.get_dummy_value()

        return types.void(*[function, wide, rows, columns, depth, x, weight, result, width]), codegen

    return add_product


@functools.cache
def _entry():
    return builtin.compile_entry("affine_tiles", call_tiles)


def make_affine_tiles(dtype, product):
    """Make the builtin function of (x, weight, bias, out, rows of a tile, its columns, rows of a block).

    Args:
        dtype: float32 or float64.
        product: address of CBLAS's gemm for it, with integers of 64 bits.

    Returns:
        A function that returns whether it has written the result to `out`, memory of its own.
    """
    dtype = np.dtype(dtype)
    names = ("PyEval_SaveThread", "PyEval_RestoreThread", "Py_IncRef")
    words = [id(np.ndarray), id(dtype), dtype.itemsize == 8, product, *map(builtin.address_in_python, names)]
    words += [id(True), id(False), builtin.address_in_python("PyLong_AsLong")]
    return builtin.bind("affine_tiles", _entry(), words)
