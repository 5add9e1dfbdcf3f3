"""Loop templates: the Python text of a ufunc inner loop around a kernel's formula.

A template has a contiguous path, which vectorises, paths for one scalar operand, and a strided path. NumPy walks
the outer dimensions, so a row that is broadcast over a matrix arrives here as contiguous runs.

Every address is unsigned: with signed ones Numba adds the wraparound of negative indices, which costs 13x to 38x.
"""

import itertools
import re

import numpy as np

from . import memory

# What every generated loop starts from: the operands' count, addresses and strides.
_HEADER = """\
def {name}(args, dims, steps, data):
    outer = uintp(dims[0])
"""


# The name of the function of one element, which the compiler inlines, and what those of constants begin with.
ELEMENT = "element"


def elementwise_loop(
    name, function, array_types, scalar_types, result_types, kept=None, chosen=None, floating=True, uniform=None
):
    """Write the loop of an elementwise kernel.

    Args:
        name: the function's name in the text.
        function: the kernel's formula, already wrapped as a scalar function.
        array_types: dtype names of the operands that are walked.
        scalar_types: dtype names of the scalar parameters after them: one value for the whole call.
        result_types: dtype names of what the formula returns, a tuple if there are several.
        kept: positions of the formula's parameters that are operands here; others are passed a constant, because no
            chosen result depends on them. None keeps all.
        chosen: positions of the formula's results that are wanted; None wants all.
        floating: whether to clear the floating-point flags at the end, which NumPy would turn into warnings.
        uniform: (position of a parameter, values) for which there is a loop of its own, or None.

    Returns:
        (text, namespace) to compile.
    """
    types = list(array_types) + list(scalar_types)
    kept = range(len(types)) if kept is None else kept
    chosen = range(len(result_types)) if chosen is None else chosen
    operands = [(position, types[position]) for position in kept]
    arrays = [slot for slot, (position, _) in enumerate(operands) if position < len(array_types)]
    scalars = [slot for slot, (position, _) in enumerate(operands) if position >= len(array_types)]
    outputs = [(len(operands) + k, result_types[index]) for k, index in enumerate(chosen)]

    namespace = {"uintp": memory.UINTP, "formula": function}
    for kind in set(types) | set(result_types):
        namespace[f"load_{kind}"] = memory.load(kind)
        namespace[f"zero_{kind}"] = memory.ZERO[kind]
    for k, (_, kind) in enumerate(outputs):
        namespace[f"store_{k}"] = memory.store(kind, k)

    lines = [_HEADER.format(name=name).rstrip()]
    for slot in range(len(operands) + len(outputs)):
        lines += [f"a{slot} = args[{slot}]", f"s{slot} = uintp(steps[{slot}])"]

    def itemsize(slot):
        kind = operands[slot][1] if slot < len(operands) else outputs[slot - len(operands)][1]
        return memory.ITEMSIZE[kind]

    # One element is a function of its own, of addresses and offsets: Numba's front end reads it once, not once per
    # path. Address and offset stay apart, because LLVM does not see through an integer sum that becomes a pointer.
    expressions = ["zero_" + kind for kind in types]
    for slot, (position, kind) in enumerate(operands):
        expressions[position] = f"load_{kind}(a{slot}, o{slot})"
    slots = range(len(operands) + len(outputs))

    def write_element(name, expressions):
        lines = [f"def {name}({', '.join(f'a{slot}, o{slot}' for slot in slots)}):"]
        lines.append(f"    r = formula({', '.join(expressions)})")
        for k, ((slot, _), index) in enumerate(zip(outputs, chosen, strict=True)):
            lines.append(f"    store_{k}(a{slot}, o{slot}, {'r' if len(result_types) == 1 else f'r[{index}]'})")
        return "\n".join(lines) + "\n\n\n"

    elements = [write_element(ELEMENT, expressions)]

    # The operand which may be one of a few numbers, and the functions of one element in which it is a constant.
    special, cases = None, []
    if uniform is not None and uniform[0] in kept:
        position, values = uniform
        special = list(kept).index(position)
        for k, value in enumerate(values):
            cases.append((f"constant_{k}", f"{ELEMENT}_{k}"))
            namespace[f"constant_{k}"] = np.dtype(types[position]).type(value)
            with_constant = [*expressions[:position], f"constant_{k}", *expressions[position + 1 :]]
            elements.append(write_element(f"{ELEMENT}_{k}", with_constant))

    def body(constant, contiguous, element=ELEMENT):
        """Write one path: operands in `constant` stay where they are, the rest are walked."""
        places = []
        for slot in slots:
            step = f"uintp({itemsize(slot)})" if contiguous else f"s{slot}"
            places += [f"a{slot}", "uintp(0)" if slot in constant else f"i * {step}"]
        return ["for i in range(outer):", f"    {element}({', '.join(places)})"]

    def contiguous_body(constant):
        """Write a contiguous path, with a loop for each constant that the special operand may be."""
        if special not in constant or not cases:
            return body(constant, contiguous=True)
        lines = [f"number = load_{operands[special][1]}(a{special}, uintp(0))"]
        keyword = "if"
        for value, element in cases:
            lines.append(f"{keyword} number == {value}:")
            lines += ["    " + line for line in body(constant, contiguous=True, element=element)]
            keyword = "elif"
        lines.append("else:")
        return lines + ["    " + line for line in body(constant, contiguous=True)]

    def condition(constant):
        """The strides that a path asks for: scalar parameters always have stride 0."""
        tests = [f"s{slot} == uintp({0 if slot in constant else itemsize(slot)})" for slot in arrays]
        tests += [f"s{slot} == uintp({itemsize(slot)})" for slot, _ in outputs]
        return " and ".join(tests)

    paths = [set(scalars)]
    if len(arrays) > 1:
        paths += [{slot, *scalars} for slot in arrays]
    if len(arrays) in (3, 4):
        # Two numbers, as in clamp(x, 0, 1) and where(condition, 1, 0).
        paths += [{*pair, *scalars} for pair in itertools.combinations(arrays, 2)]
    keyword = "if"
    for constant in paths:
        lines.append(f"{keyword} {condition(constant)}:")
        lines += ["    " + line for line in contiguous_body(constant)]
        keyword = "elif"
    lines.append("else:")
    lines += ["    " + line for line in body(set(scalars), contiguous=False)]
    if floating:
        namespace["clear_flags"] = memory.CLEAR_FLAGS
        lines.append("clear_flags()")
    return "".join(elements) + _indent(lines), namespace


def rows_loop(name, function, types, result_type, repeated, floating=True):
    """Write the gufunc loop ``(),(n),...->(n)`` of an elementwise kernel some of whose operands are one number per row.

    Args:
        name: the function's name in the text.
        function: the kernel's formula, already wrapped as a scalar function; it has one result.
        types: dtype names of its parameters.
        result_type: dtype name of the result.
        repeated: positions of the parameters that are one number per row.
        floating: whether to clear the floating-point flags at the end.

    Returns:
        (text, namespace) to compile.
    """
    kinds = [*types, result_type]
    slots = range(len(kinds))
    walked = [slot for slot in slots if slot not in repeated]
    namespace = {"uintp": memory.UINTP, "formula": function, "store_0": memory.store(result_type, 0)}
    for kind in types:
        namespace[f"load_{kind}"] = memory.load(kind)
    loads = ", ".join(f"load_{kind}(a{slot}, o{slot})" for slot, kind in enumerate(types))
    out = len(types)
    element = f"def {ELEMENT}({', '.join(f'a{slot}, o{slot}' for slot in slots)}):\n"
    element += f"    store_0(a{out}, o{out}, formula({loads}))\n\n\n"
    lines = [_HEADER.format(name=name).rstrip(), "n = uintp(dims[1])"]
    lines += [f"s{slot} = uintp(steps[{slot}])" for slot in slots]
    lines += [f"t{slot} = uintp(steps[{len(kinds) + k}])" for k, slot in enumerate(walked)]
    lines.append(f"contiguous = {' and '.join(f't{slot} == uintp({memory.ITEMSIZE[kinds[slot]]})' for slot in walked)}")
    lines.append("for k in range(outer):")
    lines += [f"    a{slot} = args[{slot}] + k * s{slot}" for slot in slots]
    for keyword, strides in (("if contiguous:", memory.ITEMSIZE), ("else:", None)):
        steps = {slot: f"t{slot}" if strides is None else f"uintp({strides[kinds[slot]]})" for slot in walked}
        places = [f"a{slot}, " + (f"i * {steps[slot]}" if slot in steps else "uintp(0)") for slot in slots]
        lines += [f"    {keyword}", "        for i in range(n):", f"            {ELEMENT}({', '.join(places)})"]
    if floating:
        namespace["clear_flags"] = memory.CLEAR_FLAGS
        lines.append("clear_flags()")
    return element + _indent(lines), namespace


def gufunc_loop(name, function, signature, input_types, output_types, floating=True, whole=False):
    """Write the loop of a gufunc kernel: the core function once per outer index.

    Core inputs without dimensions arrive as numbers, core outputs without dimensions as arrays of one element.
    The core function is compiled twice: for C-contiguous core arrays, where it vectorises, and for strided ones.

    With `whole`, and a `data` that is not null, it is the loop of a ufunc of elements: its operands are the inputs, the
    rows' length, and the first output. All elements of all rows are one call; an operand that NumPy does not walk is a
    row that serves for all, or a number.

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
        if not whole:
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

    if whole:
        lines += _whole_lines(len(input_types), types, namespace)
        contiguous = [f"(whole or ({' and '.join(contiguous)}))"]
    if contiguous:
        lines.append(f"if {' and '.join(contiguous)}:")
        lines += ["    " + line for line in call("c")]
        lines.append("else:")
        lines += ["    " + line for line in call("a")]
    else:
        lines += call("c")
    if floating:
        namespace["clear_flags"] = memory.CLEAR_FLAGS
        lines.append("clear_flags()")
    return _indent(lines), namespace


def _whole_lines(count, types, namespace):
    """Write the lines that find the operands of a loop that is that of a gufunc and of a ufunc of elements.

    Args:
        count: the number of inputs.
        types: dtype names of inputs and outputs.
        namespace: of the loop; gets what the lines need.
    """
    namespace["is_set"] = memory.IS_SET
    namespace["load_int64"] = memory.load("int64")
    once, each = [], []
    for slot in range(len(types)):
        each += [f"a{slot} = args[{slot}]", f"s{slot} = uintp(steps[{slot}])"]
        # The length stands between inputs and outputs.
        place = slot if slot < count else slot + 1
        if slot <= count:
            once += [f"a{slot} = args[{place}]", f"s{slot} = uintp(steps[{place}]) * uintp(n_n)"]
        else:
            # Nobody wants these: one element takes them all.
            namespace[f"spare_{slot}"] = memory.StackArray(types[slot], 1)
            once += [f"a{slot} = uintp(spare_{slot}().ctypes.data)", f"s{slot} = uintp(0)"]
    return [
        "whole = is_set(data)",
        "if whole:",
        f"    n_n = intp(load_int64(args[{count}], uintp(0)))",
        "    outer = outer // uintp(max(n_n, 1))",
        *("    " + line for line in once),
        "else:",
        *("    " + line for line in each),
    ]


def parse_signature(signature):
    """Return the core dimensions of each operand: ``(n),()->(n)`` gives ``[["n"], [], ["n"]]``."""
    return [re.findall(r"\w+", group) for group in re.findall(r"\(([^)]*)\)", signature)]


def _indent(lines):
    return lines[0] + "\n" + "".join(f"    {line}\n" for line in lines[1:])
