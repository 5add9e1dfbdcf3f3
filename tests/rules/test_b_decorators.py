"""B: the managers as decorators of functions and generators. Coroutines stand in test_b_coroutines."""

import functools
import gc
import inspect
import pickle

import pytest

from .library import differs, flags, nt
from .workers import in_thread

DEFAULT = (True, False)
NO_GRAD = (False, False)
INFERENCE = (False, True)

DECORATORS = {
    "inference_mode()": lambda f: nt.inference_mode()(f),
    "inference_mode": lambda f: nt.inference_mode(f),
    "inference_mode(True)": lambda f: nt.inference_mode(True)(f),
    "no_grad()": lambda f: nt.no_grad()(f),
    "no_grad": lambda f: nt.no_grad(f),
    "set_grad_enabled(False)": lambda f: nt.set_grad_enabled(False)(f),
}
INSIDE = {name: INFERENCE if name.startswith("inference") else NO_GRAD for name in DECORATORS}
each_decorator = pytest.mark.parametrize(
    ("decorate", "inside"), [(DECORATORS[name], INSIDE[name]) for name in DECORATORS], ids=DECORATORS.keys()
)


def leaf():
    return nt.ones(2, requires_grad=True)


def assert_runs_in(inside, decorated):
    """Call what returns `flags()`, and find the caller's mode afterwards."""
    assert decorated() == inside
    assert flags() == DEFAULT


# ---------------------------------------------------------------------------------------------------------------------
# Functions


def test_B01_inference_mode_called():
    @nt.inference_mode()
    def body():
        return flags()

    assert_runs_in(INFERENCE, body)


def test_B02_inference_mode_bare():
    @nt.inference_mode
    def body():
        return flags()

    assert_runs_in(INFERENCE, body)


def test_B03_no_grad_called():
    @nt.no_grad()
    def body():
        return flags()

    assert_runs_in(NO_GRAD, body)


def test_B04_no_grad_bare():
    @nt.no_grad
    def body():
        return flags()

    assert_runs_in(NO_GRAD, body)


def test_B05_enable_grad_called():
    @nt.enable_grad()
    def body():
        return flags(), (leaf() * 2).requires_grad

    with nt.no_grad():
        assert body() == (DEFAULT, True)
        assert flags() == NO_GRAD


def test_B06_enable_grad_bare():
    @nt.enable_grad
    def body():
        return flags(), (leaf() * 2).requires_grad

    with nt.no_grad():
        assert body() == (DEFAULT, True)
        assert flags() == NO_GRAD


def test_B07_inference_mode_true():
    @nt.inference_mode(True)
    def body():
        return flags()

    assert_runs_in(INFERENCE, body)


def test_B08_inference_mode_false_switches_inference_off():
    @nt.inference_mode(mode=False)
    def body():
        return flags(), (leaf() * 2).requires_grad, nt.ones(2).is_inference()

    with nt.inference_mode():
        assert body() == (DEFAULT, True, False)
        assert flags() == INFERENCE


def test_B09_set_grad_enabled_acts_during_the_call():
    @nt.set_grad_enabled(False)
    def body():
        return flags()

    assert flags() == DEFAULT
    assert_runs_in(NO_GRAD, body)


@pytest.mark.parametrize("mode", [True, False])
def test_B10_decorating_with_set_grad_enabled_puts_the_mode_back(mode):
    for outer in (nt.enable_grad, nt.no_grad, nt.inference_mode):
        with outer():
            before = flags()
            decorated = nt.set_grad_enabled(mode)(nt.is_grad_enabled)
            assert flags() == before
            assert decorated() is mode
            assert flags() == before


@each_decorator
def test_B11_decorating_neither_calls_nor_enters(decorate, inside):
    calls = []
    decorated = decorate(lambda: calls.append(flags()))
    assert calls == [] and flags() == DEFAULT
    decorated()
    assert calls == [inside]


def documented(x, /, y: int = 2, *rest, z=3, **options) -> tuple:
    """What is documented."""
    return (x, y, rest, z, options)


@each_decorator
def test_B12_metadata_is_kept(decorate, inside):
    decorated = decorate(documented)
    for name in ("__name__", "__doc__", "__qualname__", "__module__", "__annotations__"):
        assert getattr(decorated, name) == getattr(documented, name)
    assert decorated.__wrapped__ is documented
    assert inspect.signature(decorated) == inspect.signature(documented)


@nt.no_grad()
def pickled():
    return flags()


def test_B12_a_decorated_function_pickles():
    assert pickle.loads(pickle.dumps(pickled)) is pickled


@each_decorator
def test_B13_arguments_and_result_pass_through(decorate, inside):
    decorated = decorate(documented)
    assert decorated(1) == documented(1)
    assert decorated(1, 5, 6, 7, z=8, w=9) == documented(1, 5, 6, 7, z=8, w=9)
    marker = object()
    assert decorate(lambda value: value)(marker) is marker


@each_decorator
def test_B14_methods(decorate, inside):
    class Owner:
        @decorate
        def method(self, value):
            return self, value, flags()

    owner = Owner()
    assert owner.method(3) == (owner, 3, inside)
    assert Owner.method(owner, value=4) == (owner, 4, inside)


@each_decorator
def test_B15_static_class_methods_and_properties(decorate, inside):
    class Owner:
        @staticmethod
        @decorate
        def static(value):
            return value, flags()

        @classmethod
        @decorate
        def of_class(cls, value):
            return cls, value, flags()

        @property
        @decorate
        def read(self):
            return self, flags()

    owner = Owner()
    assert Owner.static(1) == owner.static(1) == (1, inside)
    assert Owner.of_class(2) == owner.of_class(2) == (Owner, 2, inside)
    assert owner.read == (owner, inside)


@each_decorator
def test_B16_recursion(decorate, inside):
    @decorate
    def down(n):
        before = flags()
        below = down(n - 1) if n else []
        return [before, *below, flags()]

    assert down(4) == [inside] * 10
    assert flags() == DEFAULT


@each_decorator
def test_B17_errors_propagate(decorate, inside):
    error = ValueError("mine")

    @decorate
    def body():
        raise error

    with pytest.raises(ValueError) as raised:
        body()
    assert raised.value is error
    assert flags() == DEFAULT


@pytest.mark.parametrize(("make", "inside"), [(nt.no_grad, NO_GRAD), (nt.inference_mode, INFERENCE)])
def test_B18_one_object_decorates_functions_that_call_each_other(make, inside):
    manager = make()

    @manager
    def inner():
        return [flags()]

    @manager
    def outer():
        return [flags(), *inner(), flags()]

    assert outer() == [inside] * 3
    assert flags() == DEFAULT


def test_B19_the_callers_mode_comes_back():
    body = nt.no_grad()(flags)
    for outer in (nt.enable_grad, nt.no_grad, nt.inference_mode, lambda: nt.inference_mode(False)):
        with outer():
            before = flags()
            body()
            assert flags() == before
    with nt.inference_mode():
        assert body() == INFERENCE
        assert nt.no_grad()(nt.ones)(2).is_inference()


def test_B20_the_innermost_decorator_decides():
    @nt.no_grad()
    @nt.enable_grad()
    def on():
        return flags()

    @nt.enable_grad()
    @nt.no_grad()
    def off():
        return flags()

    @nt.inference_mode()
    @nt.inference_mode(False)
    def normal():
        return flags()

    assert (on(), off(), normal()) == (DEFAULT, NO_GRAD, DEFAULT)


class CallableObject:
    def __call__(self, value):
        return value, flags()


@each_decorator
def test_B21_lambdas_partials_and_callable_objects(decorate, inside):
    assert decorate(lambda value: (value, flags()))(1) == (1, inside)
    assert decorate(functools.partial(lambda value, more: (value, more, flags()), 1))(2) == (1, 2, inside)
    assert decorate(CallableObject())(3) == (3, inside)
    assert flags() == DEFAULT


def test_B22_a_decorated_call_returns_inference_tensors():
    x = leaf()
    y = nt.inference_mode()(lambda: x * x)()
    assert y.is_inference() and not y.requires_grad and y.grad_fn is None


@differs("decorating a class is an error")
@pytest.mark.parametrize("name", ["no_grad", "enable_grad", "inference_mode"])
def test_B23_a_class_cannot_be_decorated_bare(name):
    with pytest.raises(TypeError, match=f"{name}: a class cannot be decorated .* decorate its methods instead"):
        getattr(nt, name)(CallableObject)


@each_decorator
def test_B24_the_mode_applies_where_the_function_is_called(decorate, inside):
    body = decorate(flags)
    with nt.no_grad():
        assert in_thread(lambda: (flags(), body(), flags())) == (DEFAULT, inside, DEFAULT)


def test_B25_a_change_by_call_does_not_leak_out():
    for decorate, outer in ((nt.no_grad(), DEFAULT), (nt.inference_mode(), DEFAULT), (nt.enable_grad(), NO_GRAD)):

        @decorate
        def body():
            nt.set_grad_enabled(not nt.is_grad_enabled())
            return nt.is_grad_enabled()

        with nt.set_grad_enabled(outer[0]):
            body()
            assert flags() == outer
        assert flags() == DEFAULT


# ---------------------------------------------------------------------------------------------------------------------
# Generators

each_generator_decorator = pytest.mark.parametrize(
    ("decorate", "inside"),
    [(DECORATORS[name], INSIDE[name]) for name in ("inference_mode()", "inference_mode", "no_grad()", "no_grad")],
)


@each_generator_decorator
def test_B30_a_decorated_generator_function_stays_one(decorate, inside):
    started = []

    @decorate
    def body():
        started.append(flags())
        yield

    assert inspect.isgeneratorfunction(body)
    generator = body()
    assert inspect.isgenerator(generator)
    assert started == []
    next(generator)
    assert started == [inside]


@each_generator_decorator
def test_B31_the_body_runs_in_the_mode(decorate, inside):
    @decorate
    def body():
        for _ in range(3):
            yield flags()

    assert list(body()) == [inside] * 3


@each_generator_decorator
def test_B32_between_yields_the_caller_has_its_own_mode(decorate, inside):
    @decorate
    def body():
        yield 1
        yield 2

    for outer in (nt.enable_grad, nt.no_grad, nt.inference_mode):
        with outer():
            before = flags()
            for _ in body():
                assert flags() == before
            assert flags() == before


@each_generator_decorator
def test_B33_send_reaches_the_body(decorate, inside):
    @decorate
    def body():
        received = []
        while len(received) < 2:
            received.append((yield flags()))
            received.append(flags())
        yield received

    generator = body()
    next(generator)
    assert generator.send("sent") == ["sent", inside]
    assert flags() == DEFAULT


@each_generator_decorator
def test_B34_throw_reaches_the_body(decorate, inside):
    @decorate
    def body():
        try:
            yield
        except ValueError as caught:
            yield caught, flags()

    generator = body()
    next(generator)
    error = ValueError("mine")
    assert generator.throw(error) == (error, inside)
    assert flags() == DEFAULT


@each_generator_decorator
def test_B35_close_runs_finally_in_the_mode(decorate, inside):
    seen = []

    @decorate
    def body():
        try:
            yield
        finally:
            seen.append(flags())

    generator = body()
    next(generator)
    generator.close()
    assert seen == [inside] and flags() == DEFAULT
    with pytest.raises(StopIteration):
        next(generator)


@each_generator_decorator
def test_B35_a_collected_generator_runs_finally_in_the_mode(decorate, inside):
    seen = []

    @decorate
    def body():
        try:
            yield
        finally:
            seen.append(flags())

    generator = body()
    next(generator)
    del generator
    gc.collect()
    assert seen == [inside] and flags() == DEFAULT


@each_generator_decorator
def test_B36_the_return_value_is_in_stop_iteration(decorate, inside):
    @decorate
    def body():
        yield
        return "returned", flags()

    generator = body()
    next(generator)
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == ("returned", inside)


@each_generator_decorator
def test_B37_an_error_of_the_body_propagates(decorate, inside):
    error = ValueError("mine")

    @decorate
    def body():
        yield
        raise error

    generator = body()
    next(generator)
    with pytest.raises(ValueError) as raised:
        next(generator)
    assert raised.value is error and flags() == DEFAULT


def test_B38_a_change_by_call_is_gone_after_the_next_yield():
    @nt.no_grad()
    def body():
        nt.set_grad_enabled(True)
        yield flags()
        yield flags()

    assert list(body()) == [DEFAULT, NO_GRAD]
    assert flags() == DEFAULT


def test_B39_enable_grad_generator_under_no_grad():
    x = leaf()

    @nt.enable_grad()
    def body():
        for _ in range(2):
            yield (x * x).requires_grad

    with nt.no_grad():
        for recorded in body():
            assert recorded
            assert not (x * x).requires_grad and flags() == NO_GRAD


def test_B40_inference_generator_yields_inference_tensors():
    @nt.inference_mode()
    def body():
        for _ in range(2):
            yield nt.ones(2)

    for made in body():
        assert made.is_inference()
        assert not nt.ones(2).is_inference() and not (made + 1).is_inference()


@each_generator_decorator
def test_B41_yield_from_passes_everything(decorate, inside):
    @decorate
    def body():
        sent = yield "first", flags()
        yield sent, flags()
        return "result", flags()

    def outer():
        result = yield from body()
        yield result, flags()

    generator = outer()
    assert next(generator) == ("first", inside)
    assert generator.send("sent") == ("sent", inside)
    assert next(generator) == (("result", inside), DEFAULT)


@each_generator_decorator
def test_B42_generator_methods(decorate, inside):
    class Owner:
        @decorate
        def __iter__(self):
            yield flags()
            yield flags()

    assert list(Owner()) == [inside, inside]


def test_B43_two_live_generators_do_not_disturb_each_other():
    def body():
        while True:
            yield flags()

    inference, no_grad, on = nt.inference_mode()(body)(), nt.no_grad()(body)(), nt.enable_grad()(body)()
    for _ in range(3):
        assert (next(inference), next(no_grad), next(on), flags()) == (INFERENCE, NO_GRAD, DEFAULT, DEFAULT)
    inference.close()
    assert (next(no_grad), flags()) == (NO_GRAD, DEFAULT)


# ---------------------------------------------------------------------------------------------------------------------
# The rest


def test_B47_a_block_suspended_in_a_generator_stays_on():
    def body():
        with nt.inference_mode():
            yield

    generator = body()
    next(generator)
    assert flags() == INFERENCE
    generator.close()
    assert flags() == DEFAULT


@differs("decorating a class is an error")
@each_decorator
def test_B48_a_class_cannot_be_decorated(decorate, inside):
    with pytest.raises(TypeError, match="a class cannot be decorated"):
        decorate(CallableObject)
    assert flags() == DEFAULT


@differs("what is not callable is refused when decorating, not when called")
@pytest.mark.parametrize("make", [nt.no_grad, nt.inference_mode], ids=["no_grad", "inference_mode"])
def test_B49_what_is_not_callable_cannot_be_decorated(make):
    with pytest.raises(TypeError, match="expected a function to decorate, got int"):
        make()(3)
    with pytest.raises(TypeError, match="expected a function to decorate, got property"):
        make()(property(flags))


@differs("the function below a staticmethod or classmethod object is decorated")
@each_decorator
def test_B49_static_and_class_method_objects(decorate, inside):
    class Owner:
        @decorate
        @staticmethod
        def static(value):
            return value, flags()

        @decorate
        @classmethod
        def of_class(cls, value):
            return cls, value, flags()

        @decorate
        @staticmethod
        def generator():
            yield flags()

    owner = Owner()
    assert Owner.static(1) == owner.static(1) == (1, inside)
    assert Owner.of_class(2) == owner.of_class(2) == (Owner, 2, inside)
    assert list(owner.generator()) == [inside]
