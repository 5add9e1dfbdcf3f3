"""Elementary functions of one or two numbers, written so that LLVM vectorises the loop around them.

There is no branch, loop or call of the C library in them: they compute every case and select. Each has a version for
float32 and one for float64, whose names end accordingly; a kernel that names ``exp`` gets that of its working dtype.
Errors in ULP are the largest that were measured, float32 / float64; nearest rounding itself costs 0.5.

=========== ============ =========== ============ =========== ============
exp                      log                      sin
exp2                     log2                     cos
expm1                    log10                    tan
sigmoid                  log1p                    asin
sinh                     pow                      acos
cosh                     sqrt                     atan
tanh                     rsqrt                    erf, erfc
=========== ============ =========== ============ =========== ============
"""

from .error import erf, erfc
from .exponential import exp, exp2, expm1, sigmoid
from .hyperbolic import cosh, sinh, tanh
from .logarithm import log, log1p, log2, log10
from .power import pow, rsqrt, sqrt
from .trigonometric import acos, asin, atan, cos, sin, tan

__all__ = [
    "acos",
    "asin",
    "atan",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "pow",
    "rsqrt",
    "sigmoid",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
]
