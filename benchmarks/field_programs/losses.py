"""Programs whose loss does not measure the task."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.outputs import MISMATCH, small_unet
from field_programs.registry import Fit, program

L = keras.layers


@program(
    kind="loss of the wrong sense",
    family="image segmentation",
    half="tune",
    address="https://github.com/IAmSuyogJadhav/3d-mri-brain-tumor-segmentation-using-autoencoder-regularization/issues/7",
    symptom="the more the loss falls, the worse the masks",
    cause="the Dice coefficient itself is minimized",
    truth=("loss_target_mismatch", "disagreeing_loss", "unknown_cause"),
    also=("constant_predictions",),
)
def dice_minimized(repaired):
    x, _, masks = data.shapes(200)
    x, masks, new, new_masks = data.split(x, masks)

    def dice(y_true, y_pred):
        both = ops.sum(y_true * y_pred)
        value = (2 * both + 1) / (ops.sum(y_true) + ops.sum(y_pred) + 1)
        return 1 - value if repaired else value

    model = small_unet("sigmoid")
    model.compile(keras.optimizers.Adam(0.01), dice)
    options = {"epochs": 12, "batch_size": 16, "validation_data": (new, new_masks)}
    return Fit(model, x, masks, scores.overlap(new, new_masks), options)


@program(
    kind="loss with swapped arguments",
    family="sequence labeling",
    half="look",
    address="https://github.com/xiph/rnnoise/issues/117",
    symptom="gains are driven to the extremes",
    cause="predictions and targets of the cross-entropy are exchanged",
    truth=("loss_target_mismatch", "disagreeing_loss", "unknown_cause"),
    also=("saturated_units",),
)
def noise_gains(repaired):
    rng = np.random.default_rng(15)
    x = rng.normal(size=(300, 12, 4)).astype("float32")
    y = 1 / (1 + np.exp(-(x[..., :2] + np.roll(x[..., 2:], 1, axis=1))))
    y = y.astype("float32")
    x, y, new, new_y = data.split(x, y)

    def gain_loss(y_true, y_pred):
        if repaired:
            return ops.mean(ops.binary_crossentropy(y_true, y_pred), axis=-1)
        return ops.mean(ops.binary_crossentropy(y_pred, y_true), axis=-1)

    model = keras.Sequential(
        [keras.Input((12, 4)), L.GRU(24, return_sequences=True), L.Dense(2, "sigmoid")]
    )
    model.compile(keras.optimizers.Adam(0.01), gain_loss)
    options = {"epochs": 20, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="loss that compares all with all",
    family="model with its own compute_loss",
    half="tune",
    address="https://github.com/tensorflow/tensorflow/issues/28901",
    symptom="with the loss of your own the model only learns the mean",
    cause="targets (n,) less predictions (n, 1) make an (n, n) table",
    truth=("loss_target_mismatch", "unknown_cause", "disagreeing_loss"),
    also=("constant_predictions", "underfitting", "plateau"),
)
def broadcast_loss(repaired):
    x, y, new, new_y = data.friedman()
    y, new_y = y[:, 0], new_y[:, 0]

    class Regressor(keras.Model):
        def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
            target = ops.expand_dims(y, -1) if repaired else y
            return ops.mean(ops.square(target - y_pred))

    inputs = keras.Input((8,))
    hidden = L.Dense(32, activation="relu")(inputs)
    model = Regressor(inputs, L.Dense(1)(L.Dense(32, activation="relu")(hidden)))
    model.compile(keras.optimizers.Adam(0.005))
    options = {"epochs": 18}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="loss that divides by the target",
    family="counts",
    half="tune",
    address="https://github.com/keras-team/keras/issues/2908",
    symptom="the percentage error is in the millions and predictions sink to zero",
    cause="mean absolute percentage error where many targets are zero",
    truth=("loss_target_mismatch", "unknown_cause"),
    also=("underfitting", "constant_predictions"),
)
def percentage_of_zero(repaired):
    x, y, new, new_y = data.visits()
    inputs = keras.Input((6,))
    hidden = L.Dense(32, activation="relu")(inputs)
    out = L.Dense(1, activation="softplus")(L.Dense(16, activation="relu")(hidden))
    model = keras.Model(inputs, out)
    loss = "poisson" if repaired else "mean_absolute_percentage_error"
    model.compile(keras.optimizers.Adam(0.005), loss)
    options = {"epochs": 18, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="output is no distribution",
    family="distribution regression",
    half="look",
    address="https://github.com/keras-team/keras/issues/1917",
    symptom="the Kullback-Leibler divergence is negative",
    cause="no softmax before a loss between distributions",
    truth=MISMATCH,
    also=("disagreeing_loss",),
)
def divergence_without_softmax(repaired):
    rng = np.random.default_rng(16)
    x = rng.normal(size=(500, 6)).astype("float32")
    y = np.exp(1.5 * x @ rng.normal(size=(6, 5)))
    y = (y / y.sum(axis=1, keepdims=True)).astype("float32")
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            L.Dense(32, activation="relu"),
            L.Dense(5, activation="softmax" if repaired else "relu"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "kl_divergence")
    options = {"epochs": 18, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)
