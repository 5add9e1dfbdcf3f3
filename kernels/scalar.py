"""Functions of numbers that kernels may call: written in Python, compiled together with the kernel that uses them.

A kernel module names them like any global. Numba is not imported until a kernel is compiled: then ``specialise``
makes a copy of the function whose globals hold compiled functions in place of the objects of this file.
"""

import functools


class ScalarFunction:
    """A Python function of numbers, the same text for every dtype.

    Called from Python it runs as Python, which is how it is debugged (and what ``NUMBA_DISABLE_JIT=1`` shows).
    """

    def __init__(self, function, contract=False, reassociate=False):
        functools.update_wrapper(self, function)
        self.function = function
        self.contract = contract
        self.reassociate = reassociate

    def __call__(self, *args):
        return self.function(*args)

    def resolve(self, dtype):
        """Return the Python function to compile when the working dtype is `dtype`."""
        return self.function


class ElementaryFunction:
    """One mathematical function with an implementation for float32 and one for float64.

    A kernel is compiled for one working dtype, which chooses the implementation.
    """

    contract = True

    def __init__(self, name, float32, float64):
        self.__name__ = self.__qualname__ = name
        self.__doc__ = float64.__doc__
        self.__module__ = float64.__module__
        self.float32 = float32
        self.float64 = float64

    def __call__(self, *args):
        wide = getattr(args[0], "dtype", None) is None or args[0].dtype.itemsize == 8
        return (self.float64 if wide else self.float32)(*args)

    def resolve(self, dtype):
        return self.float32 if dtype == "float32" else self.float64

    def __repr__(self):
        return f"<elementary function {self.__name__}>"


def scalar(function):
    """Declare a function of numbers that kernels may call; strict floating point."""
    return ScalarFunction(function)


def block(function):
    """Declare a function that sums one block (at most 1024 elements) of a reduction, in whichever order is fast.

    What adds the blocks up is a `scalar` function, whose order is the written one.
    """
    return ScalarFunction(function, reassociate=True)


class FamilyFunction(ScalarFunction):
    """One function with a text for floating dtypes and another for integral ones; the working dtype chooses."""

    def __init__(self, floating, integral):
        super().__init__(floating.function)
        self.floating = floating
        self.integral = integral

    def resolve(self, dtype):
        return (self.floating if dtype.startswith("float") else self.integral).function


def by_family(*, floating, integral):
    """Declare a function of numbers by its two texts, both `scalar` functions."""
    return FamilyFunction(floating, integral)


def elementary(name, *, float32, float64):
    """Declare an elementary function by its two implementations.

    Their multiplications and additions may be contracted to fused ones: the polynomials want it, and
    their error bounds are measured with it.
    """
    return ElementaryFunction(name, float32, float64)


class Intrinsic:
    """A function that is one LLVM instruction or intrinsic, with a Python twin for debugging.

    ``emit(builder, args, result)`` writes the instruction (`result` is its LLVM type); it is called only when a
    kernel is compiled. ``types`` maps the argument's dtype name to the result's; without it all have one type.
    """

    def __init__(self, function, emit, types=None):
        functools.update_wrapper(self, function)
        self.function = function
        self.emit = emit
        self.types = types

    def __call__(self, *args):
        return self.function(*args)


def intrinsic(emit, types=None):
    """Declare the decorated Python function as the twin of the LLVM instruction that `emit` writes."""

    def declare(function):
        return Intrinsic(function, emit, types)

    return declare
