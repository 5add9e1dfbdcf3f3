"""The rows of ``numtensor bench`` that run in one process, numtensor alone: the statement as it stands there.

Not asv's own timing, whose call around the statement would cost a fourth of a small op.
"""

import statistics

from numtensor.bench.contestants import CONTESTANTS
from numtensor.bench.groups import GROUPS

ROUNDS = 3
SECONDS = 0.005


def _cases(group):
    return {case.name: case for case in GROUPS[group].cases()}


class _Rows:
    """One group, whose name the class gives."""

    group = ""
    param_names = ("row",)

    def setup(self, name):
        case = _cases(self.group)[name]
        self.timed = case.group.prepare(case, CONTESTANTS["numtensor"]).timed
        self.loops = self.timed.loops_for(SECONDS)

    def track_row(self, name):
        return statistics.median(self.timed.measure(self.loops) for _ in range(ROUNDS))

    track_row.unit = "s"


class Dispatch(_Rows):
    """One small op in each mode."""

    group = "dispatch"
    params = (list(_cases(group)),)


class Throughput(_Rows):
    """One op forward."""

    group = "throughput"
    params = (list(_cases(group)),)


class Backward(_Rows):
    """One op forward and backward."""

    group = "backward"
    params = (list(_cases(group)),)


class Network(_Rows):
    """The 784-256-10 network: predictions in each mode, and a training step."""

    group = "network"
    params = (list(_cases(group)),)


class Threads(_Rows):
    """Predictions in several Python threads at once, and large ops by two threads."""

    group = "threads"
    params = (list(_cases(group)),)
