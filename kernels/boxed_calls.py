"""An elementwise kernel called on boxes and numbers: one builtin function from tensors to a tensor.

It takes the arrays out of the boxes, finds the kernel's loop for their dtype in a table, turns Python's numbers into
numbers of that dtype, has ``calls.try_elements`` run the loop, or the ufunc broadcast, and puts the result into a new
box. Whatever is not of this common kind it answers with None, having done nothing: then Python does it.
"""

import functools

import numpy as np

from . import builtin, calls, recipes
from .boxes import (
    CLEAR,
    LAYOUT,
    NDARRAY,
    OTHER,
    RECORDS,
    REST,
    Table,
    array_in,
    drop,
    find,
    hold,
    is_box,
    is_recorded,
    load_word,
    make_box,
    mode_in,
    none,
)
from .builtin import ADDRESS_OF, BYTES, CALL, DATA, DESCR, MOST_OPERANDS, NDIM, NOTHING, SHAPE, TYPE, count, word
from .integers import READER, TOO_LARGE, read_int
from .memory import StackArray, load
from .memory import store as store_at
from .scalar import scalar
from .strided_calls import try_strided

# Words of a builtin function after those that all have: the number of operands, the first whose array tells the dtype,
# the table, bytes of an operand from which on it is left to Python, and what turns Python's numbers into C's; what
# tells whether an exception is an ordinary one.
GIVEN, LEADING, TABLE, LARGE, FLOAT, INT, AS_INTEGER, MATCHES, ORDINARY = (REST + np.int64(k) for k in range(9))
# Of a dtype's entry: the recipe of the builtin function for arrays, and what Python's numbers are turned into.
RECIPE, NUMBER = (np.int64(k) for k in range(2))
_NUMBERS = {"float32": 1, "float64": 2, "int64": 3}
FLOAT32, FLOAT64, INT64 = map(np.int64, _NUMBERS.values())

# Above, an int is not surely the same number in float32.
_EXACT = np.int64(1 << 24)
# Of the number in PyFloatObject.
_VALUE = np.int64(object.__basicsize__)

_arrays = StackArray("int64", MOST_OPERANDS)
_numbers = StackArray("int64", MOST_OPERANDS)
_load_float, _load_half = load("float64"), load("int32")
_store_float, _store_double, _store_integer = (store_at(kind, 0) for kind in ("float32", "float64", "int64"))


@scalar
def put_number(recipe, kind, operand, place):
    """Write what a Python float or int is in the working dtype to an address; whether it surely is that number."""
    given = load_word(operand, TYPE)
    if given == word(recipe, FLOAT):
        value = _load_float(operand, _VALUE)
        if kind == FLOAT32:
            _store_float(place, NOTHING, np.float32(value))
            return True
        if kind == FLOAT64:
            _store_double(place, NOTHING, value)
            return True
        return False
    if given != word(recipe, INT) or kind == NOTHING:
        return False
    whole = read_int(word(recipe, AS_INTEGER), operand)
    if whole == TOO_LARGE:
        return False
    if kind == INT64:
        _store_integer(place, NOTHING, whole)
        return True
    if whole > _EXACT or whole < -_EXACT:
        return False
    if kind == FLOAT32:
        _store_float(place, NOTHING, np.float32(whole))
    else:
        _store_double(place, NOTHING, np.float64(whole))
    return True


@scalar
def find_operands(recipe, args, given, mode, arrays, numbers):
    """Enter the arrays of boxes and the values of numbers, and `NOTHING` for the array of a number.

    Returns:
        The address of the recipe of the kernel for them; `NOTHING` for what is left to Python.
    """
    layout = word(recipe, LAYOUT)
    if given != word(recipe, GIVEN) or mode == OTHER:
        return NOTHING
    dtype = NOTHING
    for k in range(given):
        boxed = is_box(layout, args[k])
        if boxed and word(recipe, RECORDS) and is_recorded(layout, mode, args[k]):
            return NOTHING
        arrays[k] = array_in(layout, args[k]) if boxed else NOTHING
        if dtype == NOTHING and arrays[k] != NOTHING and k >= word(recipe, LEADING):
            dtype = load_word(arrays[k], DESCR)
    entry = find(word(recipe, TABLE), dtype)
    if entry == NOTHING:
        return NOTHING
    kernel = word(entry, RECIPE)
    # One argument more would be taken for an array to write to.
    if given != word(kernel, recipes.INPUTS):
        return NOTHING
    for k in range(given):
        array = arrays[k]
        if array == NOTHING:
            # A number cannot stand for an operand of another dtype, such as a condition.
            kind = word(entry, NUMBER) if recipes.dtype_of(kernel, k) == dtype else NOTHING
            if not put_number(recipe, kind, args[k], ADDRESS_OF(numbers) + BYTES * k):
                return NOTHING
        else:
            itemsize = recipes.itemsize_of(kernel, k)
            elements = count(load_word(array, SHAPE), np.int64(_load_half(array, NDIM)))
            if elements * itemsize >= word(recipe, LARGE):
                return NOTHING
    return kernel


@scalar
def call_boxed(builtin, args, given):
    """What runs when the builtin function is called; `builtin` is the address of its recipe's array."""
    recipe = load_word(builtin, DATA)
    layout = word(recipe, LAYOUT)
    arrays, numbers = _arrays(), _numbers()
    mode = mode_in(layout)
    kernel = find_operands(recipe, args, given, mode, arrays, numbers)
    if kernel == NOTHING:
        return none(layout)
    # Another thread, or the garbage collector, may put other arrays into the boxes meanwhile.
    plain = True
    for k in range(given):
        plain = plain and arrays[k] != NOTHING
        hold(layout, arrays[k])
    result = calls.try_elements(kernel, ADDRESS_OF(arrays), given, ADDRESS_OF(numbers))
    if result == recipes.UNALIKE:
        result = try_strided(kernel, ADDRESS_OF(arrays), ADDRESS_OF(numbers))
    if plain and (result == recipes.UNFIT or result == recipes.UNALIKE):
        result = calls.pass_on(kernel, ADDRESS_OF(arrays), given, result)
    for k in range(given):
        drop(layout, arrays[k])
    if recipes.STRANGE <= result <= recipes.UNALIKE:
        return none(layout)
    if result == NOTHING:
        # Shapes that do not broadcast: Python says so in its own words. But no interrupt may be lost.
        if CALL(word(recipe, MATCHES), word(recipe, ORDINARY), NOTHING, NOTHING, NOTHING) & 0xFFFFFFFF == 0:
            return result
        CALL(word(layout, CLEAR), NOTHING, NOTHING, NOTHING, NOTHING)
        return none(layout)
    if load_word(result, TYPE) != word(layout, NDARRAY):
        drop(layout, result)
        return none(layout)
    return make_box(layout, result, mode)


# ---------------------------------------------------------------------------------------------------------------------
# Making one


@functools.cache
def _entry():
    return builtin.compile_entry("boxed_calls", call_boxed)


class CallTable(Table):
    """The kernel's builtin functions for arrays, by dtype."""

    def enter(self, dtype, call):
        """Enter what computes the op on arrays of this dtype, if it is a kernel's builtin function with one result."""
        if calls.is_call(call) and call.__self__[recipes.OUTPUTS] == 1:
            self.put(dtype, call.__self__.ctypes.data, _NUMBERS.get(dtype.name, 0), kept=call)


def make_call(name, layout, records, table, given, leading, large):
    """Make the builtin function of an op.

    Args:
        name: of the op.
        layout: a `boxes.Layout`.
        records: whether the op is one that may be recorded.
        table: a `CallTable`.
        given: the number of arguments.
        leading: the first argument whose array tells the working dtype, or one after it does if that is a number.
        large: bytes of an operand from which on it is left to Python.

    Returns:
        A function of boxes and numbers that returns a box, or None where it has done nothing.
    """
    return builtin.bind(name, _entry(), words_of(layout, records, table, given, leading, large), layout, table)


def words_of(layout, records, table, given, leading, large):
    """Return the words of a builtin function with these operands: see `make_call`."""
    words = [layout.address, records, given, leading, 0 if table is None else table.address, large, id(float), id(int)]
    words += map(builtin.address_in_python, (READER, "PyErr_ExceptionMatches"))
    return [*words, id(Exception)]
