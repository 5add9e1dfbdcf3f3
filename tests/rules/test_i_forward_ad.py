"""Forward-mode differentiation: rules I01 to I16."""

import importlib
import threading

import pytest

from .library import NAME, differs, nt, raises

fw = importlib.import_module(f"{NAME}.autograd.forward_ad")


def dual(primal=3.0, tangent=1.0):
    """Return a dual tensor of numbers."""
    return fw.make_dual(nt.tensor(primal), nt.tensor(tangent))


def tangent(tensor):
    """Return the tangent of a tensor as a number (or nested lists), None where there is none."""
    found = fw.unpack_dual(tensor).tangent
    return None if found is None else found.tolist()


def test_I01_tangent_flows_through_ops():
    with fw.dual_level():
        x = dual()
        assert tangent(x * x + 1) == 6.0
        assert tangent(x.exp().log()) == 1.0


def test_I01_tangent_flows_through_views_and_changes_in_place():
    with fw.dual_level():
        x = dual([1.0, 2.0], [1.0, 10.0])
        assert tangent(x[1]) == 10.0
        y = x * 2
        y[0].mul_(3)
        assert tangent(y) == [6.0, 20.0]
        y.copy_(x)
        assert tangent(y) == [1.0, 10.0]
        y.zero_()
        assert tangent(y) == [0.0, 0.0]


def test_I01_tangent_reaches_the_base_of_a_view_that_got_one():
    with fw.dual_level():
        whole = nt.zeros(3)
        before = whole[1:]
        whole[1].add_(dual())
        assert tangent(whole) == [0.0, 1.0, 0.0]
        assert tangent(before) == [1.0, 0.0]


def test_I02_no_grad_does_not_affect_it():
    with fw.dual_level():
        x = dual()
        with nt.no_grad():
            assert tangent(x * x) == 6.0


def test_I03_results_inside_have_no_tangent():
    with fw.dual_level():
        x = dual()
        with nt.inference_mode():
            y = x * x
        assert tangent(y) is None


def test_I04_unpacking_inside_shows_no_tangent():
    with fw.dual_level():
        x = dual()
        with nt.inference_mode():
            assert tangent(x) is None


def test_I05_making_a_dual_inside_gives_no_tangent():
    with fw.dual_level():
        with nt.inference_mode():
            x = dual()
            assert tangent(x) is None
        assert tangent(x) is None


def test_I06_an_older_dual_works_again_outside():
    with fw.dual_level():
        x = dual()
        with nt.inference_mode():
            assert tangent(x * x) is None
        assert tangent(x * x) == 6.0


def test_I07_enable_grad_inside_does_not_bring_it_back():
    with fw.dual_level():
        x = dual()
        with nt.inference_mode(), nt.enable_grad():
            assert tangent(x) is None
            assert tangent(x * x) is None


def test_I08_nested_inference_mode_false_does():
    with fw.dual_level():
        x = dual()
        with nt.inference_mode(), nt.inference_mode(False):
            assert tangent(x * x) == 6.0


def test_I09_a_view_inside_has_no_tangent():
    with fw.dual_level():
        x = dual([1.0, 2.0], [1.0, 1.0])
        with nt.inference_mode():
            view = x[0]
            assert tangent(view) is None


@pytest.mark.parametrize("place", ["primal", "tangent", "operand"])
def test_I10_an_inference_tensor_takes_part_outside(place):
    with nt.inference_mode():
        inference = nt.tensor(3.0)
    normal = nt.tensor(3.0)
    with fw.dual_level():
        if place == "operand":
            assert tangent(dual() * inference) == 3.0
        elif place == "primal":
            assert tangent(fw.make_dual(inference, normal) * 2) == 6.0
        else:
            assert tangent(fw.make_dual(normal, inference) * 2) == 6.0


@differs("a refused change has written nothing (E30)")
def test_I10_a_dual_of_an_inference_tensor_cannot_be_changed_outside():
    with nt.inference_mode():
        inference = nt.tensor([3.0])
    with fw.dual_level():
        x = fw.make_dual(inference, nt.tensor([1.0]))
        with raises("Inplace update to inference tensor outside InferenceMode is not allowed"):
            x.add_(1)
    assert inference.tolist() == [3.0]


def test_I11_making_a_dual_without_a_level_is_refused():
    with raises("level"):
        dual()


def test_I11_unpacking_without_a_level_gives_the_tensor_itself():
    x = nt.tensor(3.0)
    primal, no_tangent = fw.unpack_dual(x)
    assert primal is x
    assert no_tangent is None


def test_I12_the_tangent_is_gone_after_the_level():
    with fw.dual_level():
        x = dual()
        y = x * x
    assert tangent(x) is None
    with fw.dual_level():
        assert tangent(x) is None
        assert tangent(y) is None
        assert tangent(x * x) is None


@pytest.mark.parametrize("place", ["primal", "tangent"])
def test_I13_integers_are_refused(place):
    with fw.dual_level(), pytest.raises(ValueError, match="floating point"):
        if place == "primal":
            fw.make_dual(nt.tensor(3), nt.tensor(1.0))
        else:
            fw.make_dual(nt.tensor(3.0), nt.tensor(1))


def test_I14_nested_levels_are_refused_and_the_count_stays_right():
    with fw.dual_level():
        with raises("Nested"), fw.dual_level():
            pass
        assert tangent(dual() * 2) == 2.0
    with fw.dual_level():
        assert tangent(dual() * 2) == 2.0


def test_I15_a_dual_shares_memory_with_its_primal():
    x = nt.tensor([1.0, 2.0])
    with fw.dual_level():
        made = fw.make_dual(x, nt.tensor([1.0, 1.0]))
        x[0] = 5.0
        assert made.tolist() == [5.0, 2.0]
        assert made.data_ptr() == x.data_ptr()


def test_I15_unpacking_gives_a_named_pair():
    with fw.dual_level():
        pair = fw.unpack_dual(dual())
        assert pair._fields == ("primal", "tangent")
        assert (pair.primal.item(), pair.tangent.item()) == (3.0, 1.0)
        assert tangent(pair.primal) is None


def test_I16_a_tangent_of_another_shape_is_refused():
    with fw.dual_level(), raises("size"):
        fw.make_dual(nt.tensor(3.0), nt.tensor([1.0, 1.0]))


def test_I16_a_dual_of_a_dual_is_refused():
    with fw.dual_level():
        x = dual()
        with raises("already has a"):
            fw.make_dual(x, nt.tensor(1.0))


def test_I16_a_tangent_of_another_floating_dtype_is_accepted():
    with fw.dual_level():
        x = fw.make_dual(nt.tensor([3.0]), nt.tensor([1.0], dtype=nt.float64))
        assert tangent(x * 2) == [2.0]


def test_I_forward_over_reverse_gives_the_product_with_the_hessian():
    x = nt.tensor([1.0, 2.0], dtype=nt.float64, requires_grad=True)
    with fw.dual_level():
        y = (fw.make_dual(x, nt.tensor([1.0, 0.0], dtype=nt.float64)) ** 3).prod()
        (gradient,) = nt.autograd.grad(y, x)
        # y = x0^3 x1^3, so d2y/dx0dx = (6 x0 x1^3, 9 x0^2 x1^2).
        assert tangent(gradient) == [48.0, 36.0]


def test_I_detaching_drops_the_tangent():
    with fw.dual_level():
        assert tangent(dual().detach()) is None


def test_I_function_gives_its_tangents_by_jvp():
    class Double(nt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def jvp(ctx, tangent):
            # Three and not two, to see who computed it.
            return tangent * 3

    with fw.dual_level():
        assert tangent(Double.apply(dual())) == 3.0


def test_I_function_without_jvp_is_refused():
    class Double(nt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    with fw.dual_level(), pytest.raises((RuntimeError, NotImplementedError), match="jvp"):
        Double.apply(dual())


@differs("a level belongs to the thread, like the modes")
def test_I_levels_belong_to_threads():
    seen = []
    with fw.dual_level():
        x = dual()

        def work():
            with fw.dual_level():
                seen.append(tangent(x))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert tangent(x) == 1.0
    assert seen == [None]


def test_I01_views_take_tangents_that_lie_otherwise():
    x = nt.arange(6.0).reshape(2, 3)
    with fw.dual_level():
        made = fw.make_dual(x, nt.arange(6.0).reshape(3, 2).t())
        assert tangent(made.view(-1)) == [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]
        # The gradient of a product with a transposed matrix comes out transposed.
        product = made @ nt.eye(3).t()
        assert tangent(product.view(6)) == [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]
        assert tangent((made.t() * 2).t().view(-1)) == [0.0, 4.0, 8.0, 2.0, 6.0, 10.0]
