"""Timing of small calls: contestants interleaved in rounds, medians of the rounds.

On a shared machine only figures of one run can be compared, and only their medians.
"""

import contextlib
import statistics
import time

ROUNDS = 9
ROUND_SECONDS = 0.02


def interleaved(contestants, rounds=ROUNDS, seconds=ROUND_SECONDS):
    """Return the median time per call of each contestant.

    Args:
        contestants: dict from a name to a function without arguments.
        rounds: how often each is measured, in turn.
        seconds: how long one measurement should take.

    Returns:
        dict from the name to seconds per call.
    """
    samples = rounds_of(contestants, rounds, seconds)
    return {name: statistics.median(values) for name, values in samples.items()}


def rounds_of(contestants, rounds=ROUNDS, seconds=ROUND_SECONDS):
    """Return every round's time per call of each contestant, in order.

    A function with an attribute ``manager`` (a function that makes a context manager) is called inside it; entering
    is not timed.
    """
    loops = {}
    for name, function in contestants.items():
        with _manager(function):
            function()
            loops[name] = _loops_for(function, seconds)
    samples = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, function in contestants.items():
            with _manager(function):
                samples[name].append(_measure(function, loops[name]))
    return samples


def _manager(function):
    make = getattr(function, "manager", None)
    return make() if make is not None else contextlib.nullcontext()


def _loops_for(function, seconds):
    loops = 1
    while True:
        spent = _measure(function, loops) * loops
        if spent >= seconds / 4:
            return max(1, round(loops * seconds / spent))
        loops *= 4


def _measure(function, loops):
    repeat = range(loops)
    start = time.perf_counter()
    for _ in repeat:
        function()
    return (time.perf_counter() - start) / loops
