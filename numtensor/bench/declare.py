"""How a row is written down: one expression per contestant, in the group that says with what data.

A row stands for several lines of the table, one per size and mode: its cases.
"""

import fnmatch
from collections.abc import Callable
from dataclasses import dataclass, field

MODES = ("inference", "no_grad", "tracked")


class Row:
    """One thing to measure.

    Args:
        name: what it is.
        text: the expression for numtensor and, as the API is the same, for PyTorch.
        sizes: numbers of elements, instead of the group's; ``(None,)`` if the data is always the same.
        modes: instead of the group's.
        unit: of the samples, seconds ``s`` or bytes ``B``.
        wrt: names of the variables to differentiate by, in groups that differentiate.
        rtol, atol: how far results may lie apart.
        programs: expressions of other contestants by name (``numpy="np.exp(x)"``); None takes one out.
    """

    def __init__(self, name, text, *, sizes=None, modes=None, unit="s", wrt=("x",), rtol=1e-4, atol=1e-5, **programs):
        self.name, self.unit = name, unit
        self.sizes, self.modes, self.wrt = sizes, modes, wrt
        self.rtol, self.atol = rtol, atol
        programs = {"numtensor": text, "torch": text} | programs
        self.programs = {contestant: program for contestant, program in programs.items() if program}


@dataclass(frozen=True)
class Case:
    """One line of the table: a row at one size, in one mode.

    Attributes:
        group: the `Group`.
        row: the `Row`.
        size: number of elements or the like, or None.
        mode: one of `MODES`, or None.
    """

    group: "Group"
    row: Row
    size: int | None
    mode: str | None

    @property
    def name(self):
        """The name in the table, such as ``exp 1e5 inference``."""
        parts = [self.row.name, None if self.size is None else short(self.size), self.mode]
        return " ".join(part for part in parts if part)

    def programs(self):
        """Return the expressions by contestant's name."""
        programs = self.row.programs
        if self.mode in ("no_grad", "tracked"):
            # The others know no modes: they stand beside inference mode.
            programs = {name: text for name, text in programs.items() if name in ("numtensor", "torch")}
        return programs


@dataclass(frozen=True)
class Group:
    """Rows that are measured alike.

    Attributes:
        name: of the group.
        title: what it measures.
        rows: the rows.
        measure: ``measure(case, contestants, options)`` returns each contestant's samples by name.
        prepare: ``prepare(case, contestant)`` returns a `Ready`, for groups whose rows are timed in one process.
        sizes, modes: of rows that name none.
    """

    name: str
    title: str
    rows: list
    measure: Callable
    prepare: Callable | None = None
    sizes: tuple = (None,)
    modes: tuple = (None,)

    def cases(self, pattern=""):
        """Return the cases whose name contains `pattern`, or matches it with ``*`` and ``?``."""
        found = [
            Case(self, row, size, mode)
            for row in self.rows
            for size in row.sizes or self.sizes
            for mode in row.modes or self.modes
        ]
        return [case for case in found if pattern in case.name or fnmatch.fnmatchcase(case.name, pattern)]


@dataclass
class Ready:
    """A contestant ready to run one case.

    Attributes:
        timed: what is timed.
        result: returns what the statement computed, as a flat list of arrays; None if there is nothing to compare.
        divide: how many pieces of work one repetition does.
    """

    timed: object
    result: Callable | None
    divide: int = field(default=1)


def short(number):
    """Return 100000 as ``1e5``, and what is no such power as it is."""
    digits = str(number)
    if number >= 1000 and set(digits[1:]) == {"0"}:
        return f"{digits[0]}e{len(digits) - 1}"
    return digits
