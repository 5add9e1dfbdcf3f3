"""Initial values of parameters: each function fills its tensor in place, outside any graph, and returns it.

For one seed the values equal PyTorch's. Everything is computed on arrays and written at the end.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import numpy as np

from .. import random
from ..modes import no_grad
from ..ops.inplace import bump_version, check_writable

if TYPE_CHECKING:
    from ..random import Generator
    from ..tensor import Tensor

_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4,
}


def _write(name, tensor, values):
    """Put `values` (an array or a number) into the tensor, unrecorded, and return it."""
    with no_grad():
        check_writable(name, tensor)
    np.copyto(tensor._array, values, casting="unsafe")
    bump_version(tensor, name)
    return tensor


def _generator(generator):
    return random.default_generator if generator is None else generator


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor by which weights before a nonlinearity are to be larger.

    Args:
        nonlinearity: ``linear``, ``sigmoid``, ``tanh``, ``relu``, ``leaky_relu`` or ``selu``.
        param: the negative slope of ``leaky_relu``, 0.01 by default.

    Raises:
        ValueError: the nonlinearity or its parameter is unknown.

    Reference: ``torch.nn.init.calculate_gain``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.init.calculate_gain("tanh")
        1.6666666666666667
    """
    if nonlinearity == "leaky_relu":
        if param is None:
            slope = 0.01
        elif isinstance(param, (int, float)) and not isinstance(param, bool):
            slope = param
        else:
            raise ValueError(f"calculate_gain: negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    try:
        return _GAINS[nonlinearity]
    except KeyError:
        raise ValueError(f"calculate_gain: Unsupported nonlinearity {nonlinearity}") from None


def fans(tensor: Tensor) -> tuple[int, int]:
    """Return how many inputs and outputs a unit of a weight of shape ``(out, in, ...)`` has.

    Raises:
        ValueError: it has fewer than 2 dimensions.
    """
    shape = tensor.shape
    if len(shape) < 2:
        raise ValueError(
            f"Fan in and fan out can not be computed for tensor with fewer than 2 dimensions, got shape {tuple(shape)}"
        )
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with numbers uniform in [a, b).

    Reference: ``torch.nn.init.uniform_``.

    Example:
        >>> import numtensor as nt
        >>> w = nt.nn.init.uniform_(nt.tensor([0.0, 0.0]), 1.0, 2.0)
        >>> 1.0 <= w.tolist()[0] < 2.0
        True
    """
    array = tensor._array
    return _write("uniform_", tensor, _generator(generator).uniform(array.shape, a, b, array.dtype))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with normal numbers.

    Reference: ``torch.nn.init.normal_``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.init.normal_(nt.tensor([1.0]), mean=3.0, std=0.0)
        tensor([3.])
    """
    array = tensor._array
    return _write("normal_", tensor, _generator(generator).normal(array.shape, mean, std, array.dtype))


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with normal numbers that lie in [a, b]: those outside are drawn again.

    Args:
        tensor: what to fill.
        mean, std: of the normal distribution before it is cut.
        a, b: the bounds.
        generator: None for the default one.

    Raises:
        ValueError: `a` is not less than `b`.

    Reference: ``torch.nn.init.trunc_normal_``, from PyTorch 2.13 on.

    Example:
        >>> import numtensor as nt
        >>> w = nt.nn.init.trunc_normal_(nt.tensor([0.0] * 100), std=5.0)
        >>> min(w.tolist()) >= -2 and max(w.tolist()) <= 2
        True
    """
    if not a < b:
        raise ValueError(f"trunc_normal_: the bounds must be ascending, got a={a} and b={b}")
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=2,
        )
    generator, array = _generator(generator), tensor._array
    kept = _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std)
    values = (_truncated_by_normal if kept > 0.3 else _truncated_by_uniform)(generator, array, mean, std, a, b)
    return _write("trunc_normal_", tensor, values)


def _normal_cdf(x):
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _truncated_by_normal(generator, like, mean, std, a, b):
    """Draw normal numbers until all lie between the bounds."""
    low, high = like.dtype.type(a), like.dtype.type(b)
    values = generator.normal(like.shape, mean, std, like.dtype)
    outside = (values < low) | (values > high)
    while outside.any():
        values = np.where(outside, generator.normal(like.shape, mean, std, like.dtype), values)
        outside = (values < low) | (values > high)
    return values


def _truncated_by_uniform(generator, like, mean, std, a, b):
    """Draw uniform numbers between the bounds, and accept each with its density: little of the curve is there."""
    one = like.dtype.type
    log_peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    values, pending = np.zeros(like.shape, like.dtype), np.ones(like.shape, bool)
    while pending.any():
        candidates = generator.uniform(like.shape, a, b, like.dtype)
        values = np.where(pending, candidates, values)
        log_density = ((candidates - one(mean)) / one(std)) ** 2 * one(-0.5) - one(log_peak)
        with np.errstate(divide="ignore"):
            pending &= np.log(generator.uniform(like.shape, 0.0, 1.0, like.dtype)) > log_density
    return values


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number.

    Reference: ``torch.nn.init.constant_``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.init.constant_(nt.tensor([0.0, 0.0]), 3)
        tensor([3., 3.])
    """
    return _write("constant_", tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1.

    Reference: ``torch.nn.init.ones_``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.init.ones_(nt.tensor([0.0, 5.0]))
        tensor([1., 1.])
    """
    return _write("ones_", tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0.

    Reference: ``torch.nn.init.zeros_``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.init.zeros_(nt.tensor([1.0, 5.0]))
        tensor([0., 0.])
    """
    return _write("zeros_", tensor, 0)


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity.

    Raises:
        ValueError: it has not 2 dimensions.

    Reference: ``torch.nn.init.eye_``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.init.eye_(nt.tensor([[5.0, 5.0], [5.0, 5.0]]))
        tensor([[1., 0.],
                [0., 1.]])
    """
    if tensor.ndim != 2:
        raise ValueError(f"eye_: Only tensors with 2 dimensions are supported, got shape {tuple(tensor.shape)}")
    return _write("eye_", tensor, np.eye(*tensor.shape))


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill uniformly in (-b, b) with b = gain * sqrt(6 / (inputs + outputs)).

    Reference: X. Glorot and Y. Bengio, 2010; ``torch.nn.init.xavier_uniform_``.

    Example:
        >>> import numtensor as nt
        >>> w = nt.nn.init.xavier_uniform_(nt.nn.Linear(3, 3).weight)
        >>> bool((abs(w.detach().numpy()) <= 1).all())
        True
    """
    inputs, outputs = fans(tensor)
    bound = math.sqrt(3.0) * (gain * math.sqrt(2.0 / (inputs + outputs)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with normal numbers of deviation gain * sqrt(2 / (inputs + outputs)).

    Reference: X. Glorot and Y. Bengio, 2010; ``torch.nn.init.xavier_normal_``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.init.xavier_normal_(nt.nn.Linear(3, 4).weight).shape
        numtensor.Size([4, 3])
    """
    inputs, outputs = fans(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / (inputs + outputs)), generator)


def _kaiming_std(tensor, a, mode, nonlinearity):
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan = fans(tensor)[0 if mode == "fan_in" else 1]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill uniformly in (-b, b) with b = gain * sqrt(3 / fan).

    Args:
        tensor: a weight of shape ``(out, in, ...)``.
        a: negative slope of the ``leaky_relu`` that follows.
        mode: ``fan_in`` keeps the variance on the way forward, ``fan_out`` on the way back.
        nonlinearity: what follows, see `calculate_gain`.
        generator: None for the default one.

    Reference: K. He et al., 2015; ``torch.nn.init.kaiming_uniform_``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.init.kaiming_uniform_(nt.nn.Linear(3, 4).weight, nonlinearity="relu").shape
        numtensor.Size([4, 3])
    """
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=2)
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill with normal numbers of deviation gain / sqrt(fan); the arguments are those of `kaiming_uniform_`.

    Reference: K. He et al., 2015; ``torch.nn.init.kaiming_normal_``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.init.kaiming_normal_(nt.nn.Linear(3, 4).weight, nonlinearity="relu").shape
        numtensor.Size([4, 3])
    """
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=2)
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fill with a (semi-)orthogonal matrix, from the QR decomposition (LAPACK) of normal numbers.

    Args:
        tensor: of 2 dimensions or more; all but the first are taken as one.
        gain: a factor.
        generator: None for the default one.

    Raises:
        ValueError: it has fewer than 2 dimensions.

    Reference: A. Saxe et al., 2013; ``torch.nn.init.orthogonal_``.

    Example:
        >>> import numtensor as nt
        >>> w = nt.nn.init.orthogonal_(nt.nn.Linear(3, 2).weight).detach().numpy()
        >>> (w @ w.T).round(3).tolist() == [[1.0, 0.0], [0.0, 1.0]]
        True
    """
    if tensor.ndim < 2:
        shape = tuple(tensor.shape)
        raise ValueError(f"orthogonal_: Only tensors with 2 or more dimensions are supported, got shape {shape}")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    flat = _generator(generator).normal((rows, columns), 0.0, 1.0, tensor._array.dtype)
    q, r = np.linalg.qr(flat.T if rows < columns else flat)
    # The signs of R's diagonal make the decomposition unique and the distribution uniform.
    q *= np.sign(np.diag(r))
    values = (q.T if rows < columns else q).reshape(tensor.shape)
    return _write("orthogonal_", tensor, values * tensor._array.dtype.type(gain))
