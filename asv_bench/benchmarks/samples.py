"""The calls that benchmarks time: the first sample of each op's test row, in float32."""

import numtensor as nt
from tests.calls import BY_PUBLIC_NAME, Call, plain, requiring
from tests.op_table import all_rows

ROWS = {name: row for name, row in sorted(all_rows().items()) if name in BY_PUBLIC_NAME}
MODES = {"inference": nt.inference_mode, "no_grad": nt.no_grad, "tracked": nt.enable_grad}


def family(name):
    """Return the module that declares an op."""
    return BY_PUBLIC_NAME[name].module.rpartition(".")[2]


FAMILIES = sorted({family(name) for name in ROWS})


def call(name, mode):
    """Return an op's call as a function without arguments; in tracked mode its tensors require grad."""
    row = ROWS[name]
    sample = Call(BY_PUBLIC_NAME[name], row, row.samples[0], "float32" if "float32" in row.dtypes else row.dtypes[0])
    args, kwargs = sample.tensors(requiring if mode == "tracked" else plain)
    function = sample.op.public
    return lambda: function(*args, **kwargs)
