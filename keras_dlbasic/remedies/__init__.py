"""Remedies: each takes a model and returns a new one, compiled like it.

- `add_dropout`: add dropout after hidden activations
- `add_penalty`: add an L1 or L2 penalty to kernels
- `augment_images`: add random shifts, rotations and zooms in front of a model
- `change_learning_rate`: change the learning rate
- `change_momentum`: change the momentum of batch normalization
- `change_optimizer`: change the optimizer
- `clip_gradients`: add gradient clipping
- `fix_output`: change output activation, number of outputs or loss
- `initialize`: reinitialize kernels with the true fans of each layer
- `insert_normalization`: add normalization before hidden activations
- `lsuv`: rescale kernels layer by layer to unit variance
- `prune_units`: remove units with weights near zero
- `rebuild`: a module for writing remedies: rebuild a model with changed layers
- `remedy`: a decorator that registers a function as a remedy
- `remove_penalty`: remove weight penalties and lower dropout
- `resize`: change the number of hidden units
- `scale_inputs`: standardize inputs inside the model
- `scale_targets`: train on standardized targets inside the model
- `swap_activations`: change the hidden activations
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
