"""``set_debug``: errors that name the line which led to them, and the warning of graphs that grow."""

import gc
import pickle
import re
import threading
import warnings

import pytest

import numtensor as nt
from numtensor import debug
from numtensor.modes import TRACKED, Mode, Wrapper, current


def here(text):
    """Return a pattern of a line of this file."""
    return re.escape(f"{__file__}:") + r"\d+: " + re.escape(text)


def test_off_at_first_and_after_a_block():
    assert not nt.is_debug_enabled()
    with nt.set_debug(True):
        assert nt.is_debug_enabled()
        with nt.set_debug(False):
            assert not nt.is_debug_enabled()
        assert nt.is_debug_enabled()
    assert not nt.is_debug_enabled()
    assert current.mode is TRACKED


def test_acts_at_once_as_a_statement():
    nt.set_debug(True)
    assert nt.is_debug_enabled()
    nt.set_debug(False)
    assert not nt.is_debug_enabled()


@pytest.mark.parametrize("wrong", [1, 0, None, "on"])
def test_anything_but_a_bool_is_refused(wrong):
    with pytest.raises(TypeError, match="set_debug"):
        nt.set_debug(wrong)
    assert not nt.is_debug_enabled()


def test_of_this_thread_only():
    seen = []
    with nt.set_debug(True):
        thread = threading.Thread(target=lambda: seen.append(nt.is_debug_enabled()))
        thread.start()
        thread.join()
    assert seen == [False]


def test_combines_with_the_other_modes():
    with nt.set_debug(True), nt.inference_mode():
        assert nt.is_debug_enabled()
        assert (nt.ones(2) * 2).is_inference()
        with nt.inference_mode(False):
            assert nt.is_debug_enabled()
            assert (nt.ones(2, requires_grad=True) * 2).requires_grad
        with nt.no_grad():
            assert nt.is_debug_enabled()


def test_refused_saving_names_the_line_that_made_the_tensor():
    x = nt.ones(3, requires_grad=True)
    with nt.set_debug(True):
        with nt.inference_mode():
            cached = nt.ones(3) * 2
        line = here("cached = nt.ones(3) * 2")
        with pytest.raises(RuntimeError, match="mul: .*'other' of shape .*made by mul at " + line):
            x * cached


def test_refused_change_names_the_line_that_made_the_tensor():
    with nt.set_debug(True):
        with nt.inference_mode():
            total = nt.zeros(3)
        with pytest.raises(RuntimeError, match="add_: .*made by zeros at " + here("total = nt.zeros(3)")):
            total += 1


def test_refused_recording_names_the_line_that_made_the_tensor():
    with nt.set_debug(True):
        with nt.inference_mode():
            leaf = nt.ones(3, requires_grad=True)
        line = here("leaf = nt.ones(3, requires_grad=True)")
        with pytest.raises(RuntimeError, match="exp: .*made by ones at " + line):
            leaf.exp()


def test_modified_by_an_inplace_operation_names_the_line_that_modified_it():
    x = nt.ones(3, requires_grad=True)
    with nt.set_debug(True):
        y = x.exp()
        y.mul_(2)
    line = here("y.mul_(2)")
    with pytest.raises(RuntimeError, match="exp: .*version 1; expected version 0.* last by mul_ at " + line):
        y.sum().backward()


def test_modified_by_item_assignment_names_the_line():
    x = nt.ones(3, requires_grad=True)
    with nt.set_debug(True):
        y = x.exp()
        with nt.no_grad():
            y[0] = 5
    with pytest.raises(RuntimeError, match="version 1; .* at " + here("y[0] = 5")):
        y.sum().backward()


def test_without_debug_the_op_is_named_and_no_line():
    x = nt.ones(3, requires_grad=True)
    y = x.exp()
    y.mul_(2)
    with pytest.raises(RuntimeError, match="changed last by mul_") as caught:
        y.sum().backward()
    assert __file__ not in str(caught.value)
    with nt.inference_mode():
        cached = nt.ones(3)
    with pytest.raises(RuntimeError, match="cannot be saved") as caught:
        x * cached
    assert __file__ not in str(caught.value)


@pytest.mark.parametrize("accumulate", ["before backward", "after backward", "out of place"])
def test_an_accumulated_loss_is_warned_of(accumulate):
    x = nt.ones(3, requires_grad=True)

    def epoch():
        total = 0.0
        for _ in range(3):
            loss = (x * x).sum()
            if accumulate == "before backward":
                total += loss
            loss.backward()
            if accumulate == "after backward":
                total += loss
            elif accumulate == "out of place":
                total = total + loss

    with nt.set_debug(True), pytest.warns(UserWarning, match="in memory; add loss.item") as caught:
        epoch()
    assert {warning.filename for warning in caught} == {__file__}


def test_losses_that_are_added_before_one_backward_are_not():
    x = nt.ones(3, requires_grad=True)
    with nt.set_debug(True), warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            total = (x * x).sum() + (x * 2).sum()
            total.backward()
            kept = 0.0
            kept += total.item() + total.detach().item()


def test_what_is_remembered_of_a_tensor_goes_with_it():
    before = len(debug._origins)
    with nt.set_debug(True), nt.inference_mode():
        made = [nt.ones(2) for _ in range(10)]
        assert len(debug._origins) >= before + 10
    del made
    gc.collect()
    assert len(debug._origins) == before


def test_results_are_the_same():
    x = nt.randn(5, 4, requires_grad=True)

    def program():
        y = (x.exp() @ x.T).softmax(1)
        y = y.reshape(-1)[1:] * 2
        y[3] = x[0, 0]
        return nt.autograd.grad(y.sum(), x)[0].tolist(), y.tolist()

    plain = program()
    with nt.set_debug(True):
        assert program() == plain


def test_the_mode_pickles():
    with nt.set_debug(True):
        assert pickle.loads(pickle.dumps(current.mode)) is current.mode


def test_entered_again_it_is_on_again():
    switch = nt.set_debug(True)
    for _ in range(2):
        with switch:
            assert nt.is_debug_enabled()
        assert not nt.is_debug_enabled()


def test_threads_that_make_the_same_modes_at_once_get_finished_ones():
    wrappers = [type("Nothing", (Wrapper,), {"applies": lambda self, mode: False})() for _ in range(20)]
    start = threading.Barrier(4)
    failures = []

    def work():
        start.wait()
        try:
            for wrapper in wrappers:
                mode = TRACKED.inside(wrapper)
                assert mode.with_inference[True].with_inference[False] is mode.with_grad[True]
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
    finally:
        for key in [key for key in Mode._made if any(wrapper in key[3] for wrapper in wrappers)]:
            del Mode._made[key]
