"""F, for every op of the table: an inference operand is refused where it would be saved, or changes no gradient.

Each tensor operand of a sample in turn is made an inference tensor, while the others require grad.
"""

import re

import numpy as np
import pytest

import numtensor as nt
from numtensor.ops.declaration import OPS
from numtensor.tensor import Tensor, wrap

from ..calls import Call, parameter_of, plain, requiring
from .every_op import CASES, arguments_with, check_equal, gradients, overwrite, recorded_results, samples_of
from .library import E_SAVE, IS_TORCH

pytestmark = pytest.mark.skipif(IS_TORCH, reason="about numtensor's op table")

LOST = "is an inference tensor that requires grad"
WAYS_OUT = ("clone()", "no_grad()", "inference_mode(False)")


def _inside(operand, requires_grad=False):
    with nt.inference_mode():
        return wrap(operand.array.copy()).requires_grad_(requires_grad)


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
    for sample in samples_of(row, op):
        call = Call(op, row, sample, "float64")
        names = parameter_of(op, sample.args, sample.kwargs)
        for operand, name in zip(call.operands, names, strict=True):
            message = f"{op.public_name}{sample!r} with an inference tensor for {name!r}"
            args, kwargs, tensors = arguments_with(call, operand, plain, requiring)
            variables = [t for t in tensors if t.requires_grad]
            results = recorded_results(call, args, kwargs)
            expected = gradients(results, variables, row.gradgrad)
            args, kwargs, tensors = arguments_with(call, operand, _inside, requiring)
            (inside,) = [t for t in tensors if t.is_inference()]
            variables = [t for t in tensors if t.requires_grad]
            try:
                found = recorded_results(call, args, kwargs)
            except RuntimeError as error:
                assert results, f"{message}: refused, though nothing is recorded"
                _check_refusal(error, call, name, operand.array.shape, message)
                for tensor, given in zip(tensors, call.operands, strict=True):
                    np.testing.assert_array_equal(tensor._array, given.array, err_msg=f"{message}: changed")
            else:
                assert len(found) == len(results), message
                assert not any(r.is_inference() for r in found), message
                with nt.inference_mode():
                    overwrite(inside)
                check_equal(gradients(found, variables, row.gradgrad), expected, message)


def _takes_gradient(call, operand):
    """Whether a gradient of the results reaches this operand: not in a comparison, say."""
    if not operand.differentiable:
        return False
    args, kwargs, _ = arguments_with(call, operand, requiring, plain)
    return bool(recorded_results(call, args, kwargs))


def _inside_requiring(operand):
    return _inside(operand, True)


@pytest.mark.parametrize(("row", "op"), CASES)
def test_F_inference_operand_that_requires_grad_is_refused(row, op):
    for sample in samples_of(row, op):
        call = Call(op, row, sample, "float64")
        for operand in filter(lambda o: _takes_gradient(call, o), call.operands):
            message = f"{op.public_name}{sample!r} with one that requires grad for {operand.spec!r}"
            for others in (plain, requiring):
                args, kwargs, _ = arguments_with(call, operand, _inside_requiring, others)
                with pytest.raises(RuntimeError, match=LOST):
                    pytest.fail(f"{message}: gave {recorded_results(call, args, kwargs)}")
            args, kwargs, _ = arguments_with(call, operand, _inside_requiring, plain)
            with nt.no_grad():
                assert not recorded_results(call, args, kwargs), message


@pytest.mark.parametrize(("row", "op"), [case for case in CASES if case.values[1].inplace])
def test_F_inplace_form_is_refused_before_it_writes_or_has_the_samegradients(row, op):
    form = getattr(Tensor, f"{op.method or op.function_name}_")

    def prepared(call, operand, make):
        """Return (function that changes a tensor in place, that tensor, leaves that take gradients)."""
        args, kwargs, tensors = arguments_with(call, operand, make, requiring)
        changed = args[0] * 1
        variables = [t for t in tensors if t.requires_grad and not t.is_inference()]
        return lambda: call.call((changed, *args[1:]), kwargs, form), changed, variables

    for sample in samples_of(row, op):
        call = Call(op, row, sample, "float64")
        target, *operands = call.operands
        if call.args[0] is not target or call.run().shape != target.array.shape:
            continue
        for operand in operands:
            message = f"{op.public_name}_ of {sample!r} with an inference tensor for {operand.spec!r}"
            change, changed, variables = prepared(call, operand, plain)
            change()
            expected = gradients([changed], variables)
            takes_gradient = _takes_gradient(call, operand)
            for make in (_inside, _inside_requiring) if takes_gradient else (_inside,):
                change, changed, variables = prepared(call, operand, make)
                try:
                    change()
                except RuntimeError as error:
                    assert (LOST if make is _inside_requiring else E_SAVE) in str(error), message
                    assert changed._version == 0, message
                    np.testing.assert_array_equal(changed._array, target.array, err_msg=message)
                else:
                    assert make is _inside, f"{message}: the gradient is lost"
                    check_equal(gradients([changed], variables), expected, message)
