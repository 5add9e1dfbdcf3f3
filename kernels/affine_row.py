"""An affine map of one row, x @ weight.T + bias, by one call of the library that multiplies matrices.

For few numbers what takes the time is NumPy's way to that library: half a microsecond, and as much again for adding the
bias. The builtin function copies the bias to the result and has the library add the product to it.
"""

import functools

import numpy as np

from . import builtin, ufunc
from .builtin import (
    ADDRESS_OF,
    ALIGNED,
    CALL,
    DATA,
    DESCR,
    EMPTY_ARRAY,
    FLAGS,
    IN_ORDER,
    MOMENT,
    NDIM,
    NOTHING,
    SHAPE,
    TYPE,
    word,
)
from .memory import NumbaForm, StackArray, load
from .scalar import scalar

# What the builtin function is bound to.
NDARRAY, DTYPE, WIDE, PRODUCT, EMPTY, INCREF, SAVE, RESTORE, NONE = (np.int64(k) for k in range(9))

# CBLAS's names for a matrix in row-major order that is taken as it lies.
_ROW_MAJOR, _AS_IT_LIES = 101, 111

_extents = StackArray("int64", 2)
_load_word, _load_half = load("int64"), load("int32")
copy_bytes = NumbaForm(lambda: _build_copy())
_add_product = NumbaForm(lambda: _build_add_product())


@scalar
def fits(recipe, operand, ndim):
    """Whether an operand is an ndarray of the dtype, in order, with so many dimensions."""
    if _load_word(operand, TYPE) != word(recipe, NDARRAY) or _load_word(operand, DESCR) != word(recipe, DTYPE):
        return False
    needed = IN_ORDER | ALIGNED
    return np.int64(_load_half(operand, FLAGS)) & needed == needed and np.int64(_load_half(operand, NDIM)) == ndim


@scalar
def call_affine(builtin, args, given):
    """What runs when the builtin function is called; `builtin` is the address of its recipe's array."""
    recipe = _load_word(builtin, DATA)
    none = word(recipe, NONE)
    fit = given == 3
    for k in range(given if fit else NOTHING):
        fit = fit and fits(recipe, args[k], np.int64(1 if k == 2 else 2))
    if fit:
        row, matrix, bias = _load_word(args[0], SHAPE), _load_word(args[1], SHAPE), _load_word(args[2], SHAPE)
        width, depth = word(matrix, np.int64(0)), word(matrix, np.int64(1))
        fit = word(row, np.int64(0)) == 1 and word(row, np.int64(1)) == depth and word(bias, np.int64(0)) == width
        fit = fit and width > 0 and depth > 0
    if not fit:
        CALL(word(recipe, INCREF), none, NOTHING, NOTHING, NOTHING)
        return none
    extents = _extents()
    extents[0], extents[1] = 1, width
    # NumPy takes a reference to the dtype.
    CALL(word(recipe, INCREF), word(recipe, DTYPE), NOTHING, NOTHING, NOTHING)
    result = CALL(word(recipe, EMPTY), np.int64(2), ADDRESS_OF(extents), word(recipe, DTYPE), NOTHING)
    if result == NOTHING:
        return result
    wide = word(recipe, WIDE)
    copy_bytes(_load_word(result, DATA), _load_word(args[2], DATA), width * (np.int64(8) if wide else np.int64(4)))
    work = width * depth
    state = CALL(word(recipe, SAVE), NOTHING, NOTHING, NOTHING, NOTHING) if work > MOMENT else NOTHING
    _add_product(
        word(recipe, PRODUCT),
        wide,
        width,
        depth,
        _load_word(args[1], DATA),
        _load_word(args[0], DATA),
        _load_word(result, DATA),
    )
    if work > MOMENT:
        CALL(word(recipe, RESTORE), state, NOTHING, NOTHING, NOTHING)
    return result


def _build_copy():
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    @intrinsic
    def copy_bytes(context, target, source, size):
        def codegen(context, builder, signature, args):
            pointers = [builder.inttoptr(address, cgutils.voidptr_t) for address in args[:2]]
            cgutils.raw_memcpy(builder, *pointers, args[2], 1)
            return context.get_dummy_value()

        return types.void(target, source, size), codegen

    return copy_bytes


def _build_add_product():
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic
    def add_product(context, function, wide, rows, columns, matrix, vector, result):
        """result += matrix @ vector, by CBLAS's gemv."""
        whole, number = ir.IntType(64), ir.IntType(32)

        def call(builder, args, real):
            function, _, rows, columns, matrix, vector, result = args
            kinds = [number, number, whole, whole, real, whole, whole, whole, whole, real, whole, whole]
            kind = ir.FunctionType(ir.VoidType(), kinds)
            one, step = real(1.0), whole(1)
            builder.call(
                builder.inttoptr(function, kind.as_pointer()),
                [
                    number(_ROW_MAJOR),
                    number(_AS_IT_LIES),
                    rows,
                    columns,
                    one,
                    matrix,
                    columns,
                    vector,
                    step,
                    one,
                    result,
                    step,
                ],
            )

        def codegen(context, builder, signature, args):
            is_wide = builder.icmp_unsigned("!=", args[1], args[1].type(0))
            with builder.if_else(is_wide) as (then, otherwise):
                with then:
                    call(builder, args, ir.DoubleType())
                with otherwise:
                    call(builder, args, ir.FloatType())
            return context.get_dummy_value()

        return types.void(function, wide, rows, columns, matrix, vector, result), codegen

    return add_product


@functools.cache
def _entry():
    return builtin.compile_entry("affine_row", call_affine)


def make_affine(dtype, product):
    """Make the builtin function of (row, weight, bias), arrays of which the first has two dimensions, too.

    Args:
        dtype: float32 or float64.
        product: address of CBLAS's gemv for it, with integers of 64 bits.

    Returns:
        A function that returns the result, an array, or None where it has done nothing.
    """
    dtype = np.dtype(dtype)
    names = ("Py_IncRef", "PyEval_SaveThread", "PyEval_RestoreThread")
    words = [id(np.ndarray), id(dtype), dtype.itemsize == 8, product, ufunc.array_api(EMPTY_ARRAY)]
    words += [*map(builtin.address_in_python, names), id(None)]
    return builtin.bind("affine_row", _entry(), words)
