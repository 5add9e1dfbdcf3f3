"""The tensors that the rules speak of: inference tensors, and leaves that require grad."""

from .library import nt


def leaf(values=(1.0, 2.0, 4.0)):
    """Return a normal leaf that requires grad."""
    return nt.tensor(values, requires_grad=True)


def inference(values=(3.0, 5.0, 7.0), **options):
    """Return an inference tensor."""
    with nt.inference_mode():
        return nt.tensor(values, **options)


def inference_leaf(values=(3.0, 5.0, 7.0)):
    """Return an inference tensor that requires grad."""
    return inference(values, requires_grad=True)


def inference_module(make):
    """Return the module that ``make()`` builds in inference mode."""
    with nt.inference_mode():
        return make()
