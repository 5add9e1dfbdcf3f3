"""The generator that users make."""

from __future__ import annotations

import numpy as np

from .continuous import ContinuousStream
from .discrete import DiscreteStream
from .stream import INT64_MAX


class Generator(ContinuousStream, DiscreteStream):
    """A stream of random numbers equal to that of ``torch.Generator`` with the same seed.

    One generator may be shared between threads: each call draws its whole array under a lock, so calls never
    interleave within an array. The order in which threads get their turns is theirs.

    Args:
        device: ``'cpu'``, the only device there is.

    Raises:
        RuntimeError: if `device` is anything else.

    Reference:
        ``torch.Generator``

    Example:
        >>> from numtensor import Generator
        >>> g = Generator().manual_seed(0)
        >>> g.rand(2).tolist()
        [0.49625658988952637, 0.7682217955589294]
        >>> Generator().manual_seed(0).randperm(5).tolist()
        [4, 0, 1, 3, 2]
    """

    __slots__ = ()

    def random_seed(self) -> int:
        """Draw the integer that ``DataLoader`` and ``RandomSampler`` draw as a seed.

        ``DataLoader(shuffle=True)`` draws its base seed first, then the sampler draws its own, starts a new
        `Generator` from that and takes `randperm` from it.

        Returns:
            An int from 0 to 2**63 - 1.

        Reference:
            ``torch.empty((), dtype=torch.int64).random_().item()``

        Example:
            >>> from numtensor import Generator
            >>> 0 <= Generator().random_seed() < 2**63
            True
        """
        with self._lock:
            return int(self._bits64(1)[0]) & INT64_MAX

    def random_words(self, n: int) -> np.ndarray:
        """Draw words of the stream as they are.

        Args:
            n: how many.

        Returns:
            A uint32 array of shape (n,).

        Reference:
            ``torch.Tensor.random_`` of int32, which keeps 31 bits of each.

        Example:
            >>> from numtensor import Generator
            >>> Generator().manual_seed(0).random_words(1).tolist()
            [2357136044]
        """
        with self._lock:
            return self._bits32(n)
