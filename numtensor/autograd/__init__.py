"""Automatic differentiation: ``backward``, ``grad`` and what stands around them."""
