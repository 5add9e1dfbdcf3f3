"""A kernel's loop called without NumPy's iterator: a builtin function of arrays.

A gufunc call takes half a microsecond before the loop begins: NumPy makes an iterator, which knows broadcasting,
strides and casts. Arrays that lie in order need none of that. The builtin function looks at each operand and either
runs the loop and returns True, in 50 ns, or changes nothing and returns False: then the gufunc, which can do
everything, is called instead. It refuses what is not exactly an ndarray of the dtype, C-contiguous, aligned and, for a
result, writeable, and extents that do not fit together. A result is memory of its own: whether it overlaps another
operand nobody looks. The GIL is released as NumPy does it: where there is work for more than a moment.

What it reads of an array is ``PyArrayObject``, part of NumPy's binary interface: every extension module that uses
NumPy's macros reads the same. `supported` compares it with what Python says before anything relies on it.
"""

import ctypes
import functools
import re
import sys

import numpy as np

from . import store, ufunc
from .immortal import keep
from .memory import NumbaForm, StackArray, load
from .memory import store as store_at
from .scalar import scalar

# Most elements of all inputs together for which other threads can wait: a microsecond of work or two.
MOMENT = np.int64(4096)

# How the first operand is seen: as it is; as one run of all its elements, in order, or in whichever order they lie;
# and, from 0 on, as (outer, reduced, inner) around that dimension.
AS_IS, FLAT, ANY_ORDER = -3, -2, -1

# Offsets in PyArrayObject: the type is the end of the object's head; then data, nd, dimensions, strides, base, descr
# and flags.
_WORD = np.dtype(np.intp).itemsize
_PLACES = (-1, 0, 1, 2, 3, 5, 6)
TYPE, DATA, NDIM, SHAPE, STRIDES, DESCR, FLAGS = (np.int64(object.__basicsize__ + k * _WORD) for k in _PLACES)
# NPY_ARRAY_C_CONTIGUOUS, _F_CONTIGUOUS, _ALIGNED, _WRITEABLE.
IN_ORDER, REVERSED, ALIGNED, WRITEABLE = (np.int64(flag) for flag in (0x1, 0x2, 0x100, 0x400))

# What a builtin function is bound to, its recipe: an array of these words, and then of some for each operand.
LOOP, YES, NO, COUNTED, NDARRAY, GIVEN, OPERANDS, INPUTS, VIEW, SAVE = (np.int64(k) for k in range(10))
RESTORE, LOOP_DATA, EMPTY, INCREF, DECREF, WORDS = (np.int64(k) for k in range(10, 16))
UNWANTED, DTYPE, ITEMSIZE, CORES, CORE, OPERAND_WORDS = (np.int64(k) for k in (0, 1, 2, 3, 4, 7))
MOST_OPERANDS = 8
MOST_CORES = 3

# Whether a loop ran.
REFUSED, RAN, FAILED = np.int64(0), np.int64(1), np.int64(2)

# Position of PyArray_Empty in NumPy's C API table, fixed by its ABI; most dimensions that an array has.
EMPTY_ARRAY = 184
MOST_DIMENSIONS = 64

_addresses = StackArray("int64", MOST_OPERANDS)
_extents = StackArray("int64", MOST_OPERANDS)
_steps = StackArray("int64", MOST_OPERANDS * (1 + MOST_CORES))
_nowhere = StackArray("int64", 1)
_shape = StackArray("int64", MOST_DIMENSIONS)
# The address of an array's elements; the call of a C function by its address. Integers and pointers are passed alike,
# and arguments too many are left alone.
ADDRESS_OF, CALL = NumbaForm(lambda: _build_address_of()), NumbaForm(lambda: _build_call())
address_of_pointer = NumbaForm(lambda: _build_address_of_pointer())
load_word, _load_half, _store_word = load("int64"), load("int32"), store_at("int64", 0)
UNKNOWN, NOTHING = np.int64(-1), np.int64(0)
BYTES = np.int64(8)


@scalar
def word(address, index):
    """Word number `index` from an address on."""
    return load_word(address, BYTES * index)


@scalar
def answer(recipe, which):
    """The address of the object with which the builtin function answers; its caller owns a reference."""
    found = word(recipe, which)
    if word(recipe, COUNTED):
        _store_word(found, np.int64(0), load_word(found, np.int64(0)) + 1)
    return found


@scalar
def lies_as_needed(operand, is_input, view):
    """Whether its elements lie in order, or for one run in any order, and may be read, or written."""
    flags = np.int64(_load_half(operand, FLAGS))
    if view == ANY_ORDER and flags & REVERSED:
        flags |= IN_ORDER
    needed = IN_ORDER | ALIGNED if is_input else IN_ORDER | ALIGNED | WRITEABLE
    return flags & needed == needed


@scalar
def split(shape, ndim, view, extents):
    """Enter the extents of the first operand seen as one run, or around a dimension."""
    extents[0] = 1
    for k in range(1, 4):
        extents[k] = 1
    for axis in range(ndim):
        place = 1 if view < 0 or axis < view else 2 if axis == view else 3
        extents[place] *= word(shape, axis)


@scalar
def enter(shape, ndim, entry, extents):
    """Enter the extents of an operand as it is; whether they fit those of the operands before it."""
    cores = word(entry, CORES)
    outer = np.int64(1)
    for axis in range(ndim - cores):
        outer *= word(shape, axis)
    fits = ndim >= cores
    if ndim > cores:
        fits = extents[0] == UNKNOWN or extents[0] == outer
        extents[0] = outer
    for k in range(cores if fits else np.int64(0)):
        place = 1 + word(entry, CORE + k)
        extent = word(shape, ndim - cores + k)
        fits = fits and (extents[place] == UNKNOWN or extents[place] == extent)
        extents[place] = extent
    return fits


@scalar
def count(shape, ndim):
    """The number of elements."""
    elements = np.int64(1)
    for axis in range(ndim):
        elements *= word(shape, axis)
    return elements


@scalar
def run(loop, data, elements, addresses, extents, steps, save, restore):
    """Run a loop; without the global lock if it takes more than a moment."""
    state = CALL(save, NOTHING, NOTHING, NOTHING, NOTHING) if elements > MOMENT else NOTHING
    CALL(loop, ADDRESS_OF(addresses), ADDRESS_OF(extents), ADDRESS_OF(steps), data)
    if elements > MOMENT:
        CALL(restore, state, NOTHING, NOTHING, NOTHING)


@scalar
def make_result(recipe, entry, first, view, keeps, extents):
    """Make the array of a result; `NOTHING` and an exception if that fails."""
    shape = _shape()
    dims, ndim = load_word(first, SHAPE), np.int64(_load_half(first, NDIM))
    made = np.int64(0)
    if view == AS_IS:
        for axis in range(ndim - word(recipe, WORDS + CORES)):
            shape[made] = word(dims, axis)
            made += 1
        cores = word(entry, CORES)
        for k in range(cores):
            shape[made] = extents[1 + word(entry, CORE + k)]
            made += 1
        if keeps and cores == 0:
            shape[made] = 1
            made += 1
    else:
        for axis in range(ndim):
            if view >= 0 and axis != view:
                shape[made] = word(dims, axis)
                made += 1
            elif keeps:
                shape[made] = 1
                made += 1
    dtype = word(entry, DTYPE)
    # NumPy takes a reference to the dtype.
    CALL(word(recipe, INCREF), dtype, NOTHING, NOTHING, NOTHING)
    return CALL(word(recipe, EMPTY), made, ADDRESS_OF(shape), dtype, NOTHING)


@scalar
def try_loop(recipe, operands, view, keeps, results):
    """Run the loop if the operands lie as it needs them.

    Args:
        recipe: address of the kernel's words.
        operands: address of the addresses of the inputs, and of the results if those are given.
        view: how the first operand is seen.
        keeps: whether results that are made keep what is reduced, with extent 1.
        results: address at which the results that are made are left, or `NOTHING` if they are given.

    Returns:
        `RAN`, `REFUSED`, or `FAILED` and an exception is set; then results may have been made before it, and are left.
    """
    inputs = word(recipe, INPUTS)
    addresses, extents, steps, nowhere = _addresses(), _extents(), _steps(), _nowhere()
    for k in range(MOST_OPERANDS):
        extents[k] = UNKNOWN
    elements = np.int64(0)
    core_steps = word(recipe, OPERANDS)
    taken = np.int64(0)
    for k in range(word(recipe, OPERANDS)):
        entry = recipe + BYTES * (WORDS + k * OPERAND_WORDS)
        cores = word(entry, CORES)
        if k == inputs and extents[0] == UNKNOWN:
            extents[0] = 1
        if word(entry, UNWANTED):
            # All its numbers are left in one place.
            addresses[k] = ADDRESS_OF(nowhere)
            steps[k] = 0
            continue
        seen = view if k == 0 else np.int64(AS_IS)
        made = results != NOTHING and k >= inputs
        if made:
            if elements == 0:
                return REFUSED
            operand = make_result(recipe, entry, word(operands, NOTHING), view, keeps, extents)
            if operand == NOTHING:
                return FAILED
            _store_word(results, BYTES * (k - inputs), operand)
        else:
            operand = word(operands, taken)
            taken += 1
            known = load_word(operand, TYPE) == word(recipe, NDARRAY)
            if not known or load_word(operand, DESCR) != word(entry, DTYPE):
                return REFUSED
            if not lies_as_needed(operand, k < inputs, seen):
                return REFUSED
        ndim = np.int64(_load_half(operand, NDIM))
        shape = load_word(operand, SHAPE)
        if seen != AS_IS:
            split(shape, ndim, seen, extents)
        elif k < inputs and not enter(shape, ndim, entry, extents):
            return REFUSED
        step = word(entry, ITEMSIZE)
        for j in range(cores):
            place = cores - 1 - j
            steps[core_steps + place] = step
            step *= extents[1 + word(entry, CORE + place)]
        core_steps += cores
        addresses[k] = load_word(operand, DATA)
        # Without outer dimensions it is the same for every run.
        steps[k] = np.int64(0) if k < inputs and seen == AS_IS and ndim == cores else step
        if k < inputs:
            elements += count(shape, ndim)
        elif not made and count(shape, ndim) * word(entry, ITEMSIZE) != extents[0] * step:
            return REFUSED
    data = word(recipe, LOOP_DATA)
    run(word(recipe, LOOP), data, elements, addresses, extents, steps, word(recipe, SAVE), word(recipe, RESTORE))
    return RAN


@scalar
def call_loop(builtin, args, given):
    """What runs when the builtin function is called; `builtin` is the address of its recipe's array."""
    recipe = load_word(builtin, DATA)
    if given != word(recipe, GIVEN):
        return answer(recipe, NO)
    ran = try_loop(recipe, address_of_pointer(args), word(recipe, VIEW), False, NOTHING)
    return answer(recipe, YES if ran == RAN else NO)


def _build_address_of():
    from numba.core import types
    from numba.extending import intrinsic
    from numba.np.arrayobj import make_array

    @intrinsic
    def address_of(context, array):
        def codegen(context, builder, signature, args):
            data = make_array(array)(context, builder, args[0]).data
            return builder.ptrtoint(data, context.get_value_type(types.int64))

        return types.int64(array), codegen

    return address_of


def _build_address_of_pointer():
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic
    def address_of_pointer(context, pointer):
        def codegen(context, builder, signature, args):
            return builder.ptrtoint(args[0], context.get_value_type(types.int64))

        return types.int64(pointer), codegen

    return address_of_pointer


def _build_call():
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic
    def call(context, function, first, second, third, fourth):
        def codegen(context, builder, signature, args):
            number = ir.IntType(64)
            kind = ir.FunctionType(number, [number] * 4)
            return builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])

        return types.int64(function, first, second, third, fourth), codegen

    return call


# ---------------------------------------------------------------------------------------------------------------------
# Making one


class _Method(ctypes.Structure):
    """PyMethodDef of CPython's interface."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


_FASTCALL = 0x0080


@functools.cache
def supported():
    """Return whether arrays lie in memory as this file believes."""
    # A head of two words: neither a debug build's nor one without a global lock.
    if sys.implementation.name != "cpython" or _WORD != 8 or object.__basicsize__ != 2 * _WORD:
        return False
    probe = np.empty((2, 3), np.float32)
    words = (ctypes.c_int64 * 8).from_address(id(probe) + int(TYPE))
    found = {offset: words[(offset - TYPE) // _WORD] for offset in (TYPE, DATA, SHAPE, STRIDES, DESCR)}
    halves = [ctypes.c_int.from_address(id(probe) + int(offset)).value for offset in (NDIM, FLAGS)]
    expected = {TYPE: id(np.ndarray), DATA: probe.ctypes.data, DESCR: id(probe.dtype)}
    return (
        all(found[offset] == value for offset, value in expected.items())
        and halves == [2, probe.flags.num]
        and (ctypes.c_int64 * 2).from_address(found[SHAPE])[:] == [2, 3]
        and (ctypes.c_int64 * 2).from_address(found[STRIDES])[:] == [12, 4]
    )


@functools.cache
def _entry():
    """Return the address of `call_loop`, compiled once for all kernels."""
    return compile_entry("builtin", call_loop)


def compile_entry(name, entry):
    """Return the address of what runs when a builtin function is called: a `scalar` function of its three arguments."""
    key = store.entry_key(entry.function, name, int(DATA))

    def build(symbol):
        from . import compiler

        text = f"def {symbol}(builtin, args, given):\n    return entry(builtin, args, given)\n"
        return compiler.compile_loop(symbol, text, {"entry": entry}, "int64", kind=compiler.BUILTIN)

    return store.load(name, key, build)


def bind(name, entry, words, *kept):
    """Make a builtin function of Python.

    Args:
        name: of the function.
        entry: address of the compiled function.
        words: what it is bound to.
        kept: objects that must live as long.
    """
    recipe = np.array(words, np.int64)
    # It holds addresses, and everybody can reach it.
    recipe.flags.writeable = False
    method = _Method(name.encode(), entry, _FASTCALL, None)
    # The function has a pointer to its PyMethodDef, which is looked at even when the interpreter ends.
    keep(method, *kept)
    new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)
    return new(("PyCFunction_NewEx", ctypes.pythonapi))(ctypes.addressof(method), recipe, None)


def address_in_python(name):
    """Return the address of a function of CPython's C interface."""
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value


def refuse(*operands):
    """Return False: what stands for a builtin function where there can be none."""
    return False


def make_builtin(address, name, inputs, outputs, signature, view=AS_IS, unwanted=(), data=0):
    """Make a builtin function of a gufunc's loop.

    Args:
        address: of the loop.
        name: of the function.
        inputs, outputs: dtypes of the operands.
        signature: of the core dimensions, such as ``(n)->()``.
        view: how the first operand is seen: `AS_IS`, `FLAT`, `ANY_ORDER` or the dimension to reduce.
        unwanted: positions of results without core dimensions that are not kept.
        data: address that the loop gets as its last argument.

    Returns:
        A function of the inputs and the other results, arrays, that returns whether it has run the loop.
    """
    cores = [re.findall(r"\w+", core) for core in re.findall(r"\(([^)]*)\)", signature)]
    if not supported() or len(cores) > MOST_OPERANDS or max(map(len, cores)) > MOST_CORES:
        return refuse
    numbers = list(dict.fromkeys(d for core in cores for d in core))
    # From CPython 3.12 on True and False are never freed, and nobody counts references to them.
    counted = sys.version_info < (3, 12)
    given = len(cores) - len(unwanted)
    words = [address, id(True), id(False), counted, id(np.ndarray), given, len(cores), len(inputs), view]
    # What Py_BEGIN_ALLOW_THREADS and Py_END_ALLOW_THREADS call.
    words += [address_in_python(name) for name in ("PyEval_SaveThread", "PyEval_RestoreThread")]
    words += [data, ufunc.array_api(EMPTY_ARRAY), *map(address_in_python, ("Py_IncRef", "Py_DecRef"))]
    for position, (kind, core) in enumerate(zip((*inputs, *outputs), cores, strict=True)):
        dtype = np.dtype(kind)
        places = [numbers.index(d) for d in core]
        words += [
            position - len(inputs) in unwanted,
            id(dtype),
            dtype.itemsize,
            len(core),
            *places,
            *[0] * (MOST_CORES - len(core)),
        ]
    return bind(name, _entry(), words)
