"""What an import of numtensor loads, and what it leaves for later."""

import os
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
    "numtensor.func.trees",
    "numtensor.kernels.pipeline",
    "numtensor.optim.optimizer",
    "numtensor.utils.checkpoint",
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


ON_DEMAND = pytest.mark.parametrize("name", ["func", "optim", "utils"])


@ON_DEMAND
def test_a_module_on_demand_is_executed_at_the_first_look_and_is_the_one_that_imports_give(name):
    program = f"""
import sys, types
import numtensor as nt
module = nt.{name}
import numtensor.{name}
from numtensor import {name}
assert type(module) is not types.ModuleType
assert module is {name} is sys.modules["numtensor.{name}"] is numtensor.{name}
names = [name for name in dir(module) if not name.startswith("_")]
assert names and all(hasattr(module, name) for name in names) and type(module) is types.ModuleType
print(module.__doc__ is not None, hasattr(module, "no_such_thing"))
"""
    assert run(program) == "True False\n"


@pytest.mark.parametrize("name", ["func.forward", "optim.adam", "utils.data"])
def test_a_part_of_a_module_on_demand_can_be_imported_first(name):
    package, part = name.split(".")
    program = f"""
import sys
import numtensor.{name} as part
import numtensor as nt
print(part is sys.modules["numtensor.{name}"] is nt.{package}.{part}, len(dir(nt.{package})) > 10)
"""
    assert run(program) == "True True\n"


def test_threads_that_ask_first_all_get_the_whole_module():
    program = """
import sys
import threading
import numtensor as nt
sys.setswitchinterval(1e-6)
start, found = threading.Barrier(8), []

def look(k):
    start.wait()
    if k % 2:
        found.append(nt.optim.SGD)
    else:
        import numtensor.optim.sgd
        found.append(numtensor.optim.sgd.SGD)

threads = [threading.Thread(target=look, args=(k,), daemon=True) for k in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(60)
print(found == [nt.optim.SGD] * 8)
"""
    assert {run(program) for _ in range(4)} == {"True\n"}


def test_a_module_on_demand_that_fails_says_so_each_time_and_can_be_mended(tmp_path):
    folder = tmp_path / "failing"
    folder.mkdir()
    (folder / "__init__.py").write_text("before = 1\nimport no_such_module_of_anybody\nafter = 2\n")
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from numtensor._on_demand import on_demand
module = on_demand("failing")
for _ in range(2):
    try:
        module.after
    except ImportError as error:
        print(error.name)
sys.modules["no_such_module_of_anybody"] = sys
print(module.after, on_demand("failing") is module)
"""
    assert run(program).split() == ["no_such_module_of_anybody"] * 2 + ["2", "True"]


@ON_DEMAND
def test_a_module_on_demand_can_be_reloaded_before_it_is_executed_and_after(name):
    program = f"""
import importlib, types
import numtensor as nt
for _ in range(2):
    module = importlib.reload(nt.{name})
    print(module is nt.{name}, type(module) is types.ModuleType, len(dir(module)) > 10)
"""
    assert run(program) == "True True True\n" * 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_that_is_forked_while_a_module_is_executed_has_it(tmp_path):
    folder = tmp_path / "slow"
    folder.mkdir()
    (folder / "__init__.py").write_text("import slow.part\n")
    (folder / "part.py").write_text("import threading\nthreading.begun.set()\nthreading.may_end.wait()\nwhole = 5\n")
    program = f"""
import os, signal, sys, threading
sys.path.insert(0, {str(tmp_path)!r})
from numtensor._on_demand import on_demand
module = on_demand("slow")
threading.begun, threading.may_end = threading.Event(), threading.Event()
looking = threading.Thread(target=lambda: module.part)
looking.start()
threading.begun.wait()
threading.Timer(0.2, threading.may_end.set).start()
child = os.fork()
if child == 0:
    signal.alarm(20)
    os._exit(module.part.whole)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), module.part.whole)
"""
    assert run(program) == "5 5\n"


def test_every_name_of_the_package_is_named():
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
