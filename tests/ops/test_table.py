"""Runs the test table: what holds for every op is checked here from its row, and written nowhere else."""

import contextlib
import inspect
import operator
import re
import warnings

import numpy as np
import pytest

import numtensor as nt
from numtensor import dtypes
from numtensor.autograd import forward_ad
from numtensor.graph import NO_VERSION
from numtensor.ops.declaration import OPS
from numtensor.tensor import Tensor, from_array

from ..calls import (
    BY_PUBLIC_NAME,
    LAYOUTS,
    Call,
    expanded,
    flatten,
    gets_gradient,
    leaves,
    parameter_of,
    plain,
    requiring,
)
from ..op_table import all_rows

ROWS = all_rows()
MODES = {"tracked": contextlib.nullcontext, "no_grad": nt.no_grad, "inference": nt.inference_mode}
TOLERANCE = {"float32": (1e-5, 1e-6), "float64": (1e-12, 1e-12)}


def _cases():
    """Return (row, op, number of the sample) of every sample whose op is declared."""
    return [
        (row, BY_PUBLIC_NAME[name], number)
        for name, row in sorted(ROWS.items())
        if name in BY_PUBLIC_NAME
        for number in range(len(row.samples))
    ]


def _checks_gradients(row, op, number):
    """Whether derivatives of this sample are checked: some argument gets a gradient."""
    sample = row.samples[number]
    if not (row.grad and sample.grad and "float64" in row.dtypes):
        return False
    names = parameter_of(op, sample.args, sample.kwargs)
    specs = leaves((sample.args, sample.kwargs))
    return any(gets_gradient(op, spec, name, "float64") for spec, name in zip(specs, names, strict=True))


def _param(row, op, number):
    return pytest.param(row, op, number, id=f"{row.name}-{number}")


CASES = _cases()
SAMPLES = [_param(*case) for case in CASES]
GRADIENTS = [_param(*case) for case in CASES if _checks_gradients(*case)]
SECOND = [_param(*case) for case in CASES if _checks_gradients(*case) and case[0].gradgrad]
INPLACE = [_param(*case) for case in CASES if case[1].inplace]
OUT = [_param(*case) for case in CASES if case[1].out]
BAD = [
    pytest.param(row, BY_PUBLIC_NAME[name], bad, id=f"{name}-bad{number}")
    for name, row in sorted(ROWS.items())
    if name in BY_PUBLIC_NAME
    for number, bad in enumerate(row.bad)
]


def _calls(row, op, number):
    """Return the sample's call in each dtype of its row, or in one if no argument depends on it."""
    sample = row.samples[number]
    free = any(spec.dtype is None for spec in leaves((sample.args, sample.kwargs)))
    return [Call(op, row, sample, dtype) for dtype in (row.dtypes if free else row.dtypes[:1])]


# ---------------------------------------------------------------------------------------------------------------------
# The table itself


def test_every_declared_op_has_a_row():
    missing = sorted(set(BY_PUBLIC_NAME) - set(ROWS))
    assert not missing, f"declared ops without a row in tests/rows: {missing}"


def test_every_row_has_an_op():
    unknown = sorted(set(ROWS) - set(BY_PUBLIC_NAME))
    assert not unknown, f"rows in tests/rows without a declared op: {unknown}"


def test_public_names_are_unique():
    names = [op.public_name for op in OPS.values()]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, f"public names declared twice: {twice}"


@pytest.mark.parametrize("name", sorted(ROWS))
def test_row_can_fail(name):
    """A row says what is right: by a reference or a check, on at least one sample."""
    row = ROWS[name]
    assert row.samples
    assert row.reference is not None or row.check is not None


@pytest.mark.parametrize("name", sorted(set(BY_PUBLIC_NAME) & set(ROWS)))
def test_public_name_and_aliases(name):
    op = BY_PUBLIC_NAME[name]
    if op.namespace.startswith("_"):
        return  # Reached through another op's keyword.
    if op.namespace == "Tensor":
        assert callable(getattr(Tensor, op.method or op.function_name))
    else:
        assert operator.attrgetter(name)(nt) is op.public
    for alias in op.aliases:
        home = nt if "." in alias or not op.namespace else operator.attrgetter(op.namespace)(nt)
        assert operator.attrgetter(alias)(home) is op.public


# ---------------------------------------------------------------------------------------------------------------------
# Values


def _array(value):
    return value._array if isinstance(value, Tensor) else np.asarray(value)


def _tolerance(row, dtype):
    if row.tolerance is not None and dtype in row.tolerance:
        found = row.tolerance[dtype]
        return found if isinstance(found, tuple) else (found, found)
    return TOLERANCE.get(dtype, (0.0, 0.0))


def _reference(row, call):
    """Return the reference's results as a list of arrays."""
    args, kwargs = call.arrays()
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = flatten(row.reference(*args, **kwargs))
        if any(np.asarray(one).dtype == np.float16 for one in found):
            # NumPy computes floating functions of small integers in half precision.
            wide = [a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype.kind in "iu" else a for a in args]
            found = flatten(row.reference(*wide, **kwargs))
    return [np.asarray(one) for one in found]


def _expected_dtype(row, op, call, expected):
    """Return the dtype name that PyTorch's rules give the result, or None where the table cannot know it."""
    if row.result_dtype is not None:
        found = row.result_dtype(call.dtype)
        return None if found is None else found.name if isinstance(found, dtypes.dtype) else np.dtype(found).name
    chosen = [v for v in (*call.args, *call.kwargs.values()) if isinstance(v, dtypes.dtype)]
    if chosen:
        return chosen[0].name
    if expected.dtype.kind == "b":
        return "bool"
    arrays = [operand.array for operand in call.operands]
    kinds = [dtypes.FROM_NUMPY[a.dtype] for a in arrays]
    numbers = [v for v in call.args if isinstance(v, (bool, int, float))] if op.kind == "elementwise" else []
    if not kinds or (op.kind != "elementwise" and expected.dtype.kind != "f"):
        return None
    result = dtypes.combine(
        [k for k, a in zip(kinds, arrays, strict=True) if a.ndim],
        [k for k, a in zip(kinds, arrays, strict=True) if not a.ndim],
        [dtypes.scalar_dtype(v) for v in numbers],
    )
    if expected.dtype.kind == "f" and not result.is_floating_point:
        return nt.get_default_dtype().name
    return result.name


def _assert_close(actual, expected, rtol, atol, message):
    with np.errstate(all="ignore"):
        # Too large for the result's dtype is infinite there.
        expected = expected.astype(actual.dtype)
    if actual.dtype.kind == "f":
        np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol, equal_nan=True, err_msg=message)
    else:
        np.testing.assert_array_equal(actual, expected, err_msg=message)


@pytest.mark.parametrize(("row", "op", "number"), SAMPLES)
def test_value(row, op, number):
    for call in _calls(row, op, number):
        results = call.run()
        if row.check is not None:
            args, kwargs = call.arrays(widen=False)
            plain_results = tuple(_array(r) if isinstance(r, Tensor) else r for r in flatten(results))
            row.check(plain_results[0] if isinstance(results, Tensor) else plain_results, *args, **kwargs)
        if row.reference is not None:
            _check_values(row, op, call, flatten(results), _reference(row, call))


def _check_values(row, op, call, results, expected):
    """Compare values, shapes and dtypes with the reference's."""
    where = f"{op.public_name}{call.sample!r} in {call.dtype}"
    assert len(results) == len(expected), f"{where}: {len(results)} results, the reference gives {len(expected)}"
    for position, (result, right) in enumerate(zip(results, expected, strict=True)):
        array = _array(result)
        message = f"result {position} of {where}"
        assert array.shape == right.shape, f"{message}: shape {array.shape}, the reference gives {right.shape}"
        if isinstance(result, Tensor):
            assert (array.dtype.kind == "b") == (right.dtype.kind == "b"), f"{message}: {array.dtype} or {right.dtype}"
            if position == 0:
                known = _expected_dtype(row, op, call, right)
                assert known in (None, array.dtype.name), f"{message}: {array.dtype}, PyTorch's rule gives {known}"
        _assert_close(array, right, *_tolerance(row, array.dtype.name), message)


# ---------------------------------------------------------------------------------------------------------------------
# Modes


def _bits(results):
    return [(_array(r).dtype.name, _array(r).shape, _array(r).tobytes()) for r in flatten(results)]


def _inference_tensor(operand):
    with nt.inference_mode():
        return plain(operand).clone()


def _shares_memory(result, given):
    """Return the first input on whose memory the result is, or None."""
    return next((t for t in given if np.may_share_memory(t._array, result._array)), None)


def _check_status(op, result, given, mode, message):
    """Check whether a result is an inference tensor, and whether it is recorded."""
    if not isinstance(result, Tensor) or any(result is t for t in given):
        return
    if op.kind in ("alias", "view", "composite") and result.numel() == 0:
        return  # Where an empty array came from cannot be told by its memory.
    source = _shares_memory(result, given)
    if source is not None:
        assert result.is_inference() == source.is_inference(), f"{message}: a view has the status of its base"
        if not result.is_inference():
            assert result._base is not None or op.kind in ("alias", "composite"), f"{message}: a view knows its base"
            assert result._version == source._version
        return
    if mode == "inference":
        if result.requires_grad:
            assert op.kind == "factory" and result._meta.counter is NO_VERSION
        else:
            assert result._meta is None, f"{message}: an inference tensor has no metadata"
        return
    assert not result.is_inference(), f"{message}: made outside inference mode, so a normal tensor"
    assert result._version == 0, f"{message}: a new tensor is at version 0"
    if mode == "no_grad" and op.kind != "factory":
        assert not result.requires_grad and result.grad_fn is None, f"{message}: nothing is recorded under no_grad"


@pytest.mark.parametrize(("row", "op", "number"), SAMPLES)
def test_same_bits_in_every_mode(row, op, number):
    for call in _calls(row, op, number):
        expected = _bits(call.run())
        for mode, manager in MODES.items():
            for make in (plain, requiring, _inference_tensor):
                if make is requiring and not call.differentiable:
                    continue
                given = []

                def remember(operand, make=make, given=given):
                    given.append(make(operand))
                    return given[-1]

                args, kwargs = call.tensors(remember)
                before = _bits(given)
                with manager():
                    results = call.call(args, kwargs)
                message = f"{op.public_name}{row.samples[number]!r} in {call.dtype}, {mode}, {make.__name__}"
                assert _bits(results) == expected, f"{message}: other values than without gradients"
                assert _bits(given) == before, f"{message}: the op changed its input"
                for result in flatten(results):
                    _check_status(op, result, given, mode, message)
                if make is requiring and mode == "tracked":
                    _check_recorded(op, flatten(results), given, message)


def _check_recorded(op, results, given, message):
    """Check that each result that should carry gradients does, and that no other does."""
    tensors = [(k, r) for k, r in enumerate(results) if isinstance(r, Tensor) and not any(r is t for t in given)]
    for position, result in tensors:
        if not result.is_floating_point():
            assert not result.requires_grad, f"{message}: result {position} of dtype {result.dtype} requires grad"
            continue
        if op.kind == "composite":
            continue
        rule = getattr(op, "backward" if op.kind == "elementwise" else "_backward") or op._vjp
        chosen = getattr(op, "differentiable_results", None)
        carries = rule is not None and (chosen is None or position in chosen)
        assert result.requires_grad == carries, f"{message}: requires_grad of result {position} is {not carries}"
        if carries:
            assert result.grad_fn is not None and not result.is_leaf
            assert re.fullmatch(r"\w+Backward0?", result.grad_fn.name()), result.grad_fn.name()


# ---------------------------------------------------------------------------------------------------------------------
# Layouts


@pytest.mark.parametrize(("row", "op", "number"), SAMPLES)
def test_layouts(row, op, number):
    for call in _calls(row, op, number):
        if not call.operands:
            continue
        usual = call.run()
        for name, layout in LAYOUTS.items():
            given = []

            def arranged(operand, layout=layout, given=given):
                given.append(from_array(layout(operand.array)))
                return given[-1]

            _same_values(row, op, call, call.run(arranged), usual, name)
            for operand, tensor in zip(call.operands, given, strict=True):
                assert tensor._array.tobytes() == operand.array.tobytes(), f"{name}: the op changed its input"
        repeated = call.run(lambda operand: from_array(expanded(operand.array)))
        copied = call.run(lambda operand: from_array(np.array(expanded(operand.array))))
        _same_values(row, op, call, repeated, copied, "expanded")


def _same_values(row, op, call, results, usual, layout):
    message = f"{op.public_name}{call.sample!r} in {call.dtype} of {layout} memory"
    for result, right in zip(flatten(results), flatten(usual), strict=True):
        result, right = _array(result), _array(right)
        assert result.shape == right.shape and result.dtype == right.dtype, message
        if op.kind in ("elementwise", "view", "factory") or result.dtype.kind != "f":
            assert result.tobytes() == right.tobytes(), f"{message}: other bits than of contiguous memory"
        else:
            # Sums may be taken in another order.
            eps = 64 * np.finfo(result.dtype).eps
            finite = np.abs(right[np.isfinite(right)])
            scale = max(1.0, float(finite.max())) if finite.size else 1.0
            np.testing.assert_allclose(result, right, rtol=eps, atol=eps * scale, equal_nan=True, err_msg=message)


# ---------------------------------------------------------------------------------------------------------------------
# Forms


@pytest.mark.parametrize(("row", "op", "number"), SAMPLES)
def test_method_and_operators(row, op, number):
    for call in _calls(row, op, number):
        expected = _bits(call.run())
        args, kwargs = call.tensors(plain)
        if op.method and args and isinstance(args[0], Tensor):
            names = [op.method]
            if not op.namespace:
                names += [alias for alias in op.aliases if "." not in alias]
            for name in names:
                function = getattr(Tensor, name)
                assert _bits(call.call(args, kwargs, function)) == expected, f"Tensor.{name}"
                if op.varargs and len(args) > 1 and isinstance(args[1], (tuple, list)) and len(args[1]):
                    assert _bits(call.call((args[0], *args[1], *args[2:]), kwargs, function)) == expected
        required = [
            p for p in (op.signature.parameters[n] for n in op.parameters) if p.default is inspect.Parameter.empty
        ]
        if kwargs or len(args) != len(required) or len(args) > 2:
            continue
        for name in op.operators:
            reflected = name.startswith("__r") and name not in ("__rshift__", "__round__")
            first, *rest = reversed(args) if reflected else args
            if isinstance(first, Tensor):
                assert _bits(getattr(first, name)(*rest)) == expected, name


def _target(call):
    """Return (target, other arguments, keywords, right values) for an in-place form, or None if it must refuse."""
    args, kwargs = call.tensors(plain)
    if not isinstance(args[0], Tensor):
        return args, kwargs, None
    result = call.call(args, kwargs)
    fits = result.shape == args[0].shape and result.dtype.category <= args[0].dtype.category
    return args, kwargs, result._array.astype(args[0]._array.dtype) if fits else None


def _inplace_names(op):
    names = [op.method or op.function_name]
    if op.method and not op.namespace:
        names += [alias for alias in op.aliases if "." not in alias]
    return [name + "_" for name in names]


@pytest.mark.parametrize(("row", "op", "number"), INPLACE)
def test_inplace_form(row, op, number):
    for call in _calls(row, op, number):
        args, kwargs, expected = _target(call)
        if not isinstance(args[0], Tensor):
            continue
        names = _inplace_names(op)
        if not kwargs and len(args) <= 2:
            names += [n for n in ("__i" + o[2:] for o in op.operators) if n in Tensor.__dict__]
        for name in names:
            message = f"Tensor.{name} of {call.sample!r} in {call.dtype}"
            target, rest = args[0].clone(), args[1:]
            form = getattr(Tensor, name)
            if expected is None:
                before = _bits(target)
                with pytest.raises(RuntimeError, match=re.escape(op.function_name)):
                    call.call((target, *rest), kwargs, form)
                assert _bits(target) == before, f"{message}: a refused change has written something"
                assert target._version == 0, f"{message}: a refused change was counted"
                continue
            address = target.data_ptr()
            returned = call.call((target, *rest), kwargs, form)
            assert returned is target, f"{message}: returns another tensor"
            assert target.data_ptr() == address, f"{message}: moved the memory"
            assert _bits(target) == _bits(from_array(expected)), f"{message}: other values than the function's"
            assert target._version == 1, f"{message}: counted {target._version} changes"
            _check_inplace_of_inference_tensor(call, args, kwargs, form, expected, message)
        if call.dtype == "float64" and expected is not None and _checks_gradients(row, op, number):
            _check_inplace_gradient(call, names[0])


def _check_inplace_of_inference_tensor(call, args, kwargs, form, expected, message):
    with nt.inference_mode():
        target = args[0].clone()
    before = _bits(target)
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode"):
        call.call((target, *args[1:]), kwargs, form)
    assert _bits(target) == before, f"{message}: a refused change has written something"
    with nt.inference_mode():
        call.call((target, *args[1:]), kwargs, form)
    assert _bits(target) == _bits(from_array(expected)), f"{message}: inside inference mode"


def _check_inplace_gradient(call, name):
    """Compare the gradients through the in-place form with those through the function."""
    gradients = []
    for form in (None, getattr(Tensor, name)):
        args, kwargs = call.tensors(requiring)
        variables = [t for t in leaves((args, kwargs)) if t.requires_grad]
        result = call.call((args[0].clone(), *args[1:]), kwargs, form)
        if not result.requires_grad:
            return
        gradients.append(nt.autograd.grad(result, variables, _seeds([result])[0], allow_unused=True))
    for first, second in zip(*gradients, strict=True):
        assert (first is None) == (second is None), name
        if first is not None:
            np.testing.assert_allclose(second._array, first._array, rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(("row", "op", "number"), OUT)
def test_out_form(row, op, number):
    for call in _calls(row, op, number):
        args, kwargs = call.tensors(plain)
        result = call.call(args, kwargs)
        if not isinstance(result, Tensor):
            continue

        def run(out, args=args, kwargs=kwargs, call=call):
            return call.call(args, kwargs | {"out": out})

        out = from_array(np.ones_like(result._array))
        assert run(out) is out
        assert _bits(out) == _bits(result)
        assert out._version == 1
        grown = from_array(np.empty((0,), result._array.dtype))
        assert _bits(run(grown)) == _bits(result)
        wrong = from_array(np.zeros((*result.shape, 7), result._array.dtype))
        if wrong.numel():
            with pytest.raises(RuntimeError, match=re.escape(op.function_name)):
                run(wrong)
            assert not wrong._array.any()
        if result.dtype.category > 0:
            lower = from_array(np.zeros(result.shape, bool))
            with pytest.raises(RuntimeError, match=re.escape(op.function_name)):
                run(lower)
            assert not lower._array.any()
        if result.is_floating_point():
            leaf = from_array(np.zeros_like(result._array)).requires_grad_()
            with pytest.raises(RuntimeError, match=re.escape(op.function_name)):
                run(leaf)
            assert not leaf._array.any()
        if call.differentiable and result.is_floating_point():
            recorded, keywords = call.tensors(requiring)
            with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
                call.call(recorded, keywords | {"out": out})
            with nt.no_grad():
                assert _bits(call.call(recorded, keywords | {"out": out})) == _bits(result)


# ---------------------------------------------------------------------------------------------------------------------
# Derivatives


def _seeds(results):
    """Return a gradient for each result, the same in every run."""
    rng = np.random.default_rng(1)
    return [from_array(rng.uniform(0.5, 1.5, r.shape).astype(r._array.dtype)) for r in results]


@pytest.mark.parametrize(("row", "op", "number"), GRADIENTS)
def test_gradient(row, op, number):
    function, variables = Call(op, row, row.samples[number], "float64").function_of()
    assert nt.autograd.gradcheck(function, variables, atol=1e-6, rtol=1e-5, check_grad_dtypes=True)


@pytest.mark.parametrize(("row", "op", "number"), SECOND)
def test_second_gradient(row, op, number):
    function, variables = Call(op, row, row.samples[number], "float64").function_of()
    assert nt.autograd.gradgradcheck(function, variables, atol=1e-6, rtol=1e-5, check_grad_dtypes=True)


@pytest.mark.parametrize(("row", "op", "number"), GRADIENTS)
def test_backward_kernel_equals_vjp_expression(row, op, number):
    """The gradient that create_graph records is the one that the backward kernel computes, in every layout."""
    for dtype in ("float32", "float64"):
        if dtype not in row.dtypes:
            continue
        call = Call(op, row, row.samples[number], dtype)
        function, variables = call.function_of()
        results = [r for r in function(*variables) if r.requires_grad]
        if not results:
            return
        seeds = _seeds(results)
        ordinary = nt.autograd.grad(results, variables, seeds, retain_graph=True, allow_unused=True)
        recorded = nt.autograd.grad(results, variables, seeds, create_graph=True, allow_unused=True)
        again = [from_array(LAYOUTS["strided"](v._array)).requires_grad_() for v in variables]
        others = [r for r in function(*again) if r.requires_grad]
        turned = [from_array(LAYOUTS["transposed"](s._array)) for s in seeds]
        arranged = nt.autograd.grad(others, again, turned, allow_unused=True)
        rtol, atol = _tolerance(row, dtype)
        rtol, atol = max(rtol, 1e-5 if dtype == "float32" else 1e-12), max(atol, 2e-6 if dtype == "float32" else 1e-12)
        for k, (first, variable) in enumerate(zip(ordinary, variables, strict=True)):
            for second, how in ((recorded[k], "the vjp expression"), (arranged[k], "strided memory")):
                message = f"gradient {k} of {op.public_name}{call.sample!r} in {dtype}: backward kernel against {how}"
                if first is None or second is None:
                    left = second if first is None else first
                    assert left is None or not left._array.any(), message
                    continue
                assert first.shape == second.shape == variable.shape, message
                assert first.dtype is second.dtype is variable.dtype, message
                scale = max(1.0, float(np.nanmax(np.abs(first._array), initial=0.0)))
                np.testing.assert_allclose(
                    second._array, first._array, rtol=rtol, atol=atol * scale, equal_nan=True, err_msg=message
                )


@pytest.mark.parametrize("mode", ["tracked", "no_grad"])
@pytest.mark.parametrize(("row", "op", "number"), GRADIENTS)
def test_tangent_equals_gradient(row, op, number, mode):
    """Forward mode against the backward kernels: <seed, jvp(tangent)> = <vjp(seed), tangent>."""
    function, variables = Call(op, row, row.samples[number], "float64").function_of()
    usual = function(*variables)
    carrying = [k for k, r in enumerate(usual) if r.requires_grad]
    if not carrying or not any(v.numel() for v in variables):
        return  # Of nothing the mean is NaN, and so is the mean of its tangent.
    seeds = _seeds([usual[k] for k in carrying])
    gradients = nt.autograd.grad([usual[k] for k in carrying], variables, seeds, allow_unused=True)
    rng = np.random.default_rng(2)
    directions = [from_array(rng.uniform(0.5, 1.5, v.shape)) for v in variables]
    with forward_ad.dual_level():
        duals = [forward_ad.make_dual(v, d) for v, d in zip(variables, directions, strict=True)]
        with MODES[mode]():
            results = function(*duals)
        tangents = [forward_ad.unpack_dual(results[k]).tangent for k in carrying]
    assert _bits(results) == _bits(usual), "tangents change the values"
    forward, size = 0.0, 0.0
    for k, seed, tangent in zip(carrying, seeds, tangents, strict=True):
        if tangent is not None:
            assert tangent.shape == usual[k].shape and tangent.dtype is usual[k].dtype
            terms = seed._array * tangent.detach()._array
            forward, size = forward + terms.sum(), size + np.abs(terms).sum()
    backward = sum(np.sum(g._array * d._array) for g, d in zip(gradients, directions, strict=True) if g is not None)
    np.testing.assert_allclose(forward, backward, rtol=1e-9, atol=1e-11 * max(1.0, size))


# ---------------------------------------------------------------------------------------------------------------------
# Errors


@pytest.mark.parametrize(("row", "op", "bad"), BAD)
def test_bad_call(row, op, bad):
    dtype = "float32" if "float32" in row.dtypes else row.dtypes[0]
    call = Call(op, row, bad.sample, dtype)
    args, kwargs = call.tensors(plain)
    before = _bits(leaves((args, kwargs)))
    for manager in MODES.values():
        with manager(), pytest.raises(bad.exception, match=bad.match) as caught:
            call.call(args, kwargs)
        names = {op.name, op.function_name, op.method or op.name}
        assert any(name in str(caught.value) for name in names), f"the message does not name the op: {caught.value}"
        assert _bits(leaves((args, kwargs))) == before
