"""The loop template of gufuncs: the Python text of an inner loop around a kernel's core function.

It has a contiguous path, which vectorises, and a strided one. Every address is unsigned: with signed ones Numba adds
the wraparound of negative indices, which costs 13x to 38x. The loop of elementwise kernels is in `element_loop`.
"""

import re

from . import memory

# What every generated loop starts from: the operands' count, addresses and strides.
_HEADER = """\
def {name}(args, dims, steps, data):
    outer = uintp(dims[0])
"""


def gufunc_loop(name, function, signature, input_types, output_types, floating=True, only_contiguous=False):
    """Write the loop of a gufunc kernel: the core function once per outer index.

    Core inputs without dimensions arrive as numbers, core outputs without dimensions as arrays of one element.
    The core function is compiled twice: for C-contiguous core arrays, where it vectorises, and for strided ones, unless
    there are `only_contiguous` ones.

    Returns:
        (text, namespace) to compile.
    """
    cores = [["n_" + d for d in core] for core in parse_signature(signature)]
    types = [*input_types, *output_types]
    dims = sorted({d for core in cores for d in core}, key=[d for core in cores for d in core].index)
    namespace = {"uintp": memory.UINTP, "intp": memory.INTP, "core": function}
    lines = [_HEADER.format(name=name).rstrip()]
    lines += [f"{d} = intp(dims[{k + 1}])" for k, d in enumerate(dims)]
    position = len(types)
    contiguous = []
    strides = {}
    for slot, (core, kind) in enumerate(zip(cores, types, strict=True)):
        lines += [f"a{slot} = args[{slot}]", f"s{slot} = uintp(steps[{slot}])"]
        strides[slot] = []
        expected = str(memory.ITEMSIZE[kind])
        tests = []
        for axis in reversed(range(len(core))):
            tests.append(f"(steps[{position + axis}] == {expected} or {core[axis]} == 1)")
            expected = f"{expected} * {core[axis]}"
        strides[slot] = [f"steps[{position + axis}]" for axis in range(len(core))]
        position += len(core)
        contiguous += tests
        namespace[f"load_{kind}"] = memory.load(kind)
        if core or slot >= len(input_types):
            namespace[f"c_array_{slot}"] = memory.array(kind, max(len(core), 1), "C")
            namespace[f"a_array_{slot}"] = memory.array(kind, max(len(core), 1), "A")

    def call(layout):
        arguments = []
        for slot, (core, kind) in enumerate(zip(cores, types, strict=True)):
            address = f"a{slot} + k * s{slot}"
            if core:
                shape = "".join(d + ", " for d in core)
                if layout == "c":
                    arguments.append(f"c_array_{slot}({address}, ({shape}), ())")
                else:
                    arguments.append(f"a_array_{slot}({address}, ({shape}), ({', '.join(strides[slot])},))")
            elif slot < len(input_types):
                arguments.append(f"load_{kind}({address}, uintp(0))")
            else:
                arguments.append(f"c_array_{slot}({address}, (1,), ())")
        return ["for k in range(outer):", f"    core({', '.join(arguments)})"]

    if contiguous:
        # Strides of an empty array may be anything.
        empty = f"{' * '.join(dims)} == 0 or " if only_contiguous else ""
        lines.append(f"if {empty}{' and '.join(contiguous)}:")
        lines += ["    " + line for line in call("c")]
        if not only_contiguous:
            lines.append("else:")
            lines += ["    " + line for line in call("a")]
    else:
        lines += call("c")
    if floating:
        namespace["clear_flags"] = memory.CLEAR_FLAGS
        lines.append("clear_flags()")
    return _indent(lines), namespace


def parse_signature(signature):
    """Return the core dimensions of each operand: ``(n),()->(n)`` gives ``[["n"], [], ["n"]]``."""
    return [re.findall(r"\w+", group) for group in re.findall(r"\(([^)]*)\)", signature)]


def _indent(lines):
    return lines[0] + "\n" + "".join(f"    {line}\n" for line in lines[1:])
