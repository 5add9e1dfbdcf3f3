"""Kernels as images: linked once, and the same as what LLVM loads; whatever they cannot hold goes to LLVM."""

import ctypes
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from numtensor.kernels import image, store, symbols, ufunc

pytestmark = pytest.mark.skipif(not image.SUPPORTED, reason="images are for x86-64 Linux")

# A loop of NumPy's over float64, and what it may do with each element.
LOOP = """
target triple = "x86_64-unknown-linux-gnu"
@table = private constant [4 x double] [double 1.0, double 10.0, double 100.0, double 1000.0]
declare double @fmod(double, double)
declare double @pow(double, double)
declare double @llvm.floor.f64(double)
declare double @stranger(double)

define void @loop(i8** %args, i64* %dims, i64* %steps, i8* %data) {
entry:
  %n = load i64, i64* %dims
  %in.0 = load i8*, i8** %args
  %x = bitcast i8* %in.0 to double*
  %out.place = getelementptr i8*, i8** %args, i64 1
  %out.0 = load i8*, i8** %out.place
  %y = bitcast i8* %out.0 to double*
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %done]
  %x.i = getelementptr double, double* %x, i64 %i
  %y.i = getelementptr double, double* %y, i64 %i
  %value = load double, double* %x.i
  BODY
  br label %done
done:
  store double %result, double* %y.i
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %end
end:
  ret void
}
"""
CALLS = """
  %a = call double @fmod(double %value, double 3.0)
  %result = call double @pow(double %a, double 2.5)
"""
TABLE = """
  %whole = fptoui double %value to i64
  %place = and i64 %whole, 3
  %entry.i = getelementptr [4 x double], [4 x double]* @table, i64 0, i64 %place
  %b = load double, double* %entry.i
  %result = fmul double %b, 0.1
"""
COUNTS = """
  %old = load i64, i64* @counter
  %new = add i64 %old, 1
  store volatile i64 %new, i64* @counter
  %result = uitofp i64 %new to double
"""
COUNTER = "@counter = internal global i64 0\n"
STRANGER = "%result = call double @stranger(double %value)"
REPOSITORY = Path(store.__file__).parent.parent
X = np.linspace(0.0, 7.0, 50)


def compiled(body, more="", **options):
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(LOOP.replace("BODY", body) + more)
    options = {"reloc": "pic", "codemodel": "default"} | options
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return target.create_target_machine(**options).emit_object(module)


def run(address):
    return ufunc.make_ufunc(address, "loop", ["float64"], ["float64"])(X)


@pytest.mark.parametrize(
    ("body", "expected"),
    [(CALLS, np.fmod(X, 3.0) ** 2.5), (TABLE, 10.0 ** (X.astype(int) & 3) * 0.1)],
    ids=["calls", "constants"],
)
def test_an_image_computes_what_its_object_code_does(body, expected):
    loaded = run(image.load(image.link(compiled(body), "loop")))
    np.testing.assert_allclose(loaded, expected, rtol=1e-15)


def test_an_image_can_be_loaded_twice():
    linked = image.link(compiled(CALLS), "loop")
    first, second = image.load(linked), image.load(linked)
    assert first != second
    assert run(first).tobytes() == run(second).tobytes()


def test_calls_find_their_functions_through_addresses_too():
    """Without a procedure linkage table, code loads the address of a function instead of jumping to it."""
    code = compiled(CALLS.replace("double 3.0)", "double 3.0) #0"), "attributes #0 = { nonlazybind }\n")
    np.testing.assert_allclose(run(image.load(image.link(code, "loop"))), np.fmod(X, 3.0) ** 2.5, rtol=1e-15)


@pytest.mark.parametrize(
    ("body", "options", "why"),
    [
        (COUNTS, {"more": COUNTER}, "section .* is not constant|relocation"),
        (STRANGER, {}, "names 'stranger', which is unknown here"),
        (TABLE, {"reloc": "static", "codemodel": "large"}, "relocation 1 "),
        (CALLS, {"reloc": "static", "codemodel": "large"}, "relocation 1 of fmod"),
    ],
    ids=["writable data", "unknown function", "absolute address", "absolute call"],
)
def test_what_an_image_cannot_hold_is_refused(body, options, why):
    with pytest.raises(image.CannotLink, match=why):
        image.link(compiled(body, **options), "loop")


def test_what_is_no_object_code_is_refused():
    code = compiled(TABLE)
    for foreign in (b"", b"MZ" * 100, code[:18] + struct.pack("<H", 183) + code[20:]):
        with pytest.raises(image.CannotLink, match="not object code"):
            image.link(foreign, "loop")
    with pytest.raises(image.CannotLink, match="another is not defined"):
        image.link(code, "another")


def test_memory_of_a_kernel_cannot_be_written():
    address = image.load(image.link(compiled(TABLE), "loop"))
    with open("/proc/self/maps") as maps:
        for line in maps:
            bounds, rights = line.split()[:2]
            first, last = (int(bound, 16) for bound in bounds.split("-"))
            if first <= address < last:
                assert rights == "r-xp"
                return
    raise AssertionError("the kernel's memory is not mapped")


def test_no_memory_is_an_error_that_says_so(monkeypatch):
    linked = image.link(compiled(TABLE), "loop")

    class Refusing:
        def mmap(self, *arguments):
            return ctypes.c_void_p(-1).value

    monkeypatch.setattr(image, "_system", Refusing)
    with pytest.raises(OSError, match="no memory for a kernel"):
        image.load(linked)


def test_every_allowed_symbol_is_known_here():
    assert [name for name in symbols.ALLOWED_SYMBOLS if symbols.address_of(name) is None] == []


PROGRAM = """
import sys
import numpy as np
import numtensor
from numtensor.kernels import compiler, image, store
from numtensor.kernels.declare import REGISTRY


def refuse(code, symbol):
    raise image.CannotLink("as on another processor")


if sys.argv[1] == "object":
    image.link = refuse
x = np.linspace(-4, 4, 1001, dtype=np.float32)
for name in ("forward.exponential.exp", "forward.arithmetic.fmod", "forward.reduction.sum", "forward.activation.gelu"):
    kernel = REGISTRY[name]
    ufunc = kernel.loops[x.dtype]
    print(name, ufunc(*[x] * ufunc.nin).tobytes().hex())
print({content[len(store._MAGIC) + 32 :][:1] for content in (open(path, "rb").read() for path in store.entries())})
"""


def test_images_give_the_bits_that_llvm_s_own_loading_gives(tmp_path):
    """The whole way: from a kernel's text to its results, by an image and by object code."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("NUMTENSOR_", "NUMBA_"))}
    printed = {}
    for kind in ("image", "object"):
        environment = inherited | {"NUMTENSOR_CACHE_DIR": str(tmp_path / kind), "PYTHONPATH": str(REPOSITORY)}
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-c", PROGRAM, kind], env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            *results, kinds = done.stdout.splitlines()
            assert kinds == str({store.IMAGE if kind == "image" else store.OBJECT})
            printed.setdefault(kind, results)
            assert results == printed[kind]
    assert printed["image"] == printed["object"]
