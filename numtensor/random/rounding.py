"""Single precision as PyTorch's C rounds it: fused steps, logarithm, sine and cosine, Box and Muller's transform.

Single-precision values are held in float64 arrays, and rounded where PyTorch's compiled code rounds.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def fma32(a: np.ndarray, b: Any, c: Any) -> np.ndarray:
    """Return a*b + c rounded once to float32, for float32 values held in float64 arrays.

    A product of two float32 is exact in float64, so rounding the sum back to float32 is a fused multiply-add (up to
    a double rounding of about one in 2**29). PyTorch's compiler fuses, and unfused float32 differs in the last bits.
    """
    t = np.multiply(a, b)
    t += c
    return t.astype(np.float32).astype(np.float64)


def mul32(a: np.ndarray, b: Any) -> np.ndarray:
    """Return a*b rounded to float32, for float32 values held in float64 arrays."""
    return np.multiply(a, b).astype(np.float32).astype(np.float64)


def fma64(a: np.ndarray, b: float, c: float) -> np.ndarray:
    """Return a*b + c rounded (all but) once, in float64 arrays.

    The product's rounding error is recovered with Dekker's splitting and the sum's with Knuth's two-sum; adding both
    back gives what a fused multiply-add gives, without needing the instruction.
    """
    p = a * b
    if c == 0.0:
        return p
    with np.errstate(over="ignore", invalid="ignore"):
        t = 134217729.0 * a
        a_hi = t - (t - a)
        a_lo = a - a_hi
        t = 134217729.0 * b
        b_hi = t - (t - b)
        b_lo = b - b_hi
        p_err = ((a_hi * b_hi - p) + a_hi * b_lo + a_lo * b_hi) + a_lo * b_lo
        s = p + c
        t = s - p
        s_err = (p - (s - t)) + (c - t)
        fused = s + (p_err + s_err)
    # Splitting overflows near the top of the range; there the plain sum is the honest answer.
    return np.where(np.isfinite(fused), fused, s)


def to_single(x: float) -> float:
    """Return the float32 nearest to `x`, as a Python float: a constant as the C source's single precision sees it."""
    return float(np.float32(x))


_TWO_PI32 = to_single(2.0 * np.pi)
_SQRT_HALF32 = to_single(0.707106781186547524)
_LOG_POLY32 = tuple(
    map(
        to_single,
        (
            7.0376836292e-2,
            -1.1514610310e-1,
            1.1676998740e-1,
            -1.2420140846e-1,
            1.4249322787e-1,
            -1.6668057665e-1,
            2.0000714765e-1,
            -2.4999993993e-1,
            3.3333331174e-1,
        ),
    )
)
_LN2_HI32, _LN2_LO32 = to_single(0.693359375), to_single(-2.12194440e-4)
_FOUR_OVER_PI32 = to_single(1.27323954473516)
_PI4_PARTS32 = tuple(map(to_single, (-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)))
_COS_POLY32 = tuple(map(to_single, (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)))
_SIN_POLY32 = tuple(map(to_single, (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)))


def _log32(u: np.ndarray) -> np.ndarray:
    """Return log(u) for float32 u in (0, 1] as float32 values in float64: Cephes' logf with fused steps.

    The coefficients are those of S. Moshier's Cephes library (logf), the same PyTorch's vector code uses; equal
    coefficients, order and roundings are what makes randn equal PyTorch's to the last bit.
    """
    bits = u.view(np.int32)
    e = (bits >> 23) - 126
    m = ((bits & 0x007FFFFF) | 0x3F000000).view(np.float32).astype(np.float64)
    small = m < _SQRT_HALF32
    # m - 1 and 2m - 1 are exact in single precision here, so no rounding is owed.
    x = m - 1.0
    x += m * small
    e = (e - small).astype(np.float64)
    z = mul32(x, x)
    y = fma32(x, _LOG_POLY32[0], _LOG_POLY32[1])
    for coefficient in _LOG_POLY32[2:]:
        y = fma32(y, x, coefficient)
    y = mul32(y, x)
    y = fma32(y, z, mul32(e, _LN2_LO32))
    y = fma32(z, -0.5, y)
    x += y
    return fma32(e, _LN2_HI32, x.astype(np.float32).astype(np.float64))


def _sincos32(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 sin and cos of theta in [0, 2*pi], float32 values in float64: Cephes' sinf and cosf, fused."""
    octant = mul32(theta, _FOUR_OVER_PI32).astype(np.int32)
    octant += 1
    octant &= ~1
    y = octant.astype(np.float64)
    x = theta
    for part in _PI4_PARTS32:
        x = fma32(y, part, x)
    z = mul32(x, x)
    c = fma32(z, _COS_POLY32[0], _COS_POLY32[1])
    c = fma32(c, z, _COS_POLY32[2])
    c = mul32(c, z)
    c = fma32(c, z, z * -0.5)
    c += 1.0
    c = c.astype(np.float32).astype(np.float64)
    s = fma32(z, _SIN_POLY32[0], _SIN_POLY32[1])
    s = fma32(s, z, _SIN_POLY32[2])
    s = fma32(mul32(s, z), x, x)
    keep = (octant & 2) == 0
    sin = np.where(keep, s, c).astype(np.float32)
    cos = np.where(keep, c, s).astype(np.float32)
    # Bit 2 of the octant, moved to where a float32 keeps its sign.
    bits = sin.view(np.int32)
    bits ^= (octant & 4) << 29
    bits = cos.view(np.int32)
    bits ^= ((octant + 2) & 4) << 29
    return sin, cos


def box_muller(block: np.ndarray, mean: float, std: float) -> None:
    """Turn rows of 16 uniforms into rows of 16 normals in place: 8 radii, 8 angles, cosines first, then sines."""
    # Copied out once, because NumPy is slow on rows of eight.
    u1, u2 = block[:, :8].reshape(-1), block[:, 8:].reshape(-1)
    np.subtract(1, u1, out=u1)
    if block.dtype == np.float32:
        radius = np.sqrt((_log32(u1) * -2.0).astype(np.float32))
        sin, cos = _sincos32(mul32(u2.astype(np.float64), _TWO_PI32))
        sin *= radius
        cos *= radius
        if std != 1.0 or mean != 0.0:
            sin, cos = (fma32(x.astype(np.float64), std, mean) for x in (sin, cos))
    else:
        radius = np.sqrt(-2.0 * np.log(u1))
        u2 *= 2.0 * np.pi
        sin, cos = (fma64(radius * wave(u2), std, mean) for wave in (np.sin, np.cos))
    block[:, :8] = cos.reshape(-1, 8)
    block[:, 8:] = sin.reshape(-1, 8)
