"""numtensor: tensors and autograd for the CPU, every kernel Python compiled by Numba."""

from ._checkout import bind_kernels as _bind_kernels
from ._version import __version__

_bind_kernels()

from . import autograd, ops
from .dtypes import (
    dtype, finfo, float32, float64, get_default_dtype, iinfo, int8, int16, int32, int64, promote_types,
    set_default_dtype, uint8,
)
from .dtypes import bool_ as bool
from .modes import enable_grad, inference_mode, is_grad_enabled, is_inference_mode_enabled, no_grad, set_grad_enabled
from .ops.creation import tensor
from .tensor import Size, Tensor, from_array

globals().update(ops.public_functions(""))
