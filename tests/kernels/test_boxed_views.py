"""Views in machine code: the same arrays, metadata and refusals as the mode's own callable gives."""

import itertools

import numpy as np
import pytest

import numtensor as nt
from numtensor import lean
from numtensor.graph import NO_VERSION, Counter, Metadata, ViewMetadata
from numtensor.nn import Parameter
from numtensor.ops import indexing
from numtensor.ops.declaration import OPS
from numtensor.tensor import Tensor

from .boxes import (
    MODES,
    assert_nothing_is_left,
    changed_by_collections,
    entered,
    in_mode,
    machine_code,
    outcome,
    state,
    tensor,
)
from .layouts import NATIVE

pytestmark = pytest.mark.skipif(lean.layout() is None, reason="objects lie otherwise in this interpreter's memory")


def numbers(*shape):
    return np.arange(float(np.prod(shape)), dtype=np.float32).reshape(shape)


def take_part(path):
    """Return what calls the builtin function that indexes in a mode."""
    with entered(path):
        nt.ones(1)[0]
    return in_mode(path, indexing._parts.call)


def index_in_python(x, index):
    """Index where no builtin function does it."""
    before = indexing._parts
    indexing._parts = lean.Function(lambda layout: lambda x, index: None)
    try:
        return x[index]
    finally:
        indexing._parts = before


def lineage(view, source):
    """Return what the metadata of a view of a source says, with what its steps do instead of what they are."""
    meta = view._meta
    if type(meta) is not ViewMetadata:
        return type(meta)
    node = meta.node and meta.node.name()
    seen = [meta.own, node, meta.grad, meta.hooks, meta.link, meta.version, meta.path, meta.requires_grad]
    again = meta.replay(meta.base._array)
    assert np.shares_memory(again, meta.base._array) or not again.size
    assert again.__array_interface__ == view._array.__array_interface__
    number = 0
    outer = meta.steps
    while outer is not None:
        assert type(outer) is tuple and len(outer) == 4 and type(outer[2]) is tuple
        number += 1 + (outer[3] or 0)
        outer = outer[0]
    assert meta.counter is meta.base._meta.counter and type(meta.counter) is Counter
    outer = source._meta and source._meta.base
    return [*seen, number, meta.base is source, meta.base is outer]


def assert_same(path, x, made, expected):
    """Compare the outcomes of a form and of the way in Python: `made` and `expected` are called with the tensor."""
    with entered(path):
        wanted = outcome(expected, x)
        assert outcome(made, x) == wanted
        if type(wanted) is list:
            one, other = made(x), expected(x)
            if np.shares_memory(other._array, x._array):
                assert one._array.__array_interface__ == other._array.__array_interface__
            assert one._array.flags.writeable == other._array.flags.writeable
            assert lineage(one, x) == lineage(other, x)


def sources():
    """Return {name: a source of views}: of each kind that a tensor may be."""
    with nt.inference_mode():
        inference, leaf = nt.ones(4, 6), nt.ones(4, 6).requires_grad_()
    changed = nt.ones(4, 6)
    changed[0].zero_()
    tracked = nt.ones(6, 4)
    requiring = nt.ones(4, 6, requires_grad=True)
    with nt.no_grad():
        within = nt.ones(6, 4).t()
    return {
        "normal": nt.ones(4, 6),
        "inference": inference,
        "inference leaf": leaf,
        "changed": changed,
        "view": tracked.t(),
        "view of a view": tracked.view(2, 12).view(24).view(4, 6),
        "view made without recording": within,
        "leaf": requiring,
        "result": requiring * 2,
        "view of a result": (requiring * 2).view(4, 6),
        "one of several views": nt.ones(2, 4, 6).unbind()[1],
        "parameter": Parameter(nt.ones(4, 6)),
        "detached": requiring.detach(),
    }


FORMS = {
    "view": (lambda x: x.view(6, 4), lambda mode: lambda x: mode.view(x, (6, 4))),
    "reshape": (lambda x: nt.reshape(x, (-1,)), lambda mode: lambda x: mode.reshape(x, (-1,))),
    "transpose": (lambda x: x.transpose(0, 1), lambda mode: lambda x: mode.transpose(x, 0, 1)),
    "part": (lambda x: x[1:, 2], lambda mode: lambda x: index_in_python(x, (slice(1, None), 2))),
}


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("form", FORMS)
def test_every_kind_of_source(form, path):
    made, expected = FORMS[form]
    for x in sources().values():
        assert_same(path, x, made, expected(MODES[path][0]))


INDICES = [
    *(0, -1, 3, 4, -5, 10**30, None, ..., True, False, 1.0, "x", np.int64(1), np.array([0, 1]), [0, 1], ()),
    *(slice(None), slice(1, None), slice(-2, 10**30), slice(None, None, 2), slice(0, 3, 1), slice(2, 1)),
    *(slice(None, None, -1), slice(None, None, 0), slice(None, None, 10**30), slice(None, None, True), slice(True, 3)),
    *(slice(np.int64(1), None), slice("x", None), slice(1.5, None), slice(None, 1.5), slice(None, None, 1.5)),
    *((0, 0), (0, 0, 0), (..., 0), (0, ...), (..., ...), (None, 0, None), (slice(1, 3), slice(None, None, 2))),
    *((0, True), (0, [0, 1]), (slice(None), np.int64(1)), (None,) * 40, (None,) * 70),
    *(nt.tensor(0), nt.tensor([0, 1]), nt.ones(4, 6) > 2, (nt.tensor(1), slice(None))),
]


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("index", INDICES, ids=lambda index: str(index)[:40])
def test_indices(index, path):
    for array in (numbers(4, 6), numbers(6, 4).T, numbers(0, 3), numbers(3), numbers(), numbers(2, 3, 4)):
        x = tensor(array)
        with entered(path):
            expected = outcome(index_in_python, x, index)
            assert outcome(lambda x, index: x[index], x, index) == expected


SHAPES = [
    *((24,), (6, 4), (4, 6), (2, -1), (-1,), (-1, -1), (-2, 3), (-2, -1), (5, 5), (0,), (0, -1), (), (1,) * 10 + (24,)),
    *((1,) * 32 + (24,), (1,) * 64 + (24,), (10**30,), (2**62, 4), (True, 24), (np.int64(24),), (24.0,), ("x",)),
    *([24], nt.ones(6, 4).shape, 24, None),
]


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{type(shape).__name__} {str(shape)[:30]}")
def test_shapes(shape, path):
    arrays = [layout(numbers(4, 6)) for layout in NATIVE.values()] + [numbers(0, 3), numbers(1, 1), numbers(24)]
    for name, array in itertools.product(("view", "reshape"), arrays):
        x = tensor(array)
        with entered(path) as mode:
            expected = outcome(getattr(mode, name), x, shape)
            assert outcome(OPS[name].public, x, shape) == expected
            if type(expected) is list:
                one, other = getattr(mode, name)(x, shape), OPS[name].public(x, shape)
                assert np.shares_memory(one._array, array) == np.shares_memory(other._array, array)
                assert lineage(one, x) == lineage(other, x)


@pytest.mark.parametrize("path", MODES)
def test_common_calls_are_done_here(path):
    x = nt.ones(4, 6)
    with entered(path):
        x[0], x.view(24), nt.reshape(x, (24,))
    part, view, reshape = take_part(path), machine_code(OPS["view"], path), machine_code(OPS["reshape"], path)
    for index in (0, slice(1, None), slice(None, None, 2), None, ..., (0, 0), (slice(None), 1), ()):
        made = part(x, index)
        assert type(made) is Tensor and type(made._meta) is ViewMetadata and made._meta.base is x
    for function in (view, reshape):
        assert function(x, (6, 4))._meta.base is x
    for index in (True, [0], np.int64(0), 7, slice(None, None, -1), slice(True, None), "x", nt.tensor(0)):
        assert part(x, index) is None
    for given in ((), (x,), (x, 0, 0), (0, 0), (None, None), (object.__new__(Tensor), 0)):
        assert part(*given) is None
        assert view(*given) is None


def test_an_index_runs_no_python():
    """What is asked twice might answer twice."""
    asked = []

    class Index:
        def __index__(self):
            asked.append(self)
            raise KeyboardInterrupt

    with nt.no_grad():
        for index in (slice(Index(), None), slice(None, Index()), (slice(None, None, Index()),)):
            assert take_part("no_grad")(nt.ones(4), index) is None
    assert not asked


@pytest.mark.parametrize("made_in", MODES)
def test_views_in_python_have_the_same_metadata(made_in, monkeypatch):
    """Where the layout is not known."""
    take = OPS["view"]._forward
    in_machine_code = lean.viewer(take, made_in)
    with monkeypatch.context() as patch:
        patch.setattr(lean, "layout", lambda: None)
        in_python = lean.viewer(take, made_in)
    assert in_python is not in_machine_code
    for x in sources().values():
        array = x._array.reshape(6, 4)
        one, other = (make(x, array, ((6, 4),)) for make in (in_machine_code, in_python))
        assert one._array is array and other._array is array
        assert state(one) == state(other)
        if type(one._meta) is ViewMetadata and np.shares_memory(array, one._meta.base._array):
            assert lineage(one, x) == lineage(other, x)
        assert state(in_machine_code(x, 2.0, ())) == state(in_python(x, 2.0, ()))


@pytest.mark.parametrize("path", MODES)
def test_versions_are_shared(path):
    x = nt.ones(4, 6)
    with entered(path):
        first = x[0]
        second = first[1:]
        whole = x.view(24)
    assert first._meta.counter is second._meta.counter is whole._meta.counter is x._meta.counter
    assert second._meta.base is x and whole._meta.base is x
    before = x._version
    with nt.no_grad():
        second.add_(1)
        whole[5:].mul_(2)
    assert x._version == before + 2 == first._version == whole._version
    with entered(path):
        assert x[0]._meta.version == before + 2
    assert x[0, 1] == 2


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("form", FORMS)
def test_changes_of_the_base_are_noticed_by_autograd(form, path):
    """Exactly as of a view that was made in Python."""
    seen = []
    made, expected = FORMS[form]
    for take in (made, expected(MODES[path][0])):
        w = nt.ones(4, 6, requires_grad=True)
        x = w * 2
        with entered(path):
            old = take(x)

        square = (x * x).sum()
        steps = [
            lambda old=old: old.mul_(3),
            square.backward,
            lambda x=x, old=old: (x * old.sum()).sum().backward(),
            lambda x=x: x.mul_(5),
            lambda old=old: old.grad_fn,
            lambda old=old: old.sum().backward(),
            lambda w=w: w.grad.tolist(),
        ]
        found = []
        for step in steps:
            found += [outcome(step), old.requires_grad, old._version, x._version, x.tolist(), old.tolist()]
        # Graphs are told by what is in them, not by where they are.
        seen.append([str(one).partition(" object at ")[0] for one in found])
    assert seen[0] == seen[1]
    if path != "tracked":
        assert any("modified inplace" in one for one in seen[0])


@pytest.mark.parametrize("path", ["inference", "no_grad"])
def test_a_view_of_what_changed_since_is_not_differentiated(path):
    """It was made without recording, and does not know what became of its base."""
    x = nt.ones(4, requires_grad=True) * 1
    with entered(path):
        part = x[1:3]
    x.mul_(3)
    assert part.tolist() == [3, 3]
    with pytest.raises(RuntimeError, match=f"A view was created in {path}"):
        part.sum()


@pytest.mark.parametrize("path", MODES)
def test_no_reference_is_lost_or_kept(path):
    x = nt.ones(4, 6)
    y, inference, index, shape = x.t(), nt.ones(2), (0, slice(1, 4)), (24,)
    inference._meta = None
    part, reshape = take_part(path), machine_code(OPS["reshape"], path)
    transpose = lean.viewer(OPS["transpose"]._forward, path)
    array, arguments = x._array.T, (0, 1)

    def call():
        part(x, index), part(y, index), part(inference, 0), part(x, 0), part(x, slice(2)), part(x, ...)
        part(x, 99), part(x, "x"), part(x, (0, 0, 0)), part(x)
        reshape(x, shape), reshape(y, shape), reshape(inference, (2, 1))
        reshape(x, (5, 5)), reshape(x, (1.5,)), reshape(x)
        transpose(x, array, arguments), transpose(y, array, arguments), transpose(inference, 2.0, arguments)

    with entered(path):
        x[0], y[0], nt.reshape(x, (24,))
        watched = [x, y, inference, x._array, x._meta, x._meta.counter, y._meta, y._meta.steps, index, shape, array]
        watched += [arguments, None, ..., Tensor, Metadata, ViewMetadata, NO_VERSION, path, x._array.dtype, x._version]
        assert_nothing_is_left(call, watched, calls=4000)


def test_sources_without_a_counter_get_one_of_their_own():
    """Each call makes one, in Python."""

    def call():
        x = nt.ones(2)
        part(x, 0)
        assert type(x._meta.counter) is Counter

    with nt.no_grad():
        part = take_part("no_grad")
        assert_nothing_is_left(call, [None, Counter, Metadata, ViewMetadata], calls=2000)


@pytest.mark.parametrize("path", MODES)
def test_metadata_and_array_are_kept_while_objects_are_made(path):
    """Shape-changing in-place ops replace both, and may run wherever objects are made."""
    base = nt.zeros(60)
    x = base.view(3, 20)

    def swap():
        with nt.inference_mode(False):
            view = (nt.zeros(60) if len(swapped) % 2 else base).view(3, 20)
        x._array, x._meta = view._array, view._meta
        swapped.append(1)

    swapped = []
    with entered(path):
        x[0], x.view(60)
    with entered(path), changed_by_collections(swap):
        views = [view for _ in range(150) for view in (x[1:, 2], x.view(20, 3), x.transpose(0, 1))]
    assert len(swapped) > 100
    for view in views:
        assert not view._array.any()
        meta = view._meta
        assert meta.counter.value == 0 and meta.base.shape == (60,)
        assert meta.replay(meta.base._array).shape == view.shape


@pytest.mark.parametrize("path", MODES)
def test_the_counter_is_kept_while_it_is_made(path):
    """The first view of a tensor calls Python for it."""
    x = nt.zeros(3, 4)
    with entered(path):
        x[0]

        def swap():
            with nt.inference_mode(False):
                other = nt.zeros(3, 4)
            x._array, x._meta = other._array, other._meta

        with changed_by_collections(swap):
            for _ in range(300):
                swap()
                view = x[0]
                assert type(view._meta.counter) is Counter and view._meta.base is x
                assert view._meta.counter.value == 0 == view._meta.version
