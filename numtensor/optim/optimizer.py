"""What all optimizers share: parameter groups, state, and the frame of a step.

A step is one kernel call per parameter, on arrays: it reads parameter, gradient and state once, and writes parameter
and state in place.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from copy import deepcopy
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from ..modes import current, enable_grad, set_mode
from ..nn.gradients import zero_gradients
from ..ops.inplace import bump_version, check_writable
from ..tensor import Tensor, from_array
from ..threads.division import large_or_not

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeAlias

    # What an optimizer is made of: tensors, groups of options, or named tensors.
    Params: TypeAlias = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]


class Required:
    """Stands in the defaults for a value that every parameter group must have."""

    def __repr__(self):
        return "<required parameter>"


required = Required()


class Optimizer:
    """The base of the optimizers.

    A subclass gives ``_step_group(group, parameters)``, which steps the parameters of one group that have a gradient.

    Args:
        params: an iterable of tensors, or of dicts with ``params`` and options of their own (parameter groups).
        defaults: options of the groups that do not have them.

    Attributes:
        param_groups: a list of dicts; changing an option there changes the next step.
        state: from each parameter to a dict of what the optimizer remembers of it.

    Raises:
        TypeError: `params` is a tensor, or has what is no tensor.
        ValueError: it is empty, has a non-leaf, or a parameter in two groups.

    Reference: ``torch.optim.Optimizer``.
    """

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        name = type(self).__name__
        if isinstance(params, Tensor):
            raise TypeError(
                f"{name}: params argument given to the optimizer should be an iterable of Tensors or dicts, but got a "
                f"Tensor of shape {tuple(params.shape)}; put it into a list"
            )
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        # How often step() ran: a scheduler warns when it comes before the first.
        self.step_count = 0
        groups = list(params)
        if not groups:
            raise ValueError(f"{name}: optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(dict(group))

    def __repr__(self) -> str:
        lines = []
        for number, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {number}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return f"{type(self).__name__} (\n" + "\n".join(lines) + "\n)"

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a parameter group: a dict with ``params``, and options where they are not the defaults.

        Raises:
            TypeError: it is no dict, or has what is no tensor, or a set, which has no order.
            ValueError: an option is missing, a tensor is no leaf, or a parameter is there twice.
        """
        name = type(self).__name__
        if not isinstance(param_group, dict):
            raise TypeError(f"{name}: param_group must be a dict, but got {type(param_group)}")
        parameters = param_group["params"]
        if isinstance(parameters, set):
            raise TypeError(
                f"{name}: optimizer parameters need to be organized in ordered collections, but the ordering of "
                "tensors in sets will change between runs. Please use a list instead."
            )
        parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
        names = [one[0] for one in parameters if isinstance(one, tuple)]
        if names:
            if len(names) != len(parameters):
                raise ValueError(
                    f"{name}: all optimizer params should be with/without names. Some param names are missing"
                )
            parameters = [one[1] for one in parameters]
            param_group["param_names"] = names
        for parameter in parameters:
            if not isinstance(parameter, Tensor):
                raise TypeError(
                    f"{name}: optimizer can only optimize Tensors, but one of the params is {type(parameter).__name__}"
                )
            if not (parameter.is_leaf or parameter.retains_grad):
                raise ValueError(f"{name}: can't optimize a non-leaf Tensor (shape {tuple(parameter.shape)})")
        param_group["params"] = parameters
        for option, value in self.defaults.items():
            if value is required and option not in param_group:
                raise ValueError(
                    f"{name}: parameter group didn't specify a value of required optimization parameter {option}"
                )
            param_group.setdefault(option, value)
        known = {id(parameter) for group in self.param_groups for parameter in group["params"]}
        fresh = {id(parameter) for parameter in parameters}
        if not known.isdisjoint(fresh) or len(fresh) != len(parameters):
            raise ValueError(f"{name}: some parameters appear in more than one parameter group, or twice in one")
        self.param_groups.append(param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or fill them with zeros."""
        parameters = [parameter for group in self.param_groups for parameter in group["params"]]
        zero_gradients("zero_grad", parameters, set_to_none)

    # -----------------------------------------------------------------------------------------------------------------
    # The step

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient, in place, by one step.

        Args:
            closure: a function that computes the loss anew, with gradients enabled, and returns it.

        Returns:
            What `closure` returned, or None.

        Raises:
            RuntimeError: a parameter may not be changed (an inference tensor, outside inference mode); none is then.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        name = type(self).__name__
        # No graph, also where gradients are enabled; and no parameter is changed before all may be.
        before = current.mode
        set_mode(before.with_grad[False])
        try:
            steps = []
            for group in self.param_groups:
                parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
                for parameter in parameters:
                    check_writable(name, parameter)
                steps.append((group, parameters))
            for group, parameters in steps:
                if parameters:
                    self._step_group(group, parameters)
        finally:
            set_mode(before)
        self.step_count += 1
        return loss

    def _step_group(self, group, parameters):
        raise NotImplementedError(type(self).__name__)

    def _run(self, kernel, group, parameter, states, numbers):
        """Run the kernel of one parameter's step, in place.

        Args:
            kernel: the declaration; its results are the parameter and the states.
            group: of the parameter.
            parameter: a tensor with a gradient.
            states: the arrays of its state, in the kernel's order.
            numbers: 0-d arrays of its dtype, the kernel's scalars.
        """
        array = parameter._array
        grad = parameter._meta.grad._array
        if group["maximize"]:
            grad = np.negative(grad)
        step = large_or_not(kernel.loops[array.dtype], array)
        # Counted first: an interrupt comes when something is written.
        bump_version(parameter, type(self).__name__)
        try:
            step(array, grad, *states, *numbers, out=(array, *states), casting="no")
        except (TypeError, ValueError) as error:
            raise RuntimeError(
                f"{type(self).__name__}: the state of a parameter does not fit it: the parameter has shape "
                f"{array.shape} and dtype {array.dtype}, its gradient {grad.shape} and {grad.dtype}, its state "
                f"{', '.join(f'{state.shape} and {state.dtype}' for state in states)}; make the optimizer after "
                "converting the model"
            ) from error

    def _zeros(self, parameter):
        """Return a state tensor: a normal one, whatever the mode, so that training can go on outside of it."""
        return from_array(np.zeros_like(parameter._array))

    # -----------------------------------------------------------------------------------------------------------------
    # State dict

    def state_dict(self) -> dict[str, Any]:
        """Return the state as a dict of ``state`` and ``param_groups``, with numbers in place of parameters."""
        parameters = chain.from_iterable(group["params"] for group in self.param_groups)
        numbers = {id(parameter): number for number, parameter in enumerate(parameters)}
        groups = [
            {key: value for key, value in group.items() if key != "params"}
            | {"params": [numbers[id(parameter)] for parameter in group["params"]]}
            for group in self.param_groups
        ]
        state = {numbers[id(parameter)]: dict(value) for parameter, value in self.state.items() if value}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state that `state_dict` returned, as copies in each parameter's dtype.

        Raises:
            ValueError: the groups differ in number, or in their number of parameters; nothing is then changed.
        """
        name = type(self).__name__
        groups = self.param_groups
        loaded = [
            {key: value if key == "params" else deepcopy(value) for key, value in group.items()}
            for group in state_dict["param_groups"]
        ]
        if len(groups) != len(loaded):
            raise ValueError(
                f"{name}: loaded state dict has a different number of parameter groups ({len(loaded)}, not "
                f"{len(groups)})"
            )
        if any(len(old["params"]) != len(new["params"]) for old, new in zip(groups, loaded, strict=True)):
            raise ValueError(
                f"{name}: loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        by_number = {}
        for old, new in zip(groups, loaded, strict=True):
            by_number.update(zip(new["params"], old["params"], strict=True))
        state = defaultdict(dict)
        for number, values in state_dict["state"].items():
            parameter = by_number.get(number)
            if parameter is not None:
                state[parameter] = {key: _own(parameter, key, value) for key, value in values.items()}
        for old, new in zip(groups, loaded, strict=True):
            new["params"] = old["params"]
            for option, value in self.defaults.items():
                new.setdefault(option, value)
        self.state = state
        self.param_groups = loaded


def _own(parameter, key, value):
    """Return a copy of one value of the state, as the optimizer keeps it."""
    if isinstance(value, (Tensor, np.ndarray)):
        array = value._array if isinstance(value, Tensor) else value
        # The step count is no quantity of the parameter's.
        kind = np.float32 if key == "step" else parameter._array.dtype
        return from_array(array.astype(kind))
    return deepcopy(value)


@functools.lru_cache(maxsize=256)
def constants(dtype, *values):
    """Return numbers as 0-d arrays of a dtype, kept for the next step: a ufunc takes them quicker than numbers."""
    return fresh_numbers(dtype, *values)


def fresh_numbers(dtype, *values):
    """Return numbers that change with every step as 0-d arrays of a dtype."""
    return tuple([np.array(value, dtype) for value in values])


def new_step_count():
    """Return a state's ``step``: a float32 tensor, as PyTorch's."""
    return from_array(np.zeros((), np.float32))


def count_step(state):
    """Count one step; return how many there were."""
    step = state["step"]
    if not isinstance(step, Tensor):
        # What another program saved may be a plain number.
        step = state["step"] = from_array(np.array(step, np.float32))
    array = step._array
    # In a third of the time of adding to the array.
    count = array.item() + 1
    array.fill(count)
    return count


def check_not_negative(name, **options):
    """Raise unless every option is 0 or more."""
    for option, value in options.items():
        if not value >= 0:
            raise ValueError(f"{name}: Invalid {option} value: {value}")
