"""Random factories, samplers and in-place fills, on the streams of ``numtensor/random.py``."""

import numpy as np

from .. import random
from ..dtypes import as_dtype
from ..tensor import Tensor, wrap
from .creation import extents, numpy_dtype
from .factory_kind import factory
from .operands import unwrap


def _stream(generator):
    return random.default_generator if generator is None else generator


@factory()
def rand(*size, generator=None, dtype=None, requires_grad=False, device=None):
    """Draw numbers uniformly from [0, 1).

    Args:
        size: the extents, as several ints or one sequence.
        generator: the `Generator` to draw from; None for the default one.
        dtype: float32, float64, or None for the default dtype.
        requires_grad: whether gradients are computed for the result.
        device: None or ``"cpu"``.

    Returns:
        A tensor of that shape, with PyTorch's numbers for PyTorch's seed.

    Raises:
        RuntimeError: an extent is negative.
        NotImplementedError: the dtype is not floating.

    Reference: ``torch.rand``.

    Example:
        >>> import numtensor as nt
        >>> _ = nt.manual_seed(0)
        >>> nt.rand(2)
        tensor([0.4963, 0.7682])
    """


@rand.forward
def _(size, generator, dtype):
    return _stream(generator).rand(extents("rand", size), numpy_dtype("rand", dtype))


@factory()
def randn(*size, generator=None, dtype=None, requires_grad=False, device=None):
    """Draw numbers from the normal distribution of mean 0 and standard deviation 1.

    Args:
        size: the extents, as several ints or one sequence.
        generator: the `Generator` to draw from; None for the default one.
        dtype: float32, float64, or None for the default dtype.
        requires_grad: whether gradients are computed for the result.
        device: None or ``"cpu"``.

    Returns:
        A tensor of that shape, with PyTorch's numbers for PyTorch's seed.

    Raises:
        RuntimeError: an extent is negative.
        NotImplementedError: the dtype is not floating.

    Reference: ``torch.randn``.

    Example:
        >>> import numtensor as nt
        >>> _ = nt.manual_seed(0)
        >>> nt.randn(2)
        tensor([ 1.5410, -0.2934])
    """


@randn.forward
def _(size, generator, dtype):
    return _stream(generator).randn(extents("randn", size), numpy_dtype("randn", dtype))
