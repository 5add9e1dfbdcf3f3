"""Transforms by reverse mode: ``grad``, ``grad_and_value``, ``vjp`` and ``jacrev``."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from ..autograd.jacobians import rows
from ..autograd.variables import depends_outside, filled, gradients, recording, settled, variable
from ..modes import current
from ..tensor import Tensor, from_array
from .arguments import chosen, split_aux, with_chosen
from .trees import flatten, map_leaves, rebuild, tensors_like, tensors_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def grad(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Return a function that computes the gradient of `func`, which returns one number.

    Args:
        func: a function of tensors (or tuples, lists and dicts of them) that returns a 0-d tensor.
        argnums: the position of the argument, or a tuple of positions, with respect to which.
        has_aux: whether `func` returns ``(value, aux)``; then so does the result: ``(gradient, aux)``.

    Returns:
        A function of the same arguments. Its results are zeros for what `func` does not depend on. It may be
        transformed again, and called in any gradient mode.

    Raises:
        ValueError: on calling it, an argument is no tensor.
        RuntimeError: on calling it, the value is not a 0-d tensor, or an argument is not floating-point.

    Reference: ``torch.func.grad``.

    Example:
        >>> import numtensor as nt
        >>> nt.func.grad(lambda x: x**3)(nt.tensor(2.0))
        tensor(12.)
        >>> nt.func.grad(nt.func.grad(lambda x: x**3))(nt.tensor(2.0))
        tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapper


def grad_and_value(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., tuple[Any, Any]]:
    """Return a function that computes the gradient and the value of `func`; see `grad`.

    Returns:
        A function that returns ``(gradient, value)``, or ``(gradient, (value, aux))``.

    Reference: ``torch.func.grad_and_value``.

    Example:
        >>> import numtensor as nt
        >>> nt.func.grad_and_value(lambda x: (x * x).sum())(nt.tensor([1.0, 2.0]))
        (tensor([2., 4.]), tensor(5.))
    """

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        run = _Run("grad", func, args, kwargs, argnums, has_aux)
        (value,) = run.outputs if len(run.outputs) == 1 else (None,)
        if not isinstance(run.output, Tensor) or value.ndim:
            given = f"a tensor of shape {tuple(value.shape)}" if value is not None else type(run.output).__name__
            raise RuntimeError(
                f"grad: Expected func to return a scalar tensor (0-d), got {given}; reduce it, or use vjp or jacrev"
            )
        found = run.pull(run.outputs, [from_array(np.ones((), value._array.dtype))])
        value = run.result()
        return run.like_arguments(found), (value, run.aux) if has_aux else value

    return wrapper


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Compute a function, and return with its result the product of covectors with its Jacobian.

    Args:
        func: a function of tensors (or tuples, lists and dicts of them) that returns such.
        primals: its arguments, each differentiated with respect to.
        has_aux: whether `func` returns ``(output, aux)``.

    Returns:
        ``(output, vjp_fn)``, or ``(output, vjp_fn, aux)``. ``vjp_fn(covector)``, called any number of times, takes
        what is shaped like the output and returns a tuple shaped like `primals`.

    Raises:
        ValueError: a primal is no tensor.
        RuntimeError: a primal or an output is not floating-point, or a covector has another structure or shape.

    Reference: ``torch.func.vjp``.

    Example:
        >>> import numtensor as nt
        >>> output, pull = nt.func.vjp(lambda x: x * x, nt.tensor([1.0, 2.0]))
        >>> pull(nt.tensor([1.0, 10.0]))
        (tensor([ 2., 40.]),)
    """
    run = _Run("vjp", func, primals, {}, tuple(range(len(primals))), has_aux)

    for one in run.outputs:
        _check_floating("vjp", one)

    def vjp_fn(covector):
        seeds = tensors_like("vjp", covector, "a covector and its output", run.output)
        for seed, one in zip(seeds, run.outputs, strict=True):
            if seed.shape != one.shape:
                raise RuntimeError(
                    f"vjp: a covector has shape {tuple(seed.shape)}, its output {tuple(one.shape)}: must be the same"
                )
        return run.like_arguments(run.pull(run.outputs, seeds))

    output = run.result()
    return (output, vjp_fn, run.aux) if has_aux else (output, vjp_fn)


def jacrev(
    func: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Return a function that computes the Jacobian of `func` by reverse mode: one backward pass per output element.

    Args:
        func: a function of tensors (or tuples, lists and dicts of them) that returns such.
        argnums: the position of the argument, or a tuple of positions, with respect to which.
        has_aux: whether `func` returns ``(output, aux)``; then so does the result: ``(jacobian, aux)``.
        chunk_size: accepted as PyTorch's; passes run one after the other.

    Returns:
        A function whose result has the structure of the output, in each place that of the argument(s), in each
        place a tensor of shape ``output.shape + argument.shape``.

    Reference: ``torch.func.jacrev``.

    Example:
        >>> import numtensor as nt
        >>> nt.func.jacrev(lambda x: x * x)(nt.tensor([1.0, 2.0]))
        tensor([[2., 0.],
                [0., 4.]])
    """

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        run = _Run("jacrev", func, args, kwargs, argnums, has_aux)

        def jacobian_of(output):
            _check_floating("jacrev", output)
            return run.like_arguments(rows(output, run.variables, lambda seed: run.pull([output], [seed])))

        jacobian = map_leaves(jacobian_of, run.output)
        return (jacobian, run.aux) if has_aux else jacobian

    return wrapper


def _check_floating(op, output):
    if not output.is_floating_point():
        raise RuntimeError(f"{op}: all outputs of func must be floating-point, got a tensor of {output.dtype}")


class _Run:
    """One recorded run of a function, which can be pulled back.

    Attributes:
        output: what it returned, without aux.
        outputs: the tensors in it.
        aux: the rest, without graph.
    """

    def __init__(self, op, func, args, kwargs, argnums, has_aux):
        self.caller = current.mode
        self.argnums = argnums
        self.selected = chosen(op, args, argnums)
        with recording():
            self.variables = [variable(op, leaf) for leaf in flatten(self.selected)]
            args = with_chosen(args, argnums, rebuild(self.selected, self.variables))
            self.output, aux = split_aux(op, func(*args, **kwargs), has_aux)
            self.outputs = tensors_of(op, self.output, "the output")
            self.outside = depends_outside(self.outputs, self.variables)
        self.aux = map_leaves(lambda leaf: self._settle(leaf) if isinstance(leaf, Tensor) else leaf, aux)

    def _settle(self, tensor):
        connected = self.caller.path == "tracked" and depends_outside([tensor], self.variables)
        return tensor if connected else settled(tensor)

    def result(self):
        """Return the output as part of the caller's graph, or of none."""
        return map_leaves(self._settle, self.output)

    def pull(self, outputs, seeds):
        """Return the gradient of each variable, from those of outputs."""
        connected = current.mode.path == "tracked" and (self.outside or any(seed.requires_grad for seed in seeds))
        with recording():
            return filled(gradients(outputs, self.variables, seeds, connected), self.variables)

    def like_arguments(self, values):
        """Return one value per variable in the structure of the chosen arguments."""
        return rebuild(self.selected, values)
