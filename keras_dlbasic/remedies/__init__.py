"""Remedies: each takes a model and gives a new one.

- `initialize`: draw kernels anew, with the fans that each layer really has
- `lsuv`: rescale kernels until each layer gives unit variance on a batch
- `prune_units`: take units whose incoming weights are near zero out of a model
"""

from keras_dlbasic.remedies.initialize import initialize
from keras_dlbasic.remedies.lsuv import lsuv
from keras_dlbasic.remedies.prune_units import prune_units

__all__ = ["initialize", "lsuv", "prune_units"]
