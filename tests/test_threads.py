"""Threads for large arrays: their limits, the pool, and that results have the same bits whoever computed them."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import numtensor as nt
from numtensor.kernels import boxed_calls
from numtensor.kernels.forward.arithmetic import add
from numtensor.modes import INFERENCE, current
from numtensor.tensor import Tensor, from_array
from numtensor.threads import division
from numtensor.threads.limits import LIGHT, NEVER, process
from numtensor.threads.pool import Pool, pool

from .calls import LAYOUTS, expanded, flatten, plain
from .ops.test_table import CASES, _calls

REPOSITORY = Path(__file__).parents[1]
FLOAT32 = np.dtype(np.float32)


@contextlib.contextmanager
def dividing(large):
    """Divide whatever has so many bytes, instead of what is worth it."""
    before = process.asks, process.threshold
    process.ask(True, large)
    try:
        yield
    finally:
        process.ask(*before)


@pytest.fixture(scope="module")
def dividing_everything():
    """Divide each call of more than one element."""
    with dividing(8):
        yield


@pytest.fixture
def divided(monkeypatch):
    """Return a list that gets the number of parts of each call that the pool does."""
    calls = []
    do = Pool.do

    def count(self, run, parts, threads):
        number = len(parts)
        done = do(self, run, parts, threads)
        if done:
            calls.append(number)
        return done

    monkeypatch.setattr(Pool, "do", count)
    return calls


def bits(results):
    """Return what there is to compare of results: values, and how they lie in memory."""
    found = []
    for result in flatten(results):
        if isinstance(result, Tensor):
            array = result._array
            steps = [step for step, extent in zip(array.strides, array.shape, strict=True) if extent > 1]
            found.append((array.dtype, array.shape, steps if array.size else [], array.tobytes()))
        else:
            found.append(result)
    return found


# ---------------------------------------------------------------------------------------------------------------------
# Results

WALKED = [
    pytest.param(row, op, number, id=f"{row.name}-{number}")
    for row, op, number in CASES
    if op.kind in ("elementwise", "kernel") and row.check is None
]


def _gradients(call):
    function, variables = call.function_of()
    results = [result for result in function(*variables) if result.requires_grad]
    if not results or not variables:
        return results
    grads = nt.autograd.grad(results, variables, [nt.ones_like(one) for one in results], allow_unused=True)
    return [*results, *(grad for grad in grads if grad is not None)]


@pytest.mark.usefixtures("dividing_everything")
@pytest.mark.parametrize(("row", "op", "number"), WALKED)
def test_every_op_has_the_bits_of_one_thread(row, op, number):
    for position, call in enumerate(_calls(row, op, number)):
        makers = [plain]
        if position == 0:
            layouts = LAYOUTS["transposed"], LAYOUTS["strided"], expanded
            makers += [lambda operand, lay=lay: from_array(lay(operand.array)) for lay in layouts]
        for make in makers:
            with nt.inference_mode():
                with nt.num_threads(1):
                    expected = bits(call.run(make))
                with nt.num_threads(3):
                    assert bits(call.run(make)) == expected
        with nt.num_threads(1):
            expected = bits(_gradients(call))
        with nt.num_threads(3):
            assert bits(_gradients(call)) == expected


F = nt.nn.functional
LARGER = {
    "exp": lambda x, y: x.exp(),
    "add": lambda x, y: x + y,
    "number": lambda x, y: 2.5 * x,
    "row": lambda x, y: x * y[0, 0],
    "column": lambda x, y: x - y[:, :, :1],
    "outer": lambda x, y: x[:1] / y[:, :1],
    "transposed": lambda x, y: x.transpose(0, 2) * y.transpose(0, 2),
    "every second": lambda x, y: x[:, ::2] + y[:, ::2],
    "backwards": lambda x, y: x.flip(0) * y,
    "comparison": lambda x, y: x > y,
    "where": lambda x, y: nt.where(x > y, x, y),
    "clamp": lambda x, y: x.clamp(-0.5, 0.5),
    "integers": lambda x, y: (x * 100).to(nt.int32).exp(),
    "change": lambda x, y: x.clone().mul_(y),
    "sum over 0": lambda x, y: x.sum(0),
    "sum over 1": lambda x, y: x.sum(1),
    "sum over 2": lambda x, y: x.sum(2),
    "sum over two": lambda x, y: x.sum((0, 2)),
    "mean of rows": lambda x, y: x.mean(-1, keepdim=True),
    "var": lambda x, y: x.var(1),
    "var of rows": lambda x, y: x.var(2),
    "sum": lambda x, y: x[:32].sum() * y,
    "mean": lambda x, y: x[:, :, :128].mean() * y,
    "largest": lambda x, y: x[:32].amax() * y,
    "norm of all": lambda x, y: x.norm() * y,
    "sum of columns": lambda x, y: x.reshape(-1, 43).sum(0),
    "mean of columns": lambda x, y: x.reshape(-1, 43).mean(0),
    "largest of columns": lambda x, y: x.reshape(-1, 43).amax(0, keepdim=True),
    "logsumexp of columns": lambda x, y: x.reshape(-1, 43).logsumexp(0),
    "var of columns": lambda x, y: x.reshape(-1, 43).var(0),
    "sum of long rows": lambda x, y: x.reshape(37, -1).sum(1),
    "norm": lambda x, y: x.norm(dim=1),
    "max": lambda x, y: x.max(1),
    "argmin": lambda x, y: x.argmin(1),
    "any": lambda x, y: (x > 2.9).any(0).to(nt.float32),
    "logsumexp": lambda x, y: x.logsumexp(0),
    "softmax": lambda x, y: x.softmax(2),
    "softmax over 0": lambda x, y: x.softmax(0),
    "log_softmax": lambda x, y: F.log_softmax(x, 1),
    "layer_norm": lambda x, y: F.layer_norm(x, (129,), y[0, 0], y[1, 1]),
    "cumsum": lambda x, y: x.cumsum(1),
    "cumsum of rows": lambda x, y: x.cumsum(2),
    "cumprod": lambda x, y: x.cumprod(0),
    "loss": lambda x, y: F.smooth_l1_loss(x, y, reduction="none"),
    "batch_norm": lambda x, y: F.batch_norm(x, None, None, training=True),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LARGER)
def test_odd_sizes_and_any_number_of_threads(name, dtype, divided):
    rng = np.random.default_rng(5)
    arrays = [rng.uniform(-3, 3, (37, 11, 129)).astype(dtype) for _ in range(2)]

    def run():
        x, y = (nt.from_numpy(array).requires_grad_() for array in arrays)
        result = LARGER[name](x, y)
        result = result if isinstance(result, Tensor) else result[0]
        grads = nt.autograd.grad(result.sin().sum(), (x, y), allow_unused=True) if result.requires_grad else ()
        return bits([result, *(grad for grad in grads if grad is not None)])

    with dividing(4096):
        with nt.num_threads(1):
            expected = run()
        assert not divided
        for number in (2, 3, 7):
            with nt.num_threads(number):
                assert run() == expected
    assert divided


def test_results_of_a_divided_call_are_like_those_of_numpy():
    x, y = (np.random.default_rng(k).normal(size=(64, 66)).astype(np.float32) for k in range(2))
    kernel = add.loops[FLOAT32]
    with dividing(64), nt.num_threads(3):
        for a, b in ((x, y), (x.T, y.T), (x[:1], y), (x[::-1], y), (x[:, ::2], y[:, 1::2]), (x, y[:, ::-1])):
            found, right = division.call(kernel, a, b), a + b
            assert found.tobytes() == right.tobytes()
            assert found.strides == right.strides
        with pytest.raises(ValueError, match="could not be broadcast"):
            division.call(kernel, x, y[:63])


def test_a_change_of_what_is_read_is_not_divided(divided):
    kernel = add.loops[FLOAT32]
    memory = np.arange(1000, dtype=np.float32)
    expected = memory[1:] + memory[:-1]
    with dividing(64), nt.num_threads(3):
        division.call(kernel, memory[1:], memory[:-1], out=(memory[1:],))
        assert not divided
        np.testing.assert_array_equal(memory[1:], expected)
        division.call(kernel, memory, memory, out=(memory,))
        assert divided
        np.testing.assert_array_equal(memory[1:], expected * 2)
        with pytest.raises(ValueError, match="output"):
            division.call(kernel, np.ones((2, 1000), np.float32), memory, out=(memory,))


def test_gradients_are_added_by_several_threads(divided):
    x = nt.ones(5000, requires_grad=True)
    with dividing(4096), nt.num_threads(2):
        (x * 2 + x * 3).sum().backward()
        (x * 2).sum().backward()
    assert divided
    assert (x.grad == 7).all()


@pytest.mark.parametrize("make", [nt.optim.Adam, nt.optim.SGD])
def test_a_step_of_an_optimizer(make, divided):
    def step():
        weight = nt.linspace(-1, 1, 5000).requires_grad_()
        optimizer = make([weight], lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            (weight * weight).sum().backward()
            optimizer.step()
        return weight.detach().numpy().tobytes()

    with dividing(4096):
        with nt.num_threads(1):
            expected = step()
        with nt.num_threads(3):
            assert step() == expected
    assert divided


# ---------------------------------------------------------------------------------------------------------------------
# How many


@pytest.fixture
def restored():
    """Put back how many threads there are."""
    before = process.number
    yield
    nt.set_num_threads(before)


@pytest.mark.parametrize("number", [0, -1, True, 1.5, "2", None])
@pytest.mark.parametrize("function", [nt.set_num_threads, nt.num_threads])
def test_numbers_that_are_none(function, number):
    with pytest.raises(RuntimeError, match=r"num_threads expects (an int, but got|a positive integer, got)"):
        function(number)


def test_small_calls_ask_only_if_there_are_several_threads(restored):
    x = from_array(np.ones(3, np.float32))
    for number, asks in ((1, False), (2, True), (1, False)):
        nt.set_num_threads(number)
        assert nt.get_num_threads() == number
        with nt.inference_mode():
            INFERENCE.exp(x), nt.exp(x), x * x
            assert ("nbytes" in INFERENCE.exp.__code__.co_names) is asks
            # Machine code always asks; but nothing is large.
            forms = nt.exp, Tensor.__mul__
            limits = [form.__globals__["on_tensors"].__self__[boxed_calls.LARGE] for form in forms]
            assert all(bool(limit < NEVER) is asks for limit in limits)


def test_a_scope_is_of_its_thread(restored):
    nt.set_num_threads(3)
    seen = []

    def look():
        seen.append(nt.get_num_threads())
        with nt.num_threads(5):
            seen.append(nt.get_num_threads())

    with nt.num_threads(1):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert nt.get_num_threads() == 1
        with nt.num_threads(2):
            assert nt.get_num_threads() == 2
        assert nt.get_num_threads() == 1
    assert seen == [3, 5]
    assert nt.get_num_threads() == 3


def test_a_scope_allows_more_than_the_process(restored, divided):
    nt.set_num_threads(1)
    x = nt.ones(LIGHT * process.threshold // 4)
    with nt.num_threads(2):
        x + x
    assert divided
    del divided[:]
    x + x
    assert not divided


def test_a_scope_is_a_decorator_and_may_be_entered_again():
    scope = nt.num_threads(4)
    before = nt.get_num_threads()

    @scope
    def number():
        return nt.get_num_threads()

    @nt.num_threads(5)
    def numbers():
        yield nt.get_num_threads()

    with scope, nt.num_threads(2), scope:
        assert nt.get_num_threads() == number() == 4
        steps = numbers()
        assert (next(steps), nt.get_num_threads()) == (5, 4)
    assert (number(), nt.get_num_threads()) == (4, before)
    assert repr(scope.clone()) == "numtensor.num_threads(4)"
    with pytest.raises(RuntimeError, match="num_threads: left more often than entered"):
        scope.__exit__(None, None, None)


def run_program(text, **environment):
    """Run a program in a process of its own; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(text)],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
        timeout=120,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(("value", "number"), [("3", 3), ("5,2", 5), ("0", None), ("many", None), ("", None)])
def test_omp_num_threads(value, number):
    found = int(run_program("import numtensor as nt; print(nt.get_num_threads())", OMP_NUM_THREADS=value))
    assert found == number if number else 1 <= found <= os.cpu_count()


def test_products_follow(restored):
    pytest.importorskip("threadpoolctl", reason="tells what the library of products does")
    import threadpoolctl

    nt.set_num_threads(1)
    libraries = [one for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"]
    assert any(one["num_threads"] == 1 for one in libraries)


# ---------------------------------------------------------------------------------------------------------------------
# The pool


def test_no_thread_is_started_before_it_is_wanted():
    program = """
        import threading
        import numtensor as nt
        nt.set_num_threads(2)
        x = nt.ones(1000)
        (x.exp() + x).softmax(0).sum()
        counts = [threading.active_count()]
        y = nt.ones(9_000_000)
        y + y
        counts.append(threading.active_count())
        y + y
        print(*counts, threading.active_count())
    """
    assert run_program(program) == "1 2 2"


def test_exit_while_idle_and_use_at_exit():
    program = """
        import atexit
        import numtensor as nt
        nt.set_num_threads(3)
        x = nt.ones(9_000_000)
        atexit.register(lambda: print((x + x).sum().item()))
        class Last:
            def __del__(self, x=x):
                x + x
        last = Last()
        x + x
    """
    assert run_program(program) == "18000000.0"


def test_a_forked_child_has_a_pool_of_its_own():
    program = """
        import multiprocessing, os, threading
        import numtensor as nt
        nt.set_num_threads(2)
        x = nt.ones(9_000_000)
        x + x

        def child(connection):
            before = threading.active_count()
            x + x
            connection.send((before, threading.active_count(), (x + x).sum().item()))

        stop = threading.Event()
        busy = threading.Thread(target=lambda: [x + x for _ in iter(stop.is_set, True)])
        busy.start()
        for _ in range(10):
            here, there = multiprocessing.Pipe()
            process = multiprocessing.get_context("fork").Process(target=child, args=(there,))
            process.start()
            assert here.recv() == (1, 2, 18000000.0)
            process.join()
        stop.set()
        busy.join()
        print((x + x).sum().item())
    """
    if not hasattr(os, "fork"):
        pytest.skip("needs os.fork")
    assert run_program(program) == "18000000.0"


def test_a_fork_by_the_op_s_own_thread_leaves_the_child_an_error():
    """A signal handler may fork between two parts: the child does not have the threads that were helping."""
    program = """
        import os, signal, threading, time
        from numtensor.threads.pool import Pool
        pool, entered = Pool(), threading.Event()
        os.register_at_fork(after_in_child=pool.renew)
        caller = threading.get_ident()

        def run(start, stop):
            if threading.get_ident() != caller:
                entered.set()
                time.sleep(0.2)
                return
            entered.wait(60)
            if os.fork() == 0:
                raise_in_child.append(True)

        raise_in_child = []
        try:
            pool.do(run, [(0, 1), (1, 2)], 2)
        except RuntimeError as error:
            assert raise_in_child and "forked" in str(error)
            assert pool.do(lambda start, stop: None, [(0, 1)], 2)
            os._exit(7)
        assert not raise_in_child
        print(os.waitstatus_to_exitcode(os.wait()[1]))
    """
    if not hasattr(os, "fork"):
        pytest.skip("needs os.fork")
    assert run_program(program) == "7"


class Meeting:
    """Parts of a call of which one is done in each of two threads.

    Attributes:
        left: True once the part in the pool's thread has ended.
    """

    def __init__(self, here=lambda: None, there=lambda: None):
        self.caller = threading.get_ident()
        self.both = threading.Barrier(2, timeout=60)
        self.here, self.there = here, there
        self.left = False

    def __call__(self, start, stop):
        self.both.wait()
        if threading.get_ident() == self.caller:
            self.here()
        else:
            try:
                time.sleep(0.05)
                self.there()
                time.sleep(0.05)
            finally:
                self.left = True


def _refuse():
    raise LookupError("no")


@pytest.mark.parametrize("where", ["here", "there"])
def test_what_a_part_raises_comes_when_all_have_left(where):
    own = Pool()
    meeting = Meeting(**{where: _refuse})
    parts = [(0, 1), (1, 2)]
    with pytest.raises(LookupError, match="no"):
        own.do(meeting, parts, 2)
    assert meeting.left
    # It is none the worse for it.
    again = Meeting()
    assert own.do(again, [(0, 1), (1, 2)], 2)
    assert again.left


@pytest.fixture
def interrupts():
    """Let SIGINT raise KeyboardInterrupt, also where the shell that started the tests ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals come in the main thread")
@pytest.mark.usefixtures("interrupts")
@pytest.mark.parametrize("where", ["here", "there"])
def test_an_interrupt_comes_when_all_have_left(where):
    """In the caller's own part; and while it waits for the other thread."""
    own = Pool()
    meeting = Meeting(**{where: lambda: os.kill(os.getpid(), signal.SIGINT)})
    with pytest.raises(KeyboardInterrupt):
        own.do(meeting, [(0, 1), (1, 2)], 2)
    assert meeting.left
    assert own.do(Meeting(), [(0, 1), (1, 2)], 2)


def _change(x):
    x.exp_()


def _accumulate(x):
    x.requires_grad_().grad = x.detach()
    (x * 2).sum().backward()


def _step(x):
    x.requires_grad_().grad = nt.ones_like(x)
    nt.optim.SGD([x], lr=0.1).step()


@pytest.mark.parametrize("change", [_change, _accumulate, _step])
def test_what_an_interrupt_leaves_half_written_counts_as_changed(change, monkeypatch):
    x = nt.linspace(-1, 1, 5000)
    array, before = x.numpy(), x.numpy().copy()
    loss = (nt.ones(5000, requires_grad=True) * x).sum()

    def interrupted(self, run, parts, threads):
        run(*parts.pop())
        if (array != before).any():
            raise KeyboardInterrupt
        # What is computed on the way to the change is not interrupted.
        return False

    monkeypatch.setattr(Pool, "do", interrupted)
    with dividing(4096), nt.num_threads(2), pytest.raises(KeyboardInterrupt):
        change(x)
    assert (array == before).any()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_what_an_interrupt_leaves_written_counts_as_changed(monkeypatch):
    x = nt.ones(10)
    loss = (nt.ones(5, requires_grad=True) * x[:5]).sum()
    copyto = np.copyto

    def interrupted(*arguments, **options):
        copyto(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "copyto", interrupted)
    with pytest.raises(KeyboardInterrupt):
        x[:5].mul_(2)
    monkeypatch.undo()
    assert x.tolist() == [2] * 5 + [1] * 5
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_a_busy_pool_is_not_waited_for():
    x = nt.ones(LIGHT * process.threshold // 4)
    with nt.num_threads(2):
        with pool.busy:
            assert ((x + x) == 2).all()
            assert not pool.do(lambda start, stop: None, [(0, 1)], 2)
        assert ((x + x) == 2).all()


def test_several_threads_at_once():
    x = nt.linspace(0, 1, process.threshold // 4)
    with nt.num_threads(1):
        expected = x.exp().numpy().tobytes()
    wrong = []

    def work():
        with nt.num_threads(3):
            for _ in range(20):
                if x.exp().numpy().tobytes() != expected:
                    wrong.append(threading.get_ident())

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_a_hook_may_run_large_ops(divided):
    x = nt.ones(LIGHT * process.threshold // 4, requires_grad=True)
    seen = []
    x.register_hook(lambda grad: seen.append((grad * 2).sum().item()) or grad * 3)
    with nt.num_threads(2):
        (x * 2).exp().sum().backward()
    assert divided
    assert seen
    assert (x.grad[:5] == x.grad[0]).all()


def test_arrays_are_not_kept():
    """Neither the pool nor its threads keep what they worked on."""
    own = Pool()
    array = np.ones(10)
    references = sys.getrefcount(array)

    def run(start, stop, array=array):
        time.sleep(0.01)

    for _ in range(3):
        own.do(run, [(k, k + 1) for k in range(6)], 3)
    del run
    deadline = time.monotonic() + 10
    while sys.getrefcount(array) > references and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sys.getrefcount(array) == references


def test_threads_that_cannot_be_started(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    own = Pool()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    done = []
    assert own.do(lambda start, stop: done.append((start, stop)), [(2, 3), (0, 2)], 2)
    assert done == [(0, 2), (2, 3)]
    assert own.size == 0


def test_parts_depend_on_sizes_and_cover_them():
    for steps, cell, threads in ((1000, 7, 2), (8, 8, 3), (1 << 20, 1 << 15, 64)):
        parts = division._parts(steps, cell, threads)[::-1]
        assert [start for start, _ in parts] == [0, *(stop for _, stop in parts[:-1])]
        assert parts[-1][1] == steps
        assert all(start % cell == 0 for start, _ in parts)


def test_no_mode_is_needed_in_a_part(divided):
    """A part runs no op: the pool's threads are in no mode of the caller's."""
    with dividing(64), nt.num_threads(2), nt.inference_mode():
        result = nt.ones(1000).exp()
        assert result.is_inference()
    assert divided
    assert current.mode.path == "tracked"
