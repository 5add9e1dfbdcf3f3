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
        RuntimeError: one is not, or there is none.
    """
    leaves = flatten(tree)
    _check_tensors(op, leaves, what)
    return leaves


def tensors_like(op, tree, what, like):
    """Return the leaves of a tree in the order of another, of whose structure it must be; all must be tensors.

    Raises:
        RuntimeError: the structures differ, or a leaf is no tensor.
    """
    leaves = []

    def walk(part, other):
        if isinstance(other, dict):
            if not isinstance(part, dict) or part.keys() != other.keys():
                _refuse_structure(op, what, part, other)
            for key in other:
                walk(part[key], other[key])
        elif isinstance(other, (tuple, list)):
            if type(part) is not type(other) or len(part) != len(other):
                _refuse_structure(op, what, part, other)
            for pair in zip(part, other, strict=True):
                walk(*pair)
        elif isinstance(part, (tuple, list, dict)):
            _refuse_structure(op, what, part, other)
        else:
            leaves.append(part)

    walk(tree, like)
    _check_tensors(op, leaves, what)
    return leaves


def _refuse_structure(op, what, part, other):
    def named(tree):
        if isinstance(tree, dict):
            return f"dict with the keys {list(tree)}"
        return f"{type(tree).__name__} of {len(tree)}" if isinstance(tree, (tuple, list)) else type(tree).__name__

    raise RuntimeError(f"{op}: {what} must have the same structure: expected {named(other)}, got {named(part)}")


def _check_tensors(op, leaves, what):
    if not leaves:
        raise RuntimeError(f"{op}: expected {what} to be a Tensor, or tensors in tuples, lists and dicts, got none")
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise RuntimeError(
                f"{op}: expected {what} to be a Tensor, or tensors in tuples, lists and dicts, got "
                f"{type(leaf).__name__}"
            )
