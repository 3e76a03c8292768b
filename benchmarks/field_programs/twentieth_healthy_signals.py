"""Twentieth half: programs without a fault on pictures, curves and views."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import scores
from field_programs.registry import Fit, healthy

L = keras.layers


class Springs(keras.utils.PyDataset):
    """Batches of curves of damped springs with fresh noise; pace and damping."""

    def __init__(self, count, seed, **kwargs):
        super().__init__(**kwargs)
        self.rng = np.random.default_rng(seed)
        self.y = self.rng.uniform(-1, 1, (count, 2)).astype("float32")

    def __len__(self):
        return len(self.y) // 32

    def __getitem__(self, index):
        y = self.y[32 * index : 32 * index + 32]
        t = np.arange(64) / 8
        pace, damping = 2 + y[:, :1], 0.35 + 0.25 * y[:, 1:]
        x = np.exp(-damping * t) * np.cos(pace * t)
        x = x + 0.15 * self.rng.normal(size=x.shape)
        return x[..., None].astype("float32"), y


@healthy(family="pace and damping of springs, fresh noise", half="twentieth")
def twentieth_springs():
    batches, held = Springs(1280, 2080), Springs(320, 2081)
    pairs = [held[i] for i in range(len(held))]
    new, new_y = (np.concatenate([pair[k] for pair in pairs]) for k in range(2))
    inputs = keras.Input((64, 1))
    hidden = L.Conv1D(16, 7, strides=2, padding="same")(inputs)
    hidden = L.BatchNormalization(momentum=0.9)(hidden)
    hidden = L.Activation("relu")(hidden)
    hidden = L.Conv1D(24, 5, strides=2, padding="same", activation="relu")(hidden)
    hidden = L.Dense(48, activation="relu")(L.Flatten()(hidden))
    model = keras.Model(inputs, L.Dense(2, name="pace_and_damping")(hidden))
    model.compile(keras.optimizers.Adam(0.003), keras.losses.Huber(), metrics=["mae"])
    options = {"epochs": 10, "validation_data": (new, new_y)}
    return Fit(model, batches, None, scores.variance(new, new_y), options)


def fields(n, seed):
    """Return three bands of fields from above, and what is at each place."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:16, :16]
    kind = np.full((n, 16, 16), 2)
    for i in range(n):
        a, b = rng.uniform(2, 14, 2)
        slope = rng.uniform(-0.6, 0.6)
        kind[i][np.abs(row - a - slope * (column - 8)) < 2] = 0
        kind[i][np.hypot(row - b, column - rng.uniform(2, 14)) < 4] = 1
    color = np.array([[0.1, 0.2, 0.5], [0.15, 0.4, 0.2], [0.5, 0.45, 0.2]])[kind]
    light = rng.uniform(0.7, 1.3, (n, 1, 1, 1))
    x = light * color + 0.16 * rng.normal(size=color.shape)
    return x.astype("float32"), kind.astype("int32")


@healthy(
    family="water, wood and crop from above, small U",
    half="twentieth",
    backends=("jax", "tensorflow"),
)
def twentieth_fields_from_above():
    x, y = fields(256, 2082)
    new, new_y = fields(100, 2083)
    inputs = keras.Input((16, 16, 3))
    fine = L.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    coarse = L.Conv2D(24, 3, strides=2, padding="same", activation="relu")(fine)
    coarse = L.Conv2D(24, 3, padding="same", activation="relu")(coarse)
    coarse = L.Conv2DTranspose(16, 2, strides=2, activation="relu")(coarse)
    hidden = L.Concatenate()([fine, coarse])
    hidden = L.Conv2D(16, 3, padding="same", activation="relu")(hidden)
    model = keras.Model(inputs, L.Conv2D(3, 1, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.005),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 9, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class Views(keras.Model):
    """Two encoders whose outputs agree for the two views of the same thing."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.encoders = [
            keras.Sequential([L.Dense(64, activation="gelu"), L.Dense(12)])
            for _ in range(2)
        ]

    def call(self, views):
        pairs = zip(self.encoders, views, strict=True)
        codes = [ops.normalize(encode(view)) for encode, view in pairs]
        return ops.concatenate(codes, axis=-1)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **kwargs):
        first, second = ops.split(y_pred, 2, axis=-1)
        alike = ops.matmul(first, ops.transpose(second)) / 0.15
        agree = ops.arange(ops.shape(alike)[0])
        loss = keras.losses.sparse_categorical_crossentropy
        both = [loss(agree, a, from_logits=True) for a in (alike, ops.transpose(alike))]
        return ops.mean(both[0] + both[1]) / 2


def things(n, seed):
    """Return what two devices see of the same things."""
    made = np.random.default_rng(2084)
    ways = made.normal(size=(2, 6, 20))
    rng = np.random.default_rng(seed)
    thing = rng.normal(size=(n, 6))
    views = [np.tanh(thing @ way / 2) + 0.2 * rng.normal(size=(n, 20)) for way in ways]
    return tuple(view.astype("float32") for view in views)


@healthy(family="two devices see a thing, matched in the batch", half="twentieth")
def twentieth_two_devices():
    x, new = things(1600, 2085), things(256, 2086)
    model = Views()
    model.compile(keras.optimizers.Adam(0.003))

    def score(model, history):
        first, second = np.split(scores.predicted(model, new), 2, axis=1)
        return float(((first @ second.T).argmax(1) == np.arange(256)).mean())

    options = {"epochs": 12, "batch_size": 64, "validation_data": (new, None)}
    return Fit(model, x, None, score, options)


class Modulate(L.Layer):
    """Scales and shifts channels as a second input says."""

    def __init__(self, channels, **kwargs):
        super().__init__(**kwargs)
        self.scale = L.Dense(channels, kernel_initializer="zeros")
        self.shift = L.Dense(channels, kernel_initializer="zeros")

    def call(self, inputs):
        signal, settings = inputs
        scale, shift = self.scale(settings), self.shift(settings)
        return signal * (1 + scale[:, None]) + shift[:, None]


def amplified(n, seed):
    """Return signals, the knobs of an amplifier, and what comes out of it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 34))
    x = (x[:, 2:] + x[:, 1:-1] + x[:, :-2]) / 3**0.5
    knobs = rng.uniform(-1, 1, (n, 2))
    y = np.tanh((1.6 + 1.2 * knobs[:, :1]) * x) + 0.4 * knobs[:, 1:] * x**2
    y = y + 0.05 * rng.normal(size=y.shape)
    return x[..., None].astype("float32"), knobs.astype("float32"), y[..., None]


@healthy(family="amplifier with two knobs, channels modulated", half="twentieth")
def twentieth_amplifier():
    x, knobs, y = amplified(700, 2087)
    new, new_knobs, new_y = amplified(200, 2088)
    inputs = [keras.Input((32, 1)), keras.Input((2,))]
    settings = L.Dense(16, activation="relu")(inputs[1])
    hidden = inputs[0]
    for _ in range(2):
        hidden = L.Conv1D(16, 3, padding="same")(hidden)
        hidden = L.Activation("silu")(Modulate(16)([hidden, settings]))
    model = keras.Model(inputs, L.Conv1D(1, 1)(hidden))
    model.compile(keras.optimizers.AdamW(0.005, weight_decay=1e-4), "mse")
    options = {
        "epochs": 12,
        "batch_size": 32,
        "validation_data": ([new, new_knobs], new_y),
    }
    score = scores.variance([new, new_knobs], new_y)
    return Fit(model, [x, knobs], y, score, options)
