"""Kernels: Python functions that Numba compiles into the inner loops of genuine NumPy ufuncs.

This package knows NumPy and Numba only; it has never heard of a Tensor. What belongs where:

- ``declare``     ``@elementwise`` and ``@gufunc``: how a kernel is written down
- ``scalar``      functions of numbers that kernels call (``elementary/`` and intrinsics are such)
- ``ordering``    integers that order as floats do: what sorts compare
- ``passes``      extremes and searches, written with vectors
- ``loops``       the loop templates around a kernel's formula
- ``compiler``    from a loop's text to machine code; it alone, and ``pipeline``, import Numba. ``options``: how
- ``pipeline``    Numba's compiler with no more in it than kernels need
- ``store``       machine code on disk: key, freeze, thaw; ``digest``: its hash function
- ``image``       machine code that is loaded without LLVM; ``symbols``: what it may call
- ``progress``    the line that says what a program waits for
- ``ufunc``       from the address of a loop to a ``numpy.ufunc``
- ``builtin``     the loop of a gufunc as a builtin function for arrays in order, without NumPy's iterator
- ``immortal``    what C and machine code have pointers to
- ``calls``       the same of an elementwise loop, which is then quicker than NumPy's own addition
- ``strided_calls`` few elements that are broadcast or lie otherwise; ``recipes``: what both know of a kernel
- ``boxes``       objects that hold an array: ``boxed_*`` are builtin functions from such objects to such objects;
                  ``tuples``, ``integers``: what Python's are to them
- ``affine_row``  an affine map of one row, by one call of BLAS; ``affine_tiles`` of several; ``cblas``: its functions
- ``elementary/`` exp, log, tanh, ...: vectorisable and accurate
- ``forward/``, ``backward/`` mirrored files, one family of ops each
"""

if __name__ != "numtensor.kernels":
    # Two copies of a kernel module would be two registries, and `kernels` is also a published package's name.
    raise ImportError("import this package as numtensor.kernels, never as kernels")
