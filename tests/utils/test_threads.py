"""Modes carried into threads, executors, tasks and processes; and what a fork finds."""

import asyncio
import contextlib
import inspect
import multiprocessing
import os
import pickle
import signal
import threading
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

import numtensor as nt
from numtensor.modes import Mode, Wrapper, current, set_mode
from numtensor.utils import mode_initializer, wrap_mode

MODES = {
    "tracked": nt.enable_grad,
    "no_grad": nt.no_grad,
    "inference": nt.inference_mode,
    "grad inside inference": lambda: nested(nt.inference_mode(), nt.enable_grad()),
    "tracked inside inference": lambda: nested(nt.inference_mode(), nt.inference_mode(False)),
}
each_mode = pytest.mark.parametrize("enter", MODES.values(), ids=MODES.keys())


@contextlib.contextmanager
def nested(*managers):
    with contextlib.ExitStack() as stack:
        for manager in managers:
            stack.enter_context(manager)
        yield


def mode_here(*args, **kwargs):
    """Return the thread's mode, and the arguments."""
    return current.mode, args, kwargs


def fail():
    raise ValueError(str(current.mode))


# ---------------------------------------------------------------------------------------------------------------------
# wrap_mode


@each_mode
def test_a_wrapped_function_runs_in_the_mode_of_wrapping(enter):
    with enter():
        wanted, wrapped = current.mode, wrap_mode(mode_here)
    for outer in MODES.values():
        with outer():
            before = current.mode
            assert wrapped(1, x=2) == (wanted, (1,), {"x": 2})
            assert current.mode is before


@each_mode
def test_a_wrapped_function_carries_the_mode_into_threads(enter):
    with enter():
        wanted = current.mode
        with ThreadPoolExecutor(2) as pool:
            found = pool.map(wrap_mode(mode_here), range(6))
            plain = pool.submit(mode_here).result()
    assert list(found) == [(wanted, (n,), {}) for n in range(6)]
    assert plain[0] == Mode(True, False, True)


def test_a_wrapped_function_in_a_started_thread():
    found = []
    with nt.inference_mode():
        thread = threading.Thread(target=wrap_mode(lambda: found.append(nt.ones(2))))
        thread.start()
        thread.join()
    assert found[0].is_inference()


def test_a_wrapped_function_that_fails_gives_the_mode_back():
    with nt.no_grad():
        wrapped = wrap_mode(fail)
    with pytest.raises(ValueError, match="grad=False"):
        wrapped()
    assert nt.is_grad_enabled()


def test_what_a_wrapped_function_sets_by_call_ends_with_it():
    with nt.inference_mode():
        wrapped = wrap_mode(lambda: (nt.set_grad_enabled(True), nt.is_grad_enabled())[1])
    with nt.no_grad():
        assert wrapped()
        assert not nt.is_grad_enabled()


def test_a_wrapped_function_may_recurse_and_nest():
    def down(n):
        return [nt.is_inference_mode_enabled(), *(wrapped(n - 1) if n else [])]

    with nt.inference_mode():
        wrapped = wrap_mode(down)
    inner = wrap_mode(lambda: (nt.is_inference_mode_enabled(), wrapped(1), nt.is_inference_mode_enabled()))
    assert wrapped(2) == [True] * 3
    assert inner() == (False, [True, True], False)


def test_the_whole_mode_is_carried():
    """Also what stands around the ops, which the flags do not say."""

    class Counting(Wrapper):
        count = 0

        def wrap(self, op, inner):
            def counted(*args, **kwargs):
                self.count += 1
                return getattr(inner, op.name)(*args, **kwargs)

            return counted

    counting = Counting()
    before = current.mode
    set_mode(before.inside(counting))
    try:
        wrapped, initializer = wrap_mode(lambda: nt.ones(2) * 2), mode_initializer()
    finally:
        set_mode(before)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(wrapped).result()
    once = counting.count
    with ThreadPoolExecutor(1, initializer=initializer) as pool:
        pool.submit(lambda: nt.ones(2) * 2).result()
    assert counting.count == 2 * once > 0


def test_a_wrapped_function_keeps_its_metadata():
    def documented(x, *, y=2):
        """What is documented."""

    wrapped = wrap_mode(documented)
    assert (wrapped.__name__, wrapped.__doc__) == ("documented", "What is documented.")
    assert wrapped.__wrapped__ is documented
    assert inspect.signature(wrapped) == inspect.signature(documented)


def test_a_wrapped_generator_runs_in_the_mode_at_each_step():
    def steps():
        while True:
            yield current.mode

    with nt.inference_mode():
        wanted, wrapped = current.mode, wrap_mode(steps)
    assert inspect.isgeneratorfunction(wrapped)
    generator = wrapped()
    with ThreadPoolExecutor(1) as pool:
        assert [next(generator), pool.submit(next, generator).result()] == [wanted, wanted]
    assert nt.is_grad_enabled()


def test_a_wrapped_coroutine_runs_in_the_mode_at_each_step():
    async def steps():
        seen = []
        for _ in range(3):
            seen.append(current.mode)
            await asyncio.sleep(0)
        return seen

    with nt.no_grad():
        no_grad, in_no_grad = current.mode, wrap_mode(steps)
    with nt.inference_mode():
        inference, in_inference = current.mode, wrap_mode(steps)
    assert inspect.iscoroutinefunction(in_no_grad)

    async def main():
        return await asyncio.gather(in_no_grad(), in_inference(), steps())

    assert asyncio.run(main()) == [[no_grad] * 3, [inference] * 3, [current.mode] * 3]


def test_a_wrapped_async_generator_runs_in_the_mode_at_each_step():
    async def steps():
        for _ in range(3):
            yield nt.is_inference_mode_enabled()

    with nt.inference_mode():
        wrapped = wrap_mode(steps)
    assert inspect.isasyncgenfunction(wrapped)

    async def main():
        return [(inside, nt.is_inference_mode_enabled()) async for inside in wrapped()]

    assert asyncio.run(main()) == [(True, False)] * 3


@pytest.mark.parametrize("value", [3, None, "x", int], ids=repr)
def test_what_cannot_be_wrapped(value):
    with pytest.raises(TypeError, match=r"^wrap_mode: "):
        wrap_mode(value)


@each_mode
def test_a_wrapped_function_and_an_initializer_pickle(enter):
    with enter():
        wanted, wrapped, initializer = current.mode, wrap_mode(mode_here), mode_initializer()
    copied = pickle.loads(pickle.dumps(wrapped))
    assert copied(3) == (wanted, (3,), {}) and copied.__name__ == "mode_here"
    with ThreadPoolExecutor(1, initializer=pickle.loads(pickle.dumps(initializer))) as pool:
        assert pool.submit(mode_here).result()[0] is wanted


def test_methods_can_be_wrapped():
    class Owner:
        with nt.inference_mode():

            @wrap_mode
            @staticmethod
            def static():
                return current.mode

            @wrap_mode
            @classmethod
            def of_class(cls):
                return cls, current.mode

        def method(self):
            return self, current.mode

    owner = Owner()
    with nt.no_grad():
        wanted, wrapped = current.mode, wrap_mode(owner.method)
    assert wrapped() == (owner, wanted)
    assert Owner.static() is Owner.of_class()[1] is Mode(False, True, False)


# ---------------------------------------------------------------------------------------------------------------------
# mode_initializer


@each_mode
def test_workers_start_in_the_initializers_mode(enter):
    with enter():
        wanted, initializer = current.mode, mode_initializer()
    together = threading.Barrier(3, timeout=10)
    with ThreadPoolExecutor(3, initializer=initializer) as pool:
        for _ in range(2):
            # All three workers at once, and again: the mode stays.
            found = list(pool.map(lambda _: (together.wait(), current.mode)[1], range(3)))
            assert found == [wanted] * 3
    assert current.mode is Mode(True, False, True)


def test_a_task_may_leave_the_initializers_mode():
    def leave():
        with nt.inference_mode(False):
            return nt.is_grad_enabled(), nt.ones(2).is_inference()

    with nt.inference_mode():
        initializer = mode_initializer()
    with ThreadPoolExecutor(1, initializer=initializer) as pool:
        assert pool.submit(leave).result() == (True, False)
        assert pool.submit(nt.ones, 2).result().is_inference()


def grad_and_inference():
    return nt.is_grad_enabled(), nt.is_inference_mode_enabled()


def test_processes_start_in_the_initializers_mode():
    with nt.inference_mode():
        initializer, wrapped = mode_initializer(), wrap_mode(grad_and_inference)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=initializer) as pool:
        assert pool.submit(grad_and_inference).result(60) == (False, True)
        with nt.no_grad():
            in_no_grad = wrap_mode(grad_and_inference)
        assert pool.submit(in_no_grad).result(60) == (False, False)
    assert wrapped() == (False, True)


# ---------------------------------------------------------------------------------------------------------------------
# Forks


def compute():
    """Return what a fork must find as it was, or the same: the mode, its kind of results, their bits, a gradient."""
    x = (nt.arange(12.0) / 7).requires_grad_()
    y = (nt.exp(x) * x).sum()
    with nt.inference_mode(False):
        w = nt.ones(3, requires_grad=True)
        (w * w).sum().backward()
    return grad_and_inference(), y.requires_grad, y.is_inference(), y.detach().numpy().tobytes(), w.grad.tolist()


def in_a_fork(function):
    """Return what `function` returns in a forked child."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 and newer warn of any fork beside threads.
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        # A child that waits for ever ends here, by the signal.
        signal.alarm(60)
        try:
            os.write(writing, pickle.dumps(function()))
            status = 0
        finally:
            # Not sys.exit: what pytest would do at the end is the parent's.
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return pickle.loads(answer)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@each_mode
def test_a_fork_while_another_thread_computes_in_inference_mode(enter):
    stop, running = threading.Event(), threading.Event()

    def serve():
        with nt.inference_mode():
            x = nt.ones(64, 64)
            while not stop.is_set():
                x = (x @ x).tanh()
                running.set()
            return x.is_inference()

    with enter():
        wanted = compute()
        with ThreadPoolExecutor(1) as pool:
            serving = pool.submit(serve)
            try:
                assert running.wait(30)
                for _ in range(3):
                    assert in_a_fork(compute) == wanted
            finally:
                stop.set()
            assert serving.result(30)
        assert compute() == wanted
