"""A module's members of one kind, as a mapping."""

from collections.abc import MutableMapping


class Members(MutableMapping):
    """The members of one kind of a module, by name: a live view of the module's ``__dict__``."""

    __slots__ = ("_names", "_namespace")

    def __init__(self, namespace, names):
        self._namespace = namespace
        self._names = names

    def __getitem__(self, name):
        if name not in self._names:
            raise KeyError(name)
        return self._namespace[name]

    def __setitem__(self, name, value):
        self._names.setdefault(name, True)
        self._namespace[name] = value

    def __delitem__(self, name):
        del self._names[name]
        del self._namespace[name]

    def __iter__(self):
        return iter(self._names)

    def __len__(self):
        return len(self._names)

    def __repr__(self):
        return repr(dict(self))
