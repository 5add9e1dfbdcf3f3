"""Runs NumPy functions without its floating-point warnings: PyTorch is silent about overflow, NaN and division by 0.

``numpy.errstate`` around a call costs three times a small matrix product. A context that was made silent once costs a
tenth of it; the error state belongs to the context since NumPy 2.
"""

import contextvars
import threading

import numpy as np


class _Silent(threading.local):
    # A context can be entered by one thread at a time, so each has its own.
    def __init__(self):
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        self.run = context.run


class _SilentByErrstate:
    @staticmethod
    def run(function, *args, **kwargs):
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)


silent = _Silent() if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else _SilentByErrstate()
"""``silent.run(function, *args)`` calls a NumPy function that calls nothing of ours, and returns what it returns."""
