"""Loading a state dict: all values are checked before one is written."""

from typing import NamedTuple

import numpy as np

from ..modes import no_grad
from ..ops.creation import from_numpy
from ..ops.inplace import bump_version, check_writable
from ..tensor import Tensor, new
from .parameter import Parameter


class IncompatibleKeys(NamedTuple):
    """What `Module.load_state_dict` did not find, and what it found no use for."""

    missing_keys: list
    unexpected_keys: list

    def __repr__(self):
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"

    __str__ = __repr__


def load_state(module, state_dict, strict, assign):
    """Do what `Module.load_state_dict` says."""
    if not hasattr(state_dict, "keys"):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    missing, errors, writes, expected = [], [], [], set()
    with no_grad():
        for key, owner, name, target in module._state_places():
            expected.add(key)
            if key not in state_dict:
                missing.append(key)
                continue
            try:
                writes.append((owner, name, target, _fitting(key, target, state_dict[key], assign)))
            except _Unfit as error:
                errors.append(str(error))
    unexpected = [key for key in state_dict if key not in expected]
    if strict:
        for what, keys in (("Unexpected", unexpected), ("Missing", missing)):
            if keys:
                quoted = ", ".join(f'"{key}"' for key in keys)
                errors.insert(0, f"{what} key(s) in state_dict: {quoted}. ")
    if errors:
        raise RuntimeError(
            "Error(s) in loading state_dict for {}:\n\t{}".format(type(module).__name__, "\n\t".join(errors))
        )
    for owner, name, target, source in writes:
        if assign:
            setattr(owner, name, source)
        else:
            # NumPy warns of NaN and of overflow in a cast where PyTorch is silent.
            with np.errstate(invalid="ignore", over="ignore"):
                np.copyto(target._array, source, casting="unsafe")
            bump_version(target, "load_state_dict")
    return IncompatibleKeys(missing, unexpected)


class _Unfit(Exception):
    """A value of a state dict that its parameter cannot take."""


def _fitting(key, target, value, assign):
    """Return what is to be written to (or, with `assign`, in place of) `target`, checked."""
    if not isinstance(value, (Tensor, np.ndarray)):
        raise _Unfit(
            f'While copying the parameter named "{key}", expected numtensor.Tensor or NumPy array from checkpoint but '
            f"received {type(value)}"
        )
    if not isinstance(value, Tensor):
        try:
            value = from_numpy(value)
        except TypeError as error:
            raise _Unfit(f'While copying the parameter named "{key}": {error}') from None
    if target._array.ndim == 0 and value._array.shape == (1,):
        value = _reshaped(value, ())
    if value._array.shape != target._array.shape:
        raise _Unfit(
            f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, the shape in current "
            f"model is {target.shape}."
        )
    try:
        if not assign:
            check_writable("load_state_dict", target)
            return value._array
        if isinstance(target, Parameter):
            if not isinstance(value, Parameter):
                return Parameter(value, target.requires_grad)
            value.requires_grad_(target.requires_grad)
        return value
    except (RuntimeError, TypeError) as error:
        raise _Unfit(
            f'While copying the parameter named "{key}", whose dimensions in the model are {target.shape} and whose '
            f"dimensions in the checkpoint are {value.shape}, an exception occurred : {error.args}."
        ) from None


def _reshaped(tensor, shape):
    made = new(Tensor)
    made._array = tensor._array.reshape(shape)
    made._meta = tensor._meta
    return made
