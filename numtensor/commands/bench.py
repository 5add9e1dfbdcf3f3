"""``numtensor bench``: numtensor beside NumPy and, if it is installed, PyTorch.

Contestants of a row are checked to give equal results, then timed in turn for several rounds of one run; what counts
is the median of the rounds' ratios. Groups:

- ``dispatch``  one op on 10 float32 elements in each mode: the cost of a call
- ``network``   the 784-256-10 network: a prediction in each mode, a training step
- ``start``     whole processes: import and one prediction
"""

import dataclasses
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

import numtensor as nt
from numtensor import nn, optim
from numtensor.nn import functional

from .timing import rounds_of

GROUPS = ("dispatch", "network", "start")
MODES = ("inference", "no_grad", "tracked")


@dataclasses.dataclass
class Row:
    """Contestants that compute the same thing.

    Attributes:
        group, name: what it is.
        calls: by contestant's name; ``numtensor`` is one of them.
        compare: whether the calls give results to compare.
        rounds: how they are timed.
    """

    group: str
    name: str
    calls: dict
    compare: bool = True
    rounds: Callable = rounds_of


def add_arguments(parser):
    """Add this command's arguments to its parser."""
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--group", choices=GROUPS, action="append", help="only this group (may be repeated)")
    parser.add_argument("--rows", default="", help="only rows whose name contains this text")
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file, too")


def run(arguments):
    """Run the command."""
    torch = _import_torch()
    groups = arguments.group or GROUPS
    rows = [row for group in groups for row in BUILDERS[group](torch) if arguments.rows in row.name]
    options = {"rounds": 7, "seconds": 0.005} if arguments.quick else {"rounds": 15, "seconds": 0.03}
    table = []
    for row in _progress(rows):
        if row.compare:
            _check_equal(row)
        samples = row.rounds(row.calls, **options)
        table.append(_summary(row, samples))
    print(markdown(table))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(table, file, indent=1)


def _summary(row, samples):
    ours = samples["numtensor"]
    ratios = {
        name: statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        for name, theirs in samples.items()
        if name != "numtensor"
    }
    return {
        "group": row.group,
        "row": row.name,
        "seconds": {name: statistics.median(values) for name, values in samples.items()},
        "ratios": ratios,
    }


def markdown(table):
    """Return the figures as a Markdown table: microseconds, and our time over each peer's."""
    peers = sorted({name for line in table for name in line["ratios"]})
    head = ["group", "row", "numtensor us", *(f"{p} us" for p in peers), *(f"ours / {p}" for p in peers)]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for line in table:
        cells = [line["group"], line["row"], f"{line['seconds']['numtensor'] * 1e6:.2f}"]
        cells += [f"{line['seconds'][p] * 1e6:.2f}" if p in line["seconds"] else "" for p in peers]
        cells += [f"{line['ratios'][p]:.2f}" if p in line["ratios"] else "" for p in peers]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _check_equal(row):
    # Once each: a training step changes what the next one gives.
    results = {name: _plain(call()) for name, call in row.calls.items()}
    expected = results["numtensor"]
    for name, found in results.items():
        if not np.allclose(found, expected, rtol=1e-4, atol=1e-5):
            raise RuntimeError(f"bench: {row.name}: {name} and numtensor give different results")


def _plain(result):
    return np.asarray(result.detach().numpy() if hasattr(result, "detach") else result)


def _progress(rows):
    try:
        from tqdm import tqdm
    except ImportError:
        return rows
    return tqdm(rows, desc="benchmark", unit="row")


def _import_torch():
    try:
        import torch
    except ImportError:
        print("bench: PyTorch is not installed; comparing with NumPy alone", file=sys.stderr)
        return None
    torch.set_num_threads(1)
    return torch


def _under(manager, call):
    """Return a call that runs in a mode which is entered outside the timing."""
    call.manager = manager
    return call


def _managers(module):
    return {"inference": module.inference_mode, "no_grad": module.no_grad, "tracked": module.enable_grad}


# ---------------------------------------------------------------------------------------------------------------------
# Groups

# By name: an expression of x, y (10 float32 elements), m (4x4), and the module t.
SMALL_OPS = {
    "x * y": "x * y",
    "x + y": "x + y",
    "x * 2.0": "x * 2.0",
    "exp": "t.exp(x)",
    "where": "t.where(c, x, y)",
    "sum": "x.sum()",
    "mean": "x.mean()",
    "reshape": "x.reshape((2, 5))",
    "slice": "x[2:5]",
    "matmul 4x4": "m @ m",
    "softmax 4x4": "t.softmax(m, 1)",
}
# NumPy's own spelling where there is one.
NUMPY_OPS = {"where": "t.where(c, x, y)", "softmax 4x4": None}


def dispatch_rows(torch):
    """Return a row per small op and mode."""
    arrays = {
        "x": np.linspace(0.1, 1, 10, dtype=np.float32),
        "y": np.linspace(1, 2, 10, dtype=np.float32),
        "m": np.linspace(-1, 1, 16, dtype=np.float32).reshape(4, 4),
        "c": np.arange(10) % 2 == 0,
    }
    rows = []
    for name, expression in SMALL_OPS.items():
        for mode in MODES:
            calls = {"numtensor": _small_call(nt, nt.from_numpy, expression, arrays, mode)}
            if torch is not None:
                calls["PyTorch"] = _small_call(torch, torch.from_numpy, expression, arrays, mode)
            numpy_expression = NUMPY_OPS.get(name, expression)
            if mode == "inference" and numpy_expression:
                calls["NumPy"] = eval(f"lambda: {numpy_expression}", {"t": np, **arrays})
            rows.append(Row("dispatch", f"{name} ({mode})", calls))
    return rows


def _small_call(module, from_numpy, expression, arrays, mode):
    names = {name: from_numpy(array.copy()) for name, array in arrays.items()}
    if mode == "tracked":
        names["x"].requires_grad_()
        names["m"].requires_grad_()
    return _under(_managers(module)[mode], eval(f"lambda: {expression}", {"t": module, **names}))


def _networks(torch):
    """Return the same network in both libraries, with equal weights."""
    nt.manual_seed(0)
    ours = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    if torch is None:
        return ours, None
    theirs = torch.nn.Sequential(torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10))
    theirs.load_state_dict({k: torch.from_numpy(v.numpy().copy()) for k, v in ours.state_dict().items()})
    return ours, theirs


def network_rows(torch):
    """Return rows of the 784-256-10 network: predictions in each mode, and a step of Adam."""
    rows = []
    for batch in (1, 64):
        images = np.random.default_rng(0).standard_normal((batch, 784)).astype(np.float32)
        ours, theirs = _networks(torch)
        ours.eval()
        state = {name: value.numpy() for name, value in ours.state_dict().items()}

        def numpy_call(images=images, state=state):
            hidden = np.maximum(images @ state["0.weight"].T + state["0.bias"], 0)
            return hidden @ state["2.weight"].T + state["2.bias"]

        for mode in MODES:
            image = nt.from_numpy(images)
            calls = {"numtensor": _under(_managers(nt)[mode], lambda ours=ours, image=image: ours(image))}
            if torch is not None:
                theirs.eval()
                tensor = torch.from_numpy(images)
                calls["PyTorch"] = _under(
                    _managers(torch)[mode], lambda theirs=theirs, tensor=tensor: theirs(tensor)
                )
            if mode == "inference":
                calls["NumPy"] = numpy_call
            rows.append(Row("network", f"predict {batch} ({mode})", calls))
        labels = np.arange(batch) % 10
        ours, theirs = _networks(torch)
        calls = {"numtensor": _training_step(ours, optim.Adam, functional, nt.from_numpy, images, labels)}
        if torch is not None:
            calls["PyTorch"] = _training_step(
                theirs, torch.optim.Adam, torch.nn.functional, torch.from_numpy, images, labels
            )
        rows.append(Row("network", f"Adam step {batch}", calls))
    return rows


def _training_step(model, adam, functional, from_numpy, images, labels):
    optimizer = adam(model.parameters())
    images, labels = from_numpy(images), from_numpy(labels)

    def step():
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return step


PROCESS = """
import {module} as t
from {module} import nn
t.manual_seed(0)
model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)).eval()
with t.inference_mode():
    model(t.randn(1, 784)).argmax(dim=1).item()
import sys
assert "{module}" == "torch" or "numba" not in sys.modules, "a kernel was compiled: the store was not warm"
"""


def start_rows(torch):
    """Return a row of whole processes: import, make the network, predict once."""
    modules = {"numtensor": "numtensor"} | ({"PyTorch": "torch"} if torch is not None else {})
    calls = {}
    for name, module in modules.items():
        calls[name] = _process(PROCESS.format(module=module))
    calls["NumPy (import only)"] = _process("import numpy")
    # The first process may have to compile.
    _process(PROCESS.format(module="numtensor").split("import sys")[0])()
    return [Row("start", "process: import, predict once", calls, compare=False, rounds=_process_rounds)]


def _process(text):
    return lambda: subprocess.run([sys.executable, "-c", text], check=True)


def _process_rounds(calls, rounds, seconds):
    samples = {name: [] for name in calls}
    for _ in range(min(rounds, 7)):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            samples[name].append(time.perf_counter() - start)
    return samples


BUILDERS = {"dispatch": dispatch_rows, "network": network_rows, "start": start_rows}
