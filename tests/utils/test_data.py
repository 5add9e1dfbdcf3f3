"""Data sets, samplers and the loader: the order equals PyTorch's, batches are what samples stack to."""

from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import numtensor as nt
from numtensor.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    default_convert,
    random_split,
)

from .. import recorded

RECORD = recorded.load("torch_nn")["loader"]
DATA = list(range(11))


def loader(**options):
    return DataLoader(DATA, collate_fn=lambda batch: batch, **options)


ORDERS = {
    "sequential": lambda: loader(batch_size=4),
    "shuffle": lambda: loader(batch_size=4, shuffle=True),
    "twice": lambda: loader(batch_size=4, shuffle=True, drop_last=True),
    "generator": lambda: loader(batch_size=3, shuffle=True, generator=nt.Generator().manual_seed(5)),
    "unbatched": lambda: loader(batch_size=None, shuffle=True),
    "replacement": lambda: loader(batch_size=10, sampler=RandomSampler(DATA, replacement=True, num_samples=40)),
    "more": lambda: loader(batch_size=10, sampler=RandomSampler(DATA, num_samples=25)),
    "subset": lambda: loader(batch_size=2, sampler=SubsetRandomSampler([3, 1, 7, 9])),
    "weighted": lambda: loader(batch_size=4, sampler=WeightedRandomSampler([1.0, 2, 3, 0, 5], 8)),
    "weighted_once": lambda: loader(
        batch_size=4, sampler=WeightedRandomSampler([1.0, 2, 3, 1, 5], 4, replacement=False)
    ),
    "split": lambda: [list(part.indices) for part in random_split(DATA, [0.5, 0.3, 0.2])],
}


@pytest.mark.parametrize("name", RECORD)
def test_the_order_equals_that_of_torch_and_leaves_the_stream_at_the_same_place(name):
    expected = RECORD[name]
    nt.manual_seed(3)
    batches = ORDERS[name]()
    assert [list(batches) for _ in expected["batches"]] == expected["batches"]
    assert nt.default_generator.rand(1)[0] == np.float32(expected["next"])


# ---------------------------------------------------------------------------------------------------------------------
# Loader


class Squares(Dataset):
    def __getitem__(self, index):
        return {"x": nt.tensor([float(index)]), "name": str(index)}

    def __len__(self):
        return 5


class Count(IterableDataset):
    def __iter__(self):
        return iter(range(5))

    def __len__(self):
        return 5


def test_batches_of_a_tensor_dataset_equal_stacked_samples():
    data = TensorDataset(nt.arange(12.0).reshape(6, 2), nt.arange(6))
    fast = list(DataLoader(data, batch_size=4))
    slow = list(DataLoader(data, batch_size=4, collate_fn=lambda batch: default_collate(batch)))
    assert [[part.tolist() for part in batch] for batch in fast] == [
        [part.tolist() for part in batch] for batch in slow
    ]
    assert [part.dtype for part in fast[0]] == [nt.float32, nt.int64] and len(DataLoader(data, batch_size=4)) == 2


def test_gradients_reach_samples_that_require_them():
    values = nt.arange(4.0).requires_grad_()
    for (batch,) in DataLoader(TensorDataset(values), batch_size=2):
        (batch * 2).sum().backward()
    assert values.grad.tolist() == [2.0] * 4


def test_batches_made_in_inference_mode_are_inference_tensors():
    data = TensorDataset(nt.arange(4.0))
    with nt.inference_mode():
        assert all(batch.is_inference() for (batch,) in DataLoader(data, batch_size=2))
    assert not any(batch.is_inference() for (batch,) in DataLoader(data, batch_size=2))


def test_dict_samples_and_last_batches():
    batches = list(DataLoader(Squares(), batch_size=2))
    assert [batch["name"] for batch in batches] == [["0", "1"], ["2", "3"], ["4"]]
    assert batches[0]["x"].tolist() == [[0.0], [1.0]]
    assert len(list(DataLoader(Squares(), batch_size=2, drop_last=True))) == 2
    assert len(DataLoader(Squares(), batch_size=2, drop_last=True)) == 2
    assert [sample["name"] for sample in DataLoader(Squares(), batch_size=None)] == list("01234")


def test_iterable_datasets():
    assert [batch.tolist() for batch in DataLoader(Count(), batch_size=2)] == [[0, 1], [2, 3], [4]]
    assert [batch.tolist() for batch in DataLoader(Count(), batch_size=2, drop_last=True)] == [[0, 1], [2, 3]]
    assert list(DataLoader(Count(), batch_size=None)) == [0, 1, 2, 3, 4]
    assert len(DataLoader(Count(), batch_size=2)) == 3
    with pytest.raises(ValueError, match="IterableDataset"):
        DataLoader(Count(), shuffle=True)


def test_a_batch_sampler_decides_alone():
    batches = DataLoader(DATA, batch_sampler=BatchSampler(SequentialSampler(DATA), 5, True))
    assert [batch.tolist() for batch in batches] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]] and len(batches) == 2


def test_getitems_is_asked_once_for_a_batch():
    class Whole(Dataset):
        def __len__(self):
            return 4

        def __getitems__(self, indices):
            asked.append(indices)
            return indices

    asked = []
    assert [batch.tolist() for batch in DataLoader(Subset(Whole(), [3, 1, 0]), batch_size=2)] == [[3, 1], [0]]
    assert asked == [[3, 1], [0]]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"num_workers": 2}, "num_workers must be 0"),
        ({"shuffle": True, "sampler": [0]}, "mutually exclusive with shuffle"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "mutually exclusive with batch_size"),
        ({"batch_size": None, "drop_last": True}, "drop_last"),
        ({"batch_size": 0}, "batch_size should be a positive integer value"),
        ({"batch_size": 2, "drop_last": 1}, "drop_last should be a boolean value"),
    ],
)
def test_options_that_exclude_each_other(options, match):
    with pytest.raises(ValueError, match=match):
        DataLoader(DATA, **options)


# ---------------------------------------------------------------------------------------------------------------------
# Data sets and samplers


def test_concatenation_and_subsets():
    data = Squares() + Squares()
    assert len(data) == 10 and data[7]["name"] == "2" and data[-1]["name"] == "4"
    with pytest.raises(ValueError, match="exceed dataset length 10"):
        data[10]
    assert [sample["name"] for sample in Subset(data, [9, 0])] == ["4", "0"]
    with pytest.raises(ValueError, match="empty iterable"):
        ConcatDataset([])
    with pytest.raises(ValueError, match="IterableDataset"):
        ConcatDataset([Count()])


def test_random_split_by_lengths_and_fractions():
    parts = random_split(DATA, [8, 3], generator=nt.Generator().manual_seed(1))
    again = random_split(DATA, [8, 3], generator=nt.Generator().manual_seed(1))
    assert [list(p) for p in parts] == [list(p) for p in again] and sorted([*parts[0], *parts[1]]) == DATA
    assert [len(p) for p in random_split(DATA, [0.25, 0.25, 0.5])] == [3, 3, 5]
    with pytest.raises(ValueError, match=r"does not equal the length of the input dataset! \(10, not 11\)"):
        random_split(DATA, [5, 5])
    with pytest.warns(UserWarning, match="index 1 is 0"):
        random_split([1], [0.9, 0.1])


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: TensorDataset(nt.zeros(2), nt.zeros(3)), ValueError, "Size mismatch between tensors"),
        (lambda: TensorDataset([1, 2]), TypeError, "expected tensors, got list"),
        (lambda: RandomSampler([]), ValueError, "positive integer value, but got num_samples=0"),
        (lambda: RandomSampler(DATA, replacement=1), TypeError, "boolean"),
        (lambda: WeightedRandomSampler([[1.0]], 1), ValueError, "1d sequence"),
        (lambda: WeightedRandomSampler([1.0], True), ValueError, "positive integer"),
        (lambda: Dataset()[0], NotImplementedError, "__getitem__"),
        (lambda: iter(Sampler()), NotImplementedError, "__iter__"),
    ],
)
def test_wrong_arguments(call, error, match):
    with pytest.raises(error, match=match):
        call()


# ---------------------------------------------------------------------------------------------------------------------
# Collating


Pair = namedtuple("Pair", "x y")


@pytest.mark.parametrize(
    ("batch", "dtype", "values"),
    [
        ([1.5, 2.5], nt.float64, [1.5, 2.5]),
        ([1, 2], nt.int64, [1, 2]),
        ([True, False], nt.bool, [True, False]),
        ([np.float32(1), np.float32(2)], nt.float32, [1.0, 2.0]),
        ([np.zeros(2, np.int32)] * 2, nt.int32, [[0, 0], [0, 0]]),
        ([nt.tensor(1.0), nt.tensor(2.0)], nt.float32, [1.0, 2.0]),
    ],
    ids=lambda v: str(v)[:30],
)
def test_leaves_become_tensors(batch, dtype, values):
    made = default_collate(batch)
    assert made.dtype is dtype and made.tolist() == values


def test_structures_are_kept():
    assert default_collate(["a", "b"]) == ["a", "b"]
    made = default_collate([Pair(1, (2.0, "a")), Pair(3, (4.0, "b"))])
    assert type(made) is Pair and made.x.tolist() == [1, 3]
    assert made.y[0].tolist() == [2.0, 4.0] and list(made.y[1]) == ["a", "b"]
    made = default_collate([OrderedDict(a=1), OrderedDict(a=2)])
    assert type(made) is OrderedDict and made["a"].tolist() == [1, 2]


def test_samples_that_do_not_stack():
    with pytest.raises(RuntimeError, match="equal size"):
        default_collate([nt.zeros(2), nt.zeros(3)])
    with pytest.raises(RuntimeError, match="equal size"):
        default_collate([[1], [1, 2]])
    with pytest.raises(TypeError, match="found object"):
        default_collate([object()])


def test_default_convert_shares_memory():
    array = np.zeros(2)
    made = default_convert({"x": [array], "pair": Pair(array, "a"), "n": 5})
    assert np.shares_memory(made["x"][0].numpy(), array) and type(made["pair"]) is Pair and made["n"] == 5
