"""Modules of this package that are executed when something of them is first asked for.

A package can give such names by a ``__getattr__`` of its own. But Python 3.11 and later keep a short way to the
attributes of a module only while it has none: with one, every ``nt.exp`` anywhere costs 30 ns more.

`importlib.util.LazyLoader` is the same idea. Before Python 3.12.2 it lets a second thread see a module half made; and
as it executes the module for the import system, too, it can wait for ever for a thread that imports a submodule.
"""

import os
import sys
import threading
from importlib.util import find_spec, module_from_spec
from types import ModuleType

# What the import system reads, which is there from the start.
_OF_IMPORTS = frozenset(
    ("__cached__", "__class__", "__file__", "__loader__", "__name__", "__package__", "__path__", "__spec__")
)

NAMES = set()
"""Of all modules that were made so."""

# One for all: of two modules each may look into the other. Not in their specs, where `importlib.util` has such things:
# `importlib.reload` gives a module another.
_lock = threading.RLock()
_running = set()


def on_demand(name):
    """Return the module `name`, to be executed when an attribute of it is first asked for.

    It is the one that every import of `name` gives, before that and after. An error while it is executed is raised
    where the attribute was asked for, and the next time it is tried again.

    Args:
        name: of the module, in full.
    """
    if name in sys.modules:
        return sys.modules[name]
    if not NAMES and hasattr(os, "register_at_fork"):
        # A child forked while another thread executes a module would wait for ever for a thread it does not have, here
        # or in an import. What was registered before this is locked after it: modules that are executed may need that.
        os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
    NAMES.add(name)
    module = module_from_spec(find_spec(name))
    module.__class__ = _OnDemand
    sys.modules[name] = module
    return module


class _OnDemand(ModuleType):
    """A module that is executed at the first look into it, and an ordinary one from then on."""

    def __getattribute__(self, name):
        if name not in _OF_IMPORTS:
            _execute(self)
        return ModuleType.__getattribute__(self, name)

    def __setattr__(self, name, value):
        # A submodule that is imported is put here by a thread that others may wait for.
        if name not in _OF_IMPORTS and not isinstance(value, ModuleType):
            _execute(self)
        ModuleType.__setattr__(self, name, value)

    def __delattr__(self, name):
        _execute(self)
        ModuleType.__delattr__(self, name)


def _execute(module):
    with _lock:
        # Another thread may have been first; and what is executed looks into itself.
        if module in _running or module.__class__ is ModuleType:
            return
        _running.add(module)
        try:
            module.__loader__.exec_module(module)
            module.__class__ = ModuleType
        finally:
            _running.discard(module)
