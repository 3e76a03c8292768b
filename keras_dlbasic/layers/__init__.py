"""Layers for normalization, dropout and gradient clipping.

- `BatchNormalization`: like Keras' own, with checks
- `Dropout`: like Keras' own, with `monte_carlo`
- `GradientClipping`: identity in the forward pass, clips the gradient
- `LayerNormalization`: like Keras' own, with checks
- `MonteCarloPrediction`: mean and spread, the result of `mc_predict`
- `mc_predict`: predict many times with dropout on and return mean and spread
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.layers.batch_normalization import BatchNormalization
from keras_dlbasic.layers.dropout import Dropout
from keras_dlbasic.layers.gradient_clipping import GradientClipping
from keras_dlbasic.layers.layer_normalization import LayerNormalization
from keras_dlbasic.layers.mc_predict import MonteCarloPrediction, mc_predict

__all__ = [
    "BatchNormalization",
    "Dropout",
    "GradientClipping",
    "LayerNormalization",
    "MonteCarloPrediction",
    "mc_predict",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
