"""Options of compilation: they stand here once, each with its reason."""

# Division by zero gives inf or nan as IEEE says; Numba's default raises, which is slow (13x) and not allowed in a
# kernel.
ERROR_MODEL = "numpy"
# Inside elementary functions only: x*y + z may be one fused instruction. It changes results in the last bit, so
# never in formulas (with it a*a - b*b of equals is not zero).
CONTRACT = {"contract"}
# Inside the function that sums one block of a reduction only: lets LLVM keep several partial sums.
REASSOCIATE = {"reassoc", "contract", "nsz"}

# Of the functions that a loop calls. LLVM leaves a long formula as a call, and a loop with a call in it stays scalar:
# gelu 12 times, pow 8 times slower. Nothing but compiled code calls them, so they need no wrappers for Python or C.
INNER = {"nogil": True, "forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}

# Instructions of a formula that takes less time than its operands' way from memory: kernels have up to 19, or more
# than 26.
LIGHT = 20
