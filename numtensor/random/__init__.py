"""Random numbers that equal PyTorch's CPU numbers for PyTorch's seeds, as NumPy arrays.

A program that calls ``manual_seed(0)`` here and one that calls ``torch.manual_seed(0)`` draw the same numbers and
stay in step afterwards: every producer consumes exactly as much of the stream as its PyTorch namesake. The stream is
MT19937 (Matsumoto and Nishimura, 1998) seeded by the low 32 bits of the seed, which NumPy's frozen ``RandomState``
also provides; what differs is how words become numbers:

- ``rand``/``uniform`` keep the *low* 24 bits of one word (float32) or the low 53 bits of a word pair (float64);
- ``randint`` is a word modulo the range, or a pair once the range reaches 2**28;
- ``randn``/``normal`` of 16 and more elements run Box-Muller on blocks of 16 uniforms, fewer use double pairs whose
  second half waits in the generator for the next call;
- ``bernoulli_scalar``, ``dropout_mask`` and ``exponential`` always spend a word pair per element.

Where the numbers need a logarithm or a sine, float32 ``randn`` of 16 and more follows the polynomials of PyTorch's AVX2
build to the last bit; elsewhere PyTorch calls the system's functions and this module NumPy's, and they agree within a
few units in the last place of a float64. One thing no seed can settle: PyTorch's source, where built with Intel's MKL,
takes ``bernoulli_(p)`` and dropout from MKL on Intel processors, so PyTorch's own masks differ between machines. The
masks here are those of its portable path, which other processors get.

Everything in this module works on ``numpy.ndarray``; the factories that return tensors are built on top of it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .generator import Generator

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]


def manual_seed(seed: int) -> Generator:
    """Restart the default stream from `seed`.

    Args:
        seed: an integer from -2**63 to 2**64 - 1, or what ``int()`` turns into one.

    Returns:
        The default generator.

    Raises:
        ValueError: if `seed` needs more than 64 bits.

    Reference:
        ``torch.manual_seed``

    Example:
        >>> manual_seed(0).rand(1).tolist()
        [0.49625658988952637]
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Restart the default stream from a seed nobody chose.

    Returns:
        The seed.

    Reference:
        ``torch.seed``

    Example:
        >>> seed() == initial_seed()
        True
    """
    return default_generator.seed()


def initial_seed() -> int:
    """Return the seed the default stream started from.

    Returns:
        The seed as an unsigned 64-bit integer.

    Reference:
        ``torch.initial_seed``

    Example:
        >>> _ = manual_seed(5)
        >>> initial_seed()
        5
    """
    return default_generator.initial_seed()


def get_rng_state() -> np.ndarray:
    """Return the state of the default stream.

    Returns:
        A uint8 array, see `Generator.get_state`.

    Reference:
        ``torch.get_rng_state``

    Example:
        >>> get_rng_state().dtype
        dtype('uint8')
    """
    return default_generator.get_state()


def set_rng_state(new_state: np.ndarray) -> None:
    """Continue the default stream from a state that `get_rng_state` returned.

    Args:
        new_state: a uint8 array of 5056 elements.

    Raises:
        TypeError: if `new_state` is not a uint8 array.
        RuntimeError: if its length or its content is not that of a state.

    Reference:
        ``torch.set_rng_state``

    Example:
        >>> set_rng_state(get_rng_state())
    """
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices: Sequence[Any] | None = None, enabled: bool = True) -> Iterator[None]:
    """Run a block and put the default stream back where it was before.

    Args:
        devices: None or empty; there are no devices besides the CPU, whose stream is always put back.
        enabled: False makes the block an ordinary one.

    Returns:
        A context manager.

    Raises:
        RuntimeError: if `devices` names a device.

    Reference:
        ``torch.random.fork_rng``

    Example:
        >>> _ = manual_seed(0)
        >>> with fork_rng():
        ...     _ = default_generator.rand(10)
        >>> default_generator.rand(1).tolist()
        [0.49625658988952637]
    """
    if devices is not None and len(tuple(devices)):
        raise RuntimeError(
            f"fork_rng(): devices: {list(devices)} are not available; leave devices out, numtensor computes on the CPU"
        )
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)


#: The generator that every function without a generator of its own draws from. Unseeded, it differs in every process.
default_generator = Generator()
default_generator.seed()

if hasattr(os, "register_at_fork"):
    # A fork in the middle of another thread's draw would give the child a locked lock and half a state: wait for it.
    os.register_at_fork(
        before=lambda: default_generator._lock.acquire(),
        after_in_parent=lambda: default_generator._lock.release(),
        after_in_child=lambda: default_generator._lock.release(),
    )
