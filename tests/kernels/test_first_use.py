"""The first use of an op compiles what it needs and nothing else: one kernel, for one dtype."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from numtensor.kernels import store

REPOSITORY = Path(store.__file__).parent.parent

# Prints the kernels that each line compiled.
PROGRAM = """
import sys
import numtensor as nt
from numtensor.kernels import store

seen = set()
names = {"nt": nt}
for line in sys.argv[1:]:
    exec(line, names)
    new = set(store.entries()) - seen
    seen |= new
    print(*sorted(path.rpartition("/")[2] for path in new))
"""


def compiled(folder, *lines):
    """Run lines in a new process on a store folder; return the kernels that each of them compiled.

    What all kernels share, and the first compiles, is left out.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("NUMTENSOR_")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *lines],
        env=inherited | {"NUMTENSOR_CACHE_DIR": str(folder), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = [[re.sub(r"-\w+\.kernel$", "", name) for name in line.split()] for line in done.stdout.split("\n")[:-1]]
    return [[name for name in names if name.startswith(("forward.", "backward."))] for names in found]


def test_an_op_compiles_one_kernel_when_it_is_used_and_its_gradient_when_that_is(tmp_path):
    lines = {
        "x = nt.tensor([1.0, 2.0], requires_grad=True)": [],
        "y = x.tanh()": ["forward.hyperbolic.tanh-float32"],
        "z = x.tanh()": [],
        "y.backward(nt.ones(2))": ["backward.hyperbolic.tanh[0,1-0]-float32"],
        "w = nt.tensor([1.0], dtype=nt.float64).tanh()": ["forward.hyperbolic.tanh-float64"],
    }
    assert dict(zip(lines, compiled(tmp_path, *lines), strict=True)) == lines


def test_a_gradient_of_one_operand_does_not_compile_that_of_the_other(tmp_path):
    lines = {
        "x, y = nt.ones(2, requires_grad=True), nt.ones(2)": [],
        "z = x * y": ["forward.arithmetic.mul-float32"],
        "z.backward(nt.ones(2))": ["backward.arithmetic.mul[0,2-0]-float32"],
    }
    assert dict(zip(lines, compiled(tmp_path, *lines), strict=True)) == lines


def test_importing_compiles_nothing(tmp_path):
    assert compiled(tmp_path, "import numtensor.nn.functional", "nt.nn.Linear(3, 3)") == [[], []]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="files are locked on Unix")
def test_processes_that_want_one_kernel_at_once_compile_it_once(tmp_path):
    program = """
import sys
import numtensor as nt
from numtensor.kernels import store
write = store._write


def told(path, code):
    print(path)
    write(path, code)


store._write = told
sys.stdin.readline()
assert nt.tensor([1.0]).exp().tolist()
"""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("NUMTENSOR_")}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env=inherited | {"NUMTENSOR_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    printed = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    compiled = "".join(printed).split()
    assert sorted(compiled) == sorted(set(compiled)) == sorted(map(str, tmp_path.rglob("*.kernel")))
    assert not [path.name for path in tmp_path.rglob(".*")], "locks and temporary files are gone"
