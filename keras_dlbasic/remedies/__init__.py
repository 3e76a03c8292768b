"""Remedies: each takes a model and gives a new one, compiled like it.

- `add_dropout`: dropout behind hidden activations
- `add_penalty`: an L1 or L2 penalty on kernels
- `augment_images`: random shifts, rotations and zooms in front
- `change_learning_rate`: another learning rate
- `change_momentum`: moving statistics that follow sooner
- `change_optimizer`: another optimizer
- `clip_gradients`: bounded gradients
- `fix_output`: an output activation, number of outputs and loss that fit the targets
- `initialize`: new kernels, scaled by the true fans of each layer
- `insert_normalization`: batch or layer normalization before hidden activations
- `lsuv`: weights scaled layer by layer to unit variance
- `prune_units`: remove units with weights near zero
- `rebuild`: a module for those who write remedies: rebuild a model with changed layers
- `remedy`: make a function a remedy
- `remove_penalty`: less regularization
- `resize`: more or fewer units
- `scale_inputs`: inputs of unit size, within the model
- `scale_targets`: targets of unit size, within the model
- `swap_activations`: other hidden activations
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.remedies import rebuild
from keras_dlbasic.remedies._registry import own_remedy, remedy
from keras_dlbasic.remedies.add_dropout import add_dropout
from keras_dlbasic.remedies.add_penalty import add_penalty
from keras_dlbasic.remedies.augment_images import augment_images
from keras_dlbasic.remedies.change_learning_rate import change_learning_rate
from keras_dlbasic.remedies.change_momentum import change_momentum
from keras_dlbasic.remedies.change_optimizer import change_optimizer
from keras_dlbasic.remedies.clip_gradients import clip_gradients
from keras_dlbasic.remedies.fix_output import fix_output
from keras_dlbasic.remedies.initialize import initialize
from keras_dlbasic.remedies.insert_normalization import insert_normalization
from keras_dlbasic.remedies.lsuv import lsuv
from keras_dlbasic.remedies.prune_units import prune_units
from keras_dlbasic.remedies.remove_penalty import remove_penalty
from keras_dlbasic.remedies.resize import resize
from keras_dlbasic.remedies.scale_inputs import scale_inputs
from keras_dlbasic.remedies.scale_targets import scale_targets
from keras_dlbasic.remedies.swap_activations import swap_activations

__all__ = [
    "add_dropout",
    "add_penalty",
    "augment_images",
    "change_learning_rate",
    "change_momentum",
    "change_optimizer",
    "clip_gradients",
    "fix_output",
    "initialize",
    "insert_normalization",
    "lsuv",
    "prune_units",
    "rebuild",
    "remedy",
    "remove_penalty",
    "resize",
    "scale_inputs",
    "scale_targets",
    "swap_activations",
]

if not TYPE_CHECKING:
    # remedies of the user's own, so that the code that is printed for them runs
    __getattr__, __dir__ = front(__name__, otherwise=own_remedy)
