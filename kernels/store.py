"""The kernel store: machine code on disk, frozen by the process that compiled it, thawed by the next ones.

Thawing needs neither Numba nor, where kernels are images (`image`), LLVM. Whatever is wrong with the folder
(unwritable, full, removed under us) or with an entry (truncated, foreign) means compiling again, never a failed import
or a wrong kernel: an entry carries a digest of its content, is written under a temporary name and renamed, and its
name is a digest of everything that its code depends on.

Environment: ``NUMTENSOR_CACHE_DIR`` names the folder, ``NUMTENSOR_CACHE=0`` keeps object code in memory only,
``NUMTENSOR_PROGRESS=0`` says nothing of kernels that are compiled (see `progress`).

This is loaded by every process: it asks ``os.path`` for what pathlib, tempfile and hashlib would take 15 ms to import.
"""

import contextlib
import functools
import importlib.util
import os
import platform
import stat
import sys
import threading
import time
import warnings

from . import image, progress, symbols
from .digest import blake2b

_MAGIC = b"numtensor kernel 2\n"
_SUFFIX = ".kernel"
_DIGEST_SIZE = 32
IMAGE, OBJECT = b"i", b"o"
"""How the content of an entry begins: what follows is an image, or object code for LLVM."""
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
        path = os.path.join(root, fingerprint()[:16])
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
        yield chosen
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        if not base.startswith("~"):  # no home folder can be determined
            yield os.path.join(base, "numtensor")
    import tempfile

    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    yield os.path.join(tempfile.gettempdir(), f"numtensor-{user}")


def _usable(path):
    """Create `path` if need be; whether it is a private folder of ours to which we can write."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        if hasattr(os, "getuid"):
            # Whoever can write there can make this process run their code.
            found = os.stat(path)
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
    digest = blake2b(_MAGIC, digest_size=_DIGEST_SIZE)
    for part in (
        sys.implementation.cache_tag,
        sys.platform,
        platform.machine(),
        _version("numba"),
        _version("llvmlite"),
        _processor(),
        *sorted(item for item in os.environ.items() if item[0].startswith("NUMBA_")),
    ):
        digest.update(repr(part).encode() + b"\0")
    digest.update(_digest_folder(os.path.dirname(os.path.abspath(__file__))))
    return digest.hexdigest()


def _digest_folder(path):
    digest = blake2b(digest_size=_DIGEST_SIZE)
    for file in sorted(_sources(path)):
        with open(os.path.join(path, file), "rb") as source:
            digest.update(file.encode() + b"\0" + source.read() + b"\0")
    return digest.digest()


def _sources(path, prefix=""):
    for one in os.scandir(os.path.join(path, prefix)):
        if one.is_dir():
            yield from _sources(path, f"{prefix}{one.name}/")
        elif one.name.endswith(".py"):
            yield prefix + one.name


def _version(package):
    """Return the text of a package's version file: its version without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    try:
        with open(os.path.join(os.path.dirname(spec.origin), "_version.py"), "rb") as file:
            return file.read()
    except OSError:
        return package, os.stat(spec.origin).st_mtime_ns


def _processor():
    """Return what tells processors apart for which LLVM would compile differently."""
    if image.SUPPORTED:
        # Vendor, family, model, and every feature that the kernel knows of.
        with contextlib.suppress(OSError), open("/sys/devices/system/cpu/modalias", "rb") as file:
            return file.read()
    import llvmlite.binding as llvm

    return llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


@functools.cache
def _foreign_source(file):
    """Return a digest of a kernel module outside kernels/: a user's own kernels."""
    with open(file, "rb") as source:
        return blake2b(source.read(), digest_size=_DIGEST_SIZE).hexdigest()


def entry_key(kernel, *parts):
    """Return the key of an entry: hexadecimal digits that name its file and its symbol."""
    digest = blake2b(fingerprint().encode(), digest_size=16)
    digest.update(repr(parts).encode())
    code = kernel.__code__
    digest.update(f"{kernel.__module__}.{kernel.__qualname__}:{code.co_firstlineno}".encode())
    if not kernel.__module__.startswith(__package__ + "."):
        try:
            digest.update(_foreign_source(code.co_filename).encode())
        except OSError:
            digest.update(code.co_code + repr(code.co_consts).encode() + repr(code.co_names).encode())
    return digest.hexdigest()


# ---------------------------------------------------------------------------------------------------------------------
# Freeze and thaw


def load(label, key, build):
    """Return the address of a loop, from the store if it is there, else compiled by `build` and put there.

    Args:
        label: readable start of the entry's file name.
        key: from `entry_key`.
        build: called with the symbol's name; returns `IMAGE` and an image, or `OBJECT` and object code.
    """
    symbol = f"numtensor_{key}"
    with _lock:
        directory = folder()
        path = os.path.join(directory, f"{label}-{key}{_SUFFIX}") if directory else None
        code = _read(path) if path else None
        if code is None:
            code = _compile(label, path, symbol, build)
        return _thaw(symbol, code)


def _compile(label, path, symbol, build):
    if path is None:
        with progress.shown(label):
            return build(symbol)
    with _alone(path) as waited, progress.shown(label):
        code = _read(path) if waited else None
        if code is None:
            code = build(symbol)
            _write(path, code)
        return code


def _read(path):
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError:
        return None
    header = len(_MAGIC) + _DIGEST_SIZE
    code = content[header:]
    if content[: len(_MAGIC)] == _MAGIC and _digest(code) == content[len(_MAGIC) : header]:
        return code
    warnings.warn(
        f"the kernel store's entry {os.path.basename(path)} is damaged; compiling it again",
        KernelStoreWarning,
        stacklevel=4,
    )
    return None


def _write(path, code):
    temporary = None
    try:
        handle, temporary = _open_temporary(os.path.dirname(path))
        with os.fdopen(handle, "wb") as file:
            file.write(_MAGIC + _digest(code) + code)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        # Not the error's own text: it names the temporary file, so that each would be another warning.
        _warn_once(
            f"the kernel store {os.path.dirname(path)} cannot be written ({error.strerror}); "
            "kernels stay in this process"
        )


def _digest(code):
    return blake2b(code, digest_size=_DIGEST_SIZE).digest()


def _open_temporary(directory):
    path = os.path.join(directory, f".writing-{os.getpid()}-{os.urandom(8).hex()}")
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), path


@functools.cache
def _warn_once(message):
    warnings.warn(message, KernelStoreWarning, stacklevel=6)


# A process that was stopped while it compiles must not stop others for ever.
_PATIENCE = 60


@contextlib.contextmanager
def _alone(path):
    """Keep other processes from compiling the same entry; give whether one was just doing that.

    Where files cannot be locked, both compile it, and the entry is that of the second.
    """
    try:
        import fcntl

        name = os.path.join(os.path.dirname(path), f".compiling-{os.path.basename(path)}")
        handle = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
    except (ImportError, OSError):
        yield False
        return
    try:
        waited, give_up = False, time.monotonic() + _PATIENCE
        while time.monotonic() < give_up:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waited = True
                time.sleep(0.01)
            except OSError:  # a file system without locks
                break
            else:
                break
        yield waited
    finally:
        # Whoever waits for the file that is gone finds the entry.
        with contextlib.suppress(OSError):
            os.unlink(name)
        os.close(handle)


def _thaw(symbol, code):
    kind, code = code[:1], code[1:]
    return image.load(code) if kind == IMAGE else _link_by_llvm(symbol, code)


def _link_by_llvm(symbol, code):
    import llvmlite.binding as llvm

    engine = _engine()
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    address = engine.get_function_address(symbol)
    if not address:
        raise RuntimeError(f"the kernel store's object code does not define {symbol}")
    return address


@functools.cache
def _engine():
    """Return the LLVM engine that holds every loop thawed from object code; the store key makes symbols unique."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    # Every name that object code may need: one that stays unresolved would leave others unbound.
    for name in symbols.ALLOWED_SYMBOLS:
        address = symbols.address_of(name)
        # Numba's own, if it is there.
        if address is not None and (name in symbols.LIBM_SYMBOLS or llvm.address_of_symbol(name) is None):
            llvm.add_symbol(name, address)
    module = llvm.parse_assembly("")
    machine = llvm.Target.from_default_triple().create_target_machine()
    return llvm.create_mcjit_compiler(module, machine)


# ---------------------------------------------------------------------------------------------------------------------
# What the command line shows


def entries():
    """Return the paths of this version's entries."""
    directory = folder()
    return [path for path in _files(directory) if path.endswith(_SUFFIX)] if directory else []


def all_entries():
    """Return the paths of the entries of all versions."""
    return [path for path in _files(root()) if path.endswith(_SUFFIX)]


def clear():
    """Remove every entry of every version from the store.

    Returns:
        (number of files removed, bytes freed).
    """
    count = size = 0
    for path in _files(root()):
        if path.endswith(_SUFFIX) or os.path.basename(path).startswith(".writing-"):
            with contextlib.suppress(OSError):
                freed = os.stat(path).st_size
                os.unlink(path)
                size += freed
                count += 1
    for name in os.listdir(root()) if os.path.isdir(root()) else ():
        with contextlib.suppress(OSError):
            os.rmdir(os.path.join(root(), name))
    folder.cache_clear()
    return count, size


def _files(top):
    return sorted(os.path.join(where, name) for where, _, names in os.walk(top) for name in names)
