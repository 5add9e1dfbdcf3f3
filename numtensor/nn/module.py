"""Module: what owns parameters, buffers and other modules, and is called like a function.

Members are ordinary entries of the instance's ``__dict__``, so that reading ``self.weight`` costs what reading any
attribute costs; only their names are kept by kind beside them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import dtypes
from ..graph import RemovableHandle
from ..modes import inference_mode, no_grad
from ..ops.inplace import bump_version
from ..tensor import Tensor
from .backward_hooks import BackwardHooks
from .gradients import zero_gradients
from .members import Members
from .parameter import Parameter
from .state import load_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, Protocol, TypeVar

    from typing_extensions import ParamSpec, Self

    from .._types import DType
    from .state import IncompatibleKeys

    P = ParamSpec("P")
    R = TypeVar("R", covariant=True)

    class HasForward(Protocol[P, R]):
        """A module, by the type of its ``forward``."""

        def forward(self, *args: P.args, **kwargs: P.kwargs) -> R:
            """Compute the result."""


class Hooks:
    """The hooks of one module; a module that has none has no such object either."""

    def __init__(self):
        self.forward_pre = {}
        self.forward = {}
        self.backward_pre = {}
        self.backward = {}


class Module:
    """The base of all layers and models: override ``forward``, and call the module.

    Parameters, tensors registered as buffers, and modules that are assigned to attributes become its members.

    Attributes:
        training: whether it is in training mode, which dropout and batch normalisation ask.

    Reference: ``torch.nn.Module``.

    Example:
        >>> import numtensor as nt
        >>> class Scale(nt.nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.factor = nt.nn.Parameter(nt.tensor(2.0))
        ...
        ...     def forward(self, x):
        ...         return x * self.factor
        >>> dict(Scale().named_parameters())
        {'factor': Parameter containing:
        tensor(2., requires_grad=True)}
    """

    training: bool

    def __init__(self) -> None:
        namespace = self.__dict__
        namespace["training"] = True
        namespace["_parameter_names"] = {}
        # A buffer's name maps to whether the state dict has it.
        namespace["_buffer_names"] = {}
        namespace["_module_names"] = {}
        namespace["_hooks"] = None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result; every subclass defines it."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self: HasForward[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``forward``, and the hooks if there are any."""
        if self._hooks is None:
            # Packing the one argument of the usual call again would cost 40 ns.
            return self.forward(*args, **kwargs) if kwargs or len(args) != 1 else self.forward(args[0])
        return self._call_with_hooks(args, kwargs)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Stand for what is registered by name."""

    # -----------------------------------------------------------------------------------------------------------------
    # Members

    @property
    def _parameters(self):
        return Members(self.__dict__, self._names("_parameter_names"))

    @property
    def _buffers(self):
        return Members(self.__dict__, self._names("_buffer_names"))

    @property
    def _modules(self):
        return Members(self.__dict__, self._names("_module_names"))

    def _names(self, kind):
        try:
            return self.__dict__[kind]
        except KeyError:
            raise AttributeError(f"'{type(self).__name__}': Module.__init__() was not called") from None

    def _check_name(self, what, name, names):
        if names is None:
            raise AttributeError(f"cannot assign {what} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{what} name should be a string. Got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'{what} name can\'t contain "."')
        if name == "":
            raise KeyError(f'{what} name can\'t be empty string ""')
        if hasattr(self, name) and name not in names:
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, or None in place of one.

        Args:
            name: of the attribute, without a dot.
            param: a `Parameter` or None.

        Raises:
            AttributeError: ``Module.__init__`` was not called.
            KeyError: the name is empty, has a dot, or is that of another attribute.
            TypeError: `param` is no Parameter.
            ValueError: it is not a leaf.
        """
        names = self.__dict__.get("_parameter_names")
        self._check_name("parameter", name, names)
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{type(param).__name__}' object to parameter '{name}' "
                    "(numtensor.nn.Parameter or None required)"
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created "
                    f"explicitly. To express '{name}' as a function of another Tensor, compute the value in the "
                    "forward() method."
                )
        names[name] = True
        self.__dict__[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a buffer: a tensor that belongs to the module's state but is no parameter, such as a running mean.

        Args:
            name: of the attribute, without a dot.
            tensor: a tensor or None.
            persistent: whether the state dict has it.

        Raises:
            AttributeError: ``Module.__init__`` was not called.
            KeyError: the name is empty, has a dot, or is that of another attribute.
            TypeError: `tensor` is no tensor.
        """
        names = self.__dict__.get("_buffer_names")
        self._check_name("buffer", name, names)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{type(tensor).__name__}' object to buffer '{name}' (numtensor.Tensor or None required)"
            )
        names[name] = bool(persistent)
        self.__dict__[name] = tensor

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module, or None in place of one.

        Raises:
            AttributeError: ``Module.__init__`` was not called.
            KeyError: the name is empty, has a dot, or is that of another attribute.
            TypeError: `module` is no Module.
        """
        names = self.__dict__.get("_module_names")
        self._check_name("module", name, names)
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        names[name] = True
        self.__dict__[name] = module

    register_module = add_module

    def __setattr__(self, name, value):
        namespace = self.__dict__
        parameters = namespace.get("_parameter_names")
        if isinstance(value, Parameter):
            if parameters is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, "_buffer_names", "_module_names", keep=parameters)
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            if parameters is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, "_parameter_names", "_buffer_names", keep=namespace["_module_names"])
            self.add_module(name, value)
        elif parameters is None:
            object.__setattr__(self, name, value)
        elif name in parameters:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{type(value).__name__}' as parameter '{name}' "
                    "(numtensor.nn.Parameter or None expected)"
                )
            namespace[name] = None
        elif name in namespace["_module_names"]:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{type(value).__name__}' as child module '{name}' "
                    "(numtensor.nn.Module or None expected)"
                )
            namespace[name] = None
        elif name in namespace["_buffer_names"]:
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"cannot assign '{type(value).__name__}' as buffer '{name}' (numtensor.Tensor or None expected)"
                )
            namespace[name] = value
        else:
            object.__setattr__(self, name, value)

    def _forget(self, name, *kinds, keep):
        """Drop an attribute of another kind that a member is about to replace."""
        namespace = self.__dict__
        for kind in kinds:
            namespace[kind].pop(name, None)
        if name not in keep:
            namespace.pop(name, None)

    def __delattr__(self, name):
        for kind in ("_parameter_names", "_buffer_names", "_module_names"):
            self.__dict__.get(kind, {}).pop(name, None)
        object.__delattr__(self, name)

    def __dir__(self):
        return sorted(name for name in {*dir(type(self)), *self.__dict__} if not name[0].isdigit())

    # -----------------------------------------------------------------------------------------------------------------
    # Walking

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield ``(name, module)`` of this module and all below it.

        Args:
            memo: a set of modules to leave out.
            prefix: of the names.
            remove_duplicate: whether a module that is reachable by several names comes once.
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it, each once."""
        for _, module in self.named_modules():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield ``(name, module)`` of the modules directly below, each once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """Yield the modules directly below, each once."""
        for _, module in self.named_children():
            yield module

    def _named_members(self, kind, prefix, recurse, remove_duplicate):
        seen = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            namespace = module.__dict__
            for name in module._names(kind):
                value = namespace[name]
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield f"{path}.{name}" if path else name, value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield ``(name, parameter)``, of the modules below too if `recurse`."""
        return self._named_members("_parameter_names", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the parameters, each once, of the modules below too if `recurse`."""
        for _, value in self.named_parameters(recurse=recurse):
            yield value

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield ``(name, buffer)``, of the modules below too if `recurse`."""
        return self._named_members("_buffer_names", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers, each once, of the modules below too if `recurse`."""
        for _, value in self.named_buffers(recurse=recurse):
            yield value

    def get_submodule(self, target: str) -> Module:
        """Return the module below by its dotted name; "" is this module.

        Raises:
            AttributeError: there is none.
        """
        module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def _get_member(self, target, kind, what):
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
        if name not in module._names(kind):
            raise AttributeError(f"`{name}` is not {what}")
        return module.__dict__[name]

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter by its dotted name.

        Raises:
            AttributeError: there is none.
        """
        return self._get_member(target, "_parameter_names", "an nn.Parameter")

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer by its dotted name.

        Raises:
            AttributeError: there is none.
        """
        return self._get_member(target, "_buffer_names", "a buffer")

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call ``fn(module)`` for every module below and then for this one; return this module."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # -----------------------------------------------------------------------------------------------------------------
    # State of the whole

    def train(self, mode: bool = True) -> Self:
        """Set training mode (or evaluation mode) here and below; return this module.

        Raises:
            ValueError: `mode` is not a bool.
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Set evaluation mode here and below; return this module."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Choose for all parameters whether gradients are computed; return this module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or fill them with zeros."""
        zero_gradients("zero_grad", self.parameters(), set_to_none)

    def _apply(self, fn, recurse=True):
        """Replace the memory of parameters, their gradients, and buffers by ``fn(tensor)``; return this module.

        What is an inference tensor stays one, and nothing else becomes one, whatever the mode.
        """
        if recurse:
            for module in self.children():
                module._apply(fn)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is not None:
                    _take_memory(parameter, fn)
                    if parameter.grad is not None:
                        _take_memory(parameter.grad, fn)
        buffers = self._buffers
        for name, buffer in buffers.items():
            if buffer is not None:
                with inference_mode(buffer.is_inference()), no_grad():
                    buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert floating parameters and buffers to a dtype, in place; return this module.

        Call it as ``to(dtype)``, ``to(tensor)``, whose dtype is meant, or with ``"cpu"``, the only device, first.

        Raises:
            TypeError: the dtype is not floating.
            RuntimeError: the device is not the CPU.
        """
        dtype = kwargs.pop("dtype", None)
        devices = [kwargs.pop("device", None)]
        kwargs.pop("non_blocking", None)
        kwargs.pop("copy", None)
        if kwargs:
            raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
        for value in args:
            if isinstance(value, Tensor):
                dtype = value.dtype
            elif value is not None and not isinstance(value, bool):
                try:
                    dtype = dtypes.as_dtype(value, "to")
                except TypeError:
                    devices.append(value)
        for device in devices:
            if device is not None and str(device).partition(":")[0] != "cpu":
                raise RuntimeError(f"to: {device!r} is neither a dtype nor the device 'cpu', the only one")
        if dtype is None:
            return self
        dtype = dtypes.as_dtype(dtype, "to")
        if not dtype.is_floating_point:
            raise TypeError(f"nn.Module.to only accepts floating point dtypes, but got desired dtype={dtype}")
        return self._apply(lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)

    def float(self) -> Self:
        """Convert floating parameters and buffers to float32, in place; return this module."""
        return self.to(dtypes.float32)

    def double(self) -> Self:
        """Convert floating parameters and buffers to float64, in place; return this module."""
        return self.to(dtypes.float64)

    def type(self, dst_type: DType) -> Self:
        """Convert all parameters and buffers to a dtype, in place; return this module."""
        dtype = dtypes.as_dtype(dst_type, "type")
        return self._apply(lambda tensor: tensor.to(dtype))

    def cpu(self) -> Self:
        """Return this module: the CPU is where it is."""
        return self

    # -----------------------------------------------------------------------------------------------------------------
    # State dict

    def state_dict(
        self, *, destination: dict[str, Tensor] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Tensor]:
        """Return the parameters and persistent buffers by dotted name.

        Args:
            destination: a dict to put them into; a new one if None.
            prefix: of the names.
            keep_vars: give the parameters themselves, not tensors without history that share their memory.
        """
        if destination is None:
            destination = {}
        namespace = self.__dict__
        for name, value in self._local_state():
            destination[prefix + name] = value if keep_vars else value.detach()
        for name in namespace["_module_names"]:
            if namespace[name] is not None:
                namespace[name].state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        return destination

    def _local_state(self):
        """Yield ``(name, tensor)`` of this module's part of the state dict."""
        namespace = self.__dict__
        for name in namespace["_parameter_names"]:
            if namespace[name] is not None:
                yield name, namespace[name]
        for name, persistent in namespace["_buffer_names"].items():
            if persistent and namespace[name] is not None:
                yield name, namespace[name]

    def _state_places(self, prefix=""):
        """Yield ``(key, module, name, tensor)`` for every key of the state dict."""
        for name, value in self._local_state():
            yield prefix + name, self, name, value
        for name, module in self._modules.items():
            if module is not None:
                yield from module._state_places(f"{prefix}{name}.")

    def load_state_dict(
        self, state_dict: Mapping[str, Tensor], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy values into the parameters and buffers. Where anything does not fit, nothing is written at all.

        Args:
            state_dict: tensors (or NumPy arrays) by dotted name.
            strict: whether missing and unexpected keys are errors.
            assign: make the tensors of the dict the members, instead of copying from them.

        Returns:
            A pair of lists, ``missing_keys`` and ``unexpected_keys``.

        Raises:
            TypeError: `state_dict` is not a mapping.
            RuntimeError: keys are missing or unexpected, shapes differ, or a parameter may not be written; the
                message lists all of them.
        """
        return load_state(self, state_dict, strict, assign)

    # -----------------------------------------------------------------------------------------------------------------
    # Hooks

    def _register_hook(self, kind, hook, prepend=False):
        if self._hooks is None:
            self.__dict__["_hooks"] = Hooks()
        hooks = getattr(self._hooks, kind)
        handle = RemovableHandle(hooks)
        if prepend:
            others = dict(hooks)
            hooks.clear()
            hooks[handle.id] = hook
            hooks.update(others)
        else:
            hooks[handle.id] = hook
        return handle

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before ``forward``; what it returns replaces the arguments.

        Args:
            hook: the function; ``hook(module, args, kwargs)`` with `with_kwargs`, to return both or None.
            prepend: call it before the hooks that are there.
            with_kwargs: pass keyword arguments, too.

        Returns:
            A handle with ``remove()``.
        """
        return self._register_hook("forward_pre", (hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after ``forward``; what it returns replaces the output.

        Args:
            hook: the function; ``hook(module, args, kwargs, output)`` with `with_kwargs`.
            prepend: call it before the hooks that are there.
            with_kwargs: pass keyword arguments, too.
            always_call: call it with output None, too, when ``forward`` raises.

        Returns:
            A handle with ``remove()``.
        """
        return self._register_hook("forward", (hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when the gradients of the outputs are known; its result replaces them.

        Returns:
            A handle with ``remove()``.
        """
        return self._register_hook("backward_pre", hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients of the inputs are known.

        What it returns replaces `grad_input`, a tuple with None for inputs that need no gradient.

        Returns:
            A handle with ``remove()``.
        """
        return self._register_hook("backward", hook, prepend)

    def _call_with_hooks(self, args, kwargs):
        hooks = self._hooks
        for hook, with_kwargs in [*hooks.forward_pre.values()]:
            changed = hook(self, args, kwargs) if with_kwargs else hook(self, args)
            if changed is None:
                continue
            if with_kwargs:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        "forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got "
                        f"{type(changed).__name__}"
                    )
                args, kwargs = changed
            else:
                args = changed if isinstance(changed, tuple) else (changed,)
        backward = None
        if hooks.backward or hooks.backward_pre:
            backward = BackwardHooks(self, [*hooks.backward.values()], [*hooks.backward_pre.values()])
            args = backward.watch_inputs(args)
        called = set()
        output = None
        try:
            output = self.forward(*args, **kwargs)
            for number, (hook, with_kwargs, _) in [*hooks.forward.items()]:
                called.add(number)
                changed = hook(self, args, kwargs, output) if with_kwargs else hook(self, args, output)
                if changed is not None:
                    output = changed
        except Exception:
            for number, (hook, with_kwargs, always_call) in [*hooks.forward.items()]:
                if always_call and number not in called:
                    hook(self, args, kwargs, output) if with_kwargs else hook(self, args, output)
            raise
        return output if backward is None else backward.watch_outputs(output)

    # -----------------------------------------------------------------------------------------------------------------
    # Printing

    def extra_repr(self) -> str:
        """Return what ``repr`` shows between the parentheses, before the child modules."""
        return ""

    def _get_name(self):
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): " + repr(module).replace("\n", "\n  ") for name, module in self._modules.items()]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines + children) + "\n)"


def _take_memory(tensor, fn):
    """Give a tensor the memory of ``fn(tensor)``, and count it as a change: backward may still need the old one."""
    made = fn(tensor)
    if made is not tensor:
        tensor._array = made._array
        bump_version(tensor, "to")
