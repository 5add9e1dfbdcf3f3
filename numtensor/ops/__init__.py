"""The ops: one declaration per op, one file per family.

Importing a family declares its ops in the table (`declaration.OPS`); nothing else lists them.
"""

from . import bind, conversion, elementwise, shape
from .declaration import OPS

bind.bind_all()


def public_functions(namespace):
    """Return the public functions of one namespace (``""`` is the top) by name, aliases included."""
    found = {}
    for op in OPS.values():
        if op.namespace == namespace:
            for name in (op.function_name, *op.aliases):
                found[name] = op.public
    return found
