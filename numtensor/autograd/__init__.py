"""Automatic differentiation: ``backward``, ``grad`` and what stands around them.

What is recorded is in ``numtensor.graph``, below the tensor; here stands what walks it, above the ops.
"""

from ..modes import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from ..ops import public_functions
from . import forward_ad, function, functional, graph
from .anomaly import detect_anomaly, is_anomaly_enabled, set_detect_anomaly
from .backward import backward_all as backward
from .backward import grad
from .function import Function
from .gradcheck import GradcheckError, gradcheck, gradgradcheck

__all__ = [
    "Function",
    "GradcheckError",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "forward_ad",
    "function",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "inference_mode",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]

# The ops of this namespace, one function each.
globals().update(public_functions("autograd"))
