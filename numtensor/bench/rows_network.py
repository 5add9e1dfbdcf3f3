"""``network``: predictions of the 784-256-10 network in each mode, and training steps with Adam."""

from . import networks, runner
from .declare import MODES, Group, Ready, Row
from .timing import Timed

ROWS = [
    Row(
        "predict",
        "model(batch)",
        sizes=(1, 64, 1024),
        modes=MODES,
        atol=1e-3,
        numpy="model(batch)",
        jax="model(batch)",
        onnx="model(batch)",
    ),
    Row("Adam step", "step()", sizes=(1, 64), atol=1e-3, torch_fused="step()", jax="step()"),
]

# Enough for the moments of Adam to show in the loss.
STEPS = 3


def prepare(case, contestant):
    """Return a contestant ready for a case."""
    text = case.programs()[contestant.name]
    if text == "model(batch)":
        names = {"model": networks.predictor(contestant), "batch": contestant.tensor(networks.images(case.size))}
        return contestant.expression(text, names, case.mode)
    step = networks.trainer(contestant, case.size)
    return Ready(
        Timed(text, {"step": step}), lambda: [array for _ in range(STEPS) for array in contestant.plain(step())]
    )


GROUP = Group("network", "the 784-256-10 network", ROWS, runner.timed, prepare)
