"""Activations: modules that apply one elementwise or row-wise function and own nothing."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from . import functional as F
from .module import Module

if TYPE_CHECKING:
    from ..tensor import Tensor


class _Inplace(Module):
    """An activation that can change its input itself."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU(_Inplace):
    """max(x, 0).

    Args:
        inplace: change the input itself.

    Reference: ``torch.nn.ReLU``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.ReLU()(nt.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return a tensor of the shape of `input`."""
        return F.relu(input, self.inplace)


class LeakyReLU(_Inplace):
    """x where it is positive, negative_slope * x elsewhere.

    Args:
        negative_slope: the factor.
        inplace: change the input itself.

    Reference: ``torch.nn.LeakyReLU``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.LeakyReLU(0.5)(nt.tensor([-1.0, 2.0]))
        tensor([-0.5000,  2.0000])
    """

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        """Return a tensor of the shape of `input`."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class SiLU(_Inplace):
    """x * sigmoid(x).

    Args:
        inplace: change the input itself.

    Reference: ``torch.nn.SiLU``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.SiLU()(nt.tensor([0.0]))
        tensor([0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return a tensor of the shape of `input`."""
        return F.silu(input, self.inplace)


class GELU(Module):
    """x * Phi(x), with the normal distribution function.

    Args:
        approximate: ``none``, or ``tanh`` for the approximation by tanh.

    Reference: ``torch.nn.GELU``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.GELU()(nt.tensor([0.0]))
        tensor([0.])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """Return a tensor of the shape of `input`."""
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Tanh(Module):
    """tanh(x).

    Reference: ``torch.nn.Tanh``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.Tanh()(nt.tensor([0.0]))
        tensor([0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return a tensor of the shape of `input`."""
        return input.tanh()


class Sigmoid(Module):
    """1 / (1 + exp(-x)).

    Reference: ``torch.nn.Sigmoid``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.Sigmoid()(nt.tensor([0.0]))
        tensor([0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return a tensor of the shape of `input`."""
        return input.sigmoid()


class Softplus(Module):
    """log(1 + exp(beta * x)) / beta, and x itself where beta * x > threshold.

    Args:
        beta, threshold: as in the formula.

    Reference: ``torch.nn.Softplus``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.Softplus()(nt.tensor([30.0]))
        tensor([30.])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = float(beta)
        self.threshold = float(threshold)

    def forward(self, input: Tensor) -> Tensor:
        """Return a tensor of the shape of `input`."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class _OverDim(Module):
    """A function along one dimension."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def _dim(self, input):
        """Return the dimension; without one, PyTorch's old choice, and its warning."""
        if self.dim is not None:
            return self.dim
        warnings.warn(
            f"Implicit dimension choice for {type(self).__name__} has been deprecated. Change the call to include "
            "dim=X as an argument.",
            stacklevel=4,
        )
        return 0 if input.dim() in (0, 1, 3) else 1

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_OverDim):
    """exp(x) / sum(exp(x)) along a dimension.

    Args:
        dim: which one.

    Reference: ``torch.nn.Softmax``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.Softmax(dim=0)(nt.tensor([1.0, 1.0]))
        tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return a tensor of the shape of `input`."""
        return F.softmax(input, self._dim(input))


class LogSoftmax(_OverDim):
    """x - log(sum(exp(x))) along a dimension.

    Args:
        dim: which one.

    Reference: ``torch.nn.LogSoftmax``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.LogSoftmax(dim=0)(nt.tensor([1.0, 1.0]))
        tensor([-0.6931, -0.6931])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return a tensor of the shape of `input`."""
        return F.log_softmax(input, self._dim(input))
