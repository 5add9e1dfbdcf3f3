"""Stable sorts by radix, and the k best of a row. NaN is the largest number, -0. and 0. are equal.

Only the bits in which keys differ are sorted by: of numbers of like size, or small integers, those are few.

Kernels allocate nothing: `scratch` is an input that they write to. Positions are sorted together with keys, so equal
elements keep their order; `flip` is 0, or -1 for descending order.
"""

import numpy as np

from .. import memory
from ..declare import gufunc
from ..ordering import sort_key
from ..scalar import scalar

ZERO, ONE = np.uintp(0), np.uintp(1)
# Up to so many elements, comparing each with each, which vectorises, is faster than counting digits.
FEW = np.uintp(64)
# From so many elements on, larger digits pay for clearing and adding up more counters: of keys that share an integer
# with their positions, and of those that move beside them, which counters compete with for the first cache.
MANY, MANY_WIDE = np.uintp(1000), np.uintp(6000)
SMALL_DIGIT, LARGE_DIGIT = np.uint64(8), np.uint64(11)
counters = memory.StackArray("uint64", 2048)

_KEY_SHIFT = np.uint64(32)
_HALF_32 = np.int64(2**31)
_KEY_MASK_32 = np.uint64(2**32 - 1)
_SIGN_64 = np.uint64(2**63)


@scalar
def plan_digits(varying, large):
    """Return the range of the bits in which keys differ, and the bits of a digit; equal keys have an empty range."""
    low, high = np.uint64(0), np.uint64(64)
    while high > low and not varying >> (high - np.uint64(1)):
        high -= np.uint64(1)
    while low < high and not (varying >> low) & np.uint64(1):
        low += np.uint64(1)
    digit = LARGE_DIGIT if large else SMALL_DIGIT
    passes = max((high - low + digit - np.uint64(1)) // digit, np.uint64(1))
    return low, high, (high - low + passes - np.uint64(1)) // passes


@scalar
def count_digits(keys, shift, mask, starts):
    """Write to `starts` where in order each digit's elements begin; return whether all have the same digit."""
    n = np.uintp(keys.shape[0])
    for digit in range(np.uintp(mask) + ONE):
        starts[digit] = np.uint64(0)
    for i in range(n):
        starts[np.uintp((keys[i] >> shift) & mask)] += np.uint64(1)
    same = starts[np.uintp((keys[ZERO] >> shift) & mask)] == np.uint64(n)
    total = np.uint64(0)
    for digit in range(np.uintp(mask) + ONE):
        count = starts[digit]
        starts[digit] = total
        total += count
    return same


@scalar
def rank_all(keys, others):
    """Write to `others` a few keys, no two of them equal, in order: each to the place that counts the smaller ones."""
    n = np.uintp(keys.shape[0])
    for i in range(n):
        key = keys[i]
        smaller = np.uint64(0)
        for j in range(n):
            smaller += np.uint64(keys[j] < key)
        others[np.uintp(smaller)] = key


@gufunc("(n),(),(two,n)->(n),(n)", "T,int64,uint64->T,int64")
def sort_narrow(x, flip, scratch, values, order):
    """Sort elements of at most 32 bits and fewer than 2**32 of them: key and position share one integer."""
    n = np.uintp(x.shape[0])
    keys = scratch[0]
    others = scratch[1]
    turned = np.uint64(flip) & _KEY_MASK_32
    varying = np.uint64(0)
    first = np.uint64(np.int64(sort_key(x[ZERO])) + _HALF_32) ^ turned if n > ZERO else np.uint64(0)
    for i in range(n):
        key = np.uint64(np.int64(sort_key(x[i])) + _HALF_32) ^ turned
        varying |= key ^ first
        keys[i] = (key << _KEY_SHIFT) | np.uint64(i)
    if n <= FEW:
        rank_all(keys, others)
        keys = others
    else:
        starts = counters()
        shift, stop, digit = plan_digits(varying << _KEY_SHIFT, n >= MANY)
        mask = (np.uint64(1) << digit) - np.uint64(1)
        while shift < stop:
            if not count_digits(keys, shift, mask, starts):
                for i in range(n):
                    key = keys[i]
                    place = np.uintp((key >> shift) & mask)
                    others[np.uintp(starts[place])] = key
                    starts[place] += np.uint64(1)
                keys, others = others, keys
            shift += digit
    for i in range(n):
        position = np.uintp(keys[i] & _KEY_MASK_32)
        order[i] = np.int64(position)
        values[i] = x[position]


@gufunc("(n),(),(four,n)->(n),(n)", "T,int64,uint64->T,int64")
def sort_wide(x, flip, scratch, values, order):
    """Sort elements of 64 bits: keys and positions move side by side."""
    n = np.uintp(x.shape[0])
    keys = scratch[0]
    other_keys = scratch[1]
    positions = scratch[2]
    other_positions = scratch[3]
    turned = np.uint64(flip) ^ _SIGN_64
    varying = np.uint64(0)
    first = np.uint64(sort_key(x[ZERO])) ^ turned if n > ZERO else np.uint64(0)
    for i in range(n):
        key = np.uint64(sort_key(x[i])) ^ turned
        varying |= key ^ first
        keys[i] = key
        positions[i] = np.uint64(i)
    starts = counters()
    shift, stop, digit = plan_digits(varying, n >= MANY_WIDE)
    mask = (np.uint64(1) << digit) - np.uint64(1)
    while shift < stop:
        if not count_digits(keys, shift, mask, starts):
            for i in range(n):
                key = keys[i]
                digit_value = np.uintp((key >> shift) & mask)
                place = np.uintp(starts[digit_value])
                other_keys[place] = key
                other_positions[place] = positions[i]
                starts[digit_value] += np.uint64(1)
            keys, other_keys = other_keys, keys
            positions, other_positions = other_positions, positions
        shift += digit
    for i in range(n):
        position = np.uintp(positions[i])
        order[i] = np.int64(position)
        values[i] = x[position]


# Elements whose best key is compared with the worst one kept, before any of them is looked at.
BLOCK = np.uintp(64)


@scalar
def best_in_block(x, flip, start, stop):
    """The largest of sort_key(x) ^ flip for x[start:stop]."""
    best = np.int64(sort_key(x[start])) ^ flip
    for i in range(start, stop):
        key = np.int64(sort_key(x[i])) ^ flip
        best = key if key > best else best
    return best


@gufunc("(n),(),(k)->(k),(k)", "T,int64,int64->T,int64")
def topk(x, flip, scratch, values, order):
    """The k largest (`flip` 0) or smallest (-1) elements, best first; of equal ones those in front. 0 < k <= n.

    The best ones so far are kept in order: a block none of which beats the worst of them is passed over.
    """
    n = np.uintp(x.shape[0])
    k = np.uintp(scratch.shape[0])
    held = ZERO
    start = ZERO
    while start < n:
        stop = min(start + BLOCK, n)
        if held < k or best_in_block(x, flip, start, stop) > scratch[k - ONE]:
            for i in range(start, stop):
                key = np.int64(sort_key(x[i])) ^ flip
                if held < k or key > scratch[k - ONE]:
                    j = held if held < k else k - ONE
                    while j > ZERO and scratch[j - ONE] < key:
                        scratch[j] = scratch[j - ONE]
                        order[j] = order[j - ONE]
                        j -= ONE
                    scratch[j] = key
                    order[j] = np.int64(i)
                    held = min(held + ONE, k)
        start = stop
    for j in range(k):
        values[j] = x[np.uintp(order[j])]
