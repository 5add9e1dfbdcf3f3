"""Every example in a docstring, in docs/ and in the README runs and prints what it says."""

import doctest
import importlib
import pkgutil
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
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), *(REPOSITORY / "docs").rglob("*.rst")])


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
    """An op's docstring is on the declaration; its function is generated, so no module finds it."""
    op = OPS[name]
    found = doctest.DocTestFinder(recurse=False).find(op.public, op.public_name, module=False, globs={})
    assert found and any(test.examples for test in found), f"{op.public_name} has no example"
    failures = run(found)
    assert not failures, failures


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_page(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(page.read_text(), {}, page.name, str(page), 0)
    failures = run([test])
    assert not failures, failures


def test_the_runner_fails_on_a_wrong_example():
    text = ">>> 1 + 1\n3\n"
    assert "Expected" in run([doctest.DocTestParser().get_doctest(text, {}, "wrong", None, 0)])
