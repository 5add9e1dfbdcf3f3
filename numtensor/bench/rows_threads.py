"""``threads``: several Python threads that each serve the 784-256-10 network under inference mode."""

import functools
import itertools
import threading

from . import networks, runner
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


def prepare(case, contestant):
    """Return a contestant ready for a case: the size is the number of threads."""
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


GROUP = Group("threads", "seconds per prediction, several Python threads at once", ROWS, runner.timed, prepare)
