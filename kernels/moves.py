"""Copies between buffers of a loop and elements that lie otherwise: one function, compiled once for all kernels.

``move(target, target_stride, source, source_stride, count, itemsize)`` copies elements of 1, 2, 4 or 8 bytes; with item
size 0 it writes `count` bytes past the caches, 64 at a time where the target is a cache line's start. Loops find its
address in what NumPy gives them as ``data``: see `table`.
"""

import contextlib
import ctypes
import functools
import platform

from . import emit, store
from .immortal import keep

LINE = 64
SIZES = (1, 2, 4, 8)

_UNROLLED = 8
# Larger results than this share of the last cache are written past it: beside operands of their size they would not
# stay there until the next op reads them. Chains of ops gain from a third on, smaller results lose up to a third.
_SHARE = 3
_LAST_CACHE = "/sys/devices/system/cpu/cpu0/cache/index3/size"
_NEVER = 2**64 - 1


@functools.cache
def table(rows=False):
    """Return the address of three words for loops.

    They are the most bytes of a result that is not streamed, the address of ``move``, and whether the loop is one of
    rows, a gufunc's.
    """
    words = (ctypes.c_uint64 * 3)(_stream_limit(), _address(), rows)
    # Loops read it as long as the process lives.
    keep(words)
    return ctypes.addressof(words)


@functools.cache
def _address():
    return store.load("moves", store.entry_key(write, "moves"), _build)


def _build(symbol):
    from . import compiler

    return compiler.compile_module(symbol, write)


def _stream_limit():
    """Return the most bytes of a result that go through the caches.

    All of them where it was not measured, or the system does not say how large the cache is.
    """
    if platform.machine() in ("x86_64", "AMD64"):
        with contextlib.suppress(OSError, ValueError), open(_LAST_CACHE) as file:
            # Such as 32768K. What glibc's sysconf says is the machine's, of which a virtual one has a part.
            return int(file.read().strip().removesuffix("K")) * 1024 // _SHARE
    return _NEVER


def types():
    """Return LLVM's type of ``move``, for those who call it."""
    from llvmlite import ir

    word, pointer = ir.IntType(64), ir.IntType(8).as_pointer()
    return ir.FunctionType(ir.VoidType(), [pointer, word, pointer, word, word, word])


def write(module, name):
    """Write ``move`` into a module of llvmlite under this name."""
    from llvmlite import ir

    function = ir.Function(module, types(), name)
    # One element after the other: LLVM would make several versions of so short a loop.
    function.attributes.add("optsize")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    streams = builder.append_basic_block("stream")
    switch = builder.switch(function.args[-1], streams)
    for size in SIZES:
        block = builder.append_basic_block(f"items{size}")
        switch.add_case(ir.IntType(64)(size), block)
        builder.position_at_end(block)
        _write_items(builder, size, *function.args[:-1])
        builder.ret_void()
    builder.position_at_end(streams)
    _write_stream(builder, module, function.args[0], function.args[2], function.args[4])
    builder.ret_void()


def _write_items(builder, size, target, target_stride, source, source_stride, count):
    from llvmlite import ir

    word, element = ir.IntType(64), ir.IntType(8 * size)
    width = 32 // size
    vector = ir.VectorType(element, width)
    repeated = builder.and_(
        builder.icmp_unsigned("==", source_stride, word(0)), builder.icmp_unsigned("==", target_stride, word(size))
    )
    with builder.if_else(repeated) as (fill, copy):
        with fill:
            # A buffer is whole vectors, so the last one may be written in full.
            value = builder.load(emit.place(builder, element, source, word(0)))
            value = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.IntType(32)(0))
            everywhere = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
            value = builder.shuffle_vector(value, value, everywhere)
            parts = builder.udiv(builder.add(count, word(width - 1)), word(width))
            with emit.counting(builder, parts) as i:
                builder.store(value, emit.place(builder, vector, target, builder.mul(i, word(32))), align=32)
        with copy:
            # Of every other element, whole vectors are read; the last element is not among them, nor what is behind it.
            halves = builder.and_(
                builder.icmp_unsigned("==", source_stride, word(2 * size)),
                builder.icmp_unsigned("==", target_stride, word(size)),
            )
            pairs = builder.select(halves, builder.udiv(builder.sub(count, word(1)), word(width)), word(0))
            double = ir.VectorType(element, 2 * width)
            even = ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(0, 2 * width, 2)))
            with emit.counting(builder, pairs) as i:
                value = builder.load(emit.place(builder, double, source, builder.mul(i, word(64))), align=size)
                value = builder.shuffle_vector(value, ir.Constant(double, ir.Undefined), even)
                builder.store(value, emit.place(builder, vector, target, builder.mul(i, word(32))), align=size)
            first = builder.mul(pairs, word(width))

            def copy_item(i):
                value = builder.load(emit.place(builder, element, source, builder.mul(i, source_stride)))
                builder.store(value, emit.place(builder, element, target, builder.mul(i, target_stride)))

            rounds = builder.udiv(builder.sub(count, first), word(_UNROLLED))
            with emit.counting(builder, rounds) as i:
                for k in range(_UNROLLED):
                    copy_item(builder.add(builder.add(first, builder.mul(i, word(_UNROLLED))), word(k)))
            first = builder.add(first, builder.mul(rounds, word(_UNROLLED)))
            with emit.counting(builder, builder.sub(count, first)) as i:
                copy_item(builder.add(i, first))


def _write_stream(builder, module, target, source, size):
    from llvmlite import ir

    word, part = ir.IntType(64), ir.VectorType(ir.IntType(64), 4)
    start = builder.and_(builder.ptrtoint(target, word), word(LINE - 1))
    aligned = builder.icmp_unsigned("==", start, word(0))
    lines = builder.select(aligned, builder.udiv(size, word(LINE)), word(0))
    past_caches = module.add_metadata([ir.IntType(32)(1)])
    with emit.counting(builder, lines) as line:
        for half in (0, 32):
            offset = builder.add(builder.mul(line, word(LINE)), word(half))
            value = builder.load(emit.place(builder, part, source, offset), align=32)
            builder.store(value, emit.place(builder, part, target, offset), align=32).set_metadata(
                "nontemporal", past_caches
            )
    written = builder.mul(lines, word(LINE))
    copy = module.declare_intrinsic("llvm.memcpy", [target.type, source.type, word])
    rest = [builder.gep(target, [written]), builder.gep(source, [written]), builder.sub(size, written)]
    builder.call(copy, [*rest, ir.IntType(1)(0)])
