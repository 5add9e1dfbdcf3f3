"""What holds for every test: one that leaks a mode, a default dtype or a seed fails."""

import os
import random as python_random

import numpy as np
import pytest

import numtensor as nt
from numtensor import random
from numtensor.modes import TRACKED, current, set_mode

# Each of several processes has its share of the processors.
nt.set_num_threads(max(1, nt.get_num_threads() // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))))


@pytest.fixture(autouse=True)
def no_leaked_mode():
    """Fail a test that leaves another gradient mode behind."""
    assert current.mode is TRACKED
    yield
    left = current.mode
    set_mode(TRACKED)
    assert left is TRACKED, f"the test left {left} behind"


@pytest.fixture(autouse=True)
def no_leaked_default_dtype():
    """Fail a test that leaves another default dtype behind."""
    yield
    left = nt.get_default_dtype()
    nt.set_default_dtype(nt.float32)
    assert left is nt.float32, f"the test left the default dtype {left} behind"


@pytest.fixture(autouse=True)
def same_seed_for_every_test():
    """Give each test the same random numbers whichever ran before, and fail one that moves NumPy's or Python's."""
    before = random.get_rng_state()
    legacy, python = np.random.get_state()[1].tobytes(), python_random.getstate()
    random.manual_seed(0)
    yield
    random.set_rng_state(before)
    assert np.random.get_state()[1].tobytes() == legacy, "the test moved NumPy's global generator"
    assert python_random.getstate() == python, "the test moved Python's global generator"
