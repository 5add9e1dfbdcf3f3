"""The threads of the library that multiplies matrices for NumPy, which has a pool of its own."""

from __future__ import annotations

import functools

try:
    from numpy._core import _multiarray_umath
except ImportError:  # NumPy 1
    from numpy.core import _multiarray_umath

# By their names in NumPy's wheels, in OpenBLAS as systems package it, and in MKL.
_SETTERS = (
    "scipy_openblas_set_num_threads64_",
    "scipy_openblas_set_num_threads",
    "openblas_set_num_threads64_",
    "openblas_set_num_threads",
    "MKL_Set_Num_Threads",
)

_MOST = 1 << 16


@functools.cache
def _setter():
    """Return the function of the library that sets its number of threads, None where there is none.

    A name is looked for in NumPy's own extension module and what it was linked with: where the system's loader
    does that (Linux, macOS), so nothing has to be searched for in folders.
    """
    import ctypes

    try:
        library = ctypes.CDLL(_multiarray_umath.__file__)
    except OSError:
        return None
    found = next((name for name in _SETTERS if hasattr(library, name)), None)
    if found is None:
        return None
    setter = getattr(library, found)
    setter.argtypes, setter.restype = [ctypes.c_int], None
    return setter


def set_threads(number):
    """Let matrix products use so many threads, in the whole process."""
    setter = _setter()
    if setter is not None:
        # More than it was built for it takes for its most; more than a C int holds must not turn negative.
        setter(min(number, _MOST))
