"""Few elements that do not lie alike: the ufunc's results, in the ufunc's order in memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numtensor.kernels import builtin
from numtensor.kernels.forward import arithmetic, choice, comparison

F32, F64, I64 = np.dtype("float32"), np.dtype("float64"), np.dtype("int64")

pytestmark = pytest.mark.skipif(not builtin.supported(), reason="arrays lie otherwise in this interpreter's memory")


@st.composite
def layouts(draw, shape, dtype):
    """An array that broadcasts to a shape, in any order of dimensions, perhaps with gaps."""
    own = [draw(st.sampled_from([extent, 1])) for extent in shape[draw(st.integers(0, len(shape))) :]]
    order = draw(st.permutations(range(len(own))))
    gap = draw(st.integers(1, 3))
    memory = np.arange(np.prod([gap, *own], dtype=int)).astype(dtype)
    array = memory.reshape([own[axis] for axis in order] + [gap])[..., 0].transpose(np.argsort(order))
    assert array.shape == tuple(own)
    return array[::-1] if own and draw(st.integers(0, 9)) == 0 else array


@st.composite
def operands(draw, *dtypes):
    shape = draw(st.lists(st.integers(0, 5), max_size=7).map(tuple))
    return [draw(layouts(shape, dtype)) for dtype in dtypes]


def check(kernel, dtype, arrays):
    found, expected = kernel.calls[dtype](*arrays), kernel.loops[dtype](*arrays)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected), strict=True)
    # Of what has an extent of 1 or 0 the steps say nothing.
    walked = [axis for axis, extent in enumerate(expected.shape) if extent > 1 and expected.size]
    assert [found.strides[axis] for axis in walked] == [expected.strides[axis] for axis in walked]


@pytest.mark.parametrize("dtype", [F32, F64, I64])
@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_what_the_ufunc_gives_in_its_order(dtype, data):
    check(arithmetic.sub, dtype, data.draw(operands(dtype, dtype)))


@given(arrays=operands(bool, F32, F32))
@settings(max_examples=200, deadline=None)
def test_three_operands_of_two_dtypes(arrays):
    check(choice.where, F32, arrays)


@given(arrays=operands(F32, F32))
@settings(max_examples=100, deadline=None)
def test_results_of_another_size(arrays):
    check(comparison.lt, F32, arrays)


@pytest.mark.parametrize("shape", [(64, 100), (200, 33), (3, 70, 40)])
def test_more_than_a_moment_of_work(shape):
    x = np.random.default_rng(0).standard_normal(shape).astype(F32)
    check(arithmetic.add, F32, (x, x[..., :1]))
    check(arithmetic.add, F32, (x[::2], x[1::2] if shape[0] % 2 == 0 else x[:1]))


def test_shapes_that_do_not_broadcast_are_refused_as_by_the_ufunc():
    x, y = np.zeros((3, 4), F32), np.zeros((4, 3), F32).T[:2]
    for kernel in (arithmetic.add.calls[F32], arithmetic.add.loops[F32]):
        with pytest.raises(ValueError, match="broadcast"):
            kernel(x, y)
