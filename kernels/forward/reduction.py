"""Reductions. ``backward/reduction.py`` mirrors this file."""
