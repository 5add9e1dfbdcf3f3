"""Sphinx extension: writes the reference pages of the ops from the op table before Sphinx reads its sources.

A page per family, an entry per op: whoever declares an op has documented it.
"""

import inspect
from pathlib import Path

from sphinx.ext.napoleon import Config, GoogleDocstring

from numtensor.ops.declaration import OPS


def families():
    """Return the public ops by family: the name of the file that declares them."""
    found = {}
    for op in OPS.values():
        if not op.namespace.startswith("_"):
            found.setdefault(op.module.rpartition(".")[2], []).append(op)
    return found


def page(family, ops):
    """Return the reStructuredText of a family's page."""
    title = family.replace("_", " ").capitalize()
    lines = [title, "=" * len(title), "", f"Declared in ``numtensor/ops/{family}.py``.", ""]
    for op in sorted(ops, key=lambda op: op.public_name):
        owner = "numtensor.Tensor." if op.namespace == "Tensor" else "numtensor."
        name = (op.method or op.function_name) if op.namespace == "Tensor" else op.public_name
        signature = str(inspect.signature(op.public))
        lines += [f".. py:function:: {owner}{name}{signature}", ""]
        lines += ["   " + line if line else "" for line in _facts(op)]
        lines += ["   " + line if line else "" for line in _docstring(op)]
        lines.append("")
    return "\n".join(lines)


def _facts(op):
    forms = []
    if op.method:
        forms.append(f"method ``Tensor.{op.method}``")
    if op.operators:
        forms.append("operators " + ", ".join(f"``{name}``" for name in op.operators))
    if op.inplace:
        forms.append(f"in place as ``{op.method or op.function_name}_``")
    if op.out:
        forms.append("with ``out=``")
    facts = [f"A {op.kind} op" + (": " + "; ".join(forms) if forms else "") + ".", ""]
    if op.reason:
        facts += [f"Not a kernel of ours: {op.reason}.", ""]
    return facts


def _docstring(op):
    return str(GoogleDocstring(op.doc or "", Config(napoleon_use_param=True))).splitlines()


def write_pages(app):
    """Write every family's page and their index."""
    folder = Path(app.srcdir) / "reference"
    folder.mkdir(exist_ok=True)
    names = []
    for family, ops in sorted(families().items()):
        (folder / f"{family}.rst").write_text(page(family, ops), encoding="utf-8")
        names.append(family)
    index = ["Reference", "=========", "", ".. toctree::", ""] + [f"   {name}" for name in names]
    (folder / "index.rst").write_text("\n".join(index) + "\n", encoding="utf-8")


def setup(app):
    """Register with Sphinx."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True}
