"""The stub files say nothing wrong, and the generator of `numtensor stubs` knows every op.

That the files in the repository lack nothing is for ``numtensor stubs --check`` in continuous integration: a new op is
right before anybody has written its stub.
"""

import ast
import inspect
import re
import types

import pytest

import numtensor as nt
from numtensor.__main__ import main
from numtensor.commands import stubs
from numtensor.ops import public_functions

GENERATED = {path.relative_to(stubs.PACKAGE).as_posix(): text for path, text in stubs.generate().items()}


def definitions(text):
    """Return what a stub defines: one text per form of call, field or value."""
    nodes = ast.walk(ast.parse(text))
    return {ast.unparse(node) for node in nodes if isinstance(node, (ast.FunctionDef, ast.AnnAssign))}


def functions(text):
    """Return the names of the functions or methods that a stub defines."""
    return {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_the_stubs_of_the_repository_say_nothing_wrong(name):
    stale = definitions((stubs.PACKAGE / name).read_text(encoding="utf-8")) - definitions(GENERATED[name])
    assert not stale, f"numtensor/{name} is not what the declarations say; run `python -m numtensor stubs`: {stale}"


def test_every_public_name_is_in_a_stub():
    text = GENERATED["__init__.pyi"]
    imports = [node for node in ast.parse(text).body if isinstance(node, ast.ImportFrom)]
    shown = {alias.asname for node in imports for alias in node.names}
    shown |= functions(text) | set(re.findall(r"^(\w+): ", text, re.MULTILINE))
    public = {name for name in dir(nt) if not name.startswith("_") and not inspect.ismodule(getattr(nt, name))}
    assert public | {"autograd", "nn", "optim", "utils"} <= shown
    assert functions(GENERATED["nn/functional.pyi"]) == set(public_functions("nn.functional"))


def test_every_method_is_in_a_stub_or_annotated_in_the_class():
    source = ast.parse((stubs.PACKAGE / "tensor.py").read_text(encoding="utf-8"))
    (written,) = [node for node in source.body if isinstance(node, ast.ClassDef) and node.name == "Tensor"]
    own = {node.name for node in written.body if isinstance(node, ast.FunctionDef)}
    own |= {target.id for node in written.body if isinstance(node, ast.Assign) for target in node.targets}
    members = vars(nt.Tensor).items()
    bound = {name for name, value in members if inspect.isfunction(value) or isinstance(value, property)}
    assert bound - own == functions(GENERATED["_methods.pyi"])
    untyped = [node.name for node in written.body if isinstance(node, ast.FunctionDef) and node.returns is None]
    # Of a method with several forms of call, those are annotated.
    assert [name for name in untyped if not name.startswith("_")] == ["size", "stride"]


def form(function, **what):
    """Return the stub of an op that has this declaration."""
    signature = inspect.signature(function)
    known = {"name": function.__name__, "signature": signature, "parameters": tuple(signature.parameters)}
    usual = {"kind": "composite", "varargs": None, "tensors": ("input",), "call_forms": ()}
    op = types.SimpleNamespace(**(known | usual | what))
    return "\n".join(stubs.definition(op.name, stubs.op_forms(op, function)))


def test_types_come_from_the_declaration():
    def op(input, dim=None, keepdim=False, *, scale=1.0, weight=None, mode="mean"): ...

    assert form(op) == (
        "def op(input: Tensor, dim: Dims | None = None, keepdim: bool = False, *, scale: float = 1.0, "
        "weight: Tensor | None = None, mode: str = 'mean') -> Tensor: ..."
    )
    assert form(op, results=2, collect=tuple).endswith(" -> tuple[Tensor, Tensor]: ...")
    assert form(op, results=0, collect=tuple).endswith(" -> tuple[Tensor, ...]: ...")
    assert form(op, results=2, collect=nt.return_types.sort._make).endswith(" -> return_types.sort: ...")
    assert "input: Operand" in form(op, kind="elementwise")


def test_an_annotation_in_the_declaration_goes_first():
    def op(input, dim: int = 0, *, weight: list[float]) -> "tuple[float, int]": ...

    assert form(op) == "def op(input: Tensor, dim: int = 0, *, weight: list[float]) -> tuple[float, int]: ..."


def test_a_result_that_depends_on_the_arguments_has_several_forms():
    def op(input, dim=None): ...

    assert form(op, call_forms=(("", "Tensor"), ("dim: int", "return_types.max"))).splitlines() == [
        "@overload",
        "def op(input: Tensor) -> Tensor: ...",
        "@overload",
        "def op(input: Tensor, dim: int) -> return_types.max: ...",
    ]


def test_extents_are_several_arguments_or_one_sequence():
    def op(*sizes, size=None, dtype=None): ...

    assert form(op).splitlines() == [
        "@overload",
        "def op(*sizes: int, dtype: DType | None = None) -> Tensor: ...",
        "@overload",
        "def op(size: Sequence[int], *, dtype: DType | None = None) -> Tensor: ...",
    ]


def test_check_tells_a_stale_stub_and_writing_mends_it(tmp_path, monkeypatch, capsys):
    path = tmp_path / "stub.pyi"
    path.write_text("x: int\n", encoding="utf-8")
    monkeypatch.setattr(stubs, "generate", lambda: {path: "x: str\n"})
    monkeypatch.setattr(stubs, "PACKAGE", tmp_path)
    assert main(["stubs", "--check"]) == 1
    assert "out of date" in capsys.readouterr().out
    assert path.read_text(encoding="utf-8") == "x: int\n"
    assert main(["stubs"]) == 0
    assert main(["stubs", "--check"]) == 0
