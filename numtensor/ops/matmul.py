"""Products of matrices and vectors, and sums of products over named dimensions."""

import math

import numpy as np

from ..kernels.forward import arithmetic as kernels
from .blas import AFFINE_ROW, DOT, SMALL, affine_in_tiles, product, small_products
from .general_kind import composite, library
from .operands import sum_to_shape, unwrap
from .silent import silent

BLAS = "BLAS is tuned for every processor beyond what a compiled Python loop reaches"
SAVES = {"input": ("other",), "other": ("input",)}

# ----------------------------------------------------------------------------------------------------------------------
# The products that all of them share


def _check_dtypes(op, a, b):
    if a.dtype is not b.dtype and a.dtype != b.dtype:
        raise RuntimeError(
            f"{op}: expected m1 and m2 to have the same dtype, but got {a.dtype} (shape {a.shape}) and {b.dtype} "
            f"(shape {b.shape}); convert one with .to(...)"
        )
    if a.dtype.kind == "b":
        raise NotImplementedError(f"{op}: not implemented for dtype bool; convert with .to(...) first")


def _product(op, a, b):
    """Return the matrix product of arrays of any rank from 1 on."""
    if a.dtype is not b.dtype or a.dtype.kind == "b":
        _check_dtypes(op, a, b)
    ranks = a.ndim, b.ndim
    try:
        if 0 < ranks[0] <= 2 and 0 < ranks[1] <= 2:
            return product(a, b)
        if ranks[1] in (1, 2) and ranks[0] > 2:
            # One large product instead of one for each matrix of the batch.
            rows = product(a.reshape(-1, a.shape[-1]) if a.size else _flat_rows(a), b)
            return rows.reshape(a.shape[:-1] + b.shape[1:])
        return silent.run(np.matmul, a, b)
    except ValueError:
        raise _shape_error(op, a.shape, b.shape) from None


def _flat_rows(a):
    """Return an empty array as a matrix of its rows: -1 would be ambiguous."""
    return a.reshape(int(np.prod(a.shape[:-1])), a.shape[-1])


def _shape_error(op, a, b):
    if not a or not b:
        return RuntimeError(
            f"{op}: both arguments need to be at least 1D, but they are {len(a)}D and {len(b)}D (shapes {a} and {b}); "
            "multiply by a number with *"
        )
    inner = b[0] if len(b) == 1 else b[-2]
    if a[-1] != inner:
        return RuntimeError(
            f"{op}: the shapes {a} and {b} cannot be multiplied: the last size of the first, {a[-1]}, must equal "
            f"{inner}, the {'only' if len(b) == 1 else 'last but one'} size of the second"
        )
    return RuntimeError(
        f"{op}: the batch sizes of the shapes {a} and {b} do not match: they must be equal or 1, compared from the last"
    )


def _shape(saved):
    return saved if type(saved) is tuple else saved.shape


def _product_backward(grad, needs, input, other):
    """Return the gradients of a product of arrays of any rank."""
    a_shape, b_shape = _shape(input), _shape(other)
    grad_input = grad_other = None
    if len(a_shape) == len(b_shape) == 2:
        if needs[0]:
            grad_input = product(grad, other.T)
        if needs[1]:
            grad_other = product(input.T, grad)
    elif len(a_shape) == len(b_shape) == 1:
        multiply = kernels.mul.loops[grad.dtype]
        if needs[0]:
            grad_input = multiply(grad, other)
        if needs[1]:
            grad_other = multiply(grad, input)
    else:
        # A vector is a matrix of one row on the left, of one column on the right.
        if len(a_shape) == 1:
            grad = np.expand_dims(grad, -2 if len(b_shape) > 1 else -1)
        if len(b_shape) == 1:
            grad = np.expand_dims(grad, -1)
        if needs[0]:
            right = other if len(b_shape) > 1 else other[:, None]
            grad_input = _product("matmul", grad, right.swapaxes(-1, -2))
            rows = a_shape if len(a_shape) > 1 else (1, *a_shape)
            grad_input = sum_to_shape(grad_input, rows).reshape(a_shape)
        if needs[1]:
            left = input if len(a_shape) > 1 else input[None]
            columns = b_shape if len(b_shape) > 1 else (*b_shape, 1)
            if len(columns) == 2:
                rows = left.reshape(-1, left.shape[-1]) if left.size else _flat_rows(left)
                grad_rows = grad.reshape(rows.shape[0], columns[1])
                grad_other = product(rows.T, grad_rows)
            else:
                grad_other = sum_to_shape(silent.run(np.matmul, left.swapaxes(-1, -2), grad), columns)
            grad_other = grad_other.reshape(b_shape)
    return grad_input, grad_other


def _product_vjp(grad, needs, input, other):
    """Return the gradients of a product of tensors of any rank, in public ops."""
    a_shape, b_shape = tuple(_shape(input)), tuple(_shape(other))
    grad_input = grad_other = None
    if len(a_shape) == len(b_shape) == 1:
        return grad * other if needs[0] else None, grad * input if needs[1] else None
    if len(a_shape) == 1:
        grad = grad.unsqueeze(-2)
    if len(b_shape) == 1:
        grad = grad.unsqueeze(-1)
    if needs[0]:
        right = other if len(b_shape) > 1 else other.unsqueeze(-1)
        rows = a_shape if len(a_shape) > 1 else (1, *a_shape)
        grad_input = matmul(grad, right.transpose(-1, -2)).sum_to_size(rows).reshape(a_shape)
    if needs[1]:
        left = input if len(a_shape) > 1 else input.unsqueeze(0)
        columns = b_shape if len(b_shape) > 1 else (*b_shape, 1)
        grad_other = matmul(left.transpose(-1, -2), grad).sum_to_size(columns).reshape(b_shape)
    return grad_input, grad_other


def _give_product_rules(op, ranks=None):
    """Give a product op its rules; `ranks` are those of its operands, if it takes no others."""
    name = op.name
    first, second = ranks or (2, 2)
    by_dot = second < 3

    @op.forward
    def _(a, b):
        if by_dot and a.ndim == first and b.ndim == second and a.dtype is b.dtype and a.dtype.kind != "b":
            try:
                # `product` does the same; what it asks takes a tenth of a product of 4 x 4.
                return silent.run(DOT, a, b) if b.size < SMALL else product(a, b)
            except ValueError:
                pass
        if ranks is not None:
            _check_ranks(name, ranks, a.shape, b.shape)
        return _product(name, a, b)

    op.backward(_product_backward)
    op.vjp(_product_vjp)


def _check_ranks(op, ranks, a, b):
    """Raise unless the shapes have these numbers of dimensions, and batches are of one size."""
    if (len(a), len(b)) != ranks:
        raise RuntimeError(
            f"{op}: expected tensors of {ranks[0]} and {ranks[1]} dimensions, got shapes {a} and {b}; use matmul for "
            "other ranks"
        )
    if ranks in ((3, 3), (1, 1)) and a[0] != b[0]:
        raise RuntimeError(f"{op}: the shapes {a} and {b} do not match: the first sizes must be equal")


@library(
    BLAS, saves=SAVES, tensors=("input", "other"), linear="each", operators=("__matmul__", "__rmatmul__"), out=True
)
def matmul(input, other):
    """Multiply matrices: the sum over k of input[..., i, k] * other[..., k, j].

    Args:
        input: a tensor; a vector counts as a row, and the row's dimension is missing from the result.
        other: a tensor of the same dtype; a vector counts as a column, likewise. Beyond the last two, the dimensions
            of both broadcast.

    Returns:
        A tensor of shape (..., i, j); 0-d for two vectors.

    Raises:
        RuntimeError: the inner sizes differ, the others do not broadcast, an operand is 0-d, or the dtypes differ.

    Reference: ``torch.matmul``.

    Example:
        >>> import numtensor as nt
        >>> nt.matmul(nt.tensor([[1.0, 2.0], [3.0, 4.0]]), nt.tensor([1.0, 1.0]))
        tensor([3., 7.])
    """


_give_product_rules(matmul)
matmul.on_tensors(small_products(2, turned=False))


@library(BLAS, saves={"input": ("mat2",), "mat2": ("input",)}, tensors=("input", "mat2"), linear="each", out=True)
def mm(input, mat2):
    """Multiply two matrices: the sum over k of input[i, k] * mat2[k, j].

    Args:
        input: a tensor of shape (n, k).
        mat2: a tensor of shape (k, m) and the same dtype.

    Returns:
        A tensor of shape (n, m).

    Raises:
        RuntimeError: an operand is not 2-d, the inner sizes or the dtypes differ.

    Reference: ``torch.mm``.

    Example:
        >>> import numtensor as nt
        >>> nt.mm(nt.ones(2, 3), nt.ones(3, 1))
        tensor([[3.],
                [3.]])
    """


_give_product_rules(mm, (2, 2))
mm.on_tensors(small_products(2, turned=False))


@library(BLAS, saves={"input": ("mat2",), "mat2": ("input",)}, tensors=("input", "mat2"), linear="each", out=True)
def bmm(input, mat2):
    """Multiply matrices pairwise: the sum over k of input[b, i, k] * mat2[b, k, j].

    Args:
        input: a tensor of shape (b, n, k).
        mat2: a tensor of shape (b, k, m) and the same dtype.

    Returns:
        A tensor of shape (b, n, m).

    Raises:
        RuntimeError: an operand is not 3-d, the inner or first sizes or the dtypes differ.

    Reference: ``torch.bmm``.

    Example:
        >>> import numtensor as nt
        >>> nt.bmm(nt.ones(2, 1, 3), nt.ones(2, 3, 1))
        tensor([[[3.]],
        <BLANKLINE>
                [[3.]]])
    """


_give_product_rules(bmm, (3, 3))


@library(BLAS, saves={"input": ("vec",), "vec": ("input",)}, tensors=("input", "vec"), linear="each", out=True)
def mv(input, vec):
    """Multiply a matrix by a vector: the sum over k of input[i, k] * vec[k].

    Args:
        input: a tensor of shape (n, k).
        vec: a tensor of shape (k,) and the same dtype.

    Returns:
        A tensor of shape (n,).

    Raises:
        RuntimeError: the ranks are others, the inner sizes or the dtypes differ.

    Reference: ``torch.mv``.

    Example:
        >>> import numtensor as nt
        >>> nt.mv(nt.ones(2, 3), nt.tensor([1.0, 2.0, 3.0]))
        tensor([6., 6.])
    """


_give_product_rules(mv, (2, 1))


@library(BLAS, saves=SAVES, tensors=("input", "other"), linear="each", out=True, aliases=("vdot",))
def dot(input, other):
    """Multiply two vectors: the sum over k of input[k] * other[k].

    Args:
        input: a tensor of shape (k,).
        other: a tensor of shape (k,) and the same dtype.

    Returns:
        A 0-d tensor.

    Raises:
        RuntimeError: an operand is not 1-d, the sizes or the dtypes differ.

    Reference: ``torch.dot``.

    Example:
        >>> import numtensor as nt
        >>> nt.dot(nt.tensor([2, 3]), nt.tensor([2, 1]))
        tensor(7)
    """


_give_product_rules(dot, (1, 1))


@composite(tensors=("input", "vec2"), aliases=("ger",))
def outer(input, vec2):
    """Multiply every element of a vector by every element of another: input[i] * vec2[j].

    Args:
        input: a tensor of shape (n,).
        vec2: a tensor of shape (m,).

    Returns:
        A tensor of shape (n, m) and the promoted dtype.

    Raises:
        RuntimeError: an operand is not 1-d.

    Reference: ``torch.outer``.

    Example:
        >>> import numtensor as nt
        >>> nt.outer(nt.tensor([1, 2]), nt.tensor([3, 4]))
        tensor([[3, 4],
                [6, 8]])
    """
    a, b = unwrap("outer", "input", input), unwrap("outer", "vec2", vec2)
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"outer: expected two 1-D tensors, got shapes {a.shape} and {b.shape}")
    return input.reshape(-1, 1) * vec2


# ----------------------------------------------------------------------------------------------------------------------
# The linear layer


@library(
    BLAS,
    namespace="nn.functional",
    tensors=("input", "weight", "bias"),
    optional="bias",
    saves={"input": ("weight",), "weight": ("input",), "bias": ()},
    method=False,
)
def linear(input, weight, bias=None):
    """Apply an affine map to the last dimension: input @ weight.T + bias.

    Args:
        input: a tensor of shape (..., in).
        weight: a tensor of shape (out, in) and the same dtype, or (in,) for a result without the last dimension.
        bias: a tensor of shape (out,), or None.

    Returns:
        A tensor of shape (..., out).

    Raises:
        RuntimeError: the shapes do not fit, or the dtypes differ.

    Reference: ``torch.nn.functional.linear``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.linear(nt.ones(1, 3), nt.ones(2, 3), nt.tensor([0.0, 1.0]))
        tensor([[3., 4.]])
    """


def _rows_product(x, weight):
    """Return x @ weight.T of arrays of any rank; None, or a ValueError, if their shapes do not fit."""
    if x.dtype is not weight.dtype or x.dtype.kind == "b":
        _check_dtypes("linear", x, weight)
    if weight.ndim not in (1, 2) or not x.ndim:
        return None
    if x.ndim <= 2:
        return product(x, weight.T)
    rows = product(x.reshape(-1, x.shape[-1]) if x.size else _flat_rows(x), weight.T)
    return rows.reshape(x.shape[:-1] + weight.shape[:-1])


ADD, ADD_ROWS, ADD_ROWS_AT_ONCE = kernels.add.loops, kernels.add.rows, kernels.add.rows_builtins


@linear.forward
def affine(x, weight, bias):
    """Return x @ weight.T + bias of arrays."""
    dtype = x.dtype
    try:
        # The usual case first: what other cases ask takes a third of a small call.
        if bias is not None and x.ndim == weight.ndim == 2 and (len(x) == 1 or weight.size >= SMALL):
            result = AFFINE_ROW[dtype](x, weight, bias) if len(x) == 1 else affine_in_tiles(x, weight, bias)
            if result is not None:
                return result
        if dtype is weight.dtype and x.ndim == weight.ndim == 2 and weight.size < SMALL and dtype.kind != "b":
            result = silent.run(DOT, x, weight.T)
        else:
            result = _rows_product(x, weight)
    except ValueError:
        result = None
    if result is None:
        raise RuntimeError(
            f"linear: the shapes of input {x.shape} and weight {weight.shape} cannot be multiplied: weight must be "
            "(out, in) and the last size of input must be in"
        )
    if bias is None:
        return result
    if bias.dtype is not dtype and bias.dtype != dtype:
        raise RuntimeError(f"linear: expected bias to have the dtype of input, {dtype}, but got {bias.dtype}")
    try:
        if not result.ndim:
            return ADD[dtype](result, bias)
        # A vector is refused unless it is as long as a row.
        if bias.ndim == 1 and ADD_ROWS_AT_ONCE[dtype](result, bias, result):
            return result
        add = ADD_ROWS if bias.shape == result.shape[-1:] else ADD
        return add[dtype](result, bias, result)
    except ValueError:
        raise RuntimeError(
            f"linear: bias of shape {bias.shape} cannot be added to a result of shape {result.shape} (input "
            f"{x.shape}, weight {weight.shape})"
        ) from None


linear.on_tensors(small_products(3, turned=True))


@linear.backward
def _(grad, needs, input, weight, bias):
    grad_input = grad_weight = grad_bias = None
    weight_shape = _shape(weight)
    if len(weight_shape) == 1:
        # As a map to one output, whose dimension the result lacks.
        grad = grad[..., None]
    flat = grad if grad.ndim == 2 else grad.reshape(math.prod(grad.shape[:-1]), grad.shape[-1])
    if needs[0]:
        matrix = weight if weight.ndim == 2 else weight[None]
        grad_input = product(flat, matrix)
        if grad.ndim != 2:
            grad_input = grad_input.reshape(grad.shape[:-1] + matrix.shape[1:])
    if needs[1]:
        rows = input if input.ndim == 2 else input.reshape(flat.shape[0], input.shape[-1])
        grad_weight = product(flat.T, rows)
        if len(weight_shape) == 1:
            grad_weight = grad_weight[0]
    if needs[2]:
        whole = grad if len(weight_shape) == 2 else grad[..., 0]
        if whole.ndim >= 1 and bias == whole.shape[-1:]:
            # A product with ones is how BLAS sums rows. Filling takes half of what ones() does.
            rows = whole if whole.ndim == 2 else whole.reshape(math.prod(whole.shape[:-1]), whole.shape[-1])
            ones = np.empty(rows.shape[0], rows.dtype)
            ones.fill(1)
            grad_bias = silent.run(DOT, ones, rows)
        else:
            with np.errstate(all="ignore"):
                grad_bias = sum_to_shape(whole, tuple(bias))
    return grad_input, grad_weight, grad_bias


@linear.vjp
def _(grad, needs, input, weight, bias):
    grad_input = grad_weight = grad_bias = None
    weight_shape = tuple(_shape(weight))
    whole = grad
    if len(weight_shape) == 1:
        grad = grad.unsqueeze(-1)
    if needs[0]:
        grad_input = matmul(grad, weight if len(weight_shape) == 2 else weight.unsqueeze(0))
    if needs[1]:
        count = int(np.prod(input.shape[:-1]))
        flat = grad.reshape(count, grad.shape[-1]).transpose(0, 1)
        grad_weight = matmul(flat, input.reshape(count, input.shape[-1])).reshape(weight_shape)
    if needs[2]:
        grad_bias = whole.sum_to_size(tuple(bias))
    return grad_input, grad_weight, grad_bias


@linear.tangent
def _(tangents, result, input, weight, bias):
    of_input, of_weight, of_bias = tangents
    terms = []
    if of_input is not None:
        terms.append(linear(of_input, weight))
    if of_weight is not None:
        terms.append(linear(input, of_weight))
    if of_bias is not None:
        terms.append(of_bias)
    return sum(terms[1:], start=terms[0])


# ----------------------------------------------------------------------------------------------------------------------
# A product added to something


def _added(op, input, product, beta, alpha):
    if alpha != 1:
        product = product * alpha
    # PyTorch does not read an input whose factor is 0: NaN does not spread from it.
    if beta == 0:
        return product
    shape = product.shape
    result = (input if beta == 1 else input * beta) + product
    if result.shape != shape:
        raise RuntimeError(f"{op}: input of shape {tuple(input.shape)} does not expand to the product's {tuple(shape)}")
    return result


@composite(tensors=("input", "mat1", "mat2"))
def addmm(input, mat1, mat2, beta=1, alpha=1):
    """Multiply two matrices and add: beta * input + alpha * (mat1 @ mat2).

    Args:
        input: a tensor that broadcasts to (n, m).
        mat1: a tensor of shape (n, k).
        mat2: a tensor of shape (k, m) and the same dtype.
        beta: factor of `input`; 0 leaves it out, NaN included.
        alpha: factor of the product.

    Returns:
        A tensor of shape (n, m).

    Raises:
        RuntimeError: the shapes do not fit, or the dtypes differ.

    Reference: ``torch.addmm``.

    Example:
        >>> import numtensor as nt
        >>> nt.addmm(nt.ones(1), nt.ones(1, 3), nt.ones(3, 2), beta=2)
        tensor([[5., 5.]])
    """
    return _added("addmm", input, mm(mat1, mat2), beta, alpha)


@composite(tensors=("input", "mat", "vec"))
def addmv(input, mat, vec, beta=1, alpha=1):
    """Multiply a matrix by a vector and add: beta * input + alpha * (mat @ vec).

    Args:
        input: a tensor that broadcasts to (n,).
        mat: a tensor of shape (n, k).
        vec: a tensor of shape (k,) and the same dtype.
        beta: factor of `input`; 0 leaves it out, NaN included.
        alpha: factor of the product.

    Returns:
        A tensor of shape (n,).

    Raises:
        RuntimeError: the shapes do not fit, or the dtypes differ.

    Reference: ``torch.addmv``.

    Example:
        >>> import numtensor as nt
        >>> nt.addmv(nt.ones(1), nt.ones(2, 3), nt.ones(3))
        tensor([4., 4.])
    """
    return _added("addmv", input, mv(mat, vec), beta, alpha)


@composite(tensors=("input", "batch1", "batch2"))
def baddbmm(input, batch1, batch2, beta=1, alpha=1):
    """Multiply matrices pairwise and add: beta * input + alpha * (batch1 @ batch2).

    Args:
        input: a tensor that broadcasts to (b, n, m).
        batch1: a tensor of shape (b, n, k).
        batch2: a tensor of shape (b, k, m) and the same dtype.
        beta: factor of `input`; 0 leaves it out, NaN included.
        alpha: factor of the product.

    Returns:
        A tensor of shape (b, n, m).

    Raises:
        RuntimeError: the shapes do not fit, or the dtypes differ.

    Reference: ``torch.baddbmm``.

    Example:
        >>> import numtensor as nt
        >>> nt.baddbmm(nt.ones(1), nt.ones(1, 1, 3), nt.ones(1, 3, 1), alpha=2)
        tensor([[[7.]]])
    """
    return _added("baddbmm", input, bmm(batch1, batch2), beta, alpha)
