"""The kernel store: object code on disk, frozen by the process that compiled it, thawed by the next ones.

Thawing needs llvmlite alone, not Numba. Whatever is wrong with the folder (unwritable, full, removed under us) or
with an entry (truncated, foreign) means compiling again, never a failed import or a wrong kernel: an entry carries
a digest of its content, is written under a temporary name and renamed, and its name is a digest of everything that
its code depends on.

Environment: ``NUMTENSOR_CACHE_DIR`` names the folder, ``NUMTENSOR_CACHE=0`` keeps object code in memory only.
"""

import contextlib
import functools
import hashlib
import importlib.util
import os
import stat
import sys
import tempfile
import threading
import warnings
from pathlib import Path

_MAGIC = b"numtensor kernel 1\n"
_SUFFIX = ".kernel"
_lock = threading.RLock()
if hasattr(os, "register_at_fork"):
    # A child forked while another thread loads or compiles a kernel would wait for ever for a thread it does not have.
    # Kernels are compiled under this lock, so that Numba's is free, too, when it is held.
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


class KernelStoreWarning(RuntimeWarning):
    """The kernel store could not be used as it should; kernels are compiled again."""


# ---------------------------------------------------------------------------------------------------------------------
# Where


@functools.cache
def folder():
    """Return the folder of this version's and CPU's entries, or None when nothing can be kept on disk."""
    if os.environ.get("NUMTENSOR_CACHE", "1") == "0":
        return None
    for root in _candidates():
        path = root / fingerprint()[:16]
        if _usable(path):
            return path
    warnings.warn(
        "no folder for the kernel store can be written; kernels are compiled anew in each process. "
        "Set NUMTENSOR_CACHE_DIR to a writable folder.",
        KernelStoreWarning,
        stacklevel=2,
    )
    return None


def root():
    """Return the folder that holds the entries of all versions, whether or not it exists."""
    return next(iter(_candidates()))


def _candidates():
    chosen = os.environ.get("NUMTENSOR_CACHE_DIR")
    if chosen:
        yield Path(chosen)
    else:
        base = os.environ.get("XDG_CACHE_HOME")
        with contextlib.suppress(RuntimeError):  # no home folder can be determined
            yield (Path(base) if base else Path.home() / ".cache") / "numtensor"
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    yield Path(tempfile.gettempdir()) / f"numtensor-{user}"


def _usable(path):
    """Create `path` if need be; whether it is a private folder of ours to which we can write."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid"):
            # Whoever can write there can make this process run their code.
            found = path.stat()
            if found.st_uid != os.getuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return False
        return os.access(path, os.R_OK | os.W_OK | os.X_OK)
    except OSError:
        return False


# ---------------------------------------------------------------------------------------------------------------------
# Key


@functools.cache
def fingerprint():
    """Return a digest of what every entry depends on: sources of kernels/, versions, CPU, compile flags."""
    import llvmlite.binding as llvm

    digest = hashlib.sha256(_MAGIC)
    for part in (
        sys.implementation.cache_tag,
        _numba_version(),
        llvm.llvm_version_info,
        llvm.get_process_triple(),
        os.environ.get("NUMBA_CPU_NAME") or llvm.get_host_cpu_name(),
        os.environ.get("NUMBA_CPU_FEATURES") or llvm.get_host_cpu_features().flatten(),
        *sorted(item for item in os.environ.items() if item[0].startswith("NUMBA_")),
    ):
        digest.update(repr(part).encode() + b"\0")
    digest.update(_digest_folder(Path(__file__).parent))
    return digest.hexdigest()


def _digest_folder(path):
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*.py")):
        digest.update(str(file.relative_to(path)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.digest()


def _numba_version():
    """Return the text of Numba's version file: its version without importing it."""
    spec = importlib.util.find_spec("numba")
    if spec is None or spec.origin is None:
        return None
    try:
        return (Path(spec.origin).parent / "_version.py").read_bytes()
    except OSError:
        return "numba", Path(spec.origin).stat().st_mtime_ns


@functools.cache
def _foreign_source(file):
    """Return a digest of a kernel module outside kernels/: a user's own kernels."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def entry_key(kernel, *parts):
    """Return the key of an entry: hexadecimal digits that name its file and its symbol."""
    digest = hashlib.sha256(fingerprint().encode())
    digest.update(repr(parts).encode())
    code = kernel.__code__
    digest.update(f"{kernel.__module__}.{kernel.__qualname__}:{code.co_firstlineno}".encode())
    if not kernel.__module__.startswith(__package__ + "."):
        try:
            digest.update(_foreign_source(code.co_filename).encode())
        except OSError:
            digest.update(code.co_code + repr(code.co_consts).encode() + repr(code.co_names).encode())
    return digest.hexdigest()[:32]


# ---------------------------------------------------------------------------------------------------------------------
# Freeze and thaw


def load(label, key, build):
    """Return the address of a loop, from the store if it is there, else compiled by `build` and put there.

    Args:
        label: readable start of the entry's file name.
        key: from `entry_key`.
        build: called with the symbol's name; returns object code.
    """
    symbol = f"numtensor_{key}"
    with _lock:
        directory = folder()
        path = directory / f"{label}-{key}{_SUFFIX}" if directory else None
        code = _read(path) if path else None
        if code is None:
            code = build(symbol)
            if path:
                _write(path, code)
        return _thaw(symbol, code)


def _read(path):
    try:
        content = path.read_bytes()
    except OSError:
        return None
    header = len(_MAGIC) + 32
    code = content[header:]
    if content[: len(_MAGIC)] == _MAGIC and hashlib.sha256(code).digest() == content[len(_MAGIC) : header]:
        return code
    warnings.warn(
        f"the kernel store's entry {path.name} is damaged; compiling it again", KernelStoreWarning, stacklevel=4
    )
    return None


def _write(path, code):
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
        with os.fdopen(handle, "wb") as file:
            file.write(_MAGIC + hashlib.sha256(code).digest() + code)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        # Not the error's own text: it names the temporary file, so that each would be another warning.
        _warn_once(f"the kernel store {path.parent} cannot be written ({error.strerror}); kernels stay in this process")


@functools.cache
def _warn_once(message):
    warnings.warn(message, KernelStoreWarning, stacklevel=5)


@functools.cache
def _engine():
    """Return the LLVM engine that holds every thawed loop; their symbols are unique by the store key."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    _register_symbols(llvm)
    module = llvm.parse_assembly("")
    machine = llvm.Target.from_default_triple().create_target_machine()
    return llvm.create_mcjit_compiler(module, machine)


def _register_symbols(llvm):
    """Bind every name that object code may need: one that stays unresolved would leave others unbound."""
    import ctypes

    from .compiler import LIBM_SYMBOLS, RUNTIME_SYMBOLS

    process = ctypes.CDLL(None)
    libraries = [process]
    with contextlib.suppress(OSError):
        libraries.append(ctypes.CDLL("libm.so.6"))
    for name in LIBM_SYMBOLS:
        for library in libraries:
            found = getattr(library, name, None)
            if found is not None:
                llvm.add_symbol(name, ctypes.cast(found, ctypes.c_void_p).value)
                break
    # Called on a Numba-level error only, which a kernel cannot have: stop rather than go on with garbage.
    stop = ctypes.cast(process.abort, ctypes.c_void_p).value
    for name in RUNTIME_SYMBOLS:
        if llvm.address_of_symbol(name) is None:
            llvm.add_symbol(name, stop)


def _thaw(symbol, code):
    import llvmlite.binding as llvm

    engine = _engine()
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    address = engine.get_function_address(symbol)
    if not address:
        raise RuntimeError(f"the kernel store's object code does not define {symbol}")
    return address


# ---------------------------------------------------------------------------------------------------------------------
# What the command line shows


def entries():
    """Return the paths of this version's entries."""
    directory = folder()
    return sorted(directory.glob(f"*{_SUFFIX}")) if directory else []


def clear():
    """Remove every entry of every version from the store.

    Returns:
        (number of files removed, bytes freed).
    """
    count = size = 0
    for path in list(root().rglob(f"*{_SUFFIX}")) + list(root().rglob(".writing-*")):
        with contextlib.suppress(OSError):
            size += path.stat().st_size
            path.unlink()
            count += 1
    for path in root().glob("*"):
        with contextlib.suppress(OSError):
            path.rmdir()
    folder.cache_clear()
    return count, size
