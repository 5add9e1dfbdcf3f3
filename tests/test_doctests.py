"""Every example in a docstring, in docs/ and in the README runs and prints what it says."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import numtensor as nt
from numtensor.ops.declaration import OPS

REPOSITORY = Path(__file__).parent.parent
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

# Importing it runs the command line.
SKIPPED = {"numtensor.__main__"}

MODULES = sorted(
    {info.name for info in pkgutil.walk_packages(nt.__path__, "numtensor.")}
    | {info.name for info in pkgutil.walk_packages(nt.kernels.__path__, "numtensor.kernels.")}
)
# docs/reference is made of the docstrings, and test_contributing.py follows CONTRIBUTING.md.
PAGES = sorted(
    path
    for path in [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md"), *(REPOSITORY / "docs").glob("*.rst")]
    if path.name != "CONTRIBUTING.md"
)


def run(tests):
    """Run the examples of several `doctest.DocTest`; return what failed as text."""
    printed = []
    for test in tests:
        runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
        runner.run(test, out=printed.append)
    return "".join(printed)


@pytest.mark.parametrize("name", [name for name in MODULES if name not in SKIPPED])
def test_module(name):
    module = importlib.import_module(name)
    failures = run(doctest.DocTestFinder(exclude_empty=True).find(module, name, module=module))
    assert not failures, failures


@pytest.mark.parametrize("name", sorted(OPS))
def test_op(name):
    """An op's docstring is on its declaration; the functions that show it are generated, so no module finds them."""
    op = OPS[name]
    test = doctest.DocTestParser().get_doctest(op.doc, {}, op.public_name, None, 0)
    assert test.examples, f"{op.public_name} has no example"
    failures = run([test])
    assert not failures, failures


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_page(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    # A fence behind the last line of output would be taken for output.
    text = re.sub(r"^\s*```.*$", "", page.read_text(), flags=re.MULTILINE)
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    failures = run([test])
    assert not failures, failures


def test_the_runner_fails_on_a_wrong_example():
    text = ">>> 1 + 1\n3\n"
    assert "Expected" in run([doctest.DocTestParser().get_doctest(text, {}, "wrong", None, 0)])
