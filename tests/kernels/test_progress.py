"""What a program says while it waits for kernels: one line, on a terminal only, and gone afterwards."""

import io
import os
import re
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import pytest

from numtensor.kernels import progress, store

REPOSITORY = Path(store.__file__).parent.parent
LINE = "numtensor: compiling forward.some.thing[0,1-1] float32 ..."
LABEL = "forward.some.thing[0,1-1]-float32"


class Terminal(io.StringIO):
    """A terminal that keeps what is written, and says when something is."""

    def __init__(self):
        super().__init__()
        self.wrote = threading.Event()

    def isatty(self):
        return True

    def write(self, text):
        super().write(text)
        self.wrote.set()


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.delenv("NUMTENSOR_PROGRESS", raising=False)
    terminal = Terminal()
    # pytest puts its own in the place of the process's when the test begins.
    monkeypatch.setattr(progress, "sys", types.SimpleNamespace(stderr=terminal))
    # No test before this one began the wait.
    monkeypatch.setattr(progress._Wait, "since", float("-inf"))
    monkeypatch.setattr(progress._Wait, "until", float("-inf"))
    return terminal


def test_a_long_wait_is_shown_and_erased(terminal, monkeypatch):
    monkeypatch.setattr(progress, "_DELAY", 0.01)
    with progress.shown(LABEL):
        assert terminal.wrote.wait(20)
    assert terminal.getvalue() == f"\r{LINE}\r{' ' * len(LINE)}\r"


def test_a_short_wait_is_not_shown(terminal, monkeypatch):
    monkeypatch.setattr(progress, "_DELAY", 30)
    with progress.shown(LABEL):
        pass
    assert terminal.getvalue() == ""
    assert not [one for one in threading.enumerate() if isinstance(one, threading.Timer) and not one.finished.is_set()]


def test_short_waits_in_a_row_are_one_long_wait(terminal, monkeypatch):
    """Thirty kernels of a third of a second each are ten seconds."""
    monkeypatch.setattr(progress, "_DELAY", 0.2)
    monkeypatch.setattr(progress, "_PAUSE", 60)
    deadline = time.monotonic() + 20
    while not terminal.wrote.is_set():
        assert time.monotonic() < deadline, "never shown"
        with progress.shown(LABEL):
            time.sleep(0.02)
    assert LINE in terminal.getvalue()


def test_a_wait_after_a_pause_is_a_new_one(terminal, monkeypatch):
    monkeypatch.setattr(progress, "_DELAY", 30)
    monkeypatch.setattr(progress, "_PAUSE", 0)
    with progress.shown(LABEL):
        first = progress._Wait.since
    time.sleep(0.01)
    with progress.shown(LABEL):
        assert progress._Wait.since > first


def test_the_line_goes_when_compiling_fails(terminal, monkeypatch):
    monkeypatch.setattr(progress, "_DELAY", 0.01)
    with pytest.raises(ZeroDivisionError), progress.shown(LABEL):
        assert terminal.wrote.wait(20)
        raise ZeroDivisionError
    assert terminal.getvalue().endswith(f"\r{' ' * len(LINE)}\r")


def test_nothing_is_written_after_the_end(terminal):
    line = progress._Line(terminal, LINE)
    line.erase()
    line.write()
    assert terminal.getvalue() == ""


def test_a_line_is_cut_to_the_terminal(terminal, monkeypatch):
    monkeypatch.setattr(progress, "_columns", lambda stream: 20)
    line = progress._Line(terminal, LINE)
    line.write()
    line.erase()
    assert terminal.getvalue() == f"\r{LINE[:19]}\r{' ' * 19}\r"


@pytest.mark.parametrize("stream", [None, io.StringIO(), "closed"], ids=["none", "no terminal", "closed"])
def test_without_a_terminal_nothing_is_said(stream, monkeypatch):
    if stream == "closed":
        stream = Terminal()
        stream.close()
    monkeypatch.delenv("NUMTENSOR_PROGRESS", raising=False)
    monkeypatch.setattr(progress, "sys", types.SimpleNamespace(stderr=stream))
    monkeypatch.setattr(progress, "_DELAY", 0)
    with progress.shown(LABEL):
        time.sleep(0.05)
    if isinstance(stream, io.StringIO) and not stream.closed:
        assert stream.getvalue() == ""


def test_a_terminal_that_breaks_is_no_error(terminal, monkeypatch):
    monkeypatch.setattr(progress, "_DELAY", 0)

    def fail(text):
        terminal.wrote.set()
        raise OSError("gone")

    monkeypatch.setattr(terminal, "write", fail)
    with progress.shown(LABEL):
        assert terminal.wrote.wait(20)


def test_it_can_be_turned_off(terminal, monkeypatch):
    monkeypatch.setattr(progress, "_DELAY", 0)
    monkeypatch.setenv("NUMTENSOR_PROGRESS", "1")
    progress.turn_off()
    with progress.shown(LABEL):
        time.sleep(0.05)
    assert terminal.getvalue() == ""


PROGRAM = """
import sys
import numtensor as nt
from numtensor.kernels import progress
progress._DELAY = 0.05
x = nt.tensor([1.0, 2.0])
print((x * 3).tolist())
print((x * 4).tolist())
"""


def run_on_a_terminal(folder, **environment):
    """Run a program whose standard error is a terminal; return what it wrote there."""
    pty = pytest.importorskip("pty")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("NUMTENSOR_")}
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env=inherited | {"NUMTENSOR_CACHE_DIR": str(folder), "PYTHONPATH": str(REPOSITORY)} | environment,
            stdout=subprocess.PIPE,
            stderr=theirs,
            text=True,
        )
        os.close(theirs)
        chunks = []
        while True:
            try:
                chunk = os.read(ours, 4096)
            except OSError:  # Linux's way to say that nobody has the other end any more
                break
            if not chunk:
                break
            chunks.append(chunk)
        printed, _ = process.communicate(timeout=300)
    finally:
        os.close(ours)
    written = b"".join(chunks).decode()
    assert process.returncode == 0, written
    assert printed.split("\n")[:2] == ["[3.0, 6.0]", "[4.0, 8.0]"]
    return written


def test_a_program_says_what_it_waits_for_and_then_no_more(tmp_path):
    assert run_on_a_terminal(tmp_path / "off", NUMTENSOR_PROGRESS="0") == ""
    written = run_on_a_terminal(tmp_path / "on")
    lines = re.findall(r"\r(numtensor: compiling [^\r]+ \.\.\.)\r", written)
    assert "numtensor: compiling forward.arithmetic.mul float32 ..." in lines
    assert written == "".join(f"\r{line}\r{' ' * len(line)}\r" for line in lines), "each is gone again"
    assert run_on_a_terminal(tmp_path / "on") == "", "from the store there is nothing to wait for"
