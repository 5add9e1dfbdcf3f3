from .error import erf, erfc
from .exponential import exp, exp2, expm1, sigmoid
from .hyperbolic import cosh, sinh, tanh
from .logarithm import log, log1p, log2, log10
from .power import pow, rsqrt, sqrt
from .trigonometric import acos, asin, atan, cos, sin, tan
