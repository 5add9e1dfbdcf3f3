"""The Tensor: a NumPy array and, but for inference tensors, metadata for autograd.

Here stand only what a tensor is and how it meets Python and NumPy. Its operations are declared in ``ops/`` and bound
to the class by ``ops.bind``; ``grad_fn`` and ``backward`` come from ``autograd.backward``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

import numpy as np

from . import dtypes
from .graph import NO_VERSION, LeafHooks, Metadata, NodeHooks, Output, RemovableHandle, counter_of, make_metadata
from .modes import current
from .printing import tensor_repr

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from typing_extensions import Self

    # What the ops give the class below, as type checkers see it.
    from ._methods import Methods
    from ._types import DType, Operand
else:
    Methods = object

new = object.__new__


class Size(tuple[int, ...]):
    """A tensor's shape: a tuple that can count its elements."""

    __slots__ = ()

    def numel(self) -> int:
        """Return the number of elements of a tensor of this shape."""
        count = 1
        for extent in self:
            count *= extent
        return count

    def __repr__(self) -> str:
        return f"numtensor.Size({list(self)})"


TENSORS = set()
"""`Tensor` and its subclasses: what ops recognise by type, quicker than by isinstance."""


class Tensor(Methods):
    """A multi-dimensional array of one dtype that records what is computed from it.

    Made by `tensor`, `from_numpy`, the factories and the operations, rather than by calling the class.
    """

    __slots__ = ("__weakref__", "_array", "_meta")

    # NumPy's operators give way to ours: ndarray * tensor is Tensor.__rmul__ by way of __array_ufunc__.
    __array_priority__ = 1000

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        TENSORS.add(cls)

    def __new__(cls, data: Any = (), dtype: DType | None = None) -> Self:
        made = new(cls)
        array = np.array(data._array if isinstance(data, Tensor) else data, dtype=_numpy_dtype(dtype))
        if dtype is None and not isinstance(data, (np.ndarray, Tensor)):
            array = array.astype(dtypes.get_default_dtype().numpy)
        dtypes.from_numpy_dtype(array.dtype, "Tensor")
        made._array = array
        made._meta = None if current.mode.inference else make_metadata()
        return made

    # -----------------------------------------------------------------------------------------------------------------
    # What it is

    @property
    def shape(self) -> Size:
        """The extents, as a `Size`."""
        return Size(self._array.shape)

    @property
    def dtype(self) -> dtypes.dtype:
        """The elements' dtype."""
        return dtypes.FROM_NUMPY[self._array.dtype]

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    @property
    def device(self) -> str:
        """Always ``cpu``: what code written for PyTorch asks."""
        return "cpu"

    @property
    def is_cuda(self) -> bool:
        """Always False."""
        return False

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._array.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._array.nbytes

    @overload
    def size(self, dim: None = None) -> Size: ...

    @overload
    def size(self, dim: int) -> int: ...

    def size(self, dim=None):
        """Return the shape, or the extent of one dimension."""
        if dim is None:
            return Size(self._array.shape)
        try:
            return self._array.shape[dim]
        except IndexError:
            raise _dim_error("size", dim, self._array.ndim) from None

    @overload
    def stride(self, dim: None = None) -> tuple[int, ...]: ...

    @overload
    def stride(self, dim: int) -> int: ...

    def stride(self, dim=None):
        """Return the strides in elements, all or of one dimension."""
        strides = tuple(step // self._array.itemsize for step in self._array.strides)
        if dim is None:
            return strides
        try:
            return strides[dim]
        except IndexError:
            raise _dim_error("stride", dim, self._array.ndim) from None

    def storage_offset(self) -> int:
        """Return the position of the first element in the memory of the base, in elements."""
        owner = self._array
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        start = self._array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
        return start // self._array.itemsize

    def dim(self) -> int:
        """Return the number of dimensions."""
        return self._array.ndim

    def numel(self) -> int:
        """Return the number of elements."""
        return self._array.size

    nelement = numel

    def element_size(self) -> int:
        """Return the bytes per element."""
        return self._array.itemsize

    def data_ptr(self) -> int:
        """Return the address of the first element."""
        return self._array.__array_interface__["data"][0]

    def is_contiguous(self) -> bool:
        """Return whether the elements lie in row-major order without gaps."""
        return self._array.flags.c_contiguous

    def is_floating_point(self) -> bool:
        """Return whether the dtype is a floating one."""
        return self._array.dtype.kind == "f"

    def is_complex(self) -> bool:
        """Return False: there are no complex tensors."""
        return False

    def is_inference(self) -> bool:
        """Return whether this is an inference tensor: made in inference mode, without a version counter."""
        meta = self._meta
        return meta is None or meta.counter is NO_VERSION

    # -----------------------------------------------------------------------------------------------------------------
    # To Python and NumPy

    def item(self) -> Any:
        """Return the only element as a Python number.

        Raises:
            RuntimeError: there is not exactly one element.
        """
        try:
            return self._array.item()
        except ValueError:
            raise RuntimeError(
                f"item: a Tensor with {self._array.size} elements cannot be converted to Scalar "
                f"(shape {self._array.shape}); index or reduce it first"
            ) from None

    def tolist(self) -> Any:
        """Return the elements as nested lists of Python numbers."""
        return self._array.tolist()

    def numpy(self, *, force: bool = False) -> np.ndarray[Any, Any]:
        """Return the array that holds the elements, without a copy: writes to it are not seen by autograd.

        Args:
            force: detach first, as ``t.detach().numpy()``.

        Raises:
            RuntimeError: the tensor requires grad while gradients are enabled.
        """
        meta = self._meta
        if meta is not None and meta.requires_grad and current.mode.grad and not force:
            raise RuntimeError(
                "numpy: Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        return self._array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        array = self.numpy()
        if dtype is not None and np.dtype(dtype) != array.dtype:
            if copy is False:
                raise ValueError(f"__array__: a copy is needed to convert {array.dtype} to {np.dtype(dtype)}")
            return array.astype(dtype)
        return array.copy() if copy else array

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.numpy().__dlpack__(**kwargs)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()

    def __bool__(self) -> bool:
        if self._array.size != 1:
            raise RuntimeError(
                f"bool: Boolean value of Tensor with {'no' if self._array.size == 0 else 'more than one'} value"
                f"{'s' if self._array.size == 0 else ''} is ambiguous (shape {self._array.shape}); use any() or all()"
            )
        return bool(self._array.item())

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        if self._array.dtype.kind == "f" or self._array.size != 1:
            raise TypeError(
                "index: only integer tensors of a single element can be converted to an index, got "
                f"{self.dtype} of shape {self._array.shape}"
            )
        return int(self._array.item())

    def __len__(self) -> int:
        if self._array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self._array.shape[0]

    def __contains__(self, value: Operand) -> bool:
        return bool((self._array == (value._array if isinstance(value, Tensor) else value)).any())

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return tensor_repr(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Copy the values, the gradient, and whether gradients are computed.

        Raises:
            RuntimeError: the tensor is not a leaf: a copy of its part of the graph would be another graph.
        """
        if not self.is_leaf:
            raise RuntimeError(
                "deepcopy: Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol; "
                "use detach().clone()"
            )
        made = memo[id(self)] = rebuild(type(self), self._array.copy(), self.requires_grad)
        if self.grad is not None:
            made.grad = self.grad.__deepcopy__(memo)
        return made

    def __copy__(self) -> Self:
        """Return another leaf on the same memory, with the same version counter (or none)."""
        made = new(type(self))
        made._array = self._array
        made._meta = None if self.is_inference() else make_metadata(False, counter_of(self._meta))
        if self.requires_grad:
            if made._meta is None:
                made._meta = make_metadata(True, NO_VERSION)
            made._meta.requires_grad = True
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        return rebuild, (type(self), self._array, self.requires_grad)

    def __format__(self, spec: str) -> str:
        if self._array.ndim == 0 and spec:
            return format(self._array.item(), spec)
        return object.__format__(self, spec) if spec else repr(self)

    # -----------------------------------------------------------------------------------------------------------------
    # Autograd

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are computed for this tensor."""
        meta = self._meta
        return meta is not None and meta.requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Choose whether gradients are computed for this tensor, and return it.

        Raises:
            RuntimeError: it is not floating-point, not a leaf, or an inference tensor outside inference mode.
        """
        meta = self._meta
        if requires_grad:
            if self._array.dtype.kind != "f":
                raise RuntimeError(
                    f"requires_grad_: only Tensors of floating point dtype can require gradients, got {self.dtype}"
                )
            if self.is_inference() and not current.mode.inference:
                raise RuntimeError(
                    "requires_grad_: Setting requires_grad=True on inference tensor outside InferenceMode is not "
                    f"allowed (shape {tuple(self._array.shape)}); use clone() first"
                )
        elif meta is not None and meta.node is not None:
            raise RuntimeError(
                "requires_grad_: you can only change requires_grad flags of leaf variables. If you want to use a "
                "computed variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if meta is None:
            if requires_grad:
                self._meta = make_metadata(True, NO_VERSION)
        else:
            meta.requires_grad = bool(requires_grad)
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded op made this tensor."""
        return self.grad_fn is None

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward has accumulated here, or None."""
        meta = self._meta
        return None if meta is None else meta.grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(f"grad: expected a Tensor or None, got {type(value).__name__}")
            if value._array.shape != self._array.shape or value._array.dtype != self._array.dtype:
                raise RuntimeError(
                    f"grad: assigned grad has shape {value._array.shape} and dtype {value.dtype}, the tensor has shape "
                    f"{self._array.shape} and dtype {self.dtype}"
                )
        if self._meta is None:
            if value is None:
                return
            self._meta = make_metadata(False, NO_VERSION)
        self._meta.grad = value

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    @property
    def output_nr(self) -> int:
        """Which result of its node this tensor is."""
        node = None if self._meta is None else self._meta.node
        return node.number if type(node) is Output else 0

    @property
    def _version(self) -> int:
        meta = self._meta
        if meta is None or meta.counter is NO_VERSION:
            raise RuntimeError("_version: Inference tensors do not track version counter.")
        return 0 if meta.counter is None else meta.counter.value

    def _is_view(self) -> bool:
        return self._meta is not None and self._meta.base is not None

    @property
    def _base(self) -> Tensor | None:
        return None if self._meta is None else self._meta.base

    @property
    def data(self) -> Tensor:
        """The same memory as a tensor without history, whose changes autograd does not see."""
        other = new(Tensor)
        other._array = self._array
        other._meta = None if self.is_inference() else make_metadata()
        return other

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"data: expected a Tensor, got {type(value).__name__}")
        if value.is_inference() != self.is_inference():
            raise RuntimeError(
                "data: an inference tensor cannot become the data of a normal one, nor the reverse; use clone() "
                "outside inference mode"
            )
        if value._array.dtype != self._array.dtype and self.requires_grad and not value.is_floating_point():
            raise RuntimeError(f"data: a tensor that requires grad cannot hold {value.dtype}")
        self._array = value._array

    def retain_grad(self) -> None:
        """Keep the gradient of this non-leaf in ``grad``, too.

        Raises:
            RuntimeError: it does not require grad.
        """
        if not self.requires_grad:
            raise RuntimeError("retain_grad: can't retain_grad on Tensor that has requires_grad=False")
        node = self.grad_fn
        if node is not None:
            if node.hooks is None:
                node.hooks = NodeHooks()
            node.hooks.retained[self.output_nr] = self._meta

    @property
    def retains_grad(self) -> bool:
        """Whether this non-leaf keeps its gradient."""
        node = self.grad_fn
        return node is not None and node.hooks is not None and self.output_nr in node.hooks.retained

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call ``hook(grad)`` whenever the gradient of this tensor is computed; what it returns replaces it.

        Returns:
            A handle with ``remove()``.

        Raises:
            RuntimeError: the tensor does not require grad.
        """
        if not self.requires_grad:
            raise RuntimeError("register_hook: cannot register a hook on a tensor that doesn't require gradient")
        node = self.grad_fn
        if node is None:
            hooks = self._leaf_hooks().tensor
            handle = RemovableHandle(hooks)
            hooks[handle.id] = hook
        else:
            if node.hooks is None:
                node.hooks = NodeHooks()
            handle = RemovableHandle(node.hooks.tensor)
            node.hooks.tensor[handle.id] = (self.output_nr, hook)
        return handle

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call ``hook(tensor)`` after a gradient was added to this leaf's ``grad``.

        Returns:
            A handle with ``remove()``.

        Raises:
            RuntimeError: the tensor is not a leaf that requires grad.
        """
        if not self.requires_grad or not self.is_leaf:
            raise RuntimeError(
                "register_post_accumulate_grad_hook: cannot register a hook on a tensor that is not a leaf that "
                "requires gradient"
            )
        hooks = self._leaf_hooks().after
        handle = RemovableHandle(hooks)
        hooks[handle.id] = (self, hook)
        return handle

    def _leaf_hooks(self):
        if self._meta.hooks is None:
            self._meta.hooks = LeafHooks()
        return self._meta.hooks


TENSORS.add(Tensor)


def _numpy_dtype(kind):
    return None if kind is None else dtypes.as_dtype(kind).numpy


def _dim_error(op, dim, ndim):
    return IndexError(
        f"{op}: Dimension out of range (expected to be in range of [{-max(ndim, 1)}, {max(ndim, 1) - 1}], "
        f"but got {dim})"
    )


def from_array(array: np.ndarray[Any, Any]) -> Tensor:
    """Wrap an array that nobody else holds as a normal tensor (whatever the mode)."""
    made = new(Tensor)
    made._array = array
    # What Metadata() does, 60 ns sooner.
    meta = made._meta = Metadata()
    meta.requires_grad = False
    meta.node = meta.counter = meta.grad = meta.base = meta.hooks = None
    return made


def wrap(array):
    """Wrap an array that nobody else holds as a tensor of the current mode: what a factory returns."""
    made = new(Tensor)
    made._array = array
    made._meta = None if current.mode.inference else make_metadata()
    return made


def rebuild(cls, array, requires_grad):
    """Make a leaf of the current mode from an array that nobody else holds: what unpickling and deepcopy call."""
    kind = dtypes.FROM_NUMPY[array.dtype].numpy
    made = new(cls)
    # An unpickled array's dtype is equal to the one that ops look up, but another object.
    made._array = array if array.dtype is kind else array.view(kind)
    made._meta = None if current.mode.inference else make_metadata()
    return made.requires_grad_() if requires_grad else made
