"""Nested containers of tensors: tuples, lists and dicts, which transforms take apart and put together again."""

from ..tensor import Tensor


def flatten(tree):
    """Return the leaves of a tree in order, dicts in theirs."""
    if isinstance(tree, (tuple, list)):
        return [leaf for part in tree for leaf in flatten(part)]
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in flatten(part)]
    return [tree]


def rebuild(tree, leaves):
    """Return a tree of the same structure with other leaves, taken from an iterator."""
    leaves = iter(leaves)

    def build(part):
        if isinstance(part, tuple) and hasattr(part, "_fields"):
            return type(part)(*map(build, part))
        if isinstance(part, (tuple, list)):
            return type(part)(map(build, part))
        if isinstance(part, dict):
            return {key: build(value) for key, value in part.items()}
        return next(leaves)

    return build(tree)


def map_leaves(function, tree):
    """Return a tree of the same structure with `function` of each leaf."""
    return rebuild(tree, map(function, flatten(tree)))


def tensors_of(op, tree, what):
    """Return the leaves of a tree, all of which must be tensors.

    Raises:
        TypeError: one is not.
    """
    leaves = flatten(tree)
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise TypeError(
                f"{op}: expected {what} to be a Tensor, or tensors in tuples, lists and dicts, got "
                f"{type(leaf).__name__}"
            )
    return leaves
