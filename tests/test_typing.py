"""Type checkers read the package as a user's editor does; decorated functions keep their types, and pickle."""

import asyncio
import functools
import importlib.util
import multiprocessing
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import numtensor as nt

from .calls import BY_PUBLIC_NAME
from .op_table import T, all_rows

REPOSITORY = Path(__file__).parent.parent
USER = REPOSITORY / "tests" / "data" / "typed_user.py"


def mypy(*arguments, cache):
    return _run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--no-error-summary"),
            *("--config-file=", f"--cache-dir={cache}", *map(str, arguments)),
        ]
    )


def pyright(*arguments, cache):
    return _run([_pyright(), "--pythonpath", sys.executable, *map(str, arguments)])


def _pyright():
    beside = Path(sys.executable).with_name("pyright")
    return str(beside) if beside.exists() else shutil.which("pyright")


def _run(command):
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False)


@functools.cache
def _pyright_works():
    """Whether it is there: what pip installs downloads the checker itself when it is first called."""
    if _pyright() is None:
        return False
    try:
        return subprocess.run([_pyright(), "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Where mypy keeps what it read, which takes it most of the time of its first run."""
    return tmp_path_factory.mktemp("mypy")


@pytest.fixture(params=[mypy, pyright], ids=lambda checker: checker.__name__)
def checker(request, cache):
    """Each type checker that is installed."""
    installed = importlib.util.find_spec("mypy") is not None if request.param is mypy else _pyright_works()
    if not installed:
        pytest.skip(f"{request.param.__name__} is not installed")
    return functools.partial(request.param, cache=cache)


def test_a_user_s_program_is_right_and_its_errors_are_found(checker):
    done = checker(USER)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_checkers_would_find_what_the_program_asks_them_to_ignore(checker, tmp_path):
    """The test above can fail: without the requests, each line that had one is an error."""
    text = USER.read_text(encoding="utf-8")
    wrong = {number for number, line in enumerate(text.splitlines(), 1) if "# type: ignore" in line}
    program = tmp_path / "program.py"
    program.write_text(re.sub(r"  # type: ignore.*", "", text), encoding="utf-8")
    done = checker(program)
    assert {int(line) for line in re.findall(r"program\.py:(\d+)(?::\d+)?(?: -|:) error", done.stdout)} == wrong


def shown(value):
    """Return the text of an argument of the test table in a program where ``x`` is a tensor."""
    if isinstance(value, T):
        return "x"
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, tuple):
        return f"({''.join(f'{shown(one)}, ' for one in value)})"
    if isinstance(value, float):
        return f"float({str(value)!r})"
    if value is None or isinstance(value, (bool, int, str)):
        return repr(value)
    return f"nt.{value.name}" if isinstance(value, nt.dtype) else "anything"


def table_calls():
    """Return the calls of the test table's samples, of functions and methods that the repository's stubs have."""
    package = REPOSITORY / "numtensor"
    known = {
        space: set(re.findall(r"def (\w+)\(", (package / stub).read_text(encoding="utf-8")))
        for space, stub in {"": "__init__.pyi", "nn.functional": "nn/functional.pyi", "Tensor": "_methods.pyi"}.items()
    }
    calls = {}
    for row in all_rows().values():
        op = BY_PUBLIC_NAME.get(row.name)
        for sample in row.samples if op is not None else ():
            first, *rest = [*map(shown, sample.args), *(f"{k}={shown(v)}" for k, v in sample.kwargs.items())]
            if op.namespace != "Tensor" and op.function_name in known.get(op.namespace, ()):
                calls[f"nt.{row.name}({', '.join([first, *rest])})"] = None
            if op.method in known["Tensor"] and first == "x":
                calls[f"x.{op.method}({', '.join(rest)})"] = None
    return list(calls)


def test_the_types_allow_every_call_of_the_test_table(checker, tmp_path):
    calls = table_calls()
    assert len(calls) > 1000
    program = tmp_path / "program.py"
    head = ["import numtensor as nt", "from typing import Any", "x = nt.zeros(2)", "anything: Any = None"]
    program.write_text("\n".join([*head, *calls, ""]), encoding="utf-8")
    done = checker(program)
    lines = program.read_text(encoding="utf-8").splitlines()
    wrong = {int(line) for line in re.findall(r"program\.py:(\d+)(?::\d+)?(?: -|:) error", done.stdout)}
    assert not wrong, "\n".join([*(lines[line - 1] for line in sorted(wrong)), done.stdout])
    assert done.returncode == 0, done.stdout + done.stderr


# ---------------------------------------------------------------------------------------------------------------------
# Decorated functions


@nt.no_grad()
def plain(x):
    return nt.is_grad_enabled(), x


@nt.inference_mode
def bare(x):
    return nt.is_inference_mode_enabled(), x


@nt.set_grad_enabled(False)
def chosen(x):
    return nt.is_grad_enabled(), x


@nt.inference_mode()
def generator(x):
    yield nt.is_inference_mode_enabled(), x


@nt.no_grad
async def coroutine(x):
    return nt.is_grad_enabled(), x


class Model:
    @nt.inference_mode
    def predict(self, x):
        return nt.is_inference_mode_enabled(), x


DECORATED = [plain, bare, chosen, generator, coroutine, Model.predict]


@pytest.mark.parametrize("function", DECORATED, ids=lambda function: function.__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_decorated_functions_pickle(function, protocol):
    assert pickle.loads(pickle.dumps(function, protocol)) is function


def test_unpickled_functions_run_in_their_mode():
    assert pickle.loads(pickle.dumps(plain))(3) == (False, 3)
    assert list(pickle.loads(pickle.dumps(generator))(3)) == [(True, 3)]
    assert asyncio.run(pickle.loads(pickle.dumps(coroutine))(3)) == (False, 3)
    assert pickle.loads(pickle.dumps(Model().predict))(3) == (True, 3)


def test_decorated_functions_run_in_a_process_that_did_not_inherit_them(monkeypatch):
    """A spawned process imports the module and looks the functions up by name."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(plain, [1, 2]) == [(False, 1), (False, 2)]
        assert pool.apply(Model().predict, (3,)) == (True, 3)
