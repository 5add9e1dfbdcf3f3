"""Makes ``numtensor.kernels`` importable in a checkout that was never installed.

An installed package finds it by itself; in a checkout the folder ``kernels/`` lies beside ``numtensor/``.
"""

import importlib.util
import sys
from pathlib import Path


def bind_kernels():
    """Import ``numtensor.kernels`` from the folder beside this package unless the import system already finds it."""
    name = f"{__package__}.kernels"
    if name in sys.modules or importlib.util.find_spec(name) is not None:
        return
    folder = Path(__file__).resolve().parent.parent / "kernels"
    file = folder / "__init__.py"
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=[str(folder)])
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    sys.modules[__package__].kernels = module
