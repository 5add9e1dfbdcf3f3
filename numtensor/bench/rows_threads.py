"""``threads``: several Python threads that each serve the 784-256-10 network; and one whose large ops use two."""

import functools
import itertools
import threading

from . import data, networks, runner
from .contestants import variables
from .declare import Group, Ready, Row
from .timing import Timed

# Of one thread in one repetition: many enough for starting threads not to matter.
PREDICTIONS = 200

ROWS = [
    Row(
        "predict in threads",
        "serve()",
        sizes=(1, 2, 4),
        modes=("inference",),
        atol=1e-3,
        numpy="serve()",
        onnx="serve()",
    )
]

# Of those that have threads for one op, PyTorch alone can be told while the process runs.
THREADS = 2
LARGE = [
    Row(f"{name} by {THREADS} threads", text, sizes=(1_000_000, 4_000_000), modes=("inference",))
    for name, text in (
        ("add", "x + y"),
        ("exp", "t.exp(x)"),
        ("sum dim 1", "m.sum(1)"),
        ("softmax dim 1", "t.softmax(m, 1)"),
        ("layer_norm", "F.layer_norm(m, (k,), scale, shift)"),
    )
]


def prepare(case, contestant):
    """Return a contestant ready for a case: the size is the number of threads, or that of the arrays."""
    if case.row in LARGE:
        contestant.use_threads(THREADS)
        text = case.programs()[contestant.name]
        return contestant.forward(text, data.values(variables(text), case.size), case.mode)
    contestant.use_threads(1)
    predict = networks.predictor(contestant)
    batch = contestant.tensor(networks.images(1))
    serve = functools.partial(_serve, predict, batch, contestant.manager(case.mode), case.size)
    return Ready(Timed("serve()", {"serve": serve}), lambda: contestant.plain(serve()), case.size * PREDICTIONS)


def _serve(predict, batch, manager, count):
    results = [None] * count

    def work(place):
        with manager():
            for _ in itertools.repeat(None, PREDICTIONS):
                result = predict(batch)
        results[place] = result

    threads = [threading.Thread(target=work, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


GROUP = Group(
    "threads",
    "seconds per prediction, several Python threads at once; and large ops by several threads",
    [*ROWS, *LARGE],
    runner.timed,
    prepare,
)
