"""From a loop's Python text to object code. The only file that imports Numba, and it does so when called.

Compile options stand here once, each with its reason.
"""

import dataclasses
import functools
import itertools
import linecache
import threading
import types as python_types

from .element_loop import LoopWriter
from .memory import NUMBA_NAMES, NumbaForm
from .scalar import ElementaryFunction, Intrinsic, ScalarFunction

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

# What object code may name that it does not define. The first four are called on a Numba-level error, which a kernel
# does not have, but a name that stays unresolved leaves others unbound in MCJIT: a crash.
RUNTIME_SYMBOLS = frozenset({"numba_gil_ensure", "numba_gil_release", "NRT_MemInfo_call_dtor", "NRT_Free"})
LIBM_SYMBOLS = frozenset(
    f"{name}{suffix}"
    for name in ("floor", "ceil", "trunc", "rint", "nearbyint", "sqrt", "fma", "fmod", "pow", "fmin", "fmax")
    for suffix in ("", "f")
) | {"feclearexcept", "memset", "memcpy", "memmove"}
ALLOWED_SYMBOLS = RUNTIME_SYMBOLS | LIBM_SYMBOLS

_lock = threading.RLock()
_compiled = {}
_template_number = itertools.count()


class CompileError(RuntimeError):
    """A kernel did not compile, or its object code names a symbol that numtensor cannot resolve without Numba."""


# What a compiled function is to its caller: a ufunc's inner loop; a builtin function of CPython, addresses in and out.
LOOP, BUILTIN = "loop", "builtin"


def _signature(kind):
    from numba.core import types

    if kind == BUILTIN:
        return (types.int64, types.CPointer(types.int64), types.int64), types.int64
    numbers = types.CPointer(types.intp)
    return (types.CPointer(types.uintp), numbers, numbers, types.voidptr), types.void


def compile_loop(name, source, namespace, dtype, assembly=False, kind=LOOP):
    """Compile the text of a ufunc inner loop to object code.

    Args:
        name: the loop's function name in `source`, and the symbol of the result: unique over all processes, since
            object code of several processes meets in one.
        source: Python text that defines ``name(args, dims, steps, data)``.
        namespace: the globals of that text: kernel functions, scalar functions, intrinsics, constants.
        dtype: name of the working dtype, which chooses among implementations of elementary functions.
        assembly: return the assembly as text instead.
        kind: `LOOP`, or `BUILTIN` for ``name(self, args, count)`` of CPython's vectorcall, objects by their addresses.

    Returns:
        The object code as bytes.

    Raises:
        CompileError: when the object code names an undefined symbol outside the allow-list.
    """
    import numba
    from numba.core.ccallback import CFunc

    class UnfinalizedCFunc(CFunc):
        """A callback that is compiled to LLVM but not loaded: the store loads all code in one way."""

        def freeze(self):
            compiled = self._compile_uncached()
            return compiled.library, compiled.fndesc.llvm_cfunc_wrapper_name

    with _lock:
        loop = _define(name, source, _resolve_globals(namespace, dtype))
        signature = _signature(kind)
        with numba.core.compiler_lock.global_compiler_lock:
            library, wrapper = UnfinalizedCFunc(loop, signature, {}, {"error_model": ERROR_MODEL}).freeze()
            module = _optimise(library, wrapper, name)
            machine = library.codegen._tm
            return machine.emit_assembly(module) if assembly else machine.emit_object(module)


def compile_elements(name, loop, dtype, assembly=False):
    """Compile the loop of an elementwise kernel to object code.

    Args:
        name: the symbol of the result, unique over all processes.
        loop: an `ElementLoop`.
        dtype, assembly: as `compile_loop`.

    Returns:
        The object code as bytes.

    Raises:
        CompileError: when the object code names an undefined symbol outside the allow-list.
    """
    import numba
    from numba.core import cgutils, types
    from numba.core.registry import cpu_target

    def number_type(kind):
        return getattr(types, NUMBA_NAMES.get(kind, kind))

    with _lock, numba.core.compiler_lock.global_compiler_lock:
        context = cpu_target.target_context
        arguments = tuple(number_type(kind) for kind in loop.types)
        formula = _resolve(loop.formula, dtype)
        formula.compile(arguments)
        compiled = formula.overloads[arguments]
        returned = compiled.signature.return_type
        library = context.codegen().create_library(name)
        library.add_linking_library(compiled.library)
        module = library.create_ir_module(name)
        function = context.declare_function(module, compiled.fndesc)

        def call(builder, values):
            _, result = context.call_conv.call_function(builder, function, returned, arguments, values)
            several = isinstance(returned, types.BaseTuple)
            found = cgutils.unpack_tuple(builder, result) if several else [result]
            kinds = list(returned) if several else [returned]
            return [
                context.cast(builder, value, kind, number_type(wanted))
                for value, kind, wanted in zip(found, kinds, loop.results, strict=True)
            ]

        body = compiled.library._final_module.get_function(compiled.fndesc.mangled_name)
        light = sum(len(list(block.instructions)) for block in body.blocks) <= LIGHT
        LoopWriter(dataclasses.replace(loop, light=light), module, call).write(name)
        return _emit(library, module, name, assembly)


def compile_module(name, write):
    """Compile a function that is written in LLVM's language to object code: ``write(module, name)`` writes it."""
    from numba.core.registry import cpu_target

    library = cpu_target.target_context.codegen().create_library(name)
    module = library.create_ir_module(name)
    write(module, name)
    return _emit(library, module, name)


def _emit(library, module, name, assembly=False):
    library.add_ir_module(module)
    optimised = _optimise(library, name, name)
    machine = library.codegen._tm
    return machine.emit_assembly(optimised) if assembly else machine.emit_object(optimised)


def _define(name, source, namespace):
    filename = f"numtensor-loop-{next(_template_number)}.py"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    namespace["__name__"] = "numtensor.kernels.generated"
    exec(compile(source, filename, "exec"), namespace)
    return namespace[name]


def _optimise(library, wrapper, name):
    """Link and optimise as Numba's ``finalize`` does, but with every function hidden except the loop itself.

    Hidden functions are inlined and dropped, the loop gets the symbol `name`, and the module never enters Numba's
    own engine.
    """
    module = library._final_module
    for linked in dict.fromkeys(library._linking_libraries):
        module.link_in(linked._get_module_for_linking(), preserve=True)
    for function in module.functions:
        if function.is_declaration:
            continue
        if function.name == wrapper:
            function.name = name
            function.linkage = "external"
        else:
            function.linkage = "internal"
    library._optimize_final_module()
    undefined = {f.name for f in module.functions if f.is_declaration and not f.name.startswith("llvm.")}
    foreign = undefined - ALLOWED_SYMBOLS
    if foreign:
        raise CompileError(f"kernel {name} needs symbols that are unknown without Numba: {sorted(foreign)}")
    return module


def _resolve_globals(namespace, dtype):
    resolved = {key: _resolve(value, dtype) for key, value in namespace.items()}
    resolved["__builtins__"] = __builtins__
    return resolved


def _resolve(value, dtype, names=()):
    if isinstance(value, Intrinsic):
        return _numba_intrinsic(value)
    if isinstance(value, (ScalarFunction, ElementaryFunction)):
        if value.contract:
            fastmath = CONTRACT
        elif getattr(value, "reassociate", False):
            fastmath = REASSOCIATE
        else:
            fastmath = getattr(value, "fastmath", False)
        return _jit(value.resolve(dtype), fastmath, dtype)
    if isinstance(value, NumbaForm):
        return value.resolve(dtype)
    if isinstance(value, python_types.ModuleType) and value.__name__.startswith(__package__ + "."):
        # `elementary.exp` in a kernel: a module whose functions are the compiled ones.
        module = python_types.ModuleType(value.__name__)
        for name in names:
            if hasattr(value, name):
                setattr(module, name, _resolve(getattr(value, name), dtype))
        return module
    return value


def jit(function, dtype, fastmath=False):
    """Return `function` compiled by Numba, its globals replaced by their compiled forms for `dtype`.

    Only compiled code may call it.
    """
    if isinstance(function, (ScalarFunction, ElementaryFunction)):
        return _resolve(function, dtype)
    return _jit(function, fastmath, dtype)


def _jit(function, fastmath, dtype):
    if isinstance(function, (ScalarFunction, ElementaryFunction)):
        return _resolve(function, dtype)
    key = (function, dtype)
    found = _compiled.get(key)
    if found is None:
        import numba

        names = _names_of(function.__code__)
        module = function.__globals__
        namespace = {n: _resolve(module[n], dtype, names) for n in names if n in module}
        namespace["__builtins__"] = module.get("__builtins__", __builtins__)
        namespace["__name__"] = function.__module__
        cells = tuple(python_types.CellType(_resolve(cell.cell_contents, dtype)) for cell in function.__closure__ or ())
        copy = python_types.FunctionType(
            function.__code__, namespace, function.__name__, function.__defaults__, cells or None
        )
        copy.__qualname__ = function.__qualname__
        copy.__module__ = function.__module__
        found = _compiled[key] = numba.njit(copy, error_model=ERROR_MODEL, fastmath=fastmath, **INNER)
    return found


def _names_of(code):
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, python_types.CodeType):
            names |= _names_of(constant)
    return names


@functools.cache
def _numba_intrinsic(declared):
    from numba.core import types
    from numba.extending import intrinsic

    def codegen(context, builder, signature, args):
        return declared.emit(builder, args, context.get_value_type(signature.return_type))

    def typing(*args):
        result = args[0] if declared.types is None else getattr(types, declared.types[args[0].name])
        return result(*args), codegen

    # Numba reads the number of arguments from the typing function's signature.
    parameters = ", ".join(f"x{i}" for i in range(declared.function.__code__.co_argcount))
    namespace = {"typing": typing}
    exec(f"def {declared.__name__}(context, {parameters}):\n    return typing({parameters})\n", namespace)
    return intrinsic(namespace[declared.__name__])
