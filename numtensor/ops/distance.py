"""Distances and similarities of vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .choice import clamp_min
from .dims import normalise_dim
from .expand import broadcast_tensors
from .general_kind import composite
from .norm import norm
from .operands import unwrap
from .reduction import sum

if TYPE_CHECKING:
    from ..tensor import Tensor


@composite(tensors=("x1", "x2"), method=False)
def cdist(x1, x2, p=2.0, compute_mode: str | None = None):
    """Compute the distances of all pairs of rows: the p-norm of x1[..., i, :] - x2[..., j, :].

    The differences themselves are summed, which takes memory for n * m * k of them, but loses no digits where two rows
    are near each other, as a product of matrices would.

    Args:
        x1: a tensor of shape (..., n, k).
        x2: a tensor of shape (..., m, k); what stands before the last two dimensions broadcasts.
        p: the order of the norm, not negative.
        compute_mode: accepted for PyTorch's sake.

    Returns:
        A tensor of shape (..., n, m).

    Raises:
        RuntimeError: a tensor has less than two dimensions, the extents k differ, or `p` is negative.

    Reference: ``torch.cdist``.

    Example:
        >>> import numtensor as nt
        >>> nt.cdist(nt.tensor([[0.0, 0.0]]), nt.tensor([[3.0, 4.0], [0.0, 1.0]]))
        tensor([[5., 1.]])
    """
    a, b = unwrap("cdist", "x1", x1).shape, unwrap("cdist", "x2", x2).shape
    if len(a) < 2 or len(b) < 2:
        raise RuntimeError(f"cdist: only supports at least 2D tensors, got shapes {a} and {b}")
    if a[-1] != b[-1]:
        raise RuntimeError(f"cdist: x1 and x2 must have the same number of columns, got shapes {a} and {b}")
    if not p >= 0:
        raise RuntimeError(f"cdist: only supports non-negative p values, got {p}")
    differences = x1.unsqueeze(-2) - x2.unsqueeze(-3)
    # No difference is no distance, for norms that know no largest element of nothing, too.
    return norm(differences, p, -1) if a[-1] else sum(differences, -1)


@composite(method="dist", tensors=("input", "other"))
def dist(input, other, p=2.0):
    """Compute the p-norm of the difference of two tensors.

    Args:
        input: a float tensor.
        other: a tensor that broadcasts with `input`.
        p: the order of the norm.

    Returns:
        A 0-d tensor.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.dist``.

    Example:
        >>> import numtensor as nt
        >>> nt.dist(nt.tensor([0.0, 0.0]), nt.tensor([3.0, 4.0]))
        tensor(5.)
    """
    unwrap("dist", "input", input), unwrap("dist", "other", other)
    return norm(input - other, p)


@composite(namespace="nn.functional", aliases=("pairwise_distance",), method=False, tensors=("x1", "x2"))
def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """Compute the distances of corresponding vectors: the p-norm of x1 - x2 + eps along the last dimension.

    Args:
        x1: a tensor.
        x2: a tensor that broadcasts with `x1`.
        p: the order of the norm.
        eps: keeps the gradient away from the norm's kink at 0.
        keepdim: keep the last dimension, with extent 1.

    Returns:
        A tensor without the last dimension.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.nn.functional.pairwise_distance``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.pairwise_distance(nt.tensor([[0.0, 0.0]]), nt.tensor([[3.0, 4.0]]))
        tensor([5.0000])
    """
    return norm(x1 - x2 + eps, p, -1, keepdim)


@composite(namespace="nn.functional", method=False, tensors=("x1", "x2"))
def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """Compute the cosine of the angle between vectors: x1 . x2 / (max(|x1|, eps) max(|x2|, eps)).

    Args:
        x1: a float tensor.
        x2: a tensor that broadcasts with `x1`.
        dim: the dimension of the vectors.
        eps: the least length, which keeps a vector of zeros from dividing by zero.

    Returns:
        A tensor of the broadcast shape without the dimension.

    Raises:
        IndexError: the dim is out of range.
        RuntimeError: the shapes do not broadcast.

    Reference: ``torch.nn.functional.cosine_similarity``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.cosine_similarity(nt.tensor([[1.0, 0.0]]), nt.tensor([[3.0, 3.0]]))
        tensor([0.7071])
    """
    x1, x2 = broadcast_tensors(x1, x2)
    dim = normalise_dim("cosine_similarity", dim, x1.dim())
    return sum(x1 * x2, dim) / (_length(x1, dim, eps) * _length(x2, dim, eps))


def _length(vectors: Tensor, dim, eps):
    return clamp_min(norm(vectors, 2.0, dim), eps)


@composite(namespace="nn.functional", method=False)
def normalize(input, p=2.0, dim: int | tuple[int, ...] = 1, eps=1e-12):
    """Divide vectors by their p-norm: input / max(norm(input, p), eps).

    Args:
        input: a float tensor.
        p: the order of the norm.
        dim: the dimension of the vectors, or several.
        eps: the least length, which keeps a vector of zeros from dividing by zero.

    Returns:
        A tensor of the same shape.

    Raises:
        IndexError: the dim is out of range.

    Reference: ``torch.nn.functional.normalize``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.normalize(nt.tensor([[3.0, 4.0]]))
        tensor([[0.6000, 0.8000]])
    """
    if isinstance(dim, int):
        normalise_dim("normalize", dim, unwrap("normalize", "input", input).ndim)
    return input / clamp_min(norm(input, p, dim, True), eps)
