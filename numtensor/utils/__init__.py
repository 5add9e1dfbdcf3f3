"""What stands beside tensors: data sets and loaders, modes in threads, recomputation."""

from . import checkpoint, data
from .threads import mode_initializer, wrap_mode

__all__ = ["checkpoint", "data", "mode_initializer", "wrap_mode"]
