"""Ops that are not elementwise: kernel, library, view and composite ops; factories stand in ``factory_kind.py``.

The declared function has a signature and a docstring; its rules are given after it::

    @kernel(saves="output")
    def softmax(input, dim=-1):
        \"\"\"Docstring.\"\"\"

    @softmax.forward
    def _(input, dim):  # arrays in, array out; validates before it calls a kernel
        ...

    @softmax.backward
    def _(grad, needs, input, dim, output):  # arrays
        ...

    @softmax.vjp
    def _(grad, needs, input, dim, output):  # tensors; the same gradient in public ops
        ...

    softmax.on_tensors(SOFTMAX.on_tensors)  # where nothing is recorded: machine code, from tensors to a tensor

What is not saved arrives in the backward rules as its shape. Without a `backward` rule, the vjp rule computes the
ordinary gradient too, with nothing recorded.

A small call costs what stands around its kernel. Each step is written once and used twice: in the callables of the
modes, and, where nothing is recorded, in the public forms themselves (`Declaration.quicken`). What is left is the
forward rule: it begins with the common case, before it calls anything that knows all cases.
"""


from types import FunctionType

import numpy as np

from .. import lean
from ..graph import (
    NO_VERSION,
    MultiNode,
    Output,
    make_metadata,
    make_node,
    make_view_metadata,
    next_sequence_number,
)
from ..lean import wrap_normal
from ..modes import NO_GRAD, current, set_mode
from ..tensor import Tensor, new
from ..threads.limits import process
from .declaration import (
    Declaration,
    as_saved,
    check_output_version,
    check_version,
    modified_error,
    refuse_recording,
    refuse_saving,
    saved_output,
)
from .inplace import refresh_view
from .operands import unwrap
from .texts import compile_function


class NoView(RuntimeError):
    """The memory of a tensor does not lie so that the result could be a view of it."""


class GeneralOp(Declaration):
    """An op given by rules on arrays.

    An op with several results that saves ``output`` keeps those without a gradient; the others arrive as None.

    Attributes:
        results: the number of results; 0 for as many as the forward rule returns, in a tuple.
        differentiable_results: positions of the results that carry gradients.
        sequence: the name of a parameter that is a sequence of tensors, or None.
        cast: the name of a parameter that is a dtype to which the first tensor is converted first, or None.
        collect: what makes one object of several results: ``tuple``, or a named tuple's ``_make``.
        otherwise: what a view op does where its forward rule raises `NoView`: a function of the op's parameters, in
            public ops.
        extras: how many values the `forward_recording` rule returns after the results, for backward only.
    """

    def __init__(
        self,
        function,
        kind,
        *,
        saves=(),
        results=1,
        differentiable_results=None,
        sequence=None,
        optional=(),
        cast=None,
        collect=tuple,
        otherwise=None,
        **options,
    ):
        self.kind = kind
        self.results = results
        self.differentiable_results = differentiable_results
        self.sequence = sequence
        self.cast = cast
        self.collect = collect
        self.otherwise = otherwise
        self.optional = (optional,) if isinstance(optional, str) else tuple(optional)
        self._forward = self._large = self._forward_recording = self._backward = None
        # {differentiable input: what its gradient needs}, where some need less than all.
        self.saves_for = None
        if isinstance(saves, dict):
            self.saves_for = {x: (needs,) if isinstance(needs, str) else tuple(needs) for x, needs in saves.items()}
            saves = dict.fromkeys(name for needs in self.saves_for.values() for name in needs)
        super().__init__(function, saves=(saves,) if isinstance(saves, str) else tuple(saves), **options)
        self.saved_tensor_names = tuple(name for name in self.parameters if name in self.saves)
        self.saves_output = "output" in self.saves
        # Of what a node may have saved as tensors.
        self._saved_places = tuple((self.parameters.index(name), name) for name in self.saved_tensor_names)

    # -----------------------------------------------------------------------------------------------------------------
    # Rules

    def forward(self, rule):
        """Give the forward rule: the parameters with arrays for tensors; returns an array (or a tuple of arrays)."""
        self._forward = self.public.__globals__["forward"] = rule
        return rule

    def large(self, rule):
        """Give the forward rule for a first tensor of ``process.large`` bytes: the same bits, by several threads.

        Needed only where the forward rule must not take the time to ask; small calls ask while there are several.
        """
        self._large = self.public.__globals__["large"] = rule
        return rule

    def forward_recording(self, rule):
        """Give a forward rule that also returns what backward needs: ``(result, extra, ...)``."""
        self._forward_recording = rule
        return rule

    def backward(self, rule):
        """Give the backward rule: ``rule(grad, needs, *parameters[, output][, *extras])`` on arrays."""
        self._backward = rule
        return rule

    # -----------------------------------------------------------------------------------------------------------------
    # The callables

    def _has_gradient(self):
        return bool(self.differentiable and (self._backward or self._vjp))

    def records(self):
        # The views of a mode are marked with it.
        return self.kind == "view" or self._has_gradient()

    def specialise(self, path):
        """Write this op's callable for the modes of `path`."""
        self.quicken(path)
        if self._forward is None:
            raise TypeError(f"{self.name}: the declaration has no forward rule")
        lines = self._unwrap_lines()
        arguments = ", ".join(f"a_{n}" if n in self.tensors else n for n in self.parameters)
        if path == "tracked" and self._has_gradient():
            lines += self._record_lines(arguments)
        lines += self._forward_lines(arguments.split(", "), self.parameters)
        lines += self._wrap_lines(path, self.parameters)
        namespace = self.namespace_for_text() | self.wrappers() | {
            "as_tensor": _as_tensor,
            "forward_recording": self._forward_recording,
            "next_sequence_number": next_sequence_number,
            "record": record,
            "refresh_view": refresh_view,
            "refuse_recording": refuse_recording,
            "refuse_saving": refuse_saving,
            "requires_grad": _requires_grad,
            "version_of": _version_of,
            "wrap_view": _wrap_view,
        }
        return compile_function(self.name, self.call_signature, lines, namespace)

    def wrappers(self):
        if self.kind != "view" or self.results != 1:
            return super().wrappers()
        return {f"view_{path}": lean.viewer(self._forward, path) for path in ("tracked", "no_grad", "inference")}

    def namespace_for_text(self):
        return super().namespace_for_text() | {
            "collect": self.collect,
            # The public function is written before the rule is given.
            "forward": self._forward,
            "large": self._large,
            "NO_VERSION": NO_VERSION,
            "NoView": NoView,
            "otherwise": self.otherwise,
        }

    def quick_lines(self, arguments):
        """Write what the mode's callable does; a call that converts a dtype first is left to it."""
        if self.sequence is not None or (self.kind == "view" and self.results != 1):
            return []
        given = dict(zip(self.parameters, arguments, strict=True))
        unwrap, passed = [], []
        for number, (name, argument) in enumerate(given.items()):
            if name not in self.tensors:
                passed.append(argument)
                continue
            missing = f"None if {argument} is None else " if name in self.optional else ""
            unwrap.append(f"a{number} = {missing}{argument}._array")
            passed.append(f"a{number}")
        lines = [
            "try:",
            *("    " + line for line in unwrap),
            "except AttributeError:",
            "    pass",
            "else:",
            *("    " + line for line in self._forward_lines(passed, arguments)),
            *("    " + line for line in self._wrap_lines(None, arguments)),
        ]
        return lines if self.cast is None else [f"if {given[self.cast]} is None:", *("    " + line for line in lines)]

    def _unwrap_lines(self):
        """Write the lines that take the arrays out of the tensors."""
        lines = []
        if self.cast is not None:
            first = self.tensors[0]
            lines += [f"if {self.cast} is not None:", f"    {first} = current.mode.to({first}, {self.cast})"]
        for name in self.tensors:
            if name == self.sequence:
                lines.append(f"a_{name} = [unwrap(op.name, '{name}', t) for t in {name}]")
                continue
            unwrap = [
                "try:",
                f"    a_{name} = {name}._array",
                "except AttributeError:",
                f"    {name} = as_tensor(op.name, '{name}', {name})",
                f"    a_{name} = {name}._array",
            ]
            if name in self.optional:
                lines += [f"if {name} is None:", f"    a_{name} = None", "else:", *("    " + line for line in unwrap)]
            else:
                lines += unwrap
        return lines

    def _wrap_lines(self, path, arguments):
        """Write the lines that return an unrecorded result; a `path` of None asks for the mode."""
        if self.kind == "view":
            source, *rest = arguments
            rest = "".join(f"{name}, " for name in rest)
            if self.results != 1:
                return [
                    f"return tuple([wrap_view(op, '{path}', {source}, ({rest}), one, number) "
                    "for number, one in enumerate(result)])"
                ]
            call = f"({source}, result, ({rest}))"
            if path is None:
                return [
                    "if thread_mode is INFERENCE:",
                    f"    return view_inference{call}",
                    f"return view_no_grad{call}",
                ]
            return [f"return view_{path}{call}"]
        if self.results != 1:
            inference = "thread_mode is INFERENCE" if path is None else path == "inference"
            return [f"return collect(list(map(wrap_inference if {inference} else wrap_normal, result)))"]
        return self.result_lines(path)

    def _forward_lines(self, passed, arguments):
        """Write the lines that run the forward rule on what is `passed`, for a call with `arguments`."""
        run = f"result = forward({', '.join(passed)})"
        if self._large is not None and process.asks:
            first = passed[self.parameters.index(self.tensors[0])]
            rule = f"(large if {first}.nbytes >= {process.large} else forward)"
            return [f"result = {rule}({', '.join(passed)})"]
        if self.otherwise is None:
            return [run]
        return ["try:", f"    {run}", "except NoView:", f"    return otherwise({', '.join(arguments)})"]

    def _record_lines(self, arguments):
        """Write the lines that run the op and record a node where an input requires grad."""
        if self.sequence is not None or self.results != 1:
            requires = " or ".join(
                f"any(map(requires_grad, {n}))" if n == self.sequence else f"requires_grad({n})"
                for n in self.differentiable
            )
            return [f"if {requires}:", f"    return record(op, ({', '.join(self.parameters)},), ({arguments},))"]
        lines, body = [], []
        for x in self.differentiable:
            meta = f"None if {x} is None else {x}._meta" if x in self.optional else f"{x}._meta"
            lines += [f"m_{x} = {meta}", f"r_{x} = m_{x} is not None and m_{x}.requires_grad"]
            body += [
                f"e_{x} = None",
                f"if r_{x}:",
                f"    e_{x} = m_{x}.node or m_{x}",
                f"    if m_{x}.base is not None:",
                f"        e_{x} = refresh_view({x}) or m_{x}",
                f"    if m_{x}.counter is NO_VERSION:",
                f"        refuse_recording(op, '{x}', {x})",
            ]
        saved, checked = [], []
        for name in self.parameters:
            if name not in self.tensors:
                saved.append(name)
                continue
            shape = f"a_{name}.shape"
            if name in self.saves:
                wanted = "True"
                kept = name
                if self.saves_for is not None:
                    needing = [x for x, needs in self.saves_for.items() if name in needs]
                    wanted = " or ".join("r_" + x for x in needing)
                    kept = f"{name} if {wanted} else {shape}"
                meta = f"{name}._meta"
                given = f"{name} is not None and " if name in self.optional else ""
                body += [
                    f"if {given}({wanted}) and ({meta} is None or {meta}.counter is NO_VERSION):",
                    f"    refuse_saving(op, '{name}', {name})",
                ]
                checked.append(name)
            else:
                kept = shape
            saved.append(f"None if {name} is None else {kept}" if name in self.optional else kept)
        if self._forward_recording is not None:
            body.append(f"result, *extras = forward_recording({arguments})")
        else:
            body += self._forward_lines(arguments.split(", "), self.parameters)
        if self.kind == "view":
            source, *rest = self.parameters
            body.append(f"tensor = view_tracked({source}, result, ({''.join(f'{name}, ' for name in rest)}))")
        else:
            body.append("tensor = wrap_normal(result)")
        body += ["meta = tensor._meta", "result = tensor._array"]
        if self.saves_output:
            saved.append("result")
        if self._forward_recording is not None:
            saved.append("*extras")
        counted = " or ".join(
            (f"({name} is not None and {name}._meta.counter is not None)" if name in self.optional else
             f"({name}._meta is not None and {name}._meta.counter is not None)")
            for name in checked
        )
        versions = "".join(f"version_of({name}), " if name in checked else "0, " for name in self.parameters)
        body += [
            f"meta.{'own' if self.kind == 'view' else 'requires_grad'} = True",
            "node = meta.node = Node()",
            "node.op = op",
            f"node.edges = ({', '.join('e_' + x for x in self.differentiable)},)",
            f"node.saved = ({', '.join(saved)},)",
            f"node.versions = ({versions}) if {counted} else None" if checked else "node.versions = None",
            "node.extra = node.counter = node.hooks = None",
            "node.sequence = next_sequence_number()",
            "return tensor",
        ]
        lines.append(f"if {' or '.join('r_' + x for x in self.differentiable)}:")
        return [*lines, *("    " + line for line in body)]

    # -----------------------------------------------------------------------------------------------------------------
    # Backward

    def _arguments(self, node, as_tensors):
        """Return the arguments of a backward rule from what a node saved."""
        edges = iter(node.edges)
        values = []
        count = len(self.parameters)
        for position, name in enumerate(self.parameters):
            value = node.saved[position]
            if name == self.sequence:
                value = [self._one(node, position, name, v, next(edges), as_tensors) for v in value]
            elif name in self.differentiable:
                value = self._one(node, position, name, value, next(edges), as_tensors)
            elif isinstance(value, Tensor):
                value = self._one(node, position, name, value, None, as_tensors)
            values.append(value)
        rest = node.saved[count:]
        if self.saves_output:
            outputs = rest[0]
            if type(outputs) is tuple:
                value = tuple([None if one is None else _saved_result(node, one, as_tensors) for one in outputs])
            else:
                check_output_version(node, outputs)
                value = saved_output(node, outputs) if as_tensors else outputs
            values.append(value)
            rest = rest[1:]
        if not as_tensors:
            values += rest
        return values

    def _one(self, node, position, name, value, edge, as_tensors):
        if not isinstance(value, Tensor):
            return value
        check_version(node, position, name, value)
        return as_saved(value, edge) if as_tensors else value._array

    def _arrays(self, node):
        """Return what `_arguments` does, as arrays, of a node without a sequence of tensors that saved no results."""
        values = list(node.saved)
        for position, name in self._saved_places:
            value = values[position]
            if isinstance(value, Tensor):
                if value._meta.counter is not None:
                    check_version(node, position, name, value)
                values[position] = value._array
        return values

    def saved_tensors(self, node):
        return self._arguments(node, as_tensors=True)

    def backward_arrays(self, node, grad):
        """Return the gradient of each edge as an array, by the backward rule or the vjp rule."""
        needs = [edge is not None for edge in node.edges]
        if self._backward is not None:
            simple = self.sequence is None and not self.saves_output
            arguments = self._arrays(node) if simple else self._arguments(node, as_tensors=False)
            results = self._backward(grad, needs, *arguments)
            return results if type(results) in (tuple, list) else (results,)
        before = current.mode
        set_mode(NO_GRAD)
        try:
            grads = (
                wrap_normal(grad)
                if node.outputs == 1
                else tuple(None if g is None else wrap_normal(g) for g in grad)
            )
            results = self.apply_vjp(grads, needs, self._arguments(node, as_tensors=True))
        finally:
            set_mode(before)
        return [None if r is None else r._array for r in results]


class CompositeOp(Declaration):
    """An op that is an expression of other ops: no kernel, no node of its own."""

    kind = "composite"

    def __init__(self, function, **options):
        self.body = function
        super().__init__(function, **options)

    def specialise(self, path):
        self.quicken(path)
        return self.body

    def on_tensors(self, make):
        super().on_tensors(make)
        # A copy of the expression has no place where the builtin function could be asked.
        self.public = self._make_public()
        return make

    def _make_public(self):
        """Return a copy of the expression where the public function adds nothing to it: a Python frame less."""
        if self.out or self.keywords or self.varargs or self._on_tensors is not None:
            return super()._make_public()
        body = self.body
        public = FunctionType(body.__code__, body.__globals__, body.__name__, body.__defaults__, body.__closure__)
        public.__kwdefaults__ = body.__kwdefaults__
        public.__doc__ = self.docstring
        public.__module__ = "numtensor" + (f".{self.namespace}" if self.namespace else "")
        public.__qualname__ = self.function_name
        public.declaration = self
        return public

    def call_lines(self, arguments):
        """Write a call of the expression itself, which is the same in every mode."""
        if self._on_tensors is not None:
            # A first call of the mode's callable is what makes the builtin function.
            return super().call_lines(arguments)
        return [f"return body({', '.join(arguments)})"]

    def namespace_for_text(self):
        return super().namespace_for_text() | {"body": self.body}


def _saved_result(node, tensor, as_tensors):
    """Return one of the results that a node with several saved; it was at version 0."""
    counter = tensor._meta.counter
    if counter is not None and counter.value:
        raise modified_error(node, "result", counter, 0, tensor._array.shape)
    return tensor if as_tensors else tensor._array


def _requires_grad(value):
    meta = value._meta if isinstance(value, Tensor) else None
    return meta is not None and meta.requires_grad


def _wrap_view(op, path, source, arguments, array, number):
    """Wrap one of several views: an inference tensor if its source is one."""
    tensor = new(Tensor)
    tensor._array = array
    meta = source._meta
    normal = meta is not None and meta.counter is not NO_VERSION
    tensor._meta = make_view_metadata(source, op._forward, arguments, number, path) if normal else None
    return tensor


def _as_tensor(op, name, value):
    """Return a tensor argument that is not one, but an array, as a tensor."""
    array = unwrap(op, name, value)
    return wrap_normal(array)


def _version_of(tensor):
    """Return the version of a tensor, or None, that is saved."""
    counter = None if tensor is None or tensor._meta is None else tensor._meta.counter
    return 0 if counter is None else counter.value


def record(op, arguments, arrays):
    """Run an op with a sequence of tensors, or with several results, and record its node.

    Args:
        op: its declaration.
        arguments: by parameter, tensors as tensors.
        arrays: the same with arrays for tensors.

    Returns:
        The result, or a tuple of results.
    """
    edges, saved, versions = [], [], None
    wanted = op.saves
    if op.saves_for is not None:
        wanted = {
            name
            for x, value in zip(op.parameters, arguments, strict=True)
            if x in op.saves_for and _requires_grad(value)
            for name in op.saves_for[x]
        }
    for position, (name, value, array) in enumerate(zip(op.parameters, arguments, arrays, strict=True)):
        if name == op.sequence:
            items = [_save(op, name, t, a, edges, wanted) for t, a in zip(value, array, strict=True)]
            saved.append(items)
        elif name in op.differentiable:
            saved.append(_save(op, name, value, array, edges, wanted))
        elif name in op.tensors and value is not None:
            if name in wanted:
                if not isinstance(value, Tensor):
                    value = wrap_normal(array)
                if value._meta is None or value._meta.counter is NO_VERSION:
                    refuse_saving(op, name, value)
                saved.append(value)
            else:
                saved.append(array.shape)
        else:
            saved.append(value)
        kept = saved[-1]
        if isinstance(kept, Tensor) and kept._meta.counter is not None and kept._meta.counter.value:
            versions = versions or [0] * len(op.parameters)
            versions[position] = kept._meta.counter.value
    extras = ()
    if op._forward_recording is not None:
        result, *extras = op._forward_recording(*arrays)
    else:
        result = op._forward(*arrays)
    several = type(result) in (tuple, list)
    if several:
        result = tuple(a if type(a) is np.ndarray else np.asarray(a) for a in result)
    elif type(result) is not np.ndarray:
        result = np.asarray(result)
    if not several:
        if op.saves_output:
            saved.append(result)
        tensor = wrap_normal(result)
        tensor._meta.requires_grad = True
        tensor._meta.node = make_node(op, tuple(edges), (*saved, *extras), versions)
        return tensor
    node = MultiNode(op, tuple(edges), None, versions, None, len(result))
    outputs = []
    for number, array in enumerate(result):
        tensor = new(Tensor)
        tensor._array = array
        carries = op.differentiable_results is None or number in op.differentiable_results
        if op.kind == "view":
            meta = tensor._meta = make_view_metadata(arguments[0], op._forward, arguments[1:], number)
        else:
            meta = tensor._meta = make_metadata()
        if carries:
            meta.requires_grad = True
            meta.node = Output(node, number)
        outputs.append(tensor)
    # Those without a gradient, the positions, are what backward needs; they do not lead back to the node.
    kept = [tuple([None if type(t._meta.node) is Output else t for t in outputs])] if op.saves_output else ()
    node.saved = (*saved, *kept, *extras)
    return op.collect(outputs)


def _save(op, name, value, array, edges, wanted):
    """Append the edge of a differentiable input; return what is kept of it."""
    if value is None:
        edges.append(None)
        return None
    meta = value._meta if isinstance(value, Tensor) else None
    if meta is None or not meta.requires_grad:
        edges.append(None)
    else:
        if meta.counter is NO_VERSION:
            refuse_recording(op, name, value)
        edge = meta.node if meta.base is None else refresh_view(value)
        edges.append(edge or meta)
    if name not in wanted:
        return array.shape
    if not isinstance(value, Tensor):
        return wrap_normal(array)
    if meta is None or meta.counter is NO_VERSION:
        refuse_saving(op, name, value)
    return value


def kernel(**options):
    """Declare an op of kernels that are not elementwise: reductions, row-wise ops, gathers."""
    return lambda function: GeneralOp(function, "kernel", **options)


def library(reason, **options):
    """Declare an op that NumPy, SciPy or LAPACK does best; `reason` says why in one line."""
    return lambda function: GeneralOp(function, "library", reason=reason, **options)


def view(**options):
    """Declare an op whose result is another view of its input's memory: a NumPy stride operation, linear."""
    return lambda function: GeneralOp(function, "view", linear=True, **options)


def composite(**options):
    """Declare an op that is an expression of other ops; the function has a body."""
    return lambda function: CompositeOp(function, **options)

