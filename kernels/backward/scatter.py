"""Gradients of ``forward/scatter.py``: what was written or added to a position gets the gradient that is read there.

What was overwritten gets none: ``put_along`` and ``put_between`` themselves write zeros over its gradient. Whole rows
are read by NumPy.
"""

from ..forward.indexing import take_along as add_along
from ..forward.indexing import take_along as put_along
from ..forward.indexing import take_between as add_between
from ..forward.indexing import take_between as put_between

__all__ = ["add_along", "add_between", "put_along", "put_between"]
