"""``memory``: how far a chain of 20 ops on 4 MB arrays raises a process's peak."""

from . import processes
from .declare import Group, Row

# One link of four ops; the chain is five.
LINK = "t.relu(t.tanh(z) * y) + x"
LINKS = 5

ROWS = [
    Row("chain of 20 ops inference", LINK, unit="B", numpy="np.maximum(np.tanh(z) * y, 0) + x"),
    Row("chain of 20 ops tracked, and backward", LINK, unit="B"),
]
ROUNDS = 3


def measure(case, contestants, options):
    """Return the bytes by which each contestant raises its process's peak, in every round."""
    mode = "tracked" if "tracked" in case.name else "inference"
    commands = {one.name: ("-m", f"{__package__}.memory_chain", one.name, mode) for one in contestants}
    return processes.rounds_of(
        commands, ROUNDS, lambda seconds, printed: printed["growth"], case.row.rtol, case.row.atol
    )


GROUP = Group("memory", "bytes by which 20 ops on 4 MB arrays raise the peak", ROWS, measure)
