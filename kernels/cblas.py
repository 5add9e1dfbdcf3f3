"""Products that the library that multiplies matrices adds to what is there, called by machine code.

Its integers have 64 bits. Which of its functions is called says the recipe of the builtin function; all of them are
passed alike but for the numbers, which are float32 or float64.
"""

import numpy as np

from .builtin import ALIGNED, DESCR, FLAGS, IN_ORDER, NDIM, TYPE, word
from .memory import NumbaForm, load
from .scalar import scalar

# How the words begin that the builtin functions are bound to: the type and dtype of the operands, whether that is
# float64, and the function.
NDARRAY, DTYPE, WIDE, PRODUCT, REST = (np.int64(k) for k in range(5))

# CBLAS's names for matrices in row-major order, and for one that is taken as it lies or transposed.
_ROW_MAJOR, _AS_IT_LIES, _TRANSPOSED = 101, 111, 112

_load_word, _load_half = load("int64"), load("int32")
add_matrix_vector = NumbaForm(lambda: _build_add_matrix_vector())
add_matrix_matrix = NumbaForm(lambda: _build_add_matrix_matrix())
write_product = NumbaForm(lambda: _build_write_product())


@scalar
def fits(recipe, operand, ndim):
    """Whether an operand is an ndarray of the dtype, in order, with so many dimensions."""
    if _load_word(operand, TYPE) != word(recipe, NDARRAY) or _load_word(operand, DESCR) != word(recipe, DTYPE):
        return False
    needed = IN_ORDER | ALIGNED
    return np.int64(_load_half(operand, FLAGS)) & needed == needed and np.int64(_load_half(operand, NDIM)) == ndim


@scalar
def itemsize(recipe):
    """Bytes of an element."""
    return np.int64(8) if word(recipe, WIDE) else np.int64(4)


def words(dtype, product):
    """Return the words with which a recipe begins."""
    dtype = np.dtype(dtype)
    return [id(np.ndarray), id(dtype), dtype.itemsize == 8, product]


def _call_in_its_width(builder, function, wide, arguments):
    """Write the call of a function in float32 or float64: ``arguments(real)`` are LLVM's, for its type of numbers."""
    from llvmlite import ir

    def call(real):
        given = arguments(real)
        kind = ir.FunctionType(ir.VoidType(), [one.type for one in given])
        builder.call(builder.inttoptr(function, kind.as_pointer()), given)

    with builder.if_else(builder.icmp_unsigned("!=", wide, wide.type(0))) as (then, otherwise):
        with then:
            call(ir.DoubleType())
        with otherwise:
            call(ir.FloatType())


def _build_add_matrix_vector():
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic
    def add_matrix_vector(context, function, wide, rows, columns, matrix, vector, result):
        """result += matrix @ vector, by gemv."""

        def codegen(context, builder, signature, args):
            function, wide, rows, columns, matrix, vector, result = args
            number, step = ir.IntType(32), ir.IntType(64)(1)

            def arguments(real):
                names = [number(name) for name in (_ROW_MAJOR, _AS_IT_LIES)]
                return [*names, rows, columns, real(1.0), matrix, columns, vector, step, real(1.0), result, step]

            _call_in_its_width(builder, function, wide, arguments)
            return context.get_dummy_value()

        return types.void(function, wide, rows, columns, matrix, vector, result), codegen

    return add_matrix_vector


def _build_add_matrix_matrix():
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic
    def add_matrix_matrix(context, function, wide, rows, columns, depth, x, weight, result, width):
        """result += x @ weight.T, by gemm; `width` is how many elements apart the result's rows are."""

        def codegen(context, builder, signature, args):
            function, wide, rows, columns, depth, x, weight, result, width = args
            number = ir.IntType(32)

            def arguments(real):
                names = [number(name) for name in (_ROW_MAJOR, _AS_IT_LIES, _TRANSPOSED)]
                one = real(1.0)
                return [*names, rows, columns, depth, one, x, depth, weight, depth, one, result, width]

            _call_in_its_width(builder, function, wide, arguments)
            return context.get_dummy_value()

        return types.void(*[function, wide, rows, columns, depth, x, weight, result, width]), codegen

    return add_matrix_matrix


def _build_write_product():
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic
    def write_product(context, function, wide, turned, rows, columns, depth, x, weight, result):
        """result = x @ weight, or x @ weight.T where it is turned, by gemm."""

        def codegen(context, builder, signature, args):
            function, wide, turned, rows, columns, depth, x, weight, result = args
            number = ir.IntType(32)
            is_turned = builder.icmp_unsigned("!=", turned, turned.type(0))
            lies = builder.select(is_turned, number(_TRANSPOSED), number(_AS_IT_LIES))
            apart = builder.select(is_turned, depth, columns)

            def arguments(real):
                names = [number(_ROW_MAJOR), number(_AS_IT_LIES), lies]
                return [*names, rows, columns, depth, real(1.0), x, depth, weight, apart, real(0.0), result, columns]

            _call_in_its_width(builder, function, wide, arguments)
            return context.get_dummy_value()

        return types.void(*[function, wide, turned, rows, columns, depth, x, weight, result]), codegen

    return write_product
