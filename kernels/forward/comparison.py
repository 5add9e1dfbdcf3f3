"""Formulas with a bool result, and bitwise ones. None has a gradient."""

from ..declare import elementwise


@elementwise(results="bool")
def eq(x, y):
    """x == y; False beside nan."""
    return x == y


@elementwise(results="bool")
def ne(x, y):
    """x != y; True beside nan."""
    return x != y


@elementwise(results="bool")
def lt(x, y):
    """x < y; False beside nan."""
    return x < y


@elementwise(results="bool")
def le(x, y):
    """x <= y; False beside nan."""
    return x <= y


@elementwise(results="bool")
def gt(x, y):
    """x > y; False beside nan."""
    return x > y


@elementwise(results="bool")
def ge(x, y):
    """x >= y; False beside nan."""
    return x >= y


@elementwise(results="bool")
def logical_and(x, y):
    """Whether both are not 0; nan counts as not 0."""
    return (x != type(x)(0)) & (y != type(y)(0))


@elementwise(results="bool")
def logical_or(x, y):
    """Whether either is not 0."""
    return (x != type(x)(0)) | (y != type(y)(0))


@elementwise(results="bool")
def logical_xor(x, y):
    """Whether exactly one is not 0."""
    return (x != type(x)(0)) != (y != type(y)(0))


@elementwise(results="bool")
def logical_not(x):
    """Whether x is 0."""
    return x == type(x)(0)


@elementwise(results="bool")
def isnan(x):
    """Whether x is nan: the only number that differs from itself."""
    return x != x


@elementwise(results="bool")
def isinf(x):
    """Whether x is inf or -inf: x - x is nan, x is not."""
    return (x == x) & (x - x != x - x)


@elementwise(results="bool")
def isfinite(x):
    """Whether x is neither nan nor infinite."""
    return x - x == x - x


@elementwise
def bitwise_and(x, y):
    """The bits that are set in both."""
    return x & y


@elementwise
def bitwise_or(x, y):
    """The bits that are set in either."""
    return x | y


@elementwise
def bitwise_xor(x, y):
    """The bits that are set in exactly one."""
    return x ^ y


@elementwise
def bitwise_not(x):
    """The bits that are not set."""
    return ~x
