"""Automatic differentiation: ``backward``, ``grad`` and what stands around them.

What is recorded is in ``numtensor.graph``, below the tensor; here stands what walks it, above the ops.
"""

from .backward import backward_all as backward
from .backward import grad

__all__ = ["backward", "grad"]
