"""Results compared, then times taken; a process per group, its threads pinned before anything is imported.

A row whose contestants do not agree is not timed: its line says so, and the run fails.
"""

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .timing import rounds_of

OURS = "numtensor"

# Read when a library is loaded, so only a new process can be pinned.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NPROC": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_PLATFORMS": "cpu",
}


@dataclass(frozen=True)
class Options:
    """How thoroughly to measure.

    Attributes:
        rounds: how often each contestant is measured, in turn.
        seconds: how long one measurement should take.
    """

    rounds: int = 11
    seconds: float = 0.02


QUICK = Options(rounds=7, seconds=0.002)


class Mismatch(Exception):
    """A contestant computed something else."""


def timed(case, contestants, options):
    """Return each contestant's seconds per piece of work in every round, after their results were compared."""
    ready = {one.name: case.group.prepare(case, one) for one in contestants}
    results = {name: one.result() for name, one in ready.items() if one.result is not None}
    check_equal(results, case.row.rtol, case.row.atol)
    samples = rounds_of({name: one.timed for name, one in ready.items()}, options.rounds, options.seconds)
    return {name: [value / ready[name].divide for value in values] for name, values in samples.items()}


def check_equal(results, rtol, atol):
    """Check that every contestant computed what numtensor did.

    Args:
        results: a flat list of arrays by contestant's name.
        rtol, atol: how far numbers may lie apart.

    Raises:
        Mismatch: which contestant differs, and how.
    """
    expected = results.get(OURS)
    for name, found in results.items():
        if len(found) != len(expected):
            raise Mismatch(f"{name} gives {len(found)} results, {OURS} {len(expected)}")
        for one, other in zip(found, expected, strict=True):
            if one.shape != other.shape:
                raise Mismatch(f"{name} gives shape {one.shape}, {OURS} {other.shape}")
            if not np.allclose(one, other, rtol, atol, equal_nan=True):
                apart = np.max(np.abs(np.subtract(one, other, dtype=np.float64)))
                raise Mismatch(f"{name} and {OURS} differ by up to {apart:.3g}")


def run_case(case, contestants, options):
    """Return one line of the table, as plain data.

    Args:
        case: what to measure.
        contestants: dict of those that are there, by name.
        options: how thoroughly.

    Returns:
        A dict: what was measured, each contestant's median under ``figures``, the median of the rounds' ratios of
        each peer to numtensor under ``ratios`` (above 1 numtensor is ahead), or the reason under ``failure``.
    """
    line = {
        "group": case.group.name,
        "row": case.row.name,
        "size": case.size,
        "mode": case.mode,
        "name": case.name,
        "unit": case.row.unit,
        "figures": {},
        "ratios": {},
        "failure": None,
    }
    present = [contestants[name] for name in case.programs() if name in contestants]
    try:
        samples = case.group.measure(case, present, options)
    except Exception as error:
        # A peer that raises is no reason to lose the other rows, and none to be silent.
        line["failure"] = f"{type(error).__name__}: {error}"
        return line
    line["figures"] = {name: statistics.median(values) for name, values in samples.items()}
    line["ratios"] = {
        name: statistics.median(theirs / ours for theirs, ours in zip(values, samples[OURS], strict=True))
        for name, values in samples.items()
        if name != OURS
    }
    return line


def environment():
    """Return the environment for a process in which every library has one thread, and numtensor is this one."""
    flags = " ".join(filter(None, (os.environ.get("XLA_FLAGS"), ONE_THREAD["XLA_FLAGS"])))
    path = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))
    return os.environ | ONE_THREAD | {"XLA_FLAGS": flags, "PYTHONPATH": path}


def run_group(group, pattern, quick):
    """Measure the cases of a group in a process of its own.

    Args:
        group: the `Group`.
        pattern: which cases, as for `Group.cases`.
        quick: whether to measure in fewer and shorter rounds.

    Yields:
        The line of each case when it is ready. If the process dies, those that it left out say so.
    """
    command = [sys.executable, "-m", __package__, group.name, "--rows", pattern, *(["--quick"] if quick else [])]
    left = group.cases(pattern)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        try:
            for text in process.stdout:
                del left[0]
                yield json.loads(text)
        finally:
            if process.poll() is None and left:
                process.terminate()
    for case in left:
        yield run_case(case, {}, None) | {"failure": f"the process of the group ended with {process.returncode}"}
