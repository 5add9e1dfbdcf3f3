"""Numba's compiler with no more in it than kernels need. Imported by ``compiler`` when something must be compiled.

A loop and the functions that it calls are compiled to LLVM only. Numba would optimise each of these functions in full,
make machine code of it and load that, so that Python could call it; but only the loop does, and it is optimised as a
whole after they are linked in. Passes for what kernels do not contain are left out. Together a quarter of the time of
a compilation.
"""

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering, NopythonRewrites
from numba.core.untyped_passes import InlineClosureLikes, MakeFunctionToJitFunction, WithLifting

# Array expressions become loops that allocate their results here: kernels have no array expressions.
_NEEDLESS = {NopythonRewrites}
# Of no use to a function without functions, comprehensions or ``with`` in it.
_FOR_CLOSURES = {WithLifting, InlineClosureLikes, MakeFunctionToJitFunction}


class LoopLibrary(JITCodeLibrary):
    """The code of a loop."""

    def _optimize_functions(self, module):
        # As Numba does, but for one pass manager, and without those functions that are only declared: most are.
        module.data_layout = self._codegen._data_layout
        manager, builder = self._codegen._function_pass_manager()
        for function in module.functions:
            if not function.is_declaration:
                manager.run(function, builder)


class InnerLibrary(LoopLibrary):
    """The code of a function that a loop calls: linked into the loop's, never loaded by itself."""

    def _optimize_final_module(self):
        # Inlines and tidies up, as it is linked into several places. The passes that cost are run on the loop.
        manager, builder = self._codegen._module_pass_manager(
            loop_vectorize=False, slp_vectorize=False, opt=0, cost="cheap"
        )
        manager.run(self._final_module, builder)

    def _finalize_final_module(self):
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class LoopLowering(NativeLowering):
    """Lowers to LLVM."""

    _name = "numtensor_loop_lowering"
    library = LoopLibrary

    def run_pass(self, state):
        """Run the pass."""
        state.library = self.library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        return super().run_pass(state)


@register_pass(mutates_CFG=True, analysis_only=False)
class InnerLowering(LoopLowering):
    """Lowers to LLVM, and lets other functions call the result although it was not loaded."""

    _name = "numtensor_inner_lowering"
    library = InnerLibrary

    def run_pass(self, state):
        """Run the pass."""
        super().run_pass(state)
        # Numba files a function under the built-in one that Python would call.
        lowered = state["cr"] = state["cr"]._replace(cfunc=[].clear)
        state.targetctx.insert_user_function(lowered.cfunc, lowered.fndesc, [state.library])
        return True


class LoopCompiler(Compiler):
    """Compiles a loop."""

    lowering = LoopLowering

    def define_pipelines(self):
        """Return Numba's pipelines without what is not needed."""
        pipelines = super().define_pipelines()
        code = self.state.func_id.code
        needless = _NEEDLESS if any(isinstance(c, type(code)) for c in code.co_consts) else _NEEDLESS | _FOR_CLOSURES
        for pipeline in pipelines:
            pipeline.passes[:] = [
                (self.lowering if one is NativeLowering else one, why)
                for one, why in pipeline.passes
                if one not in needless
            ]
            pipeline.finalize()
        return pipelines


class InnerCompiler(LoopCompiler):
    """Compiles a function that a loop calls."""

    lowering = InnerLowering
