"""What stands beside tensors: data sets and loaders, modes in threads."""

from . import data
from .threads import mode_initializer, wrap_mode

__all__ = ["data", "mode_initializer", "wrap_mode"]
