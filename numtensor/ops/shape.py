"""Ops that change the shape: views, and joins of tensors."""

from .general_kind import composite, view

@view(method="view", varargs="shape", name="view")
def view_(input, shape):
    """View with another shape."""


@view_.forward
def _(input, shape):
    result = input.reshape(shape)
    return result


@view_.vjp
def _(grad, needs, input, shape):
    return grad.reshape(input)


@composite(varargs="shape")
def reshape(input, shape):
    """Reshape."""
    return view_(input, shape)


@composite(varargs="size")
def sum_to_size(input, size):
    """Sum over the dimensions that broadcasting `size` to this shape repeats."""
    return input
