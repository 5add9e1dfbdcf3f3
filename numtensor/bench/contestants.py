"""Who takes part: how each library makes its tensors, runs an expression, differentiates it, and gives results back.

A library is imported when its first row is prepared, in the process of one group.
"""

import ast
import contextlib
import importlib.metadata
import importlib.util

import numpy as np

import numtensor

from .declare import Ready
from .timing import Timed


def variables(text):
    """Return the names that a program reads."""
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


class Contestant:
    """A library.

    Attributes:
        name: as rows call it.
        title: as tables call it.
        packages: what must be installed, the first being the one whose version is told.
    """

    name = title = ""
    packages = ()

    def installed(self):
        """Whether it can take part."""
        return all(importlib.util.find_spec(package) is not None for package in self.packages)

    def version(self):
        """Return its version."""
        return importlib.metadata.version(self.packages[0])

    def use_threads(self, number):
        """Let it use so many threads from now on, if it can be told in a process that holds everybody to one."""

    def modules(self):
        """Return what programs call its modules, by those names."""
        return {}

    def tensor(self, array):
        """Return an array of NumPy as its own."""
        return array

    def variable(self, array):
        """Return an array of NumPy as a tensor to differentiate by."""
        return self.tensor(array)

    def array(self, tensor):
        """Return one of its tensors as an array of NumPy."""
        return np.asarray(tensor)

    def manager(self, mode):
        """Return a function that makes the context manager of a mode."""
        return contextlib.nullcontext

    def names(self, values):
        """Return its modules, and data with each array as its own tensor."""
        return self.modules() | {
            name: self.tensor(value) if isinstance(value, np.ndarray) else value for name, value in values.items()
        }

    def plain(self, result):
        """Return a result, however nested, as a flat list of NumPy's arrays."""
        if isinstance(result, (tuple, list)):
            return [array for part in result for array in self.plain(part)]
        return [self.array(result)]

    def expression(self, text, names, mode=None):
        """Return an expression ready to be timed."""
        manager = self.manager(mode)

        def result():
            with manager():
                return self.plain(eval(text, dict(names)))

        used = variables(text)
        return Ready(Timed(text, {k: v for k, v in names.items() if k in used}, manager), result)

    def forward(self, text, values, mode):
        """Return an expression of data ready to be timed."""
        return self.expression(text, self.names(values), mode)

    def backward(self, text, values, wrt, cotangent):
        """Return an expression and its gradients ready to be timed.

        Args:
            text: the expression.
            values: data by name.
            wrt: the names to differentiate by.
            cotangent: the gradient of the result; None if that is a number.
        """
        raise NotImplementedError(f"{self.title} does not differentiate")


class _Recording(Contestant):
    """A library whose tensors record what is done to them: call ``backward()``, find ``.grad``.

    Attributes:
        clear: the statement that forgets a variable's gradient.
    """

    clear = "{}.grad = None"

    def backward(self, text, values, wrt, cotangent):
        names = self.names(values) | {name: self.variable(values[name]) for name in wrt}
        if cotangent is not None:
            names["cotangent"] = self.tensor(cotangent)
        seed = "" if cotangent is None else "cotangent"
        statement = "\n".join([*(self.clear.format(name) for name in wrt), f"({text}).backward({seed})"])
        timed = Timed(statement, names)

        def result():
            timed.measure(1)
            return self.plain([names[name].grad for name in wrt])

        return Ready(timed, result)


class Numtensor(_Recording):
    """This library."""

    name = title = "numtensor"
    packages = ("numtensor",)

    def library(self):
        """Return the module."""
        return numtensor

    def use_threads(self, number):
        self.library().set_num_threads(number)

    def version(self):
        """Return its version."""
        return self.library().__version__

    def modules(self):
        """Return ``t``, and ``F`` for the functions of ``nn``."""
        library = self.library()
        return {"t": library, "F": library.nn.functional}

    def tensor(self, array):
        """Return a tensor with memory of its own."""
        return self.library().from_numpy(array.copy())

    def variable(self, array):
        """Return a leaf that requires grad."""
        return self.tensor(array).requires_grad_()

    def array(self, tensor):
        """Return the values."""
        return np.asarray(tensor.detach().numpy() if hasattr(tensor, "detach") else tensor)

    def manager(self, mode):
        """Return ``inference_mode``, ``no_grad`` or ``enable_grad``."""
        library = self.library()
        managers = {"inference": library.inference_mode, "no_grad": library.no_grad, "tracked": library.enable_grad}
        return managers[mode] if mode else contextlib.nullcontext


class Torch(Numtensor):
    """PyTorch: the same programs."""

    name, title = "torch", "PyTorch"
    packages = ("torch",)
    threads = 1

    def use_threads(self, number):
        self.threads = number
        self.library()

    def library(self):
        """Return the module, held to its threads: it does not do as the environment says everywhere."""
        import torch

        if torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)
        return torch

    def version(self):
        """Return its version."""
        return importlib.metadata.version("torch")


class TorchFused(Torch):
    """PyTorch with the optimiser that is one kernel."""

    name, title = "torch_fused", "PyTorch fused"


class NumPy(Contestant):
    """NumPy, with SciPy's special functions."""

    name, title = "numpy", "NumPy"
    packages = ("numpy", "scipy")

    def modules(self):
        """Return ``np`` and ``special``."""
        import scipy.special

        return {"np": np, "special": scipy.special}


class Jax(Contestant):
    """JAX: each program compiled by ``jit``."""

    name, title = "jax", "JAX"
    packages = ("jax", "jaxlib")

    def library(self):
        """Return the module, told to compute in the thread that calls."""
        import jax
        import jax.scipy.special

        # Before the first array: a smaller computation is otherwise handed to a thread, and waited for.
        jax.config.update("jax_cpu_enable_async_dispatch", False)
        return jax

    def modules(self):
        """Return ``jax``, ``jnp``, ``lax``, ``nn``, and ``special``."""
        jax = self.library()
        return {
            "jax": jax,
            "jnp": jax.numpy,
            "lax": jax.lax,
            "nn": jax.nn,
            "special": jax.scipy.special,
        }

    def tensor(self, array):
        """Return an array on JAX's device."""
        return self.library().numpy.asarray(array)

    def forward(self, text, values, mode):
        """Return the compiled expression: its arguments are the arrays, numbers are part of it."""
        arrays, numbers = self._divided(values)
        return self._call(self._compile(f"lambda {', '.join(arrays)}: {text}", numbers), arrays)

    def backward(self, text, values, wrt, cotangent):
        """Return the compiled vector-Jacobian product."""
        arrays, numbers = self._divided(values)
        by = ", ".join(wrt)
        seed = "1.0" if cotangent is None else "cotangent"
        if cotangent is not None:
            arrays["cotangent"] = self.tensor(cotangent)
        product = f"jax.vjp(lambda {by}: {text}, {by})[1]({seed})"
        return self._call(self._compile(f"lambda {', '.join(arrays)}: {product}", numbers), arrays)

    def _divided(self, values):
        arrays = {name: self.tensor(value) for name, value in values.items() if isinstance(value, np.ndarray)}
        return arrays, {name: value for name, value in values.items() if name not in arrays}

    def _compile(self, text, numbers):
        modules = self.modules()
        return modules["jax"].jit(eval(text, modules | numbers))

    def _call(self, compiled, arrays):
        call = f"compiled({', '.join(arrays)})"
        names = {"compiled": compiled, **arrays}
        several = isinstance(eval(call, dict(names)), tuple)
        statement = f"wait({call})" if several else f"{call}.block_until_ready()"
        return self.expression(statement, names | {"wait": self.library().block_until_ready})


class Autograd(Contestant):
    """autograd: functions of NumPy's arrays."""

    name = title = "autograd"
    packages = ("autograd",)

    def modules(self):
        """Return its ``np`` and ``special``."""
        import autograd.numpy
        import autograd.scipy.special

        return {"np": autograd.numpy, "special": autograd.scipy.special}

    def backward(self, text, values, wrt, cotangent):
        """Return the vector-Jacobian product, traced at every call as is its way."""
        from autograd import make_vjp

        by = ", ".join(wrt)
        names = self.names(values)
        function = eval(f"lambda {by}: {text}", dict(names))
        program = f"make({by})[0](cotangent)"
        seed = np.float32(1) if cotangent is None else cotangent
        make = make_vjp(function, argnum=tuple(range(len(wrt))))
        return self.expression(program, names | {"make": make, "cotangent": seed})


class MyGrad(_Recording):
    """MyGrad: NumPy's arrays that record."""

    name, title = "mygrad", "MyGrad"
    packages = ("mygrad",)
    clear = "{}.null_grad()"

    def modules(self):
        """Return ``mg``."""
        import mygrad

        return {"mg": mygrad}

    def tensor(self, array):
        """Return a constant."""
        return array.copy()

    def variable(self, array):
        """Return a tensor to differentiate by."""
        import mygrad

        return mygrad.tensor(array.copy())


class OnnxRuntime(Contestant):
    """ONNX Runtime: a network from a file's bytes."""

    name, title = "onnx", "ONNX Runtime"
    packages = ("onnxruntime", "onnx")


CONTESTANTS = {
    one.name: one
    for one in (Numtensor(), Torch(), TorchFused(), NumPy(), Jax(), OnnxRuntime(), Autograd(), MyGrad())
}
