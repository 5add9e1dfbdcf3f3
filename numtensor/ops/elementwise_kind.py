"""Elementwise ops: a formula over one, two or three tensors of one dtype, and numbers.

The three callables of an op (tracked, no-grad, inference) are written from one text, so that each has exactly the
steps that it needs: on small tensors the steps around the kernel are the cost of an op.
"""

import functools
import itertools

import numpy as np

from .. import dtypes, lean
from ..graph import NO_VERSION, next_sequence_number
from ..kernels import boxed_calls, boxed_writes
from ..kernels.declare import Elementwise
from ..tensor import TENSORS
from ..threads.division import divided
from ..threads.limits import process
from . import operands
from .declaration import (
    Declaration,
    as_saved,
    check_output_version,
    check_version,
    refuse_recording,
    refuse_saving,
    saved_output,
)
from .inplace import refresh_view
from .operands import CONSTANTS, WEAK, WEAK_FLOATING, WEAK_STRICT, broadcast_error, sum_to_shape
from .texts import compile_function


class OpTable(dict):
    """What an op calls for a dtype: the kernel's ufunc, a conversion and then the ufunc, or a refusal."""

    __slots__ = ("op",)

    def __init__(self, op):
        self.op = op

    def __missing__(self, numpy_dtype):
        made = self.op.implement(numpy_dtype)
        # What depends on the default dtype looks it up at each call, so it can be kept too.
        self[numpy_dtype] = self.op.kernels[numpy_dtype] = made
        self.op.machine_code.enter(numpy_dtype, made)
        return made


class ElementwiseOp(Declaration):
    """An op whose forward and backward kernels are formulas of numbers."""

    kind = "elementwise"

    def __init__(
        self, function, forward, backward, *, dtypes, integers=None, overrides=None, result=None, wraps=True, **options
    ):
        self.forward = forward
        self.backward = backward
        self.dtypes = dtypes
        self.integers = integers
        self.overrides = overrides or {}
        self.wraps = wraps
        self.result = result
        self.table = OpTable(self)
        # The same as a plain dict, which is 35 ns faster to read than one with a __missing__.
        self.kernels = {}
        # The same for builtin functions.
        self.machine_code = boxed_calls.CallTable()
        # The kernel's array parameters are the tensors, in the same order; its scalar parameters are numbers.
        parameters = function.__code__.co_varnames
        options.setdefault("tensors", parameters[: len(forward.array_types)])
        super().__init__(function, **options)
        self.numbers = tuple(name for name in self.parameters if name not in self.tensors)
        # {differentiable input: what its gradient needs}
        if not isinstance(self.saves, dict):
            needs = (self.saves,) if isinstance(self.saves, str) else tuple(self.saves)
            self.saves = dict.fromkeys(self.differentiable, needs)
        self.saves = {k: (v,) if isinstance(v, str) else tuple(v) for k, v in self.saves.items()}
        self.saved_names = (*self.parameters, "output")
        self.saves_output = any("output" in needs for needs in self.saves.values())
        self.keeps_dtype = forward.result_types == ("T",)
        self._plans = {}

    def implement(self, numpy_dtype):
        """Return what computes the op on arrays of this dtype."""
        kind = dtypes.FROM_NUMPY[numpy_dtype]
        if kind in self.overrides:
            found = self.overrides[kind]
            return found.calls[numpy_dtype] if isinstance(found, Elementwise) else found
        if kind in self.dtypes:
            return self.forward.calls[numpy_dtype]
        if self.integers == "float" and kind.category < 2:
            return functools.partial(_in_default_dtype, self)
        if callable(self.integers) and kind.category < 2:
            return functools.partial(self.integers, numpy_dtype)
        raise NotImplementedError(f"{self.name}: not implemented for dtype {kind.name}; convert with .to(...) first")

    # -----------------------------------------------------------------------------------------------------------------
    # The callables

    def records(self):
        return bool(self.differentiable) and self.backward is not None

    def specialise(self, path):
        """Write this op's callable for the modes of `path`."""
        self.quicken(path)
        records = path == "tracked" and self.records()
        lines = [
            *self._prepare_lines(records),
            "try:",
            "    kernel = kernels[dtype]",
            "except KeyError:",
            "    kernel = table[dtype]",
            *self._divide_lines(),
            "try:",
            f"    result = kernel({self._call_arguments()})",
            "except ValueError as error:",
            f"    raise broadcast_error(op.name, error, {', '.join('a_' + t for t in self.tensors)}) from None",
        ]
        if records:
            lines += [
                "tensor = wrap_normal(result)",
                *self._record_lines(),
                "return tensor",
            ]
        else:
            lines += self.result_lines(path)
        namespace = self.namespace_for_text() | self.wrappers() | {
            "table": self.table,
            "kernels": self.kernels,
            "WEAK": WEAK,
            "TENSORS": TENSORS,
            **({"WEAK": WEAK_FLOATING, "promote": operands.promote_floating} if self.integers == "float" else {}),
            **({} if self.wraps else {"WEAK": WEAK_STRICT}),
            "CONSTANTS": CONSTANTS,
            "divided": divided,
            "broadcast_error": broadcast_error,
            "as_operand": operands.as_operand,
            "as_number": operands.as_number,
            "NO_VERSION": NO_VERSION,
            "next_sequence_number": next_sequence_number,
            "refuse_saving": refuse_saving,
            "refuse_recording": refuse_recording,
            "refresh_view": refresh_view,
        }
        return compile_function(self.name, self.call_signature, lines, namespace)

    @staticmethod
    def large(kernel):
        """Return bytes of an operand from which on several threads may run a kernel."""
        return process.light if kernel.light else process.large

    def _divide_lines(self):
        """Write the lines that let several threads compute large results, where there may be several."""
        if not process.asks:
            return []
        large = " or ".join(f"a_{x}.nbytes >= {self.large(self.forward)}" for x in self.tensors)
        return [f"if {large}:", "    kernel = divided(kernel)"]

    def is_lean(self):
        return lean.layout() is not None

    def quick_form(self, arguments):
        layout = lean.layout()
        if layout is None:
            return [], {}
        large = self.large(self.forward)
        leading = 1 if self.tensors[0] == "condition" else 0
        function = boxed_calls.make_call(
            self.name, layout, self.records(), self.machine_code, len(arguments), leading, large
        )
        return self.lean_form(arguments, function)

    def quick_inplace_form(self, arguments):
        layout = lean.layout()
        if layout is None or not self.keeps_dtype:
            return [], {}
        large = self.large(self.forward)
        function = boxed_writes.make_inplace(self.name + "_", layout, self.machine_code, len(arguments), large)
        return self.lean_form(arguments, function, self.inplace_lines(arguments))

    def _prepare_lines(self, records):
        """Write the lines that turn the arguments into arrays of one dtype, and find their metadata if it records."""
        lines = []
        if len(self.tensors) == 1:
            (x,) = self.tensors
            lines += [
                f"if type({x}) is not Tensor:",
                f"    {x} = as_operand(op.name, '{x}', {x})",
                f"a_{x} = {x}._array",
                f"dtype = a_{x}.dtype",
                *([f"m_{x} = {x}._meta"] if records else []),
            ]
        elif self.tensors[0] == "condition":
            lines += [
                "condition = as_operand(op.name, 'condition', condition)",
                "a_condition = condition._array",
                "if a_condition.dtype.kind != 'b':",
                "    raise RuntimeError(f'{op.name}: condition must be a boolean tensor, not {condition.dtype}')",
                *self._unify_lines(self.tensors[1:], records),
            ]
        else:
            lines += self._unify_lines(self.tensors, records)
        for number in self.numbers:
            lines += [
                f"if type({number}) not in WEAK:",
                f"    {number} = as_number(op.name, '{number}', {number})",
                f"a_{number} = CONSTANTS[dtype][{number}]",
            ]
        return lines

    def _unify_lines(self, names, records):
        """Write the lines that give operands one dtype: quickly where they have it, or are numbers that take it."""
        if len(names) != 2:
            return [*self._unify_any_lines(names), *(self._find_metadata_lines() if records else [])]
        x, y = names
        # Two tensors are the case whose steps count.
        return [
            # An identity is cheaper to ask for than membership, and nearly always true.
            f"if (type({x}) is Tensor or type({x}) in TENSORS) and (type({y}) is Tensor or type({y}) in TENSORS):",
            f"    a_{x} = {x}._array",
            f"    a_{y} = {y}._array",
            f"    dtype = a_{x}.dtype",
            f"    if a_{y}.dtype is not dtype:",
            *("        " + line for line in self._promote_lines(names)),
            *([f"    m_{name} = {name}._meta" for name in names] if records else []),
            "else:",
            *("    " + line for line in self._unify_any_lines(names)),
            *(["    " + line for line in self._find_metadata_lines()] if records else []),
        ]

    def _find_metadata_lines(self):
        # A number has no metadata; everything else is a tensor by now.
        return [f"m_{x} = None if type({x}) in WEAK else {x}._meta" for x in self.differentiable]

    def _unify_any_lines(self, names):
        lines = []
        leading = names[:2] if len(names) == 2 else names[:1]
        for x in leading:
            lines += [
                f"{'if' if x is leading[0] else 'elif'} type({x}) in TENSORS:",
                f"    a_{x} = {x}._array",
                f"    dtype = a_{x}.dtype",
                "    same = True",
            ]
            # A tensor after the first number is what the second branch begins with.
            for y in names if x is leading[0] else names[: names.index(x)]:
                if y is x:
                    continue
                lines += [
                    f"    kind = type({y})",
                    "    if kind in TENSORS:",
                    f"        a_{y} = {y}._array",
                    f"        same = same and a_{y}.dtype is dtype",
                    "    else:",
                    "        weak = WEAK.get(kind)",
                    "        constants = None if weak is None else weak.get(dtype)",
                    "        if constants is None:",
                    "            same = False",
                    "        else:",
                    "            try:",
                    f"                a_{y} = constants[{y}]",
                    "            except RuntimeError as error:",
                    "                raise RuntimeError(f'{op.name}: {error}') from None",
                ]
        return [
            *lines,
            "else:",
            "    same = False",
            "if not same:",
            *("    " + line for line in self._promote_lines(names)),
        ]

    def _promote_lines(self, names):
        listed = ", ".join(names)
        return [
            f"{listed} = promote(op.name, {tuple(names)!r}, ({listed}))",
            *(f"a_{name} = {name}._array" for name in names),
            f"dtype = a_{names[0]}.dtype",
        ]

    def _call_arguments(self):
        return ", ".join(f"a_{name}" for name in self.parameters)

    def _record_lines(self):
        """Write the lines that record a node where an input requires grad."""
        lines = []
        for x in self.differentiable:
            lines.append(f"r_{x} = m_{x} is not None and m_{x}.requires_grad")
        lines.append(f"if {' or '.join('r_' + x for x in self.differentiable)}:")
        body = [
            "meta = tensor._meta",
            "meta.requires_grad = True",
            "node = meta.node = Node()",
            "node.op = op",
            # What the tensor holds: an array, even of a number.
            "result = tensor._array",
        ]
        for x in self.differentiable:
            body += [
                f"e_{x} = None",
                f"if r_{x}:",
                f"    e_{x} = m_{x}.node or m_{x}",
                f"    if m_{x}.base is not None:",
                f"        e_{x} = refresh_view({x}) or m_{x}",
                f"    if m_{x}.counter is NO_VERSION:",
                f"        refuse_recording(op, '{x}', {x})",
            ]
        body.append(f"node.edges = ({', '.join('e_' + x for x in self.differentiable)},)")
        saved, versions = [], []
        for name in self.parameters:
            needing = [x for x in self.differentiable if name in self.saves.get(x, ())]
            if name in self.numbers:
                saved.append(name)
            elif needing:
                wanted = " or ".join("r_" + x for x in needing)
                saved.append(name if len(self.differentiable) == 1 else f"{name} if {wanted} else None")
                if name in self.differentiable:
                    meta = f"m_{name}"
                else:
                    body.append(f"m_{name} = {name}._meta")
                    meta = f"m_{name}"
                is_tensor = (
                    f" and type({name}) not in WEAK" if len(self.tensors) > 1 and name in self.differentiable else ""
                )
                body += [
                    f"if ({meta} is None or {meta}.counter is NO_VERSION) and ({wanted}){is_tensor}:",
                    f"    refuse_saving(op, '{name}', {name})",
                ]
                versions.append((len(saved) - 1, meta))
            else:
                saved.append("None")
        if self.saves_output:
            needing = [x for x in self.differentiable if "output" in self.saves[x]]
            wanted = " or ".join("r_" + x for x in needing)
            saved.append("result" if len(needing) == len(self.differentiable) else f"result if {wanted} else None")
        body.append(f"node.saved = ({', '.join(saved)},)" if saved else "node.saved = ()")
        if versions:
            counted = " or ".join(f"({m} is not None and {m}.counter is not None)" for _, m in versions)
            by_position = dict(versions)
            values = ", ".join(
                f"version_of({by_position[i]})" if i in by_position else "0" for i in range(len(self.parameters))
            )
            body.append(f"node.versions = ({values},) if {counted} else None")
        else:
            body.append("node.versions = None")
        if len(self.tensors) > 1:
            shapes = [f"a_{x}.shape" for x in self.differentiable]
            body.append("shape = result.shape")
            # The shape of what gets no gradient does not matter: numbers have none.
            same = " and ".join(f"(e_{x} is None or a_{x}.shape == shape)" for x in self.differentiable)
            body.append(f"node.extra = None if {same} else ({', '.join(shapes)},)")
        else:
            body.append("node.extra = None")
        body += ["node.counter = node.hooks = None", "node.sequence = next_sequence_number()"]
        lines += ["    " + line for line in body]
        return lines

    def namespace_for_text(self):
        return super().namespace_for_text() | {
            "kernels": self.kernels,
            "version_of": _version_of,
        }

    # -----------------------------------------------------------------------------------------------------------------
    # Backward

    def _variant(self, wanted):
        """Return what of the backward kernel the wanted gradients take.

        Args:
            wanted: a bool per differentiable input.

        Returns:
            (names of the kernel's parameters, positions of the saved values after ``grad``, positions of its results).
        """
        needed = {name for x, want in zip(self.differentiable, wanted, strict=True) if want for name in self.saves[x]}
        ever = {name for names in self.saves.values() for name in names}
        array_names = [name for name in self.saved_names if name in ever]
        parameters = self.backward.parameters
        kept, positions = ["grad"], []
        for name, parameter in zip(array_names, parameters[1 : 1 + len(array_names)], strict=True):
            if name in needed:
                kept.append(parameter)
                positions.append(self.saved_names.index(name))
        for parameter in parameters[1 + len(array_names) :]:
            kept.append(parameter)
            positions.append(self.saved_names.index(parameter))
        return tuple(kept), tuple(positions), tuple(i for i, want in enumerate(wanted) if want)

    def backward_variants(self):
        """Return every variant of the backward kernel that a call can ask for: (parameters, results)."""
        wanted = itertools.product((False, True), repeat=len(self.differentiable))
        return [(kept, chosen) for kept, _, chosen in map(self._variant, wanted) if chosen]

    def _plan(self, wanted):
        """Return (kernel table, positions of saved values, positions of results) for the wanted gradients."""
        found = self._plans.get(wanted)
        if found is None:
            kept, positions, chosen = self._variant(wanted)
            found = self._plans[wanted] = (self.backward.variant(kept, chosen), positions, chosen)
        return found

    def backward_arrays(self, node, grad):
        """Return the gradient of each edge as an array, by the backward kernel."""
        edges = node.edges
        if not isinstance(self.backward, Elementwise):
            # A plain function passes the gradient on as it is: adding needs no kernel to go backward.
            results = self.backward(grad)
            if node.extra is None:
                return results
            return [
                None if edge is None else sum_to_shape(result, shape)
                for edge, result, shape in zip(edges, results, node.extra, strict=True)
            ]
        # The only edge of a node is never None.
        wanted = (True,) if len(edges) == 1 else tuple([edge is not None for edge in edges])
        table, positions, chosen = self._plan(wanted)
        constants = CONSTANTS[grad.dtype]
        saved = node.saved
        arguments = []
        for position in positions:
            value = saved[position]
            if type(value) is np.ndarray:
                check_output_version(node, value)
            elif type(value) in WEAK:
                value = constants[value]
            else:
                check_version(node, position, self.saved_names[position], value)
                value = value._array
            arguments.append(value)
        kernel = table[grad.dtype]
        if process.asks and grad.nbytes >= self.large(self.backward):
            kernel = divided(kernel)
        results = kernel(grad, *arguments)
        if len(chosen) == 1:
            result = results if type(results) is np.ndarray else np.asarray(results)
            if node.extra is not None:
                result = sum_to_shape(result, node.extra[chosen[0]])
            return [result if want else None for want in wanted]
        if len(chosen) == len(edges) and node.extra is None:
            return [r if type(r) is np.ndarray else np.asarray(r) for r in results]
        gradients = [None] * len(edges)
        for index, result in zip(chosen, results, strict=True):
            result = np.asarray(result)
            gradients[index] = result if node.extra is None else sum_to_shape(result, node.extra[index])
        return gradients

    def saved_tensors(self, node):
        """Return the saved values as tensors and numbers, connected to the graph."""
        edges = dict(zip(self.differentiable, node.edges, strict=True))
        values = []
        for position, (name, value) in enumerate(zip(self.saved_names, node.saved, strict=False)):
            if name == "output":
                if value is not None:
                    check_output_version(node, value)
                    value = saved_output(node, value)
            elif value is not None and type(value) not in WEAK:
                check_version(node, position, name, value)
                value = as_saved(value, edges.get(name)) if name in edges else value
            values.append(value)
        return values

    def backward_tensors(self, node, grad):
        results = super().backward_tensors(node, grad)
        if node.extra is None:
            return results
        return [
            None if result is None else result.sum_to_size(*shape)
            for result, shape in zip(results, node.extra, strict=True)
        ]


def _version_of(meta):
    return 0 if meta is None or meta.counter is None else meta.counter.value


def _in_default_dtype(op, *arrays):
    """Compute an op that has no integer form in the default floating dtype, as PyTorch does."""
    kind = dtypes.get_default_dtype().numpy
    kernel = op.table[kind]
    if max(a.nbytes for a in arrays) >= process.large:
        kernel = divided(kernel)
    return kernel(*(a.astype(kind) for a in arrays))



def elementwise(forward, backward=None, *, saves=(), dtypes=dtypes.FLOATING, integers=None, **options):
    """Declare an elementwise op.

    Args:
        forward, backward: kernels. The backward kernel takes ``grad``, then what `saves` names in the order of the
            op's parameters (``output`` last), then the op's number parameters that it uses, under their names; it
            returns one gradient per differentiable input.
        saves: names of tensors that the gradients need, ``output`` for the result; or a dict from each
            differentiable input to what its gradient alone needs.
        dtypes: the family for which there is a kernel.
        integers: what to do with the other dtypes: ``"float"`` computes in the default dtype; None refuses.
        options: of `Declaration`, and ``overrides={dtype: another kernel, or a function of arrays}``,
            ``wraps=False`` to refuse a number out of the range of the tensor's dtype instead of wrapping it around.

    Returns:
        A decorator of a function that has a signature and a docstring but no body.
    """

    def declare(function):
        return ElementwiseOp(function, forward, backward, saves=saves, dtypes=dtypes, integers=integers, **options)

    return declare
