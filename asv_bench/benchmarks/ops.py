"""Every op in every mode: time of a call on a small tensor, and the Python objects that it leaves behind."""

import gc

from numtensor.commands.demo import objects_of_one_op

from . import samples


class Ops:
    """One op in one mode."""

    params = (list(samples.ROWS), list(samples.MODES))
    param_names = ("op", "mode")

    def setup(self, op, mode):
        self.call = samples.call(op, mode)
        self.manager = samples.MODES[mode]()
        self.manager.__enter__()
        # The first call compiles or thaws.
        self.call()

    def teardown(self, op, mode):
        self.manager.__exit__(None, None, None)

    def time_op(self, op, mode):
        self.call()


class Allocations:
    """What noise cannot touch: the sum over the ops of a family. tests/test_allocations.py says which objects."""

    params = (samples.FAMILIES, list(samples.MODES))
    param_names = ("family", "mode")

    def setup(self, family, mode):
        # What exists already is not walked through again for each op.
        gc.freeze()

    def track_objects(self, family, mode):
        names = [name for name in samples.ROWS if samples.family(name) == family]
        with samples.MODES[mode]():
            return sum(_objects(samples.call(name, mode)) for name in names)

    track_objects.unit = "objects"


def _objects(call):
    def first():
        result = call()
        return result[0] if isinstance(result, (tuple, list)) else result

    # What gives no tensor leaves nothing behind.
    return sum(objects_of_one_op(first).values()) if hasattr(first(), "_array") else 0
