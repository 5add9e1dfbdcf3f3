"""From text to functions: how the callables and the public forms of ops are made from lines of Python."""

import functools
import inspect
import linecache
import re
import types

_text_count = iter(range(10**9))


def compile_function(name, signature, lines, namespace):
    """Compile a function from its signature and the lines of its body; its text shows in tracebacks."""
    parameters = list(signature.parameters.values())
    namespace = dict(namespace)
    for parameter in parameters:
        if parameter.default is not inspect.Parameter.empty:
            namespace[f"default_{parameter.name}"] = parameter.default
    defaults = [f"default_{p.name}" if p.default is not inspect.Parameter.empty else None for p in parameters]
    listed = _list_parameters([p.name for p in parameters], [p.kind for p in parameters], defaults)
    return _compile(name, listed, lines, namespace | {"__name__": __name__}, f"numtensor-op-{name}")


def forwarder(name, op, parameters, lines, namespace):
    """Make a function that passes its arguments on: like `compile_function`, 20 times faster.

    There are several per op and all are made at import. Texts that differ only in names share one compiled code,
    whose names are then replaced.

    Args:
        name: of the function.
        op: name of the op: in `lines`, the attribute ``OP`` of a mode stands for it.
        parameters: of the function, as `inspect.Parameter`.
        lines: of its body.
        namespace: its globals.
    """
    empty = inspect.Parameter.empty
    code = _named_code("\n".join(lines), tuple([(p.name, p.kind, p.default is not empty) for p in parameters]))
    code = code.replace(co_name=name, co_names=tuple([op if n == "OP" else n for n in code.co_names]))
    namespace = dict(namespace)
    defaults, keyword_defaults = [], {}
    for parameter in parameters:
        if parameter.default is not empty:
            namespace[f"default_{parameter.name}"] = parameter.default
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                keyword_defaults[parameter.name] = parameter.default
            else:
                defaults.append(parameter.default)
    function = types.FunctionType(code, namespace, name, tuple(defaults) or None)
    function.__qualname__ = name
    function.__kwdefaults__ = keyword_defaults or None
    return function


_DOTTED_NAME = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")


@functools.cache
def _named_code(body, parameters):
    """Return the code of a forwarder with parameters of these names: that of a template with the names replaced."""
    canonical, back = {}, {}
    for position, (name, _, _) in enumerate(parameters):
        for prefix in ("", "default_"):
            canonical[prefix + name] = f"{prefix}p{position}"
            back[f"{prefix}p{position}"] = prefix + name

    def rename(match):
        first, dot, rest = match.group().partition(".")
        return canonical.get(first, first) + dot + rest

    code = _template_code(
        _DOTTED_NAME.sub(rename, body), tuple([(kind, has_default) for _, kind, has_default in parameters])
    )
    return code.replace(
        co_names=_renamed(code.co_names, back),
        co_varnames=_renamed(code.co_varnames, back),
        # The names of keywords in a call are a constant: a tuple, or a string beside a starred argument.
        co_consts=tuple([_renamed(c, back) if type(c) is tuple else back.get(c, c) for c in code.co_consts]),
    )


def _renamed(names, back):
    return tuple([back.get(name, name) for name in names])


@functools.cache
def _template_code(template, kinds):
    """Return the code of a forwarder whose parameters are named p0, p1, ..."""
    if '"' in template or "'" in template:
        raise ValueError(f"a forwarder with a string, in which names would be replaced, too: {template}")
    defaults = ["None" if has_default else None for _, has_default in kinds]
    listed = _list_parameters([f"p{position}" for position in range(len(kinds))], [kind for kind, _ in kinds], defaults)
    return _compile("forward", listed, template.split("\n"), {}, "numtensor-forwarder").__code__


def _list_parameters(names, kinds, defaults):
    """Write a list of parameters: names, their kinds, and the text of each default or None."""
    written = []
    star = False
    for name, kind, default in zip(names, kinds, defaults, strict=True):
        if kind is inspect.Parameter.KEYWORD_ONLY and not star:
            written.append("*")
            star = True
        if kind is inspect.Parameter.VAR_POSITIONAL:
            name = f"*{name}"
            star = True
        written.append(name if default is None else f"{name}={default}")
    return ", ".join(written)


def _compile(name, parameters, lines, namespace, title):
    source = f"def {name}({parameters}):\n" + "".join(f"    {line}\n" for line in lines)
    filename = f"{title}-{next(_text_count)}.py"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    exec(compile(source, filename, "exec"), namespace)
    return namespace[name]
