"""Transforms by forward mode: ``jvp``, ``jacfwd``, and ``hessian``, which is forward over reverse."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from ..autograd import forward_ad
from ..autograd.jacobians import stacked, unit
from ..autograd.tangents import zeros_for
from ..autograd.variables import filled, making_normal
from .arguments import chosen, split_aux, with_chosen
from .reverse import jacrev
from .trees import flatten, map_leaves, rebuild, tensors_like, tensors_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def jvp(
    func: Callable[..., Any],
    primals: tuple[Any, ...],
    tangents: tuple[Any, ...],
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> tuple[Any, ...]:
    """Compute a function and its derivative in a direction, in one pass.

    Args:
        func: a function of tensors (or tuples, lists and dicts of them) that returns such.
        primals: a tuple of its arguments.
        tangents: the direction, of the same structure and shapes.
        strict: raise if an output does not depend on the primals, instead of returning zeros.
        has_aux: whether `func` returns ``(output, aux)``.

    Returns:
        ``(output, derivative)``, or ``(output, derivative, aux)``. May be nested, and called in any gradient mode.

    Raises:
        RuntimeError: primals and tangents are no tuples of tensors, or differ in structure or shape.
        ValueError: one of them is not floating-point.

    Reference: ``torch.func.jvp``.

    Example:
        >>> import numtensor as nt
        >>> nt.func.jvp(lambda x: x**3, (nt.tensor(2.0),), (nt.tensor(1.0),))
        (tensor(8.), tensor(12.))
    """
    for name, value in (("primals", primals), ("tangents", tangents)):
        if not isinstance(value, tuple):
            raise RuntimeError(f"jvp: expected {name} to be a tuple, got {type(value).__name__}")
    flat = tensors_of("jvp", primals, "a primal")
    directions = tensors_like("jvp", tangents, "primals and tangents", primals)
    with making_normal(), forward_ad.inner_level():
        duals = [forward_ad.make_dual(p, t) for p, t in zip(flat, directions, strict=True)]
        output, aux = split_aux("jvp", func(*rebuild(primals, duals)), has_aux)
        outputs = tensors_of("jvp", output, "the output")
        tangents = [forward_ad.unpack_dual(one).tangent for one in outputs]
    for position, tangent in enumerate(tangents):
        if strict and tangent is None:
            raise RuntimeError(f"jvp: output {position} does not depend on the primals, which strict=True forbids")
    derivative = rebuild(output, filled(tangents, outputs))
    return (output, derivative, aux) if has_aux else (output, derivative)


def jacfwd(
    func: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
) -> Callable[..., Any]:
    """Return a function that computes the Jacobian of `func` by forward mode: one pass per input element.

    Args:
        func: a function of tensors (or tuples, lists and dicts of them) that returns such.
        argnums: the position of the argument, or a tuple of positions, with respect to which.
        has_aux: whether `func` returns ``(output, aux)``; then so does the result: ``(jacobian, aux)``.
        randomness: accepted as PyTorch's; passes run one after the other.

    Returns:
        A function whose result is that of `jacrev`.

    Reference: ``torch.func.jacfwd``.

    Example:
        >>> import numtensor as nt
        >>> nt.func.jacfwd(lambda x: x * x)(nt.tensor([1.0, 2.0]))
        tensor([[2., 0.],
                [0., 4.]])
    """

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        selected = chosen("jacfwd", args, argnums)
        leaves = tensors_of("jacfwd", selected, "an argument")
        aux = None

        def of_selected(*values):
            return func(*with_chosen(args, argnums, rebuild(selected, values)), **kwargs)

        columns, output = [], None
        for position, leaf in enumerate(leaves):
            for element in range(leaf._array.size):
                direction = [zeros_for(one) for one in leaves]
                direction[position] = unit(leaf, element)
                output, column, *rest = jvp(of_selected, tuple(leaves), tuple(direction), has_aux=has_aux)
                aux = rest[0] if rest else aux
                columns.append(flatten(column))
        if output is None:
            output, aux = split_aux("jacfwd", func(*args, **kwargs), has_aux)
        jacobians = []
        for number, one in enumerate(flatten(output)):
            parts, start = [], 0
            for leaf in leaves:
                stop = start + leaf._array.size
                own = [column[number] for column in columns[start:stop]]
                parts.append(stacked(own, -1, one.shape + leaf.shape, one._array.dtype))
                start = stop
            jacobians.append(rebuild(selected, parts))
        jacobians = iter(jacobians)
        jacobian = map_leaves(lambda leaf: next(jacobians), output)
        return (jacobian, aux) if has_aux else jacobian

    return wrapper


def hessian(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Return a function that computes the Hessian of `func`: `jacfwd` of `jacrev`.

    Reference: ``torch.func.hessian``.

    Example:
        >>> import numtensor as nt
        >>> nt.func.hessian(lambda x: (x**3).sum())(nt.tensor([1.0, 2.0]))
        tensor([[ 6.,  0.],
                [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)
