"""Modules made of other modules, and lists and dicts of modules or parameters."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, overload

from ..modes import INFERENCE, current
from ..tensor import Tensor
from . import plan
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterable, Iterator, KeysView, ValuesView
    from typing import Any

    from typing_extensions import Self


class _Numbered(Module):
    """What `Sequential` and `ModuleList` share: children named ``0``, ``1``, ... and the ways of a list."""

    def _name_at(self, index):
        names = self.__dict__["_module_names"]
        size = len(names)
        index = operator.index(index)
        if not -size <= index < size:
            raise IndexError(f"index {index} is out of range")
        return list(names)[index]

    def _renumber(self, modules):
        namespace, names = self.__dict__, self.__dict__["_module_names"]
        for name in names:
            del namespace[name]
        names.clear()
        for number, module in enumerate(modules):
            names[str(number)] = True
            namespace[str(number)] = module

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self._sliced(index)
        return self.__dict__[self._name_at(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index: int | slice) -> None:
        modules = list(self)
        del modules[index if isinstance(index, slice) else list(self._modules).index(self._name_at(index))]
        self._renumber(modules)

    def __len__(self) -> int:
        return len(self.__dict__["_module_names"])

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def append(self, module: Module) -> Self:
        """Add a module at the end; return this one."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end; return this one."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Insert a module before the one at `index`; return this one."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        size = len(self)
        if not -size <= index <= size:
            raise IndexError(f"Index out of range: {index}")
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def pop(self, index: int) -> Module:
        """Remove the module at `index` and return it."""
        module = self[index]
        del self[index]
        return module

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)

    def __dir__(self):
        return [name for name in super().__dir__() if not name.isdigit()]


class Sequential(_Numbered):
    """Modules called one after the other, each on the result of the one before.

    Args:
        args: modules, which are named 0, 1, ...; or one ``OrderedDict`` (or dict) with names.

    Reference: ``torch.nn.Sequential``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.Sequential(nt.nn.Linear(2, 3), nt.nn.ReLU())
        Sequential(
          (0): Linear(in_features=2, out_features=3, bias=True)
          (1): ReLU()
        )
    """

    def __init__(self, *args: Module | dict[str, Module]) -> None:
        super().__init__()
        named = args[0].items() if len(args) == 1 and isinstance(args[0], dict) else enumerate(args)
        for name, module in named:
            self.add_module(str(name), module)

    def forward(self, input: Any) -> Tensor:
        """Return the last module's result."""
        namespace = self.__dict__
        if current.mode is INFERENCE:
            return plan.run(namespace, input)
        for name in namespace["_module_names"]:
            input = namespace[name](input)
        return input

    def _sliced(self, index):
        return type(self)(OrderedDict(list(self._modules.items())[index]))

    def __add__(self, other: Iterable[Module]) -> Sequential:
        if not isinstance(other, Sequential):
            return NotImplemented
        return Sequential(*self, *other)


class ModuleList(_Numbered):
    """A list of modules, which the module that holds it counts as its own.

    Args:
        modules: an iterable of modules.

    Reference: ``torch.nn.ModuleList``.

    Example:
        >>> import numtensor as nt
        >>> layers = nt.nn.ModuleList([nt.nn.Linear(2, 2) for _ in range(3)])
        >>> len(layers), len(list(layers.parameters()))
        (3, 6)
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def _sliced(self, index):
        return type(self)(list(self)[index])

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return type(self)([*self, *other])

    def __repr__(self) -> str:
        """Show equal neighbours once: ``(0-2): 3 x Linear(...)``."""
        blocks = []
        for number, module in enumerate(self):
            text = repr(module)
            if blocks and blocks[-1][2] == text:
                blocks[-1][1] = number
            else:
                blocks.append([number, number, text])
        if not blocks:
            return f"{self._get_name()}()"
        lines = []
        for first, last, text in blocks:
            label = f"({first})" if first == last else f"({first}-{last})"
            count = "" if first == last else f"{last - first + 1} x "
            lines.append(f"{label}: {count}" + text.replace("\n", "\n  "))
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


class _Named:
    """What `ModuleDict` and `ParameterDict` share: the ways of a dict, over ``self._members``."""

    def __getitem__(self, key: str) -> Any:
        return self._members[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._add(str(key), value)

    def __delitem__(self, key: str) -> None:
        del self._members[key]

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __contains__(self, key: object) -> bool:
        return key in self._members

    def clear(self) -> None:
        """Remove everything."""
        self._members.clear()

    def pop(self, key: str) -> Any:
        """Remove what is at `key` and return it."""
        return self._members.pop(key)

    def keys(self) -> KeysView[str]:
        """Return the keys."""
        return self._members.keys()

    def values(self) -> ValuesView[Any]:
        """Return what is there."""
        return self._members.values()

    def items(self) -> ItemsView[str, Any]:
        """Return pairs of key and what is there."""
        return self._members.items()

    def update(self, items: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add what a mapping, or an iterable of pairs, has."""
        for key, value in items.items() if isinstance(items, (Mapping, _Named)) else items:
            self[key] = value


class ModuleDict(_Named, Module):
    """A dict of modules, which the module that holds it counts as its own.

    Args:
        modules: a mapping, or an iterable of pairs.

    Reference: ``torch.nn.ModuleDict``.

    Example:
        >>> import numtensor as nt
        >>> choices = nt.nn.ModuleDict({"relu": nt.nn.ReLU(), "tanh": nt.nn.Tanh()})
        >>> choices["tanh"]
        Tanh()
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    @property
    def _members(self):
        return self._modules

    def _add(self, key, value):
        self.add_module(key, value)


class ParameterDict(_Named, Module):
    """A dict of parameters; plain tensors are made parameters.

    Args:
        parameters: a mapping, or an iterable of pairs.

    Reference: ``torch.nn.ParameterDict``.

    Example:
        >>> import numtensor as nt
        >>> weights = nt.nn.ParameterDict({"left": nt.tensor([1.0])})
        >>> weights["left"].requires_grad
        True
    """

    def __init__(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        if parameters is not None:
            self.update(parameters)

    @property
    def _members(self):
        return self._parameters

    def _add(self, key, value):
        self.register_parameter(key, _as_parameter(value))

    def extra_repr(self) -> str:
        return "\n".join(f"  ({key}): {_described(value)}" for key, value in self.items())


class ParameterList(Module):
    """A list of parameters; plain tensors are made parameters.

    Args:
        values: an iterable of parameters or tensors.

    Reference: ``torch.nn.ParameterList``.

    Example:
        >>> import numtensor as nt
        >>> len(nt.nn.ParameterList([nt.tensor([1.0]), nt.tensor([2.0])]))
        2
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        if values is not None:
            self.extend(values)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return list(self)[index]

    def __setitem__(self, index: int, value: Any) -> None:
        self.register_parameter(list(self._parameters)[index], _as_parameter(value))

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parameters.values())

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def append(self, value: Any) -> Self:
        """Add a parameter at the end; return this module."""
        self.register_parameter(str(len(self)), _as_parameter(value))
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add parameters at the end; return this module."""
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        return "\n".join(f"  ({key}): {_described(value)}" for key, value in self._parameters.items())


def _as_parameter(value):
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _described(value):
    return f"Parameter containing: [{value.dtype} of size {'x'.join(map(str, value.shape))}]"
