"""Which arguments of a function are differentiated with respect to, and what of its result is aux."""


def _positions(op, args, argnums):
    positions = argnums if isinstance(argnums, tuple) else (argnums,)
    if args and not positions:
        raise RuntimeError(f"{op}: argnums must name an argument")
    for position in positions:
        if type(position) is not int:
            raise RuntimeError(f"{op}: argnums must be an int or a tuple of ints, got {argnums!r}")
        if not -len(args) <= position < len(args):
            raise RuntimeError(f"{op}: Got argnum={position}, but only {len(args)} positional inputs")
    positions = tuple(position % len(args) for position in positions)
    if len(set(positions)) != len(positions):
        raise RuntimeError(f"{op}: argnums must be different from each other, got {argnums!r}")
    return positions


def chosen(op, args, argnums):
    """Return the argument that `argnums` names, or a tuple of arguments where it is a tuple.

    Raises:
        RuntimeError: there is no such argument, or one is named twice.
    """
    positions = _positions(op, args, argnums)
    return tuple(args[p] for p in positions) if isinstance(argnums, tuple) else args[positions[0]]


def with_chosen(args, argnums, values):
    """Return the arguments with others in place of what `chosen` returned."""
    positions = _positions("", args, argnums)
    replaced = list(args)
    for position, value in zip(positions, values if isinstance(argnums, tuple) else (values,), strict=True):
        replaced[position] = value
    return replaced


def split_aux(op, result, has_aux):
    """Return (output, aux) of what a function returned; aux is None where there is none.

    Raises:
        RuntimeError: it is no pair though `has_aux` says so.
    """
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuntimeError(f"{op}: with has_aux=True the function must return a pair (output, aux)")
    return result
