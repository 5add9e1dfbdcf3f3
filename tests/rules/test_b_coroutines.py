"""B: the managers as decorators of coroutines and asynchronous generators, and as blocks inside them."""

import asyncio
import contextlib
import functools
import inspect

import pytest

from .library import differs, flags, nt

DEFAULT = (True, False)
NO_GRAD = (False, False)
INFERENCE = (False, True)

DECORATORS = {
    "inference_mode()": lambda f: nt.inference_mode()(f),
    "inference_mode": lambda f: nt.inference_mode(f),
    "no_grad()": lambda f: nt.no_grad()(f),
    "no_grad": lambda f: nt.no_grad(f),
    "set_grad_enabled(False)": lambda f: nt.set_grad_enabled(False)(f),
}
each_decorator = pytest.mark.parametrize(
    ("decorate", "inside"),
    [(make, INFERENCE if name.startswith("inference") else NO_GRAD) for name, make in DECORATORS.items()],
    ids=DECORATORS.keys(),
)
steps_in_the_mode = differs("a coroutine and an asynchronous generator run in the mode at each step")


async def pause():
    """Let every other task run once."""
    await asyncio.sleep(0)


@each_decorator
def test_B44_a_decorated_coroutine_returns_its_value(decorate, inside):
    @decorate
    async def body(x, *, y):
        await pause()
        return x, y

    async def main():
        returned = await body(1, y=2)
        return returned, flags()

    assert asyncio.run(main()) == ((1, 2), DEFAULT)
    assert flags() == DEFAULT


@each_decorator
def test_B44_a_decorated_coroutine_raises_its_error(decorate, inside):
    error = ValueError("mine")

    @decorate
    async def body():
        await pause()
        raise error

    with pytest.raises(ValueError) as raised:
        asyncio.run(body())
    assert raised.value is error and flags() == DEFAULT


def test_B45_a_block_holds_across_await():
    async def main():
        with nt.inference_mode():
            before = flags()
            await pause()
            after = flags()
        return before, after, flags()

    assert asyncio.run(main()) == (INFERENCE, INFERENCE, DEFAULT)


@steps_in_the_mode
@each_decorator
def test_B46_a_coroutine_runs_in_the_mode(decorate, inside):
    @decorate
    async def body():
        seen = [flags()]
        await pause()
        seen.append(flags())
        return seen, nt.ones(2).is_inference()

    async def main():
        coroutine = body()
        return await coroutine, flags()

    assert asyncio.run(main()) == (([inside] * 2, inside == INFERENCE), DEFAULT)


@steps_in_the_mode
@each_decorator
def test_B46_inspect_still_knows_what_it_is(decorate, inside):
    async def coroutine():
        """A coroutine."""

    async def generator():
        """A generator."""
        yield

    decorated = decorate(coroutine)
    assert inspect.iscoroutinefunction(decorated) and not inspect.isasyncgenfunction(decorated)
    assert decorated.__name__ == "coroutine" and decorated.__wrapped__ is coroutine
    decorated = decorate(generator)
    assert inspect.isasyncgenfunction(decorated) and not inspect.iscoroutinefunction(decorated)
    assert decorated.__doc__ == "A generator." and decorated.__wrapped__ is generator


@steps_in_the_mode
@each_decorator
def test_B46_interleaved_tasks_keep_their_own_modes(decorate, inside):
    @decorate
    async def decorated():
        seen = set()
        for _ in range(5):
            seen.add(flags())
            await pause()
        return seen

    @nt.enable_grad()
    async def enabled():
        return await decorated_plain()

    async def decorated_plain():
        seen = set()
        for _ in range(5):
            seen.add(flags())
            await pause()
        return seen

    async def main():
        return await asyncio.gather(*[f() for _ in range(3) for f in (decorated, enabled, decorated_plain)])

    assert asyncio.run(main()) == [{inside}, {DEFAULT}, {DEFAULT}] * 3
    assert flags() == DEFAULT


@steps_in_the_mode
@each_decorator
def test_B46_a_cancelled_task_cleans_up_in_the_mode(decorate, inside):
    seen = []

    @decorate
    async def body():
        try:
            await asyncio.sleep(60)
        finally:
            seen.append(flags())
            await pause()
            seen.append(flags())

    async def main():
        task = asyncio.create_task(body())
        await pause()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return flags()

    assert asyncio.run(main()) == DEFAULT
    assert seen == [inside, inside]


@steps_in_the_mode
@each_decorator
def test_B46_a_change_by_call_is_gone_after_the_next_suspension(decorate, inside):
    @decorate
    async def body():
        nt.set_grad_enabled(True)
        seen = [nt.is_grad_enabled()]
        await pause()
        return [*seen, nt.is_grad_enabled()]

    async def main():
        return await body(), flags()

    assert asyncio.run(main()) == ([True, False], DEFAULT)


@steps_in_the_mode
@each_decorator
def test_B46_methods_partials_and_callable_objects(decorate, inside):
    class Owner:
        @decorate
        async def method(self, value):
            return value, flags()

        @decorate
        @classmethod
        async def of_class(cls, value):
            return value, flags()

        async def __call__(self, value):
            return value, flags()

    called, partial = decorate(Owner()), decorate(functools.partial(Owner(), 4))
    assert inspect.iscoroutinefunction(called) and inspect.iscoroutinefunction(partial)
    assert asyncio.run(Owner().method(1)) == (1, inside)
    assert asyncio.run(Owner.of_class(2)) == (2, inside)
    assert asyncio.run(called(3)) == (3, inside)
    assert asyncio.run(partial()) == (4, inside)


@steps_in_the_mode
def test_B46_nested_decorated_coroutines():
    @nt.inference_mode()
    async def inner():
        await pause()
        return flags()

    @nt.no_grad()
    async def outer():
        before = flags()
        inside = await inner()
        return before, inside, flags()

    assert asyncio.run(outer()) == (NO_GRAD, INFERENCE, NO_GRAD)


# ---------------------------------------------------------------------------------------------------------------------
# Asynchronous generators


@steps_in_the_mode
@each_decorator
def test_B46_an_async_generator_runs_in_the_mode(decorate, inside):
    @decorate
    async def body():
        for _ in range(3):
            yield flags()
            await pause()

    async def main():
        return [(made, flags()) async for made in body()]

    assert asyncio.run(main()) == [(inside, DEFAULT)] * 3


@steps_in_the_mode
@each_decorator
def test_B46_asend_reaches_the_body(decorate, inside):
    @decorate
    async def body():
        sent = yield "first"
        await pause()
        yield sent, flags()

    async def main():
        generator = body()
        assert await generator.__anext__() == "first"
        assert await generator.asend("sent") == ("sent", inside)
        with pytest.raises(StopAsyncIteration):
            await generator.__anext__()
        return flags()

    assert asyncio.run(main()) == DEFAULT


@steps_in_the_mode
@each_decorator
def test_B46_athrow_reaches_the_body(decorate, inside):
    error, uncaught = ValueError("mine"), KeyError("mine")

    @decorate
    async def body():
        try:
            yield
        except ValueError as caught:
            await pause()
            yield caught, flags()

    async def main():
        generator = body()
        await generator.__anext__()
        assert await generator.athrow(error) == (error, inside)
        with pytest.raises(KeyError) as raised:
            await generator.athrow(uncaught)
        assert raised.value is uncaught
        return flags()

    assert asyncio.run(main()) == DEFAULT


@steps_in_the_mode
@each_decorator
def test_B46_aclose_runs_finally_in_the_mode(decorate, inside):
    seen = []

    @decorate
    async def body():
        try:
            yield
        finally:
            seen.append(flags())
            await pause()
            seen.append(flags())

    async def main():
        generator = body()
        await generator.__anext__()
        await generator.aclose()
        with pytest.raises(StopAsyncIteration):
            await generator.__anext__()
        return flags()

    assert asyncio.run(main()) == DEFAULT
    assert seen == [inside, inside]


@steps_in_the_mode
@each_decorator
def test_B46_an_abandoned_async_generator_is_closed_in_the_mode(decorate, inside):
    seen, kept = [], []

    @decorate
    async def body():
        try:
            yield
        finally:
            seen.append(flags())
            await pause()
            seen.append(flags())

    async def main():
        for _ in range(8):
            # Closed by the event loop: these at its end, ...
            kept.append(body())
            await kept[-1].__anext__()
        async for _ in body():
            # ... and this one when it is collected, by a task of its own.
            break
        for _ in range(5):
            await pause()
        assert seen == [inside] * 2

    asyncio.run(main())
    assert seen == [inside] * 18
    assert flags() == DEFAULT


@each_decorator
def test_B46_an_error_of_an_async_generator_propagates(decorate, inside):
    error = ValueError("mine")

    @decorate
    async def body():
        yield
        raise error

    async def main():
        generator = body()
        await generator.__anext__()
        with pytest.raises(ValueError) as raised:
            await generator.__anext__()
        assert raised.value is error
        return inspect.isasyncgen(generator), flags()

    assert asyncio.run(main()) == (True, DEFAULT)


@steps_in_the_mode
def test_B46_interleaved_async_generators_keep_their_own_modes():
    async def body():
        for _ in range(5):
            await pause()
            yield flags()

    async def consume(generator):
        return {(made, flags()) async for made in generator}

    async def main():
        bodies = [nt.inference_mode()(body)(), nt.no_grad()(body)(), nt.enable_grad(body)(), body()]
        return await asyncio.gather(*map(consume, bodies))

    assert asyncio.run(main()) == [{(inside, DEFAULT)} for inside in (INFERENCE, NO_GRAD, DEFAULT, DEFAULT)]


@steps_in_the_mode
def test_B46_an_async_context_manager_of_a_decorated_generator():
    @contextlib.asynccontextmanager
    @nt.inference_mode()
    async def resource():
        opened = flags()
        try:
            yield opened
        finally:
            await pause()
            closed.append(flags())

    closed = []

    async def main():
        async with resource() as opened:
            return opened, flags()

    assert asyncio.run(main()) == (INFERENCE, DEFAULT)
    assert closed == [INFERENCE]


# ---------------------------------------------------------------------------------------------------------------------
# Blocks


def test_B47_a_block_suspended_in_a_coroutine_stays_on_for_other_tasks():
    async def inside():
        with nt.inference_mode():
            await pause()

    async def main():
        task = asyncio.create_task(inside())
        await pause()
        meanwhile = flags()
        await task
        return meanwhile, flags()

    assert asyncio.run(main()) == (INFERENCE, DEFAULT)
