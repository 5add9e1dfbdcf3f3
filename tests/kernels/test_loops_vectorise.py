"""The loops of kernels vectorise, read from their assembly: the templates' addresses, not the formulas, decide it."""

import platform
import re

import llvmlite.binding
import numpy as np
import pytest

import numtensor as nt
import numtensor.optim  # declares kernels
from numtensor.kernels import emit
from numtensor.kernels.declare import REGISTRY
from numtensor.kernels.symbols import LIBM_SYMBOLS

# A strided path gathers and scatters; only a contiguous one stores whole vectors.
STORE = re.compile(r"\bvmov(?:up[sd]|ap[sd]|dqu\w*|dqa\w*)\s+%[xyz]mm\d+, .*\(")
PACKED = re.compile(r"\bv\w+p[sd]\s.*%[yz]mm|\bvp\w+\s.*%[yz]mm")
# Functions of the C library are called by their names, or by an address that is loaded first.
CALLED = re.compile(r"(?:\bcallq?|\bmovabsq)\s+\$?(\w+)|\b(\w+)@GOTPCREL")

ELEMENTWISE = [
    "forward.arithmetic.add",
    "forward.arithmetic.div",
    "forward.exponential.exp",
    "forward.power.pow",
    "forward.choice.where",
    "forward.choice.clamp",
    "forward.choice.maximum",
    "forward.activation.gelu",
    "forward.activation.softplus",
    "forward.trigonometric.sin",
    "forward.comparison.gt",
    "backward.arithmetic.mul",
    "backward.exponential.exp",
    "backward.activation.gelu",
    "forward.optimizer.adam",
]
ROWS = [
    "forward.reduction.sum",
    "forward.extremes.amax",
    "forward.extremes.argmax",
    "forward.normalization.softmax",
    "backward.normalization.softmax",
    "forward.normalization.layer_norm",
]

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64") or not llvmlite.binding.get_host_cpu_features().get("avx2"),
    reason="looks for the vector instructions of AVX2 and AVX-512",
)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_loop_is_vectorised(name, dtype):
    text = REGISTRY[name].assembly(dtype)
    called = {name for names in CALLED.findall(text) for name in names}
    assert not LIBM_SYMBOLS & called, "a call in the loop keeps it scalar"
    assert PACKED.search(text)
    assert STORE.search(text)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ROWS)
def test_row_loop_is_vectorised(name, dtype):
    assert PACKED.search(REGISTRY[name].assembly(dtype))


def test_a_scalar_loop_is_noticed(monkeypatch):
    """The check can fail: addresses added up before they become pointers, as a template once had them."""

    def summed(builder, kind, pointer, offset):
        return builder.inttoptr(builder.add(builder.ptrtoint(pointer, offset.type), offset), kind.as_pointer())

    monkeypatch.setattr(emit, "place", summed)
    text = REGISTRY["forward.arithmetic.add"].assembly("float32")
    assert not STORE.search(text)


def test_in_place_is_as_right_as_out_of_place():
    """Loads and stores are declared not to overlap; an output that is an input must come out right all the same."""
    for n in (1, 3, 16, 17, 1000):
        x = np.linspace(-2, 2, n, dtype=np.float32)
        expected = nt.exp(nt.from_numpy(x)).numpy()
        ufunc = REGISTRY["forward.exponential.exp"].loops[x.dtype]
        out = x.copy()
        ufunc(out, out)
        np.testing.assert_array_equal(out, expected)
