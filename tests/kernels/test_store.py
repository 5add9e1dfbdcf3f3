"""The kernel store survives whatever may be wrong with its folder and its entries."""

import contextlib
import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import warnings
from pathlib import Path

import pytest

from numtensor.kernels import store

KERNELS = Path(store.__file__).parent
REPOSITORY = KERNELS.parent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A store folder of this test alone, in which object code is not run: `load` returns (symbol, code)."""
    monkeypatch.setattr(store, "folder", lambda: str(tmp_path))
    monkeypatch.setattr(store, "_thaw", lambda symbol, code: (symbol, code))
    store._warn_once.cache_clear()
    yield tmp_path
    store._warn_once.cache_clear()


@pytest.fixture
def fresh_folder():
    """Let `store.folder` decide anew, in this test and after it."""
    store.folder.cache_clear()
    yield
    store.folder.cache_clear()


class Build:
    """Stands for the compiler, and counts."""

    def __init__(self):
        self.symbols = []

    def __call__(self, symbol):
        self.symbols.append(symbol)
        return b"code of " + symbol.encode()


def load(build, key="0123"):
    return store.load("forward.some-float64", key, build)


def entry(folder):
    (path,) = folder.glob("*.kernel")
    return path


# ---------------------------------------------------------------------------------------------------------------------
# Entries


def test_an_entry_is_compiled_once_and_then_found(folder):
    build = Build()
    first = load(build)
    assert first == ("numtensor_0123", b"code of numtensor_0123")
    assert load(build) == first
    assert build.symbols == ["numtensor_0123"]
    assert entry(folder).name == "forward.some-float64-0123.kernel"
    assert load(build, key="4567") != first
    assert len(build.symbols) == 2


DAMAGES = {
    "empty": lambda content: b"",
    "truncated": lambda content: content[:-1],
    "truncated header": lambda content: content[:10],
    "only the header": lambda content: content[:51],
    "foreign": lambda content: b"\x7fELF of somebody else" * 10,
    "one bit flipped": lambda content: content[:-3] + bytes([content[-3] ^ 1]) + content[-2:],
    "longer": lambda content: content + b"more",
    "other format": lambda content: content.replace(b"kernel 2", b"kernel 9"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_entry_is_compiled_again_and_repaired(folder, damage):
    build = Build()
    right = load(build)
    content = entry(folder).read_bytes()
    assert damage(content) != content
    entry(folder).write_bytes(damage(content))
    with pytest.warns(store.KernelStoreWarning, match=r"entry forward.some-float64-0123.kernel is damaged; compiling"):
        assert load(build) == right
    assert len(build.symbols) == 2
    assert entry(folder).read_bytes() == content
    assert load(build) == right
    assert len(build.symbols) == 2


def test_an_entry_that_cannot_be_read_is_compiled_again(folder):
    build = Build()
    (folder / "forward.some-float64-0123.kernel").mkdir()
    with pytest.warns(store.KernelStoreWarning, match="cannot be written"):
        assert load(build)[1] == b"code of numtensor_0123"
    assert not list(folder.glob(".writing-*"))


def test_a_folder_that_vanished_is_no_error(folder):
    build = Build()
    shutil.rmtree(folder)
    with pytest.warns(store.KernelStoreWarning, match="cannot be written"):
        load(build)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(build, key="4567")  # Said once.
    assert len(build.symbols) == 2


def test_a_full_disk_leaves_nothing_behind(folder, monkeypatch):
    class Full:
        def __init__(self, handle):
            self.handle = handle

        def __enter__(self):
            return self

        def __exit__(self, *error):
            os.close(self.handle)

        def write(self, content):
            os.write(self.handle, content[:5])
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store.os, "fdopen", lambda handle, mode: Full(handle))
    build = Build()
    with pytest.warns(store.KernelStoreWarning, match="No space left on device"):
        assert load(build)[1] == b"code of numtensor_0123"
    assert not list(folder.iterdir())


def test_a_folder_without_permission_is_no_error(folder, monkeypatch):
    def refuse(directory):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(store, "_open_temporary", refuse)
    with pytest.warns(store.KernelStoreWarning, match="Permission denied"):
        assert load(Build())[1] == b"code of numtensor_0123"


def test_an_error_of_the_compiler_stores_nothing(folder):
    def fail(symbol):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        load(fail)
    assert not list(folder.iterdir())


def test_threads_that_want_the_same_kernel_compile_it_once(folder):
    build, found = Build(), []
    barrier = threading.Barrier(8)

    def want():
        barrier.wait()
        found.append(load(build))

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(build.symbols) == 1
    assert len(set(found)) == 1 and len(found) == 8


# ---------------------------------------------------------------------------------------------------------------------
# The folder


def test_the_chosen_folder_is_used(tmp_path, monkeypatch, fresh_folder):
    monkeypatch.delenv("NUMTENSOR_CACHE", raising=False)
    monkeypatch.setenv("NUMTENSOR_CACHE_DIR", str(tmp_path / "new" / "kernels"))
    found = Path(store.folder())
    assert found.parent == tmp_path / "new" / "kernels"
    assert found.name == store.fingerprint()[:16]
    assert stat.S_IMODE(found.stat().st_mode) & 0o077 == 0, "private: whoever writes there makes us run it"


def test_the_cache_is_in_the_home_folder_by_default(tmp_path, monkeypatch, fresh_folder):
    for name in ("NUMTENSOR_CACHE", "NUMTENSOR_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Path(store.folder()).parent == tmp_path / ".cache" / "numtensor"
    store.folder.cache_clear()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert Path(store.folder()).parent == tmp_path / "xdg" / "numtensor"


def test_a_home_that_cannot_be_written_falls_back_to_a_temporary_folder(tmp_path, monkeypatch, fresh_folder):
    monkeypatch.delenv("NUMTENSOR_CACHE", raising=False)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("NUMTENSOR_CACHE_DIR", str(tmp_path / "file" / "below"))
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    assert Path(store.folder()).parent == tmp_path / f"numtensor-{os.getuid()}"


def test_a_folder_that_others_can_write_is_not_used(tmp_path, monkeypatch, fresh_folder):
    monkeypatch.delenv("NUMTENSOR_CACHE", raising=False)
    chosen = tmp_path / "shared"
    monkeypatch.setenv("NUMTENSOR_CACHE_DIR", str(chosen))
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    inner = chosen / store.fingerprint()[:16]
    inner.mkdir(parents=True)
    inner.chmod(0o777)
    assert Path(store.folder()).parent != chosen


def test_nowhere_to_write_is_said_once_and_is_no_error(tmp_path, monkeypatch, fresh_folder):
    monkeypatch.delenv("NUMTENSOR_CACHE", raising=False)
    monkeypatch.setattr(store, "_usable", lambda path: False)
    with pytest.warns(store.KernelStoreWarning, match="Set NUMTENSOR_CACHE_DIR"):
        assert store.folder() is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert store.folder() is None
    monkeypatch.setattr(store, "_thaw", lambda symbol, code: code)
    assert load(Build()) == b"code of numtensor_0123"
    assert store.entries() == []


def test_the_store_can_be_turned_off(monkeypatch, fresh_folder):
    monkeypatch.setenv("NUMTENSOR_CACHE", "0")
    assert store.folder() is None


def test_clear_removes_the_entries_of_all_versions(tmp_path, monkeypatch, fresh_folder):
    monkeypatch.setenv("NUMTENSOR_CACHE_DIR", str(tmp_path))
    for name in ("one/a.kernel", "two/b.kernel", "two/.writing-c", "two/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    assert store.clear() == (3, 15)
    assert [p.name for p in tmp_path.rglob("*")] == ["two", "notes.txt"]


# ---------------------------------------------------------------------------------------------------------------------
# The key


def test_the_key_changes_with_any_file_of_the_kernels(tmp_path):
    copy = tmp_path / "kernels"
    shutil.copytree(KERNELS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = store._digest_folder(str(copy))
    assert store._digest_folder(str(copy)) == before
    seen = {before}
    for path in sorted(copy.rglob("*.py")):
        content = path.read_bytes()
        path.write_bytes(content + b"\n# A change.\n")
        seen.add(store._digest_folder(str(copy)))
        path.write_bytes(content)
    assert len(seen) == 1 + len(list(copy.rglob("*.py")))
    assert store._digest_folder(str(copy)) == before
    (copy / "forward" / "new.py").write_text("")
    assert store._digest_folder(str(copy)) not in seen
    (copy / "forward" / "new.py").rename(copy / "backward" / "new.py")
    assert store._digest_folder(str(copy)) != before


def _kernel(path, text="def some(x):\n    return x\n"):
    path.write_text(text)
    namespace = {"__name__": "somebody.kernels"}
    exec(compile(text, str(path), "exec"), namespace)
    store._foreign_source.cache_clear()
    return namespace["some"]


def test_the_key_of_a_user_s_kernel_changes_with_its_file(tmp_path, monkeypatch):
    before = store.entry_key(_kernel(tmp_path / "k.py"), "float64")
    assert store.entry_key(_kernel(tmp_path / "k.py"), "float64") == before
    helper_changed = _kernel(tmp_path / "k.py", "def some(x):\n    return x\n\nHELPER = 2\n")
    assert store.entry_key(helper_changed, "float64") != before
    assert store.entry_key(_kernel(tmp_path / "k.py"), "float32") != before


def test_the_key_of_a_kernel_typed_at_the_prompt_changes_with_its_code():
    def at_the_prompt(text):
        namespace = {"__name__": "__main__"}
        exec(compile(text, "<stdin>", "exec"), namespace)
        return store.entry_key(namespace["some"], "float64")

    assert at_the_prompt("def some(x):\n    return x + x") != at_the_prompt("def some(x):\n    return x * x")


# ---------------------------------------------------------------------------------------------------------------------
# Whole processes

PROGRAM = """
import warnings
warnings.simplefilter("always")
import numtensor as nt
print((nt.tensor([1.0, 2.0]) * 3).tolist())
"""


def run(folder, **environment):
    """Run a program on a store folder; return what it prints and what it warns of."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("NUMTENSOR_")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=inherited | {"NUMTENSOR_CACHE_DIR": str(folder), "PYTHONPATH": str(REPOSITORY)} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


def test_a_process_survives_a_damaged_store(tmp_path):
    assert run(tmp_path) == ("[3.0, 6.0]", "")
    (path,) = tmp_path.rglob("forward.*.kernel")
    path.write_bytes(path.read_bytes()[:100])
    printed, warned = run(tmp_path)
    assert printed == "[3.0, 6.0]" and "is damaged; compiling it again" in warned
    assert run(tmp_path) == ("[3.0, 6.0]", "")


def test_a_process_without_a_store_writes_nothing(tmp_path):
    assert run(tmp_path, NUMTENSOR_CACHE="0") == ("[3.0, 6.0]", "")
    with contextlib.suppress(FileNotFoundError):
        assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Python 3.12 warns of every fork beside threads.
def test_a_child_forked_while_another_thread_loads_a_kernel_can_load_its_own():
    held, let_go = threading.Event(), threading.Event()

    def load():
        with store._lock:
            held.set()
            let_go.wait()

    loading = threading.Thread(target=load)
    loading.start()
    held.wait()
    threading.Timer(0.2, let_go.set).start()
    child = os.fork()
    if child == 0:
        # A child that waits for ever is killed, which the parent sees.
        signal.alarm(60)
        with store._lock:
            os._exit(0)
    loading.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
