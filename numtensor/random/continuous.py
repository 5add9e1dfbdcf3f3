"""Uniform, normal and exponential numbers from a stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .rounding import box_muller, fma32, fma64, to_single
from .stream import FLOAT32, FLOAT64, Stream, as_float_dtype, as_shape, elements, steps


class ContinuousStream(Stream):
    """A stream with the continuous distributions."""

    __slots__ = ()

    def rand(self, shape: int | Sequence[int], dtype: Any = np.float32) -> np.ndarray:
        """Draw uniformly from [0, 1).

        Args:
            shape: the shape of the result.
            dtype: float32 or float64.

        Returns:
            An array of `shape`, equal to PyTorch's to the last bit.

        Raises:
            NotImplementedError: if `dtype` is not float32 or float64.
            RuntimeError: if a size is negative.

        Reference:
            ``torch.rand``

        Example:
            >>> from numtensor import Generator
            >>> Generator().manual_seed(0).rand((2,)).tolist()
            [0.49625658988952637, 0.7682217955589294]
        """
        dt, shape = as_float_dtype("rand", dtype), as_shape("rand", shape)
        with self._lock:
            return self._uniform(elements(shape), dt).reshape(shape)

    def uniform(
        self, shape: int | Sequence[int], low: float = 0.0, high: float = 1.0, dtype: Any = np.float32
    ) -> np.ndarray:
        """Draw uniformly from [low, high).

        Args:
            shape: the shape of the result.
            low: the smallest value.
            high: the bound above, never drawn unless it equals `low`.
            dtype: float32 or float64.

        Returns:
            An array of `shape`.

        Raises:
            NotImplementedError: if `dtype` is not float32 or float64.
            RuntimeError: if a size is negative, `low` > `high`, or a bound or the width is not finite in `dtype`.

        Reference:
            ``torch.Tensor.uniform_``

        Example:
            >>> from numtensor import Generator
            >>> x = Generator().manual_seed(0).uniform((100,), -1, 1)
            >>> bool(x.min() >= -1 and x.max() < 1)
            True
        """
        dt, shape = as_float_dtype("uniform_", dtype), as_shape("uniform_", shape)
        low, high = float(low), float(high)
        top = float(np.finfo(dt).max)
        for name, value in (("low", low), ("high", high)):
            if not -top <= value <= top:
                raise RuntimeError(
                    f"uniform_(): {name}: {'from' if name == 'low' else 'to'} is out of bounds for {dt.name} "
                    f"({value}); pass a finite number of at most {top:g}"
                )
        if not low <= high:
            raise RuntimeError(
                f"uniform_(): low: uniform_ expects to return a [from, to) range, but found from={low:g} > "
                f"to={high:g}; swap low and high"
            )
        if high - low > top:
            raise RuntimeError(
                f"uniform_(): high: uniform_ expects to-from <= std::numeric_limits::max(), but found to={high:g} and "
                f"from={low:g} which result in to-from to exceed the limit of {dt.name}; draw a narrower range"
            )
        with self._lock:
            out = self._uniform(elements(shape), dt)
        if low != 0.0 or high != 1.0:
            # The bounds count as rounded to the result's type, and the scaling is one fused step.
            first, last = dt.type(low), dt.type(high)
            width = float(last - first)
            for part in steps(out.size):
                u = out[part]
                u[...] = fma32(u.astype(np.float64), width, float(first)) if dt == FLOAT32 else fma64(u, width, low)
                # Rounding may reach the excluded bound; PyTorch then returns the lower one.
                u[u == last] = first
        return out.reshape(shape)

    def randn(self, shape: int | Sequence[int], dtype: Any = np.float32) -> np.ndarray:
        """Draw from the normal distribution of mean 0 and standard deviation 1.

        Args:
            shape: the shape of the result.
            dtype: float32 or float64.

        Returns:
            An array of `shape`.

        Raises:
            NotImplementedError: if `dtype` is not float32 or float64.
            RuntimeError: if a size is negative.

        Reference:
            ``torch.randn``

        Example:
            >>> from numtensor import Generator
            >>> Generator().manual_seed(0).randn((2,)).round(4).tolist() == np.float32([1.541, -0.2934]).tolist()
            True
        """
        return self._normal("randn", shape, 0.0, 1.0, dtype)

    def normal(
        self, shape: int | Sequence[int], mean: float = 0.0, std: float = 1.0, dtype: Any = np.float32
    ) -> np.ndarray:
        """Draw from the normal distribution of the given mean and standard deviation.

        Args:
            shape: the shape of the result.
            mean: the mean.
            std: the standard deviation, 0 or more.
            dtype: float32 or float64.

        Returns:
            An array of `shape`.

        Raises:
            NotImplementedError: if `dtype` is not float32 or float64.
            RuntimeError: if `std` is negative or a size is.

        Reference:
            ``torch.Tensor.normal_``

        Example:
            >>> from numtensor import Generator
            >>> Generator().normal((3,), mean=5.0, std=0.0).tolist()
            [5.0, 5.0, 5.0]
        """
        return self._normal("normal_", shape, float(mean), float(std), dtype)

    def _normal(self, func: str, shape: int | Sequence[int], mean: float, std: float, dtype: Any) -> np.ndarray:
        dt, shape = as_float_dtype(func, dtype), as_shape(func, shape)
        if not std >= 0.0:
            raise RuntimeError(
                f"{func}(): std: normal expects std >= 0.0, but found std {std:g}; pass 0 or a positive number"
            )
        n = elements(shape)
        # A std beyond the type overflows to infinity, as it does in C.
        with np.errstate(over="ignore", invalid="ignore"):
            flat = self._few_normals(n, mean, std, dt) if n < 16 else self._many_normals(n, mean, std, dt)
        return flat.reshape(shape)

    def _few_normals(self, n: int, mean: float, std: float, dtype: np.dtype) -> np.ndarray:
        out = np.empty(n, np.float64)
        with self._lock:
            start = 0
            if n and self._next_normal is not None:
                out[0] = self._next_normal
                self._next_normal = None
                start = 1
            pairs = (n - start + 1) // 2
            if pairs:
                u = self._uniform(2 * pairs, FLOAT64)
                radius = np.sqrt(-2.0 * np.log1p(-u[1::2]))
                theta = (2.0 * np.pi) * u[0::2]
                both = np.stack((radius * np.cos(theta), radius * np.sin(theta)), axis=1).reshape(-1)
                out[start:] = both[: n - start]
                if (n - start) % 2:
                    self._next_normal = float(both[-1])
        return fma64(out, std, mean).astype(dtype)

    def _many_normals(self, n: int, mean: float, std: float, dtype: np.dtype) -> np.ndarray:
        if dtype == FLOAT32:
            mean, std = to_single(mean), to_single(std)
        whole, ragged = n - n % 16, n % 16
        out = np.empty(whole + 16 if ragged else n, dtype)
        uniform = self._uniform32 if dtype == FLOAT32 else self._uniform64
        with self._lock:
            uniform(out[:n])
            if ragged:
                # A ragged end throws its uniforms away and draws the last 16 anew.
                uniform(out[whole:])
        for part in steps(out.size):
            box_muller(out[part].reshape(-1, 16), mean, std)
        if ragged:
            # The 16 new ones overlap the block before.
            last = out[whole:].copy()
            out = out[:n]
            out[n - 16 :] = last
        return out

    def exponential(self, shape: int | Sequence[int], lambd: float = 1.0, dtype: Any = np.float32) -> np.ndarray:
        """Draw from the exponential distribution of rate `lambd`.

        Args:
            shape: the shape of the result.
            lambd: the rate, the inverse of the mean; positive.
            dtype: float32 or float64.

        Returns:
            An array of `shape`.

        Raises:
            NotImplementedError: if `dtype` is not float32 or float64.
            RuntimeError: if `lambd` is not positive or a size is negative.

        Reference:
            ``torch.Tensor.exponential_``

        Example:
            >>> from numtensor import Generator
            >>> bool((Generator().exponential((100,)) >= 0).all())
            True
        """
        dt, shape = as_float_dtype("exponential_", dtype), as_shape("exponential_", shape)
        lambd = float(lambd)
        if not lambd > 0.0:
            raise RuntimeError(
                f"exponential_(): lambd: exponential_ expects lambda > 0.0, but found lambda={lambd:g}; "
                "pass a positive rate"
            )
        with self._lock:
            return self._exponential(elements(shape), lambd, dt).reshape(shape)

    def _exponential(self, n: int, lambd: float, dtype: np.dtype) -> np.ndarray:
        out = np.empty(n, dtype)
        scale = -1.0 / lambd
        for part in steps(n):
            u = self._uniform(part.stop - part.start, FLOAT64)
            np.negative(u, out=u)
            np.log1p(u, out=u)
            # A rate near 0 overflows to infinity, as it does in C.
            with np.errstate(over="ignore", invalid="ignore"):
                u *= scale
                out[part] = u
        return out
