"""Dropout: elements zeroed at random, with PyTorch's random numbers."""

import numpy as np

from .. import random
from ..lean import wrap_normal
from .general_kind import composite
from .operands import unwrap


def _scaled_mask(input, p):
    """Return what dropout multiplies by: 1 / (1 - p) where an element is kept, else 0."""
    array = unwrap("dropout", "input", input)
    if array.dtype.kind != "f":
        raise RuntimeError(
            f"dropout: result type float32 can't be cast to {array.dtype.name}; convert the input to a floating dtype"
        )
    mask = random.default_generator.dropout_mask(array.shape, p)
    kept = array.dtype.type(1.0 / (1.0 - p) if p < 1.0 else 0.0)
    return wrap_normal(np.multiply(mask, kept))


@composite(method=False, aliases=("nn.functional.dropout",))
def dropout(input, p=0.5, training=True, inplace=False):
    """Zero elements at random and scale the others up: input * kept / (1 - p), kept with probability 1 - p.

    Args:
        input: a floating-point tensor.
        p: the probability with which an element is zeroed.
        training: False returns `input` itself.
        inplace: whether to change `input` and return it.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: `p` is not in [0, 1].
        RuntimeError: `input` is not floating-point, or `inplace` on a tensor that may not be changed.

    Reference: ``torch.nn.functional.dropout``; the same seed zeroes the same elements.

    Example:
        >>> import numtensor as nt
        >>> nt.dropout(nt.tensor([1.0, 2.0]), 0.5, training=False)
        tensor([1., 2.])
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout: dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0.0:
        return input
    mask = _scaled_mask(input, p)
    return input.mul_(mask) if inplace else input * mask
