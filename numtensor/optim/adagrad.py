"""Adagrad."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..kernels.forward import optimizer as kernels
from ..tensor import from_array
from .optimizer import Optimizer, check_not_negative, constants, count_step, fresh_numbers, new_step_count

if TYPE_CHECKING:
    from .optimizer import Params


class Adagrad(Optimizer):
    """param - lr * grad / (sqrt(sum of all grad**2) + eps).

    Args:
        params: an iterable of tensors, of pairs of name and tensor, or of parameter groups.
        lr: learning rate.
        lr_decay: the rate at step n is lr / (1 + (n - 1) * lr_decay).
        weight_decay: added to the gradient, times the parameter.
        initial_accumulator_value: what the sum starts from.
        eps: added to the denominator.
        maximize: go up instead of down.
        foreach, fused: accepted for PyTorch's programs; every step is fused here.

    Raises:
        ValueError: an option is out of its range.

    Reference: J. Duchi et al., 2011; ``torch.optim.Adagrad``.

    Example:
        >>> import numtensor as nt
        >>> w = nt.tensor([1.0], requires_grad=True)
        >>> optimizer = nt.optim.Adagrad([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w
        tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_not_negative("Adagrad", lr=lr, lr_decay=lr_decay, weight_decay=weight_decay, eps=eps)
        check_not_negative("Adagrad", initial_accumulator_value=initial_accumulator_value)
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "eps": eps,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "maximize": maximize,
            },
        )

    def _step_group(self, group, parameters):
        rate, rate_decay = float(group["lr"]), group["lr_decay"]
        for parameter in parameters:
            state, dtype = self.state[parameter], parameter._array.dtype
            if "sum" not in state:
                start = group["initial_accumulator_value"]
                state["step"] = new_step_count()
                state["sum"] = from_array(np.full_like(parameter._array, start))
            step = count_step(state)
            rest = constants(dtype, group["eps"], group["weight_decay"])
            numbers = [*fresh_numbers(dtype, rate / (1 + (step - 1) * rate_decay)), *rest]
            self._run(kernels.adagrad, group, parameter, (state["sum"]._array,), numbers)
