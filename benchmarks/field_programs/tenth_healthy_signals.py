"""Healthy programs of the tenth half: pictures, vibrations, spectra and series."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers


@healthy(family="directions in pictures, two numbers", half="tenth")
def directions_of_fibers():
    rng = np.random.default_rng(1051)
    angle = rng.uniform(0, np.pi, 900)
    row, column = np.mgrid[:14, :14] - 6.5
    along = np.cos(angle)[:, None, None] * row + np.sin(angle)[:, None, None] * column
    fibers = np.sin(1.5 * along + rng.uniform(0, 6.28, (900, 1, 1)))
    x = 0.5 + 0.25 * fibers + 0.15 * rng.normal(size=(900, 14, 14))
    x = np.clip(x, 0, 1).astype("float32")[..., None]
    y = np.stack([np.sin(2 * angle), np.cos(2 * angle)], axis=1).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((14, 14, 1)),
            L.Rescaling(4.0, offset=-2.0),
            L.Conv2D(16, 5, activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(16, 3, activation="relu"),
            L.GlobalAveragePooling2D(),
            L.Dense(2),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "mse", metrics=["mae"])
    held_out = x[700:], y[700:]
    options = {"epochs": 12, "batch_size": 32, "validation_data": held_out}
    return Fit(model, x[:700], y[:700], scores.variance(*held_out), options)


class EvenBatches(keras.utils.PyDataset):
    """Draw as many rows of the rare class as of the other for every batch."""

    def __init__(self, x, y, steps, size=32):
        super().__init__()
        self.x, self.y, self.steps, self.size = x, y, steps, size
        self.rng = np.random.default_rng(1052)

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        half = self.size // 2
        rare = self.rng.choice(np.flatnonzero(self.y == 1), half)
        rest = self.rng.choice(np.flatnonzero(self.y == 0), half)
        rows = self.rng.permutation(np.concatenate([rare, rest]))
        x = np.roll(self.x[rows], self.rng.integers(0, 48), axis=1)
        return x + 0.2 * self.rng.normal(size=x.shape).astype("float32"), self.y[rows]


@healthy(family="rare class, batches made even", half="tenth")
def bearings_in_even_batches():
    rng = np.random.default_rng(1052)
    y = (rng.random(1500) < 0.12).astype("int32")
    t = np.arange(48)
    hum = np.sin(0.6 * t + rng.uniform(0, 6.28, (1500, 1)))
    knock = np.zeros((1500, 48))
    for i in np.flatnonzero(y):
        for at in np.arange(rng.integers(0, 12), 48, 12):
            knock[i, at : at + 3] += np.array([0.9, -1.0, 0.6])[: 48 - at]
    x = (hum + knock + 0.6 * rng.normal(size=(1500, 48))).astype("float32")[..., None]
    model = keras.Sequential(
        [
            keras.Input((48, 1)),
            L.Conv1D(12, 5, activation="relu", padding="same"),
            L.BatchNormalization(momentum=0.9),
            L.MaxPooling1D(2),
            L.Conv1D(16, 5, activation="relu", padding="same"),
            L.BatchNormalization(momentum=0.9),
            L.GlobalAveragePooling1D(),
            L.Dropout(0.2),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    auc = keras.metrics.AUC(name="auc")
    adam = keras.optimizers.Adam(0.003)
    model.compile(adam, "binary_crossentropy", metrics=[auc])
    train = EvenBatches(x[:1000], y[:1000], steps=24)
    held_out = x[1000:], y[1000:]
    options = {"epochs": 12, "validation_data": held_out}
    return Fit(model, train, None, scores.balanced(*held_out), options)


@healthy(family="six hours ahead, encoder and decoder", half="tenth")
def six_hours_of_heat():
    series = data.load_curve(760, seed=1053)
    pieces = np.stack([series[i : i + 18] for i in range(740)]).astype("float32")
    x, y = pieces[:, :12, None], pieces[:, 12:, None]
    inputs = keras.Input((12, 1))
    state = L.GRU(20)(inputs)
    hidden = L.RepeatVector(6)(state)
    hidden = L.GRU(20, return_sequences=True)(hidden)
    model = keras.Model(inputs, L.TimeDistributed(L.Dense(1))(hidden))
    adam = keras.optimizers.Adam(0.008, clipnorm=1.0)
    model.compile(adam, keras.losses.Huber(), metrics=["mae"])
    slower = keras.callbacks.ReduceLROnPlateau(patience=3, factor=0.5, min_lr=5e-4)
    held_out = x[520:], y[520:]
    options = {
        "epochs": 14,
        "batch_size": 32,
        "validation_data": held_out,
        "callbacks": [slower],
    }
    return Fit(model, x[:500], y[:500], scores.variance(*held_out), options)


class Spectra(keras.Model):
    """Press spectra through a narrow code; what comes out has to be smooth."""

    def __init__(self, code, channels):
        super().__init__()
        self.down = L.Dense(32, activation="elu")
        self.code = L.Dense(code)
        self.up = L.Dense(32, activation="elu")
        self.last = L.Dense(channels)

    def call(self, x):
        spectra = self.last(self.up(self.code(self.down(x))))
        rough = spectra[:, 1:] - spectra[:, :-1]
        self.add_loss(0.02 * ops.mean(ops.square(rough)))
        return spectra


@healthy(family="noise taken from spectra, subclassed", half="tenth")
def spectra_made_smooth():
    rng = np.random.default_rng(1054)
    channel = np.arange(40)
    pure = np.zeros((4, 40))
    for part in pure:
        for _ in range(3):
            width = rng.uniform(2, 5)
            peak = -(((channel - rng.uniform(3, 37)) / width) ** 2)
            part += rng.uniform(0.5, 1.5) * np.exp(peak)
    shares = rng.dirichlet(np.full(4, 0.6), 1200)
    clean = (0.2 + shares @ pure).astype("float32")
    x = (clean + 0.08 * rng.normal(size=clean.shape)).astype("float32")
    model = Spectra(4, 40)
    model.compile(keras.optimizers.Adam(0.005), "mse")
    options = {"epochs": 16, "batch_size": 32, "validation_data": (x[800:], x[800:])}
    return Fit(model, x[:800], x[:800], scores.variance(x[800:], clean[800:]), options)
