"""``throughput``: one op forward, under inference mode, on float32 arrays that fit into the caches and that do not."""

from . import data, runner
from .contestants import variables
from .declare import Group, Row

ROWS = [
    Row("exp", "t.exp(x)", numpy="np.exp(x)", jax="jnp.exp(x)"),
    Row("log", "t.log(p)", numpy="np.log(p)", jax="jnp.log(p)"),
    Row("tanh", "t.tanh(x)", numpy="np.tanh(x)", jax="jnp.tanh(x)"),
    Row("sin", "t.sin(x)", numpy="np.sin(x)", jax="jnp.sin(x)"),
    Row("erf", "t.erf(x)", numpy="special.erf(x)", jax="special.erf(x)"),
    Row("pow 2.5", "p ** 2.5", numpy="p ** np.float32(2.5)", jax="p ** 2.5"),
    Row("sqrt", "t.sqrt(p)", numpy="np.sqrt(p)", jax="jnp.sqrt(p)"),
    Row("sigmoid", "t.sigmoid(x)", numpy="special.expit(x)", jax="nn.sigmoid(x)"),
    Row("gelu", "F.gelu(x)", jax="nn.gelu(x, approximate=False)"),
    Row("relu", "t.relu(x)", numpy="np.maximum(x, 0)", jax="nn.relu(x)"),
    Row("clamp", "t.clamp(x, -0.5, 0.5)", numpy="np.clip(x, -0.5, 0.5)", jax="jnp.clip(x, -0.5, 0.5)"),
    Row("where", "t.where(c, x, y)", numpy="np.where(c, x, y)", jax="jnp.where(c, x, y)"),
    Row("add", "x + y", numpy="x + y", jax="x + y"),
    Row("mul", "x * y", numpy="x * y", jax="x * y"),
    Row("transposed add", "m.T + flipped", numpy="m.T + flipped", jax="m.T + flipped"),
    Row("cast to int32", "x.to(t.int32)", numpy="x.astype(np.int32)", jax="x.astype(jnp.int32)"),
    # JAX has no float64 unless the whole process does.
    Row("cast to float64", "x.to(t.float64)", numpy="x.astype(np.float64)"),
    Row("sum", "p.sum()", numpy="p.sum()", jax="p.sum()"),
    Row("sum dim 0", "m.sum(0)", numpy="m.sum(0)", jax="m.sum(0)", atol=1e-3),
    Row("mean", "p.mean()", numpy="p.mean()", jax="p.mean()"),
    Row("norm", "x.norm()", numpy="np.linalg.norm(x)", jax="jnp.linalg.norm(x)"),
    Row("var dim 1", "m.var(1)", numpy="m.var(1, ddof=1)", jax="m.var(1, ddof=1)"),
    Row("std dim 1", "m.std(1)", numpy="m.std(1, ddof=1)", jax="m.std(1, ddof=1)"),
    Row("argmax dim 1", "um.argmax(1)", numpy="um.argmax(1)", jax="um.argmax(1)"),
    Row("max dim 1", "um.max(1)", numpy="(um.max(1), um.argmax(1))", jax="(um.max(1), um.argmax(1))"),
    Row("any", "never.any()", numpy="never.any()", jax="never.any()"),
    Row("logsumexp dim 1", "t.logsumexp(m, 1)", numpy="special.logsumexp(m, 1)", jax="special.logsumexp(m, 1)"),
    Row("softmax dim 1", "t.softmax(m, 1)", numpy="special.softmax(m, 1)", jax="nn.softmax(m, 1)"),
    Row("log_softmax dim 1", "t.log_softmax(m, 1)", numpy="special.log_softmax(m, 1)", jax="nn.log_softmax(m, 1)"),
    Row(
        "layer_norm",
        "F.layer_norm(m, (k,), scale, shift)",
        jax="(m - m.mean(1, keepdims=True)) * lax.rsqrt(m.var(1, keepdims=True) + 1e-5) * scale + shift",
    ),
    Row(
        "cross_entropy",
        "F.cross_entropy(m, labels)",
        jax="-jnp.take_along_axis(nn.log_softmax(m, 1), labels[:, None], 1).mean()",
    ),
    Row("cumsum dim 1", "t.cumsum(m, 1)", numpy="m.cumsum(1)", jax="m.cumsum(1)", atol=1e-3),
    Row("sort", "t.sort(u).values", numpy="np.sort(u)", jax="jnp.sort(u)"),
    Row("argsort", "t.argsort(u)", numpy="np.argsort(u)", jax="jnp.argsort(u)"),
    Row(
        "topk 10",
        "t.topk(u, 10).values",
        numpy="np.sort(np.partition(u, -10)[-10:])[::-1]",
        jax="lax.top_k(u, 10)[0]",
    ),
    Row(
        "gather dim 1",
        "t.gather(m, 1, columns)",
        numpy="np.take_along_axis(m, columns, 1)",
        jax="jnp.take_along_axis(m, columns, 1)",
    ),
    Row("index_select", "t.index_select(m, 0, rows)", numpy="m.take(rows, 0)", jax="m[rows]"),
    Row("embedding", "F.embedding(rows, m)", numpy="m[rows]", jax="m[rows]"),
]


def prepare(case, contestant):
    """Return a contestant ready for a case."""
    text = case.programs()[contestant.name]
    return contestant.forward(text, data.values(variables(text), case.size), case.mode)


GROUP = Group(
    "throughput",
    "one op forward under inference mode, float32",
    ROWS,
    runner.timed,
    prepare,
    sizes=(1_000, 100_000, 4_000_000),
    modes=("inference",),
)
