"""What PyTorch has in ``torch.autograd.graph``: the nodes of the graph, and hooks on what they save."""

from ..graph import Node
from .saved_hooks import saved_tensors_hooks

__all__ = ["Node", "saved_tensors_hooks"]
