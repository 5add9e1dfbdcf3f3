"""Products of vectors and matrices that are expressions of others. BLAS's own stand in ``matmul.py``."""

from __future__ import annotations

from .dims import normalise_dim
from .einsum import tensordot
from .flip import roll
from .general_kind import composite
from .operands import unwrap


@composite(tensors=("input", "other"))
def cross(input, other, dim: int | None = None):
    """Multiply vectors of three elements: the vector perpendicular to both, as long as the area that they span.

    Args:
        input: a tensor whose dimension `dim` has extent 3.
        other: a tensor that broadcasts with `input`.
        dim: the dimension of the vectors; None for the first one of extent 3.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        IndexError: the dim is out of range.
        RuntimeError: the dimension has not extent 3, or there is none, or the ranks or shapes differ.

    Reference: ``torch.cross``.

    Example:
        >>> import numtensor as nt
        >>> nt.cross(nt.tensor([1.0, 0.0, 0.0]), nt.tensor([0.0, 1.0, 0.0]))
        tensor([0., 0., 1.])
    """
    shapes = unwrap("cross", "input", input).shape, unwrap("cross", "other", other).shape
    if len(shapes[0]) != len(shapes[1]):
        raise RuntimeError(
            f"cross: inputs must have the same number of dimensions, got shapes {shapes[0]}, {shapes[1]}"
        )
    if dim is None:
        dim = next((k for k, extents in enumerate(zip(*shapes, strict=True)) if extents == (3, 3)), None)
        if dim is None:
            raise RuntimeError(f"cross: no dimension of size 3 in shapes {shapes[0]} and {shapes[1]}")
    dim = normalise_dim("cross", dim, len(shapes[0]))
    if not shapes[0] or shapes[0][dim] != 3 or shapes[1][dim] != 3:
        raise RuntimeError(f"cross: dimension {dim} must have extent 3, but the shapes are {shapes[0]} and {shapes[1]}")
    # Element i of the product is a[i + 1] b[i + 2] - a[i + 2] b[i + 1].
    return roll(input, -1, dim) * roll(other, 1, dim) - roll(input, 1, dim) * roll(other, -1, dim)


@composite(tensors=("input", "other"))
def inner(input, other):
    """Multiply along the last dimensions and sum: the dot products of all pairs of vectors.

    Args:
        input: a tensor.
        other: a tensor of the same dtype and the same last extent; a 0-d one multiplies.

    Returns:
        A tensor with the other dimensions of `input`, then those of `other`.

    Raises:
        RuntimeError: the last extents differ.

    Reference: ``torch.inner``.

    Example:
        >>> import numtensor as nt
        >>> nt.inner(nt.tensor([1.0, 2.0]), nt.tensor([3.0, 4.0]))
        tensor(11.)
    """
    a, b = unwrap("inner", "input", input), unwrap("inner", "other", other)
    if not a.ndim or not b.ndim:
        return input * other
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(
            f"inner: the last dimension must match on both input tensors but got shapes {a.shape} and {b.shape}"
        )
    return tensordot(input, other, ([-1], [-1]))


@composite(tensors=("input", "other"))
def kron(input, other):
    """Multiply every element of a tensor by a whole other one: the Kronecker product.

    Args:
        input: a tensor.
        other: a tensor; of the two the one with fewer dimensions gets dimensions of extent 1 in front.

    Returns:
        A tensor whose extents are the products of both's.

    Raises:
        TypeError: one is no tensor.

    Reference: ``torch.kron``.

    Example:
        >>> import numtensor as nt
        >>> nt.kron(nt.tensor([1, 2]), nt.tensor([1, 1]))
        tensor([1, 1, 2, 2])
    """
    a, b = unwrap("kron", "input", input).shape, unwrap("kron", "other", other).shape
    ndim = max(len(a), len(b))
    a, b = (1,) * (ndim - len(a)) + a, (1,) * (ndim - len(b)) + b
    spread = input.reshape([extent for n in a for extent in (n, 1)])
    whole = other.reshape([extent for n in b for extent in (1, n)])
    return (spread * whole).reshape([n * m for n, m in zip(a, b, strict=True)])
