"""The calls that benchmarks time: the first sample of each op's test row, in float32."""

import numpy as np

import numtensor as nt
from tests.op_table import T, all_rows

ROWS = all_rows()
MODES = ("inference", "no_grad", "tracked")


def manager(mode):
    """Return the context manager of a mode's name."""
    return {"inference": nt.inference_mode, "no_grad": nt.no_grad, "tracked": nt.enable_grad}[mode]()


def find(name):
    """Return the public function of a row's name.

    Raises:
        NotImplementedError: this commit does not have it; asv then skips the benchmark.
    """
    found = nt
    for part in name.split("."):
        found = getattr(found, part, None)
        if found is None:
            raise NotImplementedError(name)
    return found


def arguments(name, requires_grad):
    """Return positional and keyword arguments of an op's first sample."""
    row = ROWS[name]
    random = np.random.default_rng(0)
    kind = "float32" if "float32" in row.dtypes else row.dtypes[0]
    sample = row.samples[0]

    def make(value):
        if isinstance(value, (list, tuple)) and any(isinstance(v, T) for v in value):
            return type(value)(make(v) for v in value)
        if not isinstance(value, T):
            return value
        dtype = value.dtype or kind
        low, high = value.domain or row.domain
        if value.values is not None:
            array = np.array(value.values, dtype)
        elif dtype == "bool":
            array = random.random(value.shape) < 0.5
        else:
            array = np.asarray(random.uniform(low, high, value.shape)).astype(dtype)
        tensor = nt.from_numpy(array)
        return tensor.requires_grad_() if requires_grad and value.grad and dtype.startswith("float") else tensor

    return [make(v) for v in sample.args], {k: make(v) for k, v in sample.kwargs.items()}
