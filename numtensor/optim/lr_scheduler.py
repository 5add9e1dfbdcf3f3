"""Learning rates that change with time: each scheduler sets ``lr`` of the optimizer's groups at its ``step()``.

Most follow from the rate that is there, as in PyTorch, so that several of them can work on one optimizer.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from typing import TYPE_CHECKING

from .optimizer import Optimizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from .optimizer import Optimizer


class LRScheduler:
    """The base of the schedulers: a subclass gives ``get_lr()``, the rates of the groups at ``last_epoch``.

    Args:
        optimizer: whose rates are set.
        last_epoch: the epoch from which to go on; -1 starts anew.

    Attributes:
        base_lrs: the rates from which it started.
        last_epoch: how often ``step()`` was called.

    Raises:
        TypeError: `optimizer` is no optimizer.
        KeyError: going on, but the groups have no ``initial_lr``.

    Reference: ``torch.optim.lr_scheduler.LRScheduler``.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{number}] when resuming scheduler with "
                    "last_epoch >= 0; load the optimizer's state first"
                )
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._calls = 0
        self._advance()

    def get_lr(self) -> list[float]:
        """Return the rate of every group at ``last_epoch``."""
        raise NotImplementedError(type(self).__name__)

    def get_last_lr(self) -> list[float]:
        """Return the rates that were set last."""
        return self._last_lr

    def step(self) -> None:
        """Count one epoch, and set the rates; call it after the optimizer's step."""
        if self._calls == 1 and not self.optimizer.step_count:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. You should call them in the "
                "opposite order: `optimizer.step()` before `lr_scheduler.step()`. Failure to do this will result in "
                "skipping the first value of the learning rate schedule.",
                UserWarning,
                stacklevel=2,
            )
        self._advance()

    def _advance(self):
        self._calls += 1
        self.last_epoch += 1
        self._set(self.get_lr())

    def _set(self, rates):
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self._last_lr = list(rates)

    @property
    def _initial(self):
        """Whether this is the call that the constructor makes: going on, the groups have the right rate already."""
        return self._calls == 1

    def _current(self):
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer" and not callable(value)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state that `state_dict` returned."""
        self.__dict__.update(state_dict)


class LambdaLR(LRScheduler):
    """initial rate * lr_lambda(epoch).

    Args:
        optimizer: whose rates are set.
        lr_lambda: a function of the epoch, or a list of one for each group.
        last_epoch: the epoch from which to go on; -1 starts anew.

    Reference: ``torch.optim.lr_scheduler.LambdaLR``.

    Example:
        >>> import numtensor as nt
        >>> optimizer = nt.optim.SGD([nt.tensor([1.0], requires_grad=True)], lr=1.0)
        >>> scheduler = nt.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.5**epoch)
        >>> optimizer.step()
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        if len(self.lr_lambdas) != groups:
            raise ValueError(f"Expected {groups} lr_lambdas, but got {len(self.lr_lambdas)}")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [base * function(self.last_epoch) for base, function in zip(self.base_lrs, self.lr_lambdas, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer and the functions."""
        return {key: value for key, value in super().state_dict().items() if key != "lr_lambdas"}


class StepLR(LRScheduler):
    """The rate times gamma every `step_size` epochs.

    Args:
        optimizer: whose rates are set.
        step_size: the period.
        gamma: the factor.
        last_epoch: the epoch from which to go on; -1 starts anew.

    Reference: ``torch.optim.lr_scheduler.StepLR``.

    Example:
        >>> import numtensor as nt
        >>> optimizer = nt.optim.SGD([nt.tensor([1.0], requires_grad=True)], lr=1.0)
        >>> scheduler = nt.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
        >>> rates = []
        >>> for _ in range(5):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> rates
        [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self._initial or self.last_epoch % self.step_size:
            return self._current()
        return [rate * self.gamma for rate in self._current()]


class MultiStepLR(LRScheduler):
    """The rate times gamma at each of the milestones.

    Args:
        optimizer: whose rates are set.
        milestones: epochs; one that comes twice counts twice.
        gamma: the factor.
        last_epoch: the epoch from which to go on; -1 starts anew.

    Reference: ``torch.optim.lr_scheduler.MultiStepLR``.

    Example:
        >>> import numtensor as nt
        >>> optimizer = nt.optim.SGD([nt.tensor([1.0], requires_grad=True)], lr=1.0)
        >>> scheduler = nt.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[1], gamma=0.5)
        >>> optimizer.step()
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self._initial or self.last_epoch not in self.milestones:
            return self._current()
        factor = self.gamma ** self.milestones[self.last_epoch]
        return [rate * factor for rate in self._current()]


class ExponentialLR(LRScheduler):
    """The rate times gamma every epoch.

    Args:
        optimizer: whose rates are set.
        gamma: the factor.
        last_epoch: the epoch from which to go on; -1 starts anew.

    Reference: ``torch.optim.lr_scheduler.ExponentialLR``.

    Example:
        >>> import numtensor as nt
        >>> optimizer = nt.optim.SGD([nt.tensor([1.0], requires_grad=True)], lr=1.0)
        >>> scheduler = nt.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        >>> optimizer.step()
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self._initial:
            return self._current()
        return [rate * self.gamma for rate in self._current()]


class LinearLR(LRScheduler):
    """The initial rate times a factor that goes from `start_factor` to `end_factor` in `total_iters` epochs.

    Args:
        optimizer: whose rates are set.
        start_factor, end_factor: the first and the last factor.
        total_iters: when the last one is reached.
        last_epoch: the epoch from which to go on; -1 starts anew.

    Raises:
        ValueError: a factor is out of its range.

    Reference: ``torch.optim.lr_scheduler.LinearLR``.

    Example:
        >>> import numtensor as nt
        >>> optimizer = nt.optim.SGD([nt.tensor([1.0], requires_grad=True)], lr=1.0)
        >>> scheduler = nt.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=4)
        >>> optimizer.step()
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.625]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError("Starting multiplicative factor expected to be greater than 0 and less or equal to 1.")
        if not 0 <= end_factor <= 1:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return [rate * self.start_factor for rate in self._current()]
        if self._initial or self.last_epoch > self.total_iters:
            return self._current()
        way = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * way
        return [rate * (1.0 + way / before) for rate in self._current()]


class CosineAnnealingLR(LRScheduler):
    """eta_min + (initial rate - eta_min) * (1 + cos(pi * epoch / T_max)) / 2.

    Args:
        optimizer: whose rates are set.
        T_max: half the period.
        eta_min: the lowest rate.
        last_epoch: the epoch from which to go on; -1 starts anew.

    Reference: I. Loshchilov and F. Hutter, 2017; ``torch.optim.lr_scheduler.CosineAnnealingLR``.

    Example:
        >>> import numtensor as nt
        >>> optimizer = nt.optim.SGD([nt.tensor([1.0], requires_grad=True)], lr=1.0)
        >>> scheduler = nt.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
        >>> optimizer.step()
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        epoch, half = self.last_epoch, self.T_max
        if self._initial:
            return self._current()
        if (epoch - 1 - half) % (2 * half) == 0:
            # The rate is at its lowest: a quotient would divide by zero.
            share = (1 - math.cos(math.pi / half)) / 2
            return [
                rate + (base - self.eta_min) * share for base, rate in zip(self.base_lrs, self._current(), strict=True)
            ]
        quotient = (1 + math.cos(math.pi * epoch / half)) / (1 + math.cos(math.pi * (epoch - 1) / half))
        return [quotient * (rate - self.eta_min) + self.eta_min for rate in self._current()]


class ReduceLROnPlateau:
    """The rate times `factor` when a metric has not improved for more than `patience` epochs.

    Args:
        optimizer: whose rates are set.
        mode: ``min`` if less is better, else ``max``.
        factor: less than 1.
        patience: how many epochs without improvement are borne.
        threshold: how much is an improvement.
        threshold_mode: ``rel``, relative to the best metric, or ``abs``.
        cooldown: how many epochs after a reduction do not count.
        min_lr: the lowest rate, or a list of one for each group.
        eps: a reduction by less than this is left out.

    Raises:
        ValueError: an option is out of its range.
        TypeError: `optimizer` is no optimizer.

    Reference: ``torch.optim.lr_scheduler.ReduceLROnPlateau``.

    Example:
        >>> import numtensor as nt
        >>> optimizer = nt.optim.SGD([nt.tensor([1.0], requires_grad=True)], lr=1.0)
        >>> scheduler = nt.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
        >>> for loss in (3.0, 2.0, 2.0):
        ...     scheduler.step(loss)
        >>> scheduler.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise ValueError("Factor should be < 1.0.")
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode} is unknown!")
        groups = optimizer.param_groups
        self.min_lrs = list(min_lr) if isinstance(min_lr, (list, tuple)) else [min_lr] * len(groups)
        if len(self.min_lrs) != len(groups):
            raise ValueError(f"expected {len(groups)} min_lrs, got {len(self.min_lrs)}")
        self.optimizer = optimizer
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.eps = eps
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = 0
        self.cooldown_counter = 0
        self.last_epoch = 0
        self._last_lr = [group["lr"] for group in groups]

    def step(self, metrics: Any) -> None:
        """Look at the metric of one more epoch, and reduce the rates if it is time."""
        current = float(metrics)
        self.last_epoch += 1
        if self._is_better(current):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def _reduce(self):
        for group, lowest in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            reduced = max(group["lr"] * self.factor, lowest)
            if group["lr"] - reduced > self.eps:
                group["lr"] = reduced

    def _is_better(self, current):
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "rel":
            return sign * current < sign * (self.best * (1.0 - sign * self.threshold))
        return sign * current < sign * self.best - self.threshold

    def get_last_lr(self) -> list[float]:
        """Return the rates that were set last."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state that `state_dict` returned."""
        self.__dict__.update(state_dict)
