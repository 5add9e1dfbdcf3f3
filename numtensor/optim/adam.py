"""Adam and AdamW."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..kernels.forward import optimizer as kernels
from .optimizer import Optimizer, check_not_negative, constants, count_step, fresh_numbers, new_step_count

if TYPE_CHECKING:
    from .optimizer import Params


class Adam(Optimizer):
    """param - lr * mean(grad) / (sqrt(mean(grad**2)) + eps), with running means freed of their bias.

    Args:
        params: an iterable of tensors, of pairs of name and tensor, or of parameter groups.
        lr: learning rate.
        betas: what the running means of the gradient and of its square keep at a step.
        eps: added to the denominator.
        weight_decay: added to the gradient, times the parameter.
        amsgrad: use the largest mean of squares so far.
        maximize: go up instead of down.
        decoupled_weight_decay: shrink the parameter instead, as `AdamW` does.
        foreach, fused: accepted for PyTorch's programs; every step is fused here.

    Raises:
        ValueError: an option is out of its range.

    Reference: D. Kingma and J. Ba, 2015; ``torch.optim.Adam``.

    Example:
        >>> import numtensor as nt
        >>> w = nt.tensor([1.0], requires_grad=True)
        >>> optimizer = nt.optim.Adam([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w
        tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
    ) -> None:
        name = type(self).__name__
        check_not_negative(name, lr=lr, eps=eps, weight_decay=weight_decay)
        for index, beta in enumerate(betas):
            if not 0 <= beta < 1:
                raise ValueError(f"{name}: Invalid beta parameter at index {index}: {beta}")
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": tuple(betas),
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )

    def _step_group(self, group, parameters):
        rate, decay, amsgrad = float(group["lr"]), group["weight_decay"], group["amsgrad"]
        beta1, beta2 = group["betas"]
        if group["decoupled_weight_decay"]:
            kernel, decay = (kernels.adamw_amsgrad if amsgrad else kernels.adamw), 1 - rate * decay
        else:
            kernel = kernels.adam_amsgrad if amsgrad else kernels.adam
        # Parameters that were stepped equally often share their numbers.
        numbers = {}
        for parameter in parameters:
            state = self.state[parameter]
            if "exp_avg" not in state:
                state["step"] = new_step_count()
                state["exp_avg"] = self._zeros(parameter)
                state["exp_avg_sq"] = self._zeros(parameter)
            if amsgrad and "max_exp_avg_sq" not in state:
                state["max_exp_avg_sq"] = self._zeros(parameter)
            step, dtype = count_step(state), parameter._array.dtype
            found = numbers.get((step, dtype))
            if found is None:
                # sqrt(v / c) + eps is (sqrt(v) + eps sqrt(c)) / sqrt(c): the correction leaves the loop.
                root = (1 - beta2**step) ** 0.5
                corrected = fresh_numbers(dtype, rate / (1 - beta1**step) * root, group["eps"] * root)
                found = [*constants(dtype, 1 - beta1, 1 - beta2), *corrected, *constants(dtype, decay)]
                numbers[step, dtype] = found
            states = [state["exp_avg"]._array, state["exp_avg_sq"]._array]
            if amsgrad:
                states.append(state["max_exp_avg_sq"]._array)
            self._run(kernel, group, parameter, states, found)


class AdamW(Adam):
    """`Adam`, where weight decay shrinks the parameter, (1 - lr * weight_decay) * param, apart from the gradient.

    The arguments are those of `Adam`, with a `weight_decay` of 0.01.

    Reference: I. Loshchilov and F. Hutter, 2019; ``torch.optim.AdamW``.

    Example:
        >>> import numtensor as nt
        >>> w = nt.tensor([1.0], requires_grad=True)
        >>> optimizer = nt.optim.AdamW([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w
        tensor([0.8990], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True
        )
