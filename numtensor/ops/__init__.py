"""The ops: one declaration per op, one file per family.

Importing a family declares its ops in the table (`declaration.OPS`); nothing else lists them.
"""

from . import (
    activation,
    arithmetic,
    binary_loss,
    bind,
    choice,
    classification_loss,
    compare_all,
    comparison,
    conversion,
    creation,
    cumulative,
    distance,
    dropout,
    einsum,
    embedding,
    expand,
    exponential,
    extremes,
    filled,
    flip,
    gather,
    hyperbolic,
    indexing,
    interop,
    join,
    matmul,
    norm,
    normalization,
    order,
    power,
    products,
    random_ops,
    ranges,
    reduction,
    regression_loss,
    repetition,
    rounding,
    scatter,
    search,
    shape,
    shape_inplace,
    slicing,
    sorting,
    special,
    split,
    transpose,
    triangular,
    trigonometric,
    variance,
    view_transpose,
)
from .declaration import OPS

bind.bind_all()


def public_functions(namespace):
    """Return the public functions of one namespace (``""`` is the top) by name, aliases included."""
    found = {}
    for op in OPS.values():
        for name in (op.function_name, *op.aliases):
            place, _, name = (name if "." in name else f"{op.namespace}.{name}").rpartition(".")
            if place == namespace:
                found[name] = op.public
    return found


# What only other ops use, such as the two kinds of gelu: one public op chooses among them.
globals().update(public_functions("ops"))
