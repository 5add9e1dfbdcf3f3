"""Benchmarks, derived from the op table: every declared op has one without another line being written.

This file runs before NumPy and Numba are imported: it pins thread counts, and gives each commit its own compiled
code, so that one commit never runs another's kernels.
"""

import os
import sys
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
if "ASV_COMMIT" in os.environ and "NUMTENSOR_CACHE_DIR" in os.environ:
    os.environ["NUMTENSOR_CACHE_DIR"] = str(Path(os.environ["NUMTENSOR_CACHE_DIR"]) / os.environ["ASV_COMMIT"][:12])

# The test table says what to call each op with.
sys.path.append(str(Path(__file__).resolve().parents[2]))
