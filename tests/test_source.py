"""Reads the source: rules that no run would notice."""

import ast
import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

import numtensor as nt
from numtensor.ops.declaration import OPS

REPOSITORY = Path(__file__).parent.parent
ROOTS = {"numtensor": REPOSITORY / "numtensor", "numtensor.kernels": REPOSITORY / "kernels"}

# ---------------------------------------------------------------------------------------------------------------------
# Modules and what they import


class Module:
    """One source file, by its dotted name."""

    def __init__(self, prefix, root, path):
        parts = [prefix, *path.relative_to(root).with_suffix("").parts]
        self.is_package = parts[-1] == "__init__"
        self.name = ".".join(parts[:-1] if self.is_package else parts)
        self.path = path
        self.tree = ast.parse(path.read_text())


MODULES = {
    module.name: module
    for prefix, root in ROOTS.items()
    for path in sorted(root.rglob("*.py"))
    for module in [Module(prefix, root, path)]
}


def targets(module, node):
    """Return the dotted names that an import statement names; of our own, the modules."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = []
    if node.level:
        base = module.name.split(".")
        base = base[: len(base) - node.level + module.is_package]
    source = ".".join([*base, *([node.module] if node.module else [])])
    return [f"{source}.{a.name}" if f"{source}.{a.name}" in MODULES else source for a in node.names]


def _is_type_checking(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def imports(module, inner):
    """Return what a module imports when it is imported, or (``inner``) inside its functions."""
    found = set()

    def visit(node, inside):
        if isinstance(node, (ast.Import, ast.ImportFrom)) and inside == inner:
            found.update(targets(module, node))
        if _is_type_checking(node):
            return
        inside = inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(module.tree, False)
    return found


def room(name):
    """Return the room of a dotted name of ours: the first part below the package."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


# Lower rooms know nothing of higher ones.
FLOORS = [
    {"_checkout", "_on_demand", "_version", "kernels"},
    {"dtypes", "graph", "modes", "random", "return_types"},
    {"printing", "threads"},
    {"_types", "tensor"},
    {"debug", "lean"},
    {"ops"},
    {"autograd"},
    {"nn", "optim", "func", "linalg", "serialization", "utils", "compile", "special", "fft"},
    {""},
    {"bench"},
    {"__main__", "commands"},
]


def floor(name):
    for number, rooms in enumerate(FLOORS):
        if room(name) in rooms:
            return number
    raise AssertionError(f"say in FLOORS where the room {room(name)!r} stands")


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_down(name):
    module = MODULES[name]
    for target in imports(module, inner=False) | imports(module, inner=True):
        if target.partition(".")[0] == "numtensor":
            assert floor(target) <= floor(name), f"{name} imports {target}, which stands above it"


@pytest.mark.parametrize("name", sorted(n for n in MODULES if n != "numtensor.modes"))
def test_modes_are_set_by_set_mode(name):
    """Machine code would not know of what is written into ``current.mode``."""
    for node in ast.walk(MODULES[name].tree):
        written = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr == "mode"
        assert not written or getattr(node.value, "id", None) != "current", f"{name}, line {node.lineno}"


@pytest.mark.parametrize("name", sorted(n for n in MODULES if n.startswith("numtensor.kernels")))
def test_kernels_know_numpy_and_numba_only(name):
    module = MODULES[name]
    for target in imports(module, inner=False) | imports(module, inner=True):
        if target.startswith("numtensor"):
            assert target.startswith("numtensor.kernels"), f"{name} imports {target}"
        else:
            top = target.partition(".")[0]
            assert top in {"numpy", "numba", "llvmlite"} or top in sys.stdlib_module_names, f"{name} imports {target}"
    top_level = {target.partition(".")[0] for target in imports(module, inner=False)}
    if name in LOADED_TO_COMPILE:
        return
    assert not top_level & {"numba", "llvmlite"}, f"{name} imports a compiler before anything has to be compiled"


# Classes of Numba's are extended here.
LOADED_TO_COMPILE = {"numtensor.kernels.pipeline"}

# The compiler and the loop templates are loaded when something is compiled, which most processes never do.
DEFERRED = {
    ("numtensor.kernels.declare", "numtensor.kernels.compiler"),
    ("numtensor.kernels.declare", "numtensor.kernels.element_loop"),
    ("numtensor.kernels.declare", "numtensor.kernels.loops"),
    ("numtensor.kernels.declare", "numtensor.kernels.ufunc"),
    ("numtensor.kernels.builtin", "numtensor.kernels.compiler"),
    ("numtensor.kernels.compiler", "numtensor.kernels.pipeline"),
    ("numtensor.kernels.moves", "numtensor.kernels.compiler"),
    ("numtensor.kernels.transposition", "numtensor.kernels.compiler"),
}


@pytest.mark.parametrize("name", sorted(n for n in MODULES if room(n) not in FLOORS[-1]))
def test_no_import_hides_in_a_function(name):
    """An import of our own inside a function hides a cycle; only Numba and optional packages may be deferred."""
    hidden = {(name, target) for target in imports(MODULES[name], inner=True) if target.startswith("numtensor")}
    assert hidden <= DEFERRED, f"imports inside functions: {sorted(hidden - DEFERRED)}"


def test_no_import_cycles():
    edges = {
        name: {t for t in imports(module, inner=False) if t in MODULES and t != name}
        for name, module in MODULES.items()
    }
    done, path = set(), []

    def visit(name):
        if name in path:
            raise AssertionError("import cycle: " + " -> ".join([*path[path.index(name) :], name]))
        if name not in done:
            path.append(name)
            for target in sorted(edges[name]):
                visit(target)
            path.pop()
            done.add(name)

    for name in sorted(MODULES):
        visit(name)


def test_importing_numtensor_imports_no_compiler():
    program = (
        "import sys, numtensor\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(names & {'numba', 'scipy', 'torch', 'matplotlib', 'sklearn', 'tqdm', 'safetensors', 'pytest'}))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]", f"import numtensor imports {done.stdout}"


def test_another_copy_of_the_kernels_is_refused():
    done = subprocess.run(
        [sys.executable, "-c", "import kernels"], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    assert done.returncode != 0 and "ImportError" in done.stderr


# ---------------------------------------------------------------------------------------------------------------------
# Packaging


def test_setup_cfg_lists_every_package():
    config = configparser.ConfigParser()
    config.read(REPOSITORY / "setup.cfg")
    listed = config["options"]["packages"].split()
    assert listed == sorted(listed)
    assert set(listed) == {name for name, module in MODULES.items() if module.is_package}


def test_no_machine_path_in_any_file():
    pattern = re.compile(r"(/home|/root|/Users|/tmp|/opt|/work)/\w")
    for path in REPOSITORY.rglob("*.*"):
        relative = path.relative_to(REPOSITORY)
        if path.suffix not in (".py", ".md", ".rst", ".cfg", ".toml", ".json", ".yml", ".yaml") or not path.is_file():
            continue
        # The words themselves stand in this file.
        if path == Path(__file__) or any(part.startswith(".") and part != ".ci" for part in relative.parts):
            continue
        found = pattern.search(path.read_text())
        assert not found, f"{relative}: {found[0]}"


# ---------------------------------------------------------------------------------------------------------------------
# Kernels

KERNEL_FILES = sorted(n for n in MODULES if re.match(r"numtensor\.kernels\.(forward|backward)\.", n))


def _decorators(function):
    names = {}
    for node in function.decorator_list:
        target = node.func if isinstance(node, ast.Call) else node
        names[target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", None)] = node
    return names


def _kernels(name):
    """Return (function, decorators) of what is compiled in a module."""
    for node in ast.walk(MODULES[name].tree):
        if isinstance(node, ast.FunctionDef):
            decorators = _decorators(node)
            if decorators.keys() & {"elementwise", "gufunc", "scalar"}:
                yield node, decorators


def untyped_literals(function):
    """Return the lines of float literals that do not take the argument's type by ``type(x)(0.5)`` or the like."""
    typed = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            # type(x)(0.5), np.float64(0.5), T(0.5): the literal is converted.
            typed.update(id(argument) for argument in node.args)
            typed.update(id(argument.operand) for argument in node.args if isinstance(argument, ast.UnaryOp))
    return [
        node.lineno
        for statement in function.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Constant) and type(node.value) is float and id(node) not in typed
    ]


def untyped_arithmetic(function):
    """Return the lines of arithmetic between a number and a parameter or an element of one.

    Of a float32 it is a float64; whole numbers beside elements are indices.
    """
    parameters = {a.arg for a in function.args.args}

    def is_element(node):
        return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in parameters

    return [
        node.lineno
        for node in ast.walk(function)
        if isinstance(node, ast.BinOp)
        for one, other in ((node.left, node.right), (node.right, node.left))
        if isinstance(one, ast.Constant)
        and (
            (type(one.value) is float and is_element(other))
            or (type(one.value) in (int, float) and isinstance(other, ast.Name) and other.id in parameters)
        )
    ]


@pytest.mark.parametrize("name", KERNEL_FILES)
def test_constants_take_the_argument_s_type(name):
    for function, decorators in _kernels(name):
        assert not untyped_arithmetic(function), f"{name}.{function.name}, lines {untyped_arithmetic(function)}"
        if "elementwise" in decorators:
            # A core loop may add up in float64 on purpose; a formula has nothing but its arguments' type.
            assert not untyped_literals(function), f"{name}.{function.name}, lines {untyped_literals(function)}"


def test_the_rule_about_constants_finds_them():
    def parse(text):
        return ast.parse(text).body[0]

    assert untyped_literals(parse("def f(x):\n    return x * 0.5")) == [2]
    assert untyped_literals(parse("def f(x):\n    return x * type(x)(0.5) + type(x)(-0.5)")) == []
    assert untyped_arithmetic(parse("def f(x):\n    return 1 + x")) == [2]
    assert untyped_arithmetic(parse("def f(x, out):\n    out[0] = x[0] * 0.5")) == [2]
    assert untyped_arithmetic(parse("def f(x, out):\n    out[0] = x[0 + 1] * x[0]")) == []


@pytest.mark.parametrize("name", KERNEL_FILES)
def test_kernels_raise_nothing_and_slice_nothing(name):
    for function, _ in _kernels(name):
        for node in ast.walk(function):
            where = f"{name}.{function.name}, line {getattr(node, 'lineno', 0)}"
            assert not isinstance(node, (ast.Raise, ast.Try, ast.Assert, ast.With)), f"{where}: a kernel cannot raise"
            assert not isinstance(node, ast.Slice), f"{where}: a kernel makes no slices"
            assert not isinstance(node, (ast.List, ast.Dict, ast.ListComp)), f"{where}: a kernel allocates nothing"


@pytest.mark.parametrize("name", KERNEL_FILES)
def test_no_formula_has_fast_mathematics(name):
    """Reordering is for the function that sums one block; elsewhere it changes results."""
    for function, decorators in _kernels(name):
        for kind, node in decorators.items():
            keywords = {k.arg: ast.unparse(k.value) for k in getattr(node, "keywords", ())}
            flags = keywords.get("fastmath")
            allowed = flags is None or (kind != "elementwise" and "REASSOCIATE" in flags)
            assert allowed, f"{name}.{function.name}: {flags}"


@pytest.mark.parametrize("name", KERNEL_FILES)
def test_kernels_have_docstrings_and_few_parameters(name):
    for function, decorators in _kernels(name):
        assert ast.get_docstring(function), f"{name}.{function.name} does not say its formula"
        if "elementwise" in decorators:
            arrays = [a for a in function.args.args if getattr(a.annotation, "id", None) != "float"]
            assert len(arrays) <= 8, f"{name}.{function.name} has {len(arrays)} array parameters"


def test_backward_files_mirror_forward_files():
    forward = {n.rpartition(".")[2] for n in KERNEL_FILES if ".forward." in n}
    backward = {n.rpartition(".")[2] for n in KERNEL_FILES if ".backward." in n}
    assert backward <= forward, f"no forward file for {sorted(backward - forward)}"


# ---------------------------------------------------------------------------------------------------------------------
# Docstrings

# Namespaces of ops that others are made of, which PyTorch does not have.
INTERNAL = ("ops", "autograd")
SECTIONS = ["Args", "Returns", "Raises", "Reference", "Example"]


def sections(doc):
    """Return the text of each section of a docstring, in order; the summary under ``""``."""
    found, current = {"": []}, ""
    for line in doc.splitlines():
        heading = re.match(r"(Args|Returns|Raises|Reference|Example|Note)s?:(.*)", line)
        if heading:
            current = heading[1]
            found[current] = [heading[2]]
        else:
            found[current].append(line)
    return {name: "\n".join(lines) for name, lines in found.items()}


@pytest.mark.parametrize("name", sorted(OPS))
def test_docstring_of_every_op(name):
    op = OPS[name]
    assert op.doc, f"{name} has no docstring"
    found = sections(op.doc)
    summary = found[""].strip().splitlines()[0]
    assert summary.rstrip().endswith((".", ":")) or len(found[""].strip().splitlines()) > 1, f"{name}: {summary!r}"
    required = {"Example"}
    if op.parameters:
        required |= {"Args", "Returns"}
    if op.namespace not in INTERNAL:
        required.add("Reference")
    assert required <= found.keys(), f"{op.public_name}: no {sorted(required - found.keys())} in its docstring"
    order = [section for section in found if section in SECTIONS]
    assert order == sorted(order, key=SECTIONS.index), f"{op.public_name}: sections are in the order {order}"
    described = set(re.findall(r"\w+", " ".join(re.findall(r"^    ([\w*`, ]+):", found.get("Args", ""), re.MULTILINE))))
    parameters = [p for p in op.signature.parameters if p != "device" or "device" in described]
    missing = [p for p in parameters if p not in described]
    assert not missing, f"{op.public_name}: Args does not describe {missing}"
    assert ">>>" in found["Example"], f"{op.public_name}: its example has no code"


def test_every_public_name_has_a_docstring():
    missing = [
        f"{module.__name__}.{name}"
        for module in (nt, nt.autograd, nt.nn, nt.nn.functional)
        for name in dir(module)
        if not name.startswith("_")
        and callable(getattr(module, name))
        and getattr(getattr(module, name), "__module__", "").startswith("numtensor")
        and not getattr(module, name).__doc__
    ]
    assert not missing, missing


def test_library_ops_say_why():
    for op in OPS.values():
        if op.kind == "library":
            assert op.reason and "\n" not in op.reason and len(op.reason) > 10, f"{op.name}: {op.reason!r}"


# ---------------------------------------------------------------------------------------------------------------------
# Style


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_unfinished_work(name):
    text = MODULES[name].path.read_text()
    found = re.search(r"\b(TODO|FIXME|XXX|HACK)\b", text)
    assert not found, f"{name}: {found[0]}"
    if name != "numtensor._version" and not MODULES[name].is_package:
        assert ast.get_docstring(MODULES[name].tree), f"{name} does not say what belongs in it"
