"""Threads for large arrays: how many, the pool, and how one call of a kernel is divided among them.

A kernel knows of no thread. Large calls are divided above it: workers of one pool call the same ufunc, which releases
the GIL, on disjoint parts of one result. Nothing else runs in them: no op, no mode, no hook. Small calls stay on the
calling thread, and what nobody else has time for does too, so a busy pool is never waited for.

Where parts begin depends on shapes alone, each element is computed by the same loop whoever computes it, and partial
results are combined in order: results are equal bit for bit for any number of threads.
"""

from __future__ import annotations

from .limits import get_num_threads, num_threads, set_num_threads

__all__ = ["get_num_threads", "num_threads", "set_num_threads"]
