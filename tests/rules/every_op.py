"""Calls of every op of the test table with one operand made differently, and the gradients of their results."""

import numpy as np
import pytest

import numtensor as nt
from numtensor.tensor import Tensor, from_array

from ..calls import BY_PUBLIC_NAME, flatten, gets_gradient, leaves, parameter_of
from ..op_table import all_rows


def samples_of(row, op):
    """Return the samples of a row that gradients reach."""
    chosen = []
    for sample in row.samples:
        names = parameter_of(op, sample.args, sample.kwargs)
        specs = leaves((sample.args, sample.kwargs))
        if sample.grad and any(gets_gradient(op, s, n, "float64") for s, n in zip(specs, names, strict=True)):
            chosen.append(sample)
    return chosen


CASES = [
    pytest.param(row, BY_PUBLIC_NAME[name], id=name)
    for name, row in sorted(all_rows().items())
    if name in BY_PUBLIC_NAME and "float64" in row.dtypes and row.grad and samples_of(row, BY_PUBLIC_NAME[name])
]


def arguments_with(call, chosen, make, others):
    """Return (args, kwargs, tensors) with ``make`` for the chosen operand and ``others`` for the rest."""
    tensors = []

    def one(operand):
        tensors.append(make(operand) if operand is chosen else others(operand))
        return tensors[-1]

    args, kwargs = call.tensors(one)
    return args, kwargs, tensors


def recorded_results(call, args, kwargs):
    """Return the recorded results of a call; one that is an argument itself was not recorded."""
    given = {id(tensor) for tensor in leaves((args, kwargs))}
    results = flatten(call.call(args, kwargs))
    return [r for r in results if isinstance(r, Tensor) and r.requires_grad and id(r) not in given]


def gradients(results, variables, create_graph=False):
    """Return the gradients by the backward kernels, and by the vjp expressions too with `create_graph`."""
    if not results:
        return [None] * len(variables)
    rng = np.random.default_rng(1)
    seeds = [from_array(rng.uniform(0.5, 1.5, r.shape)) for r in results]
    found = nt.autograd.grad(results, variables, seeds, retain_graph=True, allow_unused=True)
    if create_graph:
        found += nt.autograd.grad(results, variables, seeds, create_graph=True, allow_unused=True)
    return found


def check_equal(found, expected, message):
    """Compare gradients; a view's may be summed in another order once its base was changed."""
    assert len(found) == len(expected), message
    for one, other in zip(found, expected, strict=True):
        assert (one is None) == (other is None), message
        if one is not None:
            assert not one.is_inference(), message
            assert one.dtype is other.dtype, message
            np.testing.assert_allclose(one._array, other._array, rtol=1e-12, err_msg=message)


def overwrite(tensor):
    """Change a tensor's values, so that whoever kept them for backward gets wrong gradients."""
    array = tensor._array
    if array.dtype.kind == "f":
        changed = array + 7
    elif array.dtype.kind == "b":
        changed = ~array
    else:
        # Turned around in their range: as an index they stay valid.
        changed = array.min(initial=0) + array.max(initial=0) - array
    tensor.copy_(from_array(np.asarray(changed, array.dtype)))
