"""Fifteenth half: programs without a fault, on tables and sets."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers

QUANTILES = np.array([0.1, 0.5, 0.9], "float32")


def pinball(y_true, y_pred):
    """Return the loss whose minimum are the quantiles."""
    share = ops.convert_to_tensor(QUANTILES)
    error = y_true - y_pred
    return ops.mean(ops.maximum(share * error, (share - 1) * error), axis=-1)


def quantile_skill(x, y):
    """Return how much smaller the loss of new rows is than with fixed quantiles."""

    def loss(out):
        error = y - out
        return np.maximum(QUANTILES * error, (QUANTILES - 1) * error).mean()

    def score(model, history):
        fixed = np.quantile(y, QUANTILES)[None]
        return float(1 - loss(scores.predicted(model, x)) / loss(fixed))

    return score


@healthy(family="delays of trains, quantiles", half="fifteenth")
def quantiles_of_delays():
    rng = np.random.default_rng(1551)
    n = 1500
    hour = rng.uniform(5, 24, n)
    stops, snow = rng.integers(3, 25, n), rng.random(n) < 0.2
    rush = np.exp(-(((hour - 8) / 1.5) ** 2)) + np.exp(-(((hour - 17.5) / 2) ** 2))
    center = 0.15 * stops + 3 * rush + 3 * snow
    delay = center + (0.6 + 1.2 * rush + 0.9 * snow) * rng.gumbel(size=n)
    x = np.column_stack(
        [np.sin(hour / 24 * 6.283), np.cos(hour / 24 * 6.283), rush, stops, snow]
    )
    x, y, new, new_y = data.split(x, delay)
    x, new = data.standard(x, new)
    y, new_y = ((a - y.mean()) / y.std() for a in (y, new_y))
    y, new_y = (a[:, None].astype("float32") for a in (y, new_y))
    inputs = keras.Input((5,))
    hidden = L.Dense(32, activation="swish")(inputs)
    hidden = L.Dense(16, activation="swish")(hidden)
    model = keras.Model(inputs, L.Dense(3)(hidden))
    model.compile(keras.optimizers.Adam(0.004), pinball)
    options = {"epochs": 18, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, quantile_skill(new, new_y), options)


@healthy(family="fraud, one row in twenty", half="fifteenth")
def weighted_fraud():
    x, y, new, new_y = data.two_classes(2000, 14, share=0.05, seed=1552, apart=1.6)
    inputs = keras.Input((14,))
    hidden = L.Dense(24)(inputs)
    hidden = L.BatchNormalization(momentum=0.9)(hidden)
    hidden = L.Activation("relu")(hidden)
    hidden = L.Dropout(0.2)(hidden)
    outputs = L.Dense(1, activation="sigmoid")(hidden)
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(0.004),
        "binary_crossentropy",
        metrics=[keras.metrics.AUC(name="auc"), keras.metrics.Recall(name="recall")],
    )
    options = {
        "epochs": 14,
        "batch_size": 64,
        "class_weight": {0: 0.55, 1: 6.0},
        "validation_data": (new, new_y[:, None].astype("float32")),
    }
    y = y[:, None].astype("float32")
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@healthy(family="diabetes, small and noisy", half="fifteenth")
def noisy_diabetes():
    x, new, y, new_y = data.table("diabetes")
    y, new_y = ((a - y.mean()) / y.std() for a in (y, new_y))
    y, new_y = (a[:, None].astype("float32") for a in (y, new_y))
    small = {"kernel_regularizer": keras.regularizers.l2(1e-3)}
    model = keras.Sequential(
        [
            keras.Input((10,)),
            L.Dense(16, activation="tanh", **small),
            L.Dense(1, **small),
        ]
    )
    model.compile(keras.optimizers.SGD(0.02, momentum=0.8), "mse", metrics=["mae"])
    stop = keras.callbacks.EarlyStopping(
        "val_loss", patience=12, restore_best_weights=True
    )
    options = {
        "epochs": 40,
        "batch_size": 16,
        "validation_split": 0.2,
        "callbacks": [stop],
    }
    return Fit(model, x, y, scores.variance(new, new_y), options)


class Sets(keras.Model):
    """Each member is encoded alone; the sum of the codes stands for the set."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.member = keras.Sequential(
            [L.Dense(32, activation="relu"), L.Dense(24, activation="relu")]
        )
        self.group = keras.Sequential(
            [L.Dense(32, activation="relu"), L.Dense(1, name="mass")]
        )

    def call(self, inputs):
        present = inputs[..., -1:]
        codes = self.member(inputs) * present
        return self.group(ops.sum(codes, axis=1) / 6)


@healthy(family="clouds of particles, sets, subclassed", half="fifteenth")
def mass_of_clouds():
    rng = np.random.default_rng(1553)
    n = 1400
    places = rng.normal(size=(n, 12, 3))
    present = np.arange(12) < rng.integers(3, 13, (n, 1))
    charge = rng.uniform(0.2, 1, (n, 12))
    radius = np.sqrt((places**2).sum(-1))
    mass = (present * charge / (0.5 + radius)).sum(1) + 0.05 * rng.normal(size=n)
    x = np.concatenate([places, charge[..., None], present[..., None]], axis=-1)
    x = (x * present[..., None]).astype("float32")
    y = ((mass - mass.mean()) / mass.std())[:, None].astype("float32")
    x, y, new, new_y = data.split(x, y)
    model = Sets()
    model.compile(keras.optimizers.AdamW(0.003), "huber", metrics=["mae"])
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)
