"""The data that rows name: each array is the same in every contestant and every run."""

import functools
import math
import zlib

import numpy as np


def _columns(size):
    return max(2, min(1000, size // 10)) if size < 100_000 else 1000


def _matrix(size):
    columns = _columns(size)
    return max(1, size // columns), columns


def _normal(shape):
    return lambda random, size: random.standard_normal(shape(size)).astype(np.float32)


def _vector(size):
    return size


def _square(size):
    side = max(2, math.isqrt(size))
    return side, side


# By name: a function of a random generator and the number of elements.
DATA = {
    "x": _normal(_vector),
    "y": _normal(_vector),
    # Positive, for logarithms and powers.
    "p": lambda random, size: random.uniform(0.1, 10, size).astype(np.float32),
    # Each value once, in any order: sorting has one answer.
    "u": lambda random, size: random.permutation(size).astype(np.float32),
    "c": lambda random, size: random.random(size) < 0.5,
    # Nothing to stop at.
    "never": lambda random, size: np.zeros(size, bool),
    "m": _normal(_matrix),
    "um": lambda random, size: random.permutation(math.prod(_matrix(size))).astype(np.float32).reshape(_matrix(size)),
    "flipped": _normal(lambda size: _matrix(size)[::-1]),
    "k": lambda random, size: _columns(size),
    "a": _normal(_square),
    "b": _normal(_square),
    "scale": _normal(_columns),
    "shift": _normal(_columns),
    "labels": lambda random, size: random.integers(0, _columns(size), _matrix(size)[0]),
    "columns": lambda random, size: random.integers(0, _columns(size), _matrix(size)),
    "rows": lambda random, size: random.integers(0, _matrix(size)[0], _matrix(size)[0]),
}


@functools.lru_cache(maxsize=24)
def draw(name, size):
    """Return the data of a name at a size."""
    return DATA[name](np.random.default_rng(zlib.crc32(name.encode())), size)


def values(names, size):
    """Return the data among some names, by name."""
    return {name: draw(name, size) for name in sorted(names & DATA.keys())}
