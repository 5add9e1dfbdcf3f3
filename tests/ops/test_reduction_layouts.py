"""Reductions of arrays that lie otherwise than their shape says: each layout takes another way to the kernels."""

import numpy as np
import pytest

import numtensor as nt
from numtensor.kernels.declare import REGISTRY, GUfunc, KernelTable


def misaligned(array):
    memory = np.zeros(array.nbytes + 1, np.uint8)
    moved = memory[1:].view(array.dtype).reshape(array.shape)
    moved[...] = array
    return moved


LAYOUTS = {
    "in order": lambda x: x,
    "columns first": np.asfortranarray,
    "middle first": lambda x: np.ascontiguousarray(x.swapaxes(0, 1)).swapaxes(0, 1),
    "every second": lambda x: np.repeat(np.repeat(x, 2, 0), 2, 2)[::2, :, ::2],
    "backwards": lambda x: np.ascontiguousarray(x[::-1, :, ::-1])[::-1, :, ::-1],
    "repeated": lambda x: np.broadcast_to(x[:, :1], x.shape),
    "misaligned": misaligned,
}
SHAPES = [(3, 4, 5), (3, 70, 40), (1, 4, 1), (4, 1, 1), (2, 0, 3), (2, 3, 0)]
DIMS = [None, 0, 1, 2, -2, (0, 1), (0, 2), (1, 2)]


def variance(x, axis, keepdims):
    with np.errstate(all="ignore"):
        n = x.size if axis is None else np.prod([x.shape[a] for a in np.atleast_1d(axis)])
        wide = x.astype("float64")
        return ((wide - wide.mean(axis, keepdims=True)) ** 2).sum(axis, keepdims=keepdims) / np.float64(max(n - 1, 0))


def norm(x, axis, keepdims):
    return np.sqrt((x.astype("float64") ** 2).sum(axis, keepdims=keepdims))


SUMS = {"sum": np.sum, "any": np.any, "all": np.all, "norm": norm, "var": variance}
EXTREMES = {"amax": np.max, "amin": np.min}
POSITIONS = {"argmax": np.argmax, "argmin": np.argmin}
REFERENCES = {**SUMS, **EXTREMES, **POSITIONS}


def cases(name, dtype):
    """Return the shapes and dims that an op takes."""
    for shape in SHAPES:
        for dim in DIMS:
            reduced = range(3) if dim is None else np.atleast_1d(dim)
            empty = 0 in [shape[axis] for axis in reduced]
            if not (empty and name not in SUMS) and not (isinstance(dim, tuple) and name in POSITIONS):
                yield shape, dim


FLOATING = ("float32", "float64")
DTYPES = {"norm": FLOATING, "var": FLOATING, "argmax": (*FLOATING, "int32"), "argmin": (*FLOATING, "int32")}
COMBINATIONS = [(name, dtype) for name in REFERENCES for dtype in DTYPES.get(name, (*FLOATING, "int32", "bool"))]


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
@pytest.mark.parametrize(("name", "dtype"), COMBINATIONS)
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout_gives_the_same(name, layout, dtype):
    for shape, dim in cases(name, dtype):
        # Few different numbers: many are the largest, of which the first counts.
        x = layout(np.random.default_rng(0).integers(-2, 3, shape).astype(dtype))
        for keepdim in (False, True):
            found = getattr(nt, name)(
                nt.from_numpy(x), dim=() if dim is None and name in EXTREMES else dim, keepdim=keepdim
            )
            expected = REFERENCES[name](x, axis=dim, keepdims=keepdim)
            where = f"{shape}, dim {dim}, keepdim {keepdim}"
            assert found.shape == np.shape(expected), where
            np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, err_msg=where)


def test_kernels_without_a_strided_loop_are_called_with_arrays_in_order(monkeypatch):
    """`contiguous=True` of a kernel is what the callers promise: here every call is looked at."""
    seen = []
    columns = {id(k.loops): k.name for k in REGISTRY.values() if isinstance(k, GUfunc) and k.contiguous}

    def watched(table, dtype):
        ufunc = dict.__getitem__(table, dtype)
        if id(table) not in columns:
            return ufunc

        def call(x, *rest):
            seen.append((columns[id(table)], x.flags.c_contiguous))
            return ufunc(x, *rest)

        return call

    monkeypatch.setattr(KernelTable, "__getitem__", watched, raising=False)
    for layout in LAYOUTS.values():
        for shape in ((3, 4, 5), (3, 70, 40)):
            tensor = nt.from_numpy(layout(np.random.default_rng(0).standard_normal(shape)))
            for dim in (0, 1, 2, (0, 1), (0, 2), (1, 2)):
                for name in ("sum", "mean", "amax", "var", "std", "any", "count_nonzero", "logsumexp"):
                    getattr(nt, name)(tensor, dim)
            for dim in (0, 1, 2):
                for name in ("argmax", "max", "cumsum"):
                    getattr(nt, name)(tensor, dim)
    assert {name for name, _ in seen} >= {f"forward.reduction.{name}_columns" for name in ("sum", "mean", "any")}
    assert all(in_order for _, in_order in seen)
