"""The dtype of every pair of operands is PyTorch's: recorded figures for all dtypes, ranks and numbers."""

import json
from pathlib import Path

import numpy as np
import pytest

import numtensor as nt

RECORDED = json.loads((Path(__file__).parent / "data" / "torch_promotion.json").read_text())
DTYPES = RECORDED["dtypes"]
NUMBERS = {"True": True, "2": 2, "2.5": 2.5}
# A bool to the power of a bool is refused, where PyTorch computes it for a number but not for a tensor.
REFUSED = {("pow", "True", "bool")}
CASES = [(op, form) for op, forms in RECORDED["results"].items() for form in forms]



def operand(kind, dtype):
    """Return the operand that a form names: a tensor with a dimension, one without, or a number."""
    if kind in NUMBERS:
        return NUMBERS[kind]
    return nt.ones(*([1] if kind == "dim" else [()]), dtype=dtype)


def names_of(value):
    return value.dtype.name if isinstance(value, nt.Tensor) else repr(value)


def result(op, first, second):
    """Return the name of the result's dtype, or "error"."""
    try:
        function = getattr(nt, op)
        found = function(nt.tensor([True]), first, second) if op == "where" else function(first, second)
    except (RuntimeError, TypeError):
        return "error"
    return found.name if isinstance(found, nt.dtype) else found.dtype.name


@pytest.mark.parametrize(("op", "form"), CASES, ids=[f"{op}-{form}" for op, form in CASES])
def test_result_dtype(op, form):
    left, right = form.split(",")
    expected = np.array(RECORDED["results"][op][form])
    wrong = []
    for position, right_one in np.ndenumerate(expected):
        dtypes = iter(position)
        first = operand(left, None if left in NUMBERS else DTYPES[next(dtypes)])
        second = operand(right, None if right in NUMBERS else DTYPES[next(dtypes)])
        found = result(op, first, second)
        # Where PyTorch refuses (bool - bool, number < bool tensor) there is no rule to follow.
        if right_one != "error" and found != right_one and (op, right, names_of(first)) not in REFUSED:
            call = f"{op}({names_of(first)}, {names_of(second)})"
            wrong.append(f"{call} [{form}] is {found}, PyTorch gives {right_one}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("number", "same_as"),
    [
        (np.float32(2.5), 2.5),
        (np.float64(2.5), 2.5),
        (np.int8(2), 2),
        (np.int64(2), 2),
        (np.uint8(2), 2),
        (np.bool_(True), True),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, np.generic) else "",
)
def test_a_numpy_number_promotes_as_a_python_number(dtype, number, same_as):
    tensor = nt.ones(2, dtype=dtype)
    for left, right in ((tensor * number, tensor * same_as), (number * tensor, same_as * tensor)):
        assert isinstance(left, nt.Tensor)
        assert left.dtype is right.dtype
        assert left.tolist() == right.tolist()


def test_numbers_follow_the_default_dtype():
    nt.set_default_dtype(nt.float64)
    try:
        assert (nt.ones(2, dtype=nt.int64) * 2.5).dtype is nt.float64
        assert (nt.ones(2, dtype=nt.float32) * 2.5).dtype is nt.float32
        assert nt.result_type(nt.ones(2, dtype=nt.int64), 1.5) is nt.float64
    finally:
        nt.set_default_dtype(nt.float32)


@pytest.mark.parametrize("number", [1e300, -1e300])
def test_a_number_too_large_for_the_dtype_is_infinite(number):
    assert (nt.ones(1) * number).tolist() == [float("inf") if number > 0 else -float("inf")]
