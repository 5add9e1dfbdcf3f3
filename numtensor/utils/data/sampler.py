"""Samplers: iterables of indices, drawn as PyTorch draws them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from ... import random
from ...tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence, Sized
    from typing import Any

    from ...random import Generator


def _default(generator):
    return random.default_generator if generator is None else generator


def _check_count(name, value):
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} should be a positive integer value, but got {name}={value}")


def _check_bool(name, value, error=ValueError):
    if not isinstance(value, bool):
        raise error(f"{name} should be a boolean value, but got {name}={value}")


class Sampler:
    """The base of samplers: a subclass gives ``__iter__``, and ``__len__`` if it has a length.

    Reference: ``torch.utils.data.Sampler``.
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__}: subclasses of Sampler should implement __iter__.")


class SequentialSampler(Sampler):
    """The indices in order.

    Args:
        data_source: what has a length.

    Reference: ``torch.utils.data.SequentialSampler``.

    Example:
        >>> import numtensor as nt
        >>> list(nt.utils.data.SequentialSampler("abc"))
        [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """The indices in random order, or drawn with replacement.

    Args:
        data_source: what has a length.
        replacement: whether an index may come again before all others came.
        num_samples: how many are drawn; the length by default.
        generator: a `Generator`; None for one that starts from a seed drawn of the default one.

    Raises:
        TypeError: `replacement` is no bool.
        ValueError: there is nothing to draw.

    Reference: ``torch.utils.data.RandomSampler``.

    Example:
        >>> import numtensor as nt
        >>> sorted(nt.utils.data.RandomSampler("abc"))
        [0, 1, 2]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        _check_bool("replacement", replacement, TypeError)
        _check_count("num_samples", self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many are drawn."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        size, count, generator = len(self.data_source), self.num_samples, self.generator
        if generator is None:
            generator = random.Generator().manual_seed(random.default_generator.random_seed())
        if self.replacement:
            # PyTorch draws 32 at a time, which matters to who shares the generator.
            for _ in range(count // 32):
                yield from generator.randint(0, size, (32,)).tolist()
            yield from generator.randint(0, size, (count % 32,)).tolist()
        else:
            for _ in range(count // size):
                yield from generator.randperm(size).tolist()
            yield from generator.randperm(size).tolist()[: count % size]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """Given indices in random order.

    Args:
        indices: a sequence.
        generator: a `Generator`; None for the default one.

    Reference: ``torch.utils.data.SubsetRandomSampler``.

    Example:
        >>> import numtensor as nt
        >>> sorted(nt.utils.data.SubsetRandomSampler([5, 2]))
        [2, 5]
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for position in _default(self.generator).randperm(len(self.indices)).tolist():
            yield self.indices[position]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """Indices drawn with given weights.

    Args:
        weights: a sequence of numbers, which need not sum to 1.
        num_samples: how many are drawn.
        replacement: whether an index may come again.
        generator: a `Generator`; None for the default one.

    Raises:
        ValueError: an argument is of the wrong kind.

    Reference: ``torch.utils.data.WeightedRandomSampler``.

    Example:
        >>> import numtensor as nt
        >>> list(nt.utils.data.WeightedRandomSampler([0.0, 1.0, 0.0], 3))
        [1, 1, 1]
    """

    def __init__(
        self,
        weights: Sequence[float] | Any,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        _check_count("num_samples", num_samples)
        _check_bool("replacement", replacement)
        array = weights._array if isinstance(weights, Tensor) else np.asarray(weights)
        self.weights = array.astype(np.float64)
        if self.weights.ndim != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        # A generator, so that nothing is drawn before the first index is asked for.
        yield from _default(self.generator).multinomial(self.weights, self.num_samples, self.replacement).tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """Lists of the indices of another sampler.

    Args:
        sampler: an iterable of indices.
        batch_size: the length of the lists.
        drop_last: whether a last list that is shorter is left out.

    Raises:
        ValueError: an argument is of the wrong kind.

    Reference: ``torch.utils.data.BatchSampler``.

    Example:
        >>> import numtensor as nt
        >>> list(nt.utils.data.BatchSampler(range(5), batch_size=2, drop_last=False))
        [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        _check_count("batch_size", batch_size)
        _check_bool("drop_last", drop_last)
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def __len__(self) -> int:
        if self.drop_last:
            return len(self.sampler) // self.batch_size
        return -(-len(self.sampler) // self.batch_size)
