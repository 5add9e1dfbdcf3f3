"""A benchmark without numtensor in it: tells a slow machine from slow code."""

import numpy as np


class Control:
    """NumPy alone."""

    def setup(self):
        self.x = np.ones(10, np.float32)
        self.large = np.ones(100_000, np.float32)

    def time_numpy_small(self):
        np.multiply(self.x, self.x)

    def time_numpy_large(self):
        np.multiply(self.large, self.large)
