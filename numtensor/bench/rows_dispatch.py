"""``dispatch``: one op on 1, 10 and 100 elements in each mode; what a call costs."""

from . import data, runner
from .contestants import variables
from .declare import MODES, Group, Ready, Row
from .timing import Timed

SIZES = (1, 10, 100)
ONCE = (None,)

ROWS = [
    Row("add", "x + y", numpy="x + y"),
    Row("mul", "x * y", numpy="x * y"),
    Row("x * 2.0", "x * 2.0", numpy="x * 2.0"),
    Row("exp", "t.exp(x)", numpy="np.exp(x)"),
    Row("relu", "t.relu(x)", numpy="np.maximum(x, 0)"),
    Row("where", "t.where(c, x, y)", numpy="np.where(c, x, y)"),
    Row("reshape", "x.reshape(1, -1)", numpy="x.reshape(1, -1)"),
    Row("slice x[1:3]", "x[1:3]", numpy="x[1:3]"),
    Row("x[0]", "x[0]", numpy="x[0]"),
    Row("sum", "x.sum()", numpy="x.sum()"),
    Row("mean", "x.mean()", numpy="x.mean()"),
    Row("argmax", "x.argmax()", numpy="x.argmax()"),
    Row("matmul 4x4", "m @ n", sizes=ONCE, numpy="m @ n"),
    Row("softmax 4x4", "t.softmax(m, 1)", sizes=ONCE),
    Row("Linear(4, 4)", "linear(m)", sizes=ONCE, numpy="m @ weight.T + bias"),
    Row("zeros(4)", "t.zeros(4)", sizes=ONCE, numpy="np.zeros(4, np.float32)"),
    Row("enter and leave inference_mode", "with t.inference_mode():\n    pass", sizes=ONCE),
    Row("call a decorated empty function", "empty()", sizes=ONCE),
]
WITHOUT_RESULT = ("enter and leave inference_mode", "call a decorated empty function")

SMALL = {name: data.draw("a", 16) + shift for name, shift in (("m", 0), ("n", 1), ("weight", 2))}
BIAS = data.draw("x", 4)


def prepare(case, contestant):
    """Return a contestant ready for a case; in tracked mode what it reads requires grad."""
    text = case.programs()[contestant.name]
    used = variables(text)
    values = data.values(used & {"x", "y", "c"}, case.size)
    values |= {name: array for name, array in (SMALL | {"bias": BIAS}).items() if name in used}
    names = contestant.names(values)
    if case.mode == "tracked":
        names |= {name: contestant.variable(array) for name, array in values.items() if array.dtype.kind == "f"}
    if "linear" in used:
        names["linear"] = _linear(contestant)
    if "empty" in used:
        names["empty"] = names["t"].inference_mode()(lambda: None)
    if case.row.name in WITHOUT_RESULT:
        return Ready(Timed(text, names, contestant.manager(case.mode)), None)
    return contestant.expression(text, names, case.mode)


def _linear(contestant):
    linear = contestant.library().nn.Linear(4, 4)
    linear.load_state_dict({"weight": contestant.tensor(SMALL["weight"]), "bias": contestant.tensor(BIAS)})
    return linear


GROUP = Group("dispatch", "one small op in each mode", ROWS, runner.timed, prepare, sizes=SIZES, modes=MODES)
