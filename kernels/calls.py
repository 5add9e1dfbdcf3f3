"""An elementwise kernel called without NumPy's ufunc machinery: a builtin function of arrays.

A ufunc call takes a quarter of a microsecond before the loop begins: NumPy finds the loop by the dtypes, plans casts,
broadcasts, asks for the floating-point flags. Operands of one shape that lie in order need none of that. The builtin
function looks at them; if they are exactly ndarrays of the kernel's dtypes, aligned, C-contiguous and of one shape (or
single numbers), it has NumPy make the result and runs the loop. Everything else it passes on to the ufunc, or to what
does better where large operands lie unalike; so a caller need not know which of them it was.

It is called as the ufunc is, without keywords: the inputs, or the inputs and where to write the only result. What it
knows of an array's memory stands in ``builtin.py``.
"""

import ctypes
import functools

import numpy as np

from . import builtin, ufunc
from .builtin import (
    ALIGNED,
    BYTES,
    CALL,
    DATA,
    DESCR,
    FLAGS,
    IN_ORDER,
    MOST_OPERANDS,
    NDIM,
    NOTHING,
    SHAPE,
    TYPE,
    WRITEABLE,
    address_of_pointer,
    count,
    run,
    word,
)
from .memory import StackArray, load
from .recipes import (
    DATA_OF_LOOP,
    DECREF,
    INCREF,
    INPUTS,
    LOOP,
    NDARRAY,
    NEW_LIKE,
    NEW_TUPLE,
    OUTPUTS,
    RESTORE,
    SAVE,
    SET_ITEM,
    STRANGE,
    UFUNC,
    UNALIKE,
    UNFIT,
    UNLIKE,
    VECTORCALL,
    dtype_of,
    itemsize_of,
)
from .scalar import scalar
from .strided_calls import try_strided
from .unlike import LARGE

# Position of PyArray_NewLikeArray in NumPy's C API table, fixed by its ABI.
_NEW_LIKE_ARRAY = 277

_addresses = StackArray("int64", MOST_OPERANDS)
_steps = StackArray("int64", MOST_OPERANDS)
_extents = StackArray("int64", 1)
_load_word, _load_half = load("int64"), load("int32")


@scalar
def same_shape(one, other):
    """Whether two arrays have one shape."""
    ndim = _load_half(one, NDIM)
    same = ndim == _load_half(other, NDIM)
    for axis in range(np.int64(ndim) if same else NOTHING):
        same = same and word(_load_word(one, SHAPE), axis) == word(_load_word(other, SHAPE), axis)
    return same


@scalar
def is_apart(start, size, other_start, other_size):
    """Whether two pieces of memory have nothing in common."""
    return start + size <= other_start or other_start + other_size <= start


@scalar
def pass_on(recipe, operands, given, answer):
    """Call the ufunc, or what does better for operands that lie unalike, of which one is large."""
    callee = word(recipe, UFUNC)
    for k in range(given if answer == UNALIKE and given == word(recipe, INPUTS) else NOTHING):
        operand = word(operands, k)
        known = _load_word(operand, TYPE) == word(recipe, NDARRAY)
        if not known or _load_word(operand, DESCR) != dtype_of(recipe, k):
            callee = word(recipe, UFUNC)
            break
        if count(_load_word(operand, SHAPE), np.int64(_load_half(operand, NDIM))) >= LARGE:
            callee = word(recipe, UNLIKE)
    return CALL(word(recipe, VECTORCALL), callee, operands, given, NOTHING)


@scalar
def make_results(recipe, model, addresses, steps):
    """Make the results, of the model's shape; return the only one, a tuple of several, or nothing but an exception."""
    inputs, outputs = word(recipe, INPUTS), word(recipe, OUTPUTS)
    several = NOTHING
    if outputs > 1:
        several = CALL(word(recipe, NEW_TUPLE), outputs, NOTHING, NOTHING, NOTHING)
        if several == NOTHING:
            return several
    result = NOTHING
    for k in range(outputs):
        dtype = dtype_of(recipe, inputs + k)
        # NumPy takes a reference to the dtype.
        CALL(word(recipe, INCREF), dtype, NOTHING, NOTHING, NOTHING)
        result = CALL(word(recipe, NEW_LIKE), model, NOTHING, dtype, NOTHING)
        if result == NOTHING:
            CALL(word(recipe, DECREF), several, NOTHING, NOTHING, NOTHING)
            return result
        addresses[inputs + k] = _load_word(result, DATA)
        steps[inputs + k] = itemsize_of(recipe, inputs + k)
        if outputs > 1:
            CALL(word(recipe, SET_ITEM), several, k, result, NOTHING)
    return several if outputs > 1 else result


@scalar
def try_elements(recipe, operands, given, numbers):
    """Run the loop on operands that it can take as they lie.

    Args:
        recipe: address of the kernel's words.
        operands: address of the addresses of `given` objects; of an input, `NOTHING` for a number of the kernel's dtype
            that stands in memory: the one with the operand's number among `numbers`, eight bytes each.

    Returns:
        The address of a new reference to the result, or `NOTHING` and an exception is set; else why not.
    """
    inputs = word(recipe, INPUTS)
    addresses, steps, extents = _addresses(), _steps(), _extents()
    if given != inputs and (given != inputs + 1 or word(recipe, OUTPUTS) != 1):
        return STRANGE
    # The operand whose shape the result has, and one that is a number, whose shape it has otherwise.
    model, single = NOTHING, NOTHING
    elements = np.int64(1)
    for k in range(given):
        operand = word(operands, k)
        if operand == NOTHING:
            addresses[k] = numbers + BYTES * k
            steps[k] = 0
            continue
        dtype = dtype_of(recipe, k)
        itemsize = itemsize_of(recipe, k)
        if _load_word(operand, TYPE) != word(recipe, NDARRAY) or _load_word(operand, DESCR) != dtype:
            return STRANGE
        needed = IN_ORDER | ALIGNED if k < inputs else IN_ORDER | ALIGNED | WRITEABLE
        if np.int64(_load_half(operand, FLAGS)) & needed != needed:
            return UNALIKE
        addresses[k] = _load_word(operand, DATA)
        steps[k] = itemsize
        ndim = np.int64(_load_half(operand, NDIM))
        if ndim == 0 and k < inputs:
            # One number for all elements.
            steps[k] = 0
            single = operand
        elif model == NOTHING:
            model = operand
            elements = count(_load_word(operand, SHAPE), ndim)
        elif not same_shape(model, operand):
            return UNALIKE
    if given > inputs:
        result = word(operands, inputs)
        itemsize = itemsize_of(recipe, inputs)
        for k in range(inputs):
            size = itemsize_of(recipe, k)
            size *= elements if steps[k] else np.int64(1)
            # Element by element each is read before it is written.
            same = addresses[k] == addresses[inputs] and steps[k] == itemsize
            if not same and not is_apart(addresses[k], size, addresses[inputs], elements * itemsize):
                return UNFIT
        CALL(word(recipe, INCREF), result, NOTHING, NOTHING, NOTHING)
    else:
        result = make_results(recipe, single if model == NOTHING else model, addresses, steps)
        if result == NOTHING:
            return result
    extents[0] = elements
    loop, data = word(recipe, LOOP), word(recipe, DATA_OF_LOOP)
    run(loop, data, elements, addresses, extents, steps, word(recipe, SAVE), word(recipe, RESTORE))
    return result


@scalar
def call_elements(builtin, args, given):
    """What runs when the builtin function is called; `builtin` is the address of its recipe's array."""
    recipe = _load_word(builtin, DATA)
    operands = address_of_pointer(args)
    result = try_elements(recipe, operands, given, NOTHING)
    if result == UNALIKE and given == word(recipe, INPUTS):
        result = try_strided(recipe, operands, NOTHING)
    if STRANGE <= result <= UNALIKE:
        return pass_on(recipe, operands, given, result)
    return result


# ---------------------------------------------------------------------------------------------------------------------
# Making one


@functools.cache
def _entry():
    """Return the address of `call_elements`, compiled once for all kernels."""
    return builtin.compile_entry("calls", call_elements)


@functools.cache
def _functions():
    """Return the addresses of the C functions that are called: NumPy's and Python's."""
    # Python 3.10 has no PyObject_Vectorcall to link to. The two that count references do nothing with nothing.
    called = ("PyObject_VectorcallDict", "Py_IncRef", "Py_DecRef", "PyTuple_New", "PyTuple_SetItem")
    called += ("PyEval_SaveThread", "PyEval_RestoreThread")
    made = ufunc.array_api(_NEW_LIKE_ARRAY), *map(builtin.address_in_python, called)
    return *made, ufunc.array_api(builtin.EMPTY_ARRAY)


def make_call(address, made, unlike, inputs, outputs, data=0):
    """Make the builtin function of an elementwise kernel's loop.

    Args:
        address: of the loop.
        made: the ufunc of the loop, which gets what the builtin function does not do itself.
        unlike: a function that gets it where an operand has `LARGE` elements and they do not lie alike.
        inputs, outputs: dtypes of the operands.
        data: address that the loop gets as its last argument.

    Returns:
        A function of the inputs, and perhaps of the array to write to; the ufunc where there can be none.
    """
    if not builtin.supported() or len(inputs) + len(outputs) > MOST_OPERANDS:
        return made
    words = [address, data, id(made), id(unlike), len(inputs), len(outputs), id(np.ndarray), *_functions()]
    for kind in (*inputs, *outputs):
        dtype = np.dtype(kind)
        words += [id(dtype), dtype.itemsize]
    return builtin.bind(made.__name__, _entry(), words, made, unlike)


def is_call(function):
    """Return whether a function is one that `make_call` made, rather than the ufunc or anything else."""
    return type(getattr(function, "__self__", None)) is np.ndarray


@functools.cache
def ufunc_of(call):
    """Return the ufunc to which a builtin function of `make_call` passes on; any other function itself."""
    # The function keeps its ufunc alive.
    return ctypes.cast(int(call.__self__[UFUNC]), ctypes.py_object).value if is_call(call) else call
