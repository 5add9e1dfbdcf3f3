"""Makes ``numtensor.kernels`` importable in a checkout that was never installed.

An installed package finds it by itself; in a checkout the folder ``kernels/`` lies beside ``numtensor/``.
"""

import importlib.util
import os
import sys


def bind_kernels():
    """Import ``numtensor.kernels`` from the folder beside this package unless the import system already finds it."""
    name = f"{__package__}.kernels"
    if name in sys.modules or importlib.util.find_spec(name) is not None:
        return
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "kernels")
    file = os.path.join(folder, "__init__.py")
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=[folder])
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    sys.modules[__package__].kernels = module
