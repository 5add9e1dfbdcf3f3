"""What a full run has to show, as data: a figure of the lines, and its limit."""

import fnmatch
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from . import report


@dataclass(frozen=True)
class Goal:
    """One goal.

    Attributes:
        group: whose lines it is about.
        text: what the figure is.
        figure: function of the lines: (number, name of the line that it comes from, or ""); None if none has it.
        least, most: the limit.
    """

    group: str
    text: str
    figure: Callable
    least: float | None = None
    most: float | None = None

    def check(self, lines):
        """Return (figure, name of its line, whether it holds), or None if no line of these has the figure."""
        found = self.figure([line for line in lines if line["group"] == self.group and not line["failure"]])
        if found is None:
            return None
        value, name = found
        return value, name, value >= self.least if self.most is None else value <= self.most

    @property
    def limit(self):
        """The limit in words."""
        return f"at least {self.least:.3g}" if self.most is None else f"at most {self.most:.3g}"


def slowest(peer, pattern="*"):
    """Return a figure: the lowest ratio to a peer among the lines of a pattern."""

    def figure(lines):
        found = [(line["ratios"][peer], line["name"]) for line in _matching(lines, pattern) if peer in line["ratios"]]
        return min(found, default=None)

    return figure


def mean(peer):
    """Return a figure: the geometric mean of the ratios to a peer."""

    def figure(lines):
        found = [line["ratios"][peer] for line in lines if peer in line["ratios"]]
        return (statistics.geometric_mean(found), "") if found else None

    return figure


def slowest_to_best(lines):
    """Return the lowest ratio to the best peer of a line."""
    return min(((report.best(line)[1], line["name"]) for line in lines if line["ratios"]), default=None)


def share_ahead_of_best(lines):
    """Return which share of the lines is ahead of every peer."""
    found = [report.best(line)[1] >= 1 for line in lines if line["ratios"]]
    return (sum(found) / len(found), "") if found else None


def beyond_numpy(lines):
    """Return the most nanoseconds that a line of inference mode takes beyond NumPy's."""
    found = [
        ((line["figures"]["numtensor"] - line["figures"]["numpy"]) * 1e9, line["name"])
        for line in _matching(lines, "*inference")
        if "numpy" in line["figures"]
    ]
    return max(found, default=None)


def amount(pattern, unit):
    """Return a figure: numtensor's own amount, in units."""

    def figure(lines):
        found = [(line["figures"]["numtensor"] / unit, line["name"]) for line in _matching(lines, pattern)]
        return max(found, default=None)

    return figure


def _matching(lines, pattern):
    return [line for line in lines if fnmatch.fnmatchcase(line["name"], pattern)]


ARRAY = 4 << 20

GOALS = [
    Goal("dispatch", "slowest line against PyTorch", slowest("torch"), least=1),
    Goal("dispatch", "geometric mean against PyTorch", mean("torch"), least=1.5),
    Goal("dispatch", "nanoseconds beyond NumPy in inference mode", beyond_numpy, most=350),
    Goal("throughput", "share of lines ahead of the best peer", share_ahead_of_best, least=0.8),
    Goal("throughput", "slowest line against the best peer", slowest_to_best, least=0.8),
    Goal("throughput", "geometric mean against PyTorch", mean("torch"), least=1.8),
    Goal("backward", "geometric mean against PyTorch", mean("torch"), least=2),
    Goal("backward", "slowest line against PyTorch", slowest("torch"), least=0.9),
    Goal("network", "batch 1 against NumPy", slowest("numpy", "predict 1 inference"), least=1),
    Goal("network", "batch 64 against ONNX Runtime", slowest("onnx", "predict 64 inference"), least=1 / 1.05),
    Goal("network", "batch 1024 against ONNX Runtime", slowest("onnx", "predict 1024 inference"), least=1 / 1.05),
    Goal("network", "Adam step, batch 1, against JAX", slowest("jax", "Adam step 1"), least=1 / 1.2),
    Goal("network", "Adam step, batch 64, against PyTorch fused", slowest("torch_fused", "Adam step 64"), least=1),
    Goal("start", "wall time against PyTorch", slowest("torch", "wall time"), least=5),
    Goal("start", "peak RSS against PyTorch", slowest("torch", "peak RSS"), least=1 / 0.45),
    Goal("size", "wheel, MB", amount("wheel", 1e6), most=1),
    # A page or two belong to the interpreter.
    Goal("memory", "inference chain, arrays", amount("*inference", ARRAY), most=3.01),
    Goal("memory", "tracked chain against PyTorch", slowest("torch", "*tracked*"), least=1),
]


def checked(lines):
    """Return (goal, figure, name of its line, whether it holds) of every goal that the lines tell something about."""
    return [(goal, *found) for goal in GOALS if (found := goal.check(lines)) is not None]
