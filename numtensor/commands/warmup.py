"""``numtensor warmup``: fill the kernel store ahead of time, in parallel processes.

Processes, not threads: Numba compiles under one lock per process.
"""

import concurrent.futures
import multiprocessing
import os
import sys
import time

import numpy as np

from ..dtypes import NUMERIC
from ..kernels import progress as progress_line
from ..kernels import store, transposition
from ..kernels.declare import REGISTRY, Elementwise
from ..ops import OPS
from .progress import progress

DEFAULT_DTYPES = ("float32", "float64")


def add_arguments(parser):
    """Add this command's arguments to its parser."""
    parser.add_argument(
        "--dtypes",
        default=",".join(DEFAULT_DTYPES),
        help="working dtypes, separated by commas (default: %(default)s)",
    )
    parser.add_argument("--match", default="", help="only kernels whose name contains this text")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="parallel processes (default: one per core, %(default)s)"
    )


def run(arguments):
    """Run the command."""
    if store.folder() is None:
        print("warmup: the kernel store is off or cannot be written; there is nowhere to keep kernels", file=sys.stderr)
        return 1
    dtypes = arguments.dtypes.split(",")
    unknown = [name for name in dtypes if name not in {kind.name for kind in NUMERIC}]
    if unknown:
        print(f"warmup: unknown dtype {unknown[0]!r}", file=sys.stderr)
        return 1
    items = [item for item in work_items(dtypes) if arguments.match in item[0]]
    if not items:
        print(f"warmup: no kernel's name contains {arguments.match!r}", file=sys.stderr)
        return 1
    start = time.perf_counter()
    failures = []
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(max(1, arguments.jobs), context, progress_line.turn_off) as pool:
        results = pool.map(compile_item, items, chunksize=4)
        for item, error in zip(items, progress(results, len(items), "compiling kernels", "kernel"), strict=True):
            if error:
                failures.append((item, error))
    for (name, _, dtype), error in failures:
        print(f"warmup: {name} for {dtype} failed: {error}", file=sys.stderr)
    print(
        f"{len(items) - len(failures)} kernels ready in {store.folder()} after {time.perf_counter() - start:.1f} s"
    )
    return 1 if failures else 0


def work_items(dtypes):
    """Return what there is to compile: (kernel, variant or None, dtype), as ops ask for it.

    A variant is a pair (operands kept, results chosen) of a backward kernel, ``"rows"``, or the item size of the copies
    that turn a matrix.
    """
    items = []
    claimed = set()
    for op in OPS.values():
        if op.kind == "elementwise":
            supported = {kind.name for kind in op.dtypes}
            claimed.add(op.forward.name)
            items += [(op.forward.name, None, dtype) for dtype in dtypes if dtype in supported]
            if isinstance(op.backward, Elementwise):
                claimed.add(op.backward.name)
                items += [
                    (op.backward.name, variant, dtype)
                    for variant in op.backward_variants()
                    for dtype in dtypes
                    if dtype in supported and np.dtype(dtype).kind == "f"
                ]
    for kernel in REGISTRY.values():
        if kernel.name not in claimed:
            items += [(kernel.name, None, dtype) for dtype in dtypes if np.dtype(dtype).kind == "f"]
        if getattr(kernel, "rows", None) is not None:
            items += [(kernel.name, "rows", dtype) for dtype in dtypes if np.dtype(dtype).kind == "f"]
    return items + [("transposing", size, None) for size in transposition.SIDES]


def compile_item(item):
    """Make one kernel ready, in a worker; return an error's text or None.

    A kernel that no op declares with its dtypes (a reduction of integers, say) may not exist for this one: that Numba
    cannot type it is no failure.
    """
    name, variant, dtype = item
    if name == "transposing":
        transposition.transposing(variant)
        return None
    kernel = REGISTRY[name]
    try:
        if variant is None:
            kernel.loops[np.dtype(dtype)]
        elif variant == "rows":
            kernel.rows[np.dtype(dtype)]
        else:
            kernel.variant(*variant)[np.dtype(dtype)]
    except Exception as error:
        declared = {op.forward.name for op in OPS.values() if op.kind == "elementwise"}
        if type(error).__name__ == "TypingError" and variant is None and name not in declared:
            return None
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return None
