"""New tensors made in machine code: what the mode's own callable gives."""

import numpy as np
import pytest

import numtensor as nt
from numtensor import lean
from numtensor.ops.declaration import OPS
from numtensor.tensor import Tensor

from .boxes import MODES, assert_nothing_is_left, entered, machine_code, outcome

pytestmark = pytest.mark.skipif(lean.layout() is None, reason="objects lie otherwise in this interpreter's memory")

F32, F64 = np.dtype("float32"), np.dtype("float64")

SIZES = [
    *[(), (0,), (3,), (2, 3), (0, 1 << 40), (1,) * 33, (1,) * 70],
    *[(-1,), (2, -3), (1 << 62, 4), (1 << 70,), (True, 2), (2.0,), ("2",), ([2, 3],), ((2, 3),), (nt.Size((2, 3)),)],
]


@pytest.mark.parametrize("path", MODES)
def test_sizes(path):
    for size in SIZES:
        with entered(path) as mode:
            assert outcome(nt.zeros, *size) == outcome(mode.zeros, size), size
            found, expected = outcome(nt.empty, *size), outcome(mode.empty, size)
        # What is in it nobody knows.
        assert [one for one in found if type(one) is not bytes] == [one for one in expected if type(one) is not bytes]


@pytest.mark.parametrize("path", MODES)
def test_it_is_machine_code_that_answers(path):
    with entered(path):
        make = machine_code(OPS["zeros"], path)
        for dtype in (F32, F64, np.dtype(np.int64)):
            made = make((2, 3), dtype)
            assert type(made) is Tensor
            np.testing.assert_array_equal(made._array, np.zeros((2, 3), dtype), strict=True)
        assert make((), F32)._array.shape == ()
        assert make([2], F32) is None
        assert make((-1,), F32) is None
        assert make((1 << 62, 1 << 62), F32) is None
        assert make((2,)) is None


@pytest.mark.parametrize("path", MODES)
def test_the_default_dtype_is_that_of_the_thread(path):
    with entered(path):
        nt.zeros(2)
        nt.set_default_dtype(nt.float64)
        try:
            assert nt.zeros(2).dtype is nt.float64
        finally:
            nt.set_default_dtype(nt.float32)
        assert nt.zeros(2).dtype is nt.float32


def test_what_is_asked_for_besides():
    with nt.no_grad():
        assert nt.zeros(2, requires_grad=True).requires_grad
        assert nt.zeros(2, dtype=nt.int64).dtype is nt.int64
        with pytest.raises(RuntimeError, match="device"):
            nt.zeros(2, device="cuda")
    made = nt.zeros(2)
    assert not made.requires_grad and not made.is_inference()


@pytest.mark.parametrize("path", MODES)
def test_nothing_is_left(path):
    with entered(path):
        make = machine_code(OPS["zeros"], path)
        for size in ((2, 3), (-1,), (1 << 62, 1 << 62)):
            assert_nothing_is_left(lambda size=size: make(size, F32), (F32, None))
