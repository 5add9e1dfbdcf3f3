"""numtensor: tensors and autograd for the CPU, every kernel Python compiled by Numba."""

from math import e, inf, nan, pi

from ._checkout import bind_kernels as _bind_kernels
from ._on_demand import on_demand as _on_demand
from ._version import __version__

_bind_kernels()

from . import autograd, nn, ops, random, return_types
from .debug import is_debug_enabled, set_debug
from .dtypes import bool_ as bool
from .dtypes import (
    dtype,
    finfo,
    float32,
    float64,
    get_default_dtype,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    promote_types,
    set_default_dtype,
    uint8,
)
from .dtypes import float32 as float
from .dtypes import float64 as double
from .dtypes import int16 as short
from .dtypes import int32 as int
from .dtypes import int64 as long
from .modes import enable_grad, inference_mode, is_grad_enabled, is_inference_mode_enabled, no_grad, set_grad_enabled
from .ops.compare_all import allclose, equal
from .ops.creation import as_tensor, asarray, from_dlpack, from_numpy, tensor
from .ops.queries import (
    can_cast,
    is_complex,
    is_floating_point,
    is_inference,
    is_nonzero,
    is_tensor,
    numel,
    result_type,
)
from .ops.random_ops import get_rng_state, set_rng_state
from .random import Generator, default_generator, fork_rng, initial_seed, manual_seed, seed
from .serialization import load, save
from .tensor import Size, Tensor, from_array
from .threads import get_num_threads, num_threads, set_num_threads

newaxis = None

# One function per declared op; `ops.OPS` lists them.
globals().update(ops.public_functions(""))

# What a program that predicts has no use for is executed when it is first asked for: a tenth of the time of all.
func, optim, utils = map(_on_demand, (f"{__name__}.func", f"{__name__}.optim", f"{__name__}.utils"))

__all__ = [name for name in globals() if not name.startswith("_")]
