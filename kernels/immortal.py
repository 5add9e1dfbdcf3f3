"""What machine code and C have pointers to, and must live until the process ends.

A list of a module's is not enough: when the interpreter ends it clears modules, and looks through functions that point
to what the list held.
"""

import ctypes

_hold = ctypes.pythonapi.Py_IncRef
_hold.argtypes, _hold.restype = [ctypes.py_object], None


def keep(*things):
    """Let objects never be freed."""
    _hold(things)
