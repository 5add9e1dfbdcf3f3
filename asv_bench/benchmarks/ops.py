"""Every op in every mode: time of a call on a small tensor, and the Python objects that it leaves behind."""

from numtensor.commands.demo import objects_of_one_op

from . import samples


class Ops:
    """One op in one mode."""

    params = (sorted(samples.ROWS), samples.MODES)
    param_names = ("op", "mode")

    def setup(self, op, mode):
        self.function = samples.find(op)
        self.args, self.kwargs = samples.arguments(op, requires_grad=mode == "tracked")
        self.manager = samples.manager(mode)
        self.manager.__enter__()
        # The first call compiles or thaws.
        self.function(*self.args, **self.kwargs)

    def teardown(self, op, mode):
        self.manager.__exit__(None, None, None)

    def time_op(self, op, mode):
        self.function(*self.args, **self.kwargs)


class Allocations(Ops):
    """What noise cannot touch."""

    def track_objects(self, op, mode):
        def call():
            result = self.function(*self.args, **self.kwargs)
            return result[0] if isinstance(result, (tuple, list)) else result

        if not hasattr(call(), "_array"):
            raise NotImplementedError(op)
        return sum(objects_of_one_op(call).values())

    track_objects.unit = "objects"
    time_op = None
