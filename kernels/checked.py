"""The checked build: index-taking kernels that compare every index with the real extent.

A kernel cannot raise, and an index out of range inside compiled code is memory corruption, so ``ops/`` validates
before a kernel is called. The checked build (``NUMTENSOR_CHECKED=1``) tests that it really does: `in_bounds` then
compares, the kernel records a violation in its `status` output, and the caller raises. In the ordinary build
`in_bounds` is the constant True and costs nothing.
"""

import os

import numpy as np

from .scalar import CheckedConstant, scalar

CHECKED_BUILD = os.environ.get("NUMTENSOR_CHECKED", "0") not in ("", "0")

CHECKED = CheckedConstant()


@scalar
def in_bounds(index, extent):
    """Whether 0 <= index < extent; always True in the ordinary build."""
    if CHECKED:
        return index >= 0 and index < extent
    return True


class KernelIndexError(IndexError):
    """An index-taking kernel met an index out of range: the check in front of it is missing or wrong."""


def raise_on_violation(name, status):
    """Raise KernelIndexError if a `status` output (an array or a number) records a violation."""
    # A quarter of the time of any(), which is a Python function below.
    if np.count_nonzero(status):
        raise KernelIndexError(f"{name}: the kernel met an index out of range; the check before it let it pass")
