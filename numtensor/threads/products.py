"""The library that multiplies matrices for NumPy, as far as it can be asked: its threads, a pool of its own."""

from __future__ import annotations

import ctypes
import functools

try:
    from numpy._core import _multiarray_umath
except ImportError:  # NumPy 1
    from numpy.core import _multiarray_umath

# More than it was built for it takes for its most; more than a C int holds must not turn negative.
_MOST = 1 << 16


@functools.cache
def _library():
    """Return what NumPy's own extension module was linked with, None where its names cannot be looked for.

    The system's loader looks for them there, too (Linux, macOS), so nothing has to be searched for in folders.
    """
    try:
        # Asking for a number takes less time than releasing the GIL, which CDLL does.
        return ctypes.PyDLL(_multiarray_umath.__file__)
    except OSError:
        return None


@functools.cache
def openblas(name):
    """Return a function of OpenBLAS, None if that is not the library.

    Args:
        name: what systems' packages call it; in NumPy's wheels it has a prefix or a suffix, too.
    """
    library = _library()
    for prefix in ("scipy_", ""):
        for suffix in ("64_", ""):
            found = getattr(library, f"{prefix}{name}{suffix}", None)
            if found is not None:
                return found
    return None


def set_threads(number):
    """Let matrix products use so many threads, in the whole process, where the library is OpenBLAS or MKL."""
    setter = openblas("openblas_set_num_threads") or getattr(_library(), "MKL_Set_Num_Threads", None)
    if setter is not None:
        setter(min(number, _MOST))
