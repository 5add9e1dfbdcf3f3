"""Transforms of functions: each takes a function and returns (or computes) one of its derivatives.

They nest within each other, record nothing in the caller's graph that does not depend on it, and are right in every
gradient mode, inference mode included.

Reference: ``torch.func``.
"""

from .forward import hessian, jacfwd, jvp
from .reverse import grad, grad_and_value, jacrev, vjp
from .stateless import functional_call

__all__ = ["functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp"]
