"""Every elementary function keeps the loop around it vectorised: read from the assembly."""

import math
import platform
import re

import llvmlite.binding
import numba
import pytest

from numtensor.kernels import compiler, elementary

# Functions of two arguments; all others have one.
BINARY = {"atan2", "pow"}
PACKED_ARITHMETIC = re.compile(r"\bv(?:add|sub|mul|div|sqrt|fn?m(?:add|sub)\d*)p[sd]\s.*%[yz]mm")
CALL = re.compile(r"\bcallq?\s+(\S+)")

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64") or not llvmlite.binding.get_host_cpu_features().get("avx2"),
    reason="looks for the vector instructions of AVX2 and AVX-512",
)


def assembly_of_loop(name, dtype):
    """Return the assembly of a loop over contiguous arrays, without that of its Python wrapper."""
    function = compiler.jit(getattr(elementary, name), dtype)

    if name in BINARY:

        def loop(x, y, out):
            for i in range(out.shape[0]):
                out[i] = function(x[i], y[i])

    else:

        def loop(x, out):
            for i in range(out.shape[0]):
                out[i] = function(x[i])

    array = numba.types.Array(getattr(numba.types, dtype), 1, "C")
    dispatcher = numba.njit(loop, error_model="numpy")
    dispatcher.compile((array,) * loop.__code__.co_argcount)
    (text,) = dispatcher.inspect_asm().values()
    body, _, _ = text.partition("\t.size")
    return body


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", elementary.__all__)
def test_loop_is_vectorised(name, dtype):
    body = assembly_of_loop(name, dtype)
    assert not CALL.findall(body), "a call, of the C library or of a function that was not inlined"
    assert PACKED_ARITHMETIC.search(body)


def test_a_scalar_loop_is_noticed():
    """The check would fail on the C library's function."""

    @numba.njit
    def loop(x, out):
        for i in range(out.shape[0]):
            out[i] = math.exp(x[i])

    array = numba.types.Array(numba.types.float32, 1, "C")
    loop.compile((array, array))
    (text,) = loop.inspect_asm().values()
    assert CALL.findall(text.partition("\t.size")[0])
