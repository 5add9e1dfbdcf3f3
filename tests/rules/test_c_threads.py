"""C: modes and threads."""

import asyncio
import contextvars
import itertools
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from .library import E_INP, flags, nt, raises
from .tensors import inference, leaf
from .workers import in_thread

DEFAULT = (True, False)
NO_GRAD = (False, False)
INFERENCE = (False, True)

MANAGERS = {"enable_grad": nt.enable_grad, "no_grad": nt.no_grad, "inference_mode": nt.inference_mode}
INSIDE = {"enable_grad": DEFAULT, "no_grad": NO_GRAD, "inference_mode": INFERENCE}
each_mode = pytest.mark.parametrize("name", MANAGERS)


class Worker:
    """A thread that runs what it is given, one after the other, while this thread waits."""

    def __enter__(self):
        self.pool = ThreadPoolExecutor(1)
        self.run(flags)
        return self

    def __exit__(self, *error):
        self.pool.shutdown()

    def run(self, function, *args):
        return self.pool.submit(function, *args).result()


def test_C01_a_thread_started_inside_inference_is_in_default_mode():
    with nt.inference_mode():
        assert in_thread(flags) == DEFAULT
        assert flags() == INFERENCE


def test_C02_a_thread_started_under_no_grad_is_in_default_mode():
    with nt.no_grad():
        assert in_thread(flags) == DEFAULT
        assert flags() == NO_GRAD


def test_C03_set_grad_enabled_is_not_seen_by_new_threads():
    with nt.no_grad():
        nt.set_grad_enabled(False)
        assert in_thread(flags) == DEFAULT


def test_C04_another_thread_makes_normal_tensors_meanwhile():
    with nt.inference_mode():
        made = in_thread(nt.ones, 2)
        assert not made.is_inference() and made._version == 0
        assert nt.ones(2).is_inference()


@each_mode
def test_C05_another_thread_records_meanwhile(name):
    x = leaf()
    with MANAGERS[name]():
        y = in_thread(lambda: (x * x).sum())
        assert y.requires_grad and y.grad_fn is not None
    y.backward()
    assert x.grad.tolist() == (2 * x).tolist()


def test_C06_inference_in_a_worker_is_not_seen_here():
    manager = nt.inference_mode()
    with Worker() as worker:
        worker.run(manager.__enter__)
        assert worker.run(flags) == INFERENCE
        assert flags() == DEFAULT and not nt.ones(2).is_inference()
        worker.run(manager.__exit__, None, None, None)


def test_C07_no_grad_in_a_worker_is_not_seen_here():
    manager = nt.no_grad()
    with Worker() as worker:
        worker.run(manager.__enter__)
        assert worker.run(flags) == NO_GRAD
        assert flags() == DEFAULT and (leaf() * 2).requires_grad
        worker.run(manager.__exit__, None, None, None)


@each_mode
def test_C08_entering_does_not_change_a_running_thread(name):
    with Worker() as worker:
        with MANAGERS[name]():
            assert worker.run(flags) == DEFAULT
        assert worker.run(flags) == DEFAULT


@each_mode
def test_C09_pool_workers_do_not_inherit_the_submitters_mode(name):
    with ThreadPoolExecutor(2) as pool, MANAGERS[name]():
        assert set(pool.map(lambda _: flags(), range(8))) == {DEFAULT}


def test_C09_what_a_task_sets_by_call_stays_in_its_worker():
    with Worker() as worker:
        worker.run(nt.set_grad_enabled, False)
        assert worker.run(flags) == NO_GRAD
        assert flags() == DEFAULT


def test_C10_an_empty_context_sees_the_threads_mode():
    with nt.inference_mode():
        assert contextvars.Context().run(flags) == INFERENCE
    with nt.no_grad():
        assert contextvars.Context().run(flags) == NO_GRAD


def test_C10_a_change_made_in_a_copied_context_stays():
    with nt.enable_grad():
        contextvars.copy_context().run(nt.set_grad_enabled, False)
        assert flags() == NO_GRAD
    assert flags() == DEFAULT


@each_mode
def test_C11_asyncio_to_thread_does_not_inherit(name):
    async def main():
        with MANAGERS[name]():
            return await asyncio.to_thread(flags), flags()

    assert asyncio.run(main()) == (DEFAULT, INSIDE[name])


def compute(name, seed):
    """Return the bits of a small program in one of the modes, and what the mode left on its results."""
    with MANAGERS[name]():
        x = (nt.arange(24.0).reshape(4, 6) / (7 + seed)).requires_grad_()
        y = nt.exp(x) * x
        z = (y @ y.transpose(0, 1)).tanh().sum(1)
        total = z.sum()
        inside = flags()
        kind = (total.requires_grad, total.is_inference())
    gradient = None
    if total.requires_grad:
        total.backward()
        gradient = x.grad.numpy().tobytes()
    return z.detach().numpy().tobytes(), gradient, kind, inside, flags()


def test_C12_threads_in_different_modes_never_mix():
    threads, rounds = 12, 40
    names = list(itertools.islice(itertools.cycle(MANAGERS), threads))
    expected = [compute(name, seed) for seed, name in enumerate(names)]
    assert {(result[2], result[3], result[4]) for result in expected} == {
        ((True, False), DEFAULT, DEFAULT),
        ((False, False), NO_GRAD, DEFAULT),
        ((False, True), INFERENCE, DEFAULT),
    }
    together = threading.Barrier(threads, timeout=30)

    def repeat(seed, name):
        together.wait()
        return [compute(name, seed) for _ in range(rounds)]

    before = sys.getswitchinterval()
    # Threads change hands within every op.
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(threads) as pool:
            results = list(pool.map(repeat, range(threads), names))
    finally:
        sys.setswitchinterval(before)
    for got, wanted in zip(results, expected, strict=True):
        assert got == [wanted] * rounds
    assert flags() == DEFAULT


def test_C12_a_thread_changes_modes_while_others_compute():
    stop = threading.Event()

    def switch():
        switched = 0
        while not stop.is_set() or switched < 100:
            with nt.inference_mode(), nt.enable_grad(), nt.inference_mode(False), nt.no_grad():
                assert flags() == NO_GRAD
            switched += 1
        return flags()

    with ThreadPoolExecutor(2) as pool:
        switching = [pool.submit(switch) for _ in range(2)]
        x = leaf()
        try:
            for _ in range(200):
                assert flags() == DEFAULT and (x * x).requires_grad
        finally:
            stop.set()
        assert [task.result() for task in switching] == [DEFAULT, DEFAULT]


def test_C13_being_an_inference_tensor_travels_with_the_tensor():
    made = inference([1.0, 2.0])

    def change_outside():
        assert made.is_inference()
        with raises(E_INP):
            made.add_(1)

    def change_inside():
        with nt.inference_mode():
            made.mul_(2)

    with nt.inference_mode():
        in_thread(change_outside)
    in_thread(change_inside)
    assert made.tolist() in ([2, 4], [4, 6])  # torch writes before it refuses (E30)


@each_mode
def test_C14_a_graph_runs_backward_in_another_thread(name):
    x = leaf()
    y = in_thread(lambda: (x * x).sum())

    def backward():
        with MANAGERS[name]():
            y.backward()

    in_thread(backward)
    assert x.grad.tolist() == (2 * x).tolist()


@pytest.mark.parametrize("name", ["no_grad", "inference_mode"])
def test_C15_a_decorated_generator_may_be_resumed_in_another_thread(name):
    @MANAGERS[name]()
    def body():
        while True:
            yield flags(), threading.get_ident()

    generator = body()
    here, there = next(generator), in_thread(lambda: (next(generator), flags()))
    assert here == (INSIDE[name], threading.get_ident())
    assert there[0][0] == INSIDE[name] and there[0][1] != threading.get_ident()
    assert there[1] == DEFAULT
    assert next(generator) == here and flags() == DEFAULT


def test_C16_large_tensors_behave_the_same():
    x = nt.ones(1 << 22, requires_grad=True)
    matrix = nt.ones(600, 600, requires_grad=True)
    ops = [
        lambda: x * 2,
        lambda: nt.exp(x),
        lambda: x.sum(),
        lambda: nt.nn.functional.softmax(x.reshape(1 << 11, 1 << 11), dim=1),
        lambda: matrix @ matrix,
        lambda: nt.cat([x, x]),
        lambda: x[::2].clone(),
    ]
    for op in ops:
        assert op().requires_grad
        with nt.no_grad():
            made = op()
            assert not made.requires_grad and not made.is_inference()
        with nt.inference_mode():
            made = op()
            assert not made.requires_grad and made.is_inference()
    (x * x).sum().backward()
    assert not x.grad.is_inference() and x.grad[-1].item() == 2


def test_C17_tasks_of_one_thread_share_its_mode():
    async def main():
        nt.set_grad_enabled(False)
        seen = await asyncio.gather(*[task() for _ in range(3)])
        nt.set_grad_enabled(True)
        return seen

    async def task():
        return flags()

    assert asyncio.run(main()) == [NO_GRAD] * 3


@pytest.mark.parametrize("create_graph", [False, True])
@each_mode
def test_C18_backward_runs_here_with_grad_as_create_graph(name, create_graph):
    x, seen = leaf(), []
    y = x * x
    y.register_hook(lambda grad: seen.append((nt.is_grad_enabled(), threading.get_ident())))
    total = y.sum()
    with MANAGERS[name]():
        nt.autograd.grad(total, x, create_graph=create_graph)
        assert flags() == INSIDE[name]
    assert seen == [(create_graph, threading.get_ident())]
