"""Stochastic gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..kernels.forward import optimizer as kernels
from .optimizer import Optimizer, check_not_negative, constants

if TYPE_CHECKING:
    from .optimizer import Params


class SGD(Optimizer):
    """param - lr * grad, with momentum, weight decay and Nesterov's variant.

    Args:
        params: an iterable of tensors, of pairs of name and tensor, or of parameter groups.
        lr: learning rate.
        momentum: what is kept of the last step's direction.
        dampening: what is left out of the gradient in the new direction.
        weight_decay: added to the gradient, times the parameter.
        nesterov: look ahead: needs momentum and no dampening.
        maximize: go up instead of down.
        foreach, fused: accepted for PyTorch's programs; every step is fused here.

    Raises:
        ValueError: an option is out of its range.

    Reference: ``torch.optim.SGD``.

    Example:
        >>> import numtensor as nt
        >>> w = nt.tensor([1.0], requires_grad=True)
        >>> optimizer = nt.optim.SGD([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w
        tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
    ) -> None:
        check_not_negative("SGD", lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("SGD: Nesterov momentum requires a momentum and zero dampening")
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
            },
        )

    def _step_group(self, group, parameters):
        rate, decay, momentum = float(group["lr"]), group["weight_decay"], group["momentum"]
        if not momentum:
            for parameter in parameters:
                self._run(kernels.sgd, group, parameter, (), constants(parameter._array.dtype, rate, decay))
            return
        kernel = kernels.sgd_nesterov if group["nesterov"] else kernels.sgd_momentum
        for parameter in parameters:
            state = self.state[parameter]
            share = 1 - group["dampening"]
            if state.get("momentum_buffer") is None:
                # The first direction is the gradient as it is.
                state["momentum_buffer"] = self._zeros(parameter)
                share = 1.0
            numbers = constants(parameter._array.dtype, rate, decay, momentum, share)
            self._run(kernel, group, parameter, (state["momentum_buffer"]._array,), numbers)
