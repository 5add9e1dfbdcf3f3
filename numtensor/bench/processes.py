"""Whole processes as contestants: each prints what it computed and what it used, as one line of JSON."""

import json
import subprocess
import sys
import time

import numpy as np

from .runner import check_equal

# At the end of a process: its own peak, which (unlike getrusage's) knows nothing of the process that started it.
REPORT = """
import json
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
print(json.dumps({"results": results, "peak": peak}))
"""


def run(*words, environment=None):
    """Run a process of this Python.

    Args:
        words: of its command line.
        environment: its variables; None for this process's.

    Returns:
        (seconds, the JSON that it printed last)

    Raises:
        RuntimeError: it failed; with the last line of its errors.
    """
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, env=environment)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"process ended with {done.returncode}: {(done.stderr.splitlines() or [''])[-1]}")
    return seconds, json.loads(done.stdout.splitlines()[-1])


def rounds_of(commands, rounds, pick, rtol, atol, environment=None):
    """Return what `pick` takes from each process, run in turn, after comparing their results.

    Args:
        commands: the words of each contestant's process, by name.
        rounds: how often each is run and counted; once more before, to warm caches.
        pick: function of (seconds, printed) to the figure.
        rtol, atol: how far results may lie apart.
        environment: as of `run`.
    """
    first = {name: run(*words, environment=environment)[1] for name, words in commands.items()}
    check_equal({name: _arrays(printed) for name, printed in first.items()}, rtol, atol)
    samples = {name: [] for name in commands}
    for _ in range(rounds):
        for name, words in commands.items():
            samples[name].append(pick(*run(*words, environment=environment)))
    return samples


def _arrays(printed):
    return [np.asarray(result) for result in printed["results"]]
