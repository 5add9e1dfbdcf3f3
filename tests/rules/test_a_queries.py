"""A: mode queries and nesting."""

from contextlib import ExitStack
from threading import Barrier, Thread

import numpy as np
import pytest

from .library import differs, flags, nt
from .workers import in_thread

DEFAULT = (True, False)
NO_GRAD = (False, False)
INFERENCE = (False, True)

MANAGERS = {
    "no_grad": nt.no_grad,
    "enable_grad": nt.enable_grad,
    "inference_mode": nt.inference_mode,
    "inference_mode(False)": lambda: nt.inference_mode(False),
}
each_manager = pytest.mark.parametrize("make", MANAGERS.values(), ids=MANAGERS.keys())


def leaf():
    return nt.ones(2, requires_grad=True)


def test_A01_fresh_thread_is_in_default_mode():
    assert in_thread(flags) == DEFAULT


def test_A02_queries_return_bools():
    for manager in (nt.enable_grad(), nt.no_grad(), nt.inference_mode()):
        with manager:
            assert type(nt.is_grad_enabled()) is bool
            assert type(nt.is_inference_mode_enabled()) is bool


def test_A03_no_grad_block():
    with nt.no_grad():
        assert flags() == NO_GRAD
        assert not nt.ones(2).is_inference()
    assert flags() == DEFAULT


def test_A04_inference_block_turns_grad_off_too():
    with nt.inference_mode():
        assert flags() == INFERENCE
        assert nt.ones(2).is_inference()
    assert flags() == DEFAULT


def test_A05_true_is_the_default_argument():
    with nt.inference_mode(True):
        assert flags() == INFERENCE
    with nt.inference_mode(mode=True):
        assert flags() == INFERENCE
    assert flags() == DEFAULT


def test_A06_inference_mode_false_at_top_level():
    with nt.inference_mode(False):
        assert flags() == DEFAULT
        made = leaf() * 2
        assert not made.is_inference() and made.requires_grad
    assert flags() == DEFAULT


def test_A07_inference_mode_false_inside_inference():
    with nt.inference_mode():
        with nt.inference_mode(False):
            assert flags() == DEFAULT
            x = leaf()
            (x * x).sum().backward()
            assert not x.is_inference() and x.grad.tolist() == [2, 2] and not x.grad.is_inference()
        assert flags() == INFERENCE
    assert flags() == DEFAULT


def test_A08_inference_mode_false_inside_no_grad_turns_grad_on():
    with nt.no_grad():
        with nt.inference_mode(False):
            assert flags() == DEFAULT
            assert (leaf() * 2).requires_grad
        assert flags() == NO_GRAD
        assert not (leaf() * 2).requires_grad


def test_A09_leaving_inference_inside_no_grad_leaves_grad_off():
    with nt.no_grad():
        with nt.inference_mode():
            assert flags() == INFERENCE
        assert flags() == NO_GRAD


def test_A10_inference_inside_enable_grad_turns_grad_off():
    with nt.enable_grad():
        with nt.inference_mode():
            assert flags() == INFERENCE
        assert flags() == DEFAULT


def test_A11_no_grad_inside_inference():
    with nt.inference_mode():
        with nt.no_grad():
            assert flags() == INFERENCE
            assert nt.ones(2).is_inference() and (nt.ones(2) + 1).is_inference()
        assert flags() == INFERENCE


def test_A12_enable_grad_inside_inference():
    with nt.inference_mode():
        with nt.enable_grad():
            assert flags() == (True, True)
        assert flags() == INFERENCE
    assert flags() == DEFAULT


def test_A13_enable_grad_inside_inference_records_nothing():
    x = leaf()
    with nt.inference_mode(), nt.enable_grad():
        y = x * x
        assert y.is_inference() and not y.requires_grad and y.grad_fn is None
        assert nt.ones(2).is_inference()


def test_A14_set_grad_enabled_called_inside_inference_ends_with_the_block():
    with nt.inference_mode():
        nt.set_grad_enabled(True)
        assert flags() == (True, True)
    assert flags() == DEFAULT
    with nt.no_grad():
        with nt.inference_mode():
            nt.set_grad_enabled(True)
        assert flags() == NO_GRAD


@pytest.mark.parametrize(("make", "inside"), [(nt.no_grad, NO_GRAD), (nt.inference_mode, INFERENCE)])
def test_A15_inner_exit_does_not_end_the_outer_block(make, inside):
    with make():
        with make():
            assert flags() == inside
        assert flags() == inside
    assert flags() == DEFAULT


def test_A15_inner_exit_does_not_end_the_outer_enable_grad():
    with nt.no_grad():
        with nt.enable_grad():
            with nt.enable_grad():
                pass
            assert flags() == DEFAULT
        assert flags() == NO_GRAD


def test_A16_an_error_leaves_inference_unchanged():
    error = ValueError("mine")
    with pytest.raises(ValueError) as raised, nt.inference_mode():
        raise error
    assert raised.value is error
    assert flags() == DEFAULT


def test_A17_an_error_leaves_no_grad_unchanged():
    error = ValueError("mine")
    with pytest.raises(ValueError) as raised, nt.no_grad():
        raise error
    assert raised.value is error
    assert flags() == DEFAULT


def test_A18_an_error_leaves_enable_grad_inside_no_grad():
    error = ValueError("mine")
    with nt.no_grad():
        with pytest.raises(ValueError) as raised, nt.enable_grad():
            raise error
        assert raised.value is error
        assert flags() == NO_GRAD


@each_manager
def test_A19_construction_changes_nothing(make):
    for outer in (nt.enable_grad, nt.no_grad, nt.inference_mode):
        with outer():
            before = flags()
            manager = make()
            assert flags() == before
            del manager
            assert flags() == before


@pytest.mark.parametrize(("make", "inside"), [(nt.no_grad, NO_GRAD), (nt.inference_mode, INFERENCE)])
def test_A20_an_object_may_be_used_again(make, inside):
    manager = make()
    for _ in range(3):
        with manager:
            assert flags() == inside
        assert flags() == DEFAULT


def test_A20_enable_grad_and_set_grad_enabled_may_be_used_again():
    enable, set_on = nt.enable_grad(), nt.set_grad_enabled(True)
    for manager in (enable, enable, set_on, set_on):
        with manager:
            assert flags() == DEFAULT
        assert flags() == DEFAULT


@pytest.mark.parametrize(("make", "inside"), [(nt.no_grad, NO_GRAD), (nt.inference_mode, INFERENCE)])
def test_A21_entered_and_left_by_hand(make, inside):
    manager = make()
    manager.__enter__()
    assert flags() == inside
    manager.__exit__(None, None, None)
    assert flags() == DEFAULT


def test_A21_left_in_the_order_of_entering():
    """Each restores what it found on entry, whichever is innermost."""
    first, second = nt.inference_mode(), nt.inference_mode(False)
    with nt.inference_mode(False), nt.no_grad():
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert flags() == NO_GRAD
        second.__exit__(None, None, None)
        assert flags() == INFERENCE
    with nt.inference_mode(False):
        outer, inner = nt.no_grad(), nt.enable_grad()
        outer.__enter__()
        inner.__enter__()
        outer.__exit__(None, None, None)
        assert flags() == DEFAULT
        inner.__exit__(None, None, None)
        assert flags() == NO_GRAD


@differs("leaving what was not entered is an error")
@each_manager
def test_A21_left_more_often_than_entered(make):
    manager = make()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="left more often than entered in this thread"):
            manager.__exit__(None, None, None)
        with manager:
            pass
    assert flags() == DEFAULT


def test_A22_exit_stack_unwinds_in_order():
    makers = [nt.inference_mode, nt.no_grad, nt.enable_grad, MANAGERS["inference_mode(False)"], nt.no_grad]
    entered, left = [], []
    with ExitStack() as stack:
        for make in makers:
            # Called after the manager below is left.
            stack.callback(lambda: left.append(flags()))
            stack.enter_context(make())
            entered.append(flags())
    assert entered == [INFERENCE, INFERENCE, (True, True), DEFAULT, NO_GRAD]
    assert left == [DEFAULT, (True, True), INFERENCE, INFERENCE, DEFAULT]


def test_A23_set_grad_enabled_as_a_call_lasts():
    nt.set_grad_enabled(False)
    assert flags() == NO_GRAD
    kept = nt.set_grad_enabled(True)
    assert flags() == DEFAULT
    del kept
    assert flags() == DEFAULT


def test_A24_set_grad_enabled_block_restores():
    with nt.set_grad_enabled(False):
        assert flags() == NO_GRAD
        with nt.set_grad_enabled(True):
            assert flags() == DEFAULT
        assert flags() == NO_GRAD
    assert flags() == DEFAULT


def test_A25_set_grad_enabled_inside_inference_records_nothing():
    x = leaf()
    with nt.inference_mode():
        with nt.set_grad_enabled(True):
            assert flags() == (True, True)
            y = x * x
        assert flags() == INFERENCE
    assert y.is_inference() and not y.requires_grad


@pytest.mark.parametrize("value", [1, 0, None, "x", 1.0, np.bool_(True)], ids=repr)
def test_A26_set_grad_enabled_takes_bools_only(value):
    for outer in (nt.enable_grad, nt.no_grad, nt.inference_mode):
        with outer():
            before = flags()
            with pytest.raises(TypeError):
                nt.set_grad_enabled(value)
            assert flags() == before


def test_A27_set_grad_enabled_needs_its_argument():
    with pytest.raises(TypeError):
        nt.set_grad_enabled()
    assert flags() == DEFAULT


def test_A28_clone_gives_a_new_object_of_the_same_mode():
    for manager, inside in (
        (nt.no_grad(), NO_GRAD),
        (nt.enable_grad(), DEFAULT),
        (nt.inference_mode(), INFERENCE),
        (nt.inference_mode(False), DEFAULT),
        (nt.set_grad_enabled(True), DEFAULT),
    ):
        other = manager.clone()
        assert type(other) is type(manager) and other is not manager
        with other:
            assert flags() == inside
        assert flags() == DEFAULT


def test_A29_enable_grad_inside_no_grad_records():
    x = leaf()
    with nt.no_grad():
        with nt.enable_grad():
            assert (x * x).requires_grad
        assert not (x * x).requires_grad


def test_A30_the_query_takes_no_argument():
    with pytest.raises(TypeError):
        nt.is_inference_mode_enabled(nt.ones(2))


def test_A31_as_binds_none():
    with nt.no_grad() as a, nt.enable_grad() as b, nt.inference_mode() as c, nt.set_grad_enabled(False) as d:
        assert (a, b, c, d) == (None,) * 4


def test_A32_set_grad_enabled_restores_what_construction_saw():
    manager = nt.set_grad_enabled(False)
    nt.set_grad_enabled(False)
    with manager:
        assert flags() == NO_GRAD
    assert flags() == DEFAULT


@differs("only the first block ends with what construction saw, every later one with what it found")
def test_A32_set_grad_enabled_used_again_restores_what_entry_saw():
    manager = nt.set_grad_enabled(False)
    with manager:
        pass
    with nt.no_grad():
        with manager:
            assert flags() == NO_GRAD
        assert flags() == NO_GRAD
    assert flags() == DEFAULT


def test_A32_clone_of_set_grad_enabled_sets_the_mode():
    with nt.enable_grad():
        manager = nt.set_grad_enabled(False)
        nt.set_grad_enabled(True)
        manager.clone()
        assert flags() == NO_GRAD
    assert flags() == DEFAULT


def test_A32_repr_of_set_grad_enabled():
    assert repr(nt.set_grad_enabled(True)).endswith("set_grad_enabled(mode=True)")


def test_A33_managers_are_classes_and_the_same_in_autograd():
    for name in ("no_grad", "enable_grad", "set_grad_enabled", "inference_mode"):
        assert isinstance(getattr(nt, name), type)
        assert getattr(nt.autograd, name) is getattr(nt, name)


def test_A34_inference_mode_as_a_statement_does_nothing():
    nt.inference_mode(True)
    assert flags() == DEFAULT
    with nt.inference_mode():
        nt.inference_mode(False)
        assert flags() == INFERENCE


def enter_twice(manager):
    seen = []
    with manager:
        seen.append(flags())
        with manager:
            seen.append(flags())
        seen.append(flags())
    return [*seen, flags()]


@differs("a manager may be entered again while inside it")
@pytest.mark.parametrize(("make", "inside"), [(nt.no_grad, NO_GRAD), (nt.inference_mode, INFERENCE)])
def test_A35_entered_again_while_inside(make, inside):
    assert enter_twice(make()) == [inside, inside, inside, DEFAULT]


@differs("a manager may be entered again while inside it")
def test_A35_enable_grad_entered_again_while_inside():
    with nt.no_grad():
        assert enter_twice(nt.enable_grad()) == [DEFAULT, DEFAULT, DEFAULT, NO_GRAD]


@differs("a manager may be entered again while inside it")
def test_A35_set_grad_enabled_entered_again_while_inside():
    assert enter_twice(nt.set_grad_enabled(False)) == [NO_GRAD, NO_GRAD, NO_GRAD, DEFAULT]


@differs("threads may share a manager")
def test_A35_set_grad_enabled_entered_in_another_thread():
    manager = nt.set_grad_enabled(True)

    def enter():
        with nt.no_grad():
            with manager:
                inside = flags()
            return inside, flags()

    assert in_thread(enter) == (DEFAULT, NO_GRAD)


@differs("threads may share a manager")
@pytest.mark.parametrize(("make", "inside"), [(nt.no_grad, NO_GRAD), (nt.inference_mode, INFERENCE)])
def test_A35_threads_share_a_manager(make, inside):
    manager, turn, seen = make(), Barrier(2, timeout=10), {}

    def overlap(name, outer):
        with outer():
            before = flags()
            turn.wait()
            # The first to enter is the first to leave, so that one saved state would be the other's.
            if name == "second":
                turn.wait()
            with manager:
                if name == "first":
                    turn.wait()
                turn.wait()
                inside_flags = flags()
                if name == "second":
                    turn.wait()
            seen[name] = (before == flags(), inside_flags)
            if name == "first":
                turn.wait()

    threads = [
        Thread(target=overlap, args=("first", nt.enable_grad)),
        Thread(target=overlap, args=("second", nt.no_grad)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"first": (True, inside), "second": (True, inside)}


def enter_temporary():
    nt.inference_mode().__enter__()
    return flags(), nt.ones(2).is_inference()


@differs("only __exit__ restores")
def test_A36_an_entered_temporary_holds():
    assert in_thread(enter_temporary) == (INFERENCE, True)


@differs("only __exit__ restores")
def test_A36_a_block_ends_what_a_temporary_began_inside_it():
    with nt.inference_mode(False):
        enter_temporary()
        assert flags() == INFERENCE
    assert flags() == DEFAULT


@differs("only __exit__ restores")
def test_A36_deleting_the_object_inside_does_not_end_the_mode():
    def delete_inside():
        manager = nt.inference_mode()
        manager.__enter__()
        del manager
        return flags()

    assert in_thread(delete_inside) == INFERENCE


@differs("what is neither a bool nor callable is refused at once")
@pytest.mark.parametrize("value", [1, 0, None, "x", np.bool_(True), np.bool_(False), 1.0], ids=repr)
def test_A37_inference_mode_takes_a_bool_or_a_function(value):
    with pytest.raises(TypeError, match="inference_mode: mode must be a bool"):
        nt.inference_mode(value)
    with pytest.raises(TypeError, match="inference_mode: mode must be a bool"):
        nt.inference_mode(mode=value)


@differs("what is not callable is refused at once")
@pytest.mark.parametrize("value", [False, True, 1, "x"], ids=repr)
@pytest.mark.parametrize("name", ["no_grad", "enable_grad"])
def test_A37_no_grad_and_enable_grad_take_a_function_only(name, value):
    with pytest.raises(TypeError, match=f"{name}: takes no argument but a function to decorate"):
        getattr(nt, name)(value)
