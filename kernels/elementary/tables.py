"""Tables of constants that a vectorised loop may read by index: a gather.

A global array in a kernel would do but for one thing: LLVM must know that the loop's stores leave it alone.
"""

from ..digest import blake2b
from ..scalar import Intrinsic


def table(values):
    """Return a function of an int64 index, not checked, that gives that one of the float64 `values`."""
    values = tuple(map(float, values))

    def lookup(index):
        return values[index]

    return Intrinsic(lookup, _reader(values), types={"int64": "float64"})


def _reader(values):
    name = "numtensor_table_" + blake2b(repr(values).encode(), digest_size=8).hexdigest()

    def emit(builder, args, result):
        from llvmlite import ir

        module = builder.module
        constant = module.globals.get(name)
        if constant is None:
            constant = ir.GlobalVariable(module, ir.ArrayType(result, len(values)), name)
            constant.global_constant = True
            constant.linkage = "internal"
            constant.initializer = ir.Constant(constant.type.pointee, [result(value) for value in values])
        value = builder.load(builder.gep(constant, [args[0].type(0), args[0]], inbounds=True))
        # The scope that `memory.load` gives the operands, which `memory.store` excludes.
        domain = module.add_metadata(["numtensor operands"])
        scope = module.add_metadata(["numtensor inputs", domain])
        value.set_metadata("alias.scope", module.add_metadata([scope]))
        return value

    return emit
