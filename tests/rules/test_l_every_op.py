"""L, for every op of the table: a change before backward is noticed where it was saved, or changes no gradient."""

import pytest

import numtensor as nt

from ..calls import Call, requiring
from .every_op import CASES, arguments_with, check_equal, gradients, overwrite, recorded_results, samples_of
from .library import E_MOD, IS_TORCH

pytestmark = pytest.mark.skipif(IS_TORCH, reason="about numtensor's op table")


def _prepared(call):
    """Return (tensor arguments, those of them that take gradients, recorded results)."""
    args, kwargs, tensors = arguments_with(call, None, requiring, requiring)
    return tensors, [t for t in tensors if t.requires_grad], recorded_results(call, args, kwargs)


def _check_noticed(results, variables, expected, message):
    try:
        found = gradients(results, variables)
    except RuntimeError as error:
        # Of several views, none may be used after a change.
        assert E_MOD in str(error) or "another view of its base has been modified" in str(error), message
    else:
        check_equal(found, expected, message)


@pytest.mark.parametrize(("row", "op"), CASES)
def test_L14_changed_operand_is_noticed_or_was_not_saved(row, op):
    for sample in samples_of(row, op):
        call = Call(op, row, sample, "float64")
        _, variables, results = _prepared(call)
        expected = gradients(results, variables)
        for position, operand in enumerate(call.operands):
            tensors, variables, results = _prepared(call)
            with nt.no_grad():
                overwrite(tensors[position])
            message = f"{op.public_name}{sample!r}, whose {operand.spec!r} was changed"
            _check_noticed(results, variables, expected, message)


@pytest.mark.parametrize(("row", "op"), CASES)
def test_L17_changed_result_is_noticed_or_was_not_saved(row, op):
    for sample in samples_of(row, op):
        call = Call(op, row, sample, "float64")
        _, variables, results = _prepared(call)
        expected = gradients(results, variables)
        for position in range(len(results)):
            _, variables, results = _prepared(call)
            if not results[position].is_contiguous():
                # One that shows elements twice may not be changed.
                continue
            with nt.no_grad():
                overwrite(results[position])
            message = f"{op.public_name}{sample!r}, whose result {position} was changed"
            _check_noticed(results, variables, expected, message)
