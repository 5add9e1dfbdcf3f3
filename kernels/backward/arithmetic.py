"""Gradients of the formulas in ``forward/arithmetic.py``: one result per differentiable input.

A gradient that is the incoming one, or zero, needs no kernel: those are plain functions of an array.
"""

import numpy as np

from .. import intrinsics
from ..declare import elementwise
from ..forward.arithmetic import floor_of_quotient


def add(grad):
    """The gradient itself for both inputs: the same array, so no kernel."""
    return grad, grad


@elementwise(results=("T", "T"))
def sub(grad):
    """grad, -grad."""
    return grad, -grad


@elementwise(results=("T", "T"))
def mul(grad, x, y):
    """grad * y, grad * x."""
    return grad * y, grad * x


@elementwise(results=("T", "T"))
def div(grad, x, y):
    """grad / y, -grad * (x / y) / y."""
    return grad / y, -grad * ((x / y) / y)


@elementwise(results=("T", "T"))
def remainder(grad, x, y):
    """grad, -grad * floor(x / y)."""
    return grad, -grad * floor_of_quotient(x, y)


@elementwise(results=("T", "T"))
def fmod(grad, x, y):
    """grad, -grad * trunc(x / y)."""
    return grad, -grad * intrinsics.trunc(x / y)


@elementwise
def neg(grad):
    """-grad."""
    return -grad


@elementwise
def abs(grad, x):
    """grad * sign(x), 0 at x = 0."""
    return grad * (type(x)(x > type(x)(0)) - type(x)(x < type(x)(0)))


def constant(grad):
    """Zero: of functions that are constant between their steps."""
    return (np.zeros_like(grad),)


def constant_2(grad):
    """Zero for both inputs."""
    return np.zeros_like(grad), np.zeros_like(grad)


@elementwise(results=("T", "T", "T"))
def lerp(grad, x, y, weight):
    """grad * (1 - weight), grad * weight, grad * (y - x)."""
    return grad * (type(grad)(1) - weight), grad * weight, grad * (y - x)


@elementwise(results=("T", "T", "T"))
def addcmul(grad, y, z, value: float):
    """grad, grad * value * z, grad * value * y."""
    scaled = grad * value
    return grad, scaled * z, scaled * y


@elementwise(results=("T", "T", "T"))
def addcdiv(grad, y, z, value: float):
    """grad, grad * value / z, -grad * value * y / z**2."""
    scaled = grad * value / z
    return grad, scaled, -scaled * (y / z)
