"""Random factories, samplers and in-place fills, on the streams of ``numtensor/random/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import random
from ..dtypes import as_dtype
from ..tensor import Tensor, wrap
from .factory_arguments import extents, numpy_dtype
from .factory_kind import factory
from .operands import unwrap
from .overwrite_kind import overwrite

if TYPE_CHECKING:
    from .._types import Shape


def _stream(generator):
    return random.default_generator if generator is None else generator


@factory()
def rand(*size, generator=None, dtype=None, requires_grad=False, device=None):
    """Draw numbers uniformly from [0, 1).

    Args:
        size: the extents, as several ints or one sequence.
        generator: the `Generator` to draw from; None for the default one.
        dtype: float32, float64, or None for the default dtype.
        requires_grad: whether gradients are computed for the result.
        device: None or ``"cpu"``.

    Returns:
        A tensor of that shape, with PyTorch's numbers for PyTorch's seed.

    Raises:
        RuntimeError: an extent is negative.
        NotImplementedError: the dtype is not floating.

    Reference: ``torch.rand``.

    Example:
        >>> import numtensor as nt
        >>> _ = nt.manual_seed(0)
        >>> nt.rand(2)
        tensor([0.4963, 0.7682])
    """


@rand.forward
def _(size, generator, dtype):
    return _stream(generator).rand(extents("rand", size), numpy_dtype("rand", dtype))


@factory()
def randn(*size, generator=None, dtype=None, requires_grad=False, device=None):
    """Draw numbers from the normal distribution of mean 0 and standard deviation 1.

    Args:
        size: the extents, as several ints or one sequence.
        generator: the `Generator` to draw from; None for the default one.
        dtype: float32, float64, or None for the default dtype.
        requires_grad: whether gradients are computed for the result.
        device: None or ``"cpu"``.

    Returns:
        A tensor of that shape, with PyTorch's numbers for PyTorch's seed.

    Raises:
        RuntimeError: an extent is negative.
        NotImplementedError: the dtype is not floating.

    Reference: ``torch.randn``.

    Example:
        >>> import numtensor as nt
        >>> _ = nt.manual_seed(0)
        >>> nt.randn(2)
        tensor([ 1.5410, -0.2934])
    """


@randn.forward
def _(size, generator, dtype):
    return _stream(generator).randn(extents("randn", size), numpy_dtype("randn", dtype))


@factory()
def randint(
    low=0,
    # With one bound the size comes second.
    high: Shape | None = None,
    size: Shape | None = None,
    *,
    generator=None,
    dtype=None,
    requires_grad=False,
    device=None,
):
    """Draw integers uniformly from low to high - 1.

    Args:
        low: the smallest; with two arguments ``randint(high, size)`` it is 0.
        high: one more than the largest.
        size: a sequence of extents.
        generator: the `Generator` to draw from; None for the default one.
        dtype: of the result; None for int64.
        requires_grad: whether gradients are computed for the result.
        device: None or ``"cpu"``.

    Returns:
        A tensor of that shape, with PyTorch's numbers for PyTorch's seed.

    Raises:
        RuntimeError: low is not less than high, or a bound does not fit the dtype.

    Reference: ``torch.randint``.

    Example:
        >>> import numtensor as nt
        >>> _ = nt.manual_seed(0)
        >>> nt.randint(10, (5,))
        tensor([4, 9, 3, 0, 3])
    """


@randint.forward
def _(low, high, size, generator, dtype):
    # randint(high, size) leaves the middle one out, by position or by name.
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    return _integers("randint", low, high, extents("randint", size), generator, np.int64 if dtype is None else dtype)


def _integers(op, low, high, shape, generator, dtype):
    for name, value in (("low", low), ("high", high)):
        if not hasattr(value, "__index__") and not isinstance(value, float):
            raise TypeError(f"{op}: argument '{name}' must be int, not {type(value).__name__}")
    return _named(op, _stream(generator).randint, int(low), int(high), shape, numpy_dtype(op, dtype))


def _named(op, draw, *arguments):
    """Draw, with errors that name the op instead of the stream's method."""
    try:
        return draw(*arguments)
    except (NotImplementedError, RuntimeError) as error:
        raise type(error)(f"{op}: {error}") from None


@factory()
def randperm(n, *, generator=None, dtype=None, requires_grad=False, device=None):
    """Draw a random permutation of 0 to n - 1.

    Args:
        n: the number of elements.
        generator: the `Generator` to draw from; None for the default one.
        dtype: of the result; None for int64.
        requires_grad: whether gradients are computed for the result.
        device: None or ``"cpu"``.

    Returns:
        A tensor of shape (n,), PyTorch's permutation for PyTorch's seed.

    Raises:
        RuntimeError: n is negative, or too large for the dtype.

    Reference: ``torch.randperm``.

    Example:
        >>> import numtensor as nt
        >>> _ = nt.manual_seed(0)
        >>> nt.randperm(5)
        tensor([4, 0, 1, 3, 2])
    """


@randperm.forward
def _(n, generator, dtype):
    return _stream(generator).randperm(n, numpy_dtype("randperm", np.int64 if dtype is None else dtype))


# ----------------------------------------------------------------------------------------------------------------------
# In the shape of another tensor


def _shape_and_dtype(op, input, dtype):
    array = unwrap(op, "input", input)
    return array.shape, array.dtype if dtype is None else as_dtype(dtype, op).numpy


@factory(tensors=("input",), differentiable=())
def rand_like(input, *, generator=None, dtype=None, requires_grad=False, device=None):
    """Draw numbers uniformly from [0, 1) in the shape of a tensor.

    Args:
        input: the tensor whose shape the result has.
        generator: the `Generator` to draw from; None for the default one.
        dtype: of the result; None for that of `input`.
        requires_grad: whether gradients are computed for the result.
        device: None or ``"cpu"``.

    Returns:
        A tensor of the same shape.

    Raises:
        NotImplementedError: the dtype is not floating.

    Reference: ``torch.rand_like``.

    Example:
        >>> import numtensor as nt
        >>> _ = nt.manual_seed(0)
        >>> nt.rand_like(nt.zeros(2))
        tensor([0.4963, 0.7682])
    """


@rand_like.forward
def _(input, generator, dtype):
    return _named("rand_like", _stream(generator).rand, *_shape_and_dtype("rand_like", input, dtype))


@factory(tensors=("input",), differentiable=())
def randn_like(input, *, generator=None, dtype=None, requires_grad=False, device=None):
    """Draw numbers from the standard normal distribution in the shape of a tensor.

    Args:
        input: the tensor whose shape the result has.
        generator: the `Generator` to draw from; None for the default one.
        dtype: of the result; None for that of `input`.
        requires_grad: whether gradients are computed for the result.
        device: None or ``"cpu"``.

    Returns:
        A tensor of the same shape.

    Raises:
        NotImplementedError: the dtype is not floating.

    Reference: ``torch.randn_like``.

    Example:
        >>> import numtensor as nt
        >>> _ = nt.manual_seed(0)
        >>> nt.randn_like(nt.zeros(2))
        tensor([ 1.5410, -0.2934])
    """


@randn_like.forward
def _(input, generator, dtype):
    return _named("randn_like", _stream(generator).randn, *_shape_and_dtype("randn_like", input, dtype))


@factory(tensors=("input",), differentiable=())
def randint_like(input, low, high=None, *, generator=None, dtype=None, requires_grad=False, device=None):
    """Draw integers uniformly from low to high - 1 in the shape of a tensor.

    Args:
        input: the tensor whose shape the result has.
        low: the smallest; as a single bound it is `high`, and the smallest is 0.
        high: one more than the largest.
        generator: the `Generator` to draw from; None for the default one.
        dtype: of the result; None for that of `input`.
        requires_grad: whether gradients are computed for the result.
        device: None or ``"cpu"``.

    Returns:
        A tensor of the same shape.

    Raises:
        RuntimeError: low is not less than high, or a bound does not fit the dtype.

    Reference: ``torch.randint_like``.

    Example:
        >>> import numtensor as nt
        >>> _ = nt.manual_seed(0)
        >>> nt.randint_like(nt.zeros(3), 10)
        tensor([4., 9., 3.])
    """


@randint_like.forward
def _(input, low, high, generator, dtype):
    if high is None:
        low, high = 0, low
    shape, kind = _shape_and_dtype("randint_like", input, dtype)
    return _integers("randint_like", low, high, shape, generator, kind)


# ----------------------------------------------------------------------------------------------------------------------
# With parameters


@factory(tensors=("input",), differentiable=(), method=True)
def bernoulli(input, p=None, *, generator=None):
    """Draw 0 or 1 for each element, 1 with the probability that the element is.

    Args:
        input: a floating tensor of probabilities; with `p`, a tensor of which only shape and dtype count.
        p: one probability for all elements.
        generator: the `Generator` to draw from; None for the default one.

    Returns:
        A tensor of the same shape and dtype, without a gradient.

    Raises:
        RuntimeError: a probability is outside [0, 1].

    Reference: ``torch.bernoulli``.

    Example:
        >>> import numtensor as nt
        >>> nt.bernoulli(nt.tensor([0.0, 1.0]))
        tensor([0., 1.])
    """


@bernoulli.forward
def _(input, p, generator):
    array = unwrap("bernoulli", "input", input)
    if p is not None:
        return _stream(generator).bernoulli_scalar(array.shape, p, array.dtype)
    return _stream(generator).bernoulli(array)


@factory(tensors=("input",), differentiable=(), method=True)
def multinomial(input, num_samples, replacement=False, *, generator=None):
    """Draw indices with probabilities proportional to the weights of a row.

    Args:
        input: a floating tensor of weights, of shape (n,) or (rows, n); they need not add up to 1.
        num_samples: how many to draw from each row.
        replacement: whether an index may be drawn more than once.
        generator: the `Generator` to draw from; None for the default one.

    Returns:
        An int64 tensor of shape (num_samples,) or (rows, num_samples).

    Raises:
        RuntimeError: a weight is negative, infinite or NaN, a row is all zeros, or there are too few weights.

    Reference: ``torch.multinomial``.

    Example:
        >>> import numtensor as nt
        >>> nt.multinomial(nt.tensor([0.0, 3.0, 0.0]), 2, replacement=True)
        tensor([1, 1])
    """


@multinomial.forward
def _(input, num_samples, replacement, generator):
    return _stream(generator).multinomial(unwrap("multinomial", "input", input), num_samples, replacement)


@factory()
def normal(
    mean: float | Tensor,
    std: float | Tensor = 1.0,
    size=None,
    *,
    generator=None,
    dtype=None,
    requires_grad=False,
    device=None,
):
    """Draw numbers from normal distributions.

    Args:
        mean: the mean: a number, or a floating tensor with one for each element.
        std: the standard deviation, 0 or more: a number, or a tensor that broadcasts with `mean`.
        size: a sequence of extents; needed if mean and std are numbers.
        generator: the `Generator` to draw from; None for the default one.
        dtype: of the result, with `size`; None for the default dtype, or that of the tensors.
        requires_grad: whether gradients are computed for the result.
        device: None or ``"cpu"``.

    Returns:
        A tensor of the shape `size`, or of the broadcast shape of `mean` and `std`.

    Raises:
        RuntimeError: a standard deviation is negative, or the shapes do not broadcast.

    Reference: ``torch.normal``.

    Example:
        >>> import numtensor as nt
        >>> nt.normal(5.0, 0.0, (2,))
        tensor([5., 5.])
    """


@normal.forward
def _(mean, std, size, generator, dtype):
    given = [v._array for v in (mean, std) if isinstance(v, Tensor)]
    if not given:
        if size is None:
            raise TypeError("normal: size is needed, as mean and std are numbers")
        return _stream(generator).normal(extents("normal", size), mean, std, numpy_dtype("normal", dtype))
    if size is not None:
        raise TypeError("normal: size is only for a mean and a std that are numbers; the tensors have a shape")
    try:
        shape = np.broadcast_shapes(*(a.shape for a in given))
    except ValueError:
        shapes = " and ".join(str(a.shape) for a in given)
        raise RuntimeError(f"normal: the shapes of mean and std, {shapes}, do not broadcast") from None
    mean, std = (v._array if isinstance(v, Tensor) else v for v in (mean, std))
    # Written so that NaN is refused, too.
    if not np.all(np.asarray(std) >= 0):
        raise RuntimeError("normal: expects all elements of std >= 0.0")
    # Drawn as a standard normal, then stretched: PyTorch's order of roundings.
    drawn = _stream(generator).normal(shape, 0.0, 1.0, given[0].dtype)
    return np.asarray(_stretch(drawn, std, mean))


@np.errstate(all="ignore")
def _stretch(drawn, std, mean):
    drawn *= std
    drawn += mean
    return drawn


# ----------------------------------------------------------------------------------------------------------------------
# In place


@overwrite()
def uniform_(input, from_=0.0, to=1.0, *, generator=None):
    """Fill this tensor with numbers drawn uniformly from [from_, to).

    Args:
        input: the floating tensor to change.
        from_: the smallest.
        to: the bound, excluded.
        generator: the `Generator` to draw from; None for the default one.

    Returns:
        The tensor itself.

    Raises:
        RuntimeError: the bounds are in the wrong order, or the tensor may not be changed in place.

    Reference: ``torch.Tensor.uniform_``, where the parameter has the name ``from``.

    Example:
        >>> import numtensor as nt
        >>> _ = nt.manual_seed(0)
        >>> nt.zeros(2).uniform_(-1, 1)
        tensor([-0.0075,  0.5364])
    """


@uniform_.forward
def _(array, from_, to, generator):
    array[...] = _stream(generator).uniform(array.shape, from_, to, array.dtype)


@overwrite()
def normal_(input, mean=0.0, std=1.0, *, generator=None):
    """Fill this tensor with numbers drawn from a normal distribution.

    Args:
        input: the floating tensor to change.
        mean: the mean.
        std: the standard deviation, 0 or more.
        generator: the `Generator` to draw from; None for the default one.

    Returns:
        The tensor itself.

    Raises:
        RuntimeError: std is negative, or the tensor may not be changed in place.

    Reference: ``torch.Tensor.normal_``.

    Example:
        >>> import numtensor as nt
        >>> _ = nt.manual_seed(0)
        >>> nt.zeros(2).normal_()
        tensor([ 1.5410, -0.2934])
    """


@normal_.forward
def _(array, mean, std, generator):
    array[...] = _stream(generator).normal(array.shape, mean, std, array.dtype)


@overwrite()
def bernoulli_(input, p=0.5, *, generator=None):
    """Fill this tensor with zeros and ones, ones with the probability `p`.

    Args:
        input: the tensor to change.
        p: a probability, or a floating tensor of them that broadcasts to this tensor.
        generator: the `Generator` to draw from; None for the default one.

    Returns:
        The tensor itself.

    Raises:
        RuntimeError: a probability is outside [0, 1], or the tensor may not be changed in place.

    Reference: ``torch.Tensor.bernoulli_``.

    Example:
        >>> import numtensor as nt
        >>> nt.zeros(2).bernoulli_(1.0)
        tensor([1., 1.])
    """


@bernoulli_.forward
def _(array, p, generator):
    if isinstance(p, (Tensor, np.ndarray)):
        array[...] = _stream(generator).bernoulli(np.broadcast_to(unwrap("bernoulli_", "p", p), array.shape))
    else:
        array[...] = _stream(generator).bernoulli_scalar(array.shape, p, array.dtype)


@overwrite()
def exponential_(input, lambd=1.0, *, generator=None):
    """Fill this tensor with numbers drawn from the exponential distribution.

    Args:
        input: the floating tensor to change.
        lambd: the rate, the inverse of the mean; positive.
        generator: the `Generator` to draw from; None for the default one.

    Returns:
        The tensor itself.

    Raises:
        RuntimeError: the rate is not positive, or the tensor may not be changed in place.

    Reference: ``torch.Tensor.exponential_``.

    Example:
        >>> import numtensor as nt
        >>> bool((nt.zeros(5).exponential_() >= 0).all())
        True
    """


@exponential_.forward
def _(array, lambd, generator):
    array[...] = _stream(generator).exponential(array.shape, lambd, array.dtype)


@overwrite()
def random_(input, from_: int = 0, to: int | None = None, *, generator=None):
    """Fill this tensor with integers drawn uniformly from from_ to to - 1.

    Args:
        input: the tensor to change.
        from_: the smallest; as a single bound it is `to`, and the smallest is 0.
        to: one more than the largest; without bounds it is the largest number of the dtype (for floating ones, up to
            which it counts without gaps), included.
        generator: the `Generator` to draw from; None for the default one.

    Returns:
        The tensor itself.

    Raises:
        RuntimeError: from_ is not less than to, a bound does not fit, or the tensor may not be changed in place.

    Reference: ``torch.Tensor.random_``, where the first parameter has the name ``from``.

    Example:
        >>> import numtensor as nt
        >>> _ = nt.manual_seed(0)
        >>> nt.zeros(3).random_(10)
        tensor([4., 9., 3.])
    """


@random_.forward
def _(array, from_, to, generator):
    kind = array.dtype
    if to is None and from_:
        from_, to = 0, from_
    if to is None:
        # Without bounds PyTorch takes the whole range of the dtype.
        if kind.kind == "f":
            to = 2 ** (np.finfo(kind).nmant + 1) + 1
        elif kind.kind == "b":
            to = 2
        else:
            to = int(np.iinfo(kind).max) + 1
    if kind == np.int32 and to == 2**31:
        # One word each, where a bounded range as wide takes two.
        array[...] = (_stream(generator).random_words(array.size) & np.uint32(2**31 - 1)).reshape(array.shape)
    elif to > 2**63 - 1:
        # One more than the largest int64 cannot be said as a bound: each draw is one of `random_seed`.
        stream = _stream(generator)
        drawn = [stream.random_seed() for _ in range(array.size)]
        array[...] = np.array(drawn, kind).reshape(array.shape)
    else:
        array[...] = _integers("random_", from_, to, array.shape, generator, kind)


# ----------------------------------------------------------------------------------------------------------------------
# The state of the default generator, as a tensor


def get_rng_state() -> Tensor:
    """Return the state of the default generator, in PyTorch's layout.

    Returns:
        A uint8 tensor of 5056 elements.

    Reference: ``torch.get_rng_state``.

    Example:
        >>> import numtensor as nt
        >>> nt.get_rng_state().shape
        numtensor.Size([5056])
    """
    return wrap(random.get_rng_state())


def set_rng_state(new_state: Tensor) -> None:
    """Continue the default stream from a state that `get_rng_state` returned.

    Args:
        new_state: a uint8 tensor or array of 5056 elements.

    Raises:
        TypeError: it is no uint8 tensor.
        RuntimeError: its length or content is not that of a state.

    Reference: ``torch.set_rng_state``.

    Example:
        >>> import numtensor as nt
        >>> state = nt.get_rng_state()
        >>> first = nt.rand(1)
        >>> nt.set_rng_state(state)
        >>> nt.equal(nt.rand(1), first)
        True
    """
    random.set_rng_state(new_state._array if isinstance(new_state, Tensor) else new_state)
