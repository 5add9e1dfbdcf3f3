"""``x[...]`` against NumPy, where the two agree, and against what PyTorch 2.13 gave, where they do not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import numtensor as nt

# No deadlines: a kernel is compiled in the first example that needs it.
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def counting(shape):
    return np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape)


@st.composite
def basic_cases(draw):
    """A shape, and an index of ints, slices with positive steps, None and at most one Ellipsis."""
    shape = draw(SHAPES)
    index = draw(arrays.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    items = index if isinstance(index, tuple) else (index,)
    items = tuple([slice(i.start, i.stop, abs(i.step or 1)) if isinstance(i, slice) else i for i in items])
    return shape, items if isinstance(index, tuple) else items[0]


@st.composite
def advanced_cases(draw):
    """A shape, and an index of slices, None and either integer arrays, which broadcast, or masks of one dimension."""
    shape = draw(arrays.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
    common = draw(arrays.array_shapes(min_dims=1, max_dims=2, max_side=3))
    masks = draw(st.booleans())
    items = []
    for n in shape[: draw(st.integers(1, len(shape)))]:
        if draw(st.booleans()):
            start, stop = sorted((draw(st.integers(0, n)), draw(st.integers(0, n))))
            items.append(slice(start, stop, draw(st.integers(1, 2))))
        elif masks:
            items.append(draw(arrays.arrays(bool, (n,))))
        else:
            given_shape = draw(st.sampled_from([common, common[-1:], (1,) * len(common)]))
            items.append(draw(arrays.arrays(np.int64, given_shape, elements=st.integers(-n, n - 1))))
        if draw(st.integers(0, 4)) == 0:
            items.append(None)
    if draw(st.booleans()):
        items.append(Ellipsis)
    return shape, tuple(items)


def as_tensors(index):
    return tuple([nt.tensor(one) if isinstance(one, np.ndarray) else one for one in index])


@given(basic_cases())
@settings(deadline=None)
def test_basic_index_is_a_view_with_numpys_values(case):
    shape, index = case
    array = counting(shape)
    x = nt.from_numpy(array)
    items = index if isinstance(index, tuple) else (index,)
    expected = array[(*items, ...) if Ellipsis not in items else items]
    result = x[index]
    assert result.shape == expected.shape
    assert np.array_equal(result._array, expected)
    assert result._base is x
    if expected.size:
        assert np.shares_memory(result._array, array)


@given(advanced_cases())
@settings(deadline=None)
def test_advanced_index_is_a_copy_with_numpys_values(case):
    shape, index = case
    array = counting(shape)
    try:
        expected = array[index]
    except IndexError:
        with pytest.raises(IndexError, match="getitem"):
            nt.from_numpy(array)[as_tensors(index)]
        return
    for chosen in (index, as_tensors(index)):
        result = nt.from_numpy(array)[chosen]
        assert result.shape == expected.shape
        assert np.array_equal(result._array, expected)
        if any(isinstance(one, np.ndarray) for one in index):
            assert not result._is_view()
            assert result.is_contiguous()


@given(advanced_cases())
@settings(max_examples=50, deadline=None)
def test_gradient_of_an_index_counts_every_use(case):
    shape, index = case
    array = counting(shape)
    try:
        expected = array[index]
    except IndexError:
        return
    x = nt.from_numpy(array).requires_grad_()
    weights = np.arange(1.0, expected.size + 1).reshape(expected.shape)
    x[as_tensors(index)].backward(nt.from_numpy(weights))
    total = np.zeros(shape)
    np.add.at(total, index, weights)
    assert np.array_equal(x.grad._array, total)


@given(st.one_of(basic_cases(), advanced_cases()), st.sampled_from(["number", "tensor", "array", "broadcast"]))
@settings(deadline=None)
def test_assignment_is_numpys(case, kind):
    shape, index = case
    array = counting(shape)
    x = nt.from_numpy(array.copy())
    try:
        part = array[index]
    except IndexError:
        with pytest.raises(IndexError, match="setitem"):
            x[index] = 0.0
        return
    values = np.asarray(-counting(part.shape))
    if kind == "broadcast":
        values = values[..., :1] if part.ndim else values
    arrays_only = isinstance(index, tuple) and any(isinstance(one, np.ndarray) for one in index)
    chosen = as_tensors(index) if arrays_only else index
    if kind == "number":
        array[index] = x[chosen] = 7.5
    elif values.shape and values.shape[-1] == 0 and part.shape[-1:] == (1,):
        return
    else:
        array[index] = values
        x[chosen] = values if kind == "array" else nt.from_numpy(values)
    assert np.array_equal(x._array, array)
    assert x._version == 1


@given(advanced_cases())
@settings(max_examples=50, deadline=None)
def test_recorded_assignment_is_the_unrecorded_one(case):
    """Same values; gradients flow into what was assigned and are cut where it was."""
    shape, index = case
    array = counting(shape)
    try:
        part = np.asarray(array[index])
    except IndexError:
        return
    chosen = as_tensors(index)
    x = nt.from_numpy(array).requires_grad_()
    y = nt.from_numpy(np.array(2.0)).requires_grad_()
    z = x * 1
    z[chosen] = y * nt.ones(part.shape, dtype=nt.float64)
    expected = array.copy()
    expected[index] = 2.0
    assert np.array_equal(z._array, expected)
    (z * z).sum().backward()
    kept = np.ones(shape)
    kept[index] = 0
    assert np.array_equal(x.grad._array, 2 * array * kept)
    if not any(isinstance(one, np.ndarray) and one.dtype != bool for one in index):
        assert y.grad.item() == 4.0 * part.size


# What PyTorch 2.13 gave for x = arange(24).reshape(2, 3, 4): the shape, and whether it is a view.
TORCH = [
    ("x[nt.tensor(1)]", (3, 4), True),
    ("x[nt.tensor([1])]", (1, 3, 4), False),
    ("x[True]", (1, 2, 3, 4), False),
    ("x[False]", (0, 2, 3, 4), False),
    ("x[nt.tensor(True)]", (1, 2, 3, 4), False),
    ("x[:, True]", (2, 1, 3, 4), False),
    ("x[[0, 1]]", (2, 3, 4), False),
    ("x[[[0, 1], [1, 0]]]", (2, 4), False),
    ("x[[0, slice(None)]]", (3, 4), True),
    ("x[[[0, 1]]]", (2, 3, 4), False),
    ("x[[True, False]]", (1, 3, 4), False),
    ("x[[]]", (0, 3, 4), False),
    ("x[0, :, [1, 2]]", (3, 2), False),
    ("x[[0, 1], :, [1, 2]]", (2, 3), False),
    ("x[:, [0, 1], [1, 2]]", (2, 2), False),
    ("x[:, [0, 1], None, [1, 2]]", (2, 2, 1), False),
    ("x[None, [0, 1]]", (1, 2, 3, 4), False),
    ("x[[0, 1], 0]", (2, 4), False),
    ("x[..., ...]", (2, 3, 4), True),
    ("x[0, ..., 0]", (3,), True),
    ("x[nt.tensor([[True, False, True], [True, True, True]])]", (5, 4), False),
    ("x[np.int64(1)]", (3, 4), True),
    ("x[np.array(1)]", (3, 4), True),
    ("x[np.array([True, False])]", (1, 3, 4), False),
    ("x[(0, 1),]", (2, 3, 4), False),
    ("x[0, (1, 2)]", (2, 4), False),
    ("x[range(2)]", (2, 3, 4), False),
    ("x[nt.tensor(0):nt.tensor(1)]", (1, 3, 4), True),
    ("x[10:20]", (0, 3, 4), True),
    ("x[()]", (2, 3, 4), True),
    ("x[0, 0, 0]", (), True),
    ("x[nt.tensor([0, 1], dtype=nt.int32)]", (2, 3, 4), False),
    ("x[True, [0, 1]]", (2, 3, 4), False),
    ("x[[0, 1], True]", (2, 3, 4), False),
    ("x[nt.tensor([0]), None, nt.tensor([1])]", (1, 1, 4), False),
    ("x[[nt.tensor(0), nt.tensor(1)]]", (4,), True),
    ("x[[1, None]]", (1, 3, 4), True),
    ("x[:, nt.tensor(1)]", (2, 4), True),
    ("x[..., [0, 1]]", (2, 3, 2), False),
    ("nt.tensor(5.0)[None]", (1,), True),
    ("nt.tensor(5.0)[True]", (1,), False),
    ("nt.tensor(5.0)[...]", (), True),
    ("nt.zeros(0, 3)[nt.tensor([], dtype=nt.int64)]", (0, 3), False),
]


@pytest.mark.parametrize(("text", "shape", "view"), TORCH)
def test_index_as_in_pytorch(text, shape, view):
    x = nt.from_numpy(counting((2, 3, 4)))
    result = eval(text, {"x": x, "nt": nt, "np": np})
    assert result.shape == shape
    assert result._is_view() is view


@pytest.mark.parametrize(
    ("index", "exception", "match"),
    [
        (5, IndexError, "index 5 is out of bounds for dimension 0 with size 2"),
        ((0, -4), IndexError, "index -4 is out of bounds for dimension 1 with size 3"),
        ((None, None, 7), IndexError, "index 7 is out of bounds for dimension 0 with size 2"),
        (([0], 0, 9), IndexError, "index 9 is out of bounds for dimension 2 with size 4"),
        ([0, -3], IndexError, "index -3 is out of bounds for dimension 0 with size 2"),
        ((0, 0, 0, 0), IndexError, "too many indices"),
        ((0, [0], [0], [0]), IndexError, "too many indices"),
        (1.0, IndexError, "only integers"),
        ("a", IndexError, "only integers"),
        (nt.tensor([1.0]), IndexError, "int64, int32 or bool"),
        (nt.tensor([0, 1], dtype=nt.uint8), IndexError, r"\.bool\(\)"),
        (nt.tensor([True, False, True]), IndexError, "the shape of the mask"),
        (([0, 1], [0, 1, 2]), IndexError, "could not be broadcast together"),
        ((False, [0, 1]), IndexError, "could not be broadcast together"),
        (slice(None, None, -1), ValueError, "step must be greater than zero"),
        ((0, slice(None, None, -2)), ValueError, "step must be greater than zero"),
        (([0], slice(None, None, -2)), ValueError, "step must be greater than zero"),
        ([[0, 1], [0]], IndexError, "out of bounds|broadcast|rectangle"),
    ],
)
def test_refused_index(index, exception, match):
    x = nt.zeros(2, 3, 4)
    if index == [[0, 1], [0]]:
        index = ([[0, 1], [0]],)
    with pytest.raises(exception, match=match) as caught:
        x[index]
    assert "item" in str(caught.value)
    with pytest.raises(exception, match=match):
        x[index] = 1.0
    assert x._version == 0


def test_index_of_a_number():
    with pytest.raises(IndexError, match="0-dim tensor"):
        nt.tensor(5.0)[0]
    with pytest.raises(IndexError, match="0-dim tensor"):
        nt.tensor(5.0)[[0]]


def test_assigned_values_are_converted():
    x = nt.zeros(3, dtype=nt.int64)
    x[0] = 2.7
    x[1:] = nt.tensor([3.5, 4.5])
    assert x.tolist() == [2, 3, 4]
    y = nt.zeros(2)
    y[[0, 1]] = np.array([1, 2])
    assert y.tolist() == [1.0, 2.0]
    with pytest.raises(RuntimeError, match="without overflow"):
        x[0] = float("nan")
    assert x.tolist() == [2, 3, 4]


def test_assigning_a_tensor_to_a_part_of_itself():
    x = nt.arange(6.0)
    x[1:] = x[:-1]
    assert x.tolist() == [0, 0, 1, 2, 3, 4]
    x[nt.tensor([0, 1, 2])] = x[3:]
    assert x.tolist() == [2, 3, 4, 2, 3, 4]


def test_inference_index_is_refused_where_it_would_be_saved():
    x = nt.zeros(3, requires_grad=True)
    with nt.inference_mode():
        index = nt.tensor([0, 1])
        mask = nt.tensor([True, False, True])
    for call in (
        lambda: x[index],
        lambda: x[mask],
        lambda: x.gather(0, index),
        lambda: x.index_select(0, index),
        lambda: x.masked_fill(mask, 0.0),
        lambda: x.masked_select(mask),
    ):
        with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
            call()
        with nt.no_grad():
            call()


def test_index_may_change_after_it_was_used():
    x = nt.tensor([1.0, 2.0, 3.0], requires_grad=True)
    index = nt.tensor([0, 0, 2])
    y = x[index]
    index.zero_()
    (y * y).sum().backward()
    assert x.grad.tolist() == [4.0, 0.0, 6.0]


def test_iteration_and_length():
    x = nt.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert len(x) == 2
    total = sum((row * (k + 1)).sum() for k, row in enumerate(x))
    total.backward()
    assert x.grad.tolist() == [[1.0, 1.0], [2.0, 2.0]]
    with pytest.raises(TypeError, match="0-d"):
        iter(nt.tensor(1.0))
