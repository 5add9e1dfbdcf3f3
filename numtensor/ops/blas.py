"""Products of two matrices by NumPy's BLAS, in as many calls as are quickest.

OpenBLAS brings both operands of a product into an order of its own first, which takes as long as the product itself
if one of them has few rows. For processors with AVX-512 it also has kernels that read operands as they lie, but it
takes them for small products only. Larger ones are cut into tiles of that size here: 8 rows by a weight of 256 x 784
take 38 us instead of 133, 64 rows 240 instead of 340, 1024 rows 4.0 ms instead of 4.3; the weight's gradient from 64
rows 240 us instead of 265.

A product's last bits depend on how BLAS adds, so on its shape, layout and processor, and on the number of threads. They
do not depend on the mode: every product of two matrices, in a layer or not, is one of `product`.
"""

import ctypes
import functools

import numpy as np

from .. import lean
from ..kernels import affine_row, affine_tiles, boxed_products, builtin
from ..kernels.declare import KernelTable
from ..threads.products import openblas
from .silent import silent

# np.dot looks for overrides first, which costs 180 ns: half of a small product.
DOT = np.ndarray.dot

SMALL = 1 << 11
"""Elements of the right operand below which no product is cut: one call takes it as it is."""

CORES = frozenset((b"SkylakeX", b"Cooperlake", b"SapphireRapids"))
"""OpenBLAS's names for processors for which it has kernels for small products."""

# What OpenBLAS holds to be small: multiplications, and with the right operand turned also results.
LARGEST_WORK, LARGEST_RESULT = 10**6, 1200

# Bounds of where tiles were measured to be quicker, on a Zen 4. They leave out what has no tile of a good shape, tiles
# that are too quick for what is around them, and operands that no cache holds while all tiles read them.
LEAST_DEPTH, MOST_DEPTH, STRAIGHT_DEPTH = 128, 4096, 64
FEW_BYTES = 256
CACHED = 1 << 20

BLOCK = 128
"""Rows that are multiplied at a time where there are too many for the cache; a multiple of a tile's."""

ROWS_BESIDE_THREADS = 16
"""More rows than this BLAS multiplies sooner with several threads, if it has them, than one thread does in tiles."""


@functools.cache
def _thread_count():
    """Return the function that tells how many threads BLAS has, None unless it has kernels for small products."""
    core = openblas("openblas_get_corename")
    if core is None:
        return None
    core.restype = ctypes.c_char_p
    return openblas("openblas_get_num_threads") if core() in CORES else None


@functools.lru_cache(maxsize=256)
def _turned_tile(rows, columns, depth, size):
    """Return the (rows, columns) of tiles for rows by rows of numbers of `size` bytes; None: one call is as quick."""
    largest = min(LARGEST_RESULT, LARGEST_WORK // depth)
    if rows * columns <= largest or not LEAST_DEPTH <= depth <= MOST_DEPTH:
        return None
    if columns <= 16 and depth >= 2 * LEAST_DEPTH:
        return min(rows, largest // columns & ~3), columns
    # Square tiles read least.
    high = 32 if largest >= 32 * 32 else 16
    # Of many rows, bringing the right operand into order is a small part.
    if rows * size > FEW_BYTES and (size > 4 or high < 32 or depth < 512 or columns * depth * size > CACHED):
        return None
    if rows <= high or rows * 8 <= largest:
        # All rows at once: a dimension of tiles less spares NumPy 2 us.
        high = rows
    return high, _divided(columns, largest // high)


@functools.lru_cache(maxsize=256)
def _straight_tile(rows, columns, depth, size):
    """Return the same for a right operand as it is written, of few rows: a weight's gradient from a small batch."""
    if depth > STRAIGHT_DEPTH or columns * depth * size > CACHED // 2:
        return None
    high = min(rows, 32)
    return high, _divided(columns, LARGEST_WORK // (high * depth))


def _divided(columns, most):
    """Return a width of at most `most` that divides the columns, or, if only much smaller ones do, leaves few over."""
    count = -(-columns // most)
    for equal in range(count, 2 * count):
        if columns % equal == 0:
            return columns // equal
    return -(-columns // count)


def product(a, b, out=None):
    """Return ``a.dot(b)`` of arrays of one or two dimensions, without warnings.

    Args:
        a, b: arrays of one dtype.
        out: a C-contiguous array of the result's shape and dtype to write to, or None for a new one.

    Raises:
        ValueError: the shapes do not fit.
    """
    if a.ndim == b.ndim == 2:
        (rows, depth), (length, columns) = a.shape, b.shape
        results = rows * columns
        if results * depth > LARGEST_WORK or (results > LARGEST_RESULT and depth >= LEAST_DEPTH):
            tile = _tile_for(a, b) if depth == length and rows > 1 and columns > 1 and depth > 1 else None
            if tile is not None:
                if out is None:
                    out = np.empty((rows, columns), a.dtype)
                _multiply_in_tiles(a, b, out, *tile)
                return out
    return silent.run(DOT, a, b, out)


def _tile_for(a, b):
    """Return the tiles in which to multiply two matrices, or None."""
    (rows, depth), columns, size = a.shape, b.shape[1], a.itemsize
    row, step = a.strides
    depth_step, column_step = b.strides
    if depth_step == size and column_step >= depth * size and step == size and row >= depth * size:
        tile = _turned_tile(rows, columns, depth, size)
    elif column_step == size and depth_step >= columns * size:
        # The left operand may lie either way.
        if (step != size or row < depth * size) and (row != size or step < rows * size):
            return None
        tile = _straight_tile(rows, columns, depth, size)
    else:
        return None
    if tile is not None:
        threads = _thread_count() if a.dtype.kind == "f" else None
        if threads is None or (rows > ROWS_BESIDE_THREADS and threads() != 1):
            return None
    return tile


def _multiply_in_tiles(a, b, out, high, wide):
    """Write a @ b to `out`, in tiles of at most `high` rows and `wide` columns."""
    (rows, depth), columns = a.shape, b.shape[1]
    if rows > BLOCK and columns > wide and a.nbytes > CACHED:
        # Every tile of the right operand reads all rows: let them stay near.
        for start in range(0, rows, BLOCK):
            _multiply_in_tiles(a[start : start + BLOCK], b, out[start : start + BLOCK], high, wide)
        return
    over, below = columns % wide, rows % high
    if over:
        edge = columns - over
        _multiply_in_tiles(a, b[:, edge:], out[:, edge:], high, over)
        b, out = b[:, :edge], out[:, :edge]
    if below:
        edge = rows - below
        _multiply_in_tiles(a[edge:], b, out[edge:], below, wide)
        a, out = a[:edge], out[:edge]
    # Splitting a dimension makes a view, whatever the strides.
    right = b.reshape(depth, -1, wide).transpose(1, 0, 2)
    if len(a) == high:
        result = out.reshape(high, -1, wide).transpose(1, 0, 2)
    else:
        # Columns outside: a tile of the right operand serves all rows while it is near.
        a, right = a.reshape(-1, high, depth), right[:, None]
        result = out.reshape(len(a), high, -1, wide).transpose(2, 0, 1, 3)
    silent.run(np.matmul, a, right, result)


# ---------------------------------------------------------------------------------------------------------------------
# Affine maps, x @ weight.T + bias: all that a call of BLAS can do at once


def _gem(name, dtype):
    """Return the address of one of CBLAS's functions for a dtype, None if it cannot be called by machine code."""
    kinds = {"float32": "s", "float64": "d"}
    found = openblas(f"cblas_{kinds[dtype.name]}{name}") if dtype.name in kinds else None
    # With integers of another size it would be called otherwise.
    if not builtin.supported() or found is None or not found.__name__.endswith("64_"):
        return None
    return ctypes.cast(found, ctypes.c_void_p).value


def _make_affine_row(dtype):
    product = _gem("gemv", dtype)
    return no_affine if product is None else affine_row.make_affine(dtype, product)


def _make_affine_tiles(dtype):
    product = _gem("gemm", dtype)
    return no_affine if product is None else affine_tiles.make_affine_tiles(dtype, product)


def small_products(given, turned):
    """Return what makes the builtin function that an op is for small matrices, for `Declaration.on_tensors`.

    Args:
        given, turned: as of `boxed_products.make_product`.
    """

    def make(op, layout):
        found = [[_gem(name, np.dtype(kind)) for name in ("gemm", "gemv")] for kind in (np.float32, np.float64)]
        if None in (*found[0], *found[1]):
            return lean.nothing
        return boxed_products.make_product(op.name, layout, op.records(), given, turned, found)

    return make


def no_affine(*operands):
    """Answer None: nothing was computed."""


AFFINE_ROW = KernelTable(_make_affine_row)
"""By dtype, a function of arrays (x of one row, weight, bias) that returns the result, or None undone."""

_AFFINE_TILES = KernelTable(_make_affine_tiles)


def affine_in_tiles(x, weight, bias, out=None):
    """Return x @ weight.T + bias of matrices, if tiles are quicker for it than one product.

    Args:
        x, weight, bias: arrays of one dtype, of two, two and one dimensions.
        out: a C-contiguous array of the result's shape and dtype to write to, or None for a new one.

    Returns:
        The result; None where nothing was computed, because they do not fit or tiles would not be quicker.
    """
    (rows, depth), columns = x.shape, len(weight)
    if rows * columns <= LARGEST_RESULT or depth < LEAST_DEPTH or weight.shape[1] != depth:
        return None
    tile = _tile_for(x, weight.T)
    if tile is None:
        return None
    if out is None:
        out = np.empty((rows, columns), x.dtype)
    high, wide = tile
    block = BLOCK if rows > BLOCK and columns > wide and x.nbytes > CACHED else rows
    return out if _AFFINE_TILES[x.dtype](x, weight, bias, out, high, wide, block) else None
