"""H, for every op of the table: the mode in which backward is called changes no gradient."""

import pytest

import numtensor as nt

from ..calls import Call, requiring
from .every_op import CASES, arguments_with, check_equal, gradients, recorded_results, samples_of
from .library import IS_TORCH, flags

pytestmark = pytest.mark.skipif(IS_TORCH, reason="about numtensor's op table")


@pytest.mark.parametrize(("row", "op"), CASES)
def test_H03_backward_inside_gives_the_same_normal_gradients(row, op):
    for sample in samples_of(row, op):
        call = Call(op, row, sample, "float64")
        args, kwargs, tensors = arguments_with(call, None, requiring, requiring)
        variables = [t for t in tensors if t.requires_grad]
        results = recorded_results(call, args, kwargs)
        expected = gradients(results, variables, row.gradgrad)
        for manager in (nt.no_grad, nt.inference_mode):
            with manager():
                before = flags()
                found = gradients(results, variables, row.gradgrad)
                assert flags() == before
            check_equal(found, expected, f"{op.public_name}{sample!r} under {manager.__name__}")
            same = [None if one is None else one.requires_grad for one in expected]
            assert [None if one is None else one.requires_grad for one in found] == same
