"""A stream of random words: its seed, its state, and uniform numbers made of its words.

The distributions stand in ``continuous.py`` and ``discrete.py``.
"""

from __future__ import annotations

import operator
import os
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from typing_extensions import Self

# What torch.Generator() starts from when nobody seeds it.
_DEFAULT_SEED = 67280421310721

# Elements handled per step: small enough for words and temporaries to stay in the second-level cache and below
# malloc's threshold for fresh pages, large enough to hide NumPy's per-call cost. A multiple of 16, so that
# Box-Muller's blocks never straddle two steps.
_CHUNK = 1 << 14

FLOAT32 = np.dtype(np.float32)
FLOAT64 = np.dtype(np.float64)
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

# torch.get_rng_state()'s layout on a 64-bit machine, so a state saved by PyTorch can be loaded here and back.
_STATE = np.dtype(
    {
        "names": ["seed", "left", "seeded", "next", "key", "normal_y", "normal_is_valid"],
        "formats": ["<u8", "<i4", "<i4", "<u8", ("<u8", 624), "<f8", "<i4"],
        "offsets": [0, 8, 12, 16, 24, 5024, 5040],
        "itemsize": 5056,
    }
)


def as_shape(func: str, shape: int | Sequence[int]) -> tuple[int, ...]:
    """Return `shape` as a tuple of non-negative ints, with PyTorch's error for a negative one."""
    dims = (operator.index(shape),) if hasattr(shape, "__index__") else tuple(operator.index(d) for d in shape)
    for d in dims:
        if d < 0:
            raise RuntimeError(
                f"{func}(): shape: Trying to create tensor with negative dimension {d}: {list(dims)}; "
                "every size has to be 0 or more"
            )
    return dims


def elements(shape: tuple[int, ...]) -> int:
    """Return the number of elements of `shape` as a Python int, which cannot overflow."""
    n = 1
    for d in shape:
        n *= d
    return n


def as_float_dtype(func: str, dtype: Any) -> np.dtype:
    """Return `dtype` as float32 or float64; anything else is refused in PyTorch's class of error."""
    dt = np.dtype(dtype)
    if dt != FLOAT32 and dt != FLOAT64:
        raise NotImplementedError(
            f'{func}(): dtype: "{func}" not implemented for {dt.name}; draw float32 or float64 and convert, '
            "or use randint for integers"
        )
    return dt


def steps(n: int) -> Iterator[slice]:
    """Cut range(n) into consecutive slices of at most _CHUNK elements."""
    for start in range(0, n, _CHUNK):
        yield slice(start, min(start + _CHUNK, n))


class Stream:
    """The words of MT19937 behind a lock, with PyTorch's seeds and states.

    Methods with a leading underscore expect their caller to hold the lock.

    Args:
        device: ``'cpu'``, the only device there is.
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

    @property
    def device(self) -> str:
        """The device of the generator, always ``'cpu'``.

        Returns:
            ``'cpu'``.

        Reference:
            ``torch.Generator.device``

        Example:
            >>> from numtensor import Generator
            >>> Generator().device
            'cpu'
        """
        return "cpu"

    def manual_seed(self, seed: int) -> Self:
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
            >>> from numtensor import Generator
            >>> Generator().manual_seed(-1).initial_seed() == 2**64 - 1
            True
        """
        if isinstance(seed, (bool, np.bool_)) or not hasattr(seed, "__index__"):
            raise RuntimeError(
                f"manual_seed(): seed: manual_seed expected a long, but got {type(seed).__name__}; pass an int"
            )
        value = operator.index(seed)
        if not INT64_MIN <= value < 2**64:
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
            >>> from numtensor import Generator
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
            >>> from numtensor import Generator
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
            >>> from numtensor import Generator
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
            >>> from numtensor import Generator
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

    def clone_state(self) -> Self:
        """Return an independent generator that continues as this one would.

        Returns:
            A new generator in the same state.

        Reference:
            ``torch.Generator.clone_state``

        Example:
            >>> from numtensor import Generator
            >>> g = Generator().manual_seed(1)
            >>> h = g.clone_state()
            >>> bool((g.rand(2) == h.rand(2)).all())
            True
        """
        other = type(self)()
        other.set_state(self.get_state())
        return other

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
        for part in steps(out.size):
            r = self._bits32(part.stop - part.start)
            r &= np.uint32(0xFFFFFF)
            # Signed words convert to float in one instruction; 24 bits leave the sign alone.
            out[part] = r.view(np.int32)
            out[part] *= np.float32(2.0**-24)

    def _uniform64(self, out: np.ndarray) -> None:
        for part in steps(out.size):
            r = self._bits64(part.stop - part.start)
            r &= np.uint64(2**53 - 1)
            out[part] = r.view(np.int64)
            out[part] *= 2.0**-53

    def _uniform(self, n: int, dtype: np.dtype) -> np.ndarray:
        out = np.empty(n, dtype)
        (self._uniform32 if dtype == FLOAT32 else self._uniform64)(out)
        return out

    def _below64(self, n: int, p: float) -> np.ndarray:
        out = np.empty(n, np.bool_)
        # u < p for u = k * 2**-53 compares exactly in float64.
        for part in steps(n):
            out[part] = self._uniform(part.stop - part.start, FLOAT64) < p
        return out
