"""What modules and optimizers do alike to the gradients of parameters."""

import numpy as np

from ..ops.inplace import bump_version, check_writable
from ..tensor import from_array


def zero_gradients(name, parameters, set_to_none):
    """Drop parameters' gradients, or fill them with zeros in place.

    Raises:
        RuntimeError: one may not be changed (an inference tensor, outside inference mode); none is then.
    """
    parameters = [parameter for parameter in parameters if parameter.grad is not None]
    if set_to_none:
        for parameter in parameters:
            parameter.grad = None
        return
    for parameter in parameters:
        grad = parameter.grad
        if grad.grad_fn is None:
            grad.requires_grad_(False)
            check_writable(name, grad)
    for parameter in parameters:
        grad = parameter.grad
        if grad.grad_fn is not None:
            # A gradient with a history of its own (create_graph) is replaced: others may hold it.
            parameter.grad = from_array(np.zeros_like(grad._array))
        else:
            grad._array[...] = 0
            bump_version(grad, name)
