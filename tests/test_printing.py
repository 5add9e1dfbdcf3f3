"""What ``repr`` shows is what PyTorch shows, but for the module's name: recorded strings."""

import json
from pathlib import Path

import numpy as np
import pytest

import numtensor as nt

RECORDED = json.loads((Path(__file__).parent / "data" / "torch_repr.json").read_text())


def made(dtype, shape, scale):
    """Return the array that was printed: a fixed pattern of a shape, or the listed values."""
    if isinstance(scale, list):
        return np.array([float(v) for v in scale], dtype).reshape(shape)
    count = int(np.prod(shape))
    return (((np.arange(count) * 7919) % 1000 - (0 if dtype == "uint8" else 300)) * scale).reshape(shape).astype(dtype)


@pytest.mark.parametrize("case", RECORDED["arrays"], ids=lambda case: f"{case[0]}-{case[1]}-{str(case[2])[:20]}")
def test_values(case):
    dtype, shape, scale, expected = case
    assert repr(nt.from_numpy(made(dtype, shape, scale))) == expected


@pytest.mark.parametrize("case", RECORDED["expressions"], ids=lambda case: case[0])
def test_suffixes(case):
    expression, expected = case
    assert repr(eval(expression, {"m": nt})) == expected


def test_other_default_dtype():
    nt.set_default_dtype(nt.float64)
    try:
        assert repr(nt.ones(1)) == "tensor([1.])"
        assert repr(nt.ones(1, dtype=nt.float32)) == "tensor([1.], dtype=numtensor.float32)"
    finally:
        nt.set_default_dtype(nt.float32)


def test_format_of_a_single_number():
    assert f"{nt.tensor(1.23456):.2f}" == "1.23"
    assert f"{nt.tensor([1, 2])}" == "tensor([1, 2])"
