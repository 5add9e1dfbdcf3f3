"""What ops call around their kernels, and instead of them where nothing is recorded: builtin functions on tensors.

Those that stand for an op ask the running thread for its mode themselves: see ``kernels/boxes``.

Where objects do not lie in memory as that believes, such as in a debug build of Python, there are none, and ops have
these functions in Python, or go the way that every mode has.
"""

import functools

import numpy as np

from .graph import (
    NO_VERSION,
    Counter,
    Metadata,
    ViewMetadata,
    counter_of,
    make_metadata,
    make_view_metadata,
)
from .kernels import boxed_views, boxes
from .modes import CHOICE, INFERENCE, NO_GRAD, TRACKED
from .tensor import Tensor

# As machine code knows them, by path.
_MODES = {"tracked": boxes.TRACKED, "inference": boxes.INFERENCE, "no_grad": boxes.NO_GRAD}


@functools.cache
def layout():
    """Return how tensors lie in memory: a `boxes.Layout`, or None if that cannot be told."""
    if CHOICE is None or not boxes.supported(Tensor, Metadata, ViewMetadata, Counter):
        return None
    return boxes.Layout(
        box=Tensor,
        array="_array",
        metadata="_meta",
        record=(
            Metadata,
            {"requires_grad": False, "node": None, "counter": None, "grad": None, "base": None, "hooks": None},
        ),
        view=(ViewMetadata, {"own": False, "node": None, "grad": None, "hooks": None, "link": None}),
        counter=(Counter, "value"),
        last="last_op",
        node="node",
        requires="requires_grad",
        own="own",
        absent=NO_VERSION,
        counter_of=counter_of,
        choice=CHOICE,
        modes=(TRACKED, INFERENCE, NO_GRAD),
        paths=("tracked", "inference", "no_grad"),
    )


@functools.cache
def wrap(path):
    """Return what makes an array, or a number of NumPy, the result of an op in the modes of `path`."""
    found = layout()
    if found is None:
        return wrap_inference if path == "inference" else wrap_normal
    return boxes.make_wrap(found, _MODES[path])


def wrap_inference(array):
    """Wrap a result as an inference tensor."""
    tensor = object.__new__(Tensor)
    tensor._array = array if type(array) is np.ndarray else np.asarray(array)
    tensor._meta = None
    return tensor


def wrap_normal(array):
    """Wrap a result as a normal tensor without history."""
    tensor = wrap_inference(array)
    tensor._meta = make_metadata()
    return tensor


def viewer(take, path):
    """Return what makes an array a view, in the modes of `path`: a function of its source, the array, and arguments.

    Args:
        take: ``take(array, *arguments)`` is the view of the array.
    """
    found = layout()
    if found is not None:
        return boxed_views.make_viewer(found, take, _MODES[path])

    def view(source, array, arguments):
        meta = source._meta
        tensor = wrap_inference(array)
        if meta is not None and meta.counter is not NO_VERSION:
            tensor._meta = make_view_metadata(source, take, arguments, path=path)
        return tensor

    return view


class Function:
    """A builtin function that is made when it is first called, as the attribute `call`.

    Args:
        make: ``make(layout)`` makes a function that answers None where it has done nothing.
    """

    __slots__ = ("_make", "call")

    def __init__(self, make):
        self._make = make
        self.call = self._first

    def _first(self, *arguments):
        found = layout()
        self.call = nothing if found is None else self._make(found)
        return self.call(*arguments)


def nothing(*arguments):
    """Answer None to whatever is asked."""
