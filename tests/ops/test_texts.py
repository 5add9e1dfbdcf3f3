"""Forwarders: functions that share a compiled text, each with its own names."""

import inspect

import pytest

from numtensor.ops.texts import forwarder


class Mode:
    @staticmethod
    def one(*args, **kwargs):
        return "one", args, kwargs

    @staticmethod
    def other(*args, **kwargs):
        return "other", args, kwargs


def make(function, lines, op="one", name="made"):
    parameters = list(inspect.signature(function).parameters.values())
    return forwarder(name, op, parameters, lines, {"mode": Mode})


def test_texts_that_differ_in_names_share_their_code_but_not_their_names():
    first = make(lambda input, dim=-1: None, ["return mode.OP(input, dim)"])
    second = make(lambda x, y=2: None, ["return mode.OP(x, y)"], op="other")
    assert first.__code__.co_filename == second.__code__.co_filename
    assert first(1) == ("one", (1, -1), {})
    assert second(1, y=5) == ("other", (1, 5), {})
    with pytest.raises(TypeError, match=r"made\(\) missing 1 required positional argument: 'x'"):
        second()


def test_keywords_of_a_call_keep_their_names():
    made = make(lambda input, *, alpha=1: None, ["return mode.OP(input, alpha=alpha)"])
    assert made(3, alpha=4) == ("one", (3,), {"alpha": 4})
    again = make(lambda input, *, beta=1: None, ["return mode.OP(input, beta=beta)"])
    assert again(3) == ("one", (3,), {"beta": 1})


@pytest.mark.parametrize("names", [("indexing",), ("first", "second")])
def test_keywords_beside_a_starred_argument_keep_their_names(names):
    parameters = [inspect.Parameter("tensors", inspect.Parameter.VAR_POSITIONAL)]
    parameters += [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=name) for name in names]
    call = f"return mode.OP(*tensors, {', '.join(f'{name}={name}' for name in names)})"
    made = forwarder("made", "one", parameters, [call], {"mode": Mode})
    assert made(1, 2) == ("one", (1, 2), {name: name for name in names})


def test_the_signature_is_the_declared_one():
    def declared(input, other=2, *sizes, alpha=1, beta):
        """Is never called."""

    made = make(declared, ["return mode.OP(input, other, *sizes, alpha=alpha, beta=beta)"])
    assert str(inspect.signature(made)) == "(input, other=2, *sizes, alpha=1, beta)"
    assert made(1, 2, 3, beta=4) == ("one", (1, 2, 3), {"alpha": 1, "beta": 4})


def test_a_default_is_known_to_the_text():
    made = make(
        lambda input, *, alpha=1: None, ["if alpha is not default_alpha:", "    return alpha", "return mode.OP(input)"]
    )
    assert made(3) == ("one", (3,), {})
    assert made(3, alpha=9) == 9


def test_a_text_with_a_string_is_refused():
    with pytest.raises(ValueError, match="a forwarder with a string"):
        make(lambda input: None, ["return mode.OP('input', input)"])
