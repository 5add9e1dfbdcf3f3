"""``backward``: one op forward and its gradients, on few elements and on many."""

import functools

import numpy as np

from . import data, runner
from .contestants import Numtensor, variables
from .declare import Group, Row

ROWS = [
    Row("add", "x + y", wrt=("x", "y"), jax="x + y", autograd="x + y", mygrad="x + y"),
    Row("mul", "x * y", wrt=("x", "y"), jax="x * y", autograd="x * y", mygrad="x * y"),
    Row("exp", "t.exp(x)", jax="jnp.exp(x)", autograd="np.exp(x)", mygrad="mg.exp(x)"),
    Row("log", "t.log(p)", wrt=("p",), jax="jnp.log(p)", autograd="np.log(p)", mygrad="mg.log(p)"),
    Row("tanh", "t.tanh(x)", jax="jnp.tanh(x)", autograd="np.tanh(x)", mygrad="mg.tanh(x)"),
    Row("sin", "t.sin(x)", jax="jnp.sin(x)", autograd="np.sin(x)", mygrad="mg.sin(x)"),
    Row("erf", "t.erf(x)", jax="special.erf(x)", autograd="special.erf(x)"),
    Row("pow 2.5", "p ** 2.5", wrt=("p",), jax="p ** 2.5", autograd="p ** np.float32(2.5)", mygrad="p ** 2.5"),
    Row("sqrt", "t.sqrt(p)", wrt=("p",), jax="jnp.sqrt(p)", autograd="np.sqrt(p)", mygrad="mg.sqrt(p)"),
    Row(
        "sigmoid",
        "t.sigmoid(x)",
        jax="nn.sigmoid(x)",
        autograd="special.expit(x)",
        mygrad="mg.nnet.activations.sigmoid(x)",
    ),
    Row("gelu", "F.gelu(x)", jax="nn.gelu(x, approximate=False)"),
    Row("relu", "t.relu(x)", jax="nn.relu(x)", autograd="np.maximum(x, 0)", mygrad="mg.nnet.activations.relu(x)"),
    Row(
        "where",
        "t.where(c, x, y)",
        wrt=("x", "y"),
        jax="jnp.where(c, x, y)",
        autograd="np.where(c, x, y)",
        mygrad="mg.where(c, x, y)",
    ),
    Row("sum", "p.sum()", wrt=("p",), jax="p.sum()", autograd="np.sum(p)", mygrad="p.sum()"),
    Row("mean", "p.mean()", wrt=("p",), jax="p.mean()", autograd="np.mean(p)", mygrad="p.mean()"),
    Row("sum dim 0", "m.sum(0)", wrt=("m",), jax="m.sum(0)", autograd="np.sum(m, 0)", mygrad="m.sum(0)"),
    Row("var dim 1", "m.var(1)", wrt=("m",), jax="m.var(1, ddof=1)", mygrad="m.var(1, ddof=1)"),
    Row("max dim 1", "um.max(1).values", wrt=("um",), jax="um.max(1)", autograd="np.max(um, 1)", mygrad="um.max(1)"),
    Row("logsumexp dim 1", "t.logsumexp(m, 1)", wrt=("m",), jax="special.logsumexp(m, 1)"),
    Row(
        "softmax dim 1",
        "t.softmax(m, 1)",
        wrt=("m",),
        jax="nn.softmax(m, 1)",
        mygrad="mg.nnet.activations.softmax(m, 1)",
    ),
    Row(
        "log_softmax dim 1",
        "t.log_softmax(m, 1)",
        wrt=("m",),
        jax="nn.log_softmax(m, 1)",
        mygrad="mg.nnet.activations.logsoftmax(m, 1)",
    ),
    Row(
        "layer_norm",
        "F.layer_norm(m, (k,), scale, shift)",
        wrt=("m", "scale", "shift"),
        jax="(m - m.mean(1, keepdims=True)) * lax.rsqrt(m.var(1, keepdims=True) + 1e-5) * scale + shift",
        atol=1e-3,
    ),
    Row(
        "cross_entropy",
        "F.cross_entropy(m, labels)",
        wrt=("m",),
        jax="-jnp.take_along_axis(nn.log_softmax(m, 1), labels[:, None], 1).mean()",
        mygrad="mg.nnet.losses.softmax_crossentropy(m, labels)",
    ),
    Row("cumsum dim 1", "t.cumsum(m, 1)", wrt=("m",), jax="m.cumsum(1)", mygrad="mg.cumsum(m, 1)", atol=1e-3),
    Row("matmul", "a @ b", wrt=("a", "b"), jax="a @ b", autograd="a @ b", mygrad="a @ b", atol=1e-3),
    Row(
        "gather dim 1",
        "t.gather(m, 1, columns)",
        wrt=("m",),
        jax="jnp.take_along_axis(m, columns, 1)",
        atol=1e-3,
    ),
    Row("embedding", "F.embedding(rows, m)", wrt=("m",), jax="m[rows]", autograd="m[rows]", mygrad="m[rows]"),
    Row("reshape", "x.reshape(2, -1)", jax="x.reshape(2, -1)", autograd="x.reshape(2, -1)", mygrad="x.reshape(2, -1)"),
    Row("slice", "x[1:-1]", jax="x[1:-1]", autograd="x[1:-1]", mygrad="x[1:-1]"),
]


def prepare(case, contestant):
    """Return a contestant ready for a case."""
    text = case.programs()[contestant.name]
    values = data.values(variables(text), case.size)
    return contestant.backward(text, values, case.row.wrt, cotangent(case.row.programs["numtensor"], case.size))


@functools.lru_cache(maxsize=1)
def cotangent(text, size):
    """Return the gradient that the result of an expression is given; None if it is a number."""
    ours = Numtensor()
    shape = ours.forward(text, data.values(variables(text), size), "no_grad").result()[0].shape
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32) if shape else None


GROUP = Group("backward", "one op forward and backward, float32", ROWS, runner.timed, prepare, sizes=(10, 100_000))
