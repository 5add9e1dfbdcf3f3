"""The loader: batches of a data set, in this process."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from ... import random
from ...tensor import wrap
from .collate import default_collate, default_convert
from .dataset import IterableDataset, TensorDataset
from .sampler import BatchSampler, RandomSampler, SequentialSampler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from ...random import Generator


class DataLoader:
    """Batches of a data set, one after the other; each iteration is a pass over the data.

    Args:
        dataset: what has ``__getitem__`` and ``__len__``, or an `IterableDataset`.
        batch_size: samples per batch; None gives the samples as they are.
        shuffle: whether the order is drawn anew at each pass.
        sampler: an iterable of indices, instead of `shuffle`.
        batch_sampler: an iterable of lists of indices, instead of `batch_size`, `shuffle`, `sampler`, `drop_last`.
        num_workers: must be 0: samples are loaded in this process.
        collate_fn: makes a batch of a list of samples; `default_collate` by default.
        pin_memory: accepted for PyTorch's programs; there is no other memory.
        drop_last: whether a last batch that is smaller is left out.
        generator: a `Generator` for the order; None for the default one.

    Raises:
        ValueError: arguments exclude each other, or `num_workers` is not 0.

    Reference: ``torch.utils.data.DataLoader``.

    Example:
        >>> import numtensor as nt
        >>> data = nt.utils.data.TensorDataset(nt.tensor([1.0, 2.0, 3.0]), nt.tensor([0, 1, 2]))
        >>> for x, y in nt.utils.data.DataLoader(data, batch_size=2):
        ...     print(x, y)
        tensor([1., 2.]) tensor([0, 1])
        tensor([3.]) tensor([2])
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        *,
        generator: Generator | None = None,
    ) -> None:
        if num_workers != 0:
            raise ValueError(
                f"DataLoader: num_workers must be 0, got {num_workers}: samples are loaded in this process, where the "
                "kernels release the GIL; prefetch in a thread of your own if loading is slow"
            )
        self.is_iterable = isinstance(dataset, IterableDataset)
        if self.is_iterable and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError(
                "DataLoader with IterableDataset: expected unspecified shuffle, sampler and batch_sampler options; the "
                "data set itself decides the order"
            )
        if sampler is not None and shuffle:
            raise ValueError("DataLoader: sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "DataLoader: batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and "
                    "drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError(
                "DataLoader: batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
            )
        if sampler is None and batch_sampler is None and not self.is_iterable:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        elif self.is_iterable:
            sampler = itertools.repeat(None)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.num_workers = 0
        self.pin_memory = pin_memory
        self.drop_last = drop_last
        self.generator = generator
        self.collate_fn = collate_fn or (default_convert if batch_sampler is None else default_collate)

    def __iter__(self) -> Iterator[Any]:
        # PyTorch draws the seed of its workers here, also where there are none; the order is drawn after it.
        (random.default_generator if self.generator is None else self.generator).random_seed()
        if self.is_iterable:
            return self._iterate_samples()
        if self.batch_sampler is None:
            return (self.collate_fn(self.dataset[index]) for index in self.sampler)
        return (self._batch(indices) for indices in self.batch_sampler)

    def _batch(self, indices):
        dataset = self.dataset
        if (
            type(dataset) is TensorDataset
            and self.collate_fn is default_collate
            and not any(tensor.requires_grad for tensor in dataset.tensors)
        ):
            # What indexing sample by sample and stacking would give, in one step for each tensor.
            return [wrap(tensor._array[indices]) for tensor in dataset.tensors]
        if callable(getattr(dataset, "__getitems__", None)):
            return self.collate_fn(dataset.__getitems__(indices))
        return self.collate_fn([dataset[index] for index in indices])

    def _iterate_samples(self):
        samples = iter(self.dataset)
        if self.batch_size is None:
            yield from map(self.collate_fn, samples)
            return
        while batch := list(itertools.islice(samples, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield self.collate_fn(batch)

    def __len__(self) -> int:
        if not self.is_iterable:
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)
        length = len(self.dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)
