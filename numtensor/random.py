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
import math
import operator
import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

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

# What torch.Generator() starts from when nobody seeds it.
_DEFAULT_SEED = 67280421310721

# Elements handled per step: small enough for words and temporaries to stay in the second-level cache and below
# malloc's threshold for fresh pages, large enough to hide NumPy's per-call cost. A multiple of 16, so that
# Box-Muller's blocks never straddle two steps.
_CHUNK = 1 << 14

# Below this many elements randperm spends one word per swap; from here on the modulo of a word would be too skewed.
_RANDPERM_WORD_LIMIT = 0xFFFFFFFF // 20

_F32 = np.dtype(np.float32)
_F64 = np.dtype(np.float64)
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_RANDINT_DTYPES = tuple(np.dtype(t) for t in ("uint8", "int8", "int16", "int32", "int64", "bool", "float32", "float64"))
_RANDPERM_DTYPES = tuple(np.dtype(t) for t in ("uint8", "int8", "int16", "int32", "int64", "float32", "float64"))
# A float counts every integer up to 2**digits, and none of the odd ones beyond.
_FLOAT_DIGITS = {_F32: 24, _F64: 53}

# torch.get_rng_state()'s layout on a 64-bit machine, so a state saved by PyTorch can be loaded here and back.
_STATE = np.dtype(
    {
        "names": ["seed", "left", "seeded", "next", "key", "normal_y", "normal_is_valid"],
        "formats": ["<u8", "<i4", "<i4", "<u8", ("<u8", 624), "<f8", "<i4"],
        "offsets": [0, 8, 12, 16, 24, 5024, 5040],
        "itemsize": 5056,
    }
)


def _as_shape(func: str, shape: int | Sequence[int]) -> tuple[int, ...]:
    """Return `shape` as a tuple of non-negative ints, with PyTorch's error for a negative one."""
    dims = (operator.index(shape),) if hasattr(shape, "__index__") else tuple(operator.index(d) for d in shape)
    for d in dims:
        if d < 0:
            raise RuntimeError(
                f"{func}(): shape: Trying to create tensor with negative dimension {d}: {list(dims)}; "
                "every size has to be 0 or more"
            )
    return dims


def _size(shape: tuple[int, ...]) -> int:
    """Return the number of elements of `shape` as a Python int, which cannot overflow."""
    n = 1
    for d in shape:
        n *= d
    return n


def _as_float_dtype(func: str, dtype: Any) -> np.dtype:
    """Return `dtype` as float32 or float64; anything else is refused in PyTorch's class of error."""
    dt = np.dtype(dtype)
    if dt != _F32 and dt != _F64:
        raise NotImplementedError(
            f'{func}(): dtype: "{func}" not implemented for {dt.name}; draw float32 or float64 and convert, '
            "or use randint for integers"
        )
    return dt


def _steps(n: int) -> Iterator[slice]:
    """Cut range(n) into consecutive slices of at most _CHUNK elements."""
    for start in range(0, n, _CHUNK):
        yield slice(start, min(start + _CHUNK, n))


def fma32(a: np.ndarray, b: Any, c: Any) -> np.ndarray:
    """Return a*b + c rounded once to float32, for float32 values held in float64 arrays.

    A product of two float32 is exact in float64, so rounding the sum back to float32 is a fused multiply-add (up to
    a double rounding of about one in 2**29). PyTorch's compiler fuses, and unfused float32 differs in the last bits.
    """
    t = np.multiply(a, b)
    t += c
    return t.astype(np.float32).astype(np.float64)


def _mul32(a: np.ndarray, b: Any) -> np.ndarray:
    """Return a*b rounded to float32, for float32 values held in float64 arrays."""
    return np.multiply(a, b).astype(np.float32).astype(np.float64)


def fma64(a: np.ndarray, b: float, c: float) -> np.ndarray:
    """Return a*b + c rounded (all but) once, in float64 arrays.

    The product's rounding error is recovered with Dekker's splitting and the sum's with Knuth's two-sum; adding both
    back gives what a fused multiply-add gives, without needing the instruction.
    """
    p = a * b
    if c == 0.0:
        return p
    with np.errstate(over="ignore", invalid="ignore"):
        t = 134217729.0 * a
        a_hi = t - (t - a)
        a_lo = a - a_hi
        t = 134217729.0 * b
        b_hi = t - (t - b)
        b_lo = b - b_hi
        p_err = ((a_hi * b_hi - p) + a_hi * b_lo + a_lo * b_hi) + a_lo * b_lo
        s = p + c
        t = s - p
        s_err = (p - (s - t)) + (c - t)
        fused = s + (p_err + s_err)
    # Splitting overflows near the top of the range; there the plain sum is the honest answer.
    return np.where(np.isfinite(fused), fused, s)


def _f32(x: float) -> float:
    """Return the float32 nearest to `x`, as a Python float: a constant as the C source's single precision sees it."""
    return float(np.float32(x))


_TWO_PI32 = _f32(2.0 * np.pi)
_SQRT_HALF32 = _f32(0.707106781186547524)
_LOG_POLY32 = tuple(
    map(
        _f32,
        (
            7.0376836292e-2,
            -1.1514610310e-1,
            1.1676998740e-1,
            -1.2420140846e-1,
            1.4249322787e-1,
            -1.6668057665e-1,
            2.0000714765e-1,
            -2.4999993993e-1,
            3.3333331174e-1,
        ),
    )
)
_LN2_HI32, _LN2_LO32 = _f32(0.693359375), _f32(-2.12194440e-4)
_FOUR_OVER_PI32 = _f32(1.27323954473516)
_PI4_PARTS32 = tuple(map(_f32, (-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)))
_COS_POLY32 = tuple(map(_f32, (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)))
_SIN_POLY32 = tuple(map(_f32, (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)))


def _log32(u: np.ndarray) -> np.ndarray:
    """Return log(u) for float32 u in (0, 1] as float32 values in float64: Cephes' logf with fused steps.

    The coefficients are those of S. Moshier's Cephes library (logf), the same PyTorch's vector code uses; equal
    coefficients, order and roundings are what makes randn equal PyTorch's to the last bit.
    """
    bits = u.view(np.int32)
    e = (bits >> 23) - 126
    m = ((bits & 0x007FFFFF) | 0x3F000000).view(np.float32).astype(np.float64)
    small = m < _SQRT_HALF32
    # m - 1 and 2m - 1 are exact in single precision here, so no rounding is owed.
    x = m - 1.0
    x += m * small
    e = (e - small).astype(np.float64)
    z = _mul32(x, x)
    y = fma32(x, _LOG_POLY32[0], _LOG_POLY32[1])
    for coefficient in _LOG_POLY32[2:]:
        y = fma32(y, x, coefficient)
    y = _mul32(y, x)
    y = fma32(y, z, _mul32(e, _LN2_LO32))
    y = fma32(z, -0.5, y)
    x += y
    return fma32(e, _LN2_HI32, x.astype(np.float32).astype(np.float64))


def _sincos32(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 sin and cos of theta in [0, 2*pi], float32 values in float64: Cephes' sinf and cosf, fused."""
    octant = _mul32(theta, _FOUR_OVER_PI32).astype(np.int32)
    octant += 1
    octant &= ~1
    y = octant.astype(np.float64)
    x = theta
    for part in _PI4_PARTS32:
        x = fma32(y, part, x)
    z = _mul32(x, x)
    c = fma32(z, _COS_POLY32[0], _COS_POLY32[1])
    c = fma32(c, z, _COS_POLY32[2])
    c = _mul32(c, z)
    c = fma32(c, z, z * -0.5)
    c += 1.0
    c = c.astype(np.float32).astype(np.float64)
    s = fma32(z, _SIN_POLY32[0], _SIN_POLY32[1])
    s = fma32(s, z, _SIN_POLY32[2])
    s = fma32(_mul32(s, z), x, x)
    keep = (octant & 2) == 0
    sin = np.where(keep, s, c).astype(np.float32)
    cos = np.where(keep, c, s).astype(np.float32)
    # Bit 2 of the octant, moved to where a float32 keeps its sign.
    bits = sin.view(np.int32)
    bits ^= (octant & 4) << 29
    bits = cos.view(np.int32)
    bits ^= ((octant + 2) & 4) << 29
    return sin, cos


def _box_muller(block: np.ndarray, mean: float, std: float) -> None:
    """Turn rows of 16 uniforms into rows of 16 normals in place: 8 radii, 8 angles, cosines first, then sines."""
    # Copied out once, because NumPy is slow on rows of eight.
    u1, u2 = block[:, :8].reshape(-1), block[:, 8:].reshape(-1)
    np.subtract(1, u1, out=u1)
    if block.dtype == _F32:
        radius = np.sqrt((_log32(u1) * -2.0).astype(np.float32))
        sin, cos = _sincos32(_mul32(u2.astype(np.float64), _TWO_PI32))
        sin *= radius
        cos *= radius
        if std != 1.0 or mean != 0.0:
            sin, cos = (fma32(x.astype(np.float64), std, mean) for x in (sin, cos))
    else:
        radius = np.sqrt(-2.0 * np.log(u1))
        u2 *= 2.0 * np.pi
        sin, cos = (fma64(radius * wave(u2), std, mean) for wave in (np.sin, np.cos))
    block[:, :8] = cos.reshape(-1, 8)
    block[:, 8:] = sin.reshape(-1, 8)


class Generator:
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
        >>> g = Generator().manual_seed(0)
        >>> g.rand(2).tolist()
        [0.49625658988952637, 0.7682217955589294]
        >>> Generator().manual_seed(0).randperm(5).tolist()
        [4, 0, 1, 3, 2]
    """

    __slots__ = ("__weakref__", "_lock", "_next_normal", "_seed", "_stream")

    def __init__(self, device: Any = "cpu") -> None:
        if str(device).partition(":")[0] != "cpu":
            raise RuntimeError(f"Generator(): device: {device!r} is not available; numtensor computes on 'cpu' only")
        self._lock = threading.Lock()
        self._restart(_DEFAULT_SEED)

    def __repr__(self) -> str:
        return f"<numtensor.Generator device='cpu' initial_seed={self._seed}>"

    def __getstate__(self) -> bytes:
        return self.get_state().tobytes()

    def __setstate__(self, state: bytes) -> None:
        # __init__ does not run when unpickling or copying, and a lock cannot travel.
        self._lock = threading.Lock()
        self._restart(_DEFAULT_SEED)
        self.set_state(np.frombuffer(state, dtype=np.uint8))

    # ------------------------------------------------------------------ seeds and states

    @property
    def device(self) -> str:
        """The device of the generator, always ``'cpu'``.

        Returns:
            ``'cpu'``.

        Reference:
            ``torch.Generator.device``

        Example:
            >>> Generator().device
            'cpu'
        """
        return "cpu"

    def manual_seed(self, seed: int) -> Generator:
        """Restart the stream from `seed`.

        Args:
            seed: an integer from -2**63 to 2**64 - 1. A negative one stands for the unsigned 64-bit integer with the
                same bits. Only the low 32 bits choose the stream, as in PyTorch.

        Returns:
            This generator.

        Raises:
            RuntimeError: if `seed` is not an integer.
            ValueError: if `seed` needs more than 64 bits.

        Reference:
            ``torch.Generator.manual_seed``

        Example:
            >>> Generator().manual_seed(-1).initial_seed() == 2**64 - 1
            True
        """
        if isinstance(seed, (bool, np.bool_)) or not hasattr(seed, "__index__"):
            raise RuntimeError(
                f"manual_seed(): seed: manual_seed expected a long, but got {type(seed).__name__}; pass an int"
            )
        value = operator.index(seed)
        if not _INT64_MIN <= value < 2**64:
            raise ValueError(
                f"manual_seed(): seed: Overflow when unpacking long long ({value}); "
                "pass an int from -2**63 to 2**64 - 1"
            )
        with self._lock:
            self._restart(value % 2**64)
        return self

    def seed(self) -> int:
        """Restart the stream from a seed nobody chose.

        Returns:
            The seed, with which `manual_seed` repeats the run.

        Reference:
            ``torch.Generator.seed``

        Example:
            >>> g = Generator()
            >>> g.seed() == g.initial_seed()
            True
        """
        value = int.from_bytes(os.urandom(8), "little")
        with self._lock:
            self._restart(value)
        return value

    def initial_seed(self) -> int:
        """Return the seed the stream started from.

        Returns:
            The seed as an unsigned 64-bit integer.

        Reference:
            ``torch.Generator.initial_seed``

        Example:
            >>> Generator().manual_seed(7).initial_seed()
            7
        """
        return self._seed

    def get_state(self) -> np.ndarray:
        """Return the state of the stream, from which `set_state` continues.

        Returns:
            A uint8 array of 5056 bytes, in the layout of ``torch.Generator.get_state`` on 64-bit little-endian
            machines: a state can be carried over in both directions.

        Reference:
            ``torch.Generator.get_state``

        Example:
            >>> g = Generator().manual_seed(0)
            >>> state = g.get_state()
            >>> a = g.rand(4)
            >>> g.set_state(state)
            >>> bool((g.rand(4) == a).all())
            True
        """
        record = np.zeros(1, dtype=_STATE)
        with self._lock:
            _, key, pos, _, _ = self._words().get_state()
            record["seed"] = self._seed
            if self._next_normal is not None:
                record["normal_y"] = self._next_normal
                record["normal_is_valid"] = 1
        # PyTorch counts what is left of the current 624 words, NumPy what has been used.
        record["left"] = 625 - pos
        record["next"] = pos
        record["seeded"] = 1
        record["key"] = key
        return record.view(np.uint8)

    def set_state(self, state: np.ndarray) -> None:
        """Continue from a state that `get_state` returned.

        Args:
            state: a uint8 array of 5056 elements.

        Raises:
            TypeError: if `state` is not a uint8 array.
            RuntimeError: if its length or its content is not that of a state; the generator is then unchanged.

        Reference:
            ``torch.Generator.set_state``

        Example:
            >>> g, h = Generator().manual_seed(3), Generator()
            >>> h.set_state(g.get_state())
            >>> bool(g.rand(1) == h.rand(1))
            True
        """
        if not isinstance(state, np.ndarray) or state.dtype != np.uint8:
            got = f"dtype {state.dtype}" if isinstance(state, np.ndarray) else type(state).__name__
            raise TypeError(
                f"set_state(): state: RNG state must be a uint8 array, got {got}; pass what get_state() returned"
            )
        if state.shape != (_STATE.itemsize,):
            raise RuntimeError(
                f"set_state(): state: Expected a CPUGeneratorImplState of size {_STATE.itemsize} but found the input "
                f"RNG state size to be {state.size} (shape {state.shape}); pass what get_state() returned"
            )
        record = np.ascontiguousarray(state).view(_STATE)[0]
        left, key = int(record["left"]), record["key"]
        if not (record["seeded"] == 1 and 1 <= left <= 624 and int(key.max()) < 2**32):
            raise RuntimeError("set_state(): state: Invalid mt19937 state; pass what get_state() returned")
        from numpy.random import RandomState

        stream = RandomState(0)
        stream.set_state(("MT19937", key.astype(np.uint32), 625 - left))
        with self._lock:
            self._stream = stream
            self._seed = int(record["seed"])
            self._next_normal = float(record["normal_y"]) if record["normal_is_valid"] else None

    def clone_state(self) -> Generator:
        """Return an independent generator that continues as this one would.

        Returns:
            A new generator in the same state.

        Reference:
            ``torch.Generator.clone_state``

        Example:
            >>> g = Generator().manual_seed(1)
            >>> h = g.clone_state()
            >>> bool((g.rand(2) == h.rand(2)).all())
            True
        """
        other = Generator()
        other.set_state(self.get_state())
        return other

    # ------------------------------------------------------------------ the words; callers hold the lock

    def _restart(self, seed: int) -> None:
        self._seed = seed
        self._next_normal: float | None = None
        # numpy.random is imported by the first draw, not by importing this module or by seeding.
        self._stream: Any = None

    def _words(self) -> Any:
        if self._stream is None:
            from numpy.random import RandomState

            self._stream = RandomState(self._seed & 0xFFFFFFFF)
        return self._stream

    def _bits32(self, n: int) -> np.ndarray:
        # A draw over the whole range is the raw words, and RandomState's stream is frozen by NumPy's policy.
        return self._words().randint(0, 2**32, size=n, dtype=np.uint32)

    def _bits64(self, n: int) -> np.ndarray:
        # Pairs of words, the first one high: NumPy's and PyTorch's order are the same.
        return self._words().randint(0, 2**64, size=n, dtype=np.uint64)

    def _uniform32(self, out: np.ndarray) -> None:
        for part in _steps(out.size):
            r = self._bits32(part.stop - part.start)
            r &= np.uint32(0xFFFFFF)
            # Signed words convert to float in one instruction; 24 bits leave the sign alone.
            out[part] = r.view(np.int32)
            out[part] *= np.float32(2.0**-24)

    def _uniform64(self, out: np.ndarray) -> None:
        for part in _steps(out.size):
            r = self._bits64(part.stop - part.start)
            r &= np.uint64(2**53 - 1)
            out[part] = r.view(np.int64)
            out[part] *= 2.0**-53

    def _uniform(self, n: int, dtype: np.dtype) -> np.ndarray:
        out = np.empty(n, dtype)
        (self._uniform32 if dtype == _F32 else self._uniform64)(out)
        return out

    def _below64(self, n: int, p: float) -> np.ndarray:
        out = np.empty(n, np.bool_)
        # u < p for u = k * 2**-53 compares exactly in float64.
        for part in _steps(n):
            out[part] = self._uniform(part.stop - part.start, _F64) < p
        return out

    # ------------------------------------------------------------------ producers

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
            >>> Generator().manual_seed(0).rand((2,)).tolist()
            [0.49625658988952637, 0.7682217955589294]
        """
        dt, shape = _as_float_dtype("rand", dtype), _as_shape("rand", shape)
        with self._lock:
            return self._uniform(_size(shape), dt).reshape(shape)

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
            >>> x = Generator().manual_seed(0).uniform((100,), -1, 1)
            >>> bool(x.min() >= -1 and x.max() < 1)
            True
        """
        dt, shape = _as_float_dtype("uniform_", dtype), _as_shape("uniform_", shape)
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
            out = self._uniform(_size(shape), dt)
        if low != 0.0 or high != 1.0:
            # The bounds count as rounded to the result's type, and the scaling is one fused step.
            first, last = dt.type(low), dt.type(high)
            width = float(last - first)
            for part in _steps(out.size):
                u = out[part]
                u[...] = fma32(u.astype(np.float64), width, float(first)) if dt == _F32 else fma64(u, width, low)
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
            >>> Generator().normal((3,), mean=5.0, std=0.0).tolist()
            [5.0, 5.0, 5.0]
        """
        return self._normal("normal_", shape, float(mean), float(std), dtype)

    def _normal(self, func: str, shape: int | Sequence[int], mean: float, std: float, dtype: Any) -> np.ndarray:
        dt, shape = _as_float_dtype(func, dtype), _as_shape(func, shape)
        if not std >= 0.0:
            raise RuntimeError(
                f"{func}(): std: normal expects std >= 0.0, but found std {std:g}; pass 0 or a positive number"
            )
        n = _size(shape)
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
                u = self._uniform(2 * pairs, _F64)
                radius = np.sqrt(-2.0 * np.log1p(-u[1::2]))
                theta = (2.0 * np.pi) * u[0::2]
                both = np.stack((radius * np.cos(theta), radius * np.sin(theta)), axis=1).reshape(-1)
                out[start:] = both[: n - start]
                if (n - start) % 2:
                    self._next_normal = float(both[-1])
        return fma64(out, std, mean).astype(dtype)

    def _many_normals(self, n: int, mean: float, std: float, dtype: np.dtype) -> np.ndarray:
        if dtype == _F32:
            mean, std = _f32(mean), _f32(std)
        whole, ragged = n - n % 16, n % 16
        out = np.empty(whole + 16 if ragged else n, dtype)
        uniform = self._uniform32 if dtype == _F32 else self._uniform64
        with self._lock:
            uniform(out[:n])
            if ragged:
                # A ragged end throws its uniforms away and draws the last 16 anew.
                uniform(out[whole:])
        for part in _steps(out.size):
            _box_muller(out[part].reshape(-1, 16), mean, std)
        if ragged:
            # The 16 new ones overlap the block before.
            last = out[whole:].copy()
            out = out[:n]
            out[n - 16 :] = last
        return out

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
            >>> Generator().manual_seed(0).randint(0, 10, (5,)).tolist()
            [4, 9, 3, 0, 3]
        """
        dt, shape = np.dtype(dtype), _as_shape("randint", shape)
        if dt not in _RANDINT_DTYPES:
            raise NotImplementedError(
                f'randint(): dtype: "random_from_to" not implemented for {dt.name}; pass one of '
                + ", ".join(t.name for t in _RANDINT_DTYPES)
            )
        low, high = operator.index(low), operator.index(high)
        for name, value in (("low", low), ("high", high)):
            if not _INT64_MIN <= value <= _INT64_MAX:
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
        n, span = _size(shape), high - low
        out = np.empty(n, dt)
        with self._lock:
            for part in _steps(n):
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
            for part in _steps(max(n - 1, 0)):
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
            for part in _steps(n):
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
            >>> Generator().bernoulli(np.array([0.0, 1.0])).tolist()
            [0.0, 1.0]
        """
        p = np.asarray(p)
        dt = _as_float_dtype("bernoulli", p.dtype)
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
            >>> Generator().bernoulli_scalar((2, 2), 1.0, np.int64).tolist()
            [[1, 1], [1, 1]]
        """
        p, shape = float(p), _as_shape("bernoulli_", shape)
        if not 0.0 <= p <= 1.0:
            raise RuntimeError(
                f"bernoulli_(): p: bernoulli_ expects p to be in [0, 1], but got p={p:g}; pass a probability"
            )
        with self._lock:
            ones = self._below64(_size(shape), p)
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
            >>> Generator().dropout_mask((3,), 0.0).tolist()
            [True, True, True]
        """
        p, shape = float(p), _as_shape("dropout", shape)
        if not 0.0 <= p <= 1.0:
            raise ValueError(
                f"dropout(): p: dropout probability has to be between 0 and 1, but got {p:g}; pass a probability"
            )
        if p in (0.0, 1.0):
            return np.full(shape, p == 0.0)
        with self._lock:
            return self._below64(_size(shape), 1.0 - p).reshape(shape)

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
            >>> bool((Generator().exponential((100,)) >= 0).all())
            True
        """
        dt, shape = _as_float_dtype("exponential_", dtype), _as_shape("exponential_", shape)
        lambd = float(lambd)
        if not lambd > 0.0:
            raise RuntimeError(
                f"exponential_(): lambd: exponential_ expects lambda > 0.0, but found lambda={lambd:g}; "
                "pass a positive rate"
            )
        with self._lock:
            return self._exponential(_size(shape), lambd, dt).reshape(shape)

    def _exponential(self, n: int, lambd: float, dtype: np.dtype) -> np.ndarray:
        out = np.empty(n, dtype)
        scale = -1.0 / lambd
        for part in _steps(n):
            u = self._uniform(part.stop - part.start, _F64)
            np.negative(u, out=u)
            np.log1p(u, out=u)
            # A rate near 0 overflows to infinity, as it does in C.
            with np.errstate(over="ignore", invalid="ignore"):
                u *= scale
                out[part] = u
        return out

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
            >>> Generator().multinomial(np.array([0.0, 3.0, 0.0]), 2, replacement=True).tolist()
            [1, 1]
        """
        p, num_samples = np.asarray(p), operator.index(num_samples)
        if p.ndim not in (1, 2) or p.shape[-1] == 0:
            raise RuntimeError(
                f"multinomial(): p: prob_dist must be 1 or 2 dim and not empty, got shape {p.shape}; "
                "pass a vector or a matrix with one distribution per row"
            )
        if p.dtype != _F32 and p.dtype != _F64:
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
            u = self._uniform(rows.shape[0] * k, _F64).reshape(rows.shape[0], k)
        out = np.empty(u.shape, np.int64)
        for row, samples, found in zip(rows, u, out, strict=True):
            # Summed one after the other in the weights' own precision, because a rounding can move a boundary.
            with np.errstate(over="ignore", invalid="ignore"):
                cumulative = np.cumsum(row)
                cumulative /= cumulative[-1]
            cumulative[-1] = 1
            found[...] = np.searchsorted(cumulative.astype(np.float64), samples, side="left")
        return out

    def random_seed(self) -> int:
        """Draw the integer that ``DataLoader`` and ``RandomSampler`` draw as a seed.

        ``DataLoader(shuffle=True)`` draws its base seed first, then the sampler draws its own, starts a new
        `Generator` from that and takes `randperm` from it.

        Returns:
            An int from 0 to 2**63 - 1.

        Reference:
            ``torch.empty((), dtype=torch.int64).random_().item()``

        Example:
            >>> 0 <= Generator().random_seed() < 2**63
            True
        """
        with self._lock:
            return int(self._bits64(1)[0]) & _INT64_MAX

    def random_words(self, n: int) -> np.ndarray:
        """Draw words of the stream as they are.

        Args:
            n: how many.

        Returns:
            A uint32 array of shape (n,).

        Reference:
            ``torch.Tensor.random_`` of int32, which keeps 31 bits of each.

        Example:
            >>> Generator().manual_seed(0).random_words(1).tolist()
            [2357136044]
        """
        with self._lock:
            return self._bits32(n)


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
