"""How the rules run against PyTorch: each in a thread of its own, whose end is the end of any mode that it leaked."""

import threading
import warnings

import pytest

from .library import IS_TORCH

if IS_TORCH:

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(pyfuncitem):
        """Run the test function in a new thread, which starts in the default mode whatever ran before."""
        arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
        errors = []

        def run():
            try:
                with warnings.catch_warnings():
                    # What PyTorch warns of is PyTorch's affair.
                    warnings.simplefilter("ignore")
                    pyfuncitem.obj(**arguments)
            except BaseException as error:  # skip and xfail are no Exceptions
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return True
