"""Gradients of ``forward/scatter.py``: what was written or added to a position gets the gradient that is read there.

What was overwritten gets none: ``put_along`` and ``put_rows`` themselves write zeros over its gradient.
"""

from ..forward.indexing import take_along as add_along
from ..forward.indexing import take_along as put_along
from ..forward.indexing import take_rows as add_rows
from ..forward.indexing import take_rows as put_rows

__all__ = ["add_along", "add_rows", "put_along", "put_rows"]
