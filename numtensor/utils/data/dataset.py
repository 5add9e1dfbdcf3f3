"""Data sets: samples by index, or one after the other."""

from __future__ import annotations

import itertools
import math
import warnings
from bisect import bisect_right
from typing import TYPE_CHECKING

from ... import random
from ...tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from ...random import Generator
    from ...tensor import Tensor


class Dataset:
    """The base of data sets with samples by index: a subclass gives ``__getitem__`` and ``__len__``.

    Where ``__getitems__`` is defined, too, the loader asks it for a list of samples by a list of indices.

    Reference: ``torch.utils.data.Dataset``.
    """

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """The base of data sets whose samples come one after the other: a subclass gives ``__iter__``.

    Reference: ``torch.utils.data.IterableDataset``.
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__}: subclasses of IterableDataset should implement __iter__.")


class TensorDataset(Dataset):
    """Tensors whose first dimension counts the samples; a sample is a tuple of one slice of each.

    Args:
        tensors: tensors of one extent of dimension 0.

    Raises:
        ValueError: the extents differ.

    Reference: ``torch.utils.data.TensorDataset``.

    Example:
        >>> import numtensor as nt
        >>> data = nt.utils.data.TensorDataset(nt.tensor([[1.0], [2.0]]), nt.tensor([0, 1]))
        >>> data[1]
        (tensor([2.]), tensor(1))
    """

    def __init__(self, *tensors: Tensor) -> None:
        for tensor in tensors:
            if not isinstance(tensor, Tensor):
                raise TypeError(f"TensorDataset: expected tensors, got {type(tensor).__name__}")
        if len({len(tensor) for tensor in tensors}) > 1:
            shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
            raise ValueError(f"TensorDataset: Size mismatch between tensors: the shapes are {shapes}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple([tensor[index] for tensor in self.tensors])

    def __len__(self) -> int:
        return len(self.tensors[0])


class ConcatDataset(Dataset):
    """Several data sets, one after the other.

    Args:
        datasets: an iterable of data sets with a length.

    Attributes:
        cumulative_sizes: the lengths, added up.

    Reference: ``torch.utils.data.ConcatDataset``.

    Example:
        >>> import numtensor as nt
        >>> data = nt.utils.data.ConcatDataset([[1, 2], [3, 4]])
        >>> data[2], data[-1], len(data)
        (3, 4, 4)
    """

    def __init__(self, datasets: Iterable[Dataset]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: datasets should not be an empty iterable")
        for dataset in self.datasets:
            if isinstance(dataset, IterableDataset):
                raise ValueError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(itertools.accumulate(len(dataset) for dataset in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: Any) -> Any:
        size = len(self)
        if not -size <= index < size:
            raise ValueError(f"ConcatDataset: index {index} should not exceed dataset length {size}")
        index %= size
        number = bisect_right(self.cumulative_sizes, index)
        return self.datasets[number][index - (self.cumulative_sizes[number - 1] if number else 0)]


class Subset(Dataset):
    """Some samples of a data set.

    Args:
        dataset: the whole.
        indices: which samples, in order.

    Reference: ``torch.utils.data.Subset``.

    Example:
        >>> import numtensor as nt
        >>> list(nt.utils.data.Subset(["a", "b", "c"], [2, 0]))
        ['c', 'a']
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[one] for one in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices):
        """Return a list of samples."""
        if type(self).__getitem__ is not Subset.__getitem__:
            return [self[index] for index in indices]
        indices = [self.indices[index] for index in indices]
        if callable(getattr(self.dataset, "__getitems__", None)):
            return self.dataset.__getitems__(indices)
        return [self.dataset[index] for index in indices]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Any, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset]:
    """Split a data set at random into parts without common samples.

    Args:
        dataset: the whole.
        lengths: of the parts; or fractions that sum to 1, where what is left over goes to the first parts.
        generator: a `Generator`; None for the default one.

    Returns:
        A list of `Subset`.

    Raises:
        ValueError: the lengths do not sum to that of the whole, or a fraction is out of range.

    Reference: ``torch.utils.data.random_split``.

    Example:
        >>> import numtensor as nt
        >>> first, second = nt.utils.data.random_split(range(10), [0.7, 0.3])
        >>> len(first), sorted([*first, *second]) == list(range(10))
        (7, True)
    """
    lengths, size = list(lengths), len(dataset)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        for number, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"random_split: Fraction at index {number} is not between 0 and 1")
        lengths = [math.floor(size * fraction) for fraction in lengths]
        for number in range(size - sum(lengths)):
            lengths[number % len(lengths)] += 1
        for number, length in enumerate(lengths):
            if length == 0:
                warnings.warn(
                    f"Length of split at index {number} is 0. This might result in an empty dataset.", stacklevel=2
                )
    if sum(lengths) != size:
        raise ValueError(
            "random_split: Sum of input lengths does not equal the length of the input dataset! "
            f"({sum(lengths)}, not {size})"
        )
    order = (random.default_generator if generator is None else generator).randperm(size).tolist()
    ends = itertools.accumulate(lengths)
    return [Subset(dataset, order[end - length : end]) for end, length in zip(ends, lengths, strict=True)]
