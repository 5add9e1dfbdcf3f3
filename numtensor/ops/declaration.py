"""The op table: one `Declaration` per op, from which everything else comes.

A declaration is made by one of the decorators of this package (`elementwise`, `kernel`, `library`, `view`,
`factory`, `composite`) on a function that has a signature and a docstring but no body. It gives the public function,
the method, the operators, the in-place and ``out=`` forms, each mode's callable, the docs entry and the benchmark.
"""

import functools
import inspect

import numpy as np

from .. import lean, modes
from ..debug import origin
from ..graph import Metadata, Node, make_metadata
from ..modes import current
from ..tensor import Tensor, new
from ..threads.limits import process
from . import inplace, operands
from .texts import forwarder

# What new(Tensor) does, 8 ns sooner.
new_tensor = functools.partial(new, Tensor)

OPS = {}
"""The op table: declarations by name. In-place forms are not ops of their own."""


def _renew_all():
    for op in OPS.values():
        op.renew()


process.listeners.append(_renew_all)


class Declaration:
    """What is known of an op.

    Attributes:
        name: unique; the attribute of the mode objects.
        public_name: where users find it, such as ``nn.functional.softplus``.
        kind: elementwise, kernel, library, view, factory or composite.
        parameters: names, in order; `defaults` has their default values.
        tensors: the names of those that are tensors.
        differentiable: the names of those that get gradients.
        saves: what backward needs: names of parameters, or ``output``.
        method: name of the method, or None.
        operators: names of special methods; those with a leading ``r`` swap the operands.
        inplace: whether there is an in-place form (name + ``_``).
        out: whether there is an ``out=`` form.
        keywords: parameters that the kernel does not know and most calls do not give, such as ``alpha`` of add: a
            call that gives one goes to the `keyword_rule`, all others pay one comparison.
        linear: whether the op is linear in its differentiable tensors together, or in each (``"each"``).
        aliases: other names; one with a dot, such as ``nn.functional.tanh``, stands in that namespace.
        reason: why a library op is not a kernel.
        call_forms: for the stubs, if the kind of result depends on the arguments: the parameters after the first, and
            the result, of each form of call.
    """

    kind = None
    sequence = None
    results = 1
    call_forms = ()

    def __init__(
        self,
        function,
        *,
        name=None,
        namespace="",
        tensors=("input",),
        differentiable=None,
        saves=(),
        method=True,
        operators=(),
        aliases=(),
        inplace=False,
        out=False,
        varargs=None,
        linear=False,
        reason=None,
        keywords=(),
    ):
        self.name = name or function.__name__
        self.public_name = f"{namespace}.{function.__name__}" if namespace else function.__name__
        self.namespace = namespace
        self.function_name = function.__name__
        self.docstring = function.__doc__
        self.module = function.__module__
        self.signature = inspect.signature(function)
        self.keywords = _names(keywords)
        self.parameters = tuple(name for name in self.signature.parameters if name not in self.keywords)
        self.tensors = _names(tensors)
        self.differentiable = self.tensors if differentiable is None else _names(differentiable)
        self.saves = saves
        self.method = (self.function_name if method is True else method) or None
        self.operators = _names(operators)
        self.aliases = _names(aliases)
        self.inplace = inplace
        self.out = out
        self.varargs = varargs
        self.linear = linear
        self.reason = reason
        self.node_name = "".join(part.capitalize() for part in self.name.split("_")) + "Backward"
        self._vjp = None
        self.tangent_rule = None
        self._keyword_rule = self.write_otherwise = None
        # What `quicken` writes anew, and whether it did.
        self._forms = []
        self._quick = False
        self._on_tensors = None
        if self.name in OPS:
            raise ValueError(f"two ops are named {self.name!r}")
        OPS[self.name] = self
        modes.register_op(self)
        self.public = self._make_public()

    @property
    def doc(self):
        """The docstring without the indentation of the source."""
        return inspect.cleandoc(self.docstring or "")

    @functools.cached_property
    def call_signature(self):
        """The signature of a mode's callable, which takes no keywords that the kernel does not know."""
        return self.signature.replace(parameters=[self.signature.parameters[name] for name in self.parameters])

    def __call__(self, *args, **kwargs):
        return self.public(*args, **kwargs)

    def __repr__(self):
        return f"<{self.kind} op {self.public_name}>"

    # -----------------------------------------------------------------------------------------------------------------
    # Rules, given by decorators after the declaration

    def vjp(self, rule):
        """Give the gradient as an expression of public ops.

        `rule` is one function per differentiable input (a tuple, in order), or one function that returns all:
        ``rule(grad, *parameters[, output])`` gets what the op saved, as tensors.
        """
        self._vjp = rule
        return rule

    def tangent(self, rule):
        """Give the forward-mode rule as an expression of public ops: ``rule(tangents, result, *parameters)``.

        `tangents` has one per differentiable tensor, None for one without. An op without a rule has its tangent by
        what it is; see `autograd.tangents`.
        """
        self.tangent_rule = rule
        return rule

    def keyword_rule(self, rule):
        """Give what a call with one of the `keywords` computes: ``rule(*parameters, *keywords)``, in public ops."""
        self._keyword_rule = rule
        return rule

    def inplace_rule(self, rule):
        """Give a shorter in-place form: ``rule(*parameters, **keywords)`` returns the tensor, or None undone.

        For an op that is itself, or with one of its keywords, another op in place.
        """
        self.write_otherwise = rule
        return rule

    def call_with_keywords(self, *arguments, **keywords):
        """Run the op with parameters that its kernel does not know."""
        return self._keyword_rule(*arguments, **keywords)

    def keyword_lines(self, call):
        """Write the lines that end in `call` (which lacks the keywords and the bracket) if a keyword is given."""
        if not self.keywords:
            return []
        given = " or ".join(f"{name} is not default_{name}" for name in self.keywords)
        return [f"if {given}:", f"    {call}{', '.join(f'{name}={name}' for name in self.keywords)})"]

    # -----------------------------------------------------------------------------------------------------------------
    # Forms

    # Whether a kernel writes what it reads, so that it may do so in place.
    keeps_dtype = False

    def form(self, name, parameters, arguments, namespace, around=lambda call: call, in_place=False):
        """Make a public form, which ends in a call of the current mode's callable.

        Args:
            name: of the function.
            parameters: of the function, as `inspect.Parameter`.
            arguments: of the callable, one text per parameter.
            namespace: the function's globals.
            around: given the lines that call, returns the lines of the function.
            in_place: whether it writes the result into its first argument.
        """
        call = self.inplace_lines(arguments) if in_place else self.call_lines(arguments)
        function = forwarder(name, self.name, parameters, around(call), namespace)
        # A starred parameter is one argument with the rest.
        if len(arguments) == len(self.parameters):
            quick = self.quick_inplace_form if in_place else self.quick_form
            self._forms.append((function, parameters, arguments, around, quick))
        return function

    @staticmethod
    def inplace_lines(arguments):
        """Write the lines with which an in-place form does what it is for."""
        return [f"return run_inplace(op, {', '.join(arguments)})"]

    def call_lines(self, arguments):
        """Write the lines with which a public form calls the current mode's callable."""
        # Python 3.11 reads an attribute 20 ns sooner than it calls a method that is none.
        return ["run = current.mode.OP", f"return run({', '.join(arguments)})"]

    def records(self):
        """Return whether a call in a mode that records may have to be recorded."""
        return bool(self.differentiable)

    def quicken(self, path):
        """Let the public forms do the common case on the spot, where nothing is recorded: a Python frame less.

        `INFERENCE`, `NO_GRAD` and `TRACKED` are those modes alone, without wrappers. The text is written when the op is
        first used in such a mode: writing it for all ops would add a seventh to the time of an import.
        """
        if self._quick or (path == "tracked" and self.records() and not self.is_lean()):
            return
        self._quick = True
        for function, parameters, arguments, around, quick in self._forms:
            lines, names = quick(arguments)
            if lines:
                quicker = forwarder(function.__name__, self.name, parameters, around(lines), {})
                function.__globals__.update(names)
                function.__code__ = quicker.__code__

    def quick_form(self, arguments):
        """Write the lines of a public form that does the common case itself, if there are any.

        Returns:
            (lines, {name: value} of what they use besides `namespace_for_text`).
        """
        if self.is_lean():
            return self.lean_form(arguments, self._on_tensors(self, lean.layout()))
        quick = self.quick_lines(arguments)
        if not quick:
            return [], {}
        return [
            "thread_mode = current.mode",
            f"if thread_mode is INFERENCE or {self._like_no_grad()}:",
            *("    " + line for line in quick),
            "run = thread_mode.OP",
            f"return run({', '.join(arguments)})",
        ], self.wrappers()

    def _like_no_grad(self):
        """Write the condition that the mode makes of the op's results what `NO_GRAD` makes of them."""
        return "thread_mode is NO_GRAD" + ("" if self.records() else " or thread_mode is TRACKED")

    def quick_inplace_form(self, arguments):
        """Write the lines of an in-place form that does the common case itself, as `quick_form`."""
        return [], {}

    def on_tensors(self, make):
        """Give what makes the builtin function that does the common case where nothing is recorded.

        Args:
            make: ``make(op, layout)`` returns a function of the op's arguments that returns a tensor, or what the op
                does, or None where it has done nothing. A `Loops` and a `RowKernel` have one, `on_tensors`, for a
                forward rule that does no more than call them for arrays of the dtypes that it has met.
        """
        self._on_tensors = make
        return make

    def is_lean(self):
        """Return whether there is a builtin function that public forms ask first, in whichever mode; see `lean`."""
        return self._on_tensors is not None and lean.layout() is not None

    def lean_form(self, arguments, function, call=None):
        """Write the lines of a public form that asks a builtin function first.

        Args:
            function: of the arguments; it answers None where it has done nothing.
            call: the lines that do it otherwise; None for a call of the mode's callable.
        """
        return [
            f"result = on_tensors({', '.join(arguments)})",
            "if result is not None:",
            "    return result",
            *(self.call_lines(arguments) if call is None else call),
        ], {"on_tensors": function}

    def renew(self):
        """Have all that was written for this op written again, since what texts depend on is another."""
        modes.register_op(self)
        if self._quick:
            self._quick = False
            self.quicken("inference")

    def quick_lines(self, arguments):
        """Write the lines that return the result without recording where the arguments are of the common kind.

        They do not raise what the mode's callable would not: whatever else there is falls through to it.
        """
        return []

    def result_lines(self, path):
        """Write the lines that wrap the array `result` as a new tensor without history and return it.

        Args:
            path: of the modes; None in a public form, which asks for the mode.
        """
        if path is None:
            return [
                "if thread_mode is INFERENCE:",
                "    return wrap_inference(result)",
                "return wrap_normal(result)",
            ]
        return [f"return wrap_{'inference' if path == 'inference' else 'normal'}(result)"]

    @staticmethod
    def wrappers():
        """Return what the lines that wrap results name, made when the first op is used."""
        return {"wrap_inference": lean.wrap("inference"), "wrap_normal": lean.wrap("no_grad")}

    def specialise(self, path):
        """Return this op's callable for the modes of `path`: tracked, no_grad or inference."""
        raise NotImplementedError(self.kind)

    def _make_public(self):
        """Write the public function: the declared signature, and a call of the current mode's callable."""
        declared = self.signature.parameters
        parameters = [*declared.values()]
        kinds = [declared[name].kind for name in self.parameters]
        # Behind a star the body itself takes the rest by keyword.
        star = inspect.Parameter.VAR_POSITIONAL in kinds
        arguments = ", ".join(
            f"*{name}"
            if kind is inspect.Parameter.VAR_POSITIONAL
            else f"{name}={name}"
            if star and kind is inspect.Parameter.KEYWORD_ONLY
            else name
            for name, kind in zip(self.parameters, kinds, strict=True)
        )
        lines = []
        if self.out:
            parameters.append(inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None))
            given = "".join(f", {name}={name}" for name in self.keywords)
            lines += ["if out is not None:", f"    return write_out(op, out, ({arguments},){given})"]
        lines += self.keyword_lines(f"return op.call_with_keywords({arguments}, ")
        listed = [arguments] if star else arguments.split(", ")
        namespace = self.namespace_for_text()
        public = self.form(self.function_name, parameters, listed, namespace, lambda call: [*lines, *call])
        public.__doc__ = self.docstring
        public.__module__ = "numtensor" + (f".{self.namespace}" if self.namespace else "")
        public.__qualname__ = self.function_name
        public.declaration = self
        return public

    def namespace_for_text(self):
        """Return the globals of generated functions."""
        return {
            "op": self,
            "current": current,
            "INFERENCE": modes.INFERENCE,
            "NO_GRAD": modes.NO_GRAD,
            "TRACKED": modes.TRACKED,
            "Tensor": Tensor,
            "new_tensor": new_tensor,
            "Metadata": Metadata,
            "Node": Node,
            "ndarray": np.ndarray,
            "asarray": np.asarray,
            "unwrap": operands.unwrap,
            "promote": operands.promote,
            "write_out": inplace.write_out,
            "run_inplace": inplace.run,
        }

    @property
    def differentiates(self):
        """Whether there is a vjp rule."""
        return self._vjp is not None

    def bind(self, arguments, keywords):
        """Return the arguments of a call of a mode's callable, one per parameter."""
        bound = self.call_signature.bind(*arguments, **keywords)
        bound.apply_defaults()
        return [bound.arguments[name] for name in self.parameters]

    # -----------------------------------------------------------------------------------------------------------------
    # Backward

    def backward_tensors(self, node, grad):
        """Return the gradient of each edge as a tensor, recorded: what ``create_graph`` asks for."""
        arguments = self.saved_tensors(node)
        return self.apply_vjp(grad, [edge is not None for edge in node.edges], arguments)

    def apply_vjp(self, grad, needs, arguments):
        """Evaluate the vjp rule: return a gradient, or None, per differentiable tensor.

        Args:
            grad: the gradient of the result; of several results a tuple.
            needs: whether each differentiable tensor (each element of a sequence) wants a gradient.
            arguments: what the op saved, as tensors, for the rule.
        """
        rule = self._vjp
        if rule is None:
            raise RuntimeError(f"{self.name}: the derivative of this op is not differentiable itself")
        if callable(rule):
            results = rule(grad, needs, *arguments)
            return results if isinstance(results, (tuple, list)) else (results,)
        return [one(grad, *arguments) if need else None for need, one in zip(needs, rule, strict=True)]

    def saved_tensors(self, node):
        """Return a node's saved values for a vjp rule: tensors connected to the graph as they were saved."""
        raise NotImplementedError(self.kind)


def _names(value):
    return (value,) if isinstance(value, str) else tuple(value)


def modified_error(node, what, counter, expected, shape):
    """Return the exception for a saved tensor that was changed in place before backward."""
    return RuntimeError(
        f"{node.op.name}: one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: the {what} of {node.name()}, shape {tuple(shape)}, is at version {counter.value}; expected "
        f"version {expected} instead; changed last by {counter.last_op}. Hint: clone() it before the change, or use "
        "the out-of-place form."
    )


def check_version(node, position, name, tensor):
    """Raise unless a saved tensor is at the version at which it was saved."""
    counter = tensor._meta.counter
    expected = 0 if node.versions is None else node.versions[position]
    if counter is not None and counter.value != expected:
        raise modified_error(node, f"saved argument '{name}'", counter, expected, tensor._array.shape)


def check_output_version(node, array):
    """Raise if the saved result of a node was changed since."""
    if node.counter is not None and node.counter.value:
        raise modified_error(node, "result", node.counter, 0, array.shape)


def as_saved(tensor, edge):
    """Return a saved tensor as it was when saved: `edge` is where its gradient goes, None if it needs none."""
    meta = tensor._meta
    if edge is None or edge is meta or edge is meta.node:
        return tensor
    copy = new(Tensor)
    copy._array = tensor._array
    if isinstance(edge, Metadata):
        # The leaf itself, whose values a hook kept in another form.
        copy._meta = edge
    else:
        copy._meta = make_metadata(True, meta.counter)
        copy._meta.node = edge
    return copy


def saved_output(node, array):
    """Return a node's saved result as the tensor it was: part of the graph by the node itself."""
    made = new(Tensor)
    made._array = array
    made._meta = make_metadata(True, node.counter)
    made._meta.node = node
    return made


def refuse_saving(op, name, tensor):
    """Raise because an inference tensor would be saved for backward."""
    raise RuntimeError(
        f"{op.name}: Inference tensors cannot be saved for backward: argument '{name}' of shape "
        f"{tuple(tensor._array.shape)} was made in inference mode.{origin(tensor)} Make a normal tensor of it with "
        "clone(), run this under no_grad() if you need no gradient, or build it under inference_mode(False)."
    )


def refuse_recording(op, name, tensor):
    """Raise because an inference tensor requires grad where a graph is recorded: its gradient would be lost."""
    raise RuntimeError(
        f"{op.name}: argument '{name}' of shape {tuple(tensor._array.shape)} is an inference tensor that requires "
        f"grad; gradients cannot reach it.{origin(tensor)} Build it (or its module) outside inference mode, train a "
        "copy.deepcopy() of it made outside, or use its detach().clone() as a constant."
    )
