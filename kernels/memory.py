"""Memory access of generated loops: typed loads, stores and array headers at an address.

These are declarations; ``compiler`` turns them into Numba intrinsics when a loop is compiled.

Loads and stores say by alias scopes that operands do not overlap. NumPy guarantees it (it copies overlapping
operands) but for an output that *is* an input, element by element, and there every element is read before it is
written. Without the scopes LLVM compares the operands' extents at run time, and in-place calls would fail that test
and run one element at a time.
"""

import functools
import platform

import numpy as np

from . import emit

UINTP = np.uintp
INTP = np.intp

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "uint64", "float32", "float64")
# Numba's name where it is not NumPy's in every version.
NUMBA_NAMES = {"bool": "boolean"}
ITEMSIZE = {kind: np.dtype(kind).itemsize for kind in DTYPES}
UNSIGNED = {np.dtype(kind).itemsize: np.dtype(kind) for kind in ("uint8", "uint16", "uint32", "uint64")}
ZERO = {kind: np.dtype(kind).type(0) for kind in DTYPES}

# FE_ALL_EXCEPT of <fenv.h>.
_ALL_EXCEPTIONS = 0x1F if platform.machine() in ("aarch64", "arm64") else 0x3D

# Invalid, division by zero, overflow and underflow in the SSE status word: what NumPy warns of.
_WARNED_OF = 0x1D


class NumbaForm:
    """Something that becomes a Numba object when a loop is compiled: ``build()`` makes it."""

    def __init__(self, build):
        self.build = functools.cache(build)

    def resolve(self, dtype):
        """Return the Numba object; it is the same for every working dtype."""
        return self.build()


@functools.cache
def load(kind):
    """``load(address, offset)`` in bytes gives the element of dtype `kind`."""
    return NumbaForm(lambda: _build_load(kind))


@functools.cache
def store(kind, output):
    """``store(address, offset, value)`` writes an element of the output with this number."""
    return NumbaForm(lambda: _build_store(kind, output))


@functools.cache
def array(kind, ndim, layout):
    """``array(address, shape, strides)`` is a Numba array there; strides are ignored in layout C."""
    return NumbaForm(lambda: _build_array(kind, ndim, layout))


class StackArray(NumbaForm):
    """A small array on the stack of the kernel that calls it, uninitialised: kernels allocate nothing else.

    Args:
        kind: dtype name, or ``"T"`` for the working dtype.
        size: the number of elements.
    """

    def __init__(self, kind, size):
        super().__init__(lambda dtype: _build_stack_array(dtype if kind == "T" else kind, size))
        self.kind = kind
        self.size = size

    def resolve(self, dtype):
        """Return the Numba function that makes it when the working dtype is `dtype`."""
        return self.build(dtype)

    def __call__(self):
        return np.empty(self.size, np.float64 if self.kind == "T" else self.kind)


copy_bytes = NumbaForm(lambda: _build_copy_bytes())
"""``copy_bytes(target, source, size)`` copies memory that does not overlap, by addresses."""


def _build_load(kind):
    from numba.core import types
    from numba.extending import intrinsic

    element = getattr(types, NUMBA_NAMES.get(kind, kind))

    @intrinsic
    def load(context, address, offset):
        def codegen(context, builder, signature, args):
            return emit_load(builder, kind, _as_pointer(builder, args[0]), args[1])

        return element(address, offset), codegen

    return load


def _build_store(kind, output):
    from numba.core import types
    from numba.extending import intrinsic

    element = getattr(types, NUMBA_NAMES.get(kind, kind))

    @intrinsic
    def store(context, address, offset, value):
        def codegen(context, builder, signature, args):
            emit_store(builder, kind, output, _as_pointer(builder, args[0]), args[1], args[2])
            return context.get_dummy_value()

        # The formula's result is narrowed to the output's dtype: int32 + int32 is an int64 inside Numba.
        return types.void(address, offset, element), codegen

    return store


def value_type(kind):
    """Return LLVM's type of a number of dtype `kind`."""
    from llvmlite import ir

    if kind.startswith("float"):
        return ir.FloatType() if kind == "float32" else ir.DoubleType()
    return ir.IntType(1 if kind == "bool" else 8 * ITEMSIZE[kind])


def emit_load(builder, kind, pointer, offset):
    """Write a load of the element of dtype `kind` at `offset` bytes from a pointer to bytes."""
    value = builder.load(_element_pointer(builder, kind, pointer, offset))
    _set_scopes(builder, value, "inputs", ["output"])
    return builder.icmp_unsigned("!=", value, value.type(0)) if kind == "bool" else value


def emit_store(builder, kind, output, pointer, offset, value):
    """Write a store of an element of the output with this number."""
    place = _element_pointer(builder, kind, pointer, offset)
    instruction = builder.store(builder.zext(value, place.type.pointee) if kind == "bool" else value, place)
    others = ["inputs"] + [f"output{k}" for k in range(4) if k != output]
    _set_scopes(builder, instruction, f"output{output}", others)


def _as_pointer(builder, address):
    from llvmlite import ir

    return builder.inttoptr(address, ir.IntType(8).as_pointer())


def _element_pointer(builder, kind, pointer, offset):
    from llvmlite import ir

    return emit.place(builder, ir.IntType(8) if kind == "bool" else value_type(kind), pointer, offset)


def _set_scopes(builder, instruction, own, others):
    module = builder.module
    domain = module.add_metadata(["numtensor operands"])

    def scopes(names):
        flat = []
        for name in names:
            flat += [f"output{k}" for k in range(4)] if name == "output" else [name]
        return module.add_metadata([module.add_metadata([f"numtensor {name}", domain]) for name in flat])

    instruction.set_metadata("alias.scope", scopes([own]))
    instruction.set_metadata("noalias", scopes(others))


def _build_array(kind, ndim, layout):
    from numba.core import cgutils, types
    from numba.extending import intrinsic
    from numba.np.arrayobj import make_array, populate_array

    element = getattr(types, NUMBA_NAMES.get(kind, kind))
    array_type = types.Array(element, ndim, layout)

    @intrinsic
    def array(context, address, shape, strides):
        def codegen(context, builder, signature, args):
            header = make_array(array_type)(context, builder)
            data = builder.inttoptr(args[0], context.get_data_type(element).as_pointer())
            extents = cgutils.unpack_tuple(builder, args[1], ndim)
            itemsize = context.get_constant(types.intp, ITEMSIZE[kind])
            if layout == "C":
                steps = [itemsize]
                for extent in reversed(extents[1:]):
                    steps.insert(0, builder.mul(steps[0], extent))
            else:
                steps = cgutils.unpack_tuple(builder, args[2], ndim)
            populate_array(header, data=data, shape=extents, strides=steps, itemsize=itemsize, meminfo=None)
            return header._getvalue()

        return array_type(address, shape, strides), codegen

    return array


def _build_stack_array(kind, size):
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic
    from numba.np.arrayobj import make_array, populate_array

    element = getattr(types, NUMBA_NAMES.get(kind, kind))
    array_type = types.Array(element, 1, "C")

    @intrinsic
    def stack_array(context):
        def codegen(context, builder, signature, args):
            header = make_array(array_type)(context, builder)
            # Numba's own helper would fill it with zeros, once per row.
            with builder.goto_entry_block():
                memory = builder.alloca(ir.ArrayType(context.get_data_type(element), size))
            data = builder.bitcast(memory, context.get_data_type(element).as_pointer())
            extent = context.get_constant(types.intp, size)
            itemsize = context.get_constant(types.intp, ITEMSIZE[kind])
            populate_array(header, data=data, shape=[extent], strides=[itemsize], itemsize=itemsize, meminfo=None)
            return header._getvalue()

        return array_type(), codegen

    return stack_array


def _build_copy_bytes():
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


def _build_clear_flags():
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic
    def clear_flags(context):
        def codegen(context, builder, signature, args):
            emit_clear_flags(builder)
            return context.get_dummy_value()

        return types.void(), codegen

    return clear_flags


def emit_clear_flags(builder):
    """Clear the processor's floating-point flags."""
    if platform.machine() in ("x86_64", "AMD64"):
        _emit_clear_mxcsr(builder)
    else:
        _emit_feclearexcept(builder)


def _emit_clear_mxcsr(builder):
    """Clear the SSE status flags: what glibc's feclearexcept also does, less its 100 ns for the x87 unit."""
    from llvmlite import ir
    from numba.core import cgutils

    word = ir.IntType(32)
    byte_pointer = ir.IntType(8).as_pointer()
    access = ir.FunctionType(ir.VoidType(), [byte_pointer])
    slot = cgutils.alloca_once(builder, word)
    pointer = builder.bitcast(slot, byte_pointer)
    builder.call(cgutils.get_or_insert_function(builder.module, access, "llvm.x86.sse.stmxcsr"), [pointer])
    status = builder.load(slot)
    builder.store(builder.and_(status, word(~0x3F & 0xFFFFFFFF)), slot)
    # Reading is cheap, writing is not: only when a flag is set that NumPy reads. Nearly every call sets "inexact".
    with builder.if_then(builder.icmp_unsigned("!=", builder.and_(status, word(_WARNED_OF)), word(0)), likely=False):
        builder.call(cgutils.get_or_insert_function(builder.module, access, "llvm.x86.sse.ldmxcsr"), [pointer])


def _emit_feclearexcept(builder):
    from llvmlite import ir
    from numba.core import cgutils

    kind = ir.FunctionType(ir.IntType(32), [ir.IntType(32)])
    function = cgutils.get_or_insert_function(builder.module, kind, "feclearexcept")
    builder.call(function, [ir.IntType(32)(_ALL_EXCEPTIONS)])


# Without this NumPy reads the flags that vector lanes raised and warns where PyTorch is silent.
CLEAR_FLAGS = NumbaForm(_build_clear_flags)
