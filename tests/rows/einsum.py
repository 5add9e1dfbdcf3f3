"""Rows of numtensor/ops/einsum.py."""

import numpy as np

from ..op_table import FLOATING, Bad, Row, S, T

MATRIX = T(3, 4)


def contract(names, output, operands):
    return np.einsum(*(part for pair in zip(operands, names, strict=True) for part in pair), output)


ROWS = [
    Row(
        "einsum",
        [
            S("ij,jk->ik", MATRIX, T(4, 5)),
            S("ij,jk", MATRIX, T(4, 5)),
            S("ii->i", T(3, 3)),
            S("ii", T(3, 3)),
            S("iij->j", T(3, 3, 2)),
            S("ba", MATRIX),
            S("ij->", MATRIX),
            S("i,j->ij", T(3), T(4)),
            S("i,i->", T(3), T(3)),
            S("bij,bjk->bik", T(2, 3, 4), T(2, 4, 5)),
            S("...ij,...jk->...ik", T(2, 3, 4), T(4, 5)),
            S("i...->...", MATRIX),
            S("ij,ij,ij->ij", MATRIX, MATRIX, MATRIX),
            S("ab,bc,cd->ad", T(2, 3), T(3, 4), T(4, 2)),
            S("bn,anm,bm->ba", T(2, 5), T(3, 5, 4), T(2, 4)),
            S("ij,jk,ki->", T(2, 3), T(3, 4), T(4, 2)),
            # A size of 1 broadcasts.
            S("ij,ij->i", T(2, 3), T(2, 1)),
            S("ij,kj->ik", T(2, 3), T(4, 1)),
            S(",ij->ij", T(), MATRIX),
            S("ij,jk->ik", T(2, 0), T(0, 4)),
            S(" i j , j k -> i k ", MATRIX, T(4, 5)),
            S("aB,Bc", T(2, 3), T(3, 2)),
        ],
        np.einsum,
        dtypes=("int64", *FLOATING),
        bad=[
            Bad(S("ij,jk", MATRIX), RuntimeError, "2 operands were named"),
            Bad(S("ijk->i", MATRIX), RuntimeError, "number of dimensions"),
            Bad(S("ij->i", T(2, 3, 4)), RuntimeError, "number of dimensions"),
            Bad(S("ij->z", MATRIX), RuntimeError, "does not appear"),
            Bad(S("ij->ii", MATRIX), RuntimeError, "more than once"),
            Bad(S("i1", MATRIX), RuntimeError, "invalid subscript"),
            Bad(S("ii", MATRIX), RuntimeError, "repeated"),
            Bad(S("ij,jk", MATRIX, MATRIX), RuntimeError, "do not broadcast"),
            Bad(S("ij,jk", MATRIX, T(4, 2, dtype="int64")), RuntimeError, "same dtype"),
            Bad(S("ij"), ValueError, "at least one operand"),
            Bad(S("ij", 3), TypeError, "Tensors"),
        ],
    ),
    Row(
        "tensordot",
        [
            S(MATRIX, T(4, 5), 1),
            S(T(2, 3, 4), T(3, 4, 5)),
            S(T(2, 3, 4), T(4, 3, 5), ([1, 2], [1, 0])),
            S(T(2), T(3), 0),
            S(T(2, 3, 4), T(4, 3, 5), ([-1], [0])),
        ],
        np.tensordot,
        dtypes=("int64", *FLOATING),
        bad=[
            Bad(S(MATRIX, MATRIX, 1), RuntimeError, "contracted dimensions"),
            Bad(S(MATRIX, MATRIX, 5), RuntimeError, "dims"),
            Bad(S(MATRIX, T(4, 5), ([0, 1], [0])), RuntimeError, "same length"),
            Bad(S(MATRIX, T(4, 5), ([2], [0])), IndexError, "out of range"),
        ],
    ),
    Row(
        "autograd.contract",
        [
            S(((0, 1), (1, 2)), (0, 2), [MATRIX, T(4, 5)]),
            S(((0, 1, 2), (0, 2, 3)), (0, 1, 3), [T(2, 3, 4), T(2, 4, 5)]),
            S(((0, 1), (1, 2), (2, 0)), (), [T(2, 3), T(3, 4), T(4, 2)]),
            S(((0,), (1,)), (1, 0), [T(2), T(3)]),
            S(((0, 1),), (1, 0), [MATRIX]),
            S(((0, 1), (1, 2)), (0, 2), [T(2, 0), T(0, 4)]),
        ],
        contract,
        dtypes=("int64", *FLOATING),
        bad=[
            Bad(
                S(((0, 1), (1, 2)), (0, 2), [MATRIX, T(4, 5, dtype="int64")]), RuntimeError, "same dtype"
            )
        ],
    ),
]
