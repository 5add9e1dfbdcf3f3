"""The functions of neural networks: every declared op of this namespace, and the activations of the top one."""

from .. import ops

globals().update(ops.public_functions("nn.functional"))
