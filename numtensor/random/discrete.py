"""Integers, permutations, coin flips and choices from a stream."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .stream import FLOAT32, FLOAT64, INT64_MAX, INT64_MIN, Stream, as_float_dtype, as_shape, elements, steps

# Below this many elements randperm spends one word per swap; from here on the modulo of a word would be too skewed.
_RANDPERM_WORD_LIMIT = 0xFFFFFFFF // 20
_RANDINT_DTYPES = tuple(np.dtype(t) for t in ("uint8", "int8", "int16", "int32", "int64", "bool", "float32", "float64"))
_RANDPERM_DTYPES = tuple(np.dtype(t) for t in ("uint8", "int8", "int16", "int32", "int64", "float32", "float64"))
# A float counts every integer up to 2**digits, and none of the odd ones beyond.
_FLOAT_DIGITS = {FLOAT32: 24, FLOAT64: 53}


class DiscreteStream(Stream):
    """A stream with the discrete distributions."""

    __slots__ = ()

    def randint(self, low: int, high: int, shape: int | Sequence[int], dtype: Any = np.int64) -> np.ndarray:
        """Draw integers uniformly from low to high - 1.

        Args:
            low: the smallest integer to draw.
            high: one more than the largest.
            shape: the shape of the result.
            dtype: uint8, int8, int16, int32, int64, bool, float32 or float64.

        Returns:
            An array of `shape`.

        Raises:
            NotImplementedError: if `dtype` is none of these.
            RuntimeError: if `low` >= `high`, if `low` or `high` - 1 does not fit `dtype`, or a size is negative.
            ValueError: if `low` or `high` needs more than 64 bits.

        Reference:
            ``torch.randint``

        Example:
            >>> from numtensor import Generator
            >>> Generator().manual_seed(0).randint(0, 10, (5,)).tolist()
            [4, 9, 3, 0, 3]
        """
        dt, shape = np.dtype(dtype), as_shape("randint", shape)
        if dt not in _RANDINT_DTYPES:
            raise NotImplementedError(
                f'randint(): dtype: "random_from_to" not implemented for {dt.name}; pass one of '
                + ", ".join(t.name for t in _RANDINT_DTYPES)
            )
        low, high = operator.index(low), operator.index(high)
        for name, value in (("low", low), ("high", high)):
            if not INT64_MIN <= value <= INT64_MAX:
                raise ValueError(
                    f"randint(): {name}: Overflow when unpacking long long ({value}); "
                    "pass an int from -2**63 to 2**63 - 1"
                )
        if low >= high:
            raise RuntimeError(
                f"randint(): low: random_ expects 'from' to be less than 'to', but got from={low} >= to={high}; "
                "pass low < high"
            )
        if dt.kind == "f":
            # Beyond this not every integer exists in the float type and PyTorch itself warns and bends the range.
            smallest, largest = -(2 ** _FLOAT_DIGITS[dt]), 2 ** _FLOAT_DIGITS[dt]
        elif dt.kind == "b":
            smallest, largest = 0, 1
        else:
            smallest, largest = int(np.iinfo(dt).min), int(np.iinfo(dt).max)
        for name, torch_name, value in (("low", "from", low), ("high", "to - 1", high - 1)):
            if not smallest <= value <= largest:
                raise RuntimeError(
                    f"randint(): {name}: {torch_name} is out of bounds for {dt.name} ({value} is not within "
                    f"{smallest} .. {largest}); narrow the range or pass a wider dtype"
                )
        n, span = elements(shape), high - low
        out = np.empty(n, dt)
        with self._lock:
            for part in steps(n):
                count = part.stop - part.start
                if span >= 2**28:
                    r = self._bits64(count)
                    r %= np.uint64(span)
                    r = r.view(np.int64)
                else:
                    r = self._bits32(count)
                    r %= np.uint32(span)
                    r = r.astype(np.int64)
                # Spans of more than 2**63 wrap around in r, and adding low wraps them back.
                if low:
                    r += low
                out[part] = r
        return out.reshape(shape)

    def randperm(self, n: int, dtype: Any = np.int64) -> np.ndarray:
        """Draw a random permutation of 0 .. n - 1.

        Each swap depends on the ones before it, so this is the slowest producer: about 0.1 seconds per million.

        Args:
            n: the number of elements.
            dtype: uint8, int8, int16, int32, int64, float32 or float64; it has to hold `n`, as in PyTorch (256 is
                enough for uint8).

        Returns:
            An array of shape (n,).

        Raises:
            NotImplementedError: if `dtype` is none of these.
            RuntimeError: if `n` is negative or too large for `dtype`.

        Reference:
            ``torch.randperm``

        Example:
            >>> from numtensor import Generator
            >>> sorted(Generator().randperm(4).tolist())
            [0, 1, 2, 3]
        """
        n, dt = operator.index(n), np.dtype(dtype)
        if dt not in _RANDPERM_DTYPES:
            raise NotImplementedError(
                f'randperm(): dtype: "randperm" not implemented for {dt.name}; pass one of '
                + ", ".join(t.name for t in _RANDPERM_DTYPES)
            )
        if n < 0:
            raise RuntimeError(
                f"randperm(): n: Trying to create tensor with negative dimension {n}: [{n}]; pass 0 or more"
            )
        largest = 2 ** _FLOAT_DIGITS[dt] if dt.kind == "f" else int(np.iinfo(dt).max)
        if n - 1 > largest:
            raise RuntimeError(
                f"randperm(): n: value cannot be converted to type {dt.name} without overflow (n cannot be greater "
                f"than {largest + 1}, got {n}); pass a wider dtype"
            )
        if n >= _RANDPERM_WORD_LIMIT:
            return self._randperm_inside_out(n, dt)
        order = np.arange(n, dtype=dt)
        cells = memoryview(order)
        # Swaps depend on each other only where they meet. A short enough run of them rarely does (the birthday
        # problem, hence the square root), and is then one exchange of arrays; the others go one by one.
        run = max(32, math.isqrt(n) // 3)
        with self._lock:
            for part in steps(max(n - 1, 0)):
                i = np.arange(part.start, part.stop, dtype=np.uint32)
                j = self._bits32(i.size)
                j %= np.uint32(n) - i
                j += i
                for first in range(0, i.size, run):
                    there = j[first : first + run]
                    start, stop = part.start + first, part.start + first + there.size
                    ascending = np.sort(there)
                    if ascending[0] >= stop and (ascending[1:] != ascending[:-1]).all():
                        here = order[start:stop].copy()
                        order[start:stop] = order[there]
                        order[there] = here
                    else:
                        for a, b in enumerate(there.tolist(), start):
                            cell = cells[a]
                            cells[a] = cells[b]
                            cells[b] = cell
        return order

    def _randperm_inside_out(self, n: int, dtype: np.dtype) -> np.ndarray:
        out = np.zeros(n, dtype)
        # A memoryview reads and writes single elements several times faster than an array.
        cells = memoryview(out)
        with self._lock:
            for part in steps(n):
                i = np.arange(part.start + 1, part.stop + 1, dtype=np.uint64)
                j = self._bits64(i.size)
                j %= i
                for a, b in enumerate(j.tolist(), part.start):
                    cells[a] = cells[b]
                    cells[b] = a
        return out

    def bernoulli(self, p: np.ndarray) -> np.ndarray:
        """Draw 0 or 1 per element, 1 with the probability that `p` gives for the element.

        Args:
            p: probabilities, a float32 or float64 array.

        Returns:
            An array of the shape and the dtype of `p`.

        Raises:
            NotImplementedError: if `p` is not float32 or float64.
            RuntimeError: if a probability is not within [0, 1].

        Reference:
            ``torch.bernoulli``

        Example:
            >>> from numtensor import Generator
            >>> Generator().bernoulli(np.array([0.0, 1.0])).tolist()
            [0.0, 1.0]
        """
        p = np.asarray(p)
        dt = as_float_dtype("bernoulli", p.dtype)
        if not ((p >= 0) & (p <= 1)).all():
            raise RuntimeError(
                "bernoulli(): p: Expected p_in >= 0 && p_in <= 1 to be true, but got false; "
                "clip the probabilities to [0, 1] and remove nan"
            )
        with self._lock:
            u = self._uniform(p.size, dt)
        return (u < p.reshape(-1)).astype(dt).reshape(p.shape)

    def bernoulli_scalar(self, shape: int | Sequence[int], p: float = 0.5, dtype: Any = np.float32) -> np.ndarray:
        """Draw 0 or 1 per element, 1 with probability `p`.

        Args:
            shape: the shape of the result.
            p: the probability of 1.
            dtype: the dtype of the result, any real one or bool.

        Returns:
            An array of `shape`.

        Raises:
            RuntimeError: if `p` is not within [0, 1] or a size is negative.

        Reference:
            ``torch.Tensor.bernoulli_``

        Example:
            >>> from numtensor import Generator
            >>> Generator().bernoulli_scalar((2, 2), 1.0, np.int64).tolist()
            [[1, 1], [1, 1]]
        """
        p, shape = float(p), as_shape("bernoulli_", shape)
        if not 0.0 <= p <= 1.0:
            raise RuntimeError(
                f"bernoulli_(): p: bernoulli_ expects p to be in [0, 1], but got p={p:g}; pass a probability"
            )
        with self._lock:
            ones = self._below64(elements(shape), p)
        return ones.astype(dtype, copy=False).reshape(shape)

    def dropout_mask(self, shape: int | Sequence[int], p: float = 0.5) -> np.ndarray:
        """Draw which elements dropout keeps.

        Nothing is drawn for p of 0 or 1, where the answer is known; PyTorch does not draw there either.

        Args:
            shape: the shape of the result.
            p: the probability with which an element is dropped.

        Returns:
            A bool array of `shape`, True where the element is kept.

        Raises:
            ValueError: if `p` is not within [0, 1].
            RuntimeError: if a size is negative.

        Reference:
            ``torch.nn.functional.dropout``

        Example:
            >>> from numtensor import Generator
            >>> Generator().dropout_mask((3,), 0.0).tolist()
            [True, True, True]
        """
        p, shape = float(p), as_shape("dropout", shape)
        if not 0.0 <= p <= 1.0:
            raise ValueError(
                f"dropout(): p: dropout probability has to be between 0 and 1, but got {p:g}; pass a probability"
            )
        if p in (0.0, 1.0):
            return np.full(shape, p == 0.0)
        with self._lock:
            return self._below64(elements(shape), 1.0 - p).reshape(shape)

    def multinomial(self, p: np.ndarray, num_samples: int, replacement: bool = False) -> np.ndarray:
        """Draw indices with probabilities proportional to `p`, row by row.

        Without replacement the indices come in the order of drawing. If a row has fewer positive entries than
        `num_samples`, indices of probability 0 follow in ascending order (PyTorch leaves their order open).

        Args:
            p: a vector of weights or a matrix with a row per distribution, float32 or float64; the weights of a row
                need not add up to 1.
            num_samples: how many indices to draw from each row.
            replacement: whether an index may be drawn more than once.

        Returns:
            An int64 array of shape (num_samples,) or (rows, num_samples).

        Raises:
            RuntimeError: if a weight is negative, infinite or nan, if a row adds up to 0, if `num_samples` is not
                positive or, without replacement, exceeds the number of weights, or if `p` is not a float array of 1
                or 2 dimensions.

        Reference:
            ``torch.multinomial``

        Example:
            >>> from numtensor import Generator
            >>> Generator().multinomial(np.array([0.0, 3.0, 0.0]), 2, replacement=True).tolist()
            [1, 1]
        """
        p, num_samples = np.asarray(p), operator.index(num_samples)
        if p.ndim not in (1, 2) or p.shape[-1] == 0:
            raise RuntimeError(
                f"multinomial(): p: prob_dist must be 1 or 2 dim and not empty, got shape {p.shape}; "
                "pass a vector or a matrix with one distribution per row"
            )
        if p.dtype != FLOAT32 and p.dtype != FLOAT64:
            raise RuntimeError(
                f"multinomial(): p: multinomial only supports floating-point dtypes for input, got: {p.dtype.name}; "
                "convert the weights to float32 or float64"
            )
        categories = p.shape[-1]
        if num_samples <= 0:
            raise RuntimeError(
                f"multinomial(): num_samples: cannot sample n_sample <= 0 samples (got {num_samples}); pass 1 or more"
            )
        if not replacement and num_samples > categories:
            raise RuntimeError(
                "multinomial(): num_samples: cannot sample n_sample > prob_dist.size(-1) samples without replacement "
                f"({num_samples} of {categories}); pass replacement=True or fewer samples"
            )
        if categories > 2**24:
            raise RuntimeError(
                f"multinomial(): p: number of categories cannot exceed 2^24 (got {categories}); draw in two stages"
            )
        rows = p.reshape(-1, categories)
        if not ((rows >= 0) & (rows < np.inf)).all():
            raise RuntimeError(
                "multinomial(): p: probability tensor contains either `inf`, `nan` or element < 0; "
                "pass finite weights of 0 or more, for example a softmax"
            )
        if not rows.any(axis=1).all():
            raise RuntimeError(
                "multinomial(): p: invalid multinomial distribution (sum of probabilities <= 0); "
                "every row needs a positive weight"
            )
        # A single sample is the same either way, and PyTorch takes the clocks for it whatever `replacement` says.
        picks = self._with_replacement if replacement and num_samples > 1 else self._without_replacement
        return picks(rows, num_samples).reshape((*p.shape[:-1], num_samples))

    def _without_replacement(self, rows: np.ndarray, k: int) -> np.ndarray:
        with self._lock:
            q = self._exponential(rows.size, 1.0, rows.dtype).reshape(rows.shape)
        # The race of exponential clocks: the k largest p/q are a draw of k without replacement.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
            np.divide(rows, q, out=q)
        if k == 1:
            return q.argmax(axis=1)[:, None].astype(np.int64, copy=False)
        n = rows.shape[1]
        if 8 * k < n:
            # Sorting the few winners is cheaper than sorting all; ascending indices keep ties in index order.
            best = np.sort(np.argpartition(q, n - k, axis=1)[:, n - k :], axis=1)
            order = np.argsort(-np.take_along_axis(q, best, axis=1), axis=1, kind="stable")
            return np.take_along_axis(best, order, axis=1).astype(np.int64, copy=False)
        return np.argsort(-q, axis=1, kind="stable")[:, :k].astype(np.int64, copy=False)

    def _with_replacement(self, rows: np.ndarray, k: int) -> np.ndarray:
        with self._lock:
            u = self._uniform(rows.shape[0] * k, FLOAT64).reshape(rows.shape[0], k)
        out = np.empty(u.shape, np.int64)
        for row, samples, found in zip(rows, u, out, strict=True):
            # Summed one after the other in the weights' own precision, because a rounding can move a boundary.
            with np.errstate(over="ignore", invalid="ignore"):
                cumulative = np.cumsum(row)
                cumulative /= cumulative[-1]
            cumulative[-1] = 1
            found[...] = np.searchsorted(cumulative.astype(np.float64), samples, side="left")
        return out
