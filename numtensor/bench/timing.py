"""Timing of small calls: contestants interleaved in rounds, loops long enough for the clock.

On a shared machine only figures of one run can be compared, and only their medians.
"""

import contextlib
import gc
import itertools
import statistics
import textwrap
import time

ROUNDS = 9
ROUND_SECONDS = 0.02


class Timed:
    """Something to time: a statement, or a function without arguments.

    Args:
        statement: text of one or more statements; it is repeated as it stands, without a call around it.
        names: the variables that it reads, by name.
        manager: function that makes a context manager, in which the statement runs; entering is not timed.
    """

    def __init__(self, statement, names=None, manager=contextlib.nullcontext):
        self.names = dict(names or {})
        self.manager = manager
        self._loop = _compile(statement, self.names)

    @classmethod
    def of(cls, function, manager=contextlib.nullcontext):
        """Return the calls of a function as something to time."""
        return cls("function()", {"function": function}, manager)

    def measure(self, loops):
        """Return the seconds of one repetition, the mean of `loops`."""
        with self.manager():
            return self._loop(itertools.repeat(None, loops), time.perf_counter, **self.names) / loops

    def loops_for(self, seconds):
        """Return how many repetitions take about `seconds`."""
        loops = 1
        while True:
            spent = self.measure(loops) * loops
            if spent >= seconds / 4:
                return max(1, round(loops * seconds / spent))
            loops *= 4


def _compile(statement, names):
    # The variables are parameters: reading a local costs less than what is measured, reading a global does not.
    text = (
        f"def loop(repeat, clock, {', '.join(names)}):\n"
        "    start = clock()\n"
        "    for _ in repeat:\n"
        f"{textwrap.indent(statement, ' ' * 8)}\n"
        "    return clock() - start\n"
    )
    space = {}
    exec(compile(text, f"<timed: {statement}>", "exec"), space)
    return space["loop"]


def rounds_of(contestants, rounds=ROUNDS, seconds=ROUND_SECONDS):
    """Return the seconds per repetition of each contestant in every round, in order.

    Args:
        contestants: dict from a name to a `Timed`.
        rounds: how often each is measured, in turn.
        seconds: how long one measurement should take.
    """
    loops = {name: timed.loops_for(seconds) for name, timed in contestants.items()}
    samples = {name: [] for name in contestants}
    names = list(contestants)
    # What exists is not looked through again while one of them is timed: it is not theirs.
    gc.collect()
    gc.freeze()
    try:
        for _ in range(rounds):
            for name in names:
                samples[name].append(contestants[name].measure(loops[name]))
            # Whoever follows a contestant that empties the caches is not always the same one.
            names.append(names.pop(0))
    finally:
        gc.unfreeze()
    return samples


def medians(samples):
    """Return each contestant's median."""
    return {name: statistics.median(values) for name, values in samples.items()}
