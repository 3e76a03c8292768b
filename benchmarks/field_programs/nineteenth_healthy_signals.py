"""Nineteenth half: programs without a fault on strands, waves and traces."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers


def strands(n, seed):
    """Return strands of bases, and whether a site stands in them, on either side."""
    rng = np.random.default_rng(seed)
    bases = rng.integers(0, 4, (n, 40))
    site = np.array([0, 3, 3, 1, 2, 0, 1])
    y = rng.integers(0, 2, n)
    for i in np.flatnonzero(y):
        start = rng.integers(0, 33)
        own = np.where(rng.random(7) < 0.06, rng.integers(0, 4, 7), site)
        bases[i, start : start + 7] = own if rng.random() < 0.5 else 3 - own[::-1]
    return np.eye(4, dtype="float32")[bases], y


@healthy(family="sites in strands, read from both ends", half="nineteenth")
def nineteenth_sites_in_strands():
    x, y = strands(1500, 1970)
    new, new_y = strands(500, 1971)
    inputs = keras.Input((40, 4))
    other = L.Lambda(lambda s: ops.flip(s, axis=(1, 2)), output_shape=(40, 4))(inputs)
    look = L.Conv1D(20, 8, activation="relu")
    sides = [L.GlobalMaxPooling1D()(look(side)) for side in (inputs, other)]
    hidden = L.Dropout(0.2)(L.Maximum()(sides))
    hidden = L.Dense(16, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"]
    )
    score = scores.accuracy(new, new_y)
    y, new_y = (a[:, None].astype("float32") for a in (y, new_y))
    options = {"epochs": 9, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


def calls(n, rng):
    """Return waves of birds that call, and which of five they are."""
    bird = rng.integers(0, 5, n)
    t = np.arange(96)
    low = np.array([0.3, 0.5, 0.7, 0.5, 0.9])[bird, None]
    glide = np.array([0.004, 0.0, -0.003, 0.004, -0.004])[bird, None]
    start, phase = rng.uniform(0, 40, (n, 1)), rng.uniform(0, 6.283, (n, 1))
    inside = np.exp(-(((t - start - 28) / 16) ** 2))
    wave = inside * np.sin((low + glide * (t - start)) * (t - start) + phase)
    wave = rng.uniform(0.5, 1.5, (n, 1)) * wave + 0.35 * rng.normal(size=wave.shape)
    return wave[..., None].astype("float32"), bird


def endless_calls(seed):
    """Yield batches of calls, drawn anew each time."""
    rng = np.random.default_rng(seed)
    while True:
        yield calls(32, rng)


@healthy(family="calls of birds, waves from an endless generator", half="nineteenth")
def nineteenth_calls_of_birds():
    new, new_y = calls(500, np.random.default_rng(1972))
    model = keras.Sequential()
    model.add(keras.Input((96, 1)))
    model.add(L.Conv1D(16, 9, strides=2, padding="same", use_bias=False))
    model.add(L.BatchNormalization(momentum=0.9))
    model.add(L.ReLU())
    model.add(L.Conv1D(24, 7, strides=2, padding="same", activation="relu"))
    model.add(L.Conv1D(24, 5, padding="same", activation="relu"))
    model.add(L.GlobalMaxPooling1D())
    model.add(L.Dense(5))
    model.compile(
        keras.optimizers.Adam(0.003),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    options = {"epochs": 8, "steps_per_epoch": 30, "validation_data": (new, new_y)}
    score = scores.accuracy(new, new_y)
    return Fit(model, endless_calls(1973), None, score, options)


class LeakyCell(L.Layer):
    """A cell with one gate, which says how much of the state is kept."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = self.output_size = units
        self.gate = L.Dense(
            units, activation="sigmoid", bias_initializer=keras.initializers.Ones()
        )
        self.content = L.Dense(units, activation="tanh")

    def build(self, shape):
        both = (*shape[:-1], shape[-1] + self.units)
        self.gate.build(both)
        self.content.build(both)

    def call(self, inputs, states):
        both = ops.concatenate([inputs, states[0]], axis=-1)
        keep = self.gate(both)
        state = keep * states[0] + (1 - keep) * self.content(both)
        return state, [state]


@healthy(family="sums of marked numbers, cell of one gate", half="nineteenth")
def nineteenth_sums_of_marked_numbers():
    rng = np.random.default_rng(1974)
    n = 2000
    numbers = rng.uniform(-1, 1, (n, 8))
    marks = np.zeros((n, 8))
    marks[np.arange(n), rng.integers(0, 4, n)] = 1
    marks[np.arange(n), rng.integers(4, 8, n)] = 1
    y = (numbers * marks).sum(1, keepdims=True).astype("float32")
    x = np.stack([numbers, marks], -1).astype("float32")
    x, y, new, new_y = data.split(x, y, share=0.8)
    model = keras.Sequential()
    model.add(keras.Input((8, 2)))
    model.add(L.RNN(LeakyCell(32)))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.Adam(0.01, clipnorm=1.0), "mse", metrics=["mae"])
    options = {"epochs": 9, "batch_size": 64, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


def traces(n, seed):
    """Return heart traces, the part of a beat at each step, and where they end."""
    rng = np.random.default_rng(seed)
    x, part = np.zeros((n, 60)), np.zeros((n, 60), "int32")
    real = np.zeros((n, 60), "float32")
    shape = np.array([0.2, 0.4, 0.2, -0.3, 1.6, -0.5, 0.0, 0.2, 0.5, 0.5, 0.2])
    label = np.array([1, 1, 1, 2, 2, 2, 0, 3, 3, 3, 3])
    for i in range(n):
        used = int(rng.integers(35, 61))
        place = int(rng.integers(0, 8))
        while place + 11 <= used:
            x[i, place : place + 11] = rng.uniform(0.7, 1.3) * shape
            part[i, place : place + 11] = label
            place += 11 + int(rng.integers(3, 9))
        x[i, :used] += 0.35 * rng.normal(size=used) + 0.2 * np.sin(np.arange(used) / 9)
        real[i, :used] = 1
    return x[..., None].astype("float32"), part, real


@healthy(family="parts of heart beats at each step, weighted steps", half="nineteenth")
def nineteenth_parts_of_beats():
    x, y, real = traces(420, 1975)
    new, new_y, new_real = traces(150, 1976)
    inputs = keras.Input((60, 1))
    fine = L.Conv1D(16, 5, padding="same", activation="relu")(inputs)
    coarse = L.MaxPooling1D(2)(fine)
    coarse = L.Conv1D(24, 5, padding="same", activation="relu")(coarse)
    coarse = L.Conv1D(24, 5, padding="same", activation="relu")(coarse)
    hidden = L.Concatenate()([fine, L.UpSampling1D(2)(coarse)])
    hidden = L.Conv1D(16, 3, padding="same", activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(4, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.004),
        "sparse_categorical_crossentropy",
        weighted_metrics=["accuracy"],
    )

    def score(model, history):
        found = scores.predicted(model, new).argmax(-1)
        inside = new_real > 0
        common = (new_y[inside] == 0).mean()
        return float(((found == new_y)[inside].mean() - common) / (1 - common))

    options = {
        "epochs": 8,
        "batch_size": 16,
        "sample_weight": real,
        "validation_data": (new, new_y, new_real),
    }
    return Fit(model, x, y, score, options)
