"""Kernels compiled by several processes at once run in a process that cannot import Numba, with the same bits."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from numtensor.kernels import store

REPOSITORY = Path(store.__file__).parent.parent

# Runs a share of the elementwise, reduction and normalization kernels on numbers that are the same in every process,
# and writes down what they give.
PROGRAM = """
import importlib.abc, importlib.machinery, sys

first, last, without_numba, target = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "thaw", sys.argv[4]


class NoNumba(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    # The store reads the version of Numba from its file, so it must be found; it must not be imported.
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] == "numba":
            spec = importlib.machinery.PathFinder.find_spec(name, path)
            spec.loader = self
            return spec

    def create_module(self, spec):
        raise ImportError("Numba was imported")

    exec_module = None


if without_numba:
    sys.meta_path.insert(0, NoNumba())

import numpy as np
import numtensor
from numtensor.kernels import store
from numtensor.kernels.declare import REGISTRY, Elementwise, GUfunc
from numtensor.kernels.loops import parse_signature


def kernels():
    for op in numtensor.ops.OPS.values():
        if op.kind == "elementwise" and numtensor.float32 in op.dtypes:
            for kernel in (op.forward, op.backward):
                if isinstance(kernel, Elementwise) and set(kernel.array_types) == {"T"}:
                    yield kernel
    for name, kernel in REGISTRY.items():
        if isinstance(kernel, GUfunc) and name.split(".")[1] in ("reduction", "normalization"):
            types = kernel.input_types + kernel.output_types
            cores = parse_signature(kernel.signature)
            count = len(kernel.input_types)
            known = {d for core in cores[:count] for d in core}
            if set(types) == {"T"} and all(set(core) <= known for core in cores[count:]):
                yield kernel


def run(kernel, dtype):
    ufunc = kernel.loops[np.dtype(dtype)]
    rng = np.random.default_rng(0)
    cores = parse_signature(ufunc.signature) if ufunc.signature else [[]] * (ufunc.nin + ufunc.nout)
    extent = {d: 6 for core in cores for d in core}
    inputs = [rng.uniform(0.1, 0.9, (5, *(extent[d] for d in core))).astype(dtype) for core in cores[: ufunc.nin]]
    kinds = ufunc.types[0].partition("->")[2]
    outputs = tuple(
        np.zeros((5, *(extent[d] for d in core)), kind) for core, kind in zip(cores[ufunc.nin :], kinds)
    )
    ufunc(*inputs, out=outputs)
    return np.concatenate([o.astype(np.float64).ravel() for o in outputs])


found = sorted(dict.fromkeys(kernels()), key=lambda kernel: kernel.name)
sample = found[:: len(found) // 24]
results = {}
for number, kernel in enumerate(sample[first:last]):
    dtype = ("float64", "float32")[(first + number) % 2]
    results[f"{kernel.name}-{dtype}"] = run(kernel, dtype)
if without_numba:
    loaded = sum(name.partition(".")[0] == "numba" for name in sys.modules)
    assert not loaded, f"{loaded} modules of Numba were imported"
np.savez(target, **results)
print(len(store.entries()))
"""


def start(folder, first, last, how, target):
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("NUMTENSOR_", "NUMBA_"))}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(first), str(last), how, str(target)],
        env=inherited | {"NUMTENSOR_CACHE_DIR": str(folder), "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(*processes):
    """Wait for all of them; return the last number printed."""
    outputs = [process.communicate(timeout=600) for process in processes]
    for process, (_, errors) in zip(processes, outputs, strict=True):
        assert process.returncode == 0, errors
    return int(outputs[-1][0])


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A store that two processes filled at once, and what each computed; the middle third was wanted by both."""
    folder = tmp_path_factory.mktemp("store")
    left = start(folder, 0, 16, "compile", folder / "left.npz")
    right = start(folder, 8, 100, "compile", folder / "right.npz")
    finish(left, right)
    return folder, dict(np.load(folder / "left.npz")), dict(np.load(folder / "right.npz"))


def test_both_processes_computed_the_same(filled):
    _, left, right = filled
    both = left.keys() & right.keys()
    assert len(both) == 8
    for name in both:
        assert left[name].tobytes() == right[name].tobytes(), name


def test_nothing_half_written_is_left(filled):
    folder, left, right = filled
    assert not list(folder.rglob(".writing-*"))
    kept = [path.name.rpartition("-")[0] for path in folder.rglob("*.kernel")]
    # Beside the kernels of ops there may be what all of them share.
    assert sorted(name for name in kept if name.startswith(("forward.", "backward."))) == sorted({**left, **right})
    assert len(kept) == len(set(kept))


def test_a_process_without_numba_thaws_every_entry_with_the_same_bits(filled):
    folder, left, right = filled
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.kernel")}
    count = finish(start(folder, 0, 100, "thaw", folder / "thawed.npz"))
    thawed = dict(np.load(folder / "thawed.npz"))
    assert thawed.keys() == left.keys() | right.keys()
    assert count == len(before)
    for name, found in thawed.items():
        compiled = left[name] if name in left else right[name]
        assert found.tobytes() == compiled.tobytes(), f"{name}: other bits than when it was compiled"
        assert np.isfinite(found).any() or not np.isfinite(compiled).any()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.kernel")} == before, "nothing was compiled again"


def test_the_blocker_blocks(tmp_path):
    """Without a filled store the same program fails: the test above would notice an import of Numba."""
    process = start(tmp_path / "empty", 0, 1, "thaw", tmp_path / "never.npz")
    _, errors = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "Numba was imported" in errors
