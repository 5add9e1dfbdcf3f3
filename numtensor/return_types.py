"""What ops with several results return: named tuples, printed as PyTorch prints them."""

import collections


def return_type(name, *fields):
    """Return the named tuple class of an op's results.

    Args:
        name: of the op.
        fields: names of the results.
    """
    made = collections.namedtuple(name, fields, module=__name__)
    made.__doc__ = f"The results of `numtensor.{name}`: {', '.join(fields)}."
    made.__repr__ = _show
    globals()[name] = made
    return made


def _show(self):
    lines = ",\n".join(f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
    return f"numtensor.return_types.{type(self).__name__}(\n{lines})"
