"""What is done to all parameters at once: clipping gradients, and going to one vector and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..modes import no_grad
from ..ops.inplace import bump_version, check_writable
from ..ops.join import cat
from ..tensor import Tensor, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..tensor import Tensor


def _gradients(name, parameters):
    """Return the gradients there are, all of which may be changed in place outside any graph.

    Raises:
        RuntimeError: one is an inference tensor, outside inference mode; names the function.
    """
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    with no_grad():
        for gradient in gradients:
            check_writable(name, gradient)
    return gradients


def _norm(arrays, norm_type):
    """Return the norm of the norms, each in its array's dtype."""
    if norm_type == math.inf:
        norms = [np.abs(array).max(initial=0) for array in arrays]
        return np.max(norms)
    norms = np.array([np.linalg.norm(array.reshape(-1), norm_type) for array in arrays])
    return np.linalg.norm(norms, norm_type)


def get_total_norm(
    tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Return the norm of several tensors taken as one vector.

    Args:
        tensors: an iterable of tensors.
        norm_type: the order of the norm; ``inf`` for the largest absolute value.
        error_if_nonfinite: whether a norm that is infinite or NaN is an error.

    Returns:
        A 0-d tensor.

    Raises:
        RuntimeError: the norm is not finite, and that is an error.

    Reference: ``torch.nn.utils.get_total_norm``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.utils.get_total_norm([nt.tensor([3.0]), nt.tensor([4.0])])
        tensor(5.)
    """
    arrays = [tensor._array for tensor in tensors]
    if not arrays:
        return wrap(np.array(0.0, np.float32))
    with np.errstate(over="ignore", invalid="ignore"):
        total = _norm(arrays, float(norm_type))
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return wrap(np.asarray(total, np.result_type(*arrays)))


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients, in place, so that the norm of all of them together is at most `max_norm`.

    Args:
        parameters: a tensor, or an iterable of them.
        max_norm: the bound.
        norm_type: the order of the norm; ``inf`` for the largest absolute value.
        error_if_nonfinite: whether a norm that is infinite or NaN is an error.
        foreach: accepted for PyTorch's programs; it changes nothing.

    Returns:
        The norm before, a 0-d tensor.

    Raises:
        RuntimeError: the norm is not finite, and that is an error, or a gradient may not be changed in place; nothing
            was scaled.

    Reference: ``torch.nn.utils.clip_grad_norm_``.

    Example:
        >>> import numtensor as nt
        >>> w = nt.nn.Parameter(nt.tensor([0.0, 0.0]))
        >>> w.grad = nt.tensor([3.0, 4.0])
        >>> nt.nn.utils.clip_grad_norm_([w], 1.0)
        tensor(5.)
        >>> w.grad.numpy().round(3).tolist() == [0.6000000238418579, 0.800000011920929]
        True
    """
    gradients = _gradients("clip_grad_norm_", parameters)
    total = get_total_norm(gradients, norm_type, error_if_nonfinite)
    factor = np.minimum(max_norm / (total._array + 1e-6), 1.0)
    for gradient in gradients:
        array = gradient._array
        with np.errstate(over="ignore", invalid="ignore"):
            np.multiply(array, factor.astype(array.dtype), out=array)
        bump_version(gradient, "clip_grad_norm_")
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Clip every element of the gradients, in place, to [-clip_value, clip_value].

    Args:
        parameters: a tensor, or an iterable of them.
        clip_value: the bound.
        foreach: accepted for PyTorch's programs; it changes nothing.

    Raises:
        RuntimeError: a gradient may not be changed in place; none was clipped.

    Reference: ``torch.nn.utils.clip_grad_value_``.

    Example:
        >>> import numtensor as nt
        >>> w = nt.nn.Parameter(nt.tensor([0.0, 0.0]))
        >>> w.grad = nt.tensor([3.0, -0.5])
        >>> nt.nn.utils.clip_grad_value_([w], 1.0)
        >>> w.grad
        tensor([ 1.0000, -0.5000])
    """
    clip_value = float(clip_value)
    for gradient in _gradients("clip_grad_value_", parameters):
        np.clip(gradient._array, -clip_value, clip_value, out=gradient._array)
        bump_version(gradient, "clip_grad_value_")


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Return all parameters as one vector, differentiably.

    Args:
        parameters: an iterable of tensors.

    Reference: ``torch.nn.utils.parameters_to_vector``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.utils.parameters_to_vector([nt.tensor([[1.0, 2.0]]), nt.tensor([3.0])])
        tensor([1., 2., 3.])
    """
    return cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Let the parameters be views of consecutive parts of one vector.

    Args:
        vec: the vector.
        parameters: an iterable of tensors, whose shapes are kept.

    Raises:
        TypeError: `vec` is no tensor.
        RuntimeError: it has fewer elements than the parameters together.

    Reference: ``torch.nn.utils.vector_to_parameters``.

    Example:
        >>> import numtensor as nt
        >>> layer = nt.nn.Linear(1, 1)
        >>> nt.nn.utils.vector_to_parameters(nt.tensor([1.0, 2.0]), layer.parameters())
        >>> layer.weight
        Parameter containing:
        tensor([[1.]], requires_grad=True)
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected numtensor.Tensor, but got: {type(vec).__name__}")
    parameters = list(parameters)
    count = sum(parameter.numel() for parameter in parameters)
    if count > vec.numel():
        raise RuntimeError(f"vector_to_parameters: the vector has {vec.numel()} elements, the parameters {count}")
    start = 0
    for parameter in parameters:
        stop = start + parameter.numel()
        parameter.data = vec.data[start:stop].reshape(parameter.shape).data
        start = stop
