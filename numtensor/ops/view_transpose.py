"""The gradients of views, as two linear ops that are each the transpose of the other: `embed` and `extract`.

Here too is what gives a view op these gradients.
"""

import numpy as np

from .general_kind import library
from .layouts import showable
from .view_gradient import embed_array


@library("a strided copy into zeros", method=False, namespace="ops", linear=True)
def embed(input, shape, replay):
    """Put a tensor into zeros, at the place that a view shows: the transpose of taking the view.

    Args:
        input: a tensor of the view's shape.
        shape: of the result.
        replay: a function from an array of `shape` to the view of it.

    Returns:
        A tensor of `shape`; elements that the view shows several times hold the sum.

    Example:
        >>> import numtensor as nt
        >>> nt.ops.embed(nt.tensor([1.0, 2.0]), (4,), lambda array: array[::2])
        tensor([1., 0., 2., 0.])
    """


embed.forward(embed_array)


@embed.backward
def _(grad, needs, input, shape, replay):
    return replay(showable(grad, replay))


@embed.vjp
def _(grad, needs, input, shape, replay):
    return extract(grad, replay)


@library("a strided copy", method=False, namespace="ops", linear=True)
def extract(input, replay):
    """Copy the part of a tensor that a view shows: the transpose of `embed`.

    Args:
        input: a tensor.
        replay: a function from an array of the input's shape to the view of it.

    Returns:
        A tensor of the view's shape with its own memory.

    Example:
        >>> import numtensor as nt
        >>> nt.ops.extract(nt.tensor([1.0, 2.0, 3.0]), lambda array: array[::2])
        tensor([1., 3.])
    """


@extract.forward
def _(input, replay):
    return replay(showable(input, replay)).copy()


@extract.backward
def _(grad, needs, input, replay):
    return embed_array(grad, input, replay)


@extract.vjp
def _(grad, needs, input, replay):
    return embed(grad, input, replay)


def embeds_gradient(op):
    """Give a view op its gradient: the incoming one in zeros, at the view's place."""

    @op.backward
    def _(grad, needs, shape, *arguments):
        return embed_array(grad, shape, lambda array: op._forward(array, *arguments))

    @op.vjp
    def _(grad, needs, shape, *arguments):
        return embed(grad, shape, lambda array: op._forward(array, *arguments))


def _as_several(grads):
    """Return the gradients of several results as a sequence: that of a single one comes alone."""
    return grads if isinstance(grads, (list, tuple)) else (grads,)


def embeds_gradients(op):
    """The same for a view op with several results, whose gradients may be missing."""

    @op.backward
    def _(grads, needs, shape, *arguments):
        grads = _as_several(grads)
        whole = np.zeros(shape, next(g for g in grads if g is not None).dtype)
        for part, grad in zip(op._forward(whole, *arguments), grads, strict=True):
            if grad is not None:
                np.copyto(part, grad)
        return whole

    @op.vjp
    def _(grads, needs, shape, *arguments):
        total = None
        for number, grad in enumerate(_as_several(grads)):
            if grad is not None:
                one = embed(grad, shape, lambda array, number=number: op._forward(array, *arguments)[number])
                total = one if total is None else total + one
        return total
