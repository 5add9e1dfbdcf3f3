"""``functional_call``: a module as a function of its parameters."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ..tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..nn import Module


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other tensors in place of its parameters and buffers, for this call only.

    Args:
        module: the module; not to be called by another thread meanwhile.
        parameter_and_buffer_dicts: tensors by name, as in ``named_parameters()``; or several such dicts.
        args: the argument, or a tuple of arguments.
        kwargs: keyword arguments.
        tie_weights: replace what has several names under all of them, if one is given.
        strict: raise unless exactly the module's parameters and buffers are given.

    Returns:
        What the module returns.

    Raises:
        KeyError: a name is unknown.
        RuntimeError: with `strict`, a name is unknown or missing.
        ValueError: a name is given twice, or tied names are given different tensors.

    Reference: ``torch.func.functional_call``.

    Example:
        >>> import numtensor as nt
        >>> layer = nt.nn.Linear(1, 1)
        >>> other = {"weight": nt.tensor([[2.0]]), "bias": nt.tensor([1.0])}
        >>> nt.func.functional_call(layer, other, nt.tensor([3.0]))
        tensor([7.])
    """
    given = _joined(parameter_and_buffer_dicts)
    if args is None:
        args = ()
    elif not isinstance(args, tuple):
        args = (args,)
    with _replaced(module, given, tie_weights, strict):
        return module(*args, **(kwargs or {}))


def _joined(dicts):
    if not isinstance(dicts, (list, tuple)):
        return dict(dicts)
    joined = {}
    for one in dicts:
        for name, tensor in one.items():
            if name in joined:
                raise ValueError(f"functional_call: {name!r} is given by more than one dict")
            joined[name] = tensor
    return joined


def _places(module):
    """Return {name: (module that has it, its own name)} of every parameter and buffer, ties under each name."""
    places = {}
    for prefix, owner in module.named_modules(remove_duplicate=False):
        for own in (*owner._parameters, *owner._buffers):
            if getattr(owner, own) is not None:
                places[f"{prefix}.{own}" if prefix else own] = (owner, own)
    return places


@contextlib.contextmanager
def _replaced(module, given, tie_weights, strict):
    places = _places(module)
    unknown = sorted(set(given) - set(places))
    if unknown:
        raise (RuntimeError if strict else KeyError)(
            f"functional_call: {type(module).__name__} has no parameter or buffer {', '.join(unknown)}"
        )
    for name, tensor in given.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(f"functional_call: {name!r} must be a Tensor, not {type(tensor).__name__}")
    same = {}
    for name, (owner, own) in places.items():
        same.setdefault(id(getattr(owner, own)), []).append(name)
    values = dict(given)
    for names in same.values():
        told = [name for name in names if name in given]
        if tie_weights and len(names) > 1 and told:
            if any(given[name] is not given[told[0]] for name in told):
                raise ValueError(f"functional_call: the tied {', '.join(names)} are given different tensors")
            values.update(dict.fromkeys(names, given[told[0]]))
    missing = sorted(set(places) - set(values))
    if strict and missing:
        raise RuntimeError(f"functional_call: strict=True, but there is nothing for {', '.join(missing)}")
    before = []
    try:
        for name, tensor in values.items():
            owner, own = places[name]
            before.append((owner, own, owner.__dict__[own]))
            # Past __setattr__, which takes nothing but a Parameter for a parameter.
            owner.__dict__[own] = tensor
        yield
    finally:
        for owner, own, tensor in reversed(before):
            owner.__dict__[own] = tensor
