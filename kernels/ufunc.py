"""From the address of a compiled loop to a genuine ``numpy.ufunc``.

NumPy's C API is reached through ctypes: Numba's own door to it, ``fromfunc``, would import Numba.
"""

import ctypes

import numpy as np

from .immortal import keep

try:
    from numpy._core import _multiarray_umath
except ImportError:  # NumPy 1
    from numpy.core import _multiarray_umath

# Positions in NumPy's ufunc C API table, fixed by its ABI.
_FROM_FUNC_AND_DATA = 1
_FROM_FUNC_AND_DATA_AND_SIGNATURE = 31
_NO_IDENTITY = -1


def _api_address(table, index):
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype = ctypes.c_void_p
    get_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return ctypes.cast(get_pointer(table, None), ctypes.POINTER(ctypes.c_void_p))[index]


def array_api(index):
    """Return the address of a function by its position in the C API table of NumPy's arrays."""
    return _api_address(_multiarray_umath._ARRAY_API, index)


def _api_function(index, *argument_types):
    return ctypes.PYFUNCTYPE(ctypes.py_object, *argument_types)(_api_address(_multiarray_umath._UFUNC_API, index))


_COMMON = [ctypes.c_void_p] * 3 + [ctypes.c_int] * 4 + [ctypes.c_char_p] * 2 + [ctypes.c_int]
_from_func_and_data = _api_function(_FROM_FUNC_AND_DATA, *_COMMON)
_from_func_and_data_and_signature = _api_function(_FROM_FUNC_AND_DATA_AND_SIGNATURE, *_COMMON, ctypes.c_char_p)


def make_ufunc(address, name, inputs, outputs, signature=None, data=None):
    """Make a ufunc (a gufunc with a `signature`) of one loop.

    Args:
        address: of the loop ``void(char **args, intp *dims, intp *steps, void *data)``.
        name: shown by NumPy in its errors.
        inputs, outputs: dtypes of the operands.
        signature: of the core dimensions, such as ``(n)->()``; None for an elementwise ufunc.
        data: address that the loop gets as its last argument.

    Returns:
        A ``numpy.ufunc`` with exactly this loop.
    """
    types = [np.dtype(kind).num for kind in (*inputs, *outputs)]
    loops = (ctypes.c_void_p * 1)(address)
    datas = (ctypes.c_void_p * 1)(data)
    codes = (ctypes.c_char * len(types))(*types)
    text = (name.encode(), b"", signature.encode() if signature else None)
    # The ufunc has pointers to these arrays and strings.
    keep(loops, datas, codes, text)
    args = [
        ctypes.cast(loops, ctypes.c_void_p),
        ctypes.cast(datas, ctypes.c_void_p),
        ctypes.cast(codes, ctypes.c_void_p),
        1,
        len(inputs),
        len(outputs),
        _NO_IDENTITY,
        text[0],
        text[1],
        0,
    ]
    if signature is None:
        return _from_func_and_data(*args)
    return _from_func_and_data_and_signature(*args, text[2])
