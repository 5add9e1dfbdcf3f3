"""Elementary functions of one or two numbers, written so that LLVM vectorises the loop around them.

There is no branch, loop or call of the C library in them: they compute every case and select. Each has a version for
float32 and one for float64, whose names end accordingly; a kernel that names ``exp`` gets that of its working dtype.

The table bounds the error in units in the last place, float32 / float64, of which rounding itself takes 0.5. They are
measured, denormals and huge arguments included, and kept by ``tests/kernels/test_elementary_accuracy.py``.

======= =========== ======= =========== ======= ===========
exp     1.05 / 1    log     0.9 / 0.8   sin     1.55 / 0.8
exp2    1 / 0.9     log2    1.1 / 0.9   cos     1.55 / 0.8
expm1   1.5 / 1.2   log10   1.05 / 0.9  tan     2.05 / 1.9
sigmoid 2.3 / 1.8   log1p   1.5 / 1.2   asin    1.2 / 1.2
sinh    1.7 / 1.4   pow     2.1 / 1.2   acos    1.2 / 1.2
cosh    1.5 / 1.4   sqrt    0.5 / 0.5   atan    1.3 / 1.7
tanh    2.4 / 1.4   rsqrt   1.5 / 1.5   atan2   1.6 / 2.2
asinh   1.8 / 1.9   acosh   2.6 / 2.8   erf     1.9 / 1.15
atanh   2.2 / 2                         erfc    3.6 / 3
======= =========== ======= =========== ======= ===========

The compensated arithmetic (pow, erfc, the reduction of the trigonometric functions) counts on a fused multiply-add in
the processor: without one it is right but slow, and the bounds of the simple functions grow by up to 1 ULP.
"""

from .error import erf, erfc
from .exponential import exp, exp2, expm1, sigmoid
from .hyperbolic import cosh, sinh, tanh
from .inverse_hyperbolic import acosh, asinh, atanh
from .logarithm import log, log1p, log2, log10
from .power import pow, rsqrt, sqrt
from .trigonometric import acos, asin, atan, atan2, cos, sin, tan

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
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
