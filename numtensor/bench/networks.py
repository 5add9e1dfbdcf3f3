"""The 784-256-10 network in every library that can run it, with equal weights."""

import functools

import numpy as np

INPUTS, HIDDEN, CLASSES = 784, 256, 10
STATE = ("0.weight", "0.bias", "2.weight", "2.bias")


@functools.lru_cache(maxsize=1)
def weights():
    """Return the four arrays by their names in the state dict."""
    random = np.random.default_rng(0)
    shapes = ((HIDDEN, INPUTS), (HIDDEN,), (CLASSES, HIDDEN), (CLASSES,))
    return {
        name: (random.uniform(-1, 1, shape) / np.sqrt(shape[-1])).astype(np.float32)
        for name, shape in zip(STATE, shapes, strict=True)
    }


@functools.lru_cache(maxsize=4)
def images(batch):
    """Return a batch of images."""
    return np.random.default_rng(1).standard_normal((batch, INPUTS)).astype(np.float32)


def labels(batch):
    """Return the batch's labels."""
    return np.arange(batch) % CLASSES


# ---------------------------------------------------------------------------------------------------------------------
# Predictions: a function of a batch of the contestant's own


def predictor(contestant):
    """Return a contestant's network as a function of a batch."""
    return _PREDICTORS[contestant.name](contestant)


def _module(contestant):
    nn = contestant.library().nn
    model = nn.Sequential(nn.Linear(INPUTS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CLASSES))
    model.load_state_dict({name: contestant.tensor(array) for name, array in weights().items()})
    return model


def _numpy_predictor(contestant):
    first, first_bias, second, second_bias = weights().values()
    first, second = first.T, second.T

    def predict(batch):
        return np.maximum(batch @ first + first_bias, 0) @ second + second_bias

    return predict


def _jax_scores(jax, parameters, batch):
    first, first_bias, second, second_bias = parameters
    return jax.nn.relu(batch @ first.T + first_bias) @ second.T + second_bias


def _jax_predictor(contestant):
    jax = contestant.library()
    parameters = [contestant.tensor(array) for array in weights().values()]
    compiled = jax.jit(lambda batch: _jax_scores(jax, parameters, batch))
    return lambda batch: compiled(batch).block_until_ready()


def _onnx_predictor(contestant):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx_bytes(), options, providers=["CPUExecutionProvider"])
    return lambda batch: session.run(None, {"images": batch})[0]


def onnx_bytes():
    """Return the network as an ONNX model."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Gemm", ["images", "0.weight", "0.bias"], ["before"], transB=1),
        helper.make_node("Relu", ["before"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "2.weight", "2.bias"], ["scores"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", INPUTS])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", CLASSES])],
        [numpy_helper.from_array(array, name) for name, array in weights().items()],
    )
    # Versions that every ONNX Runtime of the last years reads.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


_PREDICTORS = {
    "numtensor": _module,
    "torch": _module,
    "numpy": _numpy_predictor,
    "jax": _jax_predictor,
    "onnx": _onnx_predictor,
}


# ---------------------------------------------------------------------------------------------------------------------
# Training: a function without arguments that does one step of Adam and returns the loss before it


def trainer(contestant, batch):
    """Return a contestant's training step on one batch."""
    return _TRAINERS[contestant.name](contestant, batch)


def _module_trainer(contestant, batch, **options):
    library = contestant.library()
    model = _module(contestant)
    optimizer = library.optim.Adam(model.parameters(), lr=1e-3, **options)
    data, targets = contestant.tensor(images(batch)), contestant.tensor(labels(batch))
    cross_entropy = library.nn.functional.cross_entropy

    def step():
        optimizer.zero_grad()
        loss = cross_entropy(model(data), targets)
        loss.backward()
        optimizer.step()
        return loss

    return step


def _jax_trainer(contestant, batch, rate=1e-3, first_decay=0.9, second_decay=0.999, epsilon=1e-8):
    jax = contestant.library()
    jnp = jax.numpy
    data, targets = contestant.tensor(images(batch)), contestant.tensor(labels(batch))

    def loss_of(parameters):
        scores = jax.nn.log_softmax(_jax_scores(jax, parameters, data))
        return -jnp.take_along_axis(scores, targets[:, None], 1).mean()

    def update(state):
        parameters, first, second, count = state
        loss, gradients = jax.value_and_grad(loss_of)(parameters)
        count = count + 1
        first = [first_decay * m + (1 - first_decay) * g for m, g in zip(first, gradients, strict=True)]
        second = [second_decay * v + (1 - second_decay) * g * g for v, g in zip(second, gradients, strict=True)]
        size = rate / (1 - first_decay**count)
        scale = jnp.sqrt(1 - second_decay**count)
        parameters = [
            p - size * m / (jnp.sqrt(v) / scale + epsilon)
            for p, m, v in zip(parameters, first, second, strict=True)
        ]
        return (parameters, first, second, count), loss

    compiled = jax.jit(update, donate_argnums=0)
    parameters = [contestant.tensor(array) for array in weights().values()]
    state = (parameters, [p * 0 for p in parameters], [p * 0 for p in parameters], jnp.zeros(()))

    def step():
        nonlocal state
        state, loss = compiled(state)
        return loss.block_until_ready()

    return step


_TRAINERS = {
    "numtensor": _module_trainer,
    "torch": _module_trainer,
    "torch_fused": functools.partial(_module_trainer, fused=True),
    "jax": _jax_trainer,
}
