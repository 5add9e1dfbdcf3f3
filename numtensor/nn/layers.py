"""Layers: modules with parameters or buffers, and those that only reshape or drop."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .. import dtypes
from ..tensor import wrap
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from typing_extensions import Self

    from .._types import DType, Shape
    from ..tensor import Tensor

# Bytes: of a cache line, and of weights that are read for longer than it takes to make them.
_LINE, _MANY = 64, 1 << 14


def _empty(shape, dtype):
    kind = dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype, "Parameter")
    # Zeros rather than raw memory: where nobody fills it, a value that nobody chose must not depend on the day.
    return wrap(_at_a_line(np.zeros(shape, kind.numpy)))


def _at_a_line(zeros):
    """Return zeros that begin where a cache line does, if they are many: matrices are multiplied by them 2 % sooner.

    The allocator puts what is large 16 bytes behind the start of a page.
    """
    if zeros.nbytes < _MANY or not zeros.ctypes.data % _LINE:
        return zeros
    memory = np.zeros(zeros.nbytes + _LINE, np.uint8)
    start = -memory.ctypes.data % _LINE
    # Not a part of an array, whose offset in that would be told as the tensor's.
    return np.frombuffer(memory.data[start:], zeros.dtype, zeros.size).reshape(zeros.shape)


class Identity(Module):
    """Returns its input; any arguments are accepted and ignored.

    Reference: ``torch.nn.Identity``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.Identity(54, unused=True)(nt.tensor([1.0]))
        tensor([1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """Return `input` itself."""
        return input


class Linear(Module):
    """input @ weight.T + bias, over the last dimension.

    Args:
        in_features, out_features: extents of the last dimension before and after.
        bias: whether there is a bias.
        dtype: of the parameters, the default dtype if None.

    Attributes:
        weight: shape (out_features, in_features), initially uniform within 1 / sqrt(in_features) of 0.
        bias: shape (out_features,), initially likewise; or None.

    Reference: ``torch.nn.Linear``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.Linear(20, 30)(nt.zeros(128, 20)).shape
        numtensor.Size([128, 30])
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: str | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(_empty((out_features, in_features), dtype))
        if bias:
            self.bias = Parameter(_empty((out_features,), dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew: the weight first, then the bias."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """Return a tensor of shape (..., out_features)."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Embedding(Module):
    """Rows of a table, by index.

    Args:
        num_embeddings, embedding_dim: rows and columns of the table.
        padding_idx: a row that starts as zeros and gets no gradient; None for no such row.
        dtype: of the table, the default dtype if None.

    Attributes:
        weight: shape (num_embeddings, embedding_dim), initially standard normal.

    Raises:
        AssertionError: `padding_idx` is no row.

    Reference: ``torch.nn.Embedding``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.Embedding(10, 3)(nt.tensor([[1, 2], [4, 5]])).shape
        numtensor.Size([2, 2, 3])
    """

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        device: str | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise AssertionError("Padding_idx must be within num_embeddings")
            padding_idx %= num_embeddings
        self.padding_idx = padding_idx
        self.weight = Parameter(_empty((num_embeddings, embedding_dim), dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight._array[self.padding_idx] = 0

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None) -> Self:
        """Make a layer whose table shares the memory of a tensor of 2 dimensions.

        Args:
            embeddings: the table.
            freeze: whether it is left as it is in training.
            padding_idx: a row that gets no gradient.
        """
        if embeddings.dim() != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        made = cls(0, embeddings.shape[1], None)
        made.num_embeddings = embeddings.shape[0]
        made.padding_idx = padding_idx
        made.weight = Parameter(embeddings, requires_grad=not freeze)
        return made

    def forward(self, input: Tensor) -> Tensor:
        """Return a tensor of shape (*input.shape, embedding_dim)."""
        return F.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


class Dropout(Module):
    """In training mode, zeros elements with probability p and scales the others by 1 / (1 - p).

    Args:
        p: the probability, from 0 to 1.
        inplace: change the input itself.

    Raises:
        ValueError: `p` is not from 0 to 1.

    Reference: ``torch.nn.Dropout``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.Dropout(0.5).eval()(nt.tensor([1.0, 2.0]))
        tensor([1., 2.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Return a tensor of the shape of `input`; `input` itself in evaluation mode."""
        return F.dropout(input, self.p, True, self.inplace) if self.training else input

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class LayerNorm(Module):
    """(x - mean) / sqrt(variance + eps) * weight + bias, over the last dimensions.

    Args:
        normalized_shape: an int, or the extents of the last dimensions.
        eps: added to the variance.
        elementwise_affine: whether there are a weight and a bias.
        bias: whether there is a bias.
        dtype: of the parameters, the default dtype if None.

    Reference: ``torch.nn.LayerNorm``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.LayerNorm(2)(nt.tensor([[1.0, 3.0]])).detach().numpy().round(3).tolist()
        [[-1.0, 1.0]]
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: Shape,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: str | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        for name, wanted in (("weight", elementwise_affine), ("bias", elementwise_affine and bias)):
            self.register_parameter(name, Parameter(_empty(self.normalized_shape, dtype)) if wanted else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Make the layer the plain normalisation: weight 1, bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Return a tensor of the shape of `input`."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class BatchNorm1d(Module):
    """(x - mean) / sqrt(variance + eps) * weight + bias, with mean and variance of each feature over the batch.

    In training mode they are the batch's, and running means of them are kept; in evaluation mode the running means
    are used.

    Args:
        num_features: extent of dimension 1.
        eps: added to the variance.
        momentum: the share of a new batch in the running means; None for the mean over all batches.
        affine: whether there are a weight and a bias.
        bias: whether there is a bias.
        track_running_stats: whether running means are kept; without them the batch's are used always.
        dtype: of the parameters, the default dtype if None.

    Raises:
        ValueError: the input has neither 2 nor 3 dimensions.

    Reference: ``torch.nn.BatchNorm1d``.

    Example:
        >>> import numtensor as nt
        >>> norm = nt.nn.BatchNorm1d(1)
        >>> norm(nt.tensor([[1.0], [3.0]])).detach().numpy().round(3).tolist()
        [[-1.0], [1.0]]
        >>> norm.running_mean
        tensor([0.2000])
    """

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | None = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            self.register_parameter(name, Parameter(_empty((num_features,), dtype)) if wanted else None)
        for name in ("running_mean", "running_var"):
            self.register_buffer(name, _empty((num_features,), dtype) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", wrap(np.array(0, np.int64)) if track_running_stats else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Start the running means anew: mean 0, variance 1."""
        if self.track_running_stats:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Start the running means anew, and make the layer the plain normalisation: weight 1, bias 0."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Return a tensor of the shape of `input`."""
        if input.dim() not in (2, 3):
            raise ValueError(f"BatchNorm1d: expected 2D or 3D input (got {input.dim()}D input)")
        momentum = 0.0 if self.momentum is None else self.momentum
        counts = self.training and self.track_running_stats and self.num_batches_tracked is not None
        if counts and self.momentum is None:
            momentum = 1.0 / (self.num_batches_tracked.item() + 1)
        uses_batch = self.training or (self.running_mean is None and self.running_var is None)
        tracked = not self.training or self.track_running_stats
        result = F.batch_norm(
            input,
            self.running_mean if tracked else None,
            self.running_var if tracked else None,
            self.weight,
            self.bias,
            uses_batch,
            momentum,
            self.eps,
        )
        if counts:
            # Only now: a batch that was refused does not count.
            self.num_batches_tracked.add_(1)
        return result

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class Flatten(Module):
    """Makes one dimension of several neighbouring ones.

    Args:
        start_dim, end_dim: the first and the last of them.

    Reference: ``torch.nn.Flatten``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.Flatten()(nt.zeros(2, 3, 4)).shape
        numtensor.Size([2, 12])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        """Return a view (a copy where there is none)."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Makes several dimensions of one.

    Args:
        dim: which one.
        unflattened_size: the extents of the new ones; one may be -1.

    Reference: ``torch.nn.Unflatten``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.Unflatten(1, (3, 4))(nt.zeros(2, 12)).shape
        numtensor.Size([2, 3, 4])
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim = dim
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, input: Tensor) -> Tensor:
        """Return a view."""
        shape = tuple(input.shape)
        dim = self.dim + len(shape) if self.dim < 0 else self.dim
        if not 0 <= dim < len(shape):
            raise IndexError(f"Unflatten: Dimension out of range (input has shape {shape}, got dim {self.dim})")
        return input.reshape((*shape[:dim], *self.unflattened_size, *shape[dim + 1 :]))

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
