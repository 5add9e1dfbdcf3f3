"""``numtensor stubs``: write the stub files, which show type checkers what the op table gives.

Derived are the stub of each public namespace of the table (`numtensor/__init__.pyi`, ...), `numtensor/_methods.pyi`
(what ``ops.bind`` gives the Tensor, as a base class) and `numtensor/return_types.pyi`. All else is annotated where
it is written.

Names, order and defaults are read off the functions themselves. Types come from the declaration: an annotation there
goes before what is derived.
"""

import ast
import importlib
import inspect
import re
import types
from pathlib import Path

from .. import return_types
from .._on_demand import NAMES
from ..ops import OPS
from ..ops.declaration import Declaration
from ..tensor import Tensor

PACKAGE = Path(__file__).resolve().parents[1]
EMPTY = inspect.Parameter.empty

# What a parameter of this name is in every op. A default of None adds None to it.
NAMED = {
    **dict.fromkeys(("dim", "dim0", "dim1", "dim2", "start_dim", "end_dim", "dimension"), "int"),
    **dict.fromkeys(("n", "m", "k", "row", "col", "low", "high", "length", "steps", "chunks", "num_samples"), "int"),
    **dict.fromkeys(("start", "end", "step", "alpha", "beta", "fill_value", "p", "from_", "to", "correction"), "float"),
    **dict.fromkeys(("shape", "size", "sizes", "repeats", "normalized_shape"), "Shape"),
    **dict.fromkeys(("dims", "shifts", "split_size_or_sections"), "Dims"),
    **dict.fromkeys(("reduce", "size_average", "unbiased"), "bool"),
    **dict.fromkeys(("device", "equation", "rounding_mode"), "str"),
    **dict.fromkeys(("operands", "tensors"), "Sequence[Tensor]"),
    **dict.fromkeys(("weight", "pos_weight", "out"), "Tensor"),
    "dtype": "DType",
    "padding_idx": "int",
    "generator": "Generator",
    "memory_format": "object",
    "value": "Operand",
}

# Where the names in annotations come from.
SOURCES = {
    "collections.abc": ("Callable", "Iterator", "Sequence"),
    "numtensor": ("return_types",),
    "numtensor._types": ("DType", "Dims", "Operand", "Shape"),
    "numtensor.graph": ("Node",),
    "numtensor.random": ("Generator",),
    "numtensor.tensor": ("Tensor",),
    "typing": ("Any", "Literal", "NamedTuple", "overload"),
    "typing_extensions": ("Self",),
}
MODULES = ("import builtins", "import numpy as np")
BUILTINS = ("bool", "bytes", "dict", "float", "int", "list", "object", "str", "tuple", "type")

# Namespaces of the table without a module of functions for users, besides those with an underscore.
INTERNAL = ("Tensor", "autograd", "ops")


def add_arguments(parser):
    """Add this command's arguments to its parser."""
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if a stub is out of date")


def run(arguments):
    """Run the command."""
    stale = 0
    for path, text in generate().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        name = path.relative_to(PACKAGE.parent).as_posix()
        if arguments.check:
            print(f"{name} is out of date: run `python -m numtensor stubs`")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    return int(arguments.check and stale > 0)


def generate():
    """Return the text of every stub, by path."""
    spaces = {op.namespace for op in OPS.values()} - set(INTERNAL)
    return {
        PACKAGE / "_methods.pyi": methods_stub(),
        PACKAGE / "return_types.pyi": return_types_stub(),
        **dict(namespace_stub(space) for space in sorted(spaces) if not space.startswith("_")),
    }


# ---------------------------------------------------------------------------------------------------------------------
# Types


def parameter_type(op, parameter):
    """Return the type of a parameter of an op, as text; ``Any`` if nothing tells."""
    name, default = parameter.name, parameter.default
    declared = op.signature.parameters.get(name)
    if declared is not None and declared.annotation is not EMPTY:
        return _shown_type(declared.annotation)
    if name == "dim" and (default is None or default == ()):
        return "Dims | None"
    if name in NAMED:
        kind = NAMED[name]
    elif name in op.tensors:
        kind = "Operand" if op.kind in ("elementwise", "overwrite") else "Tensor"
    elif default is None or default is EMPTY:
        return "Any"
    else:
        kind = type(default).__name__
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return f"Tensor | {kind}"
    return f"{kind} | None" if default is None else kind


def result_type(op):
    """Return the type of an op's result, as text."""
    declared = op.signature.return_annotation
    if declared is not EMPTY:
        return _shown_type(declared)
    results = getattr(op, "results", 1)
    if results == 1:
        return "Tensor"
    named = getattr(op.collect, "__self__", None)
    if named is not None:
        return f"return_types.{named.__name__}"
    return f"tuple[{', '.join(['Tensor'] * results) if results else 'Tensor, ...'}]"


def _shown_type(annotation):
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


# ---------------------------------------------------------------------------------------------------------------------
# Definitions


def parameter_list(parameters, type_of):
    """Return the texts of parameters, with the types that `type_of(parameter)` gives (None for none)."""
    shown, star, slash = [], False, False
    for parameter in parameters:
        kind = parameter.kind
        if slash and kind is not inspect.Parameter.POSITIONAL_ONLY:
            shown.append("/")
        slash = kind is inspect.Parameter.POSITIONAL_ONLY
        if kind is inspect.Parameter.KEYWORD_ONLY and not star:
            shown.append("*")
        star = star or kind in (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_POSITIONAL)
        prefix = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(kind, "")
        text = prefix + parameter.name
        annotation = type_of(parameter)
        if annotation is not None:
            text += f": {annotation}"
        if parameter.default is not EMPTY:
            text += " = " if annotation is not None else "="
            text += repr(parameter.default) if isinstance(parameter.default, (type(None), int, float, str)) else "..."
        shown.append(text)
    return [*shown, "/"] if slash else shown


def definition(name, forms, indent=""):
    """Return the lines that define a function by its forms of call: (texts of the parameters, result) each."""
    lines = []
    ignored = "  # type: ignore[override]" if name in ("__eq__", "__ne__") else ""
    for parameters, result in forms:
        if len(forms) > 1:
            lines.append(f"{indent}@overload")
        lines.append(f"{indent}def {name}({', '.join(parameters)}) -> {result}: ...{ignored}")
    return lines


def op_forms(op, function, method=None):
    """Return the forms of call of an op's public function, or of its method of that name."""
    parameters = list(inspect.signature(function).parameters.values())
    result = "Self" if method is not None and _is_inplace(op, method) else result_type(op)
    if method is not None:
        parameters[0] = parameters[0].replace(name="self")
    if op.call_forms:
        first = "self" if method is not None else f"input: {parameter_type(op, parameters[0])}"
        return [([first, text] if text else [first], result) for text, result in op.call_forms]

    def type_of(parameter):
        if parameter.name == "self":
            return None
        if parameter.name == "other" and "other" not in op.parameters:
            # Operators call it so, whatever it is to the op.
            parameter = parameter.replace(name=op.parameters[1])
        return parameter_type(op, parameter)

    star = next((p for p in parameters if p.name in ("sizes", op.varargs) and p.kind is p.VAR_POSITIONAL), None)
    if star is None:
        return [(parameter_list(parameters, type_of), result)]
    return [(one, result) for one in _forms_of_extents(parameters, star, type_of)]


def _is_inplace(op, name):
    return (name.startswith("__i") and name not in op.operators) or (name.endswith("_") and not name.endswith("__"))


def _forms_of_extents(parameters, star, type_of):
    """Return the parameters of what takes extents (or dimensions): as several arguments, and as one sequence."""
    several = [p for p in parameters if p.name != "size" or p is star]
    yield parameter_list(several, lambda p: "int" if p is star else type_of(p))
    before = several.index(star)
    if len(several) != len(parameters):
        # A factory also takes them by name.
        one = inspect.Parameter("size", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        several[before] = one
    else:
        one = star.replace(kind=inspect.Parameter.POSITIONAL_ONLY)
        several[: before + 1] = [*(p.replace(kind=inspect.Parameter.POSITIONAL_ONLY) for p in several[:before]), one]
    yield parameter_list(several, lambda p: "Sequence[int]" if p is one else type_of(p))


def plain_forms(method):
    """Return the form of call of a method that is annotated where it is written."""
    signature = inspect.signature(method)
    own, *parameters = signature.parameters.values()

    def type_of(parameter):
        if parameter.name == "self":
            return None
        return "Any" if parameter.annotation is EMPTY else _shown_type(parameter.annotation)

    result = "Any" if signature.return_annotation is EMPTY else _shown_type(signature.return_annotation)
    return [(parameter_list([own.replace(name="self"), *parameters], type_of), result)]


# ---------------------------------------------------------------------------------------------------------------------
# Files


def stub(title, body, defined):
    """Return the text of a stub.

    Args:
        title: of its docstring.
        body: the definitions, to which their imports are added.
        defined: the names that they define, which hide the built-in types of those names from annotations.
    """
    hidden = [name for name in BUILTINS if name in defined]
    if hidden:
        # What is annotated follows a colon, an arrow, a bracket or a bar; what is defined does not.
        pattern = rf"(?<=[:>\[|] )({'|'.join(hidden)})\b|(?<=\[)({'|'.join(hidden)})\b"
        body = re.sub(pattern, lambda match: f"builtins.{match[0]}", body)
    used = set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", body))
    imports = [line for line in MODULES if f"{line.split()[-1]}." in body]
    for module, names in SOURCES.items():
        needed = [name for name in names if name in used - defined]
        if needed:
            imports.append(f"from {module} import {', '.join(needed)}")
    own = [line for line in imports if line.startswith("from numtensor")]
    other = [line for line in imports if line not in own]
    head = "\n\n".join("\n".join(block) for block in (other, own) if block)
    docstring = f'"""{title} Derived by `python -m numtensor stubs`: do not edit."""'
    return "\n\n".join(part for part in (docstring, head, body) if part) + "\n"


def methods_stub():
    """Return the stub of the class that stands for what is bound to the Tensor outside its own module."""
    lines, defined = ["class Methods:"], set()
    for name, value in sorted(vars(Tensor).items()):
        function = value.fget if isinstance(value, property) else value
        if not isinstance(function, types.FunctionType) or function.__module__ == Tensor.__module__:
            continue
        defined.add(name)
        op = getattr(function, "declaration", None) or function.__globals__.get("op")
        if isinstance(value, property):
            lines += ["    @property", *definition(name, [(["self"], plain_forms(function)[0][1])], "    ")]
        elif isinstance(op, Declaration):
            lines += definition(name, op_forms(op, function, name), "    ")
        else:
            lines += definition(name, plain_forms(function), "    ")
    return stub("What the ops give the Tensor.", "\n".join(lines), defined)


def return_types_stub():
    """Return the stub of the named tuples."""
    lines, defined = [], set()
    for name, value in sorted(vars(return_types).items()):
        if isinstance(value, type):
            defined.add(name)
            lines += [f"class {name}(NamedTuple):", *(f"    {field}: Tensor" for field in value._fields), ""]
    lines += definition("return_type", [(["name: str", "*fields: str"], "type[tuple[Any, ...]]")])
    return stub("What ops with several results return.", "\n".join(lines), defined)


def namespace_stub(space):
    """Return the path and the text of the stub of one namespace: its ops, and whatever else its module holds."""
    name = ".".join(part for part in ("numtensor", space) if part)
    module = importlib.import_module(name)
    path = Path(module.__file__)
    lines, exports, values = [], [], []
    submodules = _submodules(path) | {one.rpartition(".")[2] for one in NAMES if one.rpartition(".")[0] == name}
    defined = set()
    for key, value in sorted(vars(module).items()):
        is_module = isinstance(value, types.ModuleType)
        if (is_module and key not in submodules) or (key.startswith("_") and key != "__version__"):
            continue
        defined.add(key)
        if is_module:
            exports.append(f"from {name} import {key} as {key}")
        elif hasattr(value, "declaration"):
            lines += definition(key, op_forms(value.declaration, value))
        elif isinstance(value, (type, types.FunctionType)):
            exports.append(f"from {value.__module__} import {value.__name__} as {key}")
        else:
            values.append(f"{key}: {'None' if value is None else type(value).__name__}")
    blocks = (sorted(exports), values, lines)
    text = stub(f"The public names of {name}.", "\n\n".join("\n".join(block) for block in blocks if block), defined)
    return path.with_suffix(".pyi"), text


def _submodules(path):
    """Return what a package imports by ``from . import``; nothing for a module, which so names its siblings."""
    if path.stem != "__init__":
        return set()
    return {
        alias.name
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module is None
        for alias in node.names
    }
