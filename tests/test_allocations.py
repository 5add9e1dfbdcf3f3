"""What one call of an op allocates in each mode: noise cannot touch it, so it is a test and not a benchmark.

Inference mode allocates the result array and the Tensor around it; no-grad mode its metadata, too; recording adds the
node, the tuple of its edges and the tuple of what it saved. N results are held, and every object that the garbage
collector or the holder can reach from them and that was not there before is counted.
"""

import gc
from collections import Counter

import numpy as np
import pytest

import numtensor as nt
from numtensor.graph import Metadata, Node

COUNT = 50


def reachable(roots, known):
    """Count by type the objects reachable from `roots` that are not among `known` ids: what was allocated for them.

    Arrays, ints and the like are not tracked by the collector, but they are what tracked objects refer to.
    """
    found, stack, seen = Counter(), list(roots), set(known)
    while stack:
        thing = stack.pop()
        if id(thing) in seen or isinstance(thing, (type, int, float, str, np.dtype)) or callable(thing):
            continue
        seen.add(id(thing))
        found[type(thing)] += 1
        stack += gc.get_referents(thing)
    return found


def allocated(function, *arguments):
    """Return how many objects of each type a call keeps alive, on average over `COUNT` calls."""
    function(*arguments)
    known = set()
    stack = [*arguments, nt.ops.OPS]
    while stack:
        thing = stack.pop()
        if id(thing) in known or isinstance(thing, type):
            continue
        known.add(id(thing))
        if not callable(thing):
            stack += gc.get_referents(thing)
    results = [function(*arguments) for _ in range(COUNT)]
    counts = reachable(results, known)
    for kind, count in counts.items():
        # Constants that all results share are counted once.
        assert count % COUNT <= 2, f"{count} objects of {kind} for {COUNT} calls"
    return {kind.__name__: count // COUNT for kind, count in counts.items() if count >= COUNT}


OPS = {
    "mul": (lambda x, y: x * y, 2),
    "add a number": (lambda x: x + 2.0, 1),
    "exp": (lambda x: x.exp(), 1),
    "sum": (lambda x: x.sum(), 1),
    "matmul": (lambda x, y: x @ y, 2),
    "softmax": (lambda x: nt.softmax(x, -1), 1),
}
# A matrix product makes one array; sums give numbers that become arrays.
INFERENCE = {"Tensor": 1, "ndarray": 1}


def operands(count, requires_grad=False):
    return [nt.tensor(np.full((3, 3), 0.5 + k), requires_grad=requires_grad) for k in range(count)]


@pytest.mark.parametrize("name", OPS)
def test_inference_mode_allocates_the_array_and_the_tensor(name):
    function, count = OPS[name]
    with nt.inference_mode():
        assert allocated(function, *operands(count)) == INFERENCE


@pytest.mark.parametrize("name", OPS)
def test_inference_mode_on_normal_tensors_that_require_grad(name):
    function, count = OPS[name]
    arguments = operands(count, requires_grad=True)
    with nt.inference_mode():
        assert allocated(function, *arguments) == INFERENCE


@pytest.mark.parametrize("name", OPS)
def test_no_grad_adds_the_metadata(name):
    function, count = OPS[name]
    with nt.no_grad():
        assert allocated(function, *operands(count, requires_grad=True)) == INFERENCE | {"Metadata": 1}


@pytest.mark.parametrize("name", OPS)
def test_tracked_without_gradients_adds_the_metadata(name):
    function, count = OPS[name]
    assert allocated(function, *operands(count)) == INFERENCE | {"Metadata": 1}


@pytest.mark.parametrize("name", ["mul", "add a number", "exp"])
def test_recording_an_elementwise_op_adds_at_most_three_objects(name):
    function, count = OPS[name]
    found = allocated(function, *operands(count, requires_grad=True))
    extra = dict(Counter(found) - Counter(INFERENCE | {"Metadata": 1}))
    assert extra.pop("Node") == 1
    assert set(extra) <= {"tuple"} and sum(extra.values()) <= 2, found


def test_the_objects_have_slots_only():
    x = nt.ones(2, requires_grad=True)
    y = x * 2
    for thing in (y, y._meta, y.grad_fn):
        assert not hasattr(thing, "__dict__")
    assert isinstance(y._meta, Metadata) and isinstance(y.grad_fn, Node)


def test_the_counting_finds_what_is_allocated():
    held = operands(1)[0]
    found = allocated(lambda x: (x * 1, [x.detach() * 1]), held)
    assert found["Tensor"] == 2 and found["ndarray"] == 2 and found["list"] == 1


def test_results_do_not_pile_up():
    """The tables of constants and callables do not grow with the number of calls."""
    x = nt.ones(3)
    with nt.inference_mode():
        for k in range(5000):
            x * (k + 0.5)
        before = len(gc.get_objects())
        for k in range(5000, 10000):
            x * (k + 0.5)
        assert len(gc.get_objects()) - before < 100
