"""Gives the Tensor its methods and operators: every declaration's, from the op table."""

import inspect

from ..tensor import Tensor
from .declaration import OPS
from .operands import OperandError


def bind_all():
    """Bind the methods, operators and in-place forms of every declared op to the Tensor."""
    for op in OPS.values():
        bind(op)


def bind(op):
    """Bind one op's methods to the Tensor."""
    names = [op.method] if op.method else []
    if op.method and not op.namespace:
        names += [alias for alias in op.aliases if "." not in alias]
    for name in names:
        if op.namespace == "Tensor":
            # The method is the public function; only as a method it takes x.view(2, 3).
            if op.varargs:
                op.public = _method(op, name)
                op.public.declaration = op
            _set(name, op.public)
        else:
            _set(name, _method(op, name))
    for operator in op.operators:
        _set(operator, _operator(op, operator))
    if op.inplace:
        for name in names or [op.function_name]:
            _set(name + "_", _inplace_method(op, name + "_"))
        for operator in op.operators:
            name = "__i" + operator[2:]
            if name in _INPLACE_OPERATORS:
                _set(name, _inplace_method(op, name))


def _set(name, function):
    if name in Tensor.__dict__ and name not in ("__hash__",):
        raise ValueError(f"Tensor.{name} is defined twice")
    setattr(Tensor, name, function)


_SELF, _OTHER = (inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("self", "other"))


def _method_parameters(op):
    """Return the parameters of a method of the op, and the arguments that it passes on."""
    return [_SELF, *list(op.signature.parameters.values())[1:]], ["self", *op.parameters[1:]]


def _method(op, name):
    parameters, arguments = _method_parameters(op)
    lines = []
    if op.varargs:
        # x.reshape(2, 3) and x.reshape((2, 3)) are the same.
        star = inspect.Parameter(op.varargs, inspect.Parameter.VAR_POSITIONAL)
        others = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters[1:]]
        others = [p for p in others if p.name != op.varargs]
        parameters = [_SELF, star, *others]
        lines += [
            f"if len({op.varargs}) == 1 and not isinstance({op.varargs}[0], int):",
            f"    {op.varargs} = {op.varargs}[0]",
        ]
    lines += op.keyword_lines(f"return op.call_with_keywords({', '.join(arguments)}, ")
    function = op.form(name, parameters, arguments, op.namespace_for_text(), lambda call: [*lines, *call])
    return _finish(op, name, function)


def _operator(op, name):
    parameters = [op.signature.parameters[name] for name in op.parameters]
    required = [p for p in parameters if p.default is inspect.Parameter.empty]
    taken = [_SELF] if len(required) == 1 else [_SELF, _OTHER]
    names = [parameter.name for parameter in taken]
    reflected = name.startswith("__r") and name not in ("__rshift__", "__round__")
    order = list(reversed(names)) if reflected else names
    defaults = [f"default_{p.name}" for p in parameters[len(required) :]]
    namespace = op.namespace_for_text() | {f"default_{p.name}": p.default for p in parameters[len(required) :]}
    arguments = [*order, *defaults]
    if len(names) == 1:
        return _finish(op, name, op.form(name, taken, arguments, namespace))

    def around(call):
        # A number gives way to whoever knows what to do with it; asking for the type first would cost every call.
        return ["try:", *("    " + line for line in call), "except OperandError:", "    return NotImplemented"]

    namespace["OperandError"] = OperandError
    return _finish(op, name, op.form(name, taken, arguments, namespace, around))


def _inplace_method(op, name):
    parameters, arguments = _method_parameters(op)
    if name.startswith("__"):
        parameters = [p for p in parameters if p.default is inspect.Parameter.empty]
        arguments = arguments[: len(parameters)]
        lines = []
    else:
        lines = op.keyword_lines(f"return run_inplace(op, {', '.join(arguments)}, ")
    namespace = op.namespace_for_text()
    function = op.form(name, parameters, arguments, namespace, lambda call: [*lines, *call], in_place=True)
    return _finish(op, name, function)


_INPLACE_OPERATORS = frozenset(
    f"__i{name}__"
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift")
)


def _finish(op, name, function):
    function.__name__ = name
    function.__qualname__ = f"Tensor.{name}"
    function.__module__ = "numtensor"
    function.__doc__ = f"See `numtensor.{op.public_name}`." if not name.startswith("__") else None
    return function
