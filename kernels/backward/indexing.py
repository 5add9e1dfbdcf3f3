"""Gradients of ``forward/indexing.py``: what was read from a position is added there."""

from ..forward.indexing import tril, triu
from ..forward.scatter import add_along as take_along
from ..forward.scatter import add_between as take_between

__all__ = ["take_along", "take_between", "tril", "triu"]
