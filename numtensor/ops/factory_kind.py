"""Factories: ops that make a tensor from no tensor, or from the shape and dtype of one.

A factory's rule gets the declared parameters but `requires_grad` and `device`, and returns an array that nobody else
holds. The tensor is an inference tensor in inference mode.
"""

import inspect

from .. import lean
from ..dtypes import _default
from ..kernels import boxed_factories
from .declaration import Declaration
from .texts import compile_function


class FactoryOp(Declaration):
    """An op that makes a tensor.

    A parameter ``*size`` takes the extents as several arguments, as one sequence, or by name.
    """

    kind = "factory"

    def __init__(self, function, **options):
        self._forward = self._position = None
        super().__init__(function, **({"tensors": (), "method": False} | options))

    def forward(self, rule):
        """Give the rule: the parameters without `requires_grad` and `device`; returns an array."""
        self._forward = rule
        return rule

    def in_numpy(self, position):
        """Give the position of NumPy's function of (extents, dtype) in its C API; the rule must do no more than it.

        Machine code then calls it for plain extents.
        """
        self._position = position

    def quick_form(self, arguments):
        layout = lean.layout()
        if self._position is None or layout is None:
            return super().quick_form(arguments)
        lines, names = super().quick_form(arguments)
        return [
            "if dtype is None and not requires_grad and device is None:",
            "    result = on_tensors(size, default.dtype.numpy)",
            "    if result is not None:",
            "        return result",
            *lines,
        ], names | {"on_tensors": boxed_factories.make_new(layout, self._position), "default": _default}

    def specialise(self, path):
        """Write this op's callable for the modes of `path`; it takes every parameter by position."""
        if self._forward is None:
            raise TypeError(f"{self.name}: the declaration has no forward rule")
        arguments = ", ".join(name for name in self.parameters if name not in ("requires_grad", "device"))
        lines = []
        if "device" in self.parameters:
            lines += ["if device is not None:", "    check_device(op.name, device)"]
        lines += [
            f"array = forward({arguments})",
            f"tensor = wrap_{'inference' if path == 'inference' else 'normal'}(array)",
        ]
        if "requires_grad" in self.parameters:
            lines += ["if requires_grad:", "    require_grad(op.name, tensor)"]
        lines.append("return tensor")
        positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters = [
            inspect.Parameter(p.name, positional, default=p.default) for p in self.signature.parameters.values()
        ]
        self.quicken(path)
        namespace = (
            self.namespace_for_text()
            | self.wrappers()
            | {
                "forward": self._forward,
                "check_device": check_device,
                "require_grad": require_grad,
            }
        )
        return compile_function(self.name, inspect.Signature(parameters), lines, namespace)

    def quick_lines(self, arguments):
        """Write what makes a plain tensor."""
        asked = [name for name in ("requires_grad", "device") if name in self.parameters]
        passed = [name for name in arguments if name not in asked]
        lines = [f"result = forward({', '.join(passed)})", *self.result_lines(None)]
        if not asked:
            return lines
        plain = {"requires_grad": "not requires_grad", "device": "device is None"}
        return [f"if {' and '.join(plain[name] for name in asked)}:", *("    " + line for line in lines)]

    def wrappers(self):
        return super().wrappers() | {"forward": self._forward}

    def _make_public(self):
        parameters = []
        lines = []
        for parameter in self.signature.parameters.values():
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                name = parameter.name
                parameters.append(parameter.replace(name="sizes"))
                parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None))
                lines += [f"if {name} is None:", f"    {name} = sizes"]
            else:
                parameters.append(parameter)
        arguments = list(self.parameters)
        namespace = self.namespace_for_text()
        public = self.form(self.function_name, parameters, arguments, namespace, lambda call: [*lines, *call])
        public.__doc__ = self.docstring
        public.__module__ = "numtensor" + (f".{self.namespace}" if self.namespace else "")
        public.__qualname__ = self.function_name
        public.declaration = self
        return public


def factory(**options):
    """Declare an op that makes a tensor; ``@op.forward`` gives its rule."""
    return lambda function: FactoryOp(function, **options)


def check_device(op, device):
    """Raise unless the device is the CPU.

    Raises:
        RuntimeError: it is another one.
    """
    name = getattr(device, "type", device)
    if not isinstance(name, str) or name.partition(":")[0] != "cpu":
        raise RuntimeError(f"{op}: device {device!r} is not available; numtensor computes on 'cpu' only")


def require_grad(op, tensor):
    """Make a new tensor require grad.

    Raises:
        RuntimeError: it is not floating-point.
    """
    if tensor._array.dtype.kind != "f":
        raise RuntimeError(
            f"{op}: Only Tensors of floating point dtype can require gradients, got {tensor.dtype}; give dtype=, or "
            "leave requires_grad out"
        )
    tensor.requires_grad_()
