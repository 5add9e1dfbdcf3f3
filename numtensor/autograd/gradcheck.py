"""Gradients compared with central differences: how a derivative is known to be right."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from ..dtypes import float64
from ..modes import Mode, current, set_mode
from ..tensor import Tensor, from_array
from . import forward_ad
from .backward import grad
from .jacobians import unit
from .tangents import zeros_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..tensor import Tensor


class GradcheckError(RuntimeError):
    """A gradient differs from what central differences give."""


class _TrackingWhateverTheMode:
    """Runs the check with gradients on: inside inference mode there would be nothing to compare."""

    def __enter__(self):
        self.before = current.mode
        set_mode(Mode(True, False, True))

    def __exit__(self, *error):
        set_mode(self.before)


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
) -> bool:
    """Compare the gradients of a function with (f(x + eps) - f(x - eps)) / (2 eps).

    Every element of every floating output is differentiated with respect to every element of every input that
    requires grad.

    Args:
        func: takes the inputs and returns a tensor or a tuple of them; must be deterministic.
        inputs: a tensor or a tuple; those that require grad should be float64. What is no tensor is passed on.
        eps: the step.
        atol, rtol: absolute and relative tolerance.
        raise_exception: raise when they differ; otherwise return False.
        nondet_tol: by how much two backward passes of the same graph may differ.
        check_undefined_grad: also check that a gradient which is missing for one of several outputs counts as zero.
        check_grad_dtypes: also check that each gradient has its input's dtype.
        check_forward_ad: also compare what forward mode gives.
        check_backward_ad: compare what backward gives.

    Returns:
        True if all gradients agree.

    Raises:
        GradcheckError: one does not; names input, output and operation, and shows both.
        ValueError: no input requires grad.

    Reference: ``torch.autograd.gradcheck``.

    Example:
        >>> import numtensor as nt
        >>> x = nt.tensor([1.0, 2.0], dtype=nt.float64, requires_grad=True)
        >>> nt.autograd.gradcheck(lambda x: x * x, x)
        True
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    checked = [k for k, value in enumerate(inputs) if isinstance(value, Tensor) and value.requires_grad]
    if not checked:
        raise ValueError(
            "gradcheck: expects at least one input tensor to require gradient, but none of them have requires_grad=True"
        )
    for k in checked:
        if inputs[k].dtype is not float64:
            warnings.warn(
                f"gradcheck: input {k} requires gradient and is not a double precision tensor ({inputs[k].dtype}); the "
                "check will likely fail",
                stacklevel=2,
            )
    with _TrackingWhateverTheMode():
        try:
            numerical = _numerical(func, inputs, checked, eps, len(_tensors(func(*inputs))))
            if check_backward_ad:
                _check(func, inputs, checked, numerical, atol, rtol, nondet_tol, check_grad_dtypes)
                if check_undefined_grad:
                    _check_undefined(func, inputs, checked)
            if check_forward_ad:
                _check_forward(func, inputs, checked, numerical, atol, rtol)
        except GradcheckError:
            if raise_exception:
                raise
            return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
) -> bool:
    """Compare the gradients of a function's gradients with central differences.

    Args:
        func, inputs: as for `gradcheck`.
        grad_outputs: a tensor, or one per differentiable output, of its shape; None draws them.
        eps, atol, rtol, raise_exception, nondet_tol, check_undefined_grad, check_grad_dtypes: as for `gradcheck`.

    Returns:
        True if all second gradients agree.

    Raises:
        GradcheckError: one does not.
        ValueError: no input requires grad.

    Reference: ``torch.autograd.gradgradcheck``.

    Example:
        >>> import numtensor as nt
        >>> x = nt.tensor([1.0, 2.0], dtype=nt.float64, requires_grad=True)
        >>> nt.autograd.gradgradcheck(lambda x: x * x * x, x)
        True
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    checked = [k for k, value in enumerate(inputs) if isinstance(value, Tensor) and value.requires_grad]
    if not checked:
        raise ValueError("gradgradcheck: expects at least one input tensor to require gradient")
    if grad_outputs is None:
        with _TrackingWhateverTheMode():
            outputs = _differentiable(func(*inputs))
        # Its own generator: the check must not move the user's random numbers.
        draw = np.random.default_rng(0)
        grad_outputs = [
            from_array(draw.uniform(0.5, 1.5, t._array.shape).astype(t._array.dtype)).requires_grad_() for t in outputs
        ]
    else:
        grad_outputs = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs)

    def first_gradients(*arguments):
        arguments, seeds = arguments[: len(inputs)], arguments[len(inputs) :]
        outputs = _differentiable(func(*arguments))
        if not outputs:
            return ()
        found = grad(
            outputs, [arguments[k] for k in checked], seeds, create_graph=True, allow_unused=True
        )
        return tuple(g for g in found if g is not None)

    return gradcheck(
        first_gradients,
        (*inputs, *grad_outputs),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
    )


def _tensors(outputs):
    """Return the floating tensors among what a function returned, in order."""
    outputs = (outputs,) if isinstance(outputs, Tensor) else outputs
    return [t for t in outputs if isinstance(t, Tensor) and t.is_floating_point()]


def _differentiable(outputs):
    return [t for t in _tensors(outputs) if t.requires_grad]


def _check(func, inputs, checked, numerical, atol, rtol, nondet_tol, check_grad_dtypes):
    outputs = _tensors(func(*inputs))
    variables = [inputs[k] for k in checked]
    for number, output in enumerate(outputs):
        operation = output.grad_fn.name() if output.grad_fn is not None else "no recorded operation"
        analytical = _analytical(output, variables, check_grad_dtypes, checked)
        if output.requires_grad:
            again = _analytical(output, variables, check_grad_dtypes, checked)
            for k, first, second in zip(checked, analytical, again, strict=True):
                if not np.allclose(first, second, rtol=0.0, atol=nondet_tol, equal_nan=True):
                    raise GradcheckError(
                        f"gradcheck: backward of {operation} is not deterministic: two passes over the same graph give "
                        f"different gradients of output {number} with respect to input {k}\nfirst:\n{first}\n"
                        f"second:\n{second}"
                    )
        for k, found, expected in zip(checked, analytical, (row[number] for row in numerical), strict=True):
            if not np.allclose(found, expected, rtol=rtol, atol=atol, equal_nan=True):
                raise GradcheckError(
                    f"gradcheck: Jacobian mismatch for output {number} with respect to input {k} "
                    f"(made by {operation}; rows are elements of the input, columns of the output)\n"
                    f"numerical:\n{expected}\nanalytical:\n{found}"
                )


def _numerical(func, inputs, checked, eps, count):
    """Return, per checked input and output, the matrix of central differences."""
    matrices = []
    for k in checked:
        original = inputs[k]._array
        columns = [[] for _ in range(count)]
        for position in np.ndindex(original.shape):
            sides = []
            for step in (eps, -eps):
                arguments = list(inputs)
                # A fresh leaf of the same layout for each call: what the function keeps of it stays what it was.
                moved = original.copy(order="K")
                moved[position] += step
                arguments[k] = from_array(moved).requires_grad_()
                sides.append([t._array.astype(np.float64).reshape(-1) for t in _tensors(func(*arguments))])
            if len(sides[0]) != count or len(sides[1]) != count:
                raise GradcheckError(f"gradcheck: the function returns {len(sides[0])} outputs, and {count} before")
            for number, (above, below) in enumerate(zip(*sides, strict=True)):
                # Equal infinities (a masked element) do not change.
                difference = np.zeros_like(above)
                np.subtract(above, below, out=difference, where=above != below)
                columns[number].append(difference / (2 * eps))
        outputs = None
        if original.size == 0:
            outputs = [t._array.size for t in _tensors(func(*inputs))]
        matrices.append(
            [
                np.stack(column) if column else np.zeros((0, outputs[number]))
                for number, column in enumerate(columns)
            ]
        )
    return matrices


def _analytical(output, variables, check_grad_dtypes, checked):
    """Return, per variable, the matrix of derivatives of `output` by backward, one pass per element."""
    size = output._array.size
    matrices = [np.zeros((v._array.size, size)) for v in variables]
    if not output.requires_grad:
        return matrices
    for column in range(size):
        seed = np.zeros(output._array.shape, output._array.dtype)
        seed.reshape(-1)[column] = 1
        found = grad((output,), variables, (from_array(seed),), retain_graph=True, allow_unused=True)
        for k, matrix, variable, gradient in zip(checked, matrices, variables, found, strict=True):
            if gradient is None:
                continue
            if gradient._array.shape != variable._array.shape:
                raise GradcheckError(
                    f"gradcheck: the gradient with respect to input {k} has shape {gradient._array.shape}, the input "
                    f"{variable._array.shape}"
                )
            if check_grad_dtypes and gradient._array.dtype != variable._array.dtype:
                raise GradcheckError(
                    f"gradcheck: the gradient with respect to input {k} has dtype {gradient.dtype}, the input "
                    f"{variable.dtype}"
                )
            matrix[:, column] = gradient._array.reshape(-1)
    return matrices


def _check_forward(func, inputs, checked, numerical, atol, rtol):
    """Check the tangents that forward mode gives, one run per element of an input."""
    for k, expected in zip(checked, numerical, strict=True):
        for element in range(inputs[k]._array.size):
            with forward_ad.inner_level():
                arguments = list(inputs)
                for other in checked:
                    direction = unit(inputs[k], element) if other == k else zeros_for(inputs[other])
                    arguments[other] = forward_ad.make_dual(inputs[other], direction)
                outputs = _tensors(func(*arguments))
                tangents = [forward_ad.unpack_dual(one).tangent for one in outputs]
            for number, (output, tangent) in enumerate(zip(outputs, tangents, strict=True)):
                found = (zeros_for(output) if tangent is None else tangent)._array.reshape(-1)
                if not np.allclose(found, expected[number][element], rtol=rtol, atol=atol, equal_nan=True):
                    raise GradcheckError(
                        f"gradcheck: Jacobian mismatch by forward mode for output {number} with respect to input {k}, "
                        f"element {element}\nnumerical:\n{expected[number][element]}\nforward mode:\n{found}"
                    )


def _check_undefined(func, inputs, checked):
    """Check that leaving out the gradient of an output is the same as giving zeros for it."""
    variables = [inputs[k] for k in checked]
    outputs = _differentiable(func(*inputs))
    if len(outputs) < 2:
        return
    ones = [from_array(np.ones_like(t._array)) for t in outputs]
    for number, output in enumerate(outputs):
        alone = grad((output,), variables, (ones[number],), retain_graph=True, allow_unused=True)
        zeros = [g if j == number else from_array(np.zeros_like(g._array)) for j, g in enumerate(ones)]
        padded = grad(outputs, variables, zeros, retain_graph=True, allow_unused=True)
        for k, first, second in zip(checked, alone, padded, strict=True):
            first = 0.0 if first is None else first._array
            second = 0.0 if second is None else second._array
            if not np.allclose(first, second, equal_nan=True):
                raise GradcheckError(
                    f"gradcheck: an undefined gradient is not taken as zero: output {number} alone gives another "
                    f"gradient with respect to input {k} than with zeros for the other outputs"
                )
