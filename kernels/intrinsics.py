"""LLVM instructions that Numba does not offer by name: each with the Python function that means the same.

Arguments and result have one floating-point type, but for the bit casts.
"""

import math

import numpy as np

from .scalar import intrinsic


def _llvm(name):
    """Emit a call of the overloaded LLVM intrinsic `name`, all of whose operands have the result's type."""

    def emit(builder, args, result):
        from llvmlite import ir

        kind = args[0].type
        suffix = {"float": "f32", "double": "f64"}[str(kind)]
        function_type = ir.FunctionType(kind, [kind] * len(args))
        function = builder.module.globals.get(f"llvm.{name}.{suffix}")
        if function is None:
            function = ir.Function(builder.module, function_type, f"llvm.{name}.{suffix}")
        return builder.call(function, args)

    return emit


@intrinsic(_llvm("maximum"))
def maximum(x, y):
    """The larger one; NaN if either is NaN. Vectorises in reductions, where `x if x > y else y` does not."""
    return x if x != x or x > y or (x == y and math.copysign(1, x) > 0) else y


@intrinsic(_llvm("minimum"))
def minimum(x, y):
    """The smaller one; NaN if either is NaN."""
    return x if x != x or x < y or (x == y and math.copysign(1, x) < 0) else y


@intrinsic(_llvm("copysign"))
def copysign(x, y):
    """The magnitude of `x` with the sign of `y`."""
    return type(x)(math.copysign(x, y))


@intrinsic(_llvm("fabs"))
def fabs(x):
    """The magnitude of `x`: one instruction that clears the sign bit."""
    return type(x)(math.fabs(x))


@intrinsic(_llvm("rint"))
def rint(x):
    """The nearest integer, ties to even, as PyTorch rounds."""
    return x if math.isinf(x) or math.isnan(x) else type(x)(math.copysign(round(x), x))


@intrinsic(_llvm("floor"))
def floor(x):
    """The largest integer that is not above `x`."""
    return x if math.isinf(x) or math.isnan(x) else type(x)(math.copysign(math.floor(x), x))


@intrinsic(_llvm("ceil"))
def ceil(x):
    """The smallest integer that is not below `x`."""
    return x if math.isinf(x) or math.isnan(x) else type(x)(math.copysign(math.ceil(x), x))


@intrinsic(_llvm("trunc"))
def trunc(x):
    """`x` without its fraction."""
    return x if math.isinf(x) or math.isnan(x) else type(x)(math.copysign(math.trunc(x), x))


@intrinsic(_llvm("sqrt"))
def sqrt(x):
    """The square root, correctly rounded; NaN below zero."""
    return type(x)(math.sqrt(x)) if x >= 0 else type(x)(math.nan)


@intrinsic(_llvm("fma"))
def fma(x, y, z):
    """x * y + z rounded once (the Python twin rounds twice)."""
    return x * y + z


def _is_within(builder, x, limit):
    return builder.fcmp_unordered("<=", _llvm("fabs")(builder, [x], x.type), limit)


@intrinsic(lambda builder, args, result: _is_within(builder, *args), types={"float32": "boolean", "float64": "boolean"})
def within(x, limit):
    """Whether the magnitude of `x` is at most `limit`; NaN is."""
    return not fabs(x) > limit


def _promise_within(builder, args, result):
    from llvmlite import ir

    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(1)])
    promise = builder.module.globals.get("llvm.assume") or ir.Function(builder.module, kind, "llvm.assume")
    builder.call(promise, [_is_within(builder, *args)])
    return args[0]


@intrinsic(_promise_within)
def promised_within(x, limit):
    """`x`, of which the caller knows `within`: the optimiser drops what is for other numbers."""
    return x


def _bitcast(builder, args, result):
    return builder.bitcast(args[0], result)


@intrinsic(_bitcast, types={"float32": "int32", "float64": "int64"})
def to_bits(x):
    """The bits of a float as an integer of its width."""
    return x.view({4: np.int32, 8: np.int64}[x.itemsize])


@intrinsic(_bitcast, types={"int32": "float32", "int64": "float64"})
def from_bits(x):
    """The float whose bits an int32 or int64 holds."""
    return x.view({4: np.float32, 8: np.float64}[x.itemsize])
