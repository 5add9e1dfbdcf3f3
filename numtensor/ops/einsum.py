"""Einstein sums: products of tensors with named dimensions, summed over names that the result lacks."""

import numpy as np

from .dims import normalise_dim
from .general_kind import composite, library
from .matmul import BLAS, _check_dtypes
from .silent import silent

# ----------------------------------------------------------------------------------------------------------------------
# The contraction: every name at most once in each operand, and in another operand or the result


def _contract_pair(a, a_names, b, b_names, kept):
    """Return (array, names) of the product of two arrays, summed over the names that are not kept, as a batch of
    matrix products."""
    both = [n for n in a_names if n in b_names and n in kept]
    summed = [n for n in a_names if n in b_names and n not in kept]
    left = [n for n in a_names if n not in b_names]
    right = [n for n in b_names if n not in a_names]
    sizes = dict(zip(a_names, a.shape, strict=True)) | dict(zip(b_names, b.shape, strict=True))

    def count(names):
        return int(np.prod([sizes[n] for n in names]))

    a = a.transpose([a_names.index(n) for n in (*both, *left, *summed)])
    b = b.transpose([b_names.index(n) for n in (*both, *summed, *right)])
    batch, rows, inner, columns = count(both), count(left), count(summed), count(right)
    if both:
        product = silent.run(np.matmul, a.reshape(batch, rows, inner), b.reshape(batch, inner, columns))
    else:
        product = silent.run(np.dot, a.reshape(rows, inner), b.reshape(inner, columns))
    names = [*both, *left, *right]
    return product.reshape([sizes[n] for n in names]), names


def _contract(names, output, arrays):
    """Return the sum of products of arrays whose dimensions have the names."""
    operands = list(zip(arrays, names, strict=True))
    for other in arrays[1:]:
        _check_dtypes("einsum (contract)", arrays[0], other)
    if len(operands) == 1:
        _check_dtypes("einsum (contract)", arrays[0], arrays[0])
    path = [(0, 1)] if len(operands) == 2 else []
    if len(operands) > 2:
        # Which pair first: a wrong order may need a product larger than any operand.
        numbered = [part for array, own in operands for part in (array, own)]
        path = np.einsum_path(*numbered, output, optimize="greedy")[0][1:]
    for positions in path:
        chosen = [operands.pop(position) for position in sorted(positions, reverse=True)][::-1]
        first = chosen[0]
        for number, second in enumerate(chosen[1:], 2):
            kept = {n for _, own in (*operands, *chosen[number:]) for n in own} | set(output)
            first = _contract_pair(*first, *second, kept)
        operands.append(first)
    ((array, own),) = operands
    result = array.transpose([own.index(n) for n in output])
    # What is returned is written to later: it must not be the operand itself.
    return result.copy() if np.may_share_memory(result, arrays[0]) else result


@library(
    BLAS,
    tensors=("operands",),
    sequence="operands",
    saves="operands",
    linear="each",
    method=False,
    namespace="autograd",
)
def contract(names, output, operands):
    """Sum products of tensors with named dimensions; users call `einsum`, which simplifies what comes here.

    Args:
        names: for each operand the names (ints) of its dimensions, each once. Each name is in another operand or in
            `output`, too, with the same size.
        output: the names of the result's dimensions.
        operands: tensors of one dtype.

    Returns:
        A tensor with the dimensions `output`.

    Raises:
        RuntimeError: the dtypes differ.

    Example:
        >>> import numtensor as nt
        >>> nt.autograd.contract(((0,), (0,)), (), (nt.tensor([1.0, 2.0]), nt.tensor([3.0, 4.0])))
        tensor(11.)
    """


@contract.forward
def _(names, output, operands):
    return _contract([list(own) for own in names], list(output), operands)


def _turned(names, output, operands, position):
    """Return (names, output, other operands): the contraction that gives one operand's gradient, but for `grad`."""
    rest = [k for k in range(len(operands)) if k != position]
    return (output, *(names[k] for k in rest)), names[position], [operands[k] for k in rest]


@contract.backward
def _(grad, needs, names, output, operands):
    results = []
    for position in range(len(operands)):
        if not needs[position]:
            results.append(None)
            continue
        turned, wanted, others = _turned(names, output, operands, position)
        results.append(_contract([list(own) for own in turned], list(wanted), [grad, *others]))
    return results


@contract.vjp
def _(grad, needs, names, output, operands):
    results = []
    for position in range(len(operands)):
        if not needs[position]:
            results.append(None)
            continue
        turned, wanted, others = _turned(names, output, operands, position)
        results.append(contract(turned, wanted, [grad, *others]))
    return results


# ----------------------------------------------------------------------------------------------------------------------
# The equation


def _letters(equation, term, rank):
    """Return the names of a term's dimensions: letters, and the positions from the right that an ellipsis covers."""
    term = term.replace(" ", "")
    head, dots, tail = term.partition("...")
    for letter in head + tail:
        if not (letter.isascii() and letter.isalpha()):
            raise RuntimeError(f"einsum: invalid subscript {letter!r} in {equation!r}: subscripts are letters a-z, A-Z")
    covered = rank - len(head) - len(tail)
    if covered < 0 or (covered and not dots):
        raise RuntimeError(
            f"einsum: the number of subscripts in {term!r} does not match the number of dimensions ({rank}) of its "
            f"operand, in {equation!r}"
        )
    return [*head, *range(covered, 0, -1), *tail]


def _parse(equation, ranks):
    """Return (names of each operand, names of the output); the dimensions of an ellipsis are named by ints."""
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise RuntimeError(
            f"einsum: {len(terms)} operands were named in {equation!r}, but {len(ranks)} were given"
        )
    names = [_letters(equation, term, rank) for term, rank in zip(terms, ranks, strict=True)]
    covered = list(range(max((n for own in names for n in own if isinstance(n, int)), default=0), 0, -1))
    if not arrow:
        every = [n for own in names for n in own if isinstance(n, str)]
        return names, covered + sorted(n for n in set(every) if every.count(n) == 1)
    right = right.replace(" ", "")
    head, dots, tail = right.partition("...")
    output = [*head, *(covered if dots else ()), *tail]
    known = {n for own in names for n in own}
    for name in output:
        if name not in known:
            raise RuntimeError(f"einsum: output subscript {name!r} does not appear in the operands of {equation!r}")
        if output.count(name) > 1:
            raise RuntimeError(f"einsum: output subscript {name!r} appears more than once in {equation!r}")
    return names, output


def _from_sublists(arguments):
    """Return (equation, operands) of the form einsum(a, [0, 1], b, [1, 2], [0, 2])."""

    def text(sublist):
        term = ""
        for entry in sublist:
            if entry is Ellipsis:
                term += "..."
            elif isinstance(entry, int) and 0 <= entry < 52:
                term += chr(ord("A") + entry) if entry < 26 else chr(ord("a") + entry - 26)
            else:
                raise RuntimeError(f"einsum: subscripts in a list must be ints in [0, 52) or Ellipsis, got {entry!r}")
        return term

    operands, terms = list(arguments[0::2]), list(arguments[1::2])
    equation = ""
    if len(operands) > len(terms):
        equation = "->" + text(operands.pop())
    return ",".join(text(term) for term in terms) + equation, operands


@composite(tensors=(), method=False)
def einsum(equation, *operands):
    """Multiply tensors and sum, as an equation over named dimensions says: ``"ij,jk->ik"`` is the matrix product.

    Args:
        equation: a term of letters for each operand, separated by commas; then, after ``->``, the letters of the
            result, by default those that occur once, sorted. ``...`` stands for dimensions that broadcast. A letter
            twice in a term takes the diagonal. Instead, each operand may be followed by its list of ints, and a last
            list name the result.
        operands: tensors of one dtype; also as one list.

    Returns:
        A tensor with the dimensions that the equation names.

    Raises:
        RuntimeError: the equation is invalid, or does not fit the shapes.

    Reference: ``torch.einsum``.

    Example:
        >>> import numtensor as nt
        >>> a = nt.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> nt.einsum("ij,j->i", a, nt.tensor([1.0, 1.0]))
        tensor([3., 7.])
        >>> nt.einsum("ii->i", a)
        tensor([1., 4.])
    """
    if not isinstance(equation, str):
        if not operands:
            raise ValueError("einsum: must provide an equation or subscript lists, and at least one operand")
        equation, operands = _from_sublists((equation, *operands))
    elif len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = operands[0]
    if not operands:
        raise ValueError(f"einsum: must provide at least one operand for {equation!r}")
    for operand in operands:
        if not hasattr(operand, "_array"):
            raise TypeError(f"einsum: the operands must be Tensors, not {type(operand).__name__}")
    names, output = _parse(equation, [operand.dim() for operand in operands])
    pairs = [_diagonals(equation, operand, own) for operand, own in zip(operands, names, strict=True)]
    sizes = {}
    for operand, own in pairs:
        for name, size in zip(own, operand.shape, strict=True):
            if sizes.setdefault(name, size) != size:
                if size != 1 and sizes[name] != 1:
                    raise RuntimeError(
                        f"einsum: operands do not broadcast with {equation!r}: subscript {name!r} has the sizes "
                        f"{sizes[name]} and {size} (shapes {[tuple(o.shape) for o in operands]})"
                    )
                sizes[name] = size if sizes[name] == 1 else sizes[name]
    # A dimension of size 1 that another operand has in full says nothing: it is dropped before the product.
    pairs = [_without_units(operand, own, sizes) for operand, own in pairs]
    for position, (operand, own) in enumerate(pairs):
        elsewhere = {n for k, (_, names_of) in enumerate(pairs) if k != position for n in names_of} | set(output)
        alone = [k for k, name in enumerate(own) if name not in elsewhere]
        if alone:
            pairs[position] = operand.sum(alone), [name for name in own if name in elsewhere]
    numbers = {name: number for number, name in enumerate(dict.fromkeys([*output, *sizes]))}
    if len(pairs) == 1:
        ((operand, own),) = pairs
        return operand.permute([own.index(name) for name in output])
    return contract(
        tuple(tuple(numbers[n] for n in own) for _, own in pairs),
        tuple(numbers[n] for n in output),
        [operand for operand, _ in pairs],
    )


def _diagonals(equation, operand, names):
    """Return (tensor, names) with every name once: of a repeated one the diagonal."""
    names = list(names)
    for name in dict.fromkeys(names):
        while names.count(name) > 1:
            first = names.index(name)
            second = names.index(name, first + 1)
            if operand.shape[first] != operand.shape[second]:
                raise RuntimeError(
                    f"einsum: subscript {name!r} is repeated for dimensions of sizes {operand.shape[first]} and "
                    f"{operand.shape[second]} of an operand of shape {tuple(operand.shape)} in {equation!r}"
                )
            # The diagonal becomes the last dimension.
            operand = operand.diagonal(0, first, second)
            names = [n for k, n in enumerate(names) if k not in (first, second)] + [name]
    return operand, names


def _without_units(operand, names, sizes):
    units = [k for k, name in enumerate(names) if operand.shape[k] == 1 and sizes[name] != 1]
    if units:
        operand = operand.squeeze(units)
        names = [name for k, name in enumerate(names) if k not in units]
    return operand, names


@composite(tensors=("a", "b"), method=False)
def tensordot(a, b, dims: int | tuple[list[int], list[int]] = 2):
    """Multiply tensors and sum over pairs of dimensions.

    Args:
        a: a tensor.
        b: a tensor of the same dtype.
        dims: how many: the last of `a` are paired with the first of `b`; or a list of dimensions of `a` and one of `b`.

    Returns:
        A tensor with the other dimensions of `a`, then those of `b`.

    Raises:
        RuntimeError: the sizes of a pair differ.

    Reference: ``torch.tensordot``.

    Example:
        >>> import numtensor as nt
        >>> nt.tensordot(nt.ones(2, 3), nt.ones(3, 4), 1).shape
        numtensor.Size([2, 4])
    """
    if isinstance(dims, int):
        if dims < 0 or dims > min(a.dim(), b.dim()):
            raise RuntimeError(
                f"tensordot: dims must be within 0 and the ranks of {tuple(a.shape)} and {tuple(b.shape)}, got {dims}"
            )
        first, second = list(range(a.dim() - dims, a.dim())), list(range(dims))
    else:
        first, second = ([d] if isinstance(d, int) else list(d) for d in dims)
    if len(first) != len(second):
        raise RuntimeError(f"tensordot: both dimension lists should have same length, got {first} and {second}")
    first = [normalise_dim("tensordot", d, a.dim()) for d in first]
    second = [normalise_dim("tensordot", d, b.dim()) for d in second]
    a_names, b_names = list(range(a.dim())), list(range(a.dim(), a.dim() + b.dim()))
    for one, two in zip(first, second, strict=True):
        if a.shape[one] != b.shape[two]:
            raise RuntimeError(
                f"tensordot: contracted dimensions need to match, but first has size {a.shape[one]} in dim {one} and "
                f"second has size {b.shape[two]} in dim {two} (shapes {tuple(a.shape)} and {tuple(b.shape)})"
            )
        b_names[two] = a_names[one]
    output = [n for k, n in enumerate(a_names) if k not in first]
    output += [n for k, n in enumerate(b_names) if k not in second]
    return contract((tuple(a_names), tuple(b_names)), tuple(output), [a, b])
