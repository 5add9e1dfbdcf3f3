"""Activations: the elementwise functions of neural networks."""

from ..dtypes import INTEGRAL, bool_
from ..kernels.backward import activation as backward
from ..kernels.forward import activation as forward
from .choice import where
from .comparison import gt, le
from .elementwise_kind import elementwise
from .exponential import exp
from .hyperbolic import tanh
from .inplace import run as run_inplace
from .special import erf

SQRT_HALF = 0.7071067811865476
SQRT_2_OVER_PI = 0.7978845608028654
INVERSE_SQRT_2_PI = 0.3989422804014327
CUBIC = 0.044715


def _refuse_bool(input):
    raise RuntimeError("relu: Boolean inputs not supported for relu; convert with .to(...) first")


@elementwise(
    forward.relu,
    backward.relu,
    saves="output",
    overrides=dict.fromkeys(INTEGRAL, forward.relu) | {bool_: _refuse_bool},
    aliases=("nn.functional.relu",),
    keywords="inplace",
    inplace=True,
)
def relu(input, inplace=False):
    """Replace negative elements by 0: maximum(input, 0). The gradient at 0 is 0.

    Args:
        input: a tensor.
        inplace: change `input` itself.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        RuntimeError: the dtype is bool, or `inplace` on a tensor that may not be changed.

    Reference: ``torch.relu``.

    Example:
        >>> import numtensor as nt
        >>> nt.relu(nt.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """


relu.vjp((lambda grad, input, output: where(le(output, 0), 0.0, grad),))


@relu.keyword_rule
def _(input, inplace):
    return run_inplace(relu, input) if inplace else relu(input)


@elementwise(
    forward.leaky_relu,
    backward.leaky_relu,
    saves="input",
    namespace="nn.functional",
    method=False,
    keywords="inplace",
)
def leaky_relu(input, negative_slope=0.01, inplace=False):
    """Scale negative elements: input where it is positive, negative_slope * input elsewhere.

    Args:
        input: a floating tensor.
        negative_slope: a number.
        inplace: change `input` itself.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        NotImplementedError: `input` is not floating.
        RuntimeError: `inplace` on a tensor that may not be changed.

    Reference: ``torch.nn.functional.leaky_relu``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.leaky_relu(nt.tensor([-1.0, 2.0]), 0.1)
        tensor([-0.1000,  2.0000])
    """


leaky_relu.vjp((lambda grad, input, negative_slope: where(gt(input, 0), grad, grad * negative_slope),))


@leaky_relu.keyword_rule
def _(input, negative_slope, inplace):
    return run_inplace(leaky_relu, input, negative_slope) if inplace else leaky_relu(input, negative_slope)


@elementwise(
    forward.sigmoid,
    backward.sigmoid,
    saves="output",
    integers="float",
    aliases=("nn.functional.sigmoid",),
    inplace=True,
    out=True,
)
def sigmoid(input):
    """Compute the logistic function: 1 / (1 + e**-input).

    Args:
        input: a tensor; integral ones are computed in the default dtype.

    Returns:
        A tensor of the same shape.

    Reference: ``torch.sigmoid``.

    Example:
        >>> import numtensor as nt
        >>> nt.sigmoid(nt.tensor([0.0, 2.0]))
        tensor([0.5000, 0.8808])
    """


sigmoid.vjp((lambda grad, input, output: grad * ((1 - output) * output),))


@elementwise(
    forward.silu,
    backward.silu,
    saves="input",
    namespace="nn.functional",
    method=False,
    keywords="inplace",
)
def silu(input, inplace=False):
    """Compute the sigmoid linear unit: input * sigmoid(input).

    Args:
        input: a floating tensor.
        inplace: change `input` itself.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        NotImplementedError: `input` is not floating.
        RuntimeError: `inplace` on a tensor that may not be changed.

    Reference: ``torch.nn.functional.silu``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.silu(nt.tensor([0.0, 2.0]))
        tensor([0.0000, 1.7616])
    """


@silu.keyword_rule
def _(input, inplace):
    return run_inplace(silu, input) if inplace else silu(input)


def _silu_grad(grad, input):
    s = sigmoid(input)
    return grad * s * (input * (1 - s) + 1)


silu.vjp((_silu_grad,))


@elementwise(
    forward.gelu,
    backward.gelu,
    saves="input",
    namespace="nn.functional",
    method=False,
    keywords="approximate",
)
def gelu(input, *, approximate="none"):
    """Compute the Gaussian error linear unit: input * Phi(input), Phi the normal distribution function.

    Args:
        input: a floating tensor.
        approximate: ``"none"``, or ``"tanh"`` for input / 2 * (1 + tanh(sqrt(2 / pi) (input + 0.044715 input**3))).

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        NotImplementedError: `input` is not floating.
        RuntimeError: another value of `approximate`.

    Reference: ``torch.nn.functional.gelu``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.gelu(nt.tensor([0.0, 2.0]))
        tensor([0.0000, 1.9545])
    """


@gelu.keyword_rule
def _(input, approximate):
    if approximate == "tanh":
        return gelu_tanh(input)
    if approximate != "none":
        raise RuntimeError(f"gelu: approximate argument must be either 'none' or 'tanh', got {approximate!r}")
    return gelu(input)


def _gelu_grad(grad, input):
    distribution = (erf(input * SQRT_HALF) + 1) * 0.5
    density = exp(input * input * -0.5) * INVERSE_SQRT_2_PI
    return grad * (distribution + input * density)


gelu.vjp((_gelu_grad,))


@elementwise(forward.gelu_tanh, backward.gelu_tanh, saves="input", namespace="ops", method=False)
def gelu_tanh(input):
    """Compute the tanh approximation of gelu. Users call ``gelu(approximate="tanh")``.

    Args:
        input: a floating tensor.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        NotImplementedError: `input` is not floating.

    Reference: ``torch.nn.functional.gelu``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.gelu(nt.tensor([0.0, 2.0]), approximate="tanh")
        tensor([0.0000, 1.9546])
    """


def _gelu_tanh_grad(grad, input):
    t = tanh((input + input * input * input * CUBIC) * SQRT_2_OVER_PI)
    inner = (input * input * (3 * CUBIC) + 1) * SQRT_2_OVER_PI
    return grad * ((t + 1) * 0.5 + input * ((1 - t * t) * inner) * 0.5)


gelu_tanh.vjp((_gelu_tanh_grad,))


@elementwise(
    forward.softplus,
    backward.softplus,
    saves="input",
    namespace="nn.functional",
    method=False,
)
def softplus(input, beta=1.0, threshold=20.0):
    """Compute a smooth relu: log(1 + e**(beta * input)) / beta.

    Args:
        input: a floating tensor.
        beta: a number; the larger, the closer to relu.
        threshold: a number; where beta * input is above it, the result is `input` itself.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        NotImplementedError: `input` is not floating.

    Reference: ``torch.nn.functional.softplus``.

    Example:
        >>> import numtensor as nt
        >>> nt.nn.functional.softplus(nt.tensor([0.0, 2.0]))
        tensor([0.6931, 2.1269])
    """


softplus.vjp(
    (
        lambda grad, input, beta, threshold: where(
            gt(input * beta, threshold), grad, grad * sigmoid(input * beta)
        ),
    )
)
