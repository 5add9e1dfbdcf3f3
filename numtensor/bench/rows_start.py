"""``start``: whole processes that import a library, make the 784-256-10 network and predict once."""

import os
import tempfile
from pathlib import Path

import numpy as np

from . import networks, processes
from .declare import Group, Row

LOAD = """
import sys
import numpy as np
flat = np.load(sys.argv[1] + "/weights.npy")
first, flat = flat[:200704].reshape(256, 784), flat[200704:]
first_bias, flat = flat[:256], flat[256:]
second, flat = flat[:2560].reshape(10, 256), flat[2560:]
second_bias, images = flat[:10], flat[10:].reshape(1, 784)
"""

MODULES = """
from {library} import nn
import {library} as t
arrays = {{"0.weight": first, "0.bias": first_bias, "2.weight": second, "2.bias": second_bias}}
model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)).eval()
model.load_state_dict({{name: t.from_numpy(array) for name, array in arrays.items()}})
with t.inference_mode():
    results = model(t.from_numpy(images)).tolist()
"""

NUMPY = """
results = (np.maximum(images @ first.T + first_bias, 0) @ second.T + second_bias).tolist()
"""

JAX = """
import jax
import jax.numpy as jnp
predict = jax.jit(lambda batch: jax.nn.relu(batch @ first.T + first_bias) @ second.T + second_bias)
results = predict(images).tolist()
"""

ONNX = """
import onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1] + "/network.onnx", providers=["CPUExecutionProvider"])
results = session.run(None, {"images": images})[0].tolist()
"""

# In numtensor's process no compiler may run: the store is warm.
WARM = 'assert "numba" not in sys.modules, "a kernel was compiled: the store is not warm"\n'

PROGRAMS = {
    "torch": MODULES.format(library="torch"),
    "numpy": NUMPY,
    "jax": JAX,
    "onnx": ONNX,
}
OURS = MODULES.format(library="numtensor")

ROWS = [
    Row("wall time", OURS, atol=1e-3, **PROGRAMS),
    Row("peak RSS", OURS, atol=1e-3, unit="B", **PROGRAMS),
]
ROUNDS = 7


def measure(case, contestants, options):
    """Return each contestant's seconds or peak bytes in every round."""
    with tempfile.TemporaryDirectory() as folder:
        _write_files(Path(folder), contestants)
        environment = _with_bytecode(Path(folder))
        # The first process may have to compile.
        processes.run("-c", LOAD + OURS + processes.REPORT, folder, environment=environment)
        commands = {}
        for one in contestants:
            text = case.programs()[one.name] + (WARM if one.name == "numtensor" else "")
            commands[one.name] = ("-c", LOAD + text + processes.REPORT, folder)
        return processes.rounds_of(
            commands,
            ROUNDS,
            (lambda seconds, printed: seconds) if case.row.unit == "s" else (lambda seconds, printed: printed["peak"]),
            case.row.rtol,
            case.row.atol,
            environment,
        )


def _with_bytecode(folder):
    """Return an environment in which the first process of each contestant writes its bytecode, and others read it.

    An installed package has it. A checkout would have it from its second process on, unless the user forbids that:
    then each process would compile this one library from its source.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return environment | {"PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


def _write_files(folder, contestants):
    arrays = [*networks.weights().values(), networks.images(1)]
    np.save(folder / "weights.npy", np.concatenate([array.ravel() for array in arrays]))
    if any(one.name == "onnx" for one in contestants):
        (folder / "network.onnx").write_bytes(networks.onnx_bytes())


GROUP = Group("start", "a process that imports, makes the network, predicts once", ROWS, measure)
