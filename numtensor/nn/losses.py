"""Losses: modules that compare an input with a target and reduce the result to a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import functional as F
from .module import Module

if TYPE_CHECKING:
    from ..tensor import Tensor


class _Loss(Module):
    """A loss with a reduction: ``mean``, ``sum`` or ``none``."""

    REDUCTIONS = ("none", "mean", "sum")

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        if reduction not in self.REDUCTIONS:
            raise ValueError(
                f"{reduction} is not a valid value for reduction; it is one of {', '.join(self.REDUCTIONS)}"
            )
        self.reduction = reduction


class _WeightedLoss(_Loss):
    """A loss with weights, a buffer."""

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)


class MSELoss(_Loss):
    """(input - target)**2.

    Args:
        reduction: ``mean``, ``sum`` or ``none``.

    Reference: ``torch.nn.MSELoss``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.MSELoss()(nt.tensor([1.0, 2.0]), nt.tensor([1.0, 4.0]))
        tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """abs(input - target).

    Args:
        reduction: ``mean``, ``sum`` or ``none``.

    Reference: ``torch.nn.L1Loss``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.L1Loss()(nt.tensor([1.0, 2.0]), nt.tensor([1.0, 4.0]))
        tensor(1.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """With d = abs(input - target): d**2 / (2 * beta) where d < beta, d - beta / 2 elsewhere.

    Args:
        reduction: ``mean``, ``sum`` or ``none``.
        beta: where the parabola ends, 0 or more.

    Reference: ``torch.nn.SmoothL1Loss``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.SmoothL1Loss()(nt.tensor([1.0, 2.0]), nt.tensor([1.0, 5.0]))
        tensor(1.2500)
    """

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """With d = abs(input - target): d**2 / 2 where d < delta, delta * (d - delta / 2) elsewhere.

    Args:
        reduction: ``mean``, ``sum`` or ``none``.
        delta: where the parabola ends, positive.

    Reference: ``torch.nn.HuberLoss``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.HuberLoss()(nt.tensor([1.0, 2.0]), nt.tensor([1.0, 5.0]))
        tensor(1.2500)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class NLLLoss(_WeightedLoss):
    """-input[target], for logarithms of probabilities.

    Args:
        weight: of each class, shape (classes,).
        ignore_index: a target that does not count.
        reduction: ``mean`` (weighted), ``sum`` or ``none``.

    Reference: ``torch.nn.NLLLoss``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.NLLLoss()(nt.tensor([[-1.0, -2.0]]), nt.tensor([1]))
        tensor(2.)
    """

    def __init__(self, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(weight, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return F.nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class CrossEntropyLoss(_WeightedLoss):
    """-log_softmax(input)[target]; the target may also be probabilities.

    Args:
        weight: of each class, shape (classes,).
        ignore_index: a target that does not count.
        reduction: ``mean`` (weighted), ``sum`` or ``none``.
        label_smoothing: the share of the target that goes to all classes alike.

    Reference: ``torch.nn.CrossEntropyLoss``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.CrossEntropyLoss()(nt.tensor([[1.0, 1.0]]), nt.tensor([0]))
        tensor(0.6931)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class BCELoss(_WeightedLoss):
    """-(target * log(input) + (1 - target) * log(1 - input)), the logarithms at least -100.

    Args:
        weight: a factor that broadcasts with the input.
        reduction: ``mean``, ``sum`` or ``none``.

    Reference: ``torch.nn.BCELoss``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.BCELoss()(nt.tensor([0.5]), nt.tensor([1.0]))
        tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """The `BCELoss` of sigmoid(input), computed without overflow.

    Args:
        weight: a factor that broadcasts with the input.
        reduction: ``mean``, ``sum`` or ``none``.
        pos_weight: a factor of the positive part.

    Reference: ``torch.nn.BCEWithLogitsLoss``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.BCEWithLogitsLoss()(nt.tensor([0.0]), nt.tensor([1.0]))
        tensor(0.6931)
    """

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean", pos_weight: Tensor | None = None) -> None:
        super().__init__(weight, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return F.binary_cross_entropy_with_logits(
            input, target, weight=self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )


class KLDivLoss(_Loss):
    """The divergence target * (log(target) - input) of distributions whose logarithms are the input.

    Args:
        reduction: ``mean`` (of all elements), ``batchmean`` (the sum over the first extent), ``sum`` or ``none``.
        log_target: the target is logarithms, too.

    Reference: ``torch.nn.KLDivLoss``.

    Example:
        >>> import numtensor as nt
        >>> loss = nt.nn.KLDivLoss(reduction="batchmean")
        >>> loss(nt.tensor([[0.5, 0.5]]).log(), nt.tensor([[1.0, 0.0]]))
        tensor(0.6931)
    """

    REDUCTIONS = (*_Loss.REDUCTIONS, "batchmean")

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)
