"""Derivatives of functions of tensors: Jacobians, Hessians, and their products with vectors.

The inputs are a tensor or a tuple of them, as is what the function returns; results have the same structure. They are
right in every gradient mode, inference mode included. `numtensor.func` has the transforms that nest, of any nested
containers.

Reference: ``torch.autograd.functional``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..tensor import Tensor
from . import forward_ad
from .jacobians import rows, stacked, unit
from .tangents import zeros_for
from .variables import filled, gradients, recording, settled, variable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..tensor import Tensor

# ---------------------------------------------------------------------------------------------------------------------
# Products with a vector


def vjp(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    v: Tensor | Sequence[Tensor] | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Compute a function, and the product of a vector with its Jacobian.

    Args:
        func: a function of tensors that returns a tensor or a tuple of them.
        inputs: a tensor or a tuple of them: the arguments.
        v: the vector, shaped like the output; may be omitted for an output of one element.
        create_graph: record the computation, so that both results can be differentiated.
        strict: raise if an output or a gradient does not depend on an input, instead of giving zeros.

    Returns:
        ``(output, product)``; the product is shaped like `inputs`.

    Raises:
        TypeError: an input, `v` or an output is neither a tensor nor a tuple of tensors.
        RuntimeError: `v` has another shape, or `strict` forbids what was found.

    Reference: ``torch.autograd.functional.vjp``.

    Example:
        >>> import numtensor as nt
        >>> nt.autograd.functional.vjp(lambda x: x * x, nt.tensor([1.0, 2.0]), nt.tensor([1.0, 10.0]))
        (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    with recording():
        run = _Run("vjp", func, inputs, create_graph, strict)
        v = run.vector(v, run.outputs, run.outputs_are_tuple, _NO_VECTOR_FOR_OUTPUT)
        found = gradients(run.outputs, run.inputs, v, create_graph)
        run.check_gradients(found, _OUTPUT_INDEPENDENT, _JACOBIAN_CONSTANT)
        return run.output(), run.like_inputs(filled(found, run.inputs))


def jvp(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    v: Tensor | Sequence[Tensor] | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Compute a function, and the product of its Jacobian with a vector, by reverse mode twice.

    `numtensor.func.jvp` computes it by forward mode, in one pass.

    Args:
        func: a function of tensors that returns a tensor or a tuple of them.
        inputs: a tensor or a tuple of them: the arguments.
        v: the vector, shaped like `inputs`; may be omitted for one input of one element.
        create_graph: record the computation, so that both results can be differentiated.
        strict: raise if an output or a gradient does not depend on an input, instead of giving zeros.

    Returns:
        ``(output, product)``; the product is shaped like the output.

    Raises:
        TypeError: an input, `v` or an output is neither a tensor nor a tuple of tensors.
        RuntimeError: `v` has another shape, or `strict` forbids what was found.

    Reference: ``torch.autograd.functional.jvp``.

    Example:
        >>> import numtensor as nt
        >>> nt.autograd.functional.jvp(lambda x: x.prod(), nt.tensor([2.0, 3.0]), nt.tensor([1.0, 10.0]))
        (tensor(6.), tensor(23.))
    """
    with recording():
        run = _Run("jvp", func, inputs, create_graph, strict)
        v = run.vector(v, run.inputs, run.inputs_are_tuple, _NO_VECTOR_FOR_INPUT)
        found = run.push(run.outputs, v, _OUTPUT_INDEPENDENT)
        run.check_gradients(found, _ENTRY_INDEPENDENT, _JACOBIAN_CONSTANT)
        return run.output(), run.like_outputs(filled(found, run.outputs))


def vhp(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    v: Tensor | Sequence[Tensor] | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Compute a function that returns one number, and the product of a vector with its Hessian.

    Args:
        func: a function of tensors that returns a tensor of one element.
        inputs: a tensor or a tuple of them: the arguments.
        v: the vector, shaped like `inputs`; may be omitted for one input of one element.
        create_graph: record the computation, so that both results can be differentiated.
        strict: raise if the output, the gradient or the product does not depend on an input, instead of giving zeros.

    Returns:
        ``(output, product)``; the product is shaped like `inputs`.

    Raises:
        TypeError: an input, `v` or the output is not made of tensors.
        RuntimeError: `v` has another shape, the output is not one number, or `strict` forbids what was found.

    Reference: ``torch.autograd.functional.vhp``.

    Example:
        >>> import numtensor as nt
        >>> nt.autograd.functional.vhp(lambda x: (x**3).sum(), nt.tensor([1.0, 2.0]), nt.tensor([1.0, 10.0]))
        (tensor(9.), tensor([  6., 120.]))
    """
    with recording():
        run = _Run("vhp", func, inputs, create_graph, strict)
        v = run.vector(v, run.inputs, run.inputs_are_tuple, _NO_VECTOR_FOR_INPUT)
        found = gradients(run.first_gradients(), run.inputs, v, create_graph)
        run.check_gradients(found, _JACOBIAN_INDEPENDENT, _HESSIAN_CONSTANT)
        return run.output(), run.like_inputs(filled(found, run.inputs))


def hvp(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    v: Tensor | Sequence[Tensor] | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Compute a function that returns one number, and the product of its Hessian with a vector.

    For a function that is twice continuously differentiable `vhp` gives the same, with one backward pass less.

    Args:
        func: a function of tensors that returns a tensor of one element.
        inputs: a tensor or a tuple of them: the arguments.
        v: the vector, shaped like `inputs`; may be omitted for one input of one element.
        create_graph: record the computation, so that both results can be differentiated.
        strict: raise if the output, the gradient or the product does not depend on an input, instead of giving zeros.

    Returns:
        ``(output, product)``; the product is shaped like `inputs`.

    Raises:
        TypeError: an input, `v` or the output is not made of tensors.
        RuntimeError: `v` has another shape, the output is not one number, or `strict` forbids what was found.

    Reference: ``torch.autograd.functional.hvp``.

    Example:
        >>> import numtensor as nt
        >>> nt.autograd.functional.hvp(lambda x: (x**3).sum(), nt.tensor([1.0, 2.0]), nt.tensor([1.0, 10.0]))
        (tensor(9.), tensor([  6., 120.]))
    """
    with recording():
        run = _Run("hvp", func, inputs, create_graph, strict)
        v = run.vector(v, run.inputs, run.inputs_are_tuple, _NO_VECTOR_FOR_INPUT)
        found = run.push(run.first_gradients(), v, _JACOBIAN_INDEPENDENT)
        run.check_gradients(found, _HESSIAN_INDEPENDENT, _HESSIAN_CONSTANT)
        return run.output(), run.like_inputs(filled(found, run.inputs))


# ---------------------------------------------------------------------------------------------------------------------
# Whole matrices


def jacobian(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Compute the Jacobian of a function: one backward pass per output element, or one run per input element.

    Args:
        func: a function of tensors that returns a tensor or a tuple of them.
        inputs: a tensor or a tuple of them: the arguments.
        create_graph: record the computation, so that the result can be differentiated.
        strict: raise if an output does not depend on an input, instead of giving zeros.
        vectorize: accepted as PyTorch's; passes run one after the other.
        strategy: ``reverse-mode`` or ``forward-mode``.

    Returns:
        A tensor of shape ``output.shape + input.shape``; a tuple of them where the output or `inputs` is a tuple, and
        if both are, ``jacobian[i][j]`` is of output i with respect to input j.

    Raises:
        TypeError: an input or an output is neither a tensor nor a tuple of tensors.
        RuntimeError: `strict` forbids what was found.
        AssertionError: there is no such strategy.

    Reference: ``torch.autograd.functional.jacobian``.

    Example:
        >>> import numtensor as nt
        >>> nt.autograd.functional.jacobian(lambda x: x * x, nt.tensor([1.0, 2.0]))
        tensor([[2., 0.],
                [0., 4.]])
    """
    _check_strategy("jacobian", strategy)
    with recording():
        if strategy == "forward-mode":
            return _by_columns(func, inputs, create_graph, strict)
        run = _Run("jacobian", func, inputs, create_graph, strict)

        def rows_of(number, output):
            def pull(seed):
                found = gradients((output,), run.inputs, (seed,), create_graph)
                run.check_gradients(found, f"Output {number} of {_INDEPENDENT}", _JACOBIAN_CONSTANT)
                return filled(found, run.inputs)

            return run.like_inputs(rows(output, run.inputs, pull))

        return _unpacked([rows_of(*pair) for pair in enumerate(run.outputs)], run.outputs_are_tuple)


def hessian(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Compute the Hessian of a function that returns one number.

    Args:
        func: a function of tensors that returns a tensor of one element.
        inputs: a tensor or a tuple of them: the arguments.
        create_graph: record the computation, so that the result can be differentiated.
        strict: raise if the output or its gradient does not depend on an input, instead of giving zeros.
        vectorize: accepted as PyTorch's; passes run one after the other.
        outer_jacobian_strategy: how the gradient is differentiated: ``reverse-mode`` or ``forward-mode``.

    Returns:
        A tensor of shape ``input.shape + input.shape``; for a tuple of inputs a tuple of tuples, whose element
        ``[i][j]`` is the derivative with respect to inputs i and j.

    Raises:
        TypeError: an input or the output is not made of tensors.
        RuntimeError: the output is not one number, or `strict` forbids what was found.
        AssertionError: there is no such strategy.

    Reference: ``torch.autograd.functional.hessian``.

    Example:
        >>> import numtensor as nt
        >>> nt.autograd.functional.hessian(lambda x: (x**3).sum(), nt.tensor([1.0, 2.0]))
        tensor([[ 6.,  0.],
                [ 0., 12.]])
    """
    _check_strategy("hessian", outer_jacobian_strategy)

    def gradient(*variables):
        run = _Run("hessian", func, variables, True, strict)
        return filled(run.first_gradients(), run.inputs)

    found = jacobian(gradient, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)
    # Of one input, the gradient is a tuple all the same.
    return found if isinstance(inputs, tuple) else found[0]


def _check_strategy(op, strategy):
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            f'{op}: Expected strategy to be either "forward-mode" or "reverse-mode", got {strategy!r}; forward mode is '
            "faster for more outputs than inputs"
        )


def _by_columns(func, inputs, create_graph, strict):
    """Return the Jacobian by forward mode."""
    inputs_are_tuple, inputs = _as_tuple("jacobian", inputs, "inputs")
    inputs = _variables("jacobian", inputs, create_graph)
    outputs_are_tuple, outputs, found = None, None, []
    for position, one in enumerate(inputs):
        for element in range(one._array.size):
            directions = [unit(one, element) if other is one else zeros_for(other) for other in inputs]
            with forward_ad.inner_level():
                duals = [forward_ad.make_dual(*pair) for pair in zip(inputs, directions, strict=True)]
                outputs_are_tuple, duals = _as_tuple("jacobian", func(*duals), _OUTPUTS)
                outputs, tangents = zip(*map(forward_ad.unpack_dual, duals), strict=True)
            for number, tangent in enumerate(tangents):
                if strict and tangent is None:
                    _refuse("jacobian", f"Output {number} of {_INDEPENDENT}", position)
            found.append([t if create_graph else settled(t) for t in filled(tangents, outputs)])
    if outputs is None:
        # Nothing to vary, but the result has the structure of the outputs.
        outputs_are_tuple, outputs = _as_tuple("jacobian", func(*inputs), _OUTPUTS)
    jacobians = []
    for number, output in enumerate(outputs):
        columns = iter(found)
        jacobians.append(
            _unpacked(
                [
                    stacked(
                        [next(columns)[number] for _ in range(one._array.size)],
                        -1,
                        output.shape + one.shape,
                        output._array.dtype,
                    )
                    for one in inputs
                ],
                inputs_are_tuple,
            )
        )
    return _unpacked(jacobians, outputs_are_tuple)


# ---------------------------------------------------------------------------------------------------------------------
# What all have in common

_OUTPUTS = "outputs of the user-provided function"
_INDEPENDENT = "the user-provided function is independent of input {}"

# What strict=True refuses: that there is no gradient of an input (or entry), and that it is not recorded.
_OUTPUT_INDEPENDENT = f"The output of {_INDEPENDENT}"
_ENTRY_INDEPENDENT = "The output of the user-provided function is independent of the inputs in entry {}"
_JACOBIAN_INDEPENDENT = f"The jacobian of {_INDEPENDENT}"
_HESSIAN_INDEPENDENT = f"The hessian of {_INDEPENDENT}"
_JACOBIAN_CONSTANT = f"create_graph=True, but the jacobian of {_INDEPENDENT}"
_HESSIAN_CONSTANT = f"create_graph=True, but the hessian of {_INDEPENDENT}"

_NO_VECTOR_FOR_OUTPUT = "the user-provided function returns a single Tensor with a single element"
_NO_VECTOR_FOR_INPUT = "the input to the user-provided function is a single Tensor with a single element"


class _Run:
    """One recorded run of a function.

    Attributes:
        inputs: the variables of which it was computed, a tuple.
        outputs: what it returned, a tuple.
        inputs_are_tuple, outputs_are_tuple: whether the caller and the function gave tuples.
    """

    def __init__(self, op, func, inputs, create_graph, strict):
        self.op, self.create_graph, self.strict = op, create_graph, strict
        self.inputs_are_tuple, inputs = _as_tuple(op, inputs, "inputs")
        self.inputs = _variables(op, inputs, create_graph)
        self.outputs_are_tuple, self.outputs = _as_tuple(op, func(*self.inputs), _OUTPUTS)
        for number, output in enumerate(self.outputs):
            if strict and not output.requires_grad:
                raise RuntimeError(
                    f"{op}: Output {number} of the user-provided function does not require gradients. The outputs must "
                    "be computed in a differentiable manner from the input when running in strict mode."
                )

    def vector(self, v, like, is_tuple, needless):
        """Return `v` as a tuple of the shapes of the tensors `like`; ones if it is not given."""
        if v is None:
            if len(like) != 1 or like[0]._array.size != 1:
                raise RuntimeError(f"{self.op}: The vector v can only be None if {needless}.")
            return (unit(like[0], 0),)
        _, v = _as_tuple(self.op, v, "v")
        if len(v) != len(like):
            raise RuntimeError(
                f"{self.op}: v is a tuple of invalid length: should be {len(like)} but got {len(v)}."
                if is_tuple
                else f"{self.op}: The given v should contain a single Tensor."
            )
        for position, (one, other) in enumerate(zip(v, like, strict=True)):
            if one.shape != other.shape:
                which = f"Entry {position} in v" if is_tuple else "v"
                raise RuntimeError(
                    f"{self.op}: {which} has invalid size: should be {tuple(other.shape)} but got {tuple(one.shape)}."
                )
        return v

    def first_gradients(self):
        """Return the recorded gradient of the one number that was computed, None for what it does not depend on."""
        if self.outputs_are_tuple:
            raise RuntimeError(f"{self.op}: The function given to {self.op} should return a single Tensor")
        (output,) = self.outputs
        if output._array.size != 1:
            raise RuntimeError(
                f"{self.op}: The Tensor returned by the function given to {self.op} should contain a single element, "
                f"got shape {tuple(output.shape)}"
            )
        found = gradients(self.outputs, self.inputs, (unit(output, 0),), True)
        if self.strict:
            for position, one in enumerate(found):
                if one is None:
                    _refuse(self.op, _OUTPUT_INDEPENDENT, position)
                if not one.requires_grad:
                    _refuse(self.op, _JACOBIAN_INDEPENDENT, position)
        return found

    def push(self, outputs, v, independent):
        """Return the product of the Jacobian of outputs with `v`: the transpose of what pulls gradients back."""
        covectors = [None if output is None else zeros_for(output).requires_grad_() for output in outputs]
        pulled = gradients(outputs, self.inputs, covectors, True)
        if self.strict:
            for position, one in enumerate(pulled):
                if one is None:
                    _refuse(self.op, independent, position)
        wanted = [one for one in covectors if one is not None]
        found = iter(gradients(pulled, wanted, v, self.create_graph))
        return tuple(None if one is None else next(found) for one in covectors)

    def check_gradients(self, found, independent, constant):
        """Refuse, if strict, that a gradient is missing, or not recorded though it is to be."""
        if not self.strict:
            return
        for position, one in enumerate(found):
            if one is None:
                _refuse(self.op, independent, position)
            if self.create_graph and not one.requires_grad:
                _refuse(self.op, constant, position)

    def output(self):
        """Return what the function returned, as the caller wants it."""
        return self.like_outputs(self.outputs)

    def like_inputs(self, values):
        """Return one value per input in the structure of the inputs, as the caller wants it."""
        return _unpacked([self._settled(value) for value in values], self.inputs_are_tuple)

    def like_outputs(self, values):
        """Return one value per output in the structure of the outputs, as the caller wants it."""
        return _unpacked([self._settled(value) for value in values], self.outputs_are_tuple)

    def _settled(self, tensor):
        return tensor if self.create_graph else settled(tensor)


def _refuse(op, what, position):
    raise RuntimeError(f"{op}: {what.format(position)}. This is not allowed in strict mode.")


def _as_tuple(op, value, what):
    """Return whether a value is a tuple, and the tensors in it."""
    is_tuple = isinstance(value, tuple)
    values = value if is_tuple else (value,)
    for position, one in enumerate(values):
        if not isinstance(one, Tensor):
            where = f"value at index {position}" if is_tuple else f"given {what}"
            raise TypeError(
                f"{op}: The {what} given to {op} must be either a Tensor or a tuple of Tensors but the {where} has "
                f"type {type(one).__name__}."
            )
    return is_tuple, values


def _variables(op, inputs, create_graph):
    """Return stand-ins for the inputs: in the caller's graph only if results are to be."""
    return tuple(variable(op, one if create_graph else settled(one)) for one in inputs)


def _unpacked(values, is_tuple):
    """Return values as a tuple, or the only one of them."""
    return tuple(values) if is_tuple else values[0]
