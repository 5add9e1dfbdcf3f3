"""What an import of numtensor loads, and what it leaves for later."""

import subprocess
import sys
from pathlib import Path

import pytest

import numtensor as nt

REPOSITORY = Path(nt.__file__).parent.parent

# Builds a network and predicts, then prints what was imported for that.
PROGRAM = """
import sys
import numpy
before = set(sys.modules)
import numtensor as nt
from numtensor import nn
model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).eval()
with nt.inference_mode():
    model(nt.ones(1, 4))
print(*sorted(set(sys.modules) - before))
"""
# Each is slow to import or takes much memory, and a process that predicts from a warm store needs none.
NEEDLESS = {
    "json",
    "llvmlite",
    "numba",
    "numtensor.func",
    "numtensor.kernels.pipeline",
    "numtensor.optim",
    "numtensor.serialization",
    "numtensor.utils",
    "pathlib",
    "scipy",
    "tempfile",
    "urllib",
    "zipfile",
}


def run(program):
    return subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=300
    ).stdout


def test_a_process_that_predicts_imports_nothing_that_it_does_not_use():
    run(PROGRAM)  # The first may compile.
    loaded = set(run(PROGRAM).split())
    assert "numtensor.nn.plan" in loaded
    compilers = set() if nt.kernels.image.SUPPORTED else {"llvmlite"}
    assert loaded & NEEDLESS - compilers == set()


def test_the_needless_are_imported_when_they_are_asked_for():
    for name in ("func", "optim", "utils"):
        program = f"""
import sys
import numtensor
assert "numtensor.{name}" not in sys.modules
print(numtensor.{name} is sys.modules["numtensor.{name}"])
"""
        assert run(program) == "True\n"


def test_names_that_are_imported_on_demand_are_named():
    program = """
import numtensor
assert {"func", "load", "optim", "save", "utils", "exp"} <= set(dir(numtensor))
names = {}
exec("from numtensor import *", names)
print(sorted(set(numtensor.__all__) - names.keys()), names["save"] is numtensor.serialization.save)
"""
    assert run(program) == "[] True\n"


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'numtensor' has no attribute 'no_such_thing'"):
        nt.no_such_thing  # noqa: B018
    assert not hasattr(nt, "_no_such_thing")
