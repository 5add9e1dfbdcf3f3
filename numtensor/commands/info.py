"""``numtensor info``: what a bug report should say."""

import importlib.metadata
import os
import platform

from .. import __version__
from ..ops import OPS
from .cache import describe_store


def add_arguments(parser):
    """Add this command's arguments to its parser (none)."""


def run(arguments):
    """Run the command."""
    print(f"numtensor {__version__}, {len(OPS)} ops")
    print(f"Python {platform.python_version()} ({platform.python_implementation()}) on {platform.platform()}")
    for package in ("numpy", "numba", "llvmlite", "scipy", "safetensors"):
        try:
            print(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            print(f"{package} not installed")
    import llvmlite.binding as llvm

    print(f"processor: {llvm.get_host_cpu_name()}, {os.cpu_count()} cores")
    print(describe_store())
