"""The process of one contestant of ``memory``: run the chain, print the growth of the peak."""

import ctypes
import json
import sys

import numpy as np

from . import rows_memory
from .contestants import CONTESTANTS

ELEMENTS = 1 << 20
# Enough to load the code that large arrays run.
LOADING = 1 << 16


def main(name, mode):
    """Run a contestant's chain in a mode: on less data to load what it needs, then on 4 MB arrays."""
    contestant = CONTESTANTS[name]
    text = next(row for row in rows_memory.ROWS if mode in row.name).programs[name]
    link = eval(f"lambda z, x, y: {text}", contestant.modules())
    with contestant.manager(mode)():
        _chain(contestant, link, mode, LOADING)()
        run = _chain(contestant, link, mode, ELEMENTS)
        before = _reset_peak()
        results = run()
        after = _status("VmHWM")
    print(json.dumps({"results": results, "growth": after - before}))


def _chain(contestant, link, mode, count):
    random = np.random.default_rng(0)
    make = contestant.variable if mode == "tracked" else contestant.tensor
    x, y = (make(random.standard_normal(count).astype(np.float32)) for _ in range(2))

    def run():
        z = x
        for _ in range(rows_memory.LINKS):
            z = link(z, x, y)
        if mode == "tracked":
            z.sum().backward()
            z = x.grad
        return [contestant.array(z)[:5].tolist()]

    return run


def _reset_peak():
    """Forget the process's peak until now, and return the memory that it holds."""
    # What was freed goes back to the system; the chain would fill it without a trace.
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return _status("VmRSS")


def _status(field):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(field))


if __name__ == "__main__":
    main(*sys.argv[1:])
