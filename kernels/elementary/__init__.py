from .error import erf
from .exponential import exp, expm1, sigmoid
from .hyperbolic import cosh, sinh, tanh
from .logarithm import log, log1p, log2, log10
