"""What object code may name that it does not define, and where that is in this process."""

import contextlib
import ctypes
import functools

# Called on a Numba-level error only, which a kernel does not have.
RUNTIME_SYMBOLS = frozenset({"numba_gil_ensure", "numba_gil_release", "NRT_MemInfo_call_dtor", "NRT_Free"})
LIBM_SYMBOLS = frozenset(
    f"{name}{suffix}"
    for name in ("floor", "ceil", "trunc", "rint", "nearbyint", "sqrt", "fma", "fmod", "pow", "fmin", "fmax")
    for suffix in ("", "f")
) | {"feclearexcept", "memset", "memcpy", "memmove"}
ALLOWED_SYMBOLS = RUNTIME_SYMBOLS | LIBM_SYMBOLS


@functools.cache
def address_of(name):
    """Return the address of one of the allowed symbols, or None if this system does not have it."""
    if name in RUNTIME_SYMBOLS:
        # Stop rather than go on with garbage.
        name = "abort"
    for library in _libraries():
        found = getattr(library, name, None)
        if found is not None:
            return ctypes.cast(found, ctypes.c_void_p).value
    return None


@functools.cache
def _libraries():
    libraries = [ctypes.CDLL(None)]
    # Where the C library is not GNU's, the process itself has the functions.
    with contextlib.suppress(OSError):
        libraries.append(ctypes.CDLL("libm.so.6"))
    return libraries
