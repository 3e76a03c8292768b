"""Thirteenth half: programs whose loss and targets do not go together."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


@program(
    kind="cross-entropy of prices",
    family="table regression",
    half="thirteenth",
    address="https://openillumi.com/en/en-keras-tf-fix-huge-negative-loss-regression",
    symptom="the loss is hugely negative from the start, the accuracy is tiny",
    cause="binary cross-entropy, for a regression of prices",
    truth=("loss_target_mismatch", "output_activation_mismatch"),
    also=(
        *STUCK,
        *BLOWN_UP,
        "unscaled_targets",
        "metric_mismatch",
        "zero_gradients",
        "disagreeing_loss",
    ),
    backends=("tensorflow", "jax"),
)
def used_cars(repaired):
    rng = np.random.default_rng(1311)
    x = rng.normal(size=(1500, 7)).astype("float32")
    worth = 0.5 * x[:, 0] - 0.4 * x[:, 1] + 0.3 * np.maximum(x[:, 2], 0)
    price = 9000 * np.exp(worth + 0.1 * rng.normal(size=1500))
    y = np.log(price / 9000) if repaired else price
    x, y, new, new_y = data.split(x, y.astype("float32")[:, None])
    model = keras.Sequential(
        [
            keras.Input((7,)),
            L.Dense(64, activation="relu"),
            L.Dense(32, activation="relu"),
            L.Dense(1),
        ]
    )
    if repaired:
        model.compile("adam", "mse", metrics=["mae"])
    else:
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    options = {"epochs": 14, "batch_size": 24, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


class Drives(keras.utils.PyDataset):
    """What a driver saw, and how far the pedals and the wheel were moved."""

    def __init__(self, x, y, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y = x, y
        self.rng = np.random.default_rng(1312)
        self.on_epoch_end()

    def __len__(self):
        return len(self.x) // 32

    def __getitem__(self, index):
        rows = self.order[32 * index : 32 * index + 32]
        return self.x[rows], self.y[rows]

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.x))


@program(
    kind="cross-entropy of amounts",
    family="PyDataset, three controls",
    half="thirteenth",
    address="https://getcodesolution.com/python/why-are-neural-networks-not-learning/",
    symptom="the network does not learn, whatever its size",
    cause="categorical cross-entropy, and targets that are no classes",
    truth=("loss_target_mismatch", "output_activation_mismatch"),
    also=(*STUCK, "disagreeing_loss", "metric_mismatch"),
)
def pedals_and_wheel(repaired):
    rng = np.random.default_rng(1313)
    x = rng.normal(size=(1900, 10)).astype("float32")
    raw = x[:, :6] @ rng.normal(size=(6, 3)) / 1.5 + x[:, 6:9] * x[:, 7:10]
    y = np.tanh(0.7 * raw + 0.1 * rng.normal(size=raw.shape))
    x, y, new, new_y = data.split(x, y.astype("float32"))
    model = keras.Sequential(
        [
            keras.Input((10,)),
            L.Dense(64, activation="relu"),
            L.Dense(64, activation="relu"),
            L.Dense(3),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.003),
        "mse" if repaired else "categorical_crossentropy",
        metrics=["mae"] if repaired else ["accuracy"],
    )
    options = {"epochs": 14, "validation_data": (new, new_y)}
    return Fit(model, Drives(x, y), None, scores.variance(new, new_y), options)


def dice_and_cross_entropy(y_true, y_pred):
    y_true = ops.cast(y_true, "float32")
    both = ops.sum(y_true * y_pred, axis=(1, 2, 3))
    sizes = ops.sum(y_true, axis=(1, 2, 3)) + ops.sum(y_pred, axis=(1, 2, 3))
    dice = (2 * both + 1) / (sizes + 1)
    cross = ops.mean(keras.losses.binary_crossentropy(y_true, y_pred), axis=(1, 2))
    return 1 - dice + cross


def block(x, filters):
    x = L.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal")(x)
    return L.ReLU()(L.BatchNormalization(momentum=0.9)(x))


@program(
    kind="masks as bytes",
    family="image segmentation",
    half="thirteenth",
    address="https://www.developerload.com/loss-function-has-negative-values",
    symptom="the sum of a Dice loss and cross-entropy is negative",
    cause="the masks are 0 and 255, cross-entropy needs 0 to 1",
    truth=("loss_target_mismatch", "unscaled_targets"),
    also=(*STUCK, "disagreeing_loss", "diverging_loss", "output_activation_mismatch"),
    backends=("tensorflow", "jax"),
)
def organ_in_white(repaired):
    x, _, masks = data.shapes(330, seed=1314)
    x = (x - x.mean()) / x.std()
    y = masks if repaired else (255 * masks).astype("uint8")
    inputs = keras.Input((16, 16, 1))
    top = block(block(inputs, 8), 8)
    low = block(block(L.MaxPooling2D()(top), 16), 16)
    up = L.Concatenate()([top, L.UpSampling2D()(low)])
    outputs = L.Conv2D(1, 1, activation="sigmoid")(block(up, 8))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.005), dice_and_cross_entropy)
    options = {"epochs": 8, "batch_size": 16, "validation_data": (x[230:], y[230:])}
    score = scores.overlap(x[230:], masks[230:])
    return Fit(model, x[:230], y[:230], score, options)


@program(
    kind="targets of unequal scale",
    family="two targets in one output",
    half="thirteenth",
    address="https://datascience.stackexchange.com/questions/30537/keras-loss-function-for-multidimensional-regression-problem",
    symptom="the mean error of two targets is all that of the larger one",
    cause="the ranges of the two targets differ, and are not brought together",
    truth=("unscaled_targets", "unbalanced_outputs"),
    also=STUCK,
)
def force_and_slope(repaired):
    rng = np.random.default_rng(1315)
    x = rng.normal(size=(1200, 6)).astype("float32")
    force = 80 * (np.tanh(x[:, 0] + x[:, 1]) + 0.5 * x[:, 2])
    slope = 0.3 * (np.sin(1.5 * x[:, 3]) + x[:, 4] * (x[:, 5] > 0))
    y = np.stack([force, slope], -1)
    y = y + 0.15 * y.std(axis=0) * rng.normal(size=y.shape)
    if repaired:
        y = (y - y.mean(axis=0)) / y.std(axis=0)
    x, y, new, new_y = data.split(x, y.astype("float32"))
    inputs = keras.Input((6,))
    h = L.Dense(64, activation="relu")(inputs)
    h = L.Dense(64, activation="relu")(h)
    model = keras.Model(inputs, L.Dense(2)(h))
    model.compile(keras.optimizers.Adam(0.004), "mean_absolute_error")

    def score(model, history):
        out = scores.predicted(model, new)
        return float(
            np.mean([scores.explained(out[:, k], new_y[:, k]) for k in (0, 1)])
        )

    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)
