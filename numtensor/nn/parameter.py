"""Parameter: a tensor that a module owns and an optimizer changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import dtypes
from ..graph import NO_VERSION, counter_of, make_metadata
from ..tensor import Tensor, new, rebuild, wrap

if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Self


class Parameter(Tensor):
    """A leaf tensor that requires grad, and that a `Module` lists among its parameters once it is an attribute.

    It shares the memory of `data`, and its version counter.

    Args:
        data: a tensor; an empty one if None.
        requires_grad: whether gradients are computed for it.

    Raises:
        TypeError: `data` is not a tensor.
        RuntimeError: `data` is not floating-point and `requires_grad` is True, or it is an inference tensor and this
            is outside inference mode.

    Reference: ``torch.nn.Parameter``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.Parameter(nt.tensor([1.0, 2.0]))
        Parameter containing:
        tensor([1., 2.], requires_grad=True)
    """

    __slots__ = ()

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Self:
        if data is None:
            data = wrap(np.empty(0, dtypes.get_default_dtype().numpy))
        elif not isinstance(data, Tensor):
            raise TypeError(
                f"Parameter: data must be Tensor, not {type(data).__name__}; make one with tensor() or from_numpy()"
            )
        made = new(cls)
        made._array = data._array
        meta = data._meta
        # As detach() does: a normal tensor's counter is shared, an inference tensor has none.
        made._meta = None if meta is None or meta.counter is NO_VERSION else make_metadata(False, counter_of(meta))
        return made.requires_grad_() if requires_grad else made

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Copy the values and whether gradients are computed; the gradient is left behind."""
        made = memo[id(self)] = rebuild(type(self), self._array.copy(), self.requires_grad)
        return made
