"""What ops with several results return. Derived by `python -m numtensor stubs`: do not edit."""

from typing import Any, NamedTuple

from numtensor.tensor import Tensor

class kthvalue(NamedTuple):
    values: Tensor
    indices: Tensor

class max(NamedTuple):
    values: Tensor
    indices: Tensor

class median(NamedTuple):
    values: Tensor
    indices: Tensor

class min(NamedTuple):
    values: Tensor
    indices: Tensor

class sort(NamedTuple):
    values: Tensor
    indices: Tensor

class topk(NamedTuple):
    values: Tensor
    indices: Tensor

def return_type(name: str, *fields: str) -> type[tuple[Any, ...]]: ...
