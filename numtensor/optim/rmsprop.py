"""RMSprop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..kernels.forward import optimizer as kernels
from .optimizer import Optimizer, check_not_negative, constants, count_step, new_step_count

if TYPE_CHECKING:
    from .optimizer import Params

_KERNELS = {
    (False, False): kernels.rmsprop,
    (False, True): kernels.rmsprop_momentum,
    (True, False): kernels.rmsprop_centered,
    (True, True): kernels.rmsprop_centered_momentum,
}


class RMSprop(Optimizer):
    """param - lr * grad / (sqrt(mean(grad**2)) + eps), with a running mean.

    Args:
        params: an iterable of tensors, of pairs of name and tensor, or of parameter groups.
        lr: learning rate.
        alpha: what the running mean keeps at a step.
        eps: added to the denominator.
        weight_decay: added to the gradient, times the parameter.
        momentum: what is kept of the last step's direction.
        centered: divide by the deviation of the gradient from its mean.
        maximize: go up instead of down.
        foreach: accepted for PyTorch's programs; every step is fused here.

    Raises:
        ValueError: an option is out of its range.

    Reference: ``torch.optim.RMSprop``.

    Example:
        >>> import numtensor as nt
        >>> w = nt.tensor([1.0], requires_grad=True)
        >>> optimizer = nt.optim.RMSprop([w], lr=0.01)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w
        tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
    ) -> None:
        check_not_negative("RMSprop", lr=lr, eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "alpha": alpha,
                "eps": eps,
                "centered": centered,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def _step_group(self, group, parameters):
        centered, momentum = group["centered"], group["momentum"]
        kernel = _KERNELS[bool(centered), momentum > 0]
        values = [1 - group["alpha"], float(group["lr"]), group["eps"], group["weight_decay"]]
        names = ["square_avg"]
        if centered:
            names.append("grad_avg")
        if momentum > 0:
            names.append("momentum_buffer")
            values.append(momentum)
        for parameter in parameters:
            state = self.state[parameter]
            if "step" not in state:
                state["step"] = new_step_count()
            for name in names:
                if state.get(name) is None:
                    state[name] = self._zeros(parameter)
            count_step(state)
            states = [state[name]._array for name in names]
            self._run(kernel, group, parameter, states, constants(parameter._array.dtype, *values))
