"""What no in-place form may change: each form of the op table against each kind of tensor that refuses.

A refused change has written nothing, counted nothing, and left the graph as it was.
"""

from contextlib import nullcontext
from operator import iadd, imul

import numpy as np
import pytest

import numtensor as nt
from numtensor.ops.declaration import OPS
from numtensor.tensor import Tensor, from_array

from .calls import BY_PUBLIC_NAME, Call, plain
from .op_table import all_rows

ROWS = all_rows()


def table_forms():
    """Return (name, array to change, change of a tensor) of every op with an in-place form."""
    for name, row in sorted(ROWS.items()):
        op = BY_PUBLIC_NAME.get(name)
        if op is None or not op.inplace:
            continue
        dtype = "float64" if "float64" in row.dtypes else row.dtypes[0]
        for sample in row.samples:
            call = Call(op, row, sample, dtype)
            args, kwargs = call.tensors(plain)
            target = args[0]
            if isinstance(target, Tensor) and target.ndim and len(target) > 1 and target.numel() > 1:
                result = call.call(args, kwargs)
                if result.shape == target.shape and result.dtype.category <= target.dtype.category:
                    method = getattr(Tensor, (op.method or op.function_name) + "_")
                    yield f"{name}_", target._array, lambda x, a=args, k=kwargs, m=method: m(x, *a[1:], **k)
                    break
        else:
            raise AssertionError(f"no sample of {name} fits")


ARRAY = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
OVERWRITES = {
    "zero_": lambda x: x.zero_(),
    "fill_": lambda x: x.fill_(7),
    "copy_": lambda x: x.copy_(nt.zeros(3)),
    "uniform_": lambda x: x.uniform_(),
    "normal_": lambda x: x.normal_(),
    "bernoulli_": lambda x: x.bernoulli_(0.5),
    "exponential_": lambda x: x.exponential_(),
    "random_": lambda x: x.random_(5),
}
OTHERS = {
    "x[0]=": lambda x: x.__setitem__(0, 7.0),
    "x[[0]]=": lambda x: x.__setitem__([0], 7.0),
    "x[mask]=": lambda x: x.__setitem__(nt.ones(x.shape) > 0, 7.0),
    "x[0]+=": lambda x: x.__setitem__(0, x[0].detach() + 1),
    "+=": lambda x: iadd(x, 1),
    "*=": lambda x: imul(x, 2),
    "add_(alpha=)": lambda x: x.add_(1, alpha=2),
    "functional.relu": lambda x: nt.nn.functional.relu(x, inplace=True),
    "functional.silu": lambda x: nt.nn.functional.silu(x, inplace=True),
    "functional.leaky_relu": lambda x: nt.nn.functional.leaky_relu(x, inplace=True),
    "functional.dropout": lambda x: nt.nn.functional.dropout(x, 0.5, inplace=True),
    "add(out=)": lambda x: nt.add(nt.ones(2, 3), 1, out=x),
    "where(out=)": lambda x: nt.where(nt.ones(2, 3) > 0, nt.ones(2, 3), nt.zeros(2, 3), out=x),
    "np.add(out=)": lambda x: np.add(nt.ones(2, 3), 1, out=x),
}
FORMS = [
    *table_forms(),
    *((name, ARRAY, change) for name, change in (OVERWRITES | OTHERS).items()),
]


def each(forms):
    return pytest.mark.parametrize(("array", "change"), [form[1:] for form in forms], ids=[form[0] for form in forms])


each_form = each(FORMS)
each_floating_form = each([form for form in FORMS if form[1].dtype == np.float64])


def test_every_overwriting_op_is_tested():
    assert set(OVERWRITES) == {name for name, op in OPS.items() if op.kind == "overwrite"}


def refuses(change, x, match, mode=nullcontext, owner=None):
    """Check that `change` of `x` raises, and leaves it, the owner of its memory and the graph as they were."""
    owner = x if owner is None else owner
    before = [(one._array.copy(), None if one.is_inference() else one._version, one._meta) for one in (x, owner)]
    node = None if x._meta is None else x._meta.node
    with mode(), pytest.raises(RuntimeError, match=match):
        change(x)
    for one, (array, version, meta) in zip((x, owner), before, strict=True):
        np.testing.assert_array_equal(one._array, array)
        assert one._meta is meta
        assert version is None or one._version == version
    assert node is (None if x._meta is None else x._meta.node)


def leaf(array):
    return from_array(array.copy()).requires_grad_()


# An op with out= refuses what requires grad before it looks further.
OUT = "|don't support automatic differentiation"


@each_form
def test_inference_tensor(array, change):
    with nt.inference_mode():
        x = nt.from_numpy(array.copy())
    for mode in (nullcontext, nt.no_grad, lambda: nt.inference_mode(False)):
        refuses(change, x, "Inplace update to inference tensor outside InferenceMode", mode)


@each_floating_form
def test_leaf_that_requires_grad(array, change):
    x = leaf(array)
    refuses(change, x, "a leaf Variable that requires grad" + OUT)
    refuses(change, x[:], "a view of a leaf Variable that requires grad" + OUT, owner=x)


@pytest.mark.parametrize("manager", [nt.no_grad, nt.inference_mode])
@each_floating_form
def test_view_of_a_tracked_tensor_made_without_recording(array, change, manager):
    base = leaf(array) * 1
    with manager():
        x = base[:]
    refuses(change, x, "A view was created in" + OUT, owner=base)


@each_floating_form
def test_one_of_several_views(array, change):
    base = nt.stack([leaf(array)] * 2)
    refuses(change, base.unbind()[1], "returns multiple views" + OUT, owner=base)


@each_form
def test_elements_that_share_memory(array, change):
    base = from_array(array.reshape(-1)[:1].copy())
    refuses(change, base.expand(array.shape), "refers to a single memory location", owner=base)


@each_form
def test_read_only_memory(array, change):
    array = array.copy()
    array.flags.writeable = False
    refuses(change, from_array(array), "read-only memory")


@pytest.mark.parametrize("of", ["optimizer", "module"])
def test_zero_grad_that_is_refused_has_zeroed_nothing(of):
    model = nt.nn.Linear(2, 1)
    model.weight.grad = nt.ones(1, 2)
    with nt.inference_mode():
        model.bias.grad = nt.ones(1)
    zero_grad = nt.optim.SGD(model.parameters(), lr=1.0).zero_grad if of == "optimizer" else model.zero_grad
    with pytest.raises(RuntimeError, match="zero_grad: Inplace update to inference tensor"):
        zero_grad(set_to_none=False)
    assert model.weight.grad.tolist() == [[1.0, 1.0]]
    assert model.weight.grad._version == 0
