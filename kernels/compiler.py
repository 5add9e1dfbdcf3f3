"""From a loop's Python text to machine code. It imports Numba, and `pipeline`, when called: nobody else does."""

import contextlib
import dataclasses
import functools
import gc
import itertools
import linecache
import threading
import types as python_types

from . import image
from .element_loop import LoopWriter
from .memory import NUMBA_NAMES, NumbaForm
from .options import CONTRACT, ERROR_MODEL, INNER, LIGHT, REASSOCIATE
from .scalar import ElementaryFunction, Intrinsic, ScalarFunction
from .store import IMAGE, OBJECT
from .symbols import ALLOWED_SYMBOLS

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
        What the store keeps: `store.IMAGE` and an image, or `store.OBJECT` and object code.

    Raises:
        CompileError: when the object code names an undefined symbol outside the allow-list.
    """
    import numba
    from numba.core.ccallback import CFunc

    from .pipeline import LoopCompiler

    class UnfinalizedCFunc(CFunc):
        """A callback that is compiled to LLVM but not loaded: the store loads all code in one way."""

        def freeze(self):
            compiled = self._compile_uncached()
            return compiled.library, compiled.fndesc.llvm_cfunc_wrapper_name

    with _lock:
        loop = _define(name, source, _resolve_globals(namespace, dtype))
        callback = UnfinalizedCFunc(
            loop, _signature(kind), {}, {"error_model": ERROR_MODEL}, pipeline_class=LoopCompiler
        )
        with numba.core.compiler_lock.global_compiler_lock, _no_collection():
            library, wrapper = callback.freeze()
            return _emit(library, wrapper, name, assembly)


def _emit(library, entry, name, assembly=False):
    """Return the code of a library whose function `entry` becomes `name`: see `compile_loop`."""
    module = _optimise(library, entry, name)
    if assembly:
        return (_image_machine() or library.codegen._tm).emit_assembly(module)
    if image.SUPPORTED:
        with contextlib.suppress(image.CannotLink):
            return IMAGE + image.link(_image_machine().emit_object(module), name)
    return OBJECT + library.codegen._tm.emit_object(module)


@contextlib.contextmanager
def _no_collection():
    """Keep the garbage collector from running: a tenth of a compilation.

    Numba makes so many objects that it starts it time and again, to look through all of Numba.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@functools.cache
def _image_machine():
    """Return Numba's own target but for code that runs wherever it lies, or None where there are no images."""
    if not image.SUPPORTED:
        return None
    import llvmlite.binding as llvm
    from numba.core import config
    from numba.core.registry import cpu_target

    codegen = cpu_target.target_context.codegen()
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=codegen._get_host_cpu_name(),
        features=codegen._tm_features,
        opt=int(config.OPT),
        reloc="pic",
        codemodel="default",
    )


def compile_elements(name, loop, dtype, assembly=False):
    """Compile the loop of an elementwise kernel to object code.

    Args:
        name: the symbol of the result, unique over all processes.
        loop: an `ElementLoop`.
        dtype, assembly: as `compile_loop`.

    Returns:
        What the store keeps: see `compile_loop`.

    Raises:
        CompileError: when the object code names an undefined symbol outside the allow-list.
    """
    import numba
    from numba.core import cgutils, types
    from numba.core.registry import cpu_target

    def number_type(kind):
        return getattr(types, NUMBA_NAMES.get(kind, kind))

    with _lock, numba.core.compiler_lock.global_compiler_lock, _no_collection():
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
        LoopWriter(dataclasses.replace(loop, light=_is_light(body)), module, call).write(name)
        library.add_ir_module(module)
        return _emit(library, name, name, assembly)


def _is_light(function):
    """Whether a compiled formula has few instructions, and calls nothing that could have more."""
    instructions = [instruction for block in function.blocks for instruction in block.instructions]
    called = [list(one.operands)[-1].name for one in instructions if one.opcode == "call"]
    return len(instructions) <= LIGHT and all(name.startswith("llvm.") for name in called)


def compile_module(name, write):
    """Compile a function that is written in LLVM's language to object code: ``write(module, name)`` writes it."""
    import numba
    from numba.core.registry import cpu_target

    with _lock, numba.core.compiler_lock.global_compiler_lock:
        library = cpu_target.target_context.codegen().create_library(name)
        module = library.create_ir_module(name)
        write(module, name)
        library.add_ir_module(module)
        return _emit(library, name, name)


def _define(name, source, namespace):
    filename = f"numtensor-loop-{next(_template_number)}.py"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    namespace["__name__"] = "numtensor.kernels.generated"
    exec(compile(source, filename, "exec"), namespace)
    return namespace[name]


def _compile_inner(function, fastmath=False):
    import numba

    from .pipeline import InnerCompiler

    return numba.njit(function, error_model=ERROR_MODEL, fastmath=fastmath, pipeline_class=InnerCompiler, **INNER)


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
        found = _compiled[key] = _compile_inner(copy, fastmath)
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
