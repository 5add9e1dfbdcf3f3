"""An affine map of several rows, x @ weight.T + bias, in tiles that BLAS multiplies as they lie.

The bias is copied to every row of the result first, and BLAS adds the products to it: a pass over the result less, and
no way through NumPy for each tile.
"""

import functools

import numpy as np

from . import builtin, cblas
from .builtin import CALL, DATA, FLAGS, NOTHING, SHAPE, WRITEABLE, load_word, word
from .cblas import add_matrix_matrix, fits, itemsize
from .integers import READER, read_int
from .memory import copy_bytes, load
from .scalar import scalar

# What the builtin function is bound to besides.
SAVE, RESTORE, INCREF, TRUE, FALSE, AS_INTEGER = (cblas.REST + np.int64(k) for k in range(6))

_load_half = load("int32")


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
    step = itemsize(recipe)
    # A range with a step could raise an exception, which no kernel can.
    start = np.int64(0)
    while start < rows:
        stop = min(rows, start + block)
        column = np.int64(0)
        while column < columns:
            row = start
            while row < stop:
                add_matrix_matrix(
                    word(recipe, cblas.PRODUCT),
                    word(recipe, cblas.WIDE),
                    min(high, stop - row),
                    min(wide, columns - column),
                    depth,
                    x + row * depth * step,
                    weight + column * depth * step,
                    result + (row * columns + column) * step,
                    columns,
                )
                row += high
            column += wide
        start = stop


@scalar
def call_tiles(builtin, args, given):
    """What runs when the builtin function is called; `builtin` is the address of its recipe's array."""
    recipe = load_word(builtin, DATA)
    fit = given == 7
    for k in range(np.int64(4) if fit else NOTHING):
        fit = fit and fits(recipe, args[k], np.int64(1 if k == 2 else 2))
    if fit:
        row, matrix = load_word(args[0], SHAPE), load_word(args[1], SHAPE)
        bias, out = load_word(args[2], SHAPE), load_word(args[3], SHAPE)
        rows, depth = word(row, np.int64(0)), word(row, np.int64(1))
        columns = word(matrix, np.int64(0))
        fit = word(matrix, np.int64(1)) == depth and word(bias, np.int64(0)) == columns and depth > 0 and columns > 0
        fit = fit and word(out, np.int64(0)) == rows and word(out, np.int64(1)) == columns
        fit = fit and np.int64(_load_half(args[3], FLAGS)) & WRITEABLE != 0
    if fit:
        high = read_int(word(recipe, AS_INTEGER), args[4])
        wide = read_int(word(recipe, AS_INTEGER), args[5])
        block = read_int(word(recipe, AS_INTEGER), args[6])
        fit = high > 0 and wide > 0 and block > 0
    answer = word(recipe, TRUE if fit else FALSE)
    CALL(word(recipe, INCREF), answer, NOTHING, NOTHING, NOTHING)
    if fit:
        state = CALL(word(recipe, SAVE), NOTHING, NOTHING, NOTHING, NOTHING)
        size = columns * itemsize(recipe)
        result, source = load_word(args[3], DATA), load_word(args[2], DATA)
        for k in range(rows):
            copy_bytes(result + k * size, source, size)
        x, weight = load_word(args[0], DATA), load_word(args[1], DATA)
        add_products(recipe, x, weight, result, (rows, columns, depth), (high, wide, block))
        CALL(word(recipe, RESTORE), state, NOTHING, NOTHING, NOTHING)
    return answer


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
    names = ("PyEval_SaveThread", "PyEval_RestoreThread", "Py_IncRef")
    words = [*cblas.words(dtype, product), *map(builtin.address_in_python, names)]
    words += [id(True), id(False), builtin.address_in_python(READER)]
    return builtin.bind("affine_tiles", _entry(), words)
