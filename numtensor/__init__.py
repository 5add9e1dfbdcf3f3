"""numtensor: tensors and autograd for the CPU, every kernel Python compiled by Numba."""

from ._checkout import bind_kernels as _bind_kernels
from ._version import __version__

_bind_kernels()
