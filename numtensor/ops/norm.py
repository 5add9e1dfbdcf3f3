"""Norms of vectors, and the smooth maximum log(sum(exp))."""

from __future__ import annotations

import math

import numpy as np

from .. import dtypes
from ..kernels.backward import norm as backward
from ..kernels.forward import norm as forward
from ..modes import current
from ..tensor import from_array
from .extremes import count_ties
from .general_kind import kernel
from .operands import CONSTANTS
from .reduce_blocks import repeat
from .reduce_layout import call_spread, count, keep_dims, reduce
from .reduce_loops import Loops, quotient

LOGSUMEXP = Loops((forward.logsumexp, forward.logsumexp_columns), combine=repeat)


@kernel(saves=("input", "output"))
def logsumexp(input, dim: int | tuple[int, ...], keepdim=False):
    """Compute log(sum(exp(x))) without overflow.

    Args:
        input: a tensor; integral ones are computed in the default dtype.
        dim: an int or a sequence of ints; all dimensions if empty.
        keepdim: keep the reduced dimensions, with extent 1.

    Returns:
        A tensor; -inf for no element.

    Raises:
        IndexError: a dim is out of range.
        TypeError: `dim` is None.

    Reference: ``torch.logsumexp``.

    Example:
        >>> import numtensor as nt
        >>> nt.logsumexp(nt.tensor([1000.0, 1000.0]), dim=0)
        tensor(1000.6932)
    """


@logsumexp.forward
def _(input, dim, keepdim):
    if dim is None:
        raise TypeError("logsumexp: dim must be an int or a sequence of ints, not NoneType; give () for all")
    if input.dtype.kind != "f":
        input = input.astype(dtypes.get_default_dtype().numpy)
    return reduce("logsumexp", LOGSUMEXP, input, dim, keepdim, staged=True)


logsumexp.on_tensors(LOGSUMEXP.on_tensors)


@logsumexp.backward
def _(grad, needs, input, dim, keepdim, output):
    grad = keep_dims("logsumexp", grad, input.shape, dim, keepdim)
    output = keep_dims("logsumexp", output, input.shape, dim, keepdim)
    return call_spread(backward.logsumexp, input, grad, input, output)


@logsumexp.vjp
def _(grad, needs, input, dim, keepdim, output):
    grad = keep_dims("logsumexp", grad, input.shape, dim, keepdim)
    return grad * (input - keep_dims("logsumexp", output, input.shape, dim, keepdim)).exp()


def _order(p):
    """Return the order of a vector norm as a number."""
    if p is None or p == "fro":
        return 2.0
    if isinstance(p, str) or not isinstance(p, (int, float)):
        raise RuntimeError(f"norm: order {p!r} is not supported; p must be a number (inf and -inf too) or 'fro'")
    return float(p)


NORMS = {
    0.0: Loops((forward.norm_0, None)),
    1.0: Loops((forward.norm_1, None), combine=repeat),
    2.0: Loops((forward.norm_2, None), combine=repeat),
    math.inf: Loops((forward.norm_largest, None), combine=repeat),
    -math.inf: Loops((forward.norm_smallest, None), combine=repeat),
}
NORM_P = Loops((forward.norm_p, None), combine=repeat)


@kernel(cast="dtype", saves=("input", "output"))
def norm(input, p: float | str = "fro", dim=None, keepdim=False, dtype=None):
    """Compute the vector norm sum(abs(x)**p)**(1 / p).

    Args:
        input: a floating tensor.
        p: the order: a number, ``inf`` (the largest magnitude), ``-inf`` (the smallest), 0 (the number of elements
            that are not zero) or ``"fro"``, which is 2.
        dim: an int or a sequence of ints; all dimensions, as one vector, if None or empty.
        keepdim: keep the reduced dimensions, with extent 1.
        dtype: convert to this dtype first.

    Returns:
        A tensor. Order 2 does not overflow before the result does. The gradient is 0 where the norm is 0; the orders
        inf and -inf share it among equal magnitudes.

    Raises:
        IndexError: a dim is out of range.
        RuntimeError: the dtype is not a floating one, the order is not supported, or the order is negative or inf
            and there is no element.

    Reference: ``torch.norm``.

    Example:
        >>> import numtensor as nt
        >>> nt.norm(nt.tensor([3.0, 4.0]))
        tensor(5.)
    """


@norm.forward
def _(input, p, dim, keepdim, dtype):
    if input.dtype.kind != "f":
        raise RuntimeError(
            f"norm: Expected a floating point tensor as input, got {dtypes.FROM_NUMPY[input.dtype].name}; convert with "
            ".to(...) or give dtype="
        )
    order = _order(p)
    if (order < 0 or order == math.inf) and not input.size and not count("norm", input.shape, dim):
        raise RuntimeError(
            f"norm: cannot compute the {p} norm of no element (shape {input.shape}, dim {dim}), because the operation "
            "does not have an identity"
        )
    loops = NORMS.get(order)
    if loops is None:
        return reduce("norm", NORM_P, input, dim, keepdim, CONSTANTS[input.dtype][order])
    return reduce("norm", loops, input, dim, keepdim)


@norm.backward
def _(grad, needs, input, p, dim, keepdim, dtype, output):
    order = _order(p)
    if order == 0:
        # A count has no derivative.
        return None
    shape = input.shape
    grad = keep_dims("norm", grad, shape, dim, keepdim)
    output = keep_dims("norm", output, shape, dim, keepdim)
    if order == 2:
        return call_spread(backward.norm_2, input, grad, input, output)
    if order == 1:
        return np.asarray(backward.norm_1.loops[grad.dtype](grad, input, output))
    if math.isinf(order):
        ties = count_ties("norm", np.abs(input), dim, output)
        return np.asarray(backward.norm_extreme.loops[grad.dtype](grad, input, output, ties))
    return np.asarray(backward.norm_p.loops[grad.dtype](grad, input, output, CONSTANTS[grad.dtype][order]))


@norm.vjp
def _(grad, needs, input, p, dim, keepdim, dtype, output):
    order = _order(p)
    if order == 0:
        return None
    shape = input.shape
    grad = keep_dims("norm", grad, shape, dim, keepdim)
    output = keep_dims("norm", output, shape, dim, keepdim)
    array = input._array
    sign = from_array(np.asarray(np.sign(array)))
    if order == 2:
        return grad * quotient(input, output)
    if order == 1:
        return grad * sign
    if math.isinf(order):
        magnitudes, best = np.abs(array), output._array
        equal = (magnitudes == best) | ((array != array) & (best != best))
        return grad * from_array(np.asarray(sign._array * equal / count_ties("norm", magnitudes, dim, best)))
    zero = array == 0
    if not zero.any():
        return grad * sign * (input * sign / output) ** (order - 1)
    # Where an element is 0 its power may be infinite, and so may the power's derivatives: 1 stands in its place.
    where = current.mode.where
    mask = from_array(np.asarray(zero))
    one = from_array(np.ones((), array.dtype))
    vanished = output._array == 0
    output = where(from_array(np.asarray(vanished)), one, output)
    sign = from_array(np.asarray(sign._array * ~vanished))
    return grad * sign * (where(mask, one, input * sign) / output) ** (order - 1)
