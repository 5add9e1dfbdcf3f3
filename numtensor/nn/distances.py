"""Distances and similarities of vectors, as modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import functional as F
from .module import Module

if TYPE_CHECKING:
    from ..tensor import Tensor


class CosineSimilarity(Module):
    """The cosine of the angle between vectors.

    Args:
        dim: the dimension of the vectors.
        eps: the least length, which keeps a vector of zeros from dividing by zero.

    Reference: ``torch.nn.CosineSimilarity``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.CosineSimilarity()(nt.tensor([[1.0, 0.0]]), nt.tensor([[3.0, 3.0]]))
        tensor([0.7071])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return the cosines."""
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The p-norm of the difference of corresponding vectors.

    Args:
        p: the order of the norm.
        eps: added to the difference, to keep the gradient away from the norm's kink at 0.
        keepdim: keep the last dimension, with extent 1.

    Reference: ``torch.nn.PairwiseDistance``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.PairwiseDistance()(nt.tensor([[0.0, 0.0]]), nt.tensor([[3.0, 4.0]]))
        tensor([5.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return the distances."""
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
