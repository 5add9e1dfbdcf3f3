"""The checked build finds an index out of range that the check in front of a kernel let pass.

In the ordinary build such an index is silent memory corruption, so this is what tests those checks: CI runs the index
ops under ``NUMTENSOR_CHECKED=1``. Here the checks are removed, and the kernel has to notice.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from numtensor.kernels import checked, store

REPOSITORY = Path(store.__file__).parent.parent

# Replaces the kernel that looks for bad indices by one that finds none, then plants a bad one.
PROGRAM = """
import sys
import numpy as np
import numtensor as nt
from numtensor.kernels.forward import embedding, indexing
from numtensor.kernels.checked import KernelIndexError

weight = nt.tensor(np.arange(12.0).reshape(4, 3), requires_grad=True)


class FindsNothing:
    loops = {np.dtype(np.int64): lambda index, extent: np.int64(-1)}


class WrapsOnly:
    loops = {np.dtype(np.int64): lambda index, extent, lowest: (np.where(index < 0, index + extent, index), -1)}


embedding.find_bad_index = FindsNothing()
indexing.wrap_index = WrapsOnly()
planted = int(sys.argv[2])
index = nt.tensor([0, planted])
calls = {
    "embedding": lambda: nt.nn.functional.embedding(index, weight),
    # Whole rows are NumPy's, which compares for itself.
    "index_select": lambda: nt.index_select(weight, 1, index),
    "gather": lambda: nt.gather(weight, 0, index.reshape(2, 1)),
    "scatter": lambda: nt.scatter(weight.detach(), 0, index.reshape(2, 1), nt.ones((2, 1), dtype=nt.float64)),
}
try:
    print(calls[sys.argv[1]]().shape)
except KernelIndexError as error:
    print("KernelIndexError:", error)
"""


def run(op, planted, checked_build):
    inherited = {k: v for k, v in os.environ.items() if k != "NUMTENSOR_CHECKED"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, op, str(planted)],
        env=inherited | {"NUMTENSOR_CHECKED": checked_build, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("op", ["embedding", "index_select", "gather", "scatter"])
@pytest.mark.parametrize("planted", [4, -9])
def test_a_planted_index_is_found(op, planted):
    # index_select is a case of indexing.
    name = {"index_select": "index"}.get(op, op)
    assert run(op, planted, "1").startswith(f"KernelIndexError: {name}: the kernel met an index out of range")


def test_good_indices_pass():
    assert "4" not in run("embedding", 3, "1") and "Error" not in run("embedding", 3, "1")


def test_the_ordinary_build_does_not_look():
    """Why the check in front matters: position 0 of a table is met here, where nothing can be corrupted."""
    assert "Error" not in run("embedding", 0, "0")


def test_in_bounds():
    assert checked.in_bounds(3, 4) and checked.in_bounds(99, 4), "the ordinary build does not compare"
    assert not checked.CHECKED


def test_raise_on_violation():
    checked.raise_on_violation("gather", np.zeros(3, np.int64))
    with pytest.raises(checked.KernelIndexError, match="gather: the kernel met an index out of range"):
        checked.raise_on_violation("gather", np.array([0, 1, 0]))
    assert issubclass(checked.KernelIndexError, IndexError)
