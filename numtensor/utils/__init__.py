"""What stands beside tensors: data sets and loaders."""

from . import data

__all__ = ["data"]
