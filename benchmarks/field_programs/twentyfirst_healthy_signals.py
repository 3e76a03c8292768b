"""Twenty-first half: programs without a fault on curves, clouds and pictures."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import scores
from field_programs.registry import Fit, healthy

L = keras.layers


def torn(n, seed):
    """Return curves with a piece missing, where it is, and the whole curves."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, 32)
    bends = rng.normal(size=(n, 3)) @ np.stack(
        [np.sin(k * 4 * t + k) for k in (1, 2, 3)]
    )
    whole = bends + rng.normal(size=(n, 1)) * t + 0.1 * rng.normal(size=bends.shape)
    start, long = rng.integers(4, 20, (n, 1)), rng.integers(5, 9, (n, 1))
    gone = (np.arange(32) >= start) & (np.arange(32) < start + long)
    x = np.stack([np.where(gone, 0, whole), gone], -1)
    return x.astype("float32"), whole.astype("float32")[..., None], gone


@healthy(family="curves with a torn piece, filled in, PyDataset", half="twentyfirst")
def twentyfirst_torn_curves():
    class Torn(keras.utils.PyDataset):
        """Curves torn anew in each batch."""

        def __init__(self, batches, **kwargs):
            super().__init__(**kwargs)
            self.batches, self.epoch = batches, 0

        def __len__(self):
            return self.batches

        def on_epoch_end(self):
            self.epoch += 1

        def __getitem__(self, i):
            return torn(40, 10_000 + self.epoch * self.batches + i)[:2]

    new, new_y, gone = torn(300, 2180)
    inputs = keras.Input((32, 2))
    hidden = inputs
    for rate in (1, 2, 4):
        step = L.Conv1D(24, 5, dilation_rate=rate, padding="same", activation="silu")(
            hidden
        )
        hidden = step if rate == 1 else L.Add()([hidden, step])
    model = keras.Model(inputs, L.Conv1D(1, 1)(hidden))
    model.compile(keras.optimizers.Adam(0.004), "mse")

    def score(model, history):
        missing = scores.predicted(model, new)[gone], new_y[gone]
        return float(1 - ((missing[0] - missing[1]) ** 2).mean() / missing[1].var())

    options = {"epochs": 11, "validation_data": (new, new_y)}
    return Fit(model, Torn(30), None, score, options)


def ring(n, rng):
    """Return points of two arcs."""
    side = rng.integers(0, 2, n)
    turn = rng.uniform(0, np.pi, n)
    x = np.where(side, np.cos(turn), 1 - np.cos(turn)) - 0.5
    y = np.where(side, np.sin(turn), 0.5 - np.sin(turn)) - 0.25
    points = np.stack([x, y], -1) + 0.06 * rng.normal(size=(n, 2))
    return (1.3 * points).astype("float32")


def disturbed(n, rng):
    """Return points under noise, how strong it is, and the noise."""
    noise = rng.normal(size=(n, 2)).astype("float32")
    level = rng.uniform(0.05, 0.95, (n, 1)).astype("float32")
    x = np.sqrt(1 - level) * ring(n, rng) + np.sqrt(level) * noise
    return {"point": x, "level": level}, noise


def endless(seed):
    """Yield batches of disturbed points."""
    rng = np.random.default_rng(seed)
    while True:
        yield disturbed(64, rng)


@healthy(family="noise on points of two arcs, diffusion, endless", half="twentyfirst")
def twentyfirst_noise_on_points():
    new, new_y = disturbed(800, np.random.default_rng(2181))
    point, level = keras.Input((2,), name="point"), keras.Input((1,), name="level")
    waves = L.Dense(8, activation="tanh")(level)
    hidden = L.Concatenate()([point, waves])
    for _ in range(3):
        hidden = L.Dense(48, activation="swish")(hidden)
    model = keras.Model({"point": point, "level": level}, L.Dense(2)(hidden))
    model.compile(keras.optimizers.Adam(0.003), "mse")
    options = {"epochs": 8, "steps_per_epoch": 60, "validation_data": (new, new_y)}
    score = scores.variance(new, new_y)
    return Fit(model, endless(2182), None, score, options)


def spots(n, seed):
    """Return pictures of leaves, and whether they bear the rare spot."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:16, :16]
    leaf = np.abs(column - 8) < 6 - np.abs(row - 8) * rng.uniform(0.3, 0.7, (n, 1, 1))
    x = 0.2 + 0.4 * leaf + 0.1 * rng.normal(size=leaf.shape)
    sick = rng.random(n) < 0.12
    for i in np.flatnonzero(sick | (rng.random(n) < 0.3)):
        r, c = rng.integers(5, 11, 2)
        near = np.hypot(row - r, column - c)
        x[i] += 0.5 * ((np.abs(near - 2) < 0.7) if sick[i] else near < 1.5)
    return x[..., None].astype("float32"), sick.astype("int32")


@healthy(family="rings on leaves, one in eight, weighted, flipped", half="twentyfirst")
def twentyfirst_rings_on_leaves():
    x, y = spots(1300, 2183)
    new, new_y = spots(500, 2184)
    model = keras.Sequential()
    model.add(keras.Input((16, 16, 1)))
    model.add(L.RandomFlip(seed=3))
    model.add(L.Conv2D(12, 3, activation="relu"))
    model.add(L.Conv2D(16, 3, activation="relu"))
    model.add(L.MaxPooling2D(2))
    model.add(L.Conv2D(16, 3, activation="relu"))
    model.add(L.GlobalMaxPooling2D())
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.004),
        "binary_crossentropy",
        weighted_metrics=["accuracy"],
    )
    score = scores.balanced(new, new_y)
    y, new_y = y[:, None].astype("float32"), new_y[:, None].astype("float32")
    options = {
        "epochs": 7,
        "batch_size": 32,
        "class_weight": {0: 1.0, 1: 5.0},
        "validation_data": (new, new_y),
    }
    return Fit(model, x, y, score, options)


class Sharper(keras.Model):
    """Adds what is missing to a picture that was merely enlarged."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = L.Conv2D(24, 3, padding="same", activation="relu")
        self.blocks = [
            L.Conv2D(24, 3, padding="same", activation="relu") for _ in range(2)
        ]
        self.last = L.Conv2D(4, 3, padding="same")
        self.larger = L.UpSampling2D(2, interpolation="nearest")

    def call(self, x):
        hidden = self.first(x)
        for block in self.blocks:
            hidden = hidden + block(hidden)
        size = ops.shape(x)
        four = ops.reshape(self.last(hidden), (-1, size[1], size[2], 2, 2))
        four = ops.transpose(four, (0, 1, 3, 2, 4))
        four = ops.reshape(four, (-1, 2 * size[1], 2 * size[2], 1))
        return self.larger(x) + four


@healthy(family="drawings made sharper, sub-pixels, L1", half="twentyfirst")
def twentyfirst_drawings_made_sharper():
    rng = np.random.default_rng(2185)
    row, column = np.mgrid[:16, :16]
    turn, wide = rng.uniform(0, 3.14, (900, 1, 1)), rng.uniform(0.4, 0.9, (900, 1, 1))
    along = np.cos(turn) * row + np.sin(turn) * column
    fine = np.tanh(3 * np.sin(wide * along + rng.uniform(0, 6, (900, 1, 1))))
    fine = (fine + 0.05 * rng.normal(size=fine.shape)).astype("float32")[..., None]
    coarse = fine.reshape(900, 8, 2, 8, 2, 1).mean((2, 4))
    x, y, new, new_y = coarse[:650], fine[:650], coarse[650:], fine[650:]
    model = Sharper()
    model.compile(keras.optimizers.Adam(0.004), "mae")
    plain = np.abs(new_y - new.repeat(2, 1).repeat(2, 2)).mean()

    def score(model, history):
        return float(1 - np.abs(scores.predicted(model, new) - new_y).mean() / plain)

    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)
