"""Indices that come from users are compared with the extent before they are followed.

A kernel cannot raise, and an index out of range inside compiled code is memory corruption. So every kernel that takes
indices compares each one as it reads it, passes over what lies outside and says so in an output, `outside`, which its
caller looks at. The branch is predicted: next to the load behind it, it costs nothing that can be measured. A pass
before the kernel would, and memory that is shared with NumPy may change between the two.
"""

import numpy as np

from .scalar import scalar


@scalar
def in_bounds(index, extent):
    """Whether 0 <= index < extent, for an int64: without its sign, a negative one is larger than any extent."""
    return np.uintp(index) < np.uintp(extent)
