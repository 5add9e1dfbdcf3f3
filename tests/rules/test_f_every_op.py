"""F, for every op of the table: an inference operand is refused where it would be saved, or changes no gradient.

Each tensor operand of a sample in turn is made an inference tensor, while the others require grad.
"""

import re

import numpy as np
import pytest

import numtensor as nt
from numtensor.ops.declaration import OPS
from numtensor.tensor import Tensor, from_array, wrap

from ..calls import BY_PUBLIC_NAME, Call, flatten, gets_gradient, leaves, parameter_of, plain, requiring
from ..op_table import all_rows
from .library import E_SAVE, IS_TORCH

pytestmark = pytest.mark.skipif(IS_TORCH, reason="about numtensor's op table")

LOST = "is an inference tensor that requires grad"
WAYS_OUT = ("clone()", "no_grad()", "inference_mode(False)")


def _samples(row, op):
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
    if name in BY_PUBLIC_NAME and "float64" in row.dtypes and row.grad and _samples(row, BY_PUBLIC_NAME[name])
]


def _inside(operand, requires_grad=False):
    with nt.inference_mode():
        return wrap(operand.array.copy()).requires_grad_(requires_grad)


def _made(call, chosen, make, others):
    """Return (args, kwargs, tensors) with ``make`` for the chosen operand and ``others`` for the rest."""
    tensors = []

    def one(operand):
        tensors.append(make(operand) if operand is chosen else others(operand))
        return tensors[-1]

    args, kwargs = call.tensors(one)
    return args, kwargs, tensors


def _run(call, args, kwargs):
    """Return the recorded results of a call; one that is an argument itself was not recorded."""
    given = {id(tensor) for tensor in leaves((args, kwargs))}
    results = flatten(call.call(args, kwargs))
    return [r for r in results if isinstance(r, Tensor) and r.requires_grad and id(r) not in given]


def _gradients(results, variables, create_graph=False):
    """Return the gradients by the backward kernels, and by the vjp expressions too with `create_graph`."""
    if not results:
        return [None] * len(variables)
    rng = np.random.default_rng(1)
    seeds = [from_array(rng.uniform(0.5, 1.5, r.shape)) for r in results]
    found = nt.autograd.grad(results, variables, seeds, retain_graph=True, allow_unused=True)
    if create_graph:
        found += nt.autograd.grad(results, variables, seeds, create_graph=True, allow_unused=True)
    return found


def _overwrite(tensor):
    """Change all of a tensor's values, so that whoever kept them for backward gets wrong gradients."""
    array = tensor._array
    with nt.inference_mode():
        tensor.copy_(from_array(~array if array.dtype.kind == "b" else array + 7))


def _check_equal(found, expected, message):
    assert len(found) == len(expected), message
    for one, other in zip(found, expected, strict=True):
        assert (one is None) == (other is None), message
        if one is not None:
            assert not one.is_inference(), message
            assert one.dtype is other.dtype, message
            np.testing.assert_array_equal(one._array, other._array, err_msg=message)


def _check_refusal(error, call, name, shape, message):
    text = str(error)
    assert E_SAVE in text, message
    assert all(way in text for way in WAYS_OUT), message
    found = re.match(r"(\w+): .*argument '(.+)' of shape (\(.*?\)) was made in inference mode", text)
    assert found, f"{message}: {text}"
    if call.op.kind == "composite" or (call.op.keywords and found.group(1) != call.op.name):
        # An expression of other ops: one of them refused it, perhaps reshaped.
        assert found.group(1) in OPS, f"{message}: {text}"
    else:
        assert found.groups() == (call.op.name, name, str(tuple(shape))), f"{message}: {text}"


@pytest.mark.parametrize(("row", "op"), CASES)
def test_F_inference_operand_is_refused_or_changes_no_gradient(row, op):
    for sample in _samples(row, op):
        call = Call(op, row, sample, "float64")
        names = parameter_of(op, sample.args, sample.kwargs)
        for operand, name in zip(call.operands, names, strict=True):
            message = f"{op.public_name}{sample!r} with an inference tensor for {name!r}"
            args, kwargs, tensors = _made(call, operand, plain, requiring)
            variables = [t for t in tensors if t.requires_grad]
            results = _run(call, args, kwargs)
            expected = _gradients(results, variables, row.gradgrad)
            args, kwargs, tensors = _made(call, operand, _inside, requiring)
            (inside,) = [t for t in tensors if t.is_inference()]
            variables = [t for t in tensors if t.requires_grad]
            try:
                found = _run(call, args, kwargs)
            except RuntimeError as error:
                assert results, f"{message}: refused, though nothing is recorded"
                _check_refusal(error, call, name, operand.array.shape, message)
            else:
                assert len(found) == len(results), message
                assert not any(r.is_inference() for r in found), message
                _overwrite(inside)
                _check_equal(_gradients(found, variables, row.gradgrad), expected, message)


def _takes_gradient(call, operand):
    """Whether a gradient of the results reaches this operand: not in a comparison, say."""
    if not operand.differentiable:
        return False
    args, kwargs, _ = _made(call, operand, requiring, plain)
    return bool(_run(call, args, kwargs))


def _inside_requiring(operand):
    return _inside(operand, True)


@pytest.mark.parametrize(("row", "op"), CASES)
def test_F_inference_operand_that_requires_grad_is_refused(row, op):
    for sample in _samples(row, op):
        call = Call(op, row, sample, "float64")
        for operand in filter(lambda o: _takes_gradient(call, o), call.operands):
            message = f"{op.public_name}{sample!r} with one that requires grad for {operand.spec!r}"
            for others in (plain, requiring):
                args, kwargs, _ = _made(call, operand, _inside_requiring, others)
                with pytest.raises(RuntimeError, match=LOST):
                    pytest.fail(f"{message}: gave {_run(call, args, kwargs)}")
            args, kwargs, _ = _made(call, operand, _inside_requiring, plain)
            with nt.no_grad():
                assert not _run(call, args, kwargs), message


@pytest.mark.parametrize(("row", "op"), [case for case in CASES if case.values[1].inplace])
def test_F_inplace_form_is_refused_before_it_writes_or_has_the_same_gradients(row, op):
    form = getattr(Tensor, f"{op.method or op.function_name}_")

    def run(call, operand, make):
        """Return (function that changes a tensor in place, that tensor, leaves that take gradients)."""
        args, kwargs, tensors = _made(call, operand, make, requiring)
        changed = args[0] * 1
        variables = [t for t in tensors if t.requires_grad and not t.is_inference()]
        return lambda: call.call((changed, *args[1:]), kwargs, form), changed, variables

    for sample in _samples(row, op):
        call = Call(op, row, sample, "float64")
        target, *operands = call.operands
        if call.args[0] is not target or call.run().shape != target.array.shape:
            continue
        for operand in operands:
            message = f"{op.public_name}_ of {sample!r} with an inference tensor for {operand.spec!r}"
            change, changed, variables = run(call, operand, plain)
            change()
            expected = _gradients([changed], variables)
            takes_gradient = _takes_gradient(call, operand)
            for make in (_inside, _inside_requiring) if takes_gradient else (_inside,):
                change, changed, variables = run(call, operand, make)
                try:
                    change()
                except RuntimeError as error:
                    assert (LOST if make is _inside_requiring else E_SAVE) in str(error), message
                    assert changed._version == 0, message
                    np.testing.assert_array_equal(changed._array, target.array, err_msg=message)
                else:
                    assert make is _inside, f"{message}: the gradient is lost"
                    _check_equal(_gradients([changed], variables), expected, message)
